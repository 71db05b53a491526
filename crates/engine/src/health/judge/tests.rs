use proptest::prelude::*;

use super::*;
use crate::health::{Fill, Lags};

const MINUTE_MS: i64 = 60_000;

/// Hours after a Monday, midnight.
fn hour(n: i64) -> Time {
    Time::parse("2026-11-02T00:00:00Z").unwrap().plus_millis(n * HOUR_MS)
}

fn watch(now: Time) -> Watch {
    Watch { now, started: hour(0), first: hour(0) }
}

fn contract() -> Contract {
    Contract { silent_after_ms: Some(HOUR_MS), lag_ms: Some(10 * MINUTE_MS), volume: None, filled_at_least: 950 }
}

fn sums(records: u64, lag_ms: i64, filled: u64) -> Sums {
    let mut lags = Lags::default();
    (0..records).for_each(|_| lags.add(lag_ms));
    let filled = [("id".to_owned(), Fill { n: filled, of: records })].into();
    Sums { records, lags, lag_max_ms: lag_ms, filled, ..Sums::default() }
}

/// A source that brought 100 whole records an hour until `until`, each a minute after its event.
fn heard(until: i64) -> Heard {
    let day = (until - 24..until).map(|at| (hour(at), sums(100, MINUTE_MS, 100))).collect();
    Heard {
        first: hour(0),
        last: hour(until).plus_millis(-1000),
        hours: (0..until).map(|at| (hour(at), 100)).collect(),
        day,
        paths: None,
    }
}

fn verdicts(contract: &Contract, heard: &Heard, watch: Watch) -> Vec<Verdict> {
    judge(contract, Some(heard), watch).troubles.iter().map(|trouble| trouble.verdict).collect()
}

#[test]
fn a_source_that_is_as_it_was_is_live() {
    let judged = judge(&contract(), Some(&heard(100)), watch(hour(100).plus_millis(MINUTE_MS)));
    assert_eq!((judged.verdict, judged.since, judged.troubles), (Verdict::Live, None, vec![]));
    assert_eq!(judged.sentence, "as expected; last record 1m 1s ago");
    let volume = judged.volume.unwrap();
    assert_eq!((volume.hour, volume.records, volume.expected.unwrap().median), (hour(99), 100, 100.0));
}

#[test]
fn silence_is_told_once_the_cadence_is_over_and_not_before() {
    let heard = heard(100);
    assert_eq!(verdicts(&contract(), &heard, watch(heard.last.plus_millis(HOUR_MS))), []);
    let judged = judge(&contract(), Some(&heard), watch(heard.last.plus_millis(3 * HOUR_MS)));
    assert_eq!((judged.verdict, judged.since), (Verdict::Silent, Some(heard.last)));
    assert_eq!(judged.sentence, "no record for 3h, since 2026-11-06 03:59 UTC; expected within 1h");
    assert_eq!(judged.troubles.len(), 1, "what does not come is neither late nor thin");
}

#[test]
fn while_nobody_listened_nothing_was_silent() {
    let heard = heard(100);
    let started = hour(200);
    let after = |minutes: i64| Watch { now: started.plus_millis(minutes * MINUTE_MS), started, first: hour(0) };
    assert_eq!(verdicts(&contract(), &heard, after(30)), []);
    assert_eq!(verdicts(&contract(), &heard, after(61)), [Verdict::Silent]);
}

#[test]
fn without_a_cadence_the_past_says_what_is_silence() {
    let contract = Contract { silent_after_ms: None, ..contract() };
    let mut heard = heard(100);
    heard.hours.retain(|at, _| !(hour(50)..hour(53)).contains(at));
    assert_eq!(verdicts(&contract, &heard, watch(heard.last.plus_millis(8 * HOUR_MS))), [Verdict::Thin]);
    assert_eq!(verdicts(&contract, &heard, watch(heard.last.plus_millis(8 * HOUR_MS + 1))), [Verdict::Silent]);
    heard.hours = (0..10).map(|at| (hour(at), 100)).collect();
    assert_eq!(verdicts(&contract, &heard, watch(heard.last.plus_millis(90 * HOUR_MS))), [], "too short a past");
}

#[test]
fn a_source_is_late_if_most_of_its_latest_events_are() {
    let mut heard = heard(100);
    heard.day.last_mut().unwrap().1 = sums(100, 2 * HOUR_MS, 100);
    let judged = judge(&contract(), Some(&heard), watch(hour(100)));
    assert_eq!((judged.verdict, judged.since), (Verdict::Late, Some(hour(99))));
    assert!(judged.sentence.starts_with("95 % of the latest 100 events came within 2h"), "{}", judged.sentence);
    assert!(judged.sentence.ends_with("of their time; expected within 10m"), "{}", judged.sentence);
    let mut few = sums(96, MINUTE_MS, 100);
    few.merge(&sums(4, 2 * HOUR_MS, 0));
    heard.day.last_mut().unwrap().1 = Sums { filled: [].into(), ..few };
    assert_eq!(verdicts(&contract(), &heard, watch(hour(100))), [], "four in a hundred are not most");
}

#[test]
fn an_hour_far_below_its_past_is_thin() {
    let mut heard = heard(100);
    heard.hours.insert(hour(99), 50);
    assert_eq!(verdicts(&contract(), &heard, watch(hour(100))), [], "half as many as usual is not far below");
    heard.hours.insert(hour(99), 49);
    let judged = judge(&contract(), Some(&heard), watch(hour(100)));
    assert_eq!(
        judged.sentence,
        "49 records in the hour of 2026-11-06 03:00 UTC; 100 are usual, and 70 or more expected, by the same hour of 4 days"
    );
    assert_eq!((judged.verdict, judged.since), (Verdict::Thin, Some(hour(99))));
    let started = Watch { started: hour(99).plus_millis(1), ..watch(hour(100)) };
    assert_eq!(verdicts(&contract(), &heard, started), [], "somebody listened for a part of the hour only");
    heard.hours.values_mut().for_each(|n| *n = (*n).min(19));
    heard.hours.insert(hour(99), 1);
    assert_eq!(verdicts(&contract(), &heard, watch(hour(100))), [], "a handful more or less says nothing");
}

#[test]
fn a_declared_volume_needs_no_past() {
    let contract = Contract { volume: Some(Volume { at_least: 60, hours: 2 }), ..contract() };
    let mut heard = heard(4);
    heard.hours = [(hour(2), 30), (hour(3), 29)].into();
    let judged = judge(&contract, Some(&heard), watch(hour(4)));
    assert_eq!(judged.sentence, "59 records in 2 h from 2026-11-02 02:00 UTC; at least 60 are declared");
    heard.hours.insert(hour(3), 30);
    assert_eq!(verdicts(&contract, &heard, watch(hour(4))), []);
    heard.hours.clear();
    heard.first = hour(2).plus_millis(1);
    assert_eq!(verdicts(&contract, &heard, watch(hour(4))), [], "it began in these hours");
}

#[test]
fn a_field_that_too_few_records_have_makes_it_incomplete() {
    let mut heard = heard(100);
    heard.day.last_mut().unwrap().1 = sums(1000, MINUTE_MS, 949);
    let judged = judge(&contract(), Some(&heard), watch(hour(100)));
    assert_eq!(judged.sentence, "`id` is in 94.9 % of the latest 1000 records; expected in 95 %");
    heard.day.last_mut().unwrap().1 = sums(1000, MINUTE_MS, 950);
    assert_eq!(verdicts(&contract(), &heard, watch(hour(100))), []);
    heard.day = vec![(hour(99), sums(19, MINUTE_MS, 0))];
    assert_eq!(verdicts(&contract(), &heard, watch(hour(100))), [], "too few records to say so");
}

#[test]
fn a_source_that_was_never_heard_is_missed_after_its_cadence() {
    let judged = judge(&contract(), None, watch(hour(3)));
    assert_eq!((judged.verdict, judged.since), (Verdict::Unheard, Some(hour(0))));
    assert_eq!(judged.sentence, "no record in 3h; one is expected within 1h");
    assert!(contract().is_missed(watch(hour(3))) && !contract().is_missed(watch(hour(1))));
}

proptest! {
    #[test]
    fn a_verdict_is_the_gravest_trouble_and_says_why(
        quiet_minutes in 0_i64..300, lag_minutes in 0_i64..60, filled in 0_u64..=100, records in 0_u64..200,
    ) {
        let mut heard = heard(100);
        heard.last = hour(100).plus_millis(-quiet_minutes * MINUTE_MS);
        heard.day = vec![(hour(99), sums(100, lag_minutes * MINUTE_MS, filled))];
        heard.hours.insert(hour(99), records);
        let judged = judge(&contract(), Some(&heard), watch(hour(100)));
        prop_assert_eq!(judged.verdict == Verdict::Silent, quiet_minutes > 60);
        if judged.verdict != Verdict::Silent {
            let has = |verdict| judged.troubles.iter().any(|trouble| trouble.verdict == verdict);
            prop_assert_eq!(has(Verdict::Late), lag_minutes > 10);
            prop_assert_eq!(has(Verdict::Thin), records < 50);
            prop_assert_eq!(has(Verdict::Incomplete), filled < 95);
        }
        let gravest = judged.troubles.iter().map(|trouble| trouble.verdict).min();
        prop_assert_eq!(judged.verdict, gravest.unwrap_or(Verdict::Live));
        prop_assert_eq!(judged.since.is_some(), judged.verdict.is_trouble());
        prop_assert!(!judged.sentence.is_empty());
    }

    #[test]
    fn hearing_more_never_makes_a_source_silent(quiet in 0_i64..500, sooner in 0_i64..500) {
        let mut heard = heard(100);
        let now = hour(100);
        heard.last = now.plus_millis(-quiet * MINUTE_MS);
        let before = judge(&contract(), Some(&heard), watch(now)).verdict == Verdict::Silent;
        heard.last = now.plus_millis(-quiet.min(sooner) * MINUTE_MS);
        let after = judge(&contract(), Some(&heard), watch(now)).verdict == Verdict::Silent;
        prop_assert!(before || !after);
    }
}
