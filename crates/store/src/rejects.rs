//! Rejects: bytes that did not become an event, kept with their reason.
//!
//! In: raw bytes and a reason. Out: kept copies and totals. Bound: per input and reason, `rejects_kept_max` copies of at most
//! `reject_bytes_max`, then `reject_digests_max` digests. When full: counted, and folded into one digest; the totals say so.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;

use model::{Digest, Reject, SourceId, Time};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;

use crate::rows::{count, hex, time, to_json, word};
use crate::{Rejected, Store, StoreError, StoreOptions, audit};

/// A kept reject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RejectRow {
    /// The row.
    pub id: i64,
    /// The input.
    pub input: String,
    /// The source, if it was known.
    pub source: Option<SourceId>,
    /// Why.
    pub reason: Reject,
    /// When it came.
    pub received: Time,
    /// Length of the whole record.
    pub bytes: u64,
    /// SHA-256 of the whole record, hexadecimal.
    pub sha256: String,
    /// The record, cut to `reject_bytes_max`; `None` once the copies of its input and reason are full.
    pub raw: Option<Vec<u8>>,
}

/// All rejects of one input and reason: what is kept, and what is only counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RejectTotal {
    /// The input.
    pub input: String,
    /// Why.
    pub reason: Reject,
    /// How many there were.
    pub total: u64,
    /// How many have a raw copy.
    pub with_raw: u64,
    /// How many have a digest only.
    pub with_digest: u64,
    /// Digest of the digests of those that are only counted, in order; `None` when there are none.
    pub rolled_sha256: Option<String>,
    /// When the latest came.
    pub last_received: Time,
}

/// Which rejects. `None` means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RejectQuery {
    /// The input.
    pub input: Option<String>,
    /// The source.
    pub source: Option<String>,
    /// Why.
    pub reason: Option<Reject>,
    /// How many to pass over.
    pub offset: u64,
    /// How many to give; 0 means 50.
    pub limit: u64,
}

impl Store {
    /// Kept rejects, latest first.
    pub fn rejects(&self, query: &RejectQuery) -> Result<Vec<RejectRow>, StoreError> {
        let limit = if query.limit == 0 { 50 } else { query.limit.min(1_000) };
        let values = params![
            query.input,
            query.source,
            query.reason.map(Reject::as_str),
            limit as i64,
            query.offset.min(i64::MAX as u64) as i64
        ];
        self.read(|db| {
            let mut select = db.prepare_cached(
                "SELECT id, input, source, reason, received, bytes, sha256, raw FROM rejects WHERE (?1 IS NULL OR input = ?1) \
                 AND (?2 IS NULL OR source = ?2) AND (?3 IS NULL OR reason = ?3) ORDER BY id DESC LIMIT ?4 OFFSET ?5",
            )?;
            let mut rows = select.query(values)?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(row_of(row)?);
            }
            Ok(found)
        })
    }

    /// How many rejects there are of each input and reason, and how they are kept.
    pub fn reject_totals(&self) -> Result<Vec<RejectTotal>, StoreError> {
        self.read(|db| {
            let mut select = db.prepare_cached(
                "SELECT input, reason, total, with_raw, with_digest, rolled, last_received FROM reject_totals",
            )?;
            let mut rows = select.query([])?;
            let mut totals = Vec::new();
            while let Some(row) = rows.next()? {
                totals.push(RejectTotal {
                    input: row.get(0)?,
                    reason: word(row, 1, "reject", Reject::parse)?,
                    total: count(row, 2)?,
                    with_raw: count(row, 3)?,
                    with_digest: count(row, 4)?,
                    rolled_sha256: row.get::<_, Option<Vec<u8>>>(5)?.map(|bytes| hex(&bytes)),
                    last_received: time(row, 6)?,
                });
            }
            Ok(totals)
        })
    }

    /// Deletes the kept rejects of an input and reason, once a person has dealt with them, so that new ones have room. The totals stay.
    pub fn clear_rejects(&self, input: &str, reason: Reject, who: &str, now: Time) -> Result<u64, StoreError> {
        self.write(|db| {
            let cleared =
                db.execute("DELETE FROM rejects WHERE input = ?1 AND reason = ?2", [input, reason.as_str()])?;
            db.execute(
                "UPDATE reject_totals SET with_raw = 0, with_digest = 0 WHERE input = ?1 AND reason = ?2",
                [input, reason.as_str()],
            )?;
            audit::seal(db, now, who, "rejects.cleared", input, &to_json(&(reason, cleared)))?;
            Ok(cleared as u64)
        })
    }
}

fn row_of(row: &Row<'_>) -> Result<RejectRow, StoreError> {
    Ok(RejectRow {
        id: row.get(0)?,
        input: row.get(1)?,
        source: row.get::<_, Option<String>>(2)?.map(SourceId::new),
        reason: word(row, 3, "reject", Reject::parse)?,
        received: time(row, 4)?,
        bytes: count(row, 5)?,
        sha256: hex(&row.get::<_, Vec<u8>>(6)?),
        raw: row.get(7)?,
    })
}

/// How the rejects of one input and reason are kept.
#[derive(Clone, Default)]
struct Total {
    total: u64,
    with_raw: u64,
    with_digest: u64,
    rolled: Option<Vec<u8>>,
    last_received: Time,
}

/// Keeps a batch's rejects, within the caller's transaction: raw copies first, then digests, then a digest over digests and the count.
pub(crate) fn keep(db: &Connection, options: &StoreOptions, rejects: &[Rejected]) -> Result<(), StoreError> {
    let mut totals: BTreeMap<(&str, Reject), Total> = BTreeMap::new();
    for reject in rejects {
        let key = (reject.input.as_str(), reject.reason);
        let total = match totals.entry(key) {
            Slot::Occupied(slot) => slot.into_mut(),
            Slot::Vacant(slot) => slot.insert(load_total(db, key)?),
        };
        keep_one(db, options, reject, total)?;
    }
    for ((input, reason), total) in totals {
        db.prepare_cached("INSERT OR REPLACE INTO reject_totals VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?.execute(
            params![
                input,
                reason.as_str(),
                total.total as i64,
                total.with_raw as i64,
                total.with_digest as i64,
                total.rolled,
                total.last_received.micros()
            ],
        )?;
    }
    Ok(())
}

fn load_total(db: &Connection, (input, reason): (&str, Reject)) -> Result<Total, StoreError> {
    let mut select = db.prepare_cached(
        "SELECT total, with_raw, with_digest, rolled, last_received FROM reject_totals WHERE input = ?1 AND reason = ?2",
    )?;
    let read = |row: &Row<'_>| {
        Ok(Total {
            total: count(row, 0)?,
            with_raw: count(row, 1)?,
            with_digest: count(row, 2)?,
            rolled: row.get(3)?,
            last_received: time(row, 4)?,
        })
    };
    Ok(select.query_row([input, reason.as_str()], read).optional()?.unwrap_or_default())
}

fn keep_one(db: &Connection, options: &StoreOptions, reject: &Rejected, total: &mut Total) -> Result<(), StoreError> {
    let sha256 = Digest::of(&reject.raw);
    total.total += 1;
    total.last_received = total.last_received.max(reject.received);
    let raw = if total.with_raw < options.rejects_kept_max {
        total.with_raw += 1;
        Some(&reject.raw[..reject.raw.len().min(options.reject_bytes_max)])
    } else if total.with_digest < options.reject_digests_max {
        total.with_digest += 1;
        None
    } else {
        let before = total.rolled.take().unwrap_or_default();
        total.rolled = Some(Digest::of_parts(&[&before, &sha256.0]).0.to_vec());
        return Ok(());
    };
    db.prepare_cached(
        "INSERT INTO rejects (input, source, reason, received, bytes, sha256, raw) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        reject.input,
        reject.source.as_ref().map(SourceId::as_str),
        reject.reason.as_str(),
        reject.received.micros(),
        reject.raw.len() as i64,
        sha256.0,
        raw
    ])?;
    Ok(())
}
