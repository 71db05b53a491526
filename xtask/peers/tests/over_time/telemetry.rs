//! Real records of CloudTrail in order of time, many of them in one second.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use engine::correlate::Options;
use model::Time;
use serde_json::Value;

use crate::page;
use crate::sides::{self, Event, Ours};

#[path = "../../../../crates/engine/tests/common/data.rs"]
mod data;

/// Correlations of the rules `read` (Get, List, Describe), `secret`, `command` and `key`.
const ASKED: [&str; 10] = [
    "type: event_count\n  rules: [read]\n  group-by: [userIdentity.arn]\n  timespan: 1m\n  condition: {gte: 10}",
    "type: event_count\n  rules: [read]\n  group-by: [sourceIPAddress]\n  timespan: 10m\n  condition: {gt: 25}",
    "type: event_count\n  rules: [secret]\n  timespan: 30s\n  condition: {gte: 5}",
    "type: value_count\n  rules: [read]\n  group-by: [userIdentity.arn]\n  timespan: 5m\n  condition: {field: eventName, gte: 6}",
    "type: value_count\n  rules: [read, secret]\n  group-by: [userAgent]\n  timespan: 10m\n  condition: {field: eventSource, gte: 3}",
    "type: temporal\n  rules: [read, secret]\n  group-by: [userIdentity.arn]\n  timespan: 5m\n  condition: {gte: 2}",
    "type: temporal\n  rules: [read, secret, command]\n  timespan: 15m\n  condition: {gte: 3}",
    "type: temporal\n  rules: [read, secret, key]\n  group-by: [userIdentity.arn]\n  timespan: 15m\n  condition: read and (secret or key)",
    "type: temporal_ordered\n  rules: [read, secret]\n  group-by: [userIdentity.arn]\n  timespan: 2m",
    "type: temporal_ordered\n  rules: [read, command]\n  group-by: [awsRegion, recipientAccountId]\n  timespan: 10m",
];

const RULES: [(&str, &str); 4] = [
    ("read", "eventName|startswith: [Get, List, Describe]"),
    ("secret", "eventName: [GetSecretValue, GetParameter, GetParameters, Decrypt]"),
    ("command", "eventName: [SendCommand, StartSession, RunInstances, TerminateInstances]"),
    ("key", "eventName: [CreateAccessKey, CreateUser, CreateLoginProfile, AttachUserPolicy]"),
];

fn text(asked: &str) -> String {
    let mut text = format!("title: t\nname: t\ncorrelation:\n  {asked}\n");
    for (at, (name, item)) in RULES.iter().enumerate() {
        let id = format!("9f8c1d2e-0000-4000-8000-{at:012}");
        text += &format!("---\ntitle: {name}\nname: {name}\nid: {id}\nlogsource: {{product: aws}}\n");
        text += &format!("detection:\n  s:\n    {item}\n  condition: s\n");
    }
    text
}

fn lines(path: &Path) -> Vec<Value> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut text = String::new();
    match path.extension().is_some_and(|extension| extension == "gz") {
        true => flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text).expect("gzip of UTF-8"),
        false => (&bytes[..]).read_to_string(&mut text).expect("UTF-8"),
    };
    text.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
}

/// Each record once, in order of time.
fn in_order(records: Vec<Value>) -> Vec<Event> {
    let mut by_id: BTreeMap<String, Value> = BTreeMap::new();
    for record in records {
        by_id.entry(record["eventID"].to_string()).or_insert(record);
    }
    let timed = |record: Value| {
        let time = record["eventTime"].as_str().and_then(|text| Time::parse(text).ok())?;
        Some((time.millis() / 1000, record))
    };
    let mut events: Vec<Event> = by_id.into_values().filter_map(timed).collect();
    events.sort_by_key(|(time, _)| *time);
    events
}

fn corpora(folder: &Path) -> [(&'static str, Vec<Event>); 2] {
    let labelled = |name: &str| lines(&folder.join("labelled").join(name));
    let of_rows =
        |rows: Vec<Value>| rows.iter().flat_map(|row| row["events"].as_array().cloned().unwrap_or_default()).collect();
    [
        ("invictus", in_order(labelled("invictus.jsonl.gz").into_iter().map(|row| row["event"].clone()).collect())),
        ("stratus", in_order(of_rows(labelled("stratus.jsonl")))),
    ]
}

#[test]
fn both_find_the_same_first_in_real_records_and_each_burst_of_ours_begins_where_rsigma_fires() {
    let Some(folder) = data::folder() else { return };
    let (mut groups, mut firings, mut findings, mut absent) = (0, 0, 0, 0);
    for (name, events) in corpora(&folder) {
        assert!(events.len() >= 200, "{name}: {} events", events.len());
        for asked in ASKED {
            let text = text(asked);
            assert!(Ours::load(&[&text], Options::default()).expect("rules").linked[0].correlation.is_rising());
            let mut they = sides::theirs(&[&text], &events).expect("RSigma reads it");
            let we = sides::ours(&[&text], &events).expect("we read it");
            let wanted = asked
                .split("group-by: [")
                .nth(1)
                .map_or(0, |rest| rest.split(']').next().unwrap_or("").split(',').count());
            let all = they.len();
            they.retain(|(_, group), _| group.matches('=').count() >= wanted);
            absent += all - they.len();
            let first = |of: &sides::Firings| -> BTreeMap<sides::Key, i64> {
                of.iter().map(|(key, at)| (key.clone(), at[0])).collect()
            };
            assert_eq!(first(&they), first(&we), "{name}\n{asked}");
            for (key, times) in &we {
                assert!(times.iter().all(|time| they[key].contains(time)), "{name} {key:?}\n{asked}");
                findings += times.len();
            }
            groups += we.len();
            firings += they.values().map(Vec::len).sum::<usize>();
        }
    }
    println!(
        "{groups} groups alike, {firings} firings (seconds), {findings} findings, {absent} groups of what is absent"
    );
    assert!(groups >= 30, "{groups} groups");
    let said = format!("{groups} groups fire, first in the same second, {firings} seconds to {findings} findings");
    assert!(page::PAGE.contains(&said), "the page does not say: {said}");
}
