//! What a type of rule does with the facts of one group.

use std::fmt::Debug;

use model::Time;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Fact, Measure, Out};

/// A type of rule, compiled: a machine over the instants of one group.
///
/// Whoever runs it shows each instant once, in order of time, with all facts of that instant; and tells it that time has passed.
/// The result depends on these alone. State is small when little has happened: there are a million groups.
pub trait Operator: Debug + Send + Sync {
    /// What is kept of a group between instants.
    type State: Clone + Debug + Default + Send + Sync + Serialize + DeserializeOwned;

    /// The facts of one instant: later than any before, and later than any time up to which time has passed. They are in order of
    /// id, each id once, and at least one.
    fn step(&self, state: &mut Self::State, at: Time, facts: &[Fact], out: &mut Out);

    /// Time has passed up to and including `to`: no further fact of a time up to `to` will be shown.
    ///
    /// Calling it with any earlier times in between changes nothing.
    fn pass(&self, state: &mut Self::State, to: Time, out: &mut Out);

    /// There is nothing more to be shown, and time is known up to `at` only: closes what was opened.
    ///
    /// An operator that judges what happened takes all time for passed; one that judges what did not happen opens nothing more.
    fn stop(&self, state: &mut Self::State, at: Time, out: &mut Out) {
        let _ = at;
        self.pass(state, Time::MAX, out);
    }

    /// The first time whose passing changes the state or says something; `None` if only a further fact can.
    fn due(&self, state: &Self::State) -> Option<Time>;

    /// Is there nothing in the state that a new one has not? Such a group is forgotten.
    fn is_idle(&self, state: &Self::State) -> bool;

    /// What is measured now, with the threshold: where a person who asks is told that the group stands. `None` while nothing is.
    fn reading(&self, state: &Self::State) -> Option<Measure> {
        let _ = state;
        None
    }

    /// Bytes that the state holds on the heap, roughly.
    fn heap_bytes(&self, state: &Self::State) -> usize;
}
