//! Rules that occur in order, each in an event of its own.
//!
//! For each chain of rules that may be on its way, the latest time at which it can have started: a window holds the chain if that time is in
//! it. Events of one instant have no order, so a chain may take any of them, but each for one rule only.

mod count;
mod paths;
mod slots;

pub(super) use count::Count;
pub(super) use paths::Paths;
