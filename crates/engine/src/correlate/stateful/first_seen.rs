//! `first_seen`: a value that is new to its group.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::Time;
use serde::{Deserialize, Serialize};

use super::super::{Fact, Measure, Operator, Out};
use super::burst::Burst;
use super::evidence::{Evidence, OPENED_MAX};
use super::key::{Key, KeyMap, map_bytes};
use super::number::span_words;
use super::show;

/// Tells values that their group has not had for a while.
#[derive(Clone, Debug, PartialEq)]
pub struct FirstSeen {
    /// What the values are of, in words.
    pub of: String,
    /// After so long without it, a value is new again, milliseconds.
    pub forget_ms: i64,
    /// So long after the group's first event, values are learned and not told, milliseconds.
    pub learn_ms: i64,
    /// So many of the group's first events are learned and not told.
    pub learn_events: u64,
    /// Values of a group that are remembered.
    pub values_max: usize,
}

/// What is known of a group.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// When each value was last seen.
    known: KeyMap<Time>,
    /// The group's first event.
    begun: Time,
    /// Its last event.
    last: Time,
    /// How many events it had.
    events: u64,
    burst: Burst,
}

impl FirstSeen {
    /// Takes in a value; is it new?
    fn meet(&self, state: &mut State, at: Time, text: &str) -> bool {
        state.known.insert(Key::of(text), at).is_none_or(|seen| seen.plus_millis(self.forget_ms) < at)
    }

    /// Lets go of values when there are too many: first of those that are forgotten anyway, then of those unseen for longest.
    fn bound(&self, state: &mut State, at: Time, out: &mut Out) {
        if state.known.len() <= self.values_max {
            return;
        }
        state.known.retain(|_, seen| seen.plus_millis(self.forget_ms) >= at);
        if state.known.len() <= self.values_max {
            return;
        }
        let keep = self.values_max - self.values_max / 8;
        let mut oldest: Vec<(Time, Key)> = state.known.iter().map(|(key, seen)| (*seen, *key)).collect();
        oldest.sort_unstable();
        let gone = oldest.len() - keep;
        for (_, key) in &oldest[..gone] {
            state.known.remove(key);
        }
        out.shed += gone as u64;
    }

    fn measure(&self, measure: &mut Measure, new: &BTreeSet<Arc<str>>) {
        measure.of = format!("new values of {}", self.of);
        measure.value += new.len() as f64;
        measure.threshold = format!("not seen within {} before", span_words(self.forget_ms));
        show(&mut measure.values, new.iter());
    }
}

impl Operator for FirstSeen {
    type State = State;

    fn step(&self, state: &mut State, at: Time, facts: &[Fact], out: &mut Out) {
        let mut taking = facts.iter().filter(|fact| !fact.values.texts().is_empty()).peekable();
        if taking.peek().is_none() {
            return;
        }
        if state.events == 0 {
            state.begun = at;
        }
        let is_learning = at < state.begun.plus_millis(self.learn_ms) || state.events < self.learn_events;
        let mut new: BTreeSet<Arc<str>> = BTreeSet::new();
        let mut evidence = Evidence::default();
        for fact in taking {
            state.events += 1;
            let mut is_new = false;
            for text in fact.values.texts() {
                if new.contains(text) || self.meet(state, at, text) {
                    is_new = true;
                    new.insert(text.clone());
                }
            }
            if is_new && !is_learning {
                evidence.add(fact, OPENED_MAX);
            }
        }
        state.last = at;
        if !is_learning && !new.is_empty() {
            let striking = || {
                facts.iter().filter(|fact| fact.values.texts().iter().any(|text| new.contains(text))).cloned().collect()
            };
            state.burst.strike(at, evidence, &striking, |measure| self.measure(measure, &new), out);
        }
        self.bound(state, at, out);
    }

    fn pass(&self, state: &mut State, to: Time, out: &mut Out) {
        state.burst.pass(to, out);
        if state.events > 0 && state.last.plus_millis(self.forget_ms) <= to {
            *state = State { burst: std::mem::take(&mut state.burst), ..State::default() };
        }
    }

    fn due(&self, state: &State) -> Option<Time> {
        let forgotten = (state.events > 0).then(|| state.last.plus_millis(self.forget_ms));
        forgotten.into_iter().chain(state.burst.due()).min()
    }

    fn is_idle(&self, state: &State) -> bool {
        state.events == 0 && state.burst.is_idle()
    }

    fn reading(&self, state: &State) -> Option<Measure> {
        if state.events == 0 {
            return state.burst.measure();
        }
        let mut measure = state.burst.measure().unwrap_or_default();
        self.measure(&mut measure, &BTreeSet::new());
        show(&mut measure.values, [format!("{} values are known", state.known.len())]);
        let until = state.begun.plus_millis(self.learn_ms);
        if state.last < until {
            show(&mut measure.values, [format!("learns until {until}")]);
        }
        if state.events < self.learn_events {
            show(&mut measure.values, [format!("learns: {} of {} events", state.events, self.learn_events)]);
        }
        Some(measure)
    }

    fn heap_bytes(&self, state: &State) -> usize {
        map_bytes(&state.known) + state.burst.heap_bytes()
    }
}
