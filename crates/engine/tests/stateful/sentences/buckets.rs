//! Baselines, peers and ratios.

use std::sync::Arc;

use engine::correlate::stateful::{
    Beyond, Bound, Calendar, Expectation, Measured, Peers, Ratio, StatefulOperator, Volume,
};
use engine::correlate::{Fact, Members, Told, Values};
use engine::sigma::Comparison;

use crate::drive::{DAY, HOUR, MINUTE, at, drive, fact, found, number, texts};

const ONE: i128 = 1_000_000;

fn egress(beyond: Beyond) -> StatefulOperator {
    StatefulOperator::Volume(Volume {
        measured: Measured::Sum("bytes".to_owned()),
        expectation: Expectation::Mad(3 * ONE),
        calendar: Calendar { span_ms: HOUR, season_hours: 24, history: 14 },
        learn: 7 * 24,
        at_least: 100 * ONE,
        beyond,
    })
}

/// A backup of about 1,000 each night at two, and 10 in every other hour.
fn nights(days: i64) -> Vec<Fact> {
    let each = |hour: i64| {
        let bytes = if hour % 24 == 2 { 1000 + hour % 7 } else { 10 };
        fact(hour * HOUR + 5 * MINUTE, &format!("hour {hour}"), &[0], number(bytes))
    };
    (0..days * 24).map(each).collect()
}

#[test]
fn the_nightly_volume_is_expected_at_night_and_told_by_day() {
    assert!(found(&egress(Beyond::Above), &nights(20), &[]).is_empty());
    let mut events = nights(20);
    for part in 0..10 {
        events.push(fact(10 * DAY + 14 * HOUR + part * MINUTE, &format!("copy {part}"), &[0], number(100)));
    }
    let told = drive(&egress(Beyond::Above), &events, &[]);
    let Told::Opened(early) = &told[0] else { panic!("{told:?}") };
    assert_eq!((early.held, early.measure.value), (at(10 * DAY + 14 * HOUR), 100.0));
    let Some(Told::Closed(last)) = told.last() else { panic!("{told:?}") };
    assert_eq!((last.measure.value, last.measure.expected), (1010.0, Some(10.0)));
    assert_eq!((last.measure.history.len(), last.opened_count, last.prolonged_count), (10, 1, 10));
    assert_eq!(last.measure.threshold, "more than 13 and at least 100");
}

#[test]
fn nothing_is_told_while_the_past_is_too_short() {
    let mut events = nights(6);
    events.push(fact(5 * DAY + 14 * HOUR, "copy", &[0], number(1_000_000)));
    assert!(found(&egress(Beyond::Above), &events, &[]).is_empty());
}

#[test]
fn hours_that_follow_each_other_are_one_finding() {
    let mut events = nights(20);
    for hour in 12..16 {
        events.push(fact(10 * DAY + hour * HOUR, &format!("copy {hour}"), &[0], number(500)));
    }
    let [found] = &found(&egress(Beyond::Above), &events, &[])[..] else { panic!("one") };
    assert_eq!((found.held, found.last_held), (at(10 * DAY + 12 * HOUR), at(10 * DAY + 15 * HOUR + 5 * MINUTE)));
}

#[test]
fn a_backup_that_does_not_run_is_told_when_its_hour_is_over() {
    let mut events = nights(20);
    events.retain(|event| event.time != at(12 * DAY + 2 * HOUR + 5 * MINUTE));
    let found = found(&egress(Beyond::Below), &events, &[]);
    assert!(found[1..].iter().all(|found| found.start >= at(20 * DAY)), "all else is after the last event");
    let found = &found[0];
    assert_eq!(found.start, at(12 * DAY + 2 * HOUR));
    assert_eq!(found.held.micros(), at(12 * DAY + 3 * HOUR).micros() - 1);
    assert_eq!((found.measure.value, found.opened_count), (0.0, 1));
    assert_eq!(found.opened[0].time, at(12 * DAY + HOUR + 5 * MINUTE));
}

#[test]
fn one_user_who_takes_far_more_than_his_team_stands_out() {
    let rule = Peers {
        measured: Measured::Sum("gpu_hours".to_owned()),
        expectation: Expectation::Mad(5 * ONE),
        span_ms: 7 * DAY,
        least_peers: 4,
        at_least: 10 * ONE,
    };
    let used = |user: &str, hours| {
        let of = [Arc::from(user)].into();
        fact(DAY, user, &[0], Values::Measured { of, values: Box::new(number(hours)) })
    };
    let team = [used("a", 20), used("b", 22), used("c", 18), used("d", 21), used("miner", 400)];
    let [finding] = &found(&StatefulOperator::Peers(rule.clone()), &team, &[])[..] else { panic!("one") };
    assert_eq!((&finding.measure.values[..], finding.measure.value), (&["miner".to_owned()][..], 400.0));
    assert_eq!((finding.measure.expected, &finding.measure.history[..]), (Some(20.0), &[18.0, 20.0, 21.0, 22.0][..]));
    assert!(found(&StatefulOperator::Peers(rule), &team[1..], &[]).is_empty(), "three peers are too few");
}

fn refused_share(at_least: i128) -> StatefulOperator {
    let bounds = vec![Bound { comparison: Comparison::Gt, value: ONE / 2 }];
    let (of, to) = (Members::one(1), Members(3));
    let measured = Measured::Count;
    StatefulOperator::Ratio(Ratio { of, to, measured, span_ms: HOUR, bounds, at_least })
}

#[test]
fn more_than_half_of_the_calls_of_an_hour_refused_is_told_when_the_hour_is_over() {
    let call = |minute: i64| fact(minute * MINUTE, &minute.to_string(), &[usize::from(minute % 3 > 0)], Values::None);
    let events: Vec<Fact> = (0..61).map(call).collect();
    let told = drive(&refused_share(10 * ONE), &events, &[]);
    let [Told::Closed(found)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((found.opened_count, found.opened.len(), found.measure.value), (61, 61, 40.0 / 61.0));
    assert_eq!((found.start, found.held), (at(0), at(HOUR)));
    assert_eq!(found.measure.of, "events: 40 to 61");
    assert!(drive(&refused_share(100 * ONE), &events, &[]).is_empty(), "too few calls");
}

#[test]
fn different_values_are_counted_once_in_each_bucket() {
    let rule = Volume {
        measured: Measured::Distinct("region".to_owned()),
        expectation: Expectation::Quantile { quantile: ONE, factor: 2 * ONE },
        calendar: Calendar { span_ms: DAY, season_hours: 1, history: 30 },
        learn: 3,
        at_least: 0,
        beyond: Beyond::Above,
    };
    let mut events = Vec::new();
    for day in 0..5 {
        for call in 0..50 {
            let region = ["eu", "us", "ap"][usize::from(day == 4 && call > 20) * (call as usize % 3)];
            events.push(fact(day * DAY + call * MINUTE, &format!("{day} {call}"), &[0], texts(&[region])));
        }
    }
    let [found] = &found(&StatefulOperator::Volume(rule), &events, &[])[..] else { panic!("one") };
    assert_eq!((found.measure.value, found.measure.expected), (3.0, Some(1.0)));
    assert_eq!(found.measure.threshold, "more than 2");
}
