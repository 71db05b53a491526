//! `sequence`: steps in order, with gaps, counts, and what breaks them.

use model::Time;
use serde::{Deserialize, Serialize};

use super::super::{Fact, Measure, Members, Operator, Out};
use super::burst::Burst;
use super::evidence::{Evidence, OPENED_MAX, bare};
use super::number::span_words;

/// Beginnings of one group that are followed at once.
const CHAINS_MAX: usize = 256;
/// Events of one instant that are tried in every order; further ones are let go of.
const INSTANT_MAX: usize = 64;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The members whose events will do.
    pub members: Members,
    /// The greatest time since the step before was complete, milliseconds.
    pub within_ms: Option<i64>,
    /// How many events it needs.
    pub at_least: u64,
}

/// Tells steps that follow one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// The steps; at least one.
    pub steps: Vec<Step>,
    /// The members that break what has begun.
    pub unless: Members,
    /// From the first event to the last, milliseconds.
    pub span_ms: i64,
}

/// A beginning: some events in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Chain {
    /// The step that it is in, and how many events of that step it has; a complete step is followed by zero of the next.
    step: usize,
    had: u64,
    /// The first event's time, and the time at which the last complete step was complete.
    start: Time,
    complete: Time,
    evidence: Evidence,
    /// The events of the present instant that it uses.
    used: u64,
}

/// What is known of a group.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    chains: Vec<Chain>,
    burst: Burst,
}

impl Chain {
    fn place(&self) -> (usize, u64) {
        (self.step, self.had)
    }
}

impl Sequence {
    /// Is whatever follows `worse` also allowed behind `better`, which starts no earlier?
    fn covers(&self, better: &Chain, worse: &Chain) -> bool {
        let has_gap = better.had == 0 && self.steps.get(better.step).is_some_and(|step| step.within_ms.is_some());
        better.place() == worse.place()
            && better.start >= worse.start
            && (!has_gap || better.complete >= worse.complete)
            && better.used & !worse.used == 0
    }

    /// Keeps a chain unless another covers it, and those that it covers no longer. Was it kept?
    fn keep(&self, chains: &mut Vec<Chain>, chain: Chain) -> bool {
        if chains.iter().any(|known| self.covers(known, &chain)) {
            return false;
        }
        chains.retain(|known| !self.covers(&chain, known));
        chains.push(chain);
        true
    }

    /// The chain with one more event, if it may have it.
    fn extended(&self, chain: &Chain, at: Time, place: usize, fact: &Fact) -> Option<Chain> {
        let step = self.steps.get(chain.step)?;
        let is_used = chain.used & (1 << place) != 0;
        if is_used || fact.members.0 & step.members.0 == 0 {
            return None;
        }
        let is_begun = chain.step > 0 || chain.had > 0;
        if is_begun && chain.start.plus_millis(self.span_ms) < at {
            return None;
        }
        let is_next = chain.step > 0 && chain.had == 0;
        if is_next && step.within_ms.is_some_and(|within| chain.complete.plus_millis(within) < at) {
            return None;
        }
        let mut next = chain.clone();
        next.start = if is_begun { chain.start } else { at };
        next.evidence.add(fact, OPENED_MAX);
        next.used |= 1 << place;
        next.had += 1;
        if next.had >= step.at_least.max(1) {
            (next.step, next.had, next.complete) = (chain.step + 1, 0, at);
        }
        Some(next)
    }

    /// The chains that the events of an instant make of those before, or the one that is whole.
    fn grow(&self, chains: &[Chain], at: Time, facts: &[Fact]) -> Result<Vec<Chain>, Chain> {
        let none = Chain { step: 0, had: 0, start: at, complete: at, evidence: Evidence::default(), used: 0 };
        let (mut grown, mut whole) = (Vec::new(), None);
        let mut fresh = self.longer(chains.iter().chain([&none]), at, facts, &mut grown, &mut whole);
        while !fresh.is_empty() {
            fresh = self.longer(fresh.iter(), at, facts, &mut grown, &mut whole);
        }
        grown.iter_mut().for_each(|chain| chain.used = 0);
        whole.map_or(Ok(grown), Err)
    }

    /// Each chain with one more event; those that are worth it are also kept in `grown`, and the best that is whole in `whole`.
    fn longer<'c>(
        &self,
        chains: impl Iterator<Item = &'c Chain>,
        at: Time,
        facts: &[Fact],
        grown: &mut Vec<Chain>,
        whole: &mut Option<Chain>,
    ) -> Vec<Chain> {
        let mut longer = Vec::new();
        for chain in chains {
            let mut tried: Vec<Members> = Vec::new();
            for (place, fact) in facts.iter().enumerate() {
                // Events of the same rules stand for one another: the first that is free is tried.
                if chain.used & (1 << place) != 0 || tried.contains(&fact.members) {
                    continue;
                }
                tried.push(fact.members);
                let Some(next) = self.extended(chain, at, place, fact) else { continue };
                if next.step == self.steps.len() {
                    if whole.as_ref().is_none_or(|whole| next.start > whole.start) {
                        *whole = Some(next);
                    }
                } else if self.keep(grown, next.clone()) {
                    longer.push(next);
                }
            }
        }
        longer
    }

    /// Chains that differ only in the events used are one when the instant is over; those that nothing can follow are let go of.
    fn settle(&self, chains: impl Iterator<Item = Chain>, at: Time, out: &mut Out) -> Vec<Chain> {
        let mut kept = Vec::new();
        for chain in chains.filter(|chain| self.ends(chain) > at) {
            self.keep(&mut kept, chain);
        }
        kept.sort_by_key(|chain| (chain.step, chain.had, chain.start, chain.complete));
        if kept.len() > CHAINS_MAX {
            out.shed += (kept.len() - CHAINS_MAX) as u64;
            kept.sort_by_key(|chain| std::cmp::Reverse((chain.start, chain.step, chain.had, chain.complete)));
            kept.truncate(CHAINS_MAX);
        }
        kept
    }

    /// The last time at which a chain can grow.
    fn ends(&self, chain: &Chain) -> Time {
        let end = chain.start.plus_millis(self.span_ms);
        let within = self.steps[chain.step].within_ms.filter(|_| chain.had == 0 && chain.step > 0);
        within.map_or(end, |within| end.min(chain.complete.plus_millis(within)))
    }

    fn measure(&self, measure: &mut Measure) {
        measure.of = "times that all steps followed one another".to_owned();
        measure.value += 1.0;
        let steps = self.steps.len();
        measure.threshold = format!("{steps} steps within {}", span_words(self.span_ms));
    }
}

impl Operator for Sequence {
    type State = State;

    fn step(&self, state: &mut State, at: Time, facts: &[Fact], out: &mut Out) {
        if facts.iter().any(|fact| fact.members.0 & self.unless.0 != 0) {
            state.chains.clear();
            return;
        }
        let steps = self.steps.iter().fold(Members::default(), |all, step| all.with(step.members));
        let taking = facts.iter().filter(|fact| fact.members.0 & steps.0 != 0);
        let mut facts: Vec<Fact> = taking.map(bare).collect();
        if facts.len() > INSTANT_MAX {
            out.shed += (facts.len() - INSTANT_MAX) as u64;
            facts.truncate(INSTANT_MAX);
        }
        match self.grow(&state.chains, at, &facts) {
            Ok(grown) => {
                let chains = std::mem::take(&mut state.chains);
                state.chains = self.settle(chains.into_iter().chain(grown), at, out);
            }
            Err(whole) => {
                state.chains.clear();
                let ending = || facts.clone();
                state.burst.strike(at, whole.evidence, &ending, |measure| self.measure(measure), out);
            }
        }
    }

    fn pass(&self, state: &mut State, to: Time, out: &mut Out) {
        state.chains.retain(|chain| self.ends(chain) > to);
        state.burst.pass(to, out);
    }

    fn due(&self, state: &State) -> Option<Time> {
        state.chains.iter().map(|chain| self.ends(chain)).chain(state.burst.due()).min()
    }

    fn is_idle(&self, state: &State) -> bool {
        state.chains.is_empty() && state.burst.is_idle()
    }

    fn reading(&self, state: &State) -> Option<Measure> {
        let open = state.burst.measure();
        let Some(chain) = state.chains.iter().max_by_key(|chain| (chain.step, chain.had, chain.start)) else {
            return open;
        };
        let step = &self.steps[chain.step];
        let mut values = vec![
            format!("step {} has {} of {} events", chain.step + 1, chain.had, step.at_least.max(1)),
            format!("since {}, until {}", chain.start, self.ends(chain)),
        ];
        values.extend(open.map(|open| format!("all steps followed one another {} times before", open.value)));
        Some(Measure {
            of: "steps that followed one another".to_owned(),
            value: chain.step as f64,
            threshold: format!("{} steps within {}", self.steps.len(), span_words(self.span_ms)),
            values,
            ..Measure::default()
        })
    }

    fn heap_bytes(&self, state: &State) -> usize {
        let each = |chain: &Chain| chain.evidence.heap_bytes();
        let chains: usize = state.chains.iter().map(each).sum();
        chains + state.chains.capacity() * size_of::<Chain>() + state.burst.heap_bytes()
    }
}
