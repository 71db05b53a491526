//! The queue: pages of alerts, filtered, sorted and counted.

use model::{Alert, AlertId, AlertState, Lane, Level};
use serde::{Deserialize, Serialize};

use crate::{Store, StoreError};

/// In what order a page of alerts comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertSort {
    /// Gravest first, then latest event first.
    #[default]
    Level,
    /// Latest event first.
    LastEvent,
    /// Latest raised first.
    Detected,
    /// Earliest raised first: who waits longest.
    Oldest,
}

/// Which alerts, and which page of them. An empty list or `None` means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertQuery {
    /// The states.
    pub states: Vec<AlertState>,
    /// The levels.
    pub levels: Vec<Level>,
    /// The source's id.
    pub source: Option<String>,
    /// The rule's id.
    pub rule: Option<String>,
    /// Text in the title, message, entities, techniques, rule id or alert id; every word must occur somewhere.
    pub text: Option<String>,
    /// The lane.
    pub lane: Option<Lane>,
    /// The order.
    pub sort: AlertSort,
    /// How many to pass over.
    pub offset: u64,
    /// How many to give; 0 means 50.
    pub limit: u64,
}

/// A page of alerts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlertPage {
    /// The page.
    pub alerts: Vec<Alert>,
    /// How many the query meets in all.
    pub total: u64,
}

impl Store {
    /// A page of alerts and how many there are.
    pub fn alerts(&self, query: &AlertQuery) -> Result<AlertPage, StoreError> {
        let _ = query;
        unimplemented!()
    }

    /// The ids that begin with `prefix` (hexadecimal digits), at most `limit`, in order.
    pub fn alert_ids(&self, prefix: &str, limit: usize) -> Result<Vec<AlertId>, StoreError> {
        let _ = (prefix, limit);
        unimplemented!()
    }
}
