//! What the plain evaluator promises for any events, told in other words than it is written in.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::json;

use crate::plain::{Event, Finding};
use crate::sentences::{correlation, event, scene};

const SPAN: i64 = 10_000_000;

pub fn events() -> impl Strategy<Value = Vec<Event>> {
    let one = (0..45_i64, subsequence(vec!["a", "b", "c"], 1..3), select(vec!["x", "y"]), -2..6_i64);
    proptest::collection::vec(one, 1..24).prop_map(|all| {
        let make = |(at, (time, rules, user, number)): (usize, (i64, Vec<&str>, &str, i64))| {
            event(&format!("e{at:02}"), time, &rules.concat(), json!({"u": user, "n": number}))
        };
        all.into_iter().enumerate().map(make).collect()
    })
}

/// Every type of correlation, those that answer at once and those that wait.
pub fn any_correlation() -> impl Strategy<Value = String> {
    let all = vec![
        ("event_count", "{gte: 3}"),
        ("event_count", "{gt: 1, lte: 4}"),
        ("event_count", "{neq: 2}"),
        ("value_count", "{field: n, gte: 3}"),
        ("value_sum", "{field: n, gt: 6}"),
        ("value_sum", "{field: n, lt: 6}"),
        ("value_max", "{field: n, gte: 5}"),
        ("value_min", "{field: n, lt: 0}"),
        ("value_avg", "{field: n, gt: 2}"),
        ("value_median", "{field: n, gte: 2, lte: 3}"),
        ("value_percentile", "{field: n, percentile: 90, gt: 4}"),
        ("value_percentile", "{field: n, lte: 20}"),
        ("temporal", ""),
        ("temporal", "{gte: 2}"),
        ("temporal", "a and b and not c"),
        ("temporal_ordered", ""),
        ("temporal_ordered", "{eq: 2}"),
        ("temporal_ordered", "(a or b) and c"),
    ];
    select(all).prop_map(|(kind, condition)| correlation(kind, condition))
}

fn user(event: &Event) -> &str {
    if event.text.contains("\"x\"") { "x" } else { "y" }
}

fn of_user<'e>(events: &'e [Event], name: &'e str) -> impl Iterator<Item = &'e Event> + Clone {
    events.iter().filter(move |event| user(event) == name)
}

fn has_finding(findings: &[Finding], name: &str) -> bool {
    findings.iter().any(|finding| finding.group[0].1 == name)
}

fn matches(event: &Event, rule: usize) -> bool {
    let scene = ["61", "62", "63"][rule];
    event.rules.iter().any(|id| id.ends_with(scene))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arrival_and_repeats_change_nothing(
        text in any_correlation(),
        (events, shuffled) in events().prop_flat_map(|events| (Just(events.clone()), Just(events).prop_shuffle())),
        repeated in 0..24_usize,
    ) {
        let scene = scene(&text);
        let mut arrived = shuffled;
        arrived.extend(events.iter().take(repeated).cloned());
        prop_assert_eq!(scene.findings(&arrived), scene.findings(&events));
    }

    #[test]
    fn groups_do_not_disturb_each_other(text in any_correlation(), events in events()) {
        let scene = scene(&text);
        let apart = ["x", "y"].map(|name| scene.findings(&of_user(&events, name).cloned().collect::<Vec<_>>()));
        prop_assert_eq!(scene.findings(&events), apart.concat());
    }

    #[test]
    fn only_differences_of_time_matter(text in any_correlation(), events in events(), by in -100_000..100_000_i64) {
        let scene = scene(&text);
        let moved: Vec<Event> = events.iter().cloned().map(|event| Event { time: event.time + by, ..event }).collect();
        let back = |mut finding: Finding| {
            (finding.held, finding.last_held) = (finding.held - by, finding.last_held - by);
            finding
        };
        let found: Vec<Finding> = scene.findings(&moved).into_iter().map(back).collect();
        prop_assert_eq!(found, scene.findings(&events));
    }

    #[test]
    fn no_event_is_claimed_twice_and_what_opens_fits_one_window(text in any_correlation(), events in events()) {
        let time = |id: &String| events.iter().find(|event| event.id == *id).expect("an event").time;
        let mut claimed = std::collections::BTreeSet::new();
        for finding in scene(&text).findings(&events) {
            let times: Vec<i64> = finding.opened.iter().map(time).collect();
            prop_assert!(times.is_sorted() && times[times.len() - 1] - times[0] <= SPAN);
            prop_assert_eq!(times[times.len() - 1], finding.held);
            prop_assert!(finding.prolonged.iter().all(|id| time(id) > finding.held && time(id) <= finding.last_held));
            for id in finding.opened.iter().chain(&finding.prolonged) {
                prop_assert!(claimed.insert(id.clone()), "{} twice", id);
            }
        }
    }

    #[test]
    fn a_count_is_found_if_and_only_if_some_window_has_it(events in events(), least in 1..5_usize) {
        let findings = scene(&correlation("event_count", &format!("{{gte: {least}}}"))).findings(&events);
        for name in ["x", "y"] {
            let within = |from: &Event| of_user(&events, name).filter(|event| (0..=SPAN).contains(&(event.time - from.time))).count();
            let most = of_user(&events, name).map(within).max().unwrap_or(0);
            prop_assert_eq!(has_finding(&findings, name), most >= least);
        }
    }

    #[test]
    fn an_order_is_found_if_and_only_if_three_events_have_it(events in events(), is_ordered in any::<bool>()) {
        let kind = if is_ordered { "temporal_ordered" } else { "temporal" };
        let findings = scene(&correlation(kind, "")).findings(&events);
        for name in ["x", "y"] {
            let of = |rule: usize| of_user(&events, name).filter(move |event| matches(event, rule));
            let fits = |a: &Event, b: &Event, c: &Event| {
                let times = [a.time, b.time, c.time];
                let is_near = times.iter().max().expect("three") - times.iter().min().expect("three") <= SPAN;
                let is_apart = a.id != b.id && b.id != c.id && a.id != c.id;
                is_near && (!is_ordered || times.is_sorted() && is_apart)
            };
            let is_there = of(0).any(|a| of(1).any(|b| of(2).any(|c| fits(a, b, c))));
            prop_assert_eq!(has_finding(&findings, name), is_there);
        }
    }

    #[test]
    fn an_exact_count_is_that_of_windows_laid_end_to_end(events in events(), wanted in 1..5_usize) {
        let findings = scene(&correlation("event_count", &format!("{{eq: {wanted}}}"))).findings(&events);
        for name in ["x", "y"] {
            let mut left: Vec<i64> = of_user(&events, name).map(|event| event.time).collect();
            left.sort_unstable();
            let mut count = 0;
            while let Some(&start) = left.first() {
                let within = left.iter().filter(|time| **time <= start + SPAN).count();
                count += usize::from(within == wanted);
                left.drain(..within);
            }
            prop_assert_eq!(findings.iter().filter(|finding| finding.group[0].1 == name).count(), count);
        }
    }
}
