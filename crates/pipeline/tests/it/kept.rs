//! What was said to models, where a site opts in: kept apart, found by the mark that stands in its place, gone when its time is over.

use engine::sigma::Inventory;
use engine::{ContentKey, Engine, Limits};
use pipeline::Clock;
use pipeline::run::kept_content;
use serde_json::Value;

use crate::support::{HTTP, House, config, source};

const PROMPT: &str = "how much is the fish";

const RULE: &str = "
title: Any Invocation
id: 5b7c2e9e-3d0a-4f0c-9c0a-6f2f5d1f7a77
status: test
logsource: {product: aws, service: bedrock_invocation}
detection: {selection: {modelId|exists: true}, condition: selection}
level: low
";

fn engine() -> Engine {
    let sources = vec![source("aws_bedrock_invocation"), source("litellm_proxy")];
    let (documents, _) = engine::sigma::parse(RULE);
    let rules = documents.into_iter().filter_map(|document| match document {
        engine::sigma::Document::Rule(rule) => Some(engine::sigma::Rule::clone(&rule)),
        _ => None,
    });
    let (engine, wrong) = Engine::compile(sources, rules.collect(), vec![], &Inventory::default(), Limits::default());
    assert_eq!(wrong, []);
    engine.with_content_key(&ContentKey::new([7; 32]))
}

fn invocation(id: u32) -> String {
    let mut record = made();
    record["requestId"] = format!("r-{id}").into();
    record["input"]["inputBodyJson"] =
        serde_json::json!({"messages": [{"role": "user", "content": [{"text": PROMPT}]}]});
    record.to_string()
}

fn made() -> Value {
    serde_json::json!({
        "schemaType": "ModelInvocationLog", "schemaVersion": "1.0", "timestamp": "2026-11-22T10:00:00Z",
        "accountId": "111122223333", "region": "eu-west-2", "operation": "Converse", "modelId": "anthropic.claude-3-haiku-20240307-v1:0",
        "identity": {"arn": "arn:aws:sts::111122223333:assumed-role/app/i-1"},
        "input": {"inputContentType": "application/json", "inputTokenCount": 5},
        "output": {"outputContentType": "application/json", "outputTokenCount": 7, "outputBodyJson": {"usage": {"totalTokens": 12}}},
    })
}

/// The digests of the marks in a record.
fn marks(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) if map.contains_key("hmac_sha256") => {
            found.push(map["hmac_sha256"].as_str().unwrap().to_owned())
        }
        Value::Object(map) => map.values().for_each(|value| marks(value, found)),
        Value::Array(list) => list.iter().for_each(|value| marks(value, found)),
        _ => {}
    }
}

fn evidence(house: &House) -> Value {
    let alert = house.alerts().into_iter().find(|alert| alert.rule_id.as_str().ends_with("7a77")).expect("it fired");
    let detail = house.store.alert(alert.alert_id).unwrap().unwrap();
    let row = detail.evidence.first().expect("evidence");
    serde_json::from_str(&row.raw).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_is_found_by_its_mark_where_the_site_keeps_it_and_nowhere_else() {
    let extra = format!("{HTTP}\n[[keep]]\nsource = \"aws_bedrock_invocation\"\nfor = \"2d\"\n");
    let mut house = House::start_on(engine(), &extra).await;
    house.post("/v1/records", format!("{}\n{}\n", invocation(1), invocation(2))).await;
    house.until_received(2).await;
    let raw = evidence(&house);
    assert!(!raw.to_string().contains(PROMPT), "the evidence has a mark alone: {raw}");
    let mut digests = Vec::new();
    marks(&raw, &mut digests);
    let kept = kept_content(&config(house.folder.path(), &extra));
    let found: Vec<_> = digests.iter().flat_map(|digest| kept.find(digest).unwrap()).collect();
    assert!(found.iter().any(|found| found.text.contains(PROMPT)), "{found:?}");
    let days = kept.days().unwrap();
    assert_eq!(days.iter().map(|day| day.source.as_str()).collect::<Vec<_>>(), ["aws_bedrock_invocation"]);

    // Three days on, its time is over; the platform does the same every minute.
    house.clock.advance_ms(3 * 86_400_000 + 60_000);
    let now = house.clock.now();
    house.stop().await;
    house.assert_balance();
    assert_eq!(kept.expire(now).unwrap().len(), 1);
    assert!(kept.find(&digests[0]).unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_decision_nothing_that_was_said_is_on_the_disk() {
    let mut house = House::start_on(engine(), HTTP).await;
    house.post("/v1/records", format!("{}\n", invocation(1))).await;
    house.until_received(1).await;
    house.stop().await;
    let mut files = 0;
    for entry in walk(&house.folder.path().join("data")) {
        // The journal holds what was received until it is settled, and is then let go.
        if entry.components().any(|part| part.as_os_str() == "journal") {
            continue;
        }
        files += 1;
        let bytes = std::fs::read(&entry).unwrap();
        assert!(!bytes.windows(PROMPT.len()).any(|window| window == PROMPT.as_bytes()), "{}", entry.display());
    }
    assert!(files > 1, "{files}");
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}
