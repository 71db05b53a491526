//! What is handed in to be settled, and what comes of it.

use std::collections::BTreeMap;

use engine::context::Discovered;
use model::{AlertId, Disposition, EventId, Finding, FindingId, Ledger, Reject, SourceId, Time};

use crate::Measured;

/// How far an input has been read. Stored with what it came to, so that neither can be without the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// What is read: a path, a partition, `journal`.
    pub key: String,
    /// How far: a byte offset, a journal position, as text.
    pub value: String,
}

/// One event's own record, redacted by the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The event.
    pub event_id: EventId,
    /// Its source.
    pub source: SourceId,
    /// The record, redacted.
    pub raw: String,
}

/// A finding with the records that show it.
#[derive(Clone, Debug, PartialEq)]
pub struct Raised {
    /// The finding.
    pub finding: Finding,
    /// Its records.
    pub evidence: Vec<Evidence>,
    /// The input through which they came.
    pub input: String,
}

/// Bytes that did not become an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The input through which they came.
    pub input: String,
    /// The source, if it is known.
    pub source: Option<SourceId>,
    /// Why.
    pub reason: Reject,
    /// When they came.
    pub received: Time,
    /// The bytes.
    pub raw: Vec<u8>,
}

/// What a batch shows about one source's freshness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The source.
    pub source: SourceId,
    /// The latest event time in the batch.
    pub last_event: Time,
    /// When the record with that time was received.
    pub last_received: Time,
}

/// Everything that a batch came to.
///
/// Shape: `ledger` holds received, evaluated, rejected and raised, counted by the line; the store adds what triage and the outbox do.
#[derive(Clone, Debug, Default)]
pub struct Settlement {
    /// The input.
    pub input: String,
    /// How far the input has been read with this batch; nothing for an input that cannot be read again.
    pub cursor: Option<Cursor>,
    /// The line's counts.
    pub ledger: Ledger,
    /// The findings.
    pub findings: Vec<Raised>,
    /// The rejects.
    pub rejects: Vec<Rejected>,
    /// Freshness per source; may be empty.
    pub sightings: Vec<Sighting>,
    /// What was measured of each source; may be empty.
    pub measured: Vec<Measured>,
    /// Things that the batch shows and the inventory does not know.
    pub discovered: Discovered,
    /// What the batch says to correlations, as one row of the log of facts; `None` writes none.
    pub facts: Option<Vec<u8>>,
    /// The time of settling.
    pub now: Time,
}

/// What settling did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// What became of each finding, in the order given.
    pub findings: Vec<(FindingId, Disposition, Option<AlertId>)>,
    /// The alerts that were opened.
    pub opened: Vec<AlertId>,
    /// Outbox rows written, per route.
    pub queued: BTreeMap<String, u64>,
    /// The row of the log of facts that was written.
    pub facts: Option<u64>,
}
