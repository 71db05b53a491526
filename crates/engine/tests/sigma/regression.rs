//! The rule repository's own regression data: Windows events that each rule must find, through the source that reads them.

use std::collections::BTreeMap;

use engine::sigma::{self, Inventory};
use engine::{Engine, Event, Given, Limits, Reject, Sink, Source};
use model::{Finding, Lane, SourceId, Time};
use serde_json::{Map, Value, json};

use crate::data::{folder, json_lines, repository, rules};

/// Counts the findings of each rule.
#[derive(Default)]
struct Counts {
    findings: BTreeMap<String, usize>,
    rejects: Vec<(String, Reject)>,
}

impl Sink for Counts {
    fn rejected(&mut self, raw: &[u8], _source: Option<&SourceId>, reason: Reject) {
        self.rejects.push((String::from_utf8_lossy(raw).into_owned(), reason));
    }

    fn evaluated(&mut self, event: &Event<'_>) {
        assert_eq!(event.source().id.as_str(), "windows_event", "{}", event.raw());
    }

    fn finding(&mut self, finding: Finding, _event: &Event<'_>) {
        *self.findings.entry(finding.rule_id.to_string()).or_default() += 1;
    }
}

fn windows() -> Source {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../content/sources/windows_event/source.yml");
    let (source, wrong) = Source::parse(&std::fs::read_to_string(path).expect("source.yml"));
    assert_eq!(wrong, [], "{path}");
    source.expect("it can be used")
}

/// An engine of all cases' rules, which are routed like any others.
fn engine(rows: &[Value]) -> Engine {
    let rules = rows.iter().flat_map(|row| rules(row["rule_yaml"].as_str().expect("a rule"))).collect();
    let (engine, wrong) = Engine::compile(vec![windows()], rules, vec![], &Inventory::new(), Limits::default());
    assert_eq!(wrong, []);
    engine
}

/// Cases whose count differs from the stated one, and the count that is right: see `docs/reference/sigma-divergences.md`.
const OTHER_COUNTS: [(&str, u64); 2] =
    [("0b9ad457-2554-44c1-82c2-d56a99c42377", 3), ("45e112d0-7759-4c2a-aa36-9f8fb79d3393", 3)];

/// How many events the rule of a case must find.
fn wanted(row: &Value) -> u64 {
    let id = row["rule_id"].as_str().expect("an id");
    let other = OTHER_COUNTS.iter().find(|(other, _)| *other == id).map(|(_, count)| *count);
    other.or(row["expected_match_count"].as_u64()).unwrap_or(1)
}

/// Evaluates every case's events, as `shape` writes them; gives the cases whose rule finds another count than it must.
fn wrong(rows: &[Value], shape: &dyn Fn(&Value) -> Value) -> Vec<String> {
    let engine = engine(rows);
    let mut worker = engine.worker();
    let received = Time::parse("2026-11-22T12:00:00Z").expect("a time");
    let given = Given { source: None, received, lane: Lane::Test };
    let mut wrong = Vec::new();
    for row in rows {
        let mut counts = Counts::default();
        for event in row["events"].as_array().expect("events") {
            engine.evaluate(&mut worker, shape(event).to_string().as_bytes(), &given, &mut counts);
        }
        assert!(counts.rejects.is_empty(), "{}: {:?}", row["rule_title"], counts.rejects);
        let found = counts.findings.get(row["rule_id"].as_str().expect("an id")).copied().unwrap_or_default();
        if found as u64 != wanted(row) {
            wrong.push(format!("{} {}: {found}, {} expected", row["rule_id"], row["rule_title"], wanted(row)));
        }
    }
    wrong
}

#[test]
fn every_rule_finds_the_events_that_it_was_written_for() {
    if folder().is_none() {
        return;
    }
    let rows = json_lines("labelled/sigma_regression.jsonl");
    let wrong = wrong(&rows, &Value::clone);
    assert!(wrong.is_empty(), "{} of {} rules\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

fn data(event: &Value) -> Map<String, Value> {
    event["Event"]["EventData"].as_object().cloned().unwrap_or_default()
}

fn attribute<'e>(event: &'e Value, element: &str, attribute: &str) -> &'e Value {
    &event["Event"]["System"][element]["#attributes"][attribute]
}

/// As Winlogbeat writes it: everything is text.
fn winlogbeat(event: &Value) -> Value {
    let system = &event["Event"]["System"];
    let data = data(event).into_iter().map(|(name, value)| (name, text(&value)));
    json!({
        "@timestamp": attribute(event, "TimeCreated", "SystemTime"),
        "winlog": {
            "channel": system["Channel"],
            "event_id": system["EventID"].to_string(),
            "provider_name": attribute(event, "Provider", "Name"),
            "computer_name": system["Computer"],
            "event_data": Value::Object(data.collect()),
        },
    })
}

/// As NXLog writes it: one object, names with their spaces. It calls the provider SourceName, which then hides Defender's own
/// `Source Name` (the source says so among its blind spots), so here such an event is without it.
fn nxlog(event: &Value) -> Value {
    let system = &event["Event"]["System"];
    let mut flat = data(event);
    flat.insert("EventID".into(), system["EventID"].clone());
    flat.insert("Channel".into(), system["Channel"].clone());
    if !flat.contains_key("Source Name") {
        flat.insert("SourceName".into(), attribute(event, "Provider", "Name").clone());
    }
    flat.insert("@timestamp".into(), attribute(event, "TimeCreated", "SystemTime").clone());
    Value::Object(flat)
}

/// As converters from XML write it: a list of name/value pairs.
fn xml(event: &Value) -> Value {
    let system = &event["Event"]["System"];
    let pair = |(name, value): (String, Value)| json!({"@Name": name, "#text": text(&value)});
    let pairs: Vec<Value> = data(event).into_iter().map(pair).collect();
    json!({"Event": {
        "System": {
            "Provider": {"@Name": attribute(event, "Provider", "Name")},
            "EventID": {"@Qualifiers": "0", "#text": system["EventID"].to_string()},
            "TimeCreated": {"@SystemTime": attribute(event, "TimeCreated", "SystemTime")},
            "Channel": system["Channel"],
        },
        "EventData": {"Data": pairs},
    }})
}

/// As a reader that keeps event data below a key of its own writes it.
fn user_data(event: &Value) -> Value {
    let mut event = event.clone();
    let data = event["Event"].as_object_mut().and_then(|event| event.remove("EventData"));
    event["Event"]["UserData"] = json!({"#attributes": {"xmlns": "x"}, "AnyElement": data});
    event
}

fn text(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::String(number.to_string()),
        other => other.clone(),
    }
}

#[test]
fn every_shape_of_the_same_events_gives_the_same_findings() {
    if folder().is_none() {
        return;
    }
    let rows = json_lines("labelled/sigma_regression.jsonl");
    for (name, shape) in [
        ("winlogbeat", &winlogbeat as &dyn Fn(&Value) -> Value),
        ("nxlog", &nxlog),
        ("xml", &xml),
        ("user data", &user_data),
    ] {
        let wrong = wrong(&rows, shape);
        assert!(wrong.is_empty(), "{name}: {} of {} rules\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    }
}

#[test]
fn the_source_carries_every_log_source_of_the_windows_rules_but_two_that_need_a_trace_without_a_channel() {
    if folder().is_none() {
        return;
    }
    let source = windows();
    let mut without: BTreeMap<String, usize> = BTreeMap::new();
    for (_, text) in repository() {
        let (documents, _) = sigma::parse(&text);
        for document in documents {
            let sigma::Document::Rule(rule) = document else { continue };
            let is_windows = rule.logsource.product.as_deref() == Some("windows");
            if is_windows && !source.logsources.iter().any(|theirs| rule.logsource.applies_to(theirs)) {
                *without.entry(format!("{:?} {:?}", rule.logsource.category, rule.logsource.service)).or_default() += 1;
            }
        }
    }
    let without: Vec<(&str, usize)> = without.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    assert_eq!(without, [(r#"Some("file_access") None"#, 13), (r#"Some("file_rename") None"#, 2)]);
}
