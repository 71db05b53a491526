//! Settling: what a batch of records came to becomes the truth in one transaction.
//!
//! In: a [`Settlement`]. Out: [`Settled`]. Bound: the batch. When the disk is full or fails: nothing is written, and the error says
//! whether to try again.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension};

use crate::settlement::{Settled, Settlement};
use crate::triage::Triage;
use crate::{RouteRule, Store, StoreError, facts, feeds, health, ledger, proposals, rejects};

impl Store {
    /// Stores what a batch came to, in one transaction: findings once by id, alerts opened, folded or silenced, an outbox row for
    /// every route that takes an opened alert, rejects, counts, facts for correlations and the cursor. A known finding about many events is
    /// replaced by what is said later of it, as long as it is not final.
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
        let (mut settled, mut counts) = triage.finish()?;
        counts.merge(&settlement.ledger);
        ledger::add(db, &counts)?;
        rejects::keep(db, &self.inner.options, &settlement.rejects)?;
        health::touch(db, settlement)?;
        feeds::measure(db, settlement)?;
        proposals::add(db, &settlement.discovered)?;
        if let Some(bytes) = &settlement.facts {
            settled.facts = Some(facts::append(db, bytes)?);
        }
        if let Some(cursor) = &settlement.cursor {
            db.prepare_cached(
                "INSERT INTO cursors VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET value = excluded.value",
            )?
            .execute([&settlement.input, &cursor.key, &cursor.value])?;
        }
        Ok(settled)
    }

    /// Keeps how far `input` has been read at `key`, for an input whose records are durable before they are settled.
    ///
    /// Errors: [`StoreError`]; then what was kept before stands.
    pub fn remember(&self, input: &str, key: &str, value: &str) -> Result<(), StoreError> {
        self.write(|db| {
            let insert = "INSERT INTO cursors VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET value = excluded.value";
            db.prepare_cached(insert)?.execute([input, key, value])?;
            Ok(())
        })
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
