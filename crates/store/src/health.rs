//! How fresh each source is.

use std::collections::BTreeMap;

use model::{SourceId, Time};
use serde::Serialize;

use crate::{Store, StoreError};

/// One source over one input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceHealth {
    /// The source; `None` for what an input received without a source being known.
    pub source: Option<SourceId>,
    /// The input.
    pub input: String,
    /// The latest event time ever seen.
    pub last_event: Option<Time>,
    /// When a record was last received.
    pub last_received: Option<Time>,
    /// Receipt less event time of the latest event, milliseconds.
    pub lag_ms: Option<i64>,
    /// Records evaluated in the last 24 hours (by hour of receipt).
    pub evaluated_24h: u64,
    /// Records rejected in the last 24 hours, by reason.
    pub rejected_24h: BTreeMap<String, u64>,
    /// Findings raised in the last 24 hours.
    pub raised_24h: u64,
}

impl Store {
    /// Every source and input that was ever heard, in order.
    pub fn source_health(&self, now: Time) -> Result<Vec<SourceHealth>, StoreError> {
        let _ = now;
        unimplemented!()
    }
}
