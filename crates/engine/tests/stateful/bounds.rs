//! What a flood costs, and that it is counted.

use engine::correlate::stateful::{
    Beyond, Bound, Calendar, Coverage, Expectation, FirstSeen, Joined, KnownSet, Measured, Peers, Rarity, Ratio, Risk,
    Sequence, Silence, StatefulOperator, Step, Unmatched, Volume, Weight,
};
use engine::correlate::{Fact, Members, Operator, Out, StatefulState, Told, Values};
use engine::sigma::Comparison;

use crate::drive::{DAY, HOUR, MINUTE, SECOND, fact, number, texts};

const ONE: i128 = 1_000_000;

fn operators() -> Vec<StatefulOperator> {
    let of = || "name".to_owned();
    let (one, two) = (Members::one(0), Members::one(1));
    let bounds = || vec![Bound { comparison: Comparison::Gte, value: ONE }];
    let expectation = Expectation::Mad(3 * ONE);
    let calendar = Calendar { span_ms: HOUR, season_hours: 168, history: 8 };
    let weights = vec![Weight { name: of(), points: 0, tactics: Vec::new() }];
    let steps = [one, two].map(|members| Step { members, within_ms: Some(HOUR), at_least: 1 }).to_vec();
    vec![
        StatefulOperator::FirstSeen(FirstSeen {
            of: of(),
            forget_ms: DAY,
            learn_ms: HOUR,
            learn_events: 0,
            values_max: 1000,
        }),
        StatefulOperator::Rarity(Rarity {
            of: of(),
            span_ms: DAY,
            share: ONE / 100,
            least_events: 10,
            values_max: 1000,
        }),
        StatefulOperator::Volume(Volume {
            measured: Measured::Distinct(of()),
            expectation,
            calendar,
            learn: 1,
            at_least: 0,
            beyond: Beyond::Above,
        }),
        StatefulOperator::Ratio(Ratio {
            of: one,
            to: one,
            measured: Measured::Distinct(of()),
            span_ms: DAY,
            bounds: bounds(),
            at_least: 0,
        }),
        StatefulOperator::Peers(Peers {
            measured: Measured::Count,
            expectation,
            span_ms: DAY,
            least_peers: 3,
            at_least: 0,
        }),
        StatefulOperator::Unmatched(Unmatched { asking: one, missing: two, what: of(), before_ms: DAY, after_ms: DAY }),
        StatefulOperator::Silence(Silence { span_ms: HOUR, least_events: 2, forget_ms: DAY }),
        StatefulOperator::Coverage(Coverage {
            of: of(),
            set: KnownSet::Size(100_000),
            span_ms: DAY,
            bounds: bounds(),
            at_least: 1,
        }),
        StatefulOperator::Joined(Joined { sides: [one, two], span_ms: DAY }),
        StatefulOperator::Sequence(Sequence { steps, unless: Members::default(), span_ms: DAY }),
        StatefulOperator::Risk(Risk { weights, span_ms: DAY, bounds: bounds(), least_tactics: 0, least_rules: 0 }),
    ]
}

fn event(at: i64) -> Fact {
    fact(at * SECOND, &at.to_string(), &[0], texts(&[&format!("arn:aws:iam::123456789012:role/{at}")]))
}

#[test]
fn a_group_with_one_event_is_small() {
    for operator in operators() {
        let (mut state, event) = (StatefulState::default(), event(0));
        operator.step(&mut state, event.time, std::slice::from_ref(&event), &mut Out::default());
        let bytes = operator.heap_bytes(&state);
        assert!(bytes <= 800, "{bytes} bytes of {operator:?}");
        assert!(!operator.is_idle(&state), "{operator:?}");
    }
}

#[test]
fn a_flood_of_values_costs_a_bounded_group_and_what_is_let_go_of_is_counted() {
    for operator in operators() {
        let (mut state, mut out) = (StatefulState::default(), Out::default());
        for at in 0..25_000 {
            let event = event(at);
            operator.step(&mut state, event.time, std::slice::from_ref(&event), &mut out);
            out.told.clear();
        }
        let bytes = operator.heap_bytes(&state);
        assert!(bytes < 8 << 20, "{bytes} bytes of {operator:?}");
        let is_free = matches!(
            operator,
            StatefulOperator::Silence(_) | StatefulOperator::Sequence(_) | StatefulOperator::Volume(_)
        );
        assert!(is_free || out.shed > 0, "{operator:?}");
    }
}

#[test]
fn what_a_flood_of_values_pushed_out_is_new_again_and_not_missed() {
    let operator = &operators()[0];
    let (mut state, mut out) = (StatefulState::default(), Out::default());
    for at in 0..5000 {
        let event = event(at);
        operator.step(&mut state, event.time, std::slice::from_ref(&event), &mut out);
    }
    assert!(out.shed >= 4000);
    let again = fact(HOUR * 5, "again", &[0], texts(&["arn:aws:iam::123456789012:role/0"]));
    out.told.clear();
    operator.step(&mut state, again.time, std::slice::from_ref(&again), &mut out);
    assert!(out.told.iter().any(|told| matches!(told, Told::Opened(_))), "what was let go of is new again");
}

#[test]
fn a_year_of_hours_is_remembered_in_little() {
    let calendar = Calendar { span_ms: HOUR, season_hours: 168, history: 8 };
    let operator = StatefulOperator::Volume(Volume {
        measured: Measured::Sum("bytes".to_owned()),
        expectation: Expectation::Mad(3 * ONE),
        calendar,
        learn: 168,
        at_least: 0,
        beyond: Beyond::Above,
    });
    let (mut state, mut out) = (StatefulState::default(), Out::default());
    for at in 0..365 * 24 * 4 {
        let event = fact(at * 15 * MINUTE, &at.to_string(), &[0], number(at % 7));
        operator.step(&mut state, event.time, std::slice::from_ref(&event), &mut out);
    }
    let bytes = operator.heap_bytes(&state);
    assert!(bytes < 96 << 10, "{bytes}");
    assert_eq!(out.shed, 0);
}

#[test]
fn events_without_what_a_type_reads_leave_no_state() {
    let event = fact(0, "event", &[0], Values::None);
    for operator in &operators()[..5] {
        let mut state = StatefulState::default();
        operator.step(&mut state, event.time, std::slice::from_ref(&event), &mut Out::default());
        assert!(operator.is_idle(&state) && operator.due(&state).is_none(), "{operator:?}");
    }
}
