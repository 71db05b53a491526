//! The queue: pages of alerts, filtered, sorted and counted.

use model::{Alert, AlertId, AlertState, Lane, Level};
use rusqlite::params;
use serde::{Deserialize, Serialize};

use crate::rows::id16;
use crate::{Store, StoreError, search};

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
    /// There are more than `total`: a text that very many alerts hold is not counted to the end.
    pub total_is_least: bool,
}

impl Store {
    /// A page of alerts and how many there are.
    pub fn alerts(&self, query: &AlertQuery) -> Result<AlertPage, StoreError> {
        self.read(|db| search::page(db, query))
    }

    /// The ids that begin with `prefix` (hexadecimal digits), at most `limit`, in order.
    pub fn alert_ids(&self, prefix: &str, limit: usize) -> Result<Vec<AlertId>, StoreError> {
        let prefix = prefix.trim().to_ascii_lowercase();
        let ends = [format!("{prefix:0<32}"), format!("{prefix:f<32}")].map(|text| AlertId::parse(&text));
        let [Some(least), Some(most)] = ends else { return Ok(Vec::new()) };
        self.read(|db| {
            let sql = "SELECT alert_id FROM alerts WHERE alert_id BETWEEN ?1 AND ?2 ORDER BY alert_id LIMIT ?3";
            let mut select = db.prepare_cached(sql)?;
            let mut rows = select.query(params![least.as_bytes(), most.as_bytes(), limit as i64])?;
            let mut ids = Vec::new();
            while let Some(row) = rows.next()? {
                ids.push(id16(row, 0, "alert_id", AlertId::parse)?);
            }
            Ok(ids)
        })
    }
}
