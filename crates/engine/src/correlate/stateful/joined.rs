//! `join`: two members beside each other.

use model::Time;
use serde::{Deserialize, Serialize};

use super::super::{Fact, Measure, Members, Operator, Out};
use super::burst::Burst;
use super::evidence::{Evidence, OPENED_MAX, bare};
use super::number::span_words;

/// Events of each side that wait for the other; further ones are let go of.
const WAITING_MAX: usize = 1000;

/// Tells events of two sides that lie close to each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Joined {
    /// The members of each side.
    pub sides: [Members; 2],
    /// How far apart they may be, milliseconds.
    pub span_ms: i64,
}

/// What is known of a group.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// Events of each side that have nothing beside them so far, in order of time.
    waiting: [Vec<Fact>; 2],
    /// The last event of each side.
    last: [Option<Time>; 2],
    burst: Burst,
}

impl Joined {
    fn is_near(&self, earlier: Option<Time>, at: Time) -> bool {
        earlier.is_some_and(|earlier| earlier.plus_millis(self.span_ms) >= at)
    }

    /// The events that now have another beside them; the others wait.
    fn pair(&self, state: &mut State, at: Time, facts: &[Fact], out: &mut Out) -> Vec<Fact> {
        let has = |fact: &Fact, side: usize| fact.members.0 & self.sides[side].0 != 0;
        let mut paired: Vec<Fact> = Vec::new();
        for side in [0, 1] {
            if facts.iter().any(|fact| has(fact, side)) {
                let near = std::mem::take(&mut state.waiting[1 - side]);
                paired.extend(near.into_iter().filter(|fact| self.is_near(Some(fact.time), at)));
                state.last[side] = Some(at);
            }
        }
        for fact in facts {
            let is_paired = [0, 1].iter().any(|side| has(fact, *side) && self.is_near(state.last[1 - side], at));
            let Some(side) = [0, 1].into_iter().find(|side| has(fact, *side)) else { continue };
            if is_paired {
                paired.push(bare(fact));
            } else if state.waiting[side].len() < WAITING_MAX {
                state.waiting[side].push(bare(fact));
            } else {
                out.shed += 1;
            }
        }
        paired
    }

    fn measure(&self, measure: &mut Measure, more: f64) {
        measure.of = "events with one of the other rule beside them".to_owned();
        measure.value += more;
        measure.threshold = format!("both within {}", span_words(self.span_ms));
    }

    fn forgotten(&self, state: &State) -> Option<Time> {
        state.last.iter().flatten().max().map(|last| last.plus_millis(self.span_ms))
    }
}

impl Operator for Joined {
    type State = State;

    fn step(&self, state: &mut State, at: Time, facts: &[Fact], out: &mut Out) {
        for waiting in &mut state.waiting {
            let old = waiting.partition_point(|fact| fact.time.plus_millis(self.span_ms) < at);
            waiting.drain(..old);
        }
        let paired = self.pair(state, at, facts, out);
        if !paired.is_empty() {
            let evidence = Evidence::of(&paired, OPENED_MAX);
            let count = paired.len() as f64;
            state.burst.strike(at, evidence, &|| paired.clone(), |measure| self.measure(measure, count), out);
        }
    }

    fn pass(&self, state: &mut State, to: Time, out: &mut Out) {
        if self.forgotten(state).is_some_and(|time| time <= to) {
            *state = State { burst: std::mem::take(&mut state.burst), ..State::default() };
        }
        state.burst.pass(to, out);
    }

    fn due(&self, state: &State) -> Option<Time> {
        self.forgotten(state).into_iter().chain(state.burst.due()).min()
    }

    fn is_idle(&self, state: &State) -> bool {
        state.last == [None, None] && state.burst.is_idle()
    }

    fn reading(&self, state: &State) -> Option<Measure> {
        if self.is_idle(state) {
            return None;
        }
        let mut measure = state.burst.measure().unwrap_or_default();
        self.measure(&mut measure, 0.0);
        let waiting: Vec<&Fact> = state.waiting.iter().flatten().collect();
        if let Some(first) = waiting.iter().map(|fact| fact.time).min() {
            measure.values.push(format!("{} wait for one of the other rule, since {first}", waiting.len()));
        }
        Some(measure)
    }

    fn heap_bytes(&self, state: &State) -> usize {
        let waiting: usize = state.waiting.iter().map(Vec::capacity).sum();
        waiting * size_of::<Fact>() + state.burst.heap_bytes()
    }
}
