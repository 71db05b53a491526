//! The console's numbers.

use std::collections::BTreeMap;

use model::{AlertState, Balance, Lane, Level, Time};
use serde::Serialize;

use crate::{Store, StoreError};

/// One route's outbox.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RouteStats {
    /// Rows ever queued.
    pub queued: u64,
    /// Rows delivered.
    pub delivered: u64,
    /// Rows given up.
    pub dead: u64,
    /// Rows that wait.
    pub waiting: u64,
    /// When the longest-waiting row was queued.
    pub oldest_waiting: Option<Time>,
}

/// One hour of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HourCount {
    /// Start of the hour of receipt.
    pub hour: Time,
    /// Records received.
    pub received: u64,
    /// Records evaluated.
    pub evaluated: u64,
    /// Records rejected.
    pub rejected: u64,
    /// Findings raised.
    pub raised: u64,
    /// Alerts opened.
    pub opened: u64,
}

/// The console's numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Stats {
    /// Alerts by state.
    pub by_state: BTreeMap<AlertState, u64>,
    /// Alerts that are not closed, by level.
    pub open_by_level: BTreeMap<Level, u64>,
    /// Alerts that are not closed, by lane.
    pub open_by_lane: BTreeMap<Lane, u64>,
    /// Alerts that are not closed, by source.
    pub open_by_source: BTreeMap<String, u64>,
    /// Alerts that are not closed, by rule id.
    pub open_by_rule: BTreeMap<String, u64>,
    /// Alerts that nobody acknowledged.
    pub unacknowledged: u64,
    /// When the longest-waiting of them was raised.
    pub oldest_unacknowledged: Option<Time>,
    /// The outbox by route.
    pub routes: BTreeMap<String, RouteStats>,
    /// The laws over everything of the last 24 hours.
    pub last_24h: Balance,
    /// The last 24 hours, hour by hour, earliest first; hours without records are there with zeros.
    pub hours: Vec<HourCount>,
    /// Running silences.
    pub silences: u64,
}

impl Store {
    /// The console's numbers.
    pub fn stats(&self, now: Time) -> Result<Stats, StoreError> {
        let _ = now;
        unimplemented!()
    }
}
