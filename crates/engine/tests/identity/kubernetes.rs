//! Kubernetes audit events: who calls the API server, alone and together with AWS.

use model::EntityKind::{Credential, Session, Workload};
use serde_json::{Value, json};

use crate::{at, common, entity, events, graph, says};

const TIME: &str = "2026-05-06T10:00:00Z";

fn call(user: Value) -> Value {
    json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": user.to_string(), "stage": "ResponseComplete", "verb": "get",
        "objectRef": {"resource": "secrets", "namespace": "lab", "name": "keys"}, "user": user,
        "requestReceivedTimestamp": TIME,
    })
}

fn actor(record: Value) -> String {
    let seen = events(&common::engine(&[]), &[record]);
    seen[0].actor.as_ref().map(|actor| format!("{} {}", actor.kind, actor.key)).expect("someone called")
}

#[test]
fn who_called_is_read_whoever_was_impersonated() {
    assert_eq!(actor(call(json!({"username": "system:serviceaccount:serve:vllm"}))), "workload serve:vllm");
    assert_eq!(actor(call(json!({"username": "system:node:ip-10-0-0-1"}))), "host ip-10-0-0-1");
    let mut impersonating = call(json!({"username": "mallory"}));
    impersonating["impersonatedUser"] = json!({"username": "system:serviceaccount:kube-system:admin"});
    assert_eq!(actor(impersonating), "principal mallory");
}

#[test]
fn a_token_leads_to_its_pod_and_on_to_the_service_account() {
    let user = json!({"username": "system:serviceaccount:serve:vllm", "extra": {
        "authentication.kubernetes.io/credential-id": ["JTI=7f9c"], "authentication.kubernetes.io/pod-name": ["vllm-0"]}});
    let graph = graph(&events(&common::engine(&[]), &[call(user)]));
    let resolution = graph.resolve(&entity(Credential, "JTI=7f9c"), at(TIME));
    assert_eq!(says(&resolution), "known: workload serve:vllm");
    let way: Vec<&str> = resolution.chain.iter().map(|hop| hop.to.key.as_str()).collect();
    assert_eq!(way, ["pod/serve/vllm-0", "serve:vllm"]);
}

fn asks_for_token(user: Value, id: &str) -> Value {
    let mut record = call(user);
    record["verb"] = "create".into();
    record["objectRef"] =
        json!({"resource": "serviceaccounts", "subresource": "token", "namespace": "serve", "name": "vllm"});
    record["annotations"] = json!({"authentication.kubernetes.io/issued-credential-id": format!("JTI={id}")});
    record["responseObject"] = json!({"status": {"expirationTimestamp": "2026-05-06T11:00:00Z"}});
    record
}

#[test]
fn a_token_that_a_person_asked_for_leads_to_the_person_and_one_of_the_kubelet_to_the_pod_it_is_for() {
    let graph = graph(&events(
        &common::engine(&[]),
        &[
            asks_for_token(json!({"username": "mallory"}), "hand"),
            asks_for_token(
                json!({"username": "system:node:ip-10-0-0-1", "extra": {
            "arn": ["arn:aws:sts::111122223333:assumed-role/node/i-0123456789abcdef0"]}}),
                "kubelet",
            ),
            asks_for_token(
                json!({"username": "sysop", "extra": {
            "arn": ["arn:aws:sts::111122223333:assumed-role/ops/sylvia.stone"]}}),
                "eks",
            ),
            call(
                json!({"username": "sysop", "extra": {"arn": ["arn:aws:sts::111122223333:assumed-role/ops/sylvia.stone"],
            "sessionName": ["sylvia@lab.example"]}}),
            ),
        ],
    ));
    let who = |id: &str, time| says(&graph.resolve(&entity(Credential, &format!("JTI={id}")), at(time)));
    assert_eq!(who("hand", "2026-05-06T10:30:00Z"), "known: principal mallory");
    assert_eq!(who("kubelet", "2026-05-06T10:30:00Z"), "known: workload serve:vllm");
    assert_eq!(who("hand", "2026-05-06T11:00:01Z"), "unknown");
    let eks = graph.resolve(&entity(Credential, "JTI=eks"), at("2026-05-06T10:30:00Z"));
    assert_eq!(says(&eks), "claimed: person sylvia@lab.example", "who asked for it is no more than named");
}

#[test]
fn a_caller_of_the_cluster_is_who_aws_says_assumed_the_role() {
    let arn = "arn:aws:sts::111122223333:assumed-role/ops/x";
    let assumed = json!({
        "eventVersion": "1.10", "eventID": "1", "eventTime": "2026-05-06T09:50:00Z", "eventSource": "sts.amazonaws.com",
        "eventName": "AssumeRole",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/alice", "accessKeyId": "AKIAALICE0000001"},
        "responseElements": {"credentials": {"accessKeyId": "ASIAALICE0000001"}, "assumedRoleUser": {"arn": arn}},
    });
    let called = call(json!({"username": "ops:x", "extra": {"arn": [arn], "accessKeyId": ["ASIAALICE0000001"]}}));
    let seen = events(&common::engine(&[]), &[called, assumed]);
    let graph = graph(&seen);
    let resolution = graph.resolve(seen[0].actor.as_ref().expect("it has a key"), seen[0].time);
    assert_eq!(says(&resolution), "known: principal arn:aws:iam::111122223333:user/alice");
    let by_name = graph.resolve(&entity(Session, arn), seen[0].time);
    assert_eq!(by_name.behind, resolution.behind);
    // IRSA and the cluster name a service account alike, so what a pod does in both is one's.
    assert_eq!(
        actor(call(json!({"username": "system:serviceaccount:serve:vllm"}))),
        format!("workload {}", entity(Workload, "serve:vllm").key)
    );
}
