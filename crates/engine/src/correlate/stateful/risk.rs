//! `risk`: points of signals that add up.

use std::collections::BTreeSet;

use model::Time;
use serde::{Deserialize, Serialize};

use super::super::{Fact, Measure, Operator, Out};
use super::key::Key;
use super::number::{ONE, span_words};
use super::sliding::{Ask, Window, thing};
use super::{Bound, bound_words, show};

/// What an event of a member is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weight {
    /// What the member is called.
    pub name: String,
    /// Points.
    pub points: u64,
    /// Its tactics.
    pub tactics: Vec<String>,
}

/// Tells when the points of a group's signals suffice.
#[derive(Clone, Debug, PartialEq)]
pub struct Risk {
    /// What an event of each member is worth, in their order.
    pub weights: Vec<Weight>,
    /// How long the window is, milliseconds.
    pub span_ms: i64,
    /// What the sum is compared with: more than, or at least.
    pub bounds: Vec<Bound>,
    /// The least number of different tactics.
    pub least_tactics: usize,
    /// The least number of different members.
    pub least_rules: usize,
}

/// What is known of a group.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    window: Window,
    /// How many events of each member stand in the window; as long as it has to be.
    counts: Vec<u64>,
}

impl Risk {
    fn points(&self, counts: &[u64]) -> u64 {
        let each = self.weights.iter().zip(counts).map(|(weight, count)| weight.points.saturating_mul(*count));
        each.fold(0, u64::saturating_add)
    }

    fn occurring<'a>(&'a self, counts: &'a [u64]) -> impl Iterator<Item = &'a Weight> {
        self.weights.iter().zip(counts).filter(|(_, count)| **count > 0).map(|(weight, _)| weight)
    }

    fn tactics(&self, counts: &[u64]) -> usize {
        self.occurring(counts).flat_map(|weight| &weight.tactics).collect::<BTreeSet<_>>().len()
    }
}

impl Ask for Risk {
    type Sum = Vec<u64>;

    fn add(&self, counts: &mut Vec<u64>, fact: &Fact) {
        for member in fact.members.iter() {
            if counts.len() <= member {
                counts.resize(member + 1, 0);
            }
            counts[member] += 1;
        }
    }

    fn remove(&self, counts: &mut Vec<u64>, fact: &Fact) {
        fact.members.iter().for_each(|member| counts[member] -= 1);
    }

    fn holds(&self, counts: &Vec<u64>) -> bool {
        let points = i128::from(self.points(counts)) * ONE;
        self.bounds.iter().all(|bound| bound.keeps(points, ONE))
            && (self.least_rules == 0 || self.occurring(counts).count() >= self.least_rules)
            && (self.least_tactics == 0 || self.tactics(counts) >= self.least_tactics)
    }

    fn value(&self, counts: &Vec<u64>) -> f64 {
        self.points(counts) as f64
    }

    fn measure(&self, counts: &Vec<u64>, _: &mut dyn Iterator<Item = &Fact>) -> Measure {
        let mut threshold = format!("{} points", bound_words(&self.bounds));
        if self.least_tactics > 0 {
            threshold += &format!(" of at least {} tactics", self.least_tactics);
        }
        if self.least_rules > 0 {
            threshold += &format!(" of at least {} rules", self.least_rules);
        }
        let mut measure = Measure {
            of: format!("points of {} tactics", self.tactics(counts)),
            value: self.value(counts),
            threshold: format!("{threshold} within {}", span_words(self.span_ms)),
            ..Measure::default()
        };
        let each = self.weights.iter().zip(counts).filter(|(_, count)| **count > 0);
        show(&mut measure.values, each.map(|(weight, count)| format!("{}: {} × {count}", weight.name, weight.points)));
        measure
    }
}

impl Operator for Risk {
    type State = State;

    fn step(&self, state: &mut State, _: Time, facts: &[Fact], out: &mut Out) {
        let things = facts.iter().map(|fact| thing(Key(*fact.id.as_bytes()), fact, None)).collect();
        state.window.step(self, &mut state.counts, self.span_ms, things, facts, out);
    }

    fn pass(&self, state: &mut State, to: Time, out: &mut Out) {
        if state.window.pass(self.span_ms, to, out) {
            *state = State::default();
        }
    }

    fn due(&self, state: &State) -> Option<Time> {
        state.window.due(self.span_ms)
    }

    fn is_idle(&self, state: &State) -> bool {
        state.window.is_idle()
    }

    fn reading(&self, state: &State) -> Option<Measure> {
        state.window.reading(self, &state.counts)
    }

    fn heap_bytes(&self, state: &State) -> usize {
        state.window.heap_bytes() + state.counts.capacity() * 8
    }
}
