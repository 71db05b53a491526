//! `ratio`: some members' events set against others'.

use model::Time;
use serde::{Deserialize, Serialize};

use super::super::{Fact, Measure, Members, Operator, Out, Told};
use super::burst::open;
use super::evidence::{Evidence, OPENED_MAX};
use super::number::{ONE, shown, words};
use super::tally::{Measured, Tally};
use super::{Bound, bound_words};

/// Judges the quotient of two measures over windows of one time span.
#[derive(Clone, Debug, PartialEq)]
pub struct Ratio {
    /// The members above the line.
    pub of: Members,
    /// The members below the line.
    pub to: Members,
    /// What is measured on both sides.
    pub measured: Measured,
    /// The length of a window, milliseconds.
    pub span_ms: i64,
    /// What the quotient is compared with, all of which must hold.
    pub bounds: Vec<Bound>,
    /// The least measure below the line, millionths.
    pub at_least: i128,
}

/// The window of a group.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    evidence: Evidence,
    last: Time,
    of: Tally,
    to: Tally,
}

impl Ratio {
    fn end(&self, state: &State) -> Option<Time> {
        state.evidence.first.map(|(start, _)| start.plus_millis(self.span_ms))
    }

    fn measure(&self, of: i128, to: i128) -> Measure {
        Measure {
            of: format!("{}: {} to {}", self.measured.words(), words(shown(of)), words(shown(to))),
            value: if to > 0 { of as f64 / to as f64 } else { 0.0 },
            threshold: bound_words(&self.bounds),
            ..Measure::default()
        }
    }

    fn judge(&self, state: State, out: &mut Out) {
        let (of, to) = (state.of.value, state.to.value);
        if to <= 0 || to < self.at_least || !self.bounds.iter().all(|bound| bound.keeps(of, to)) {
            return;
        }
        let mut episode = open(state.last, state.evidence);
        episode.measure = self.measure(of, to);
        out.told.push(Told::Closed(episode));
    }
}

impl Operator for Ratio {
    type State = State;

    fn step(&self, state: &mut State, at: Time, facts: &[Fact], out: &mut Out) {
        let both = self.of.with(self.to);
        for fact in facts.iter().filter(|fact| fact.members.0 & both.0 != 0 && self.measured.takes(&fact.values)) {
            state.last = at;
            state.evidence.add(fact, OPENED_MAX);
            if fact.members.0 & self.of.0 != 0 {
                self.measured.add(&mut state.of, &fact.values, &mut out.shed);
            }
            if fact.members.0 & self.to.0 != 0 {
                self.measured.add(&mut state.to, &fact.values, &mut out.shed);
            }
        }
    }

    fn pass(&self, state: &mut State, to: Time, out: &mut Out) {
        if self.end(state).is_some_and(|end| end <= to) {
            self.judge(std::mem::take(state), out);
        }
    }

    fn due(&self, state: &State) -> Option<Time> {
        self.end(state)
    }

    fn is_idle(&self, state: &State) -> bool {
        state.evidence.first.is_none()
    }

    fn reading(&self, state: &State) -> Option<Measure> {
        let (end, (of, to)) = (self.end(state)?, (state.of.value, state.to.value));
        let mut measure = self.measure(of, to);
        measure.values.push(format!("judged at {end}"));
        if self.at_least > 0 {
            measure.values.push(format!("judged if there are at least {} below the line", words(shown(self.at_least))));
        }
        Some(measure)
    }

    fn heap_bytes(&self, state: &State) -> usize {
        state.evidence.heap_bytes() + state.of.heap_bytes() + state.to.heap_bytes()
    }
}

impl Bound {
    /// Does the quotient of two numbers keep it? Compared as fractions; `to` is above zero.
    pub(super) fn keeps(&self, of: i128, to: i128) -> bool {
        self.comparison.holds(of.saturating_mul(ONE).cmp(&self.value.saturating_mul(to)))
    }
}
