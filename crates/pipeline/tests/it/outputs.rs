use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::post;
use custody::signature::VerifyingKey;
use model::AlertState;
use pipeline::Clock;
use serde_json::Value;
use store::OutboxState;

use crate::support::{HTTP, House, record};

/// A receiver of webhooks: answers by a plan (then 200), and keeps what it took.
struct Receiver {
    url: String,
    taken: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    plan: Arc<Mutex<Vec<(u16, &'static str)>>>,
    calls: Arc<AtomicUsize>,
}

async fn receiver(plan: Vec<(u16, &'static str)>) -> Receiver {
    let (taken, calls) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
    let plan = Arc::new(Mutex::new(plan));
    let (keeping, counting, planned) = (taken.clone(), calls.clone(), plan.clone());
    let handler = move |headers: HeaderMap, body: Bytes| async move {
        counting.fetch_add(1, Ordering::SeqCst);
        let next = {
            let mut plan = planned.lock().unwrap();
            if plan.is_empty() { None } else { Some(plan.remove(0)) }
        };
        match next {
            Some((status, after)) => {
                (StatusCode::from_u16(status).unwrap(), [("retry-after", after)], "not now").into_response()
            }
            None => {
                keeping.lock().unwrap().push((headers, body));
                StatusCode::OK.into_response()
            }
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let router = axum::Router::new().route("/hook", post(handler));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Receiver { url, taken, plan, calls }
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

async fn house(url: &str, retry: &str) -> House {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("secret"), SECRET).unwrap();
    let config = format!(
        "[[inputs]]\nname = \"http\"\nkind = \"http\"\nlisten = \"127.0.0.1:0\"\n[[routes]]\nname = \"soc\"\nkind = \"webhook\"\nurl = \"{url}\"\nsecret = {{ file = \"DIR/secret\" }}\n[routes.retry]\n{retry}\n"
    );
    House::start_in(folder, &config).await
}

async fn until(what: &str, is: impl Fn() -> bool) {
    for _ in 0..2000 {
        if is() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it never came to that: {what}");
}

const PATIENT: &str = "first = \"5s\"\nlongest = \"2m\"\ngive_up_after = \"24h\"";

#[tokio::test]
async fn a_webhook_is_signed_so_that_its_receiver_can_verify_it() {
    let receiver = receiver(vec![]).await;
    let mut house = house(&receiver.url, PATIENT).await;
    house.post("/v1/records", record(10, "DeleteTrail")).await;
    until("delivery", || receiver.taken.lock().unwrap().len() == 1).await;
    until("settling", || house.outbox()[0].state == OutboxState::Delivered).await;
    let (headers, body) = receiver.taken.lock().unwrap()[0].clone();
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    let key = VerifyingKey::parse(SECRET).unwrap();
    let now = house.clock.now().millis() / 1000;
    key.verify(&header("webhook-id"), &header("webhook-timestamp"), &header("webhook-signature"), &body, now, 300)
        .unwrap();
    let message: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(message["type"], "alert.opened");
    assert_eq!(header("webhook-id"), house.outbox()[0].key);
    assert_eq!(house.alerts()[0].state, AlertState::Delivered);
    house.stop().await;
    house.assert_balance();
}

#[tokio::test]
async fn refusals_are_retried_with_the_same_id_at_the_receivers_pace() {
    let receiver = receiver(vec![(503, "0"), (429, "90"), (302, "0")]).await;
    let mut house = house(&receiver.url, PATIENT).await;
    house.post("/v1/records", record(10, "DeleteTrail")).await;
    for (calls, pause_ms) in [(1, 5_000), (2, 90_000), (3, 30_000)] {
        until("a refusal", || house.outbox().first().is_some_and(|row| row.attempts == calls)).await;
        house.clock.advance_ms(pause_ms / 2);
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert_eq!(receiver.calls.load(Ordering::SeqCst), calls as usize, "it is not time yet");
        house.clock.advance_ms(pause_ms);
    }
    until("delivery", || receiver.taken.lock().unwrap().len() == 1).await;
    until("settling", || house.outbox()[0].state == OutboxState::Delivered).await;
    house.stop().await;
    house.assert_balance();
}

#[tokio::test]
async fn a_receiver_that_is_gone_makes_a_dead_letter_that_can_be_replayed() {
    let receiver = receiver(vec![(410, "0")]).await;
    let mut house = house(&receiver.url, PATIENT).await;
    house.post("/v1/records", record(10, "DeleteTrail")).await;
    until("a dead letter", || house.store.dead_letters().unwrap().len() == 1).await;
    let dead = house.store.dead_letters().unwrap().remove(0);
    assert_eq!(dead.error.as_deref(), Some("the receiver answered 410: it is gone and wants no more"));
    until("the alert about it", || house.alerts().iter().any(|a| a.title == "Alerts could not be delivered")).await;
    assert!(receiver.plan.lock().unwrap().is_empty());
    house.store.replay_dead(dead.id, "ana", house.clock.now()).unwrap();
    until("delivery", || {
        let taken = receiver.taken.lock().unwrap();
        taken.iter().any(|(headers, _)| headers["webhook-id"] == dead.key.as_str())
    })
    .await;
    house.stop().await;
    house.assert_balance();
}

#[tokio::test]
async fn what_happened_to_an_alert_arrives_in_order() {
    let receiver = receiver(vec![(500, "0")]).await;
    let mut house = house(&receiver.url, "first = \"1s\"\nlongest = \"1s\"\ngive_up_after = \"24h\"").await;
    house.post("/v1/records", record(10, "DeleteTrail")).await;
    until("the alert", || house.alerts().len() == 1).await;
    let id = house.alerts()[0].alert_id;
    let now = house.clock.now();
    house.store.act(id, model::Move::Acknowledge, "ana", None, now).unwrap();
    house.store.act(id, model::Move::Close(model::Verdict::FpLogic), "ana", None, now).unwrap();
    until("a refusal", || receiver.calls.load(Ordering::SeqCst) >= 1).await;
    for _ in 0..400 {
        house.clock.advance_ms(1_000);
        tokio::time::sleep(Duration::from_millis(10)).await;
        if receiver.taken.lock().unwrap().len() == 3 {
            break;
        }
    }
    let kinds: Vec<String> = receiver.taken.lock().unwrap().iter().map(|(_, body)| kind(body)).collect();
    assert_eq!(kinds, ["alert.opened", "alert.acknowledged", "alert.closed"]);
    house.stop().await;
}

fn kind(body: &Bytes) -> String {
    let message: Value = serde_json::from_slice(body).unwrap();
    message["type"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn our_hec_output_and_our_hec_input_understand_each_other() {
    let mut indexer = House::start(HTTP).await;
    let folder = Arc::new(tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("token"), "t0ken").unwrap();
    let config = format!(
        "[[inputs]]\nname = \"http\"\nkind = \"http\"\nlisten = \"127.0.0.1:0\"\n[[routes]]\nname = \"soc\"\nkind = \"splunk_hec\"\nurl = \"http://{}\"\ntoken = {{ file = \"DIR/token\" }}\n",
        indexer.address("http")
    );
    let mut house = House::start_in(folder, &config).await;
    house.post("/v1/records", record(10, "DeleteTrail")).await;
    until("confirmation", || house.outbox().first().is_some_and(|row| row.confirmed)).await;
    assert_eq!(house.alerts()[0].state, AlertState::Received, "the indexer confirmed that it holds it");
    assert_eq!(house.outbox()[0].receipt.as_deref(), Some("ackId 0"));
    house.stop().await;
    indexer.stop().await;
    let balance = indexer.ledger().balance();
    assert_eq!((balance.records_in, balance.rejected), (1, 1), "an alert is no record of a known source, and is kept");
    indexer.assert_balance();
}

#[tokio::test]
async fn without_an_acknowledgement_the_event_is_sent_again_with_the_same_key() {
    use pipeline::outputs::{Message, Output, Sent, SplunkHec, SplunkHecOptions};
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let (keeping, asked) = (bodies.clone(), Arc::new(AtomicUsize::new(0)));
    let event = move |body: String| async move {
        keeping.lock().unwrap().push(body);
        "{\"text\":\"Success\",\"code\":0,\"ackId\":3}"
    };
    let ack = move || async move {
        // True only from the fifth question on, which is after the first message has run out of time.
        if asked.fetch_add(1, Ordering::SeqCst) < 4 { "{\"acks\":{\"3\":false}}" } else { "{\"acks\":{\"3\":true}}" }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let router =
        axum::Router::new().route("/services/collector/event", post(event)).route("/services/collector/ack", post(ack));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let hec = SplunkHec::new(SplunkHecOptions {
        url,
        token: "t".into(),
        index: Some("soc".into()),
        sourcetype: "watchkeep:alert".into(),
        acknowledge: true,
        timeout: Duration::from_secs(5),
        ack_timeout: Duration::from_millis(60),
        ack_every: Duration::from_millis(20),
    })
    .unwrap();
    let now = model::Time::parse("2026-11-22T03:00:00.250Z").unwrap();
    let message =
        Message { key: "k1".into(), kind: "alert.opened".into(), payload: "{\"a\":1}".into(), created: now, now };
    let Sent::Retry { error, .. } = hec.send(&message).await else { panic!("nobody acknowledged") };
    assert!(error.starts_with("no acknowledgement of ackId 3 in time"), "{error}");
    assert!(matches!(hec.send(&message).await, Sent::Confirmed { .. }));
    let bodies = bodies.lock().unwrap();
    assert_eq!(bodies[0], bodies[1]);
    let sent: Value = serde_json::from_str(&bodies[0]).unwrap();
    assert_eq!(sent["fields"]["watchkeep_key"], "k1");
    assert_eq!((&sent["time"], &sent["index"]), (&Value::from(1_795_316_400.25), &Value::from("soc")));
}
