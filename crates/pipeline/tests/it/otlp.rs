//! OTLP over HTTP and gRPC, as bytes: what exporters see.

use axum::http::{HeaderMap, Request};
use serde_json::{Value, json};

use crate::support::{House, answer, compile, gzip, record};

/// An OTLP input over each protocol, and nothing else.
const OTLP: &str = "
routes = []
[lake]
enabled = false
[[inputs]]
name = \"otlp\"
kind = \"otlp\"
protocol = \"http\"
listen = \"127.0.0.1:0\"
[[inputs]]
name = \"grpc\"
kind = \"otlp\"
protocol = \"grpc\"
listen = \"127.0.0.1:1\"
";

/// As above, with a port for gRPC that is free; two inputs with port 0 would be one address.
fn both() -> String {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    OTLP.replace("127.0.0.1:1", &free.to_string())
}

/// A request with CloudTrail records as the lines that a collector carries.
fn request(records: &[String]) -> String {
    let one = |record: &String| json!({"timeUnixNano": "1778176932301000000", "body": {"stringValue": record}});
    let records: Vec<Value> = records.iter().map(one).collect();
    json!({"resourceLogs": [{"resource": {"attributes": []}, "scopeLogs": [{"logRecords": records}]}]}).to_string()
}

/// The same in protobuf: a log record is a time (field 1) and a body (field 5) with a text (field 1).
fn protobuf(records: &[String]) -> Vec<u8> {
    let field = |number: u8, bytes: &[u8]| {
        let mut out = vec![number << 3 | 2];
        let mut length = bytes.len();
        while length > 0x7f {
            out.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        out.push(length as u8);
        out.extend(bytes);
        out
    };
    let logs = records.iter().flat_map(|record| field(2, &field(5, &field(1, record.as_bytes()))));
    field(1, &field(2, &logs.collect::<Vec<u8>>()))
}

fn deletion(id: u64) -> String {
    record(id, "DeleteTrail")
}

async fn post(house: &House, path: &str, kind: &str, body: Vec<u8>) -> (u16, Value) {
    let url = format!("http://{}{path}", house.address("otlp"));
    answer(house.http.post(url).header("content-type", kind).body(body)).await
}

/// One call over gRPC: the status and what else stands in headers and trailers, and the message.
async fn call(house: &House, service: &str, message: Vec<u8>, packing: Option<&str>) -> (HeaderMap, Vec<u8>) {
    let mut body = vec![u8::from(packing.is_some())];
    body.extend((message.len() as u32).to_be_bytes());
    body.extend(message);
    let stream = tokio::net::TcpStream::connect(house.address("grpc")).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let url = format!("http://{}/opentelemetry.proto.collector.{service}/Export", house.address("grpc"));
    let mut request = Request::post(url).header("content-type", "application/grpc").header("te", "trailers");
    if let Some(packing) = packing {
        request = request.header("grpc-encoding", packing);
    }
    let mut client = client.ready().await.unwrap();
    let (response, mut sending) = client.send_request(request.body(()).unwrap(), false).unwrap();
    sending.send_data(body.into(), true).unwrap();
    let (head, mut body) = response.await.unwrap().into_parts();
    assert_eq!(head.status, 200, "gRPC has its own status");
    let (mut said, mut message) = (head.headers, Vec::new());
    while let Some(data) = body.data().await {
        message.extend(data.unwrap());
    }
    said.extend(body.trailers().await.unwrap().unwrap_or_default());
    (said, message)
}

#[tokio::test]
async fn log_records_over_http_are_durable_and_found_by_the_sources_that_know_their_bodies() {
    let mut house = House::start(&both()).await;
    let json = request(&[deletion(1), deletion(2)]).into_bytes();
    assert_eq!(post(&house, "/v1/logs", "application/json; charset=utf-8", json).await, (200, json!({})));
    let (status, body) = post(&house, "/v1/logs", "application/x-protobuf", protobuf(&[deletion(3)])).await;
    assert_eq!((status, body), (200, json!("")), "an empty message says that all was taken");
    let url = format!("http://{}/v1/logs", house.address("otlp"));
    let packed =
        house.http.post(url).header("content-type", "application/x-protobuf").header("content-encoding", "gzip");
    assert_eq!(answer(packed.body(gzip(&protobuf(&[deletion(4)])))).await.0, 200);
    assert_eq!(post(&house, "/v1/traces", "application/json", b"{\"resourceSpans\":[]}".to_vec()).await.0, 200);
    house.stop().await;
    let balance = house.ledger().balance();
    assert_eq!((balance.records_in, balance.evaluated, house.alerts().len()), (4, 4, 4));
    house.assert_balance();
}

#[tokio::test]
async fn what_is_left_out_is_counted_in_the_answer() {
    let limits = engine::Limits { record_bytes: 2048, ..engine::Limits::default() };
    let mut house = House::start_on(compile(limits), &both()).await;
    let body = request(&[deletion(1), "x".repeat(3000)]).into_bytes();
    let (status, body) = post(&house, "/v1/logs", "application/json", body).await;
    assert_eq!((status, &body["partialSuccess"]["rejectedLogRecords"]), (200, &json!("1")), "{body}");
    house.stop().await;
    assert_eq!(house.ledger().balance().records_in, 1);
}

#[tokio::test]
async fn a_request_that_cannot_be_taken_says_so_in_its_own_encoding() {
    let mut house = House::start(&format!("{}\n[limits]\nhttp_body_bytes = \"64KiB\"", both())).await;
    assert_eq!(post(&house, "/v1/logs", "application/json", b"{".to_vec()).await.1["code"], 3);
    assert_eq!(post(&house, "/v1/logs", "application/x-protobuf", b"\xff".to_vec()).await.0, 400);
    assert_eq!(post(&house, "/v1/logs", "text/plain", b"{}".to_vec()).await.0, 415);
    assert_eq!(post(&house, "/v1/logs", "application/json", vec![b' '; 65 << 10]).await.0, 413);
    assert_eq!(post(&house, "/v1/metrics", "application/json", b"{}".to_vec()).await.0, 404);
    assert_eq!(post(&house, "/v1/records", "application/json", b"{}".to_vec()).await.0, 404);
    house.stop().await;
    assert!(house.ledger().is_empty());
}

#[tokio::test]
async fn log_records_over_grpc_are_durable_when_the_call_returns() {
    let mut house = House::start(&both()).await;
    let (headers, message) = call(&house, "logs.v1.LogsService", protobuf(&[deletion(1)]), None).await;
    assert_eq!(
        (&headers["grpc-status"], message),
        (&"0".parse().unwrap(), vec![0; 5]),
        "an empty message: all was taken"
    );
    let packed = gzip(&protobuf(&[deletion(2), deletion(3)]));
    assert_eq!(call(&house, "logs.v1.LogsService", packed, Some("gzip")).await.1, vec![0; 5]);
    let status = |outcome: (HeaderMap, Vec<u8>)| outcome.0["grpc-status"].to_str().unwrap().to_owned();
    assert_eq!(status(call(&house, "logs.v1.LogsService", b"\xff".to_vec(), None).await), "3");
    assert_eq!(status(call(&house, "logs.v1.LogsService", vec![], Some("br")).await), "12");
    assert_eq!(status(call(&house, "metrics.v1.MetricsService", vec![], None).await), "12");
    house.stop().await;
    let balance = house.ledger().balance();
    assert_eq!((balance.records_in, balance.evaluated, house.alerts().len()), (3, 3, 3));
}

#[tokio::test]
async fn a_token_is_asked_for_over_both_protocols() {
    let folder = std::sync::Arc::new(tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("token"), "secret\n").unwrap();
    let text = both().replace("kind = \"otlp\"", "kind = \"otlp\"\ntoken = { file = \"DIR/token\" }");
    let house = House::start_in(folder, &text).await;
    assert_eq!(post(&house, "/v1/logs", "application/json", b"{}".to_vec()).await.0, 401);
    let url = format!("http://{}/v1/logs", house.address("otlp"));
    for (token, status) in [("Bearer wrong", 403), ("Bearer secret", 200)] {
        let request = house.http.post(&url).header("content-type", "application/json").header("authorization", token);
        assert_eq!(answer(request.body("{}")).await.0, status);
    }
    assert_eq!(call(&house, "logs.v1.LogsService", vec![], None).await.0["grpc-status"], "16");
}

#[tokio::test]
async fn a_full_journal_tells_exporters_when_to_try_again() {
    let limits = "[limits]\njournal_bytes = \"48KiB\"\njournal_segment_bytes = \"8KiB\"";
    let house = House::start(&format!("{}\n{limits}", both())).await;
    // Nothing is settled while another holds the store's lock, so the journal fills.
    let lock = rusqlite::Connection::open(house.folder.path().join("data/state.db")).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let records: Vec<String> = (0..20).map(deletion).collect();
    let mut status = 200;
    for _ in 0..40 {
        status = post(&house, "/v1/logs", "application/json", request(&records).into_bytes()).await.0;
        if status != 200 {
            break;
        }
    }
    assert_eq!(status, 503);
    let (headers, _) = call(&house, "logs.v1.LogsService", protobuf(&records), None).await;
    assert_eq!(headers["grpc-status"], "8");
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::STANDARD_NO_PAD;
    let details = engine.decode(headers["grpc-status-details-bin"].to_str().unwrap().trim_end_matches('=')).unwrap();
    assert!(String::from_utf8_lossy(&details).contains("google.rpc.RetryInfo"));
    lock.execute_batch("ROLLBACK").unwrap();
}

#[tokio::test]
async fn grpc_has_an_address_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let config = crate::support::config(folder.path(), &OTLP.replace("127.0.0.1:1", "127.0.0.1:0"));
    std::fs::create_dir_all(&config.data_dir).unwrap();
    let store = store::Store::open(&config.data_dir).unwrap();
    let settings = pipeline::Settings::read(config).unwrap();
    let clock = std::sync::Arc::new(pipeline::SystemClock);
    let Err(error) = pipeline::start(settings, crate::support::engine(), store, clock).await else { panic!() };
    assert_eq!(
        error.to_string(),
        "inputs `otlp` and `grpc` listen on 127.0.0.1:0: OTLP over gRPC needs an address of its own"
    );
}
