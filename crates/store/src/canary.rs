//! The last record that came through the whole line of those that the platform sends itself.

use model::Time;
use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;

use crate::rows::time;
use crate::{Store, StoreError};

/// The source of canary records.
pub const CANARY_SOURCE: &str = "watchkeep_canary";

/// The last canary that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CanaryReport {
    /// When it was sent.
    pub sent: Time,
    /// When it was settled.
    pub settled: Time,
    /// How long it travelled, milliseconds.
    pub travel_ms: i64,
}

impl Store {
    /// The last canary that arrived; `None` while none did.
    pub fn canary(&self) -> Result<Option<CanaryReport>, StoreError> {
        self.read(load)
    }
}

pub(crate) fn load(db: &Connection) -> Result<Option<CanaryReport>, StoreError> {
    let mut select = db.prepare_cached(
        "SELECT last_event, settled FROM feeds WHERE source = ?1 AND last_event IS NOT NULL ORDER BY last_event DESC LIMIT 1",
    )?;
    let times = select.query_row([CANARY_SOURCE], |row| Ok((time(row, 0)?, time(row, 1)?))).optional()?;
    Ok(times.map(|(sent, settled)| CanaryReport { sent, settled, travel_ms: settled.millis_since(sent).max(0) }))
}
