//! `absence` and `join` with something missing: events beside which another should have been.

use model::Time;
use serde::{Deserialize, Serialize};

use super::super::{Fact, Measure, Members, Operator, Out};
use super::burst::Burst;
use super::evidence::{Evidence, OPENED_MAX, bare};
use super::number::span_words;

/// Events of one group that wait for another; further ones of the same wait are let go of.
const WAITING_MAX: usize = 1000;

/// Tells events beside which there is none of certain others.
#[derive(Clone, Debug, PartialEq)]
pub struct Unmatched {
    /// The members whose events ask for another.
    pub asking: Members,
    /// The members one of whose events should have been there.
    pub missing: Members,
    /// What is missing, in words.
    pub what: String,
    /// How long before the event it may have been, milliseconds; 0 for the same time only.
    pub before_ms: i64,
    /// How long after the event it may still come, milliseconds; 0 for the same time only.
    pub after_ms: i64,
}

/// What is known of a group.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// Events that may still have what they ask for, in order of time.
    waiting: Vec<Fact>,
    /// When one of those that should be there was there last.
    last: Option<Time>,
    burst: Burst,
}

impl Unmatched {
    /// Those who waited long enough have nothing beside them.
    fn strike(&self, state: &mut State, at: Time, facts: &[Fact], out: &mut Out) {
        let evidence = Evidence::of(facts, OPENED_MAX);
        let count = facts.len() as f64;
        state.burst.strike(at, evidence, &|| facts.to_vec(), |measure| self.measure(measure, count), out);
    }

    fn measure(&self, measure: &mut Measure, more: f64) {
        measure.of = "events with nothing beside them".to_owned();
        measure.value += more;
        let (before, after) = (span_words(self.before_ms), span_words(self.after_ms));
        let side = match (self.before_ms, self.after_ms) {
            (0, _) => format!("within {after} after"),
            (_, 0) => format!("within {before} before"),
            _ if before == after => format!("within {before} before or after"),
            _ => format!("within {before} before or {after} after"),
        };
        measure.threshold = format!("no `{}` {side}", self.what);
        measure.values = vec![self.what.clone()];
    }
}

impl Operator for Unmatched {
    type State = State;

    fn step(&self, state: &mut State, at: Time, facts: &[Fact], out: &mut Out) {
        let has = |fact: &Fact, members: Members| fact.members.0 & members.0 != 0;
        if facts.iter().any(|fact| has(fact, self.missing)) {
            state.last = (self.before_ms > 0).then_some(at);
            state.waiting.clear();
            return;
        }
        if state.last.is_some_and(|last| last.plus_millis(self.before_ms) >= at) {
            return;
        }
        let asking: Vec<Fact> = facts.iter().filter(|fact| has(fact, self.asking)).map(bare).collect();
        if asking.is_empty() {
            return;
        }
        if self.after_ms == 0 {
            self.strike(state, at, &asking, out);
            return;
        }
        let room = WAITING_MAX.saturating_sub(state.waiting.len());
        out.shed += asking.len().saturating_sub(room) as u64;
        state.waiting.extend(asking.into_iter().take(room));
    }

    fn pass(&self, state: &mut State, to: Time, out: &mut Out) {
        while let Some(first) = state.waiting.first() {
            let time = first.time;
            let due = time.plus_millis(self.after_ms);
            if due > to {
                break;
            }
            let end = state.waiting.partition_point(|fact| fact.time <= time);
            let alone: Vec<Fact> = state.waiting.drain(..end).collect();
            self.strike(state, due, &alone, out);
        }
        if state.last.is_some_and(|last| last.plus_millis(self.before_ms) <= to) {
            state.last = None;
        }
        state.burst.pass(to, out);
    }

    fn stop(&self, state: &mut State, _at: Time, out: &mut Out) {
        state.burst.pass(Time::MAX, out);
    }

    fn due(&self, state: &State) -> Option<Time> {
        let waiting = state.waiting.first().map(|fact| fact.time.plus_millis(self.after_ms));
        let forgotten = state.last.map(|last| last.plus_millis(self.before_ms));
        waiting.into_iter().chain(forgotten).chain(state.burst.due()).min()
    }

    fn is_idle(&self, state: &State) -> bool {
        state.waiting.is_empty() && state.last.is_none() && state.burst.is_idle()
    }

    fn reading(&self, state: &State) -> Option<Measure> {
        if self.is_idle(state) {
            return None;
        }
        let mut measure = state.burst.measure().unwrap_or_default();
        self.measure(&mut measure, 0.0);
        if let Some(first) = state.waiting.first() {
            measure.values.push(format!("{} wait, since {}", state.waiting.len(), first.time));
        }
        Some(measure)
    }

    fn heap_bytes(&self, state: &State) -> usize {
        state.waiting.capacity() * size_of::<Fact>() + state.burst.heap_bytes()
    }
}
