//! Silences: what a person decided that nobody needs to see for a while.

use model::{Silence, Time};
use serde::Serialize;

use crate::{SilenceError, Store, StoreError};

/// A silence and what it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SilenceRow {
    /// The silence.
    pub silence: Silence,
    /// Findings it took.
    pub taken: u64,
    /// When it was ended before its time.
    pub ended: Option<Time>,
    /// Who ended it.
    pub ended_by: Option<String>,
}

impl Store {
    /// Adds a silence. An empty `silence_id` is given one.
    ///
    /// Errors: [`SilenceError`] for one without condition, owner or reason, and for one that has expired or never ends.
    pub fn add_silence(&self, silence: Silence, now: Time) -> Result<Silence, SilenceError> {
        let _ = (silence, now);
        unimplemented!()
    }

    /// The running silences; with `include_ended`, all there ever were. Latest first.
    pub fn silences(&self, now: Time, include_ended: bool) -> Result<Vec<SilenceRow>, StoreError> {
        let _ = (now, include_ended);
        unimplemented!()
    }

    /// Ends a running silence now. It stays listed among the ended.
    pub fn end_silence(&self, silence_id: &str, who: &str, now: Time) -> Result<(), SilenceError> {
        let _ = (silence_id, who, now);
        unimplemented!()
    }
}
