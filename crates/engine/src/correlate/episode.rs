//! Episodes: what a correlation finds in one group.

use std::sync::Arc;

use model::{EventId, Time};
use serde::{Deserialize, Serialize};

use super::fact::{Detail, Fact, Members};

/// An event that an episode claims.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Claim {
    /// When it happened.
    pub time: Time,
    /// The event.
    pub id: EventId,
    /// As which members of the correlation it took part.
    pub members: Members,
    /// What is known of it, where that is kept.
    pub detail: Option<Arc<Detail>>,
}

/// What was measured, what was to be expected, and from where on it is a finding.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// What was measured, such as `events` or `median of bytes`.
    pub of: String,
    /// The value.
    pub value: f64,
    /// What was to be expected, where the rule has an expectation: the middle of the baseline.
    pub expected: Option<f64>,
    /// The threshold in words, such as `at least 10`.
    pub threshold: String,
    /// Values that explain it: those that are new, rare, or missing; at most 16, in order.
    pub values: Vec<String>,
    /// The baseline, oldest first, for a picture; at most 64 values.
    pub history: Vec<f64>,
}

/// What a correlation finds: a burst, a window, or a deviation, of one group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Episode {
    /// The event, or finding beneath, at its start: the earliest, and of those of one time the first by id. With rule and group, its identity.
    pub first: EventId,
    /// The time of `first`.
    pub start: Time,
    /// When it first held.
    pub held: Time,
    /// When it last held.
    pub last_held: Time,
    /// The events that opened it, in order of time and id; the earliest of them where there are more than are kept.
    pub opened: Vec<Claim>,
    /// How many events opened it.
    pub opened_count: u64,
    /// The events that prolonged it, in order; the earliest of them where there are more than are kept.
    pub prolonged: Vec<Claim>,
    /// How many events prolonged it.
    pub prolonged_count: u64,
    /// What was measured.
    pub measure: Measure,
}

/// What an operator says.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// An episode began, and holds whatever comes later in time. It occurs with the facts that opened it.
    Opened(Episode),
    /// The episode that began with `first` held again; it occurs with these facts.
    Held {
        /// The episode.
        first: EventId,
        /// When.
        at: Time,
        /// The facts of that time.
        facts: Vec<Fact>,
    },
    /// The episode is over; this is all of it. An episode that was not opened before is told now for the first time.
    Closed(Episode),
}

/// Takes what an operator says.
#[derive(Debug, Default)]
pub struct Out {
    /// What was said, in order.
    pub told: Vec<Told>,
    /// Values and events that were let go of because a group had too many.
    pub shed: u64,
    /// Does anybody above want to know of each time at which an episode held?
    pub wants_held: bool,
}
