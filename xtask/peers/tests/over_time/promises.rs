//! What we promise beyond order: late events find what they belong to, and a flood of keys does not push out a chain that is half finished.

use engine::correlate::Options;
use model::Standing;
use serde_json::json;

use crate::sides::{self, Event, Ours};

fn rules(correlation: &str) -> String {
    let mut text = format!("title: t\nname: t\ncorrelation:\n  {correlation}\n");
    for (at, name) in ["a", "b", "c"].iter().enumerate() {
        text += &format!(
            "---\ntitle: {name}\nname: {name}\nid: 9f8c1d2e-0000-4000-8000-{at:012}\nlogsource: {{product: made}}\n"
        );
        text += &format!("detection: {{s: {{{name}: 1}}, condition: s}}\n");
    }
    text
}

fn events(times: &[i64]) -> Vec<Event> {
    times.iter().map(|time| (1_750_000_000 + time, json!({"a": 1, "u": "x"}))).collect()
}

/// How many groups fire, theirs and ours.
fn both(correlation: &str, times: &[i64]) -> (usize, usize) {
    let text = rules(correlation);
    let (they, we) = (sides::theirs(&[&text], &events(times)), sides::ours(&[&text], &events(times)));
    (they.expect("RSigma reads it").len(), we.expect("we read it").len())
}

const THREE: &str = "type: event_count\n  rules: [a]\n  group-by: [u]\n  timespan: 1m\n  condition: {gte: 3}";

#[test]
fn events_in_order_are_found_by_both() {
    assert_eq!(both(THREE, &[10, 15, 20, 100]), (1, 1));
    assert_eq!(both(THREE, &[15, 20, 100]), (0, 0));
}

#[test]
fn an_event_that_comes_late_completes_a_burst_with_us_alone() {
    assert_eq!(both(THREE, &[10, 20, 100, 15]), (0, 1));
}

#[test]
fn events_that_lie_further_apart_than_the_span_are_no_burst_with_us_alone_when_they_come_late() {
    assert_eq!(both(THREE, &[100, 15, 20]), (1, 0));
}

const CHAIN: &str = "type: temporal_ordered\n  rules: [a, b, c]\n  group-by: [u]\n  timespan: 1h";
const FLOOD: i64 = 150_000;

/// A chain of one user, and between its second and third step the first step of so many others.
fn flooded() -> Vec<Event> {
    let began = 1_750_000_000;
    let mut events = vec![(began, json!({"a": 1, "u": "victim"})), (began + 1, json!({"b": 1, "u": "victim"}))];
    events.extend((0..FLOOD).map(|nth| (began + 2 + nth / 1000, json!({"a": 1, "u": format!("flood {nth}")}))));
    events.push((began + 200, json!({"c": 1, "u": "victim"})));
    events
}

#[test]
fn a_flood_of_other_keys_pushes_a_half_finished_chain_out_of_rsigma_and_not_of_ours() {
    let (text, events) = (rules(CHAIN), flooded());
    assert_eq!(sides::theirs(&[&text], &events).expect("RSigma reads it").len(), 0);
    // RSigma's default bound.
    let options = Options { groups_max: 100_000, lateness_ms: 10_000, ..Options::default() };
    let mut ours = Ours::load(&[&text], options).expect("we read it");
    let mut said = ours.events(&events);
    said.extend(ours.correlator.finish());
    let found: Vec<&str> =
        said.iter().filter(|said| said.standing == Standing::Final).map(|said| said.group[0].1.as_str()).collect();
    assert_eq!(found, ["victim"]);
    let counts = ours.correlator.counts().correlations[0];
    assert!(counts.evicted >= 50_000 && !counts.is_aside, "{counts:?}");
}

#[test]
fn without_a_flood_both_find_the_chain() {
    let (text, mut events) = (rules(CHAIN), flooded());
    events.drain(1000..FLOOD as usize);
    assert_eq!(sides::theirs(&[&text], &events).expect("RSigma reads it").len(), 1);
    assert_eq!(sides::ours(&[&text], &events).expect("we read it").len(), 1);
}
