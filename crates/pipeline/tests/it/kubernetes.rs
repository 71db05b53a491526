//! The audit webhook of a Kubernetes API server, as it posts to the HTTP input.

use base64::Engine as _;
use engine::sigma::Inventory;
use engine::{Engine, Limits};
use serde_json::{Value, json};

use crate::support::{HTTP, House, answer, source};

fn event(id: u32) -> Value {
    json!({
        "level": "Metadata", "auditID": format!("00000000-0000-4000-8000-{id:012}"), "stage": "ResponseComplete",
        "requestURI": "/api/v1/namespaces/agents/secrets/key", "verb": "get",
        "user": {"username": "system:serviceaccount:agents:runner", "groups": ["system:authenticated"]},
        "sourceIPs": ["192.0.2.7"], "userAgent": "kubectl",
        "objectRef": {"resource": "secrets", "namespace": "agents", "name": "key", "apiVersion": "v1"},
        "responseStatus": {"metadata": {}, "code": 200},
        "requestReceivedTimestamp": "2026-11-22T02:51:07.000000Z", "stageTimestamp": "2026-11-22T02:51:07.010000Z"
    })
}

#[tokio::test]
async fn each_item_of_an_event_list_is_a_record_of_kubernetes_audit() {
    let folder = std::sync::Arc::new(tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("token"), "secret\n").unwrap();
    let text = format!("{HTTP}token = {{ file = \"{}/token\" }}", folder.path().display());
    let sources = vec![source("kubernetes_audit")];
    let engine =
        Engine::compile(sources, Vec::<engine::sigma::Rule>::new(), vec![], &Inventory::default(), Limits::default()).0;
    let mut house = House::start_on(engine, &text).await;
    let items: Vec<Value> = (0..3).map(event).collect();
    let list =
        json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": items}).to_string();
    // As client-go does: a time limit in the query, and the credentials of the kubeconfig.
    let post = |authorization: String| {
        let request = house.http.post(house.url("/v1/records?timeout=30s")).header("content-type", "application/json");
        answer(request.header("authorization", authorization).body(list.clone()))
    };
    let basic = base64::engine::general_purpose::STANDARD.encode("apiserver:secret");
    assert_eq!(post("Bearer secret".to_owned()).await, (200, json!({"accepted": 3})));
    assert_eq!(post(format!("Basic {basic}")).await, (200, json!({"accepted": 3})), "again, as after a lost answer");
    assert_eq!(post("Bearer wrong".to_owned()).await.0, 403);
    house.stop().await;
    let ledger = house.ledger();
    let balance = ledger.balance();
    assert_eq!((balance.records_in, balance.rejected), (6, 0));
    assert!(ledger.iter().filter_map(|(entry, _)| entry.source.as_ref()).all(|id| id.as_str() == "kubernetes_audit"));
    house.assert_balance();
}
