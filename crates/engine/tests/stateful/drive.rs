//! Facts as a test has them, and an operator that is shown them.

use std::sync::Arc;

use engine::correlate::stateful::StatefulOperator;
use engine::correlate::{Episode, Fact, Members, Operator, Out, StatefulState, Told, Values};
use model::{EventId, Time};

/// Where the times of tests begin: a Thursday at midnight, as is every multiple of a week since 1970.
pub const BASE_MS: i64 = 2944 * 7 * 24 * 3_600_000;
pub const SECOND: i64 = 1000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

/// The time so many milliseconds after the beginning.
pub fn at(ms: i64) -> Time {
    Time::from_millis(BASE_MS + ms)
}

/// An event, known by its name.
pub fn fact(ms: i64, name: &str, members: &[usize], values: Values) -> Fact {
    let members = members.iter().fold(Members::default(), |all, member| all.with(Members::one(*member)));
    Fact { time: at(ms), id: EventId::of(&[name.as_bytes()]), members, values, detail: None, beneath: None }
}

pub fn texts(texts: &[&str]) -> Values {
    Values::Texts(texts.iter().map(|text| Arc::from(*text)).collect())
}

pub fn number(number: i64) -> Values {
    Values::Number(i128::from(number) * 1_000_000)
}

/// Shows an operator all facts, with the passing of time as `passes` has it: fractions of the way to the next instant, in 256ths.
/// After each odd one the state is written and read again.
pub fn drive(operator: &StatefulOperator, facts: &[Fact], passes: &[u8]) -> Vec<Told> {
    let mut facts = facts.to_vec();
    facts.sort();
    let mut out = Out { wants_held: true, ..Out::default() };
    let mut state = StatefulState::default();
    let mut passes = passes.iter().copied();
    let mut rest = &facts[..];
    while let Some(first) = rest.first() {
        let time = first.time;
        let (now, later) = rest.split_at(rest.partition_point(|fact| fact.time == time));
        operator.step(&mut state, time, now, &mut out);
        let next = later.first().map_or(time.micros() + 50 * DAY * 1000, |fact| fact.time.micros());
        for pass in passes.by_ref().take(2) {
            let to = time.micros() + (next - 1 - time.micros()) / 256 * i64::from(pass);
            let to = if pass == 255 { next - 1 } else { to };
            let before = out.told.len();
            let due = operator.due(&state);
            operator.pass(&mut state, Time::from_micros(to), &mut out);
            let is_silent = out.told.len() == before;
            assert!(is_silent || due.is_some_and(|due| due.micros() <= to), "what is said was due");
            if pass % 2 == 1 {
                let bytes = postcard::to_stdvec(&state).expect("a state can be written");
                state = postcard::from_bytes(&bytes).expect("what was written can be read");
            }
        }
        rest = later;
    }
    finish(operator, &mut state, &mut out);
    check(&out.told);
    out.told
}

/// Lets time pass from one due time to the next until nothing is left.
fn finish(operator: &StatefulOperator, state: &mut StatefulState, out: &mut Out) {
    let mut turns = 0;
    while let Some(due) = operator.due(state) {
        operator.pass(state, due, out);
        assert!(operator.due(state).is_none_or(|next| next > due), "what was due is done: {state:?}");
        turns += 1;
        assert!(turns < 100_000, "a group without events is forgotten in the end");
    }
    assert!(operator.is_idle(state), "what has nothing due is idle: {state:?}");
    assert_eq!(out.shed, 0);
}

/// Whatever opened is closed once, with the same start, and is held in between.
fn check(told: &[Told]) {
    let mut open: Option<Episode> = None;
    for told in told {
        match told {
            Told::Opened(episode) => {
                assert!(open.is_none(), "one at a time");
                assert_eq!((episode.prolonged_count, episode.held), (0, episode.last_held));
                open = Some(episode.clone());
            }
            Told::Held { first, at, .. } => {
                let open = open.as_mut().expect("only what is open is held");
                assert_eq!(open.first, *first);
                open.last_held = *at;
            }
            Told::Closed(episode) => {
                if let Some(open) = open.take() {
                    assert_eq!((open.first, open.start, open.held), (episode.first, episode.start, episode.held));
                    assert_eq!((&open.opened, open.opened_count), (&episode.opened, episode.opened_count));
                    assert_eq!(open.last_held, episode.last_held);
                }
                assert!(episode.opened.is_sorted_by_key(|claim| (claim.time, claim.id)));
                assert!(episode.prolonged.is_sorted_by_key(|claim| (claim.time, claim.id)));
                assert!(!episode.measure.of.is_empty() && !episode.measure.threshold.is_empty());
            }
        }
    }
    assert!(open.is_none(), "what opened is closed");
}

/// All that is found in the end.
pub fn found(operator: &StatefulOperator, facts: &[Fact], passes: &[u8]) -> Vec<Episode> {
    let closed = |told| match told {
        Told::Closed(episode) => Some(episode),
        _ => None,
    };
    drive(operator, facts, passes).into_iter().filter_map(closed).collect()
}
