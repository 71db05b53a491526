//! Sentences of the page, each with the smallest set of events that shows it.

use serde_json::{Map, Value, json};

use crate::plain::Event;
use crate::scene::Scene;

/// A correlation `t` of the rules `a`, `b` and `c`, by `u`, within ten seconds.
pub fn correlation(kind: &str, condition: &str) -> String {
    let condition = if condition.is_empty() { String::new() } else { format!("  condition: {condition}\n") };
    format!(
        "title: t\nname: t\ncorrelation:\n  type: {kind}\n  rules: [a, b, c]\n  group-by: [u]\n  timespan: 10s\n{condition}"
    )
}

/// The rules `a`, `b` and `c`, which nothing evaluates here: events say themselves which of them match.
pub fn scene(correlations: &str) -> Scene {
    let rule = |name: &str| {
        format!(
            "title: {name}\nname: {name}\nid: {}\nlogsource: {{product: x}}\ndetection: {{s: {{r: {name}}}, condition: s}}\n",
            id(name)
        )
    };
    let text = [rule("a"), rule("b"), rule("c"), correlations.to_owned()].join("---\n");
    let scene = Scene::read(&[&text]);
    assert!(scene.errors().is_empty(), "{:?}", scene.errors());
    scene
}

fn id(rule: &str) -> String {
    format!("9f8c1d2e-0000-4000-8000-{:012x}", rule.bytes().fold(0_u64, |sum, byte| sum * 256 + u64::from(byte)))
}

pub fn event(name: &str, seconds: i64, rules: &str, fields: Value) -> Event {
    let rules = rules.chars().map(|rule| id(&rule.to_string())).collect();
    Event { id: name.to_owned(), time: seconds * 1_000_000, text: fields.to_string(), rules }
}

/// A line for each event: id, second, the rules that match, and fields. Without `u`, it is `x`; a field given as `-` is absent.
fn events(lines: &[&str]) -> Vec<Event> {
    let read = |line: &&str| {
        let words: Vec<&str> = line.split(' ').collect();
        let mut fields = Map::from_iter([("u".to_owned(), json!("x"))]);
        for field in &words[3..] {
            let (key, value) = field.split_once('=').expect("key=value");
            fields.insert(key.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| json!(value)));
        }
        fields.retain(|_, value| value != "-");
        event(words[0], words[1].parse().expect("seconds"), words[2], Value::Object(fields))
    };
    lines.iter().map(read).collect()
}

/// The findings: group, the events that opened it, and behind `+` those that prolonged it.
fn found(correlations: &str, lines: &[&str]) -> Vec<String> {
    let scene = scene(correlations);
    let show = |finding: crate::plain::Finding| {
        let group: Vec<String> = finding.group.into_iter().map(|(_, value)| value).collect();
        let later =
            if finding.prolonged.is_empty() { String::new() } else { format!(" + {}", finding.prolonged.join(" ")) };
        format!("{}: {}{later}", group.join("/"), finding.opened.join(" "))
    };
    scene.findings(&events(lines)).into_iter().map(show).collect()
}

const NONE: [&str; 0] = [];

#[test]
fn windows_slide_and_hold_both_ends() {
    let three = correlation("event_count", "{gte: 3}");
    assert_eq!(found(&three, &["1 0 a", "2 7 b", "3 10 c"]), ["x: 1 2 3"]);
    assert_eq!(found(&three, &["1 0 a", "2 7 b", "3 11 c"]), NONE);
    assert_eq!(found(&three, &["1 0 a", "2 7 b", "3 12 c", "4 17 a"]), ["x: 2 3 4"]);
}

#[test]
fn groups_are_apart_and_what_lacks_a_field_is_in_none() {
    let two = correlation("event_count", "{gte: 2}");
    assert_eq!(found(&two, &["1 0 a", "2 1 a u=y", "3 2 a", "4 3 a u=y"]), ["x: 1 3", "y: 2 4"]);
    for lacking in ["u=-", "u=null", "u=[]", "u={}", "u=[null]"] {
        assert_eq!(found(&two, &["1 0 a", &format!("2 1 a {lacking}")]), NONE, "{lacking}");
        assert_eq!(found(&two, &[&format!("1 0 a {lacking}"), &format!("2 1 a {lacking}")]), NONE, "{lacking}");
    }
    assert_eq!(found(&two, &["1 0 a u=\"\"", "2 1 a u=\"\""]), [": 1 2"]);
    assert_eq!(found(&two, &["1 0 a u=7", "2 1 a u=\"7\"", "3 2 a u=7.0"]), ["7: 1 2"]);
    assert_eq!(found(&two, &["1 0 a u=x", "2 1 a u=X"]), NONE);
    assert_eq!(found(&two, &["1 0 a u=[\"x\",\"y\"]", "2 1 a", "3 2 a u=y"]), ["x: 1 2", "y: 1 3"]);
}

#[test]
fn an_event_counts_once_however_often_it_comes_and_however_many_rules_match() {
    let two = correlation("event_count", "{gte: 2}");
    assert_eq!(found(&two, &["1 0 a", "1 0 a", "1 5 b"]), NONE);
    assert_eq!(found(&two, &["1 0 abc"]), NONE);
    assert_eq!(found(&two, &["1 0 abc", "2 1 a"]), ["x: 1 2"]);
    // The earlier record is the event.
    assert_eq!(found(&two, &["1 30 a", "1 0 a", "2 5 a"]), ["x: 1 2"]);
}

#[test]
fn a_burst_is_one_finding_until_it_falls_below_the_bound() {
    let two = correlation("event_count", "{gte: 2}");
    assert_eq!(found(&two, &["1 0 a", "2 5 a", "3 12 a", "4 22 a", "5 33 a", "6 40 a"]), ["x: 1 2 + 3 4", "x: 5 6"]);
    let three = correlation("event_count", "{gte: 3}");
    // At 18 the last ten seconds hold two: the burst is over, and what follows must reach three by itself.
    assert_eq!(found(&three, &["1 0 a", "2 1 a", "3 7 a", "4 18 a", "5 19 a", "6 20 a"]), ["x: 1 2 3", "x: 4 5 6"]);
    assert_eq!(found(&three, &["1 0 a", "2 1 a", "3 7 a", "4 18 a", "5 19 a"]), ["x: 1 2 3"]);
}

#[test]
fn what_goes_on_is_told_again_after_a_day() {
    let lines: Vec<String> = (0..100).map(|at| format!("{at} {} a", at * 1800)).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let told = found(&correlation("event_count", "{gte: 2}").replace("10s", "1h"), &lines);
    let starts: Vec<&str> = told.iter().map(|told| told.split(" +").next().expect("a start")).collect();
    assert_eq!(starts, ["x: 0 1", "x: 49 50", "x: 98 99"]);
}

#[test]
fn all_events_of_one_time_enter_together() {
    assert_eq!(found(&correlation("event_count", "{gte: 2}"), &["1 0 a", "2 0 a", "3 0 a"]), ["x: 1 2 3"]);
    let ordered = correlation("temporal_ordered", "");
    assert_eq!(found(&ordered, &["1 0 c", "2 0 b", "3 0 a"]), ["x: 1 2 3"]);
    assert_eq!(found(&ordered, &["1 0 b", "2 1 a", "3 1 c"]), NONE);
}

#[test]
fn bounds_from_above_are_judged_when_the_window_is_over() {
    let few = correlation("event_count", "{gte: 2, lte: 3}");
    assert_eq!(found(&few, &["1 0 a", "2 1 a"]), ["x: 1 2"]);
    assert_eq!(found(&few, &["1 0 a", "2 1 a", "3 10 a"]), ["x: 1 2 3"]);
    assert_eq!(found(&few, &["1 0 a", "2 1 a", "3 9 a", "4 10 a"]), NONE);
    assert_eq!(found(&few, &["1 0 a", "2 1 a", "3 11 a", "4 12 a"]), ["x: 1 2", "x: 3 4"]);
    // Lone events before it do not shift the window of a pair.
    assert_eq!(found(&few, &["0 -15 a", "1 0 a", "2 9 a"]), ["x: 1 2"]);
    assert_eq!(
        found(&correlation("event_count", "{eq: 1}"), &["1 0 a", "2 30 a", "3 31 a", "4 60 a"]),
        ["x: 1", "x: 4"]
    );
    assert_eq!(found(&correlation("event_count", "{neq: 2}"), &["1 0 a", "2 30 a", "3 31 a"]), ["x: 1"]);
    assert_eq!(found(&correlation("event_count", "{lt: 2}"), &["1 0 a", "2 1 a", "3 2 a"]), NONE);
}

#[test]
fn values_are_counted_as_tuples() {
    let two = correlation("value_count", "{field: f, gte: 2}");
    assert_eq!(found(&two, &["1 0 a f=p", "2 1 a f=p", "3 2 b", "4 3 a f=q"]), ["x: 1 2 4"]);
    assert_eq!(found(&two, &["1 0 a f=[\"p\",\"q\"]"]), ["x: 1"]);
    let tuples = correlation("value_count", "{field: [f, g], gte: 2}");
    assert_eq!(found(&tuples, &["1 0 a f=p g=1", "2 1 a f=p", "3 2 a f=p g=1"]), NONE);
    assert_eq!(found(&tuples, &["1 0 a f=p g=1", "2 1 a f=p g=2"]), ["x: 1 2"]);
}

#[test]
fn numbers_are_exact_and_negative_ones_add_nothing() {
    let sum = correlation("value_sum", "{field: n, gte: 0.3}");
    assert_eq!(found(&sum, &["1 0 a n=0.1", "2 1 a n=0.2"]), ["x: 1 2"]);
    assert_eq!(found(&sum, &["1 0 a n=0.1", "2 1 a n=\"0.2\"", "3 2 a n=many"]), ["x: 1 2"]);
    assert_eq!(found(&sum, &["1 0 a n=0.2", "2 1 a n=-5", "3 2 a n=0.1"]), ["x: 1 3"]);
    assert_eq!(found(&sum, &["1 0 a n=[0.1,0.2]"]), ["x: 1"]);
    assert_eq!(found(&sum, &["1 0 a n=1e19", "2 1 a n=true"]), NONE);
    assert_eq!(
        found(&correlation("value_max", "{field: n, gt: 5}"), &["1 0 a n=5", "2 1 a n=6", "3 2 a n=1"]),
        ["x: 1 2 + 3"]
    );
    assert_eq!(found(&correlation("value_min", "{field: n, lte: -1}"), &["1 0 a n=0", "2 1 a n=-1"]), ["x: 1 2"]);
    assert_eq!(
        found(&correlation("value_max", "{field: n, lt: 5}"), &["1 0 a n=4", "2 1 a n=6", "3 20 a n=4"]),
        ["x: 3"]
    );
}

#[test]
fn averages_and_ranks_are_of_whole_windows() {
    let avg = correlation("value_avg", "{field: n, gt: 5}");
    assert_eq!(found(&avg, &["1 0 a n=9", "2 1 a n=1"]), NONE);
    assert_eq!(found(&avg, &["1 0 a n=1", "2 1 a n=10"]), ["x: 1 2"]);
    let third = correlation("value_avg", "{field: n, gt: 0.333333}");
    assert_eq!(found(&third, &["1 0 a n=1", "2 1 a n=0", "3 2 a n=0"]), ["x: 1 2 3"]);
    let median = correlation("value_median", "{field: n, eq: 2}");
    assert_eq!(found(&median, &["1 0 a n=9", "2 1 a n=1", "3 2 a n=2", "4 3 a n=3"]), ["x: 1 2 3 4"]);
    let rank = |percentile: &str, wanted: i64| {
        let text = correlation("value_percentile", &format!("{{field: n, percentile: {percentile}, eq: {wanted}}}"));
        let lines: Vec<String> = (1..=10).map(|at| format!("{at} 0 a n={at}")).collect();
        !found(&text, &lines.iter().map(String::as_str).collect::<Vec<_>>()).is_empty()
    };
    for (percentile, wanted) in [("0", 1), ("10", 1), ("10.1", 2), ("50", 5), ("51", 6), ("95", 10), ("100", 10)] {
        assert!(rank(percentile, wanted), "{percentile}");
    }
}

#[test]
fn a_share_names_the_events_that_have_the_rare_value() {
    let rare = correlation("value_percentile", "{field: f, lte: 25}");
    assert_eq!(found(&rare, &["1 0 a f=p", "2 1 a f=p", "3 2 a f=q", "4 3 a f=p"]), ["x: 3"]);
    assert_eq!(found(&rare, &["1 0 a f=p", "2 1 a f=p", "3 2 a f=q"]), NONE);
}

#[test]
fn rules_occur_together_or_in_order() {
    let together = correlation("temporal", "");
    assert_eq!(found(&together, &["1 0 c", "2 5 a", "3 10 b"]), ["x: 1 2 3"]);
    assert_eq!(found(&together, &["1 0 c", "2 5 a", "3 11 b"]), NONE);
    assert_eq!(found(&together, &["1 0 abc"]), ["x: 1"]);
    let ordered = correlation("temporal_ordered", "");
    assert_eq!(found(&ordered, &["1 0 c", "2 5 a", "3 10 b"]), NONE);
    assert_eq!(found(&ordered, &["1 0 a", "2 5 b", "3 10 c"]), ["x: 1 2 3"]);
    // Each rule needs an event of its own.
    assert_eq!(found(&ordered, &["1 0 abc", "2 1 c"]), NONE);
    assert_eq!(found(&ordered, &["1 0 abc", "2 0 abc", "3 0 abc"]), ["x: 1 2 3"]);
    assert_eq!(found(&ordered, &["1 0 abc", "2 0 ab", "3 0 a"]), ["x: 1 2 3"]);
    let two = correlation("temporal_ordered", "{gte: 2}");
    assert_eq!(found(&two, &["1 0 c", "2 1 b"]), NONE);
    assert_eq!(found(&two, &["1 0 a", "2 1 c"]), ["x: 1 2"]);
    assert_eq!(found(&correlation("temporal", "{eq: 1}"), &["1 0 a", "2 1 a", "3 20 a", "4 21 b"]), ["x: 1 2"]);
}

#[test]
fn expressions_ask_which_rules_occur() {
    let either = correlation("temporal", "a and (b or c)");
    assert_eq!(found(&either, &["1 0 a", "2 1 c"]), ["x: 1 2"]);
    assert_eq!(found(&either, &["1 0 b", "2 1 c"]), NONE);
    let without = correlation("temporal", "a and b and not c");
    assert_eq!(found(&without, &["1 0 a", "2 1 b"]), ["x: 1 2"]);
    assert_eq!(found(&without, &["1 0 a", "2 1 b", "3 10 c"]), NONE);
    assert_eq!(found(&without, &["1 0 a", "2 1 b", "3 11 c"]), ["x: 1 2"]);
    assert_eq!(found(&without, &["3 -1 c", "1 0 a", "2 1 b"]), NONE);
    let ordered = correlation("temporal_ordered", "a and b and not c");
    assert_eq!(found(&ordered, &["1 0 b", "2 1 a"]), NONE);
    assert_eq!(found(&ordered, &["1 0 a", "2 1 b"]), ["x: 1 2"]);
    assert_eq!(found(&ordered, &["1 0 a", "2 1 b", "3 2 c"]), NONE);
}

#[test]
fn findings_occur_as_long_as_they_hold() {
    let below = "title: f\nname: f\ncorrelation:\n  type: event_count\n  rules: [a]\n  group-by: [h]\n  timespan: 10s\n  condition: {gte: 2}\n";
    let above = "---\ntitle: s\nname: s\ncorrelation:\n  type: temporal_ordered\n  rules: [f, b]\n  group-by: [u]\n  timespan: 10s\n";
    let both = format!("{below}{above}");
    assert_eq!(found(&both, &["1 0 a h=p", "2 5 a h=p", "3 15 b"]), ["x: 1 2 3"]);
    assert_eq!(found(&both, &["1 0 a h=p", "2 5 a h=p", "3 16 b"]), NONE);
    // The burst lasts; the login comes long after it began.
    assert_eq!(found(&both, &["1 0 a h=p", "2 5 a h=p", "3 15 a h=p", "4 25 a h=p", "5 30 b"]), ["x: 4 5"]);
    // The group is that of the events beneath, whatever they are grouped by there.
    assert_eq!(found(&both, &["1 0 a h=p u=x", "2 5 a h=p u=y", "3 6 b u=y"]), ["y: 1 2 3"]);
    assert_eq!(found(&both, &["1 0 a h=p", "2 5 a h=q", "3 6 b"]), NONE);
    let counted = below.to_owned()
        + "---\ntitle: n\nname: n\ncorrelation:\n  type: event_count\n  rules: [f]\n  group-by: [u]\n  timespan: 1m\n  condition: {gte: 2}\n";
    // Three times held and one finding; two hosts are two.
    assert_eq!(found(&counted, &["1 0 a h=p", "2 5 a h=p", "3 6 a h=p"]), NONE);
    assert_eq!(found(&counted, &["1 0 a h=p", "2 5 a h=p", "3 6 a h=q", "4 7 a h=q"]), ["x: 1 2 3 4"]);
}

#[test]
fn a_field_of_the_group_beneath_is_the_groups() {
    let below = "title: f\nname: f\ncorrelation:\n  type: event_count\n  rules: [a, b]\n  group-by: [ip]\n  timespan: 10s\n  condition: {gte: 2}\n  aliases: {ip: {a: src, b: dst}}\n";
    let above =
        "---\ntitle: s\nname: s\ncorrelation:\n  type: temporal\n  rules: [f, c]\n  group-by: [ip]\n  timespan: 10s\n";
    let both = format!("{below}{above}");
    assert_eq!(found(&both, &["1 0 a src=p", "2 1 b dst=p src=q", "3 2 c ip=p"]), ["p: 1 2 3"]);
    assert_eq!(found(&both, &["1 0 a src=p", "2 1 b dst=p src=q", "3 2 c ip=q"]), NONE);
}
