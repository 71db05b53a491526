//! The operators of Sigma correlations, as `docs/reference/correlation-semantics.md` has them.
//!
//! A correlation whose bounds all rise looks for a [`burst`] and tells it at once; any other looks for the beginning of a [`window`] and judges
//! it when it is over. Both look for the same thing: that a [`gauge`] of the last time span is full.
//!
//! What is relied on:
//! - Each instant is shown once, in order; the facts of one id at one instant are one fact with all its members.
//! - A fact that does not take part is not shown: one without a value of `field`, or, where numbers are asked for, without a number;
//!   for `value_sum`, without a number that is not negative.
//! - Values are chosen: [`Values::Texts`](super::Values) for `value_count` and shares, numbers in millionths for the others, those of the first
//!   member that gives any; negative numbers of a `value_sum` are left out.
//! - An event that is no finding beneath is shown at one instant only. Ids are digests: half of one stands for it.
//!
//! What is let go of is added to [`Out::shed`]: see [`recent`], [`sums`], [`distinct`], [`tally`], [`shares`] and [`claims`] for how much is kept.

mod burst;
mod claims;
mod compile;
mod distinct;
mod gauge;
mod limits;
mod order;
mod recent;
mod rules;
mod search;
mod shares;
mod sums;
mod tally;
mod window;
mod words;

use model::Time;
use serde::{Deserialize, Serialize};

use super::{Fact, Measure, Operator, Out, Told};
use burst::Burst;
use gauge::Gauge;
use recent::Room;
use search::Search;
use tally::Judge;
use window::Window;

/// A Sigma correlation, compiled.
#[derive(Clone, Debug)]
pub struct SigmaOperator {
    /// The time span, microseconds.
    span: i64,
    /// May facts be findings beneath?
    has_beneath: bool,
    /// What has to rise before an episode begins.
    gauge: Gauge,
    /// What is judged when a window is over; none where episodes are bursts.
    judge: Option<Judge>,
    /// Facts that are kept while an episode is looked for.
    recent_max: usize,
    /// What is measured, in words.
    of: String,
    /// What is asked for, in words.
    threshold: String,
}

/// What is kept of one group between instants.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SigmaState(Phase);

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
enum Phase {
    /// Nothing of the last time span is known.
    #[default]
    Idle,
    /// One fact that told nothing. Most groups have no more, so nothing is made of it until there is.
    Lone(Box<Fact>),
    Searching(Box<Search>),
    Burst(Box<Burst>),
    Window(Box<Window>),
}

impl SigmaOperator {
    /// What is measured and asked for, without a value.
    fn measure(&self) -> Measure {
        Measure { of: self.of.clone(), threshold: self.threshold.clone(), ..Measure::default() }
    }

    /// What a lone fact had led to.
    fn unfold(&self, fact: &Fact) -> Phase {
        self.search(Box::default(), fact.time, std::slice::from_ref(fact), &mut Out::default())
    }

    fn advance(&self, phase: Phase, at: Time, facts: &[Fact], out: &mut Out) -> Phase {
        match (phase, &self.judge) {
            (Phase::Lone(fact), _) => self.advance(self.unfold(&fact), at, facts, out),
            (Phase::Searching(search), _) => self.search(search, at, facts, out),
            (Phase::Burst(mut burst), _) => {
                if burst.goes_on(self, at, facts, out) {
                    return Phase::Burst(burst);
                }
                out.told.push(Told::Closed(burst.episode(self)));
                self.search(Box::default(), at, facts, out)
            }
            (Phase::Window(mut window), Some(judge)) => {
                window.add(self, judge, at, facts, out);
                Phase::Window(window)
            }
            (Phase::Idle | Phase::Window(_), _) => self.search(Box::default(), at, facts, out),
        }
    }

    fn search(&self, mut search: Box<Search>, at: Time, facts: &[Fact], out: &mut Out) -> Phase {
        let micros = at.micros();
        let from = micros.saturating_sub(self.span);
        search.recent.forget_before(from);
        search.recent.add(facts, Room { most: self.recent_max, span: self.span }, out);
        self.gauge.add(&mut search.reading, micros, from, facts, out);
        if self.judge.is_none() {
            search.sample.add(&search.reading, facts);
        }
        if !self.gauge.holds(&search.reading, search.recent.count(), from) {
            self.gauge.trim(&mut search.reading, out);
            return Phase::Searching(search);
        }
        let begun = match &self.judge {
            Some(judge) => {
                Window::open(self, judge, *search, at, facts, out).map(|window| Phase::Window(Box::new(window)))
            }
            None => Burst::open(self, *search, at, out).map(|burst| Phase::Burst(Box::new(burst))),
        };
        begun.unwrap_or_default()
    }

    /// What is measured now.
    fn read(&self, phase: &Phase) -> Option<Measure> {
        let (since, value, values) = match (phase, &self.judge) {
            // Of numbers, only those that keep the bound are known, and the first of them begins an episode.
            (Phase::Searching(search), _) if matches!(search.reading, gauge::Reading::Last(..)) => return None,
            (Phase::Searching(search), _) => {
                let (first, last) = (search.recent.first()?.time, search.recent.last()?);
                let from = last.micros().saturating_sub(self.span);
                let value = self.gauge.value(&search.reading, search.recent.count(), from);
                (first, value, search.sample.values(&search.reading))
            }
            (Phase::Burst(burst), _) => return Some(burst.reading(self)),
            (Phase::Window(window), Some(judge)) => {
                (window.start(), window.value(judge)?, vec![format!("judged after {}", window.due(self))])
            }
            _ => return None,
        };
        let since = format!("since {since}");
        Some(Measure { value, values: values.into_iter().chain([since]).collect(), ..self.measure() })
    }

    fn due_of(&self, phase: &Phase) -> Option<Time> {
        let after = |time: Time| Time::from_micros(time.micros().saturating_add(self.span));
        match phase {
            Phase::Idle => None,
            Phase::Lone(fact) => Some(after(fact.time)),
            Phase::Searching(search) => search.recent.last().map(after),
            Phase::Burst(burst) => Some(burst.due(self)),
            Phase::Window(window) => Some(window.due(self)),
        }
    }

    fn end(&self, phase: Phase, out: &mut Out) {
        match (phase, &self.judge) {
            (Phase::Lone(fact), Some(_)) => self.end(self.unfold(&fact), out),
            (Phase::Burst(burst), _) => out.told.push(Told::Closed(burst.episode(self))),
            (Phase::Window(window), Some(judge)) => window.close(self, judge, out),
            _ => {}
        }
    }
}

/// Bytes on the heap of a fact's values, roughly.
fn values_bytes(fact: &Fact) -> usize {
    let texts: usize = fact.values.texts().iter().map(|text| text.len() + 32).sum();
    size_of_val(fact.values.numbers()) + texts
}

impl Operator for SigmaOperator {
    type State = SigmaState;

    fn step(&self, state: &mut SigmaState, at: Time, facts: &[Fact], out: &mut Out) {
        // What ended before now ends first, whether or not anybody said that time had passed.
        self.pass(state, Time::from_micros(at.micros() - 1), out);
        let phase = std::mem::take(&mut state.0);
        let is_first = matches!(phase, Phase::Idle);
        let phase = self.advance(phase, at, facts, out);
        state.0 = match (phase, facts) {
            (Phase::Searching(_) | Phase::Window(_), [fact]) if is_first => Phase::Lone(Box::new(fact.clone())),
            (phase, _) => phase,
        };
    }

    fn pass(&self, state: &mut SigmaState, to: Time, out: &mut Out) {
        if self.due_of(&state.0).is_some_and(|due| due <= to) {
            self.end(std::mem::take(&mut state.0), out);
        }
    }

    fn due(&self, state: &SigmaState) -> Option<Time> {
        self.due_of(&state.0)
    }

    fn is_idle(&self, state: &SigmaState) -> bool {
        matches!(state.0, Phase::Idle)
    }

    fn reading(&self, state: &SigmaState) -> Option<Measure> {
        match &state.0 {
            Phase::Lone(fact) => self.read(&self.unfold(fact)),
            phase => self.read(phase),
        }
    }

    fn heap_bytes(&self, state: &SigmaState) -> usize {
        match &state.0 {
            Phase::Idle => 0,
            Phase::Lone(fact) => size_of_val(&**fact) + values_bytes(fact),
            Phase::Searching(search) => size_of_val(&**search) + search.heap_bytes(),
            Phase::Burst(burst) => size_of_val(&**burst) + burst.heap_bytes(),
            Phase::Window(window) => size_of_val(&**window) + window.heap_bytes(),
        }
    }
}

#[cfg(test)]
mod tests;
