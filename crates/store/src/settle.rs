//! Settling: what a batch of records came to becomes the truth in one transaction.
//!
//! In: a [`Settlement`]. Out: [`Settled`]. Bound: the batch. When the disk is full or fails: nothing is written, and the error says
//! whether to try again.

use std::collections::BTreeMap;

use model::{AlertId, Disposition, EventId, Finding, FindingId, Ledger, Reject, SourceId, Time};
use rusqlite::{Connection, OptionalExtension};

use crate::triage::Triage;
use crate::{RouteRule, Store, StoreError, health, ledger, rejects};

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
}

impl Store {
    /// Stores what a batch came to, in one transaction: findings once by id, alerts opened, folded or silenced, an outbox row for
    /// every route that takes an opened alert, rejects, counts and the cursor.
    ///
    /// Errors: those of the disk. Nothing of the batch is stored then, and the same settlement may be handed in again.
    pub fn settle(&self, settlement: Settlement, routes: &[RouteRule]) -> Result<Settled, StoreError> {
        self.set_routes(routes);
        self.write(|db| self.settle_in(db, &settlement, routes))
    }

    /// The body of [`Store::settle`], within the caller's transaction.
    pub(crate) fn settle_in(
        &self,
        db: &Connection,
        settlement: &Settlement,
        routes: &[RouteRule],
    ) -> Result<Settled, StoreError> {
        let mut triage = Triage::begin(db, &self.inner.options, routes, settlement.now)?;
        for raised in &settlement.findings {
            triage.settle(raised)?;
        }
        let (settled, mut counts) = triage.finish()?;
        counts.merge(&settlement.ledger);
        ledger::add(db, &counts)?;
        rejects::keep(db, &self.inner.options, &settlement.rejects)?;
        health::touch(db, settlement)?;
        if let Some(cursor) = &settlement.cursor {
            db.prepare_cached(
                "INSERT INTO cursors VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET value = excluded.value",
            )?
            .execute([&settlement.input, &cursor.key, &cursor.value])?;
        }
        Ok(settled)
    }

    /// How far `input` has been read at `key`.
    pub fn cursor(&self, input: &str, key: &str) -> Result<Option<String>, StoreError> {
        self.read(|db| {
            let mut select = db.prepare_cached("SELECT value FROM cursors WHERE input = ?1 AND key = ?2")?;
            Ok(select.query_row([input, key], |row| row.get(0)).optional()?)
        })
    }

    /// Every cursor of `input`, by key.
    pub fn cursors(&self, input: &str) -> Result<BTreeMap<String, String>, StoreError> {
        self.read(|db| {
            let mut select = db.prepare_cached("SELECT key, value FROM cursors WHERE input = ?1")?;
            let rows = select.query_map([input], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }
}
