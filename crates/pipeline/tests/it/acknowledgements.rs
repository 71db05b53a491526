use serde_json::{Value, json};

use crate::support::{HTTP, House, answer, record};

async fn house() -> (House, String, String) {
    let house = House::start(HTTP).await;
    assert_eq!(house.post("/v1/records", record(10, "DeleteTrail")).await.0, 200);
    house.until_received(1).await;
    let id = house.alerts()[0].alert_id.to_string();
    let token = std::fs::read_to_string(house.folder.path().join("data/acknowledgements.token")).unwrap();
    (house, id, format!("Bearer {}", token.trim()))
}

#[tokio::test]
async fn a_receiver_acknowledges_and_closes_and_may_repeat_itself() {
    let (mut house, id, token) = house().await;
    let say = |body: Value| {
        let request = house.http.post(house.url("/v1/acknowledgements")).header("authorization", &token);
        answer(request.body(body.to_string()))
    };
    let acknowledge = json!({"alert_id": id, "move": "acknowledged", "by": "ana"});
    let (status, body) = say(acknowledge.clone()).await;
    assert_eq!((status, &body["state"], &body["changed"]), (200, &json!("acknowledged"), &json!(true)));
    let (status, body) = say(acknowledge).await;
    assert_eq!((status, &body["changed"]), (200, &json!(false)), "a repeat is no conflict");
    let (status, body) = say(json!({"alert_id": id, "move": "acknowledged", "by": "ben"})).await;
    assert_eq!(status, 409);
    assert_eq!(body["error"]["message"], "an alert that is acknowledged cannot be acknowledged again");
    let close = json!({"alert_id": id, "move": "closed", "verdict": "tp_policy", "by": "ana", "reason": "drill"});
    assert_eq!(say(close.clone()).await.1["state"], "closed");
    assert_eq!(say(close).await.1["changed"], false);
    assert_eq!(say(json!({"alert_id": id, "move": "closed", "verdict": "fp_logic"})).await.0, 409);
    assert_eq!(say(json!({"alert_id": id, "move": "received"})).await.0, 200, "a late receipt is no conflict");
    let look = house.http.get(house.url(&format!("/v1/alerts/{id}"))).header("authorization", &token);
    let (status, body) = answer(look).await;
    assert_eq!((status, &body["alert"]["verdict_reason"]), (200, &json!("drill")));
    house.stop().await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_the_reason() {
    let (mut house, id, token) = house().await;
    let send = |token: &str, body: String| {
        let request = house.http.post(house.url("/v1/acknowledgements")).body(body);
        answer(if token.is_empty() { request } else { request.header("authorization", token) })
    };
    let unknown = json!({"alert_id": "0".repeat(32), "move": "acknowledged"}).to_string();
    assert_eq!(send(&token, unknown.clone()).await.0, 404);
    assert_eq!(send("", unknown.clone()).await.0, 401);
    assert_eq!(send("Bearer wrong", unknown).await.0, 403);
    let wrong = |body: Value| send(&token, body.to_string());
    let (status, body) = wrong(json!({"alert_id": id, "move": "closed"})).await;
    assert_eq!(status, 400);
    assert!(body["error"]["message"].as_str().unwrap().starts_with("`closed` needs a `verdict`"), "{body}");
    assert_eq!(wrong(json!({"alert_id": id, "move": "eaten"})).await.0, 400);
    assert_eq!(wrong(json!({"alert_id": id, "move": "acknowledged", "verdict": "fp_logic"})).await.0, 400);
    assert_eq!(wrong(json!({"alert_id": id, "move": "acknowledged", "extra": 1})).await.0, 400);
    assert_eq!(
        wrong(json!({"alert_id": id, "move": "closed", "verdict": "fp_logic"})).await.0,
        409,
        "nobody has it yet"
    );
    assert_eq!(send(&token, "x".repeat(70_000)).await.0, 413);
    let look = house.http.get(house.url("/v1/alerts/nonsense")).header("authorization", &token);
    assert_eq!(answer(look).await.0, 404);
    house.stop().await;
}
