use model::Time;
use serde_json::json;

use super::{CursorAt, Feed, Next, Order, Unit, fill};

const FEED: &str = "\
id: lab_audit
title: Lab audit
source: lab_audit
parameters: {organization: the name of the organisation}
endpoint: https://api.lab.example
path: /v1/{organization}/audit
secret: {header: Authorization, value: 'Bearer {secret}', about: a token that reads}
query: {limit: 100}
records: data.items
next: {cursor: last_id, as: after, while: has_more}
newer: {time: created_at, unit: s, as: since, write: '{s}', overlap: 10m}
order: oldest_first
every: 30s
limit: {remaining: X-Left, reset: X-Reset}
";

fn told(text: &str) -> Vec<String> {
    let (feed, wrong) = Feed::parse(text);
    assert!(feed.is_none() || wrong.is_empty());
    wrong.iter().map(|wrong| format!("{}:{} {} | {}", wrong.line, wrong.code, wrong.message, wrong.remedy)).collect()
}

#[test]
fn a_feed_says_how_an_api_is_walked() {
    let (feed, wrong) = Feed::parse(FEED);
    assert!(wrong.is_empty(), "{wrong:?}");
    let feed = feed.unwrap();
    assert_eq!((feed.secret.header.as_str(), feed.every_ms, feed.order), ("authorization", 30_000, Order::OldestFirst));
    assert_eq!(feed.records, ["data", "items"]);
    let cursor = Next::Cursor {
        at: CursorAt::Answer(vec!["last_id".to_owned()]),
        parameter: "after".to_owned(),
        more: Some(vec!["has_more".to_owned()]),
    };
    assert_eq!(feed.next, cursor);
    assert_eq!(feed.newer.query, Some(("since".to_owned(), "{s}".to_owned())));
    assert_eq!((feed.newer.unit, feed.newer.overlap_ms), (Unit::Seconds, 600_000));
}

#[test]
fn every_feed_that_is_built_in_can_be_used() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../content/feeds");
    let mut ids = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        #[expect(clippy::disallowed_methods, reason = "a test reads what is built in")]
        let (feed, wrong) = Feed::parse(&std::fs::read_to_string(&path).unwrap());
        assert!(wrong.is_empty(), "{path:?}: {wrong:?}");
        let feed = feed.unwrap();
        assert_eq!(path.file_stem().unwrap().to_str().unwrap(), feed.id);
        ids.push(feed.id);
    }
    assert!(ids.len() >= 6, "{ids:?}");
}

#[test]
fn every_mistake_is_told_with_its_line_and_a_remedy() {
    let broken = FEED
        .replace("https://api", "http://api")
        .replace("Bearer {secret}", "Bearer abc123")
        .replace("{organization}", "{organisation}")
        .replace("data.items", "data..items")
        .replace("cursor:", "cursors:")
        .replace("unit: s", "unit: seconds")
        .replace("'{s}'", "now")
        .replace("oldest_first", "asc")
        .replace("every: 30s", "every: 30ms")
        .replace("X-Left", "X Left");
    let told = told(&broken);
    for expected in [
        "5:bad-endpoint `http://api.lab.example` is no endpoint | write `https://`",
        "7:bad-secret the value does not say where the secret stands",
        "6:unknown-parameter `{organisation}` is no parameter of the feed",
        "4:unused-parameter the parameter `organization` stands nowhere",
        "9:bad-path `data..items` is no way to a value",
        "10:unknown-key a feed has no key `cursors` here",
        "10:bad-next here is not one of `cursor` and `last_record`",
        "11:bad-unit `seconds` is no unit",
        "11:bad-time `now` does not say where the time stands",
        "12:bad-order `asc` is no order",
        "13:bad-duration `30ms` is not a duration that can be used",
        "14:bad-header `X Left` is no header",
    ] {
        assert!(told.iter().any(|one| one.starts_with(expected)), "{expected}: {told:#?}");
    }
    assert!(!told.iter().any(|one| one.contains("abc123")), "a secret in a file is not repeated: {told:#?}");
}

#[test]
fn what_is_missing_is_told_at_once() {
    let told = told("id: x\nnext: sideways\nnewer: {as: since}\n");
    for key in ["title", "source", "endpoint", "path", "secret", "records", "time", "overlap"] {
        assert!(told.iter().any(|one| one.contains(&format!("has no `{key}`"))), "{key}: {told:#?}");
    }
    assert!(told.iter().any(|one| one.contains("`sideways` is no way to a next page")), "{told:#?}");
    assert!(told.iter().any(|one| one.contains("one of `as` and `write`")), "{told:#?}");
    assert!(Feed::parse("").0.is_none());
}

#[test]
fn times_are_read_as_the_feed_says() {
    let time = Time::parse("2026-11-22T02:51:00Z").unwrap();
    assert_eq!(Unit::Rfc3339.read(&json!("2026-11-22T03:51:00+01:00")), Some(time));
    assert_eq!(Unit::Seconds.read(&json!(1_795_315_860)), Some(time));
    assert_eq!(Unit::Seconds.read(&json!("1795315860")), Some(time));
    assert_eq!(Unit::Millis.read(&json!(1_795_315_860_000_i64)), Some(time));
    for none in [json!(null), json!("soon"), json!({}), json!(-5), json!(0)] {
        assert_eq!(Unit::Seconds.read(&none), None, "{none}");
        assert_eq!(Unit::Rfc3339.read(&none), None, "{none}");
    }
}

#[test]
fn names_in_braces_are_filled_and_others_stay() {
    let value = |name: &str| (name == "a").then(|| "1{b}".to_owned());
    assert_eq!(fill("x{a}y{b}z{", value), "x1{b}y{b}z{");
}
