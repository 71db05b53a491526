//! `absence` of everything: a group that was seen and then no more.

use model::Time;
use serde::{Deserialize, Serialize};

use super::super::{Episode, Fact, Measure, Operator, Out, Told};
use super::burst::{episode_bytes, open};
use super::evidence::{Evidence, OPENED_MAX};
use super::number::span_words;

/// Tells groups of which nothing was heard for a while.
#[derive(Clone, Debug, PartialEq)]
pub struct Silence {
    /// So long without an event is a finding, milliseconds.
    pub span_ms: i64,
    /// Events that a group must have had before the next one is expected.
    pub least_events: u64,
    /// After so long without an event, none is expected any more, milliseconds; at least the span.
    pub forget_ms: i64,
}

/// What is known of a group.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    events: u64,
    /// The time of the last events, and they themselves.
    last: Time,
    evidence: Evidence,
    /// The silence that goes on.
    open: Option<Box<Episode>>,
}

impl Silence {
    /// The silence that goes on ends at `at`.
    fn end(&self, state: &mut State, at: Time, out: &mut Out) {
        if let Some(mut episode) = state.open.take() {
            episode.measure.value = at.millis_since(state.last) as f64 / 1000.0;
            out.told.push(Told::Closed(*episode));
        }
    }

    fn begin(&self, state: &mut State, out: &mut Out) {
        let mut episode = open(state.last.plus_millis(self.span_ms), state.evidence.clone());
        episode.measure.of = "seconds without an event".to_owned();
        episode.measure.value = self.span_ms as f64 / 1000.0;
        episode.measure.threshold = format!("at least {} after {} events", span_words(self.span_ms), self.least_events);
        out.told.push(Told::Opened(episode.clone()));
        state.open = Some(Box::new(episode));
    }
}

impl Operator for Silence {
    type State = State;

    fn step(&self, state: &mut State, at: Time, facts: &[Fact], out: &mut Out) {
        self.end(state, at, out);
        state.events = state.events.saturating_add(facts.len() as u64);
        state.last = at;
        state.evidence = Evidence::of(facts, OPENED_MAX);
    }

    fn pass(&self, state: &mut State, to: Time, out: &mut Out) {
        let is_late = state.last.plus_millis(self.span_ms) <= to;
        if state.events >= self.least_events.max(1) && state.open.is_none() && is_late {
            self.begin(state, out);
        }
        let forgotten = state.last.plus_millis(self.forget_ms);
        if state.events > 0 && forgotten <= to {
            self.end(state, forgotten, out);
            *state = State::default();
        }
    }

    fn stop(&self, state: &mut State, at: Time, out: &mut Out) {
        self.end(state, at, out);
    }

    fn due(&self, state: &State) -> Option<Time> {
        let is_expected = state.events >= self.least_events.max(1) && state.open.is_none();
        let wait = if is_expected { self.span_ms } else { self.forget_ms };
        (state.events > 0).then(|| state.last.plus_millis(wait))
    }

    fn is_idle(&self, state: &State) -> bool {
        state.events == 0
    }

    fn reading(&self, state: &State) -> Option<Measure> {
        let heard = || Measure {
            of: "events".to_owned(),
            value: state.events as f64,
            threshold: format!("at least {}, then none for {}", self.least_events.max(1), span_words(self.span_ms)),
            values: vec![format!("the last at {}", state.last)],
            ..Measure::default()
        };
        let open = state.open.as_ref().map(|episode| episode.measure.clone());
        (state.events > 0).then(|| open.unwrap_or_else(heard))
    }

    fn heap_bytes(&self, state: &State) -> usize {
        state.evidence.heap_bytes() + state.open.as_ref().map_or(0, |episode| episode_bytes(episode))
    }
}
