//! Where a group stands, for a person who asks: one sentence for each type.

use std::sync::Arc;

use engine::correlate::stateful::{
    Beyond, Bound, Calendar, Coverage, Expectation, FirstSeen, Joined, KnownSet, Measured, Peers, Rarity, Ratio, Risk,
    Sequence, Silence, Step, Unmatched, Volume, Weight,
};
use engine::correlate::{Fact, Members, Operator, Out, StatefulOperator, StatefulState, Values};
use engine::sigma::Comparison;

use crate::drive::{HOUR, MINUTE, fact, number, texts};

const ONE: i128 = 1_000_000;

/// What is read after all facts were shown: value, what is measured, threshold, and what explains it.
fn read(operator: &StatefulOperator, facts: &[Fact]) -> String {
    let (mut state, mut out) = (StatefulState::default(), Out::default());
    assert_eq!(operator.reading(&state), None, "nothing is measured before anything happened");
    for fact in facts {
        operator.step(&mut state, fact.time, std::slice::from_ref(fact), &mut out);
    }
    let measure = operator.reading(&state).expect("something is measured");
    let value = (measure.value * 100.0).round() / 100.0;
    format!("{value} {}; {} [{}]", measure.of, measure.threshold, measure.values.join(", "))
}

fn at_least(value: i128) -> Vec<Bound> {
    vec![Bound { comparison: Comparison::Gte, value: value * ONE }]
}

fn events(count: i64, members: &[usize], values: &Values) -> Vec<Fact> {
    (0..count).map(|n| fact(n * MINUTE, &format!("e{n}"), members, values.clone())).collect()
}

#[test]
fn first_seen_says_what_is_known_and_whether_it_learns() {
    let operator = FirstSeen { of: "u".into(), forget_ms: HOUR, learn_ms: 0, learn_events: 5, values_max: 99 };
    let said = read(&StatefulOperator::FirstSeen(operator), &events(3, &[0], &texts(&["a", "b"])));
    assert_eq!(said, "0 new values of u; not seen within 1h before [2 values are known, learns: 3 of 5 events]");
}

#[test]
fn rarity_says_how_many_events_it_judges_by() {
    let operator = Rarity { of: "u".into(), span_ms: HOUR, share: ONE / 100, least_events: 100, values_max: 99 };
    let said = read(&StatefulOperator::Rarity(operator), &events(3, &[0], &texts(&["a"])));
    assert_eq!(said, "3 events by which values of u are judged; at least 100 before anything is rare []");
}

#[test]
fn volume_says_the_bucket_against_its_limit() {
    let volume = Volume {
        measured: Measured::Count,
        expectation: Expectation::Mad(3 * ONE),
        calendar: Calendar { span_ms: HOUR, season_hours: 1, history: 24 },
        learn: 2,
        at_least: 0,
        beyond: Beyond::Above,
    };
    let operator = StatefulOperator::Volume(volume);
    let hours = |hours: i64| -> Vec<Fact> {
        (0..hours).map(|n| fact(n * HOUR, &format!("e{n}"), &[0], Values::None)).collect()
    };
    let said = read(&operator, &hours(1));
    assert!(said.starts_with("1 events; learns: 0 of 2 buckets are over [from "), "{said}");
    let said = read(&operator, &hours(3));
    assert!(said.starts_with("1 events; more than 4 [from "), "{said}");
}

#[test]
fn ratio_says_both_sides_and_when_it_is_judged() {
    let operator = Ratio {
        of: Members::one(0),
        to: Members::one(1),
        measured: Measured::Count,
        span_ms: HOUR,
        bounds: at_least(2),
        at_least: 10 * ONE,
    };
    let mut facts = events(3, &[0], &Values::None);
    facts.push(fact(5 * MINUTE, "to", &[1], Values::None));
    let said = read(&StatefulOperator::Ratio(operator), &facts);
    assert!(said.starts_with("3 events: 3 to 1; at least 2 [judged at "), "{said}");
    assert!(said.ends_with("judged if there are at least 10 below the line]"), "{said}");
}

#[test]
fn peers_say_the_greatest_and_how_many_others_there_are() {
    let operator = StatefulOperator::Peers(Peers {
        measured: Measured::Count,
        expectation: Expectation::Mad(3 * ONE),
        span_ms: HOUR,
        least_peers: 2,
        at_least: 0,
    });
    let mut facts = events(5, &[0], &texts(&["ana"]));
    facts.push(fact(6 * MINUTE, "b", &[0], texts(&["ben"])));
    let said = read(&operator, &facts);
    assert!(said.starts_with("5 events of one entity among 1 peers; judged among at least 2 peers [ana, "), "{said}");
    facts.push(fact(7 * MINUTE, "c", &[0], texts(&["cyd"])));
    let said = read(&operator, &facts);
    assert!(said.starts_with("5 events of one entity among 2 peers; more than 4 [ana, judged at "), "{said}");
}

#[test]
fn what_waits_for_another_says_since_when() {
    let operator = Unmatched {
        asking: Members::one(0),
        missing: Members::one(1),
        what: "approval".into(),
        before_ms: 0,
        after_ms: HOUR,
    };
    let said = read(&StatefulOperator::Unmatched(operator), &events(2, &[0], &Values::None));
    assert!(
        said.starts_with("0 events with nothing beside them; no `approval` within 1h after [approval, 2 wait, since "),
        "{said}"
    );
}

#[test]
fn silence_says_the_last_event() {
    let operator = Silence { span_ms: HOUR, least_events: 10, forget_ms: 24 * HOUR };
    let said = read(&StatefulOperator::Silence(operator), &events(3, &[0], &Values::None));
    assert!(said.starts_with("3 events; at least 10, then none for 1h [the last at "), "{said}");
}

#[test]
fn coverage_says_the_share_and_what_was_not_touched() {
    let set = KnownSet::Values(["a", "b", "c", "d"].map(Arc::from).to_vec());
    let operator = Coverage {
        of: "keys".into(),
        set,
        span_ms: HOUR,
        bounds: vec![Bound { comparison: Comparison::Gte, value: ONE / 2 }],
        at_least: 1,
    };
    let said = read(&StatefulOperator::Coverage(operator), &events(2, &[0], &texts(&["b"])));
    assert!(said.starts_with("0.25 share of the 4 keys that were touched: 1; at least 0.5 within 1h [not touched: a, not touched: c, not touched: d, since "), "{said}");
}

#[test]
fn a_join_says_what_waits() {
    let operator = Joined { sides: [Members::one(0), Members::one(1)], span_ms: HOUR };
    let said = read(&StatefulOperator::Joined(operator), &events(2, &[0], &Values::None));
    assert!(
        said.starts_with(
            "0 events with one of the other rule beside them; both within 1h [2 wait for one of the other rule, since "
        ),
        "{said}"
    );
}

#[test]
fn a_sequence_says_its_furthest_step() {
    let step = |member, at_least| Step { members: Members::one(member), within_ms: None, at_least };
    let sequence =
        Sequence { steps: vec![step(0, 1), step(1, 3), step(2, 1)], unless: Members::default(), span_ms: HOUR };
    let facts =
        [fact(0, "a", &[0], number(1)), fact(MINUTE, "b", &[1], number(1)), fact(2 * MINUTE, "c", &[1], number(1))];
    let said = read(&StatefulOperator::Sequence(sequence), &facts);
    assert!(
        said.starts_with("1 steps that followed one another; 3 steps within 1h [step 2 has 2 of 3 events, since "),
        "{said}"
    );
}

#[test]
fn risk_says_the_points_and_of_what() {
    let weight = |name: &str, points| Weight { name: name.into(), points, tactics: vec![] };
    let operator = Risk {
        weights: vec![weight("key made", 30), weight("read", 5)],
        span_ms: HOUR,
        bounds: at_least(100),
        least_tactics: 0,
        least_rules: 0,
    };
    let mut facts = events(2, &[1], &Values::None);
    facts.push(fact(3 * MINUTE, "key", &[0], Values::None));
    let said = read(&StatefulOperator::Risk(operator), &facts);
    assert!(
        said.starts_with(
            "40 points of 0 tactics; at least 100 points within 1h [key made: 30 × 1, read: 5 × 2, since "
        ),
        "{said}"
    );
}
