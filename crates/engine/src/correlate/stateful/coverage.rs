//! `coverage`: the share of a known set that was touched.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::Time;
use serde::{Deserialize, Serialize};

use super::super::{Fact, Measure, Operator, Out};
use super::key::Key;
use super::number::{ONE, span_words};
use super::sliding::{Ask, Window, thing};
use super::{Bound, bound_words, show};

/// The set of which a share is touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KnownSet {
    /// So many.
    Size(u64),
    /// These values, sorted; others do not count.
    Values(Vec<Arc<str>>),
    /// So many as the events of the last time span say; the latest that says so counts, and of those of one time the greatest.
    Said,
}

/// Tells when enough of a known set was touched.
#[derive(Clone, Debug, PartialEq)]
pub struct Coverage {
    /// What the values are of, in words.
    pub of: String,
    /// The set.
    pub set: KnownSet,
    /// How long the window is, milliseconds.
    pub span_ms: i64,
    /// What the share is compared with: more than, or at least.
    pub bounds: Vec<Bound>,
    /// The least number of different values.
    pub at_least: u64,
}

/// What is known of a group.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    window: Window,
    sum: Sum,
}

/// How many values stand in the window, and how large the set is said to be.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Sum {
    touched: u64,
    said: Option<(Time, u64)>,
}

impl Coverage {
    fn size(&self, sum: &Sum) -> u64 {
        match &self.set {
            KnownSet::Size(size) => *size,
            KnownSet::Values(values) => values.len() as u64,
            KnownSet::Said => sum.said.map_or(0, |(_, size)| size),
        }
    }

    fn is_known(&self, text: &Arc<str>) -> bool {
        match &self.set {
            KnownSet::Values(values) => values.binary_search(text).is_ok(),
            _ => true,
        }
    }

    /// The values of an instant, each with the first of its events by id.
    fn things(&self, facts: &[Fact]) -> Vec<(Key, Fact)> {
        let mut things: BTreeMap<Key, Fact> = BTreeMap::new();
        for fact in facts {
            for text in fact.values.things().iter().filter(|text| self.is_known(text)) {
                let key = Key::of(text);
                things.entry(key).or_insert_with(|| thing(key, fact, Some(text)).1);
            }
        }
        things.into_iter().collect()
    }
}

impl Ask for Coverage {
    type Sum = Sum;

    fn add(&self, sum: &mut Sum, _: &Fact) {
        sum.touched += 1;
    }

    fn remove(&self, sum: &mut Sum, _: &Fact) {
        sum.touched -= 1;
    }

    fn holds(&self, sum: &Sum) -> bool {
        let size = i128::from(self.size(sum));
        let touched = i128::from(sum.touched);
        size > 0
            && sum.touched >= self.at_least
            && self.bounds.iter().all(|bound| bound.keeps(touched * ONE, size * ONE))
    }

    fn value(&self, sum: &Sum) -> f64 {
        sum.touched as f64 / self.size(sum) as f64
    }

    fn measure(&self, sum: &Sum, facts: &mut dyn Iterator<Item = &Fact>) -> Measure {
        let size = self.size(sum);
        let mut measure = Measure {
            of: format!("share of the {size} {} that were touched: {}", self.of, sum.touched),
            value: self.value(sum),
            threshold: format!("{} within {}", bound_words(&self.bounds), span_words(self.span_ms)),
            ..Measure::default()
        };
        if self.at_least > 1 {
            measure.threshold += &format!(", and at least {} values", self.at_least);
        }
        if let KnownSet::Values(values) = &self.set {
            let touched: BTreeSet<&Arc<str>> = facts.flat_map(|fact| fact.values.texts()).collect();
            let untouched = values.iter().filter(|value| !touched.contains(value));
            show(&mut measure.values, untouched.map(|value| format!("not touched: {value}")));
        } else {
            show(&mut measure.values, [format!("not touched: {}", size.saturating_sub(sum.touched))]);
        }
        measure
    }
}

impl Operator for Coverage {
    type State = State;

    fn step(&self, state: &mut State, at: Time, facts: &[Fact], out: &mut Out) {
        let things = self.things(facts);
        if things.is_empty() {
            return;
        }
        let taking = |fact: &&Fact| fact.values.things().iter().any(|text| self.is_known(text));
        let taking: Vec<Fact> = facts.iter().filter(taking).cloned().collect();
        let State { window, sum } = state;
        if self.set == KnownSet::Said {
            let said = taking.iter().flat_map(|fact| fact.values.measured().numbers()).filter(|number| **number >= ONE);
            if let Some(said) = said.max() {
                sum.said = Some((at, u64::try_from(said / ONE).unwrap_or(u64::MAX)));
            }
        }
        window.step(self, sum, self.span_ms, things, &taking, out);
    }

    fn pass(&self, state: &mut State, to: Time, out: &mut Out) {
        if state.window.pass(self.span_ms, to, out) {
            state.sum.touched = 0;
        }
        if self.unsaid(state).is_some_and(|time| time <= to) {
            state.sum.said = None;
        }
    }

    fn due(&self, state: &State) -> Option<Time> {
        state.window.due(self.span_ms).into_iter().chain(self.unsaid(state)).min()
    }

    fn is_idle(&self, state: &State) -> bool {
        state.window.is_idle() && state.sum.said.is_none()
    }

    fn reading(&self, state: &State) -> Option<Measure> {
        // Before its size is said, there is no share of a set.
        (self.size(&state.sum) > 0).then(|| state.window.reading(self, &state.sum)).flatten()
    }

    fn heap_bytes(&self, state: &State) -> usize {
        state.window.heap_bytes()
    }
}

impl Coverage {
    /// When what was said of the size is too old to count.
    fn unsaid(&self, state: &State) -> Option<Time> {
        state.sum.said.map(|(time, _)| time.plus_millis(self.span_ms))
    }
}
