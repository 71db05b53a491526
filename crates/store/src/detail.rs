//! Everything about one alert.

use model::{Alert, AlertId, Disposition, EventId, Finding, FindingId, SourceId, Time};
use serde::Serialize;

use crate::{OutboxState, Store, StoreError};

/// A stored finding.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FindingRow {
    /// Its id.
    pub finding_id: FindingId,
    /// What became of it.
    pub disposition: Disposition,
    /// When it happened.
    pub event_time: Time,
    /// When it was settled.
    pub settled: Time,
    /// The whole finding; `None` beyond `findings_per_alert_max`.
    pub finding: Option<Finding>,
}

/// A stored record behind a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EvidenceRow {
    /// The event.
    pub event_id: EventId,
    /// Its source.
    pub source: SourceId,
    /// The redacted record, cut to `evidence_bytes_max`.
    pub raw: String,
    /// Length of the whole redacted record.
    pub bytes: u64,
    /// SHA-256 of the whole redacted record, hexadecimal.
    pub sha256: String,
}

/// Something that happened to an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HistoryRow {
    /// When (for folds: the latest).
    pub at: Time,
    /// `opened`, `folded`, `delivered`, `received`, `acknowledged`, `closed`.
    pub kind: String,
    /// Who: a person, a route, or `watchkeep`.
    pub who: String,
    /// Why, or what the receiver said.
    pub why: Option<String>,
    /// How many times (folds).
    pub count: u64,
}

/// One outbox row as an alert's page shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// The outbox row.
    pub outbox_id: i64,
    /// The route.
    pub route: String,
    /// What was sent: `alert.opened`, ….
    pub kind: String,
    /// Place in the order of its alert and route.
    pub seq: u32,
    /// Where it stands.
    pub state: OutboxState,
    /// Attempts so far.
    pub attempts: u32,
    /// The last error.
    pub error: Option<String>,
    /// The receiver's receipt.
    pub receipt: Option<String>,
    /// Did the receiver's system confirm that it holds it?
    pub confirmed: bool,
    /// When it was queued.
    pub created: Time,
    /// When it is tried next, while it waits.
    pub next: Option<Time>,
    /// When it was delivered or given up.
    pub settled: Option<Time>,
}

/// Everything about one alert.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AlertDetail {
    /// The alert.
    pub alert: Alert,
    /// Its latest findings, the opening one first, then latest first; at most 200.
    pub findings: Vec<FindingRow>,
    /// The records behind them.
    pub evidence: Vec<EvidenceRow>,
    /// What happened, in order.
    pub history: Vec<HistoryRow>,
    /// Where it was sent.
    pub deliveries: Vec<Delivery>,
}

impl Store {
    /// Everything about one alert; `None` if there is none.
    pub fn alert(&self, id: AlertId) -> Result<Option<AlertDetail>, StoreError> {
        let _ = id;
        unimplemented!()
    }
}
