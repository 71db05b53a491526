//! The rule repository's own regression data: Windows events that each rule must find.

use serde_json::{Map, Value};

use crate::data::{Bench, folder, json_lines};

/// System and event data, side by side: attributes as `Tag_Attribute`, names without spaces (rules specification, "Field Usage").
fn flat(event: &Value) -> String {
    let fields = named(event);
    Value::Object(fields.into_iter().map(|(name, value)| (name.replace(' ', ""), value)).collect()).to_string()
}

fn named(event: &Value) -> Map<String, Value> {
    let mut fields = Map::new();
    let root = event.get("Event").unwrap_or(event);
    for (name, value) in root.get("System").and_then(Value::as_object).into_iter().flatten() {
        match value.get("#attributes").and_then(Value::as_object) {
            Some(attributes) => {
                for (attribute, value) in attributes {
                    fields.insert(format!("{name}_{attribute}"), value.clone());
                }
                if let Some(text) = value.get("#text") {
                    fields.insert(name.clone(), text.clone());
                }
            }
            None => drop(fields.insert(name.clone(), value.clone())),
        }
    }
    for part in ["EventData", "UserData"] {
        for (name, value) in root.get(part).and_then(Value::as_object).into_iter().flatten() {
            match value.as_object().filter(|_| part == "UserData") {
                Some(inner) => fields.extend(inner.iter().map(|(name, value)| (name.clone(), value.clone()))),
                None => drop(fields.insert(name.clone(), value.clone())),
            }
        }
    }
    fields
}

#[test]
fn every_rule_finds_the_events_that_it_was_written_for() {
    if folder().is_none() {
        return;
    }
    let mut wrong = Vec::new();
    let rows = json_lines("labelled/sigma_regression.jsonl");
    for row in &rows {
        let mut bench = Bench::of(row["rule_yaml"].as_str().expect("a rule"));
        let events: Vec<String> = row["events"].as_array().into_iter().flatten().map(flat).collect();
        let held = events.iter().filter(|event| !bench.hits(event).is_empty()).count();
        let wanted = row["expected_match_count"].as_u64();
        // The count is that of the tool's findings, which takes equal events together; a recording may hold more.
        let is_right = held as u64 >= wanted.unwrap_or(1).max(1);
        if !is_right {
            wrong.push(format!("{}: {held} of {} events, {wanted:?} expected", row["rule_title"], events.len()));
        }
    }
    assert!(wrong.is_empty(), "{} of {} rules\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}
