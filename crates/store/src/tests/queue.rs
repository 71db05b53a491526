use model::{AlertState, Move};

use super::*;
use crate::{AlertQuery, AlertSort};

fn names(store: &Store, query: AlertQuery) -> Vec<String> {
    let page = store.alerts(&query).unwrap();
    page.alerts.iter().map(|alert| alert.fold.by[0].1.clone()).collect()
}

fn filled() -> (tempfile::TempDir, Store) {
    let (dir, store) = store();
    let make = |who: &str, level, minutes: i64| Finding { level, ..finding("r", who, minutes) };
    settle(&store, vec![make("ana", Level::Low, 9)], at(10));
    settle(&store, vec![make("ben", Level::Critical, 1), make("cyd", Level::Critical, 2)], at(11));
    let other = Finding { source: SourceId::from("aws_guardduty"), ..make("dan", Level::High, 5) };
    settle(&store, vec![other], at(12));
    (dir, store)
}

#[test]
fn the_queue_comes_in_four_orders() {
    let (_dir, store) = filled();
    let by = |sort| names(&store, AlertQuery { sort, ..Default::default() });
    assert_eq!(by(AlertSort::Level), ["cyd", "ben", "dan", "ana"]);
    assert_eq!(by(AlertSort::LastEvent), ["ana", "dan", "cyd", "ben"]);
    assert_eq!(by(AlertSort::Detected), ["dan", "cyd", "ben", "ana"]);
    assert_eq!(by(AlertSort::Oldest), ["ana", "ben", "cyd", "dan"]);
}

#[test]
fn filters_and_pages_agree_with_the_total() {
    let (_dir, store) = filled();
    let id = store.alerts(&Default::default()).unwrap().alerts[0].alert_id;
    store.act(id, Move::Acknowledge, "eve", None, at(20)).unwrap();
    let ask = |query: AlertQuery| {
        let page = store.alerts(&query).unwrap();
        (page.alerts.len(), page.total)
    };
    assert_eq!(ask(AlertQuery { states: vec![AlertState::Open], ..Default::default() }), (3, 3));
    assert_eq!(
        ask(AlertQuery { states: vec![AlertState::Open, AlertState::Acknowledged], ..Default::default() }),
        (4, 4)
    );
    assert_eq!(ask(AlertQuery { levels: vec![Level::High, Level::Low], ..Default::default() }), (2, 2));
    assert_eq!(ask(AlertQuery { source: Some("aws_guardduty".into()), ..Default::default() }), (1, 1));
    assert_eq!(ask(AlertQuery { rule: Some("q".into()), ..Default::default() }), (0, 0));
    assert_eq!(ask(AlertQuery { lane: Some(Lane::Live), limit: 3, offset: 2, ..Default::default() }), (2, 4));
    let mixed = AlertQuery {
        states: vec![AlertState::Open],
        levels: vec![Level::Critical],
        source: Some("aws_cloudtrail".into()),
        text: Some("read WEIGHTS".into()),
        ..Default::default()
    };
    assert_eq!(ask(mixed), (1, 1));
}

#[test]
fn words_are_found_inside_titles_messages_entities_and_ids() {
    let (_dir, store) = filled();
    let find = |text: &str| names(&store, AlertQuery { text: Some(text.into()), ..Default::default() });
    assert_eq!(find("user/cyd"), ["cyd"]);
    assert_eq!(find("ser/da"), ["dan"], "inside a word");
    assert_eq!(find("t1530 BEN"), ["ben"], "every word, whatever its case");
    assert_eq!(find("an"), ["dan", "ana"], "short words");
    assert_eq!(find("cyd dan"), [""; 0]);
    assert_eq!(find("\"AND\" OR * ( 100%_"), [""; 0], "no word is an operator");
    assert_eq!(find("   ").len(), 4);
    let id = only_id(&store, "cyd");
    assert_eq!(find(&id[3..12]), ["cyd"]);
}

fn only_id(store: &Store, text: &str) -> String {
    let query = AlertQuery { text: Some(text.into()), ..Default::default() };
    store.alerts(&query).unwrap().alerts[0].alert_id.to_string()
}

#[test]
fn an_id_is_found_by_its_beginning() {
    let (_dir, store) = filled();
    let id = only_id(&store, "cyd");
    for length in [32, 31, 8, 7] {
        let found = store.alert_ids(&id[..length].to_uppercase(), 9).unwrap();
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), [id.as_str()]);
    }
    assert_eq!(store.alert_ids("", 9).unwrap().len(), 4);
    assert_eq!(store.alert_ids("", 2).unwrap().len(), 2);
    assert_eq!(store.alert_ids("xyz", 9).unwrap(), []);
    assert_eq!(store.alert_ids(&"0".repeat(40), 9).unwrap(), []);
}

#[test]
fn a_text_that_very_many_hold_is_not_counted_to_the_end() {
    let (_dir, store) = store();
    let many: Vec<Finding> = (0..1_200).map(|i| finding(&format!("r{}", i % 2), &format!("p{i}"), i % 600)).collect();
    settle(&store, many, at(700));
    let ask = |text: &str, offset, rule: Option<&str>| {
        let query = AlertQuery {
            text: Some(text.into()),
            rule: rule.map(str::to_owned),
            offset,
            limit: 100,
            ..Default::default()
        };
        let page = store.alerts(&query).unwrap();
        (page.alerts.len(), page.total, page.total_is_least)
    };
    assert_eq!(ask("read weights", 0, None), (100, 1_000, true));
    assert_eq!(ask("read weights", 1_000, None), (100, 1_101, true));
    assert_eq!(ask("read weights", 1_150, None), (50, 1_200, false));
    assert_eq!(ask("read weights", 550, Some("r0")), (50, 600, false));
    assert_eq!(ask("read", 0, Some("r1")), (100, 101, true));
    assert_eq!(ask("read", 0, Some("none")), (0, 0, false));
    assert_eq!(ask("p119", 0, None), (11, 11, false), "a rare text is counted");
    let whole = AlertQuery { limit: 1_000, text: Some("weights".into()), ..Default::default() };
    let (all, found) = (AlertQuery { text: None, ..whole.clone() }, store.alerts(&whole).unwrap().alerts);
    assert_eq!(found, store.alerts(&all).unwrap().alerts, "in the same order");
}
