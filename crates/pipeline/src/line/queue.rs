//! The line's queue: work waits in order, is evaluated side by side, and leaves in order.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::outcome::Outcome;
use super::{Closed, Work};

/// Work, and what it came to.
pub(super) type Evaluated = (Work, Outcome);
/// May this work join those that were taken?
pub(super) type Joins = dyn Fn(&[Evaluated], &Work) -> bool;

/// What the settler gets.
pub(super) enum Taken {
    /// Outcomes to settle together.
    Outcomes(Vec<Evaluated>),
    /// Nothing came for a while.
    Nothing,
    /// The line has ended.
    Ended,
}

pub(crate) struct Queue {
    state: Mutex<State>,
    /// Something changed: work came, an outcome came, room was made, or the line closed.
    changed: Condvar,
    batches_max: usize,
    bytes_max: usize,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(u64, Work)>,
    outcomes: BTreeMap<u64, Evaluated>,
    /// Number of the next work to come.
    next_in: u64,
    /// Number of the next outcome to settle.
    next_out: u64,
    /// Work that came and is not settled.
    batches: usize,
    bytes: usize,
    is_closed: bool,
    is_abandoned: bool,
}

impl Queue {
    pub fn new(batches_max: usize, bytes_max: usize) -> Queue {
        Queue {
            state: Mutex::default(),
            changed: Condvar::new(),
            batches_max: batches_max.max(1),
            bytes_max: bytes_max.max(1),
        }
    }

    pub fn submit(&self, work: Work) -> Result<(), Closed> {
        let bytes = work.bytes();
        let mut state = self.lock();
        while !state.is_closed && state.batches > 0 && !self.has_room(&state, bytes) {
            state = self.wait(state);
        }
        if state.is_closed {
            return Err(Closed);
        }
        let number = state.next_in;
        state.next_in += 1;
        state.batches += 1;
        state.bytes += bytes;
        state.waiting.push_back((number, work));
        self.changed.notify_all();
        Ok(())
    }

    /// The next work to evaluate; `None` when the line has ended.
    pub fn take(&self) -> Option<(u64, Work)> {
        let mut state = self.lock();
        loop {
            if state.is_abandoned {
                return None;
            }
            if let Some(next) = state.waiting.pop_front() {
                return Some(next);
            }
            if state.is_closed && state.batches == 0 {
                return None;
            }
            state = self.wait(state);
        }
    }

    pub fn done(&self, number: u64, work: Work, outcome: Outcome) {
        self.lock().outcomes.insert(number, (work, outcome));
        self.changed.notify_all();
    }

    /// The next outcomes in order: one, and those after it that `joins` takes and that are there already. Waits for as long as `patience`
    /// says, or for ever.
    pub fn take_outcomes(&self, joins: &Joins, patience: Option<Duration>) -> Taken {
        let end = patience.map(|patience| Instant::now() + patience);
        let mut state = self.lock();
        loop {
            if state.is_abandoned {
                return Taken::Ended;
            }
            let next = state.next_out;
            if let Some(first) = state.outcomes.remove(&next) {
                let mut taken = vec![first];
                state.next_out += 1;
                while state.outcomes.get(&state.next_out).is_some_and(|(work, _)| joins(&taken, work)) {
                    let next = state.next_out;
                    taken.extend(state.outcomes.remove(&next));
                    state.next_out += 1;
                }
                return Taken::Outcomes(taken);
            }
            if state.is_closed && state.batches == 0 {
                return Taken::Ended;
            }
            let Some(end) = end else {
                state = self.wait(state);
                continue;
            };
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Taken::Nothing;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Work was settled: makes room.
    pub fn settled(&self, batches: usize, bytes: usize) {
        let mut state = self.lock();
        state.batches -= batches;
        state.bytes -= bytes;
        drop(state);
        self.changed.notify_all();
    }

    pub fn wait_idle(&self, timeout: Duration) -> bool {
        let end = Instant::now() + timeout;
        let mut state = self.lock();
        while state.batches > 0 {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    pub fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_all();
    }

    pub fn abandon(&self) {
        self.lock().is_abandoned = true;
        self.changed.notify_all();
    }

    /// Sleeps for `pause`, or until the line is abandoned; says whether it was.
    pub fn pause(&self, pause: Duration) -> bool {
        let end = Instant::now() + pause;
        let mut state = self.lock();
        while !state.is_abandoned {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn has_room(&self, state: &State, bytes: usize) -> bool {
        state.batches < self.batches_max && state.bytes + bytes <= self.bytes_max
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }
}
