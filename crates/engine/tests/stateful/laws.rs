//! Each operator against the plain evaluator: over random events, with random passing of time, through snapshots.

use std::sync::Arc;

use engine::correlate::stateful::{
    Beyond, Bound, Calendar, Coverage, Expectation, FirstSeen, Joined, KnownSet, Measured, Peers, Rarity, Ratio, Risk,
    Sequence, Silence, StatefulOperator, Step, Unmatched, Volume, Weight,
};
use engine::correlate::{Episode, Fact, Members, Values};
use engine::sigma::Comparison;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::drive::{DAY, HOUR, MINUTE, SECOND, fact, found};
use crate::oracle::{Found, beside, buckets, micros, values, windows};

const ONE: i128 = 1_000_000;
const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// An event before it is one: when, as which members, with which texts and number.
type Raw = (i64, u64, Vec<usize>, i64);

fn raw(times: i64, most: usize) -> impl Strategy<Value = Vec<Raw>> {
    vec((0..times, 1..8_u64, vec(0..NAMES.len(), 0..3), -1..60_i64), 1..most)
}

/// The events, a time unit apart where their times differ by one.
fn facts(raw: &[Raw], unit_ms: i64, values: impl Fn(&Raw) -> Values) -> Vec<Fact> {
    let each = |(place, raw): (usize, &Raw)| {
        let members: Vec<usize> = Members(raw.1).iter().collect();
        fact(raw.0 * unit_ms, &place.to_string(), &members, values(raw))
    };
    raw.iter().enumerate().map(each).collect()
}

fn names(raw: &Raw) -> Values {
    Values::Texts(raw.2.iter().map(|name| Arc::from(NAMES[*name])).collect())
}

fn number(raw: &Raw) -> Values {
    Values::Number(i128::from(raw.3) * ONE / 4)
}

fn passes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..80)
}

/// As the page has it. Claims beyond what is kept are only counted.
fn same(operator: &StatefulOperator, facts: &[Fact], passes: &[u8], expected: &[Found]) -> Result<(), TestCaseError> {
    let found: Vec<Episode> = found(operator, facts, passes);
    prop_assert_eq!(found.len(), expected.len(), "found {:#?}, expected {:#?}", found, expected);
    for (found, expected) in found.iter().zip(expected) {
        let times = [found.start, found.held, found.last_held].map(model::Time::micros);
        prop_assert_eq!(times, [expected.start, expected.held, expected.last_held], "{:#?} {:#?}", found, expected);
        prop_assert_eq!(found.first, expected.first);
        prop_assert_eq!(found.measure.value, expected.value);
        let ids = |claims: &[engine::correlate::Claim]| claims.iter().map(|claim| claim.id).collect::<Vec<_>>();
        prop_assert_eq!(found.opened_count, (expected.opened.len() + expected.again) as u64);
        prop_assert_eq!(found.prolonged_count, expected.prolonged.len() as u64);
        let of = |kept: usize, all: &[model::EventId]| all[..all.len().min(kept)].to_vec();
        prop_assert_eq!(ids(&found.opened), of(found.opened.len(), &expected.opened));
        prop_assert_eq!(ids(&found.prolonged), of(found.prolonged.len(), &expected.prolonged));
    }
    Ok(())
}

fn members(mask: u64) -> Members {
    Members(mask)
}

fn bound() -> impl Strategy<Value = Bound> {
    let comparison = select(vec![Comparison::Gt, Comparison::Gte, Comparison::Lt, Comparison::Lte]);
    (comparison, 0..5_i128).prop_map(|(comparison, quarter)| Bound { comparison, value: quarter * ONE / 4 })
}

fn expectation() -> impl Strategy<Value = Expectation> {
    prop_oneof![
        (0..6_i128).prop_map(|half| Expectation::Mad(half * ONE / 2)),
        (0..5_i128, 1..7_i128)
            .prop_map(|(quarter, half)| Expectation::Quantile { quantile: quarter * ONE / 4, factor: half * ONE / 2 }),
    ]
}

fn measured() -> impl Strategy<Value = Measured> {
    select(vec![Measured::Count, Measured::Sum("bytes".to_owned()), Measured::Distinct("name".to_owned())])
}

fn measured_values(measured: &Measured, raw: &Raw) -> Values {
    match measured {
        Measured::Count => Values::None,
        Measured::Sum(_) => number(raw),
        Measured::Distinct(_) => names(raw),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn first_seen_is_as_the_page_has_it(
        raw in raw(150, 40), unit in select(vec![20 * MINUTE, HOUR]), forget in 1..40_i64, learn in 0..30_i64,
        learn_events in 0..6_u64, passes in passes(),
    ) {
        let rule = FirstSeen {
            of: "name".to_owned(), forget_ms: forget * unit, learn_ms: learn * unit, learn_events, values_max: 1000,
        };
        let facts = facts(&raw, unit, names);
        same(&StatefulOperator::FirstSeen(rule.clone()), &facts, &passes, &values::first_seen(&rule, &facts))?;
    }

    #[test]
    fn rarity_is_as_the_page_has_it(
        raw in raw(150, 40), span in 1..60_i64, share in 1..8_i128, least_events in 0..8_u64, passes in passes(),
    ) {
        let span_ms = span * 20 * MINUTE;
        let rule = Rarity { of: "name".to_owned(), span_ms, share: share * ONE / 8, least_events, values_max: 1000 };
        let facts = facts(&raw, 20 * MINUTE, names);
        same(&StatefulOperator::Rarity(rule.clone()), &facts, &passes, &values::rarity(&rule, &facts))?;
    }

    #[test]
    fn absence_of_something_is_as_the_page_has_it(
        raw in raw(60, 25), unit in select(vec![SECOND, 20 * MINUTE]), before in 0..5_i64, after in 0..5_i64,
        passes in passes(),
    ) {
        let (asking, missing) = (members(3), members(4));
        let (before_ms, after_ms) = (before * unit, after * unit);
        let rule = Unmatched { asking, missing, what: "b".to_owned(), before_ms, after_ms };
        let facts = facts(&raw, unit, |_| Values::None);
        same(&StatefulOperator::Unmatched(rule.clone()), &facts, &passes, &beside::unmatched(&rule, &facts))?;
    }

    #[test]
    fn silence_is_as_the_page_has_it(
        raw in raw(80, 20), span in 1..8_i64, more in 0..12_i64, least_events in 1..5_u64, passes in passes(),
    ) {
        let rule = Silence { span_ms: span * MINUTE, least_events, forget_ms: (span + more) * MINUTE };
        let facts = facts(&raw, MINUTE, |_| Values::None);
        same(&StatefulOperator::Silence(rule.clone()), &facts, &passes, &beside::silence(&rule, &facts))?;
    }

    #[test]
    fn a_join_is_as_the_page_has_it(
        raw in raw(60, 25), unit in select(vec![SECOND, 20 * MINUTE]), span in 0..5_i64, passes in passes(),
    ) {
        let rule = Joined { sides: [members(1), members(6)], span_ms: span * unit };
        let facts = facts(&raw, unit, |_| Values::None);
        same(&StatefulOperator::Joined(rule.clone()), &facts, &passes, &beside::joined(&rule, &facts))?;
    }

    #[test]
    fn coverage_is_as_the_page_has_it(
        raw in raw(60, 30), unit in select(vec![MINUTE, 4 * HOUR]), span in 1..30_i64, set in 0..3_usize,
        share in 1..5_i128, at_least in 0..3_u64, passes in passes(),
    ) {
        let set = match set {
            0 => KnownSet::Size(5),
            1 => KnownSet::Values(NAMES[1..5].iter().map(|name| Arc::from(*name)).collect()),
            _ => KnownSet::Said,
        };
        let bounds = vec![Bound { comparison: Comparison::Gte, value: share * ONE / 5 }];
        let rule = Coverage { of: "shard".to_owned(), set, span_ms: span * unit, bounds, at_least };
        let facts = facts(&raw, unit, |raw| match (&rule.set, names(raw)) {
            (KnownSet::Said, Values::Texts(of)) if raw.3 % 2 == 0 => {
                Values::Measured { of, values: Box::new(Values::Number(i128::from(raw.3 % 9) * ONE)) }
            }
            (_, names) => names,
        });
        same(&StatefulOperator::Coverage(rule.clone()), &facts, &passes, &windows::coverage(&rule, &facts))?;
    }

    #[test]
    fn risk_is_as_the_page_has_it(
        raw in raw(60, 30), unit in select(vec![MINUTE, 4 * HOUR]), span in 1..30_i64, points in vec(0..4_u64, 3),
        enough in 1..20_i128, least_tactics in 0..3_usize, least_rules in 0..4_usize, passes in passes(),
    ) {
        let tactics = ["discovery", "collection", "discovery"];
        let weight = |(place, points): (usize, &u64)| Weight {
            name: NAMES[place].to_owned(), points: *points, tactics: vec![tactics[place].to_owned()],
        };
        let weights = points.iter().enumerate().map(weight).collect();
        let bounds = vec![Bound { comparison: Comparison::Gte, value: enough * ONE }];
        let rule = Risk { weights, span_ms: span * unit, bounds, least_tactics, least_rules };
        let facts = facts(&raw, unit, |_| Values::None);
        same(&StatefulOperator::Risk(rule.clone()), &facts, &passes, &windows::risk(&rule, &facts))?;
    }

    #[test]
    fn a_volume_is_as_the_page_has_it(
        raw in raw(40, 60), quarters in 1..9_i64, unit in 1..9_i64, season in select(vec![1_i64, 1, 2, 24]),
        history in 1..6_usize, learn in 0..4_i64, at_least in 0..4_i128, measured in measured(),
        expectation in expectation(), is_above in any::<bool>(), passes in passes(),
    ) {
        let calendar = Calendar { span_ms: quarters * 15 * MINUTE, season_hours: season, history };
        let beyond = if is_above { Beyond::Above } else { Beyond::Below };
        let at_least = at_least * ONE;
        let rule = Volume { measured, expectation, calendar, learn, at_least, beyond };
        let facts = facts(&raw, unit * 7 * MINUTE, |raw| measured_values(&rule.measured, raw));
        same(&StatefulOperator::Volume(rule.clone()), &facts, &passes, &buckets::volume(&rule, &facts))?;
    }

    #[test]
    fn a_peer_group_is_as_the_page_has_it(
        raw in raw(30, 60), measured in measured(), expectation in expectation(), least_peers in 1..5_usize,
        at_least in 0..4_i128, passes in passes(),
    ) {
        let rule = Peers { measured, expectation, span_ms: 8 * HOUR, least_peers, at_least: at_least * ONE };
        let facts = facts(&raw, HOUR, |raw| match (&rule.measured, names(raw)) {
            (Measured::Count, names) => names,
            (measured, Values::Texts(of)) => {
                let other = (raw.0, raw.1, raw.2.iter().map(|name| (name + 1) % 3).collect(), raw.3);
                Values::Measured { of, values: Box::new(measured_values(measured, &other)) }
            }
            (_, other) => other,
        });
        same(&StatefulOperator::Peers(rule.clone()), &facts, &passes, &buckets::peers(&rule, &facts))?;
    }

    #[test]
    fn a_ratio_is_as_the_page_has_it(
        raw in raw(60, 40), span in 0..20_i64, bounds in vec(bound(), 1..3), at_least in 0..5_i128, to in 1..8_u64,
        measured in measured(), passes in passes(),
    ) {
        let (of, to) = (members(1), members(to));
        let rule = Ratio { of, to, measured, span_ms: span * MINUTE, bounds, at_least: at_least * ONE };
        let facts = facts(&raw, MINUTE, |raw| measured_values(&rule.measured, raw));
        same(&StatefulOperator::Ratio(rule.clone()), &facts, &passes, &buckets::ratio(&rule, &facts))?;
    }

    #[test]
    fn a_sequence_is_as_the_page_has_it(
        raw in vec((0..14_i64, 1..12_u64), 1..12), span in 1..12_i64, gaps in vec(proptest::option::of(0..5_i64), 3),
        counts in vec(1..3_u64, 3), steps in 1..4_usize, passes in passes(),
    ) {
        let step = |place: usize| Step {
            members: members(1 << place), within_ms: gaps[place].map(|gap| gap * DAY).filter(|_| place > 0), at_least: counts[place],
        };
        let rule = Sequence { steps: (0..steps).map(step).collect(), unless: members(8), span_ms: span * DAY };
        let raw: Vec<Raw> = raw.into_iter().map(|(time, mask)| (time, mask, Vec::new(), 0)).collect();
        let facts = facts(&raw, DAY, |_| Values::None);
        // A day apart, so that each chain is a finding of its own.
        let found = found(&StatefulOperator::Sequence(rule.clone()), &facts, &passes);
        let told: Vec<(i64, i64)> = found.iter().map(|found| (found.held.micros(), found.start.micros())).collect();
        prop_assert_eq!(&told, &beside::chains(&rule, &facts));
        for found in found {
            let chain: Vec<Fact> = facts.iter().filter(|fact| found.opened.iter().any(|claim| claim.id == fact.id)).cloned().collect();
            let whole = beside::chains(&rule, &chain);
            prop_assert_eq!(whole, vec![(found.held.micros(), found.start.micros())], "what is claimed is a chain");
            prop_assert_eq!(chain.len() as u64, rule.steps.iter().map(|step| step.at_least).sum::<u64>());
            prop_assert!(chain.iter().map(micros).max() == Some(found.held.micros()));
        }
    }
}
