//! New and rare values, known sets, and points.

use std::sync::Arc;

use engine::correlate::stateful::{Bound, Coverage, FirstSeen, KnownSet, Rarity, Risk, StatefulOperator, Weight};
use engine::correlate::{Fact, Told, Values};
use engine::sigma::Comparison;

use crate::drive::{DAY, HOUR, MINUTE, at, drive, fact, found, texts};

const ONE: i128 = 1_000_000;

fn decrypts_by_new_principals() -> StatefulOperator {
    StatefulOperator::FirstSeen(FirstSeen {
        of: "userIdentity.arn".to_owned(),
        forget_ms: 30 * DAY,
        learn_ms: 14 * DAY,
        learn_events: 0,
        values_max: 10_000,
    })
}

/// The trainer decrypts each day.
fn trainer(days: std::ops::Range<i64>) -> Vec<Fact> {
    days.map(|day| fact(day * DAY, &format!("trainer {day}"), &[0], texts(&["trainer"]))).collect()
}

#[test]
fn the_first_decrypt_by_a_principal_is_found_at_once_and_once() {
    let mut events = trainer(0..40);
    for minute in 0..30 {
        events.push(fact(20 * DAY + HOUR + minute * MINUTE, &format!("thief {minute}"), &[0], texts(&["thief"])));
    }
    let told = drive(&decrypts_by_new_principals(), &events, &[]);
    let [Told::Opened(early), Told::Closed(last)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((early.held, early.opened_count), (at(20 * DAY + HOUR), 1));
    assert_eq!((&early.measure.values[..], early.measure.value), (&["thief".to_owned()][..], 1.0));
    assert_eq!(early.measure.threshold, "not seen within 30d before");
    assert_eq!(last, early);
}

#[test]
fn who_comes_while_the_key_is_learned_is_known_and_not_told() {
    let mut events = trainer(0..40);
    events.push(fact(5 * DAY, "serving 5", &[0], texts(&["serving"])));
    events.push(fact(30 * DAY, "serving 30", &[0], texts(&["serving"])));
    assert!(found(&decrypts_by_new_principals(), &events, &[]).is_empty());
}

#[test]
fn who_was_away_for_longer_than_is_remembered_is_new_again() {
    let mut events = trainer(0..90);
    events.push(fact(5 * DAY, "auditor 5", &[0], texts(&["auditor"])));
    events.push(fact(5 * DAY + 30 * DAY, "auditor 35", &[0], texts(&["auditor"])));
    events.push(fact(35 * DAY + 30 * DAY + 1, "auditor 65", &[0], texts(&["auditor"])));
    let found = found(&decrypts_by_new_principals(), &events, &[]);
    assert_eq!(found.iter().map(|found| found.held).collect::<Vec<_>>(), [at(65 * DAY + 1)]);
}

#[test]
fn new_values_within_an_hour_are_one_finding_that_lists_them() {
    let mut events = trainer(0..40);
    for (place, name) in ["x", "y", "z"].into_iter().enumerate() {
        let ms = 20 * DAY + i64::try_from(place).expect("three") * 50 * MINUTE;
        events.push(fact(ms, name, &[0], texts(&[name])));
    }
    let [found] = &found(&decrypts_by_new_principals(), &events, &[])[..] else { panic!("one") };
    assert_eq!((found.opened_count, found.prolonged_count), (1, 2));
    assert_eq!((&found.measure.values[..], found.measure.value), (&["x", "y", "z"].map(str::to_owned)[..], 3.0));
}

#[test]
fn a_tool_that_one_call_in_a_thousand_uses_is_rare() {
    let rule =
        Rarity { of: "tool".to_owned(), span_ms: 32 * DAY, share: ONE / 1000, least_events: 1000, values_max: 10_000 };
    let name = |call: i64| if call == 500 { "shell" } else { "search" };
    let mut events: Vec<Fact> =
        (0..1500).map(|call| fact(call * MINUTE, &call.to_string(), &[0], texts(&[name(call)]))).collect();
    events.push(fact(3 * DAY, "odd", &[0], texts(&["shell"])));
    events.push(fact(3 * DAY + 1, "usual", &[0], texts(&["search"])));
    let [found] = &found(&StatefulOperator::Rarity(rule), &events, &[])[..] else { panic!("one") };
    assert_eq!((found.held, found.opened_count), (at(3 * DAY), 1));
    assert_eq!(found.measure.values, ["shell"]);
    assert_eq!(found.measure.threshold, "less than 0.1 % of at least 1000 events within 32d before");
}

fn shards(share: i128) -> StatefulOperator {
    let bounds = vec![Bound { comparison: Comparison::Gte, value: share }];
    let set = KnownSet::Size(30);
    let (of, span_ms) = ("key".to_owned(), 14 * DAY);
    StatefulOperator::Coverage(Coverage { of, set, span_ms, bounds, at_least: 1 })
}

fn shard(ms: i64, shard: usize) -> Fact {
    fact(ms, &format!("read {ms}"), &[0], texts(&[&format!("model-{shard:05}-of-00030")]))
}

#[test]
fn thirty_percent_of_the_shards_are_found_at_the_ninth_whatever_is_read_again() {
    let events: Vec<Fact> = (0..24).map(|read| shard(read * HOUR, usize::try_from(read).expect("few") / 2)).collect();
    let told = drive(&shards(300_000), &events, &[]);
    let Told::Opened(early) = &told[0] else { panic!("{told:?}") };
    assert_eq!((early.held, early.opened_count, early.measure.value), (at(16 * HOUR), 9, 0.3));
    assert_eq!(early.measure.values, ["not touched: 21"]);
    let Some(Told::Closed(last)) = told.last() else { panic!("{told:?}") };
    assert_eq!(
        (last.measure.value, last.prolonged_count, last.measure.values[0].as_str()),
        (0.4, 7, "not touched: 18")
    );
}

#[test]
fn a_slow_copy_of_two_shards_a_day_is_found_within_fourteen_days() {
    let events: Vec<Fact> = (0..30).map(|read| shard(read * DAY / 2, usize::try_from(read).expect("few"))).collect();
    let held: Vec<_> = found(&shards(900_000), &events, &[]).iter().map(|found| found.held).collect();
    assert_eq!(held, [at(13 * DAY)]);
    let slower: Vec<Fact> = (0..30).map(|read| shard(read * DAY, usize::try_from(read).expect("few"))).collect();
    assert!(found(&shards(900_000), &slower, &[]).is_empty());
}

#[test]
fn of_a_list_the_values_that_were_not_touched_are_named() {
    let names: Vec<Arc<str>> = ["a", "b", "c"].map(Arc::from).to_vec();
    let bounds = vec![Bound { comparison: Comparison::Gt, value: ONE / 2 }];
    let set = KnownSet::Values(names);
    let rule = Coverage { of: "bucket".to_owned(), set, span_ms: DAY, bounds, at_least: 1 };
    let events = [("a", 0), ("x", 1), ("y", 2), ("c", 3)].map(|(name, ms)| fact(ms, name, &[0], texts(&[name])));
    let [found] = &found(&StatefulOperator::Coverage(rule), &events, &[])[..] else { panic!("one") };
    assert_eq!((found.held, found.opened_count), (at(3), 2));
    assert_eq!(found.measure.values, ["not touched: b"]);
}

fn risk(least_tactics: usize) -> StatefulOperator {
    let weight =
        |name: &str, points, tactic: &str| Weight { name: name.to_owned(), points, tactics: vec![tactic.to_owned()] };
    let weights = vec![
        weight("listing", 5, "discovery"),
        weight("new key", 50, "persistence"),
        weight("copy", 50, "exfiltration"),
    ];
    let bounds = vec![Bound { comparison: Comparison::Gte, value: 100 * ONE }];
    StatefulOperator::Risk(Risk { weights, span_ms: DAY, bounds, least_tactics, least_rules: 0 })
}

fn signal(ms: i64, member: usize) -> Fact {
    fact(ms, &format!("{ms} {member}"), &[member], Values::None)
}

#[test]
fn points_of_several_tactics_add_up_and_are_listed_by_rule() {
    let events = [signal(0, 0), signal(HOUR, 1), signal(2 * HOUR, 2)];
    let [found] = &found(&risk(3), &events, &[])[..] else { panic!("one") };
    assert_eq!((found.held, found.opened_count, found.measure.value), (at(2 * HOUR), 3, 105.0));
    assert_eq!(found.measure.values, ["listing: 5 × 1", "new key: 50 × 1", "copy: 50 × 1"]);
    assert_eq!(found.measure.threshold, "at least 100 points of at least 3 tactics within 1d");
}

#[test]
fn many_signals_of_one_tactic_are_not_enough_where_tactics_are_asked_for() {
    let events: Vec<Fact> = (0..200).map(|minute| signal(minute * MINUTE, 0)).collect();
    assert!(found(&risk(2), &events, &[]).is_empty());
    assert_eq!(found(&risk(0), &events, &[]).len(), 1);
}

#[test]
fn points_of_yesterday_do_not_count() {
    let events = [signal(0, 1), signal(DAY + 1, 2)];
    assert!(found(&risk(0), &events, &[]).is_empty());
}
