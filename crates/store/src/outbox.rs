//! The outbox: what receivers are to be told, in order per alert and route.

use model::{AlertId, Time};
use serde::{Deserialize, Serialize};

use crate::{Store, StoreError};

/// Where an outbox row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutboxState {
    /// To be sent.
    Waiting,
    /// A receiver accepted it.
    Delivered,
    /// Given up; waits for a person.
    Dead,
}

impl OutboxState {
    /// The state's word.
    pub fn as_str(self) -> &'static str {
        match self {
            OutboxState::Waiting => "waiting",
            OutboxState::Delivered => "delivered",
            OutboxState::Dead => "dead",
        }
    }

    /// Reads the state's word.
    pub fn parse(text: &str) -> Option<OutboxState> {
        [OutboxState::Waiting, OutboxState::Delivered, OutboxState::Dead].into_iter().find(|s| s.as_str() == text)
    }
}

/// One message to one receiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OutboxRow {
    /// The row.
    pub id: i64,
    /// The route.
    pub route: String,
    /// The alert.
    pub alert_id: AlertId,
    /// Place in the order of its alert and route, from 0.
    pub seq: u32,
    /// Idempotency key: the same over retries and replays.
    pub key: String,
    /// `alert.opened`, `alert.acknowledged`, `alert.closed`.
    pub kind: String,
    /// The message: JSON text.
    pub payload: String,
    /// Attempts so far.
    pub attempts: u32,
    /// Where it stands.
    pub state: OutboxState,
    /// When it was queued.
    pub created: Time,
    /// When it is due.
    pub next: Time,
    /// The last error.
    pub error: Option<String>,
    /// The receiver's receipt.
    pub receipt: Option<String>,
    /// Did the receiver's system confirm that it holds it?
    pub confirmed: bool,
    /// When it was delivered or given up.
    pub settled: Option<Time>,
}

/// What came of sending a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboxOutcome {
    /// The receiver accepted it.
    Delivered {
        /// What the receiver answered with, such as an acknowledgement id.
        receipt: Option<String>,
        /// Did its system confirm that it holds it?
        confirmed: bool,
    },
    /// Try again.
    Retry {
        /// When.
        at: Time,
        /// Why it failed.
        error: String,
    },
    /// Give up; a person decides.
    Dead {
        /// Why.
        error: String,
    },
}

/// Which outbox rows. `None` means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutboxQuery {
    /// The route.
    pub route: Option<String>,
    /// Where they stand.
    pub state: Option<OutboxState>,
    /// The alert.
    pub alert_id: Option<AlertId>,
    /// How many to pass over.
    pub offset: u64,
    /// How many to give; 0 means 100.
    pub limit: u64,
}

impl Store {
    /// The rows that are due: per alert and route only the first that is not delivered, earliest due first.
    pub fn outbox_due(&self, now: Time, limit: usize) -> Result<Vec<OutboxRow>, StoreError> {
        let _ = (now, limit);
        unimplemented!()
    }

    /// As [`Store::outbox_due`], of one route.
    pub fn outbox_due_on(&self, route: &str, now: Time, limit: usize) -> Result<Vec<OutboxRow>, StoreError> {
        let _ = (route, now, limit);
        unimplemented!()
    }

    /// When the next waiting row is due, if any waits.
    pub fn outbox_next_due(&self) -> Result<Option<Time>, StoreError> {
        unimplemented!()
    }

    /// Records what came of sending a row. `Delivered` moves the alert to delivered, or received if confirmed. A row that is
    /// delivered already may be delivered again with `confirmed` (a later confirmation); other outcomes of settled rows are refused.
    pub fn outbox_settle(&self, id: i64, outcome: OutboxOutcome, now: Time) -> Result<(), StoreError> {
        let _ = (id, outcome, now);
        unimplemented!()
    }

    /// The rows given up, latest first, at most 1,000.
    pub fn dead_letters(&self) -> Result<Vec<OutboxRow>, StoreError> {
        self.outbox(&OutboxQuery { state: Some(OutboxState::Dead), limit: 1_000, ..OutboxQuery::default() })
    }

    /// Makes a dead row wait again, due now, with the same key.
    pub fn replay_dead(&self, id: i64, who: &str, now: Time) -> Result<(), StoreError> {
        let _ = (id, who, now);
        unimplemented!()
    }

    /// Outbox rows, latest first.
    pub fn outbox(&self, query: &OutboxQuery) -> Result<Vec<OutboxRow>, StoreError> {
        let _ = query;
        unimplemented!()
    }
}
