//! `rarity`: a value that is rare in its group.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use model::Time;
use serde::{Deserialize, Serialize};

use super::super::{Fact, Measure, Operator, Out};
use super::burst::Burst;
use super::evidence::{Evidence, OPENED_MAX};
use super::key::{Key, KeyMap, KeySet, map_bytes};
use super::number::{ONE, shown, span_words, words};
use super::show;

/// Parts into which the time span is cut; the past is let go of part by part.
pub const SLICES: i64 = 32;

/// Tells values that few of their group's events had of late.
#[derive(Clone, Debug, PartialEq)]
pub struct Rarity {
    /// What the values are of, in words.
    pub of: String,
    /// How far back to look, milliseconds.
    pub span_ms: i64,
    /// A value is rare if a smaller share of the events had it, millionths.
    pub share: i128,
    /// Events that there must have been before anything is rare.
    pub least_events: u64,
    /// Values of a group that are remembered, for all slices together.
    pub values_max: usize,
}

/// The events of one slice of time.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Slice {
    number: i64,
    events: u64,
    counts: KeyMap<u64>,
}

/// What is known of a group.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// The slices with events, oldest first; the last one is still going on.
    slices: VecDeque<Slice>,
    /// The sums over all slices but the last.
    past: KeyMap<u64>,
    past_events: u64,
    burst: Burst,
}

impl State {
    /// Takes the oldest slice out of the past.
    fn forget_oldest(&mut self) -> usize {
        let Some(slice) = self.slices.pop_front() else { return 0 };
        self.past_events -= slice.events;
        for (key, count) in &slice.counts {
            if let Some(sum) = self.past.get_mut(key) {
                *sum -= count;
                if *sum == 0 {
                    self.past.remove(key);
                }
            }
        }
        slice.counts.len()
    }

    fn values(&self) -> usize {
        self.slices.iter().map(|slice| slice.counts.len()).sum()
    }
}

impl Rarity {
    /// The length of a slice, microseconds.
    fn slice(&self) -> i64 {
        (self.span_ms * 1000 + SLICES - 1) / SLICES
    }

    /// The slice of `at` becomes the last one; those that are too old are let go of.
    fn turn_to(&self, state: &mut State, at: Time) {
        let number = at.micros() / self.slice();
        if state.slices.back().is_none_or(|last| last.number < number) {
            if let Some(last) = state.slices.back() {
                state.past_events += last.events;
                last.counts.iter().for_each(|(key, count)| *state.past.entry(*key).or_default() += count);
            }
            state.slices.push_back(Slice { number, ..Slice::default() });
        }
        while state.slices.front().is_some_and(|slice| slice.number < number - SLICES) {
            state.forget_oldest();
        }
    }

    /// The count of a value in the past, where that is rare.
    fn rare(&self, state: &State, key: Key) -> Option<u64> {
        let count = state.past.get(&key).copied().unwrap_or(0);
        let is_rare = i128::from(count) * ONE < self.share * i128::from(state.past_events);
        (state.past_events >= self.least_events && is_rare).then_some(count)
    }

    /// Counts the values of an event, each once.
    fn count(&self, state: &mut State, keys: &KeySet, out: &mut Out) {
        let mut room = self.values_max.saturating_sub(state.values());
        while room < keys.len() && state.slices.len() > 1 {
            out.shed += state.forget_oldest() as u64;
            room = self.values_max.saturating_sub(state.values());
        }
        let Some(slice) = state.slices.back_mut() else { return };
        slice.events += 1;
        let mut keys: Vec<&Key> = keys.iter().collect();
        keys.sort_unstable();
        for key in keys {
            match slice.counts.get_mut(key) {
                Some(count) => *count += 1,
                None if room == 0 => out.shed += 1,
                None => {
                    slice.counts.insert(*key, 1);
                    room -= 1;
                }
            }
        }
    }

    fn measure(&self, measure: &mut Measure, rare: &BTreeSet<Arc<str>>, share: f64) {
        let is_first = measure.of.is_empty();
        measure.of = format!("least share of a value of {}, percent", self.of);
        measure.value = if is_first { share } else { measure.value.min(share) };
        let (bound, span) = (words(shown(self.share * 100)), span_words(self.span_ms));
        measure.threshold =
            format!("less than {bound} % of at least {} events within {span} before", self.least_events);
        show(&mut measure.values, rare.iter());
    }
}

impl Operator for Rarity {
    type State = State;

    fn step(&self, state: &mut State, at: Time, facts: &[Fact], out: &mut Out) {
        if facts.iter().all(|fact| fact.values.texts().is_empty()) {
            return;
        }
        self.turn_to(state, at);
        let (mut evidence, mut rare) = (Evidence::default(), BTreeSet::new());
        let mut least = f64::INFINITY;
        let mut counted = Vec::new();
        for fact in facts.iter().filter(|fact| !fact.values.texts().is_empty()) {
            let (mut keys, mut is_rare) = (KeySet::default(), false);
            for text in fact.values.texts() {
                let key = Key::of(text);
                keys.insert(key);
                if let Some(count) = self.rare(state, key) {
                    is_rare = true;
                    rare.insert(text.clone());
                    least = least.min(count as f64 * 100.0 / state.past_events.max(1) as f64);
                }
            }
            if is_rare {
                evidence.add(fact, OPENED_MAX);
            }
            counted.push(keys);
        }
        counted.iter().for_each(|keys| self.count(state, keys, out));
        if !rare.is_empty() {
            let is_striking = |fact: &&Fact| fact.values.texts().iter().any(|text| rare.contains(text));
            let striking = || facts.iter().filter(is_striking).cloned().collect();
            state.burst.strike(at, evidence, &striking, |measure| self.measure(measure, &rare, least), out);
        }
    }

    fn pass(&self, state: &mut State, to: Time, out: &mut Out) {
        state.burst.pass(to, out);
        if self.forgotten(state).is_some_and(|time| time <= to) {
            *state = State { burst: std::mem::take(&mut state.burst), ..State::default() };
        }
    }

    fn due(&self, state: &State) -> Option<Time> {
        self.forgotten(state).into_iter().chain(state.burst.due()).min()
    }

    fn is_idle(&self, state: &State) -> bool {
        state.slices.is_empty() && state.burst.is_idle()
    }

    fn reading(&self, state: &State) -> Option<Measure> {
        let is_known = state.burst.is_idle() && state.slices.is_empty();
        let events = state.past_events + state.slices.back().map_or(0, |slice| slice.events);
        let known = || Measure {
            of: format!("events by which values of {} are judged", self.of),
            value: events as f64,
            threshold: format!("at least {} before anything is rare", self.least_events),
            ..Measure::default()
        };
        (!is_known).then(|| state.burst.measure().unwrap_or_else(known))
    }

    fn heap_bytes(&self, state: &State) -> usize {
        let slices: usize = state.slices.iter().map(|slice| map_bytes(&slice.counts)).sum();
        slices + state.slices.capacity() * size_of::<Slice>() + map_bytes(&state.past) + state.burst.heap_bytes()
    }
}

impl Rarity {
    /// When all that is known of the group is too old to count.
    fn forgotten(&self, state: &State) -> Option<Time> {
        let last = state.slices.back()?;
        Some(Time::from_micros((last.number + SLICES + 1) * self.slice() - 1))
    }
}
