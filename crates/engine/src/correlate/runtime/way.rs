//! The way along the pending facts of a group: the state to which they lead, and states to go back to when a late one comes.

use model::Time;

use super::group::step_all;
use crate::correlate::{Fact, Operator, Out, Told};

/// Facts after which there is another state to go back to; more where there are many facts or the state is large.
const STOP_EVERY: usize = 32;

/// See the module. Numbers of facts are counted from the base.
#[derive(Clone, Debug)]
pub(super) struct Way<S> {
    /// The state after `facts` facts; none where a late one changed what leads there.
    ahead: Option<S>,
    facts: usize,
    /// States to go back to, the first nearest to the base: never in the middle of an instant.
    stops: Vec<Stop<S>>,
    /// When the state ahead is due.
    due: Option<Time>,
    /// The time of the last fact with which something was told that must be told again when it is settled.
    told: i64,
    /// What was let go of for want of room, up to `ahead`.
    shed: u64,
}

/// A state to which facts lead.
#[derive(Clone, Debug)]
pub(super) struct Stop<S> {
    pub state: S,
    /// How many facts led to it.
    pub facts: usize,
    /// What was let go of on the way to it.
    pub shed: u64,
}

impl<S> Default for Way<S> {
    /// A way of which nothing is known.
    fn default() -> Way<S> {
        Way { ahead: None, facts: 0, stops: Vec::new(), due: None, told: i64::MIN, shed: 0 }
    }
}

impl<S: Clone> Way<S> {
    /// When the state to which it leads is due.
    pub fn due(&self) -> Option<Time> {
        self.due
    }

    /// Looks at the ends of the way, so that they are at hand.
    pub fn look_at(&self) -> usize {
        let ends = [self.stops.first(), self.stops.last()];
        self.facts ^ ends.iter().flatten().map(|stop| stop.facts).fold(0, usize::wrapping_add)
    }

    /// Is it known along all `facts`, and was nothing told on it later than `settled` but that something began?
    pub fn is_quiet(&self, settled: i64, facts: usize) -> bool {
        self.ahead.is_some() && self.facts == facts && self.told <= settled
    }

    /// A fact of that time came or went: the way is known only up to before it.
    pub fn forget_from(&mut self, time: Time, pending: &[Fact]) {
        let is_before = |stop: &Stop<S>| stop.facts.checked_sub(1).is_none_or(|last| pending[last].time < time);
        let kept = self.stops.iter().take_while(|stop| is_before(stop)).count();
        self.stops.truncate(kept);
        self.ahead = None;
    }

    /// Makes ready to go on from where the way is known, and says how many facts lead there, and whether some of it is gone anew.
    pub fn start(&mut self, base: &S) -> (usize, bool) {
        let is_anew = self.ahead.is_none();
        if is_anew {
            let last = self.stops.last();
            self.ahead = Some(last.map_or_else(|| base.clone(), |stop| stop.state.clone()));
            (self.facts, self.shed) = last.map_or((0, 0), |stop| (stop.facts, stop.shed));
        }
        (self.facts, is_anew)
    }

    /// Goes on to the end of the pending facts.
    pub fn go<O: Operator<State = S>>(&mut self, operator: &O, pending: &[Fact], out: &mut Out) {
        let Some(mut state) = self.ahead.take() else { return };
        let (Some(end), shed) = (pending.last().map(|last| last.time), out.shed) else { return };
        let last = self.facts + pending[self.facts..].partition_point(|fact| fact.time < end);
        step_all(operator, &mut state, &pending[self.facts..last], out);
        let behind = last - self.stops.last().map_or(0, |stop| stop.facts);
        // Copying a large state must not cost more than the steps that it saves.
        if behind >= STOP_EVERY.max(pending.len() / 4) && behind >= operator.heap_bytes(&state) / 256 {
            self.stops.push(Stop { state: state.clone(), facts: last, shed: self.shed + out.shed - shed });
        }
        step_all(operator, &mut state, &pending[last..], out);
        self.shed += out.shed - shed;
        // That an episode began is known from the way; that one is over is certain only when the base says so.
        if out.told.iter().any(|told| out.wants_held || !matches!(told, Told::Opened(_))) {
            self.told = end.micros();
        }
        self.due = operator.due(&state);
        (self.ahead, self.facts) = (Some(state), pending.len());
    }

    /// Takes the last state out that the frontier has passed, if there is any: the way begins there from now on.
    pub fn passed(&mut self, frontier: i64, pending: &[Fact]) -> Option<Stop<S>> {
        let is_passed = |stop: &Stop<S>| stop.facts > 0 && pending[stop.facts - 1].time.micros() <= frontier;
        let passed = self.stops.iter().take_while(|stop| is_passed(stop)).count();
        let stop = self.stops.drain(..passed).next_back()?;
        self.begin_after(stop.facts, stop.shed);
        Some(stop)
    }

    /// The way after so many facts were settled, with which so much was let go of; none where they were more than it has.
    pub fn without(mut self: Box<Self>, settled: usize, shed: u64) -> Option<Box<Self>> {
        if settled == 0 {
            return Some(self);
        }
        if self.facts < settled {
            return None;
        }
        self.stops.retain(|stop| stop.facts > settled);
        self.begin_after(settled, shed);
        Some(self)
    }

    fn begin_after(&mut self, facts: usize, shed: u64) {
        self.facts -= facts;
        self.shed = self.shed.saturating_sub(shed);
        for stop in &mut self.stops {
            stop.facts -= facts;
            stop.shed = stop.shed.saturating_sub(shed);
        }
    }

    /// Bytes on the heap, roughly.
    pub fn heap_bytes<O: Operator<State = S>>(&self, operator: &O) -> usize {
        let stops: usize = self.stops.iter().map(|stop| size_of::<Stop<S>>() + operator.heap_bytes(&stop.state)).sum();
        size_of::<Self>() + stops + self.ahead.as_ref().map_or(0, |state| operator.heap_bytes(state))
    }
}
