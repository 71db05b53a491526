//! What became of the facts.

use serde::{Deserialize, Serialize};

/// What became of the facts that correlations were given. Nothing is lost without standing here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Facts that were taken in, for each group that they belong to.
    pub taken: u64,
    /// Facts that came after the frontier had passed their time, and took no part.
    pub too_late: u64,
    /// Facts in order later than others, within the allowed lateness.
    pub late: u64,
    /// Values and events that a group let go of because it had too many.
    pub shed: u64,
    /// Groups that were let go of because there were too many.
    pub evicted: u64,
    /// Facts that were let go of with them, or given to a correlation that is set aside.
    pub lost: u64,
    /// Groups that are kept now.
    pub groups: u64,
    /// Bytes that they hold, roughly.
    pub bytes: u64,
    /// Is it set aside?
    pub is_aside: bool,
}

/// Counts over all correlations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllCounts {
    /// Events that were handed over.
    pub events: u64,
    /// Of these, records of an event that was there already.
    pub duplicates: u64,
    /// Times at which the frontier was moved ahead because too many facts were pending.
    pub forced: u64,
    /// Each correlation's, in order.
    pub correlations: Vec<Counts>,
}
