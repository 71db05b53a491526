use serde_json::{Value, json};

use crate::support::{HTTP, House, answer, gzip, record, records};

const CHANNEL: &str = "fe0ecfad-13d5-401b-847d-77833bd77131";

fn envelope(event: &str) -> String {
    format!("{{\"time\":1795305600.123,\"host\":\"h\",\"sourcetype\":\"aws:cloudtrail\",\"event\":{event}}}")
}

fn envelopes(first: u64, count: u64) -> String {
    records(first, count).iter().map(|record| envelope(record)).collect()
}

async fn with_token(extra: &str) -> House {
    let folder = std::sync::Arc::new(tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("token"), "t0ken").unwrap();
    House::start_in(folder, &format!("{HTTP}token = {{ file = \"DIR/token\" }}\n{extra}")).await
}

fn post(house: &House, path: &str, body: impl Into<reqwest::Body>) -> reqwest::RequestBuilder {
    house.http.post(house.url(path)).header("authorization", "Splunk t0ken").body(body)
}

#[tokio::test]
async fn events_are_taken_on_every_path_and_evaluated() {
    let mut house = with_token("").await;
    let success = (200, json!({"text": "Success", "code": 0}));
    for (n, path) in ["", "/event", "/event/1.0"].into_iter().enumerate() {
        let body = envelopes(n as u64 * 100, 10);
        assert_eq!(answer(post(&house, &format!("/services/collector{path}"), body)).await, success);
    }
    let packed = post(&house, "/services/collector", gzip(envelopes(300, 10).as_bytes()));
    assert_eq!(answer(packed.header("content-encoding", "gzip")).await, success);
    let raw = post(&house, "/services/collector/raw", format!("{}\n", records(400, 10).join("\n")));
    assert_eq!(answer(raw).await, success);
    let text = json!({"event": record(500, "DeleteTrail")}).to_string();
    assert_eq!(answer(post(&house, "/services/collector", text)).await, success, "a record as text");
    house.stop().await;
    let balance = house.ledger().balance();
    assert_eq!((balance.records_in, balance.evaluated, balance.raised), (51, 51, 6));
    house.assert_balance();
}

#[tokio::test]
async fn an_acknowledgement_id_is_true_once_and_stands_for_journalled_events() {
    let mut house = with_token("").await;
    let send = |first| {
        let request = post(&house, "/services/collector/event", envelopes(first, 5));
        answer(request.header("x-splunk-request-channel", CHANNEL))
    };
    assert_eq!(send(0).await, (200, json!({"text": "Success", "code": 0, "ackId": 0})));
    assert_eq!(send(5).await, (200, json!({"text": "Success", "code": 0, "ackId": 1})));
    let path = format!("/services/collector/ack?channel={CHANNEL}");
    let ask = |body: Value| answer(post(&house, &path, body.to_string()));
    assert_eq!(ask(json!({"acks": [0, 1, 9]})).await, (200, json!({"acks": {"0": true, "1": true, "9": false}})));
    assert_eq!(ask(json!({"acks": [0]})).await, (200, json!({"acks": {"0": false}})));
    let other = answer(post(&house, "/services/collector/ack", "{\"acks\":[0]}")).await;
    assert_eq!(other, (400, json!({"text": "Data channel is missing", "code": 10})));
    let wrong = post(&house, "/services/collector/ack?channel=nonsense", "{\"acks\":[0]}");
    assert_eq!(answer(wrong).await, (400, json!({"text": "Invalid data channel", "code": 11})));
    house.stop().await;
    assert_eq!(house.ledger().balance().records_in, 10);
}

#[tokio::test]
async fn a_wrong_event_is_named_by_its_number_and_those_before_it_are_taken() {
    let mut house = with_token("").await;
    let cases = [
        (String::new(), json!({"text": "No data", "code": 5})),
        ("{\"event\":".into(), json!({"text": "Invalid data format", "code": 6, "invalid-event-number": 0})),
        ("{\"time\":1}".into(), json!({"text": "Event field is required", "code": 12, "invalid-event-number": 0})),
        (
            "{\"event\":\" \"}".into(),
            json!({"text": "Event field cannot be blank", "code": 13, "invalid-event-number": 0}),
        ),
        (
            format!("{}{}", envelopes(0, 2), "{\"event\":NaN}"),
            json!({"text": "Invalid data format", "code": 6, "invalid-event-number": 2}),
        ),
        (
            format!("{}{{}}{}", envelopes(2, 1), envelopes(3, 1)),
            json!({"text": "Event field is required", "code": 12, "invalid-event-number": 1}),
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(answer(post(&house, "/services/collector", body)).await, (400, expected));
    }
    house.stop().await;
    assert_eq!(house.ledger().balance().records_in, 3, "two and one before the wrong ones");
    house.assert_balance();
}

#[tokio::test]
async fn tokens_are_judged_with_splunks_codes() {
    let mut house = with_token("").await;
    let send = |value: &str| {
        let request = house.http.post(house.url("/services/collector")).body(envelopes(0, 1));
        answer(if value.is_empty() { request } else { request.header("authorization", value) })
    };
    let code = |(status, body): (u16, Value)| (status, body["code"].as_u64().unwrap());
    assert_eq!(code(send("").await), (401, 2));
    assert_eq!(code(send("nonsense").await), (401, 3));
    assert_eq!(code(send("Splunk wrong").await), (403, 4));
    assert_eq!(code(send("Basic eDp0MGtlbg==").await), (200, 0));
    let health = answer(house.http.get(house.url("/services/collector/health"))).await;
    assert_eq!(health, (200, json!({"text": "HEC is healthy", "code": 17})));
    house.stop().await;
}
