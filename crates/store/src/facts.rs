//! The log of facts: what settlements said to correlations, kept until snapshots of their state stand for it.
//!
//! In: bytes that only the pipeline reads, one row for each settlement, in its transaction. Out: the rows behind a snapshot, in order. Bound:
//! what was settled since the older of the last two snapshots; [`Store::trim_facts`] deletes what is before.
//!
//! The state of correlations after a crash is a snapshot and the rows behind it. Two snapshots are kept with all rows behind the older one, so
//! that one torn file costs nothing.

use model::{Digest, Time};
use rusqlite::{Connection, Row, params};
use serde::Serialize;

use crate::rows::{count, time};
use crate::{Store, StoreError};

/// Snapshots that are kept.
const KEPT: i64 = 2;

/// One row of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactsRow {
    /// Its place, from 1, without gaps.
    pub seq: u64,
    /// What was said.
    pub bytes: Vec<u8>,
}

/// What the log holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FactsSpan {
    /// Rows up to this one were deleted, or never were.
    pub deleted: u64,
    /// The last row ever written; 0 if there was none.
    pub last: u64,
}

/// A snapshot that stands for all rows up to its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SnapshotRow {
    /// The last row that is in it.
    pub seq: u64,
    /// Digest of its file.
    pub digest: Digest,
    /// Length of its file.
    pub bytes: u64,
    /// When it was noted.
    pub written: Time,
}

/// Adds a row, within the caller's transaction; gives its place.
pub(crate) fn append(db: &Connection, bytes: &[u8]) -> rusqlite::Result<u64> {
    db.prepare_cached("INSERT INTO facts (bytes) VALUES (?1)")?.execute([bytes])?;
    Ok(db.last_insert_rowid().unsigned_abs())
}

impl Store {
    /// The rows after `seq`, in order: as many as hold `bytes_max` bytes together, and one in any case while there are any.
    pub fn facts_after(&self, seq: u64, bytes_max: usize) -> Result<Vec<FactsRow>, StoreError> {
        self.read(|db| {
            let mut select = db.prepare_cached("SELECT seq, bytes FROM facts WHERE seq > ?1 ORDER BY seq")?;
            let mut rows = select.query([seq as i64])?;
            let (mut found, mut bytes) = (Vec::new(), 0);
            while let Some(row) = rows.next()? {
                let row = FactsRow { seq: count(row, 0)?, bytes: row.get(1)? };
                bytes += row.bytes.len();
                if bytes > bytes_max && !found.is_empty() {
                    break;
                }
                found.push(row);
            }
            Ok(found)
        })
    }

    /// Which rows there are.
    pub fn facts_span(&self) -> Result<FactsSpan, StoreError> {
        self.read(|db| {
            let last = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'facts'";
            let last: i64 = db.prepare_cached(last)?.query_row([], |row| row.get(0))?;
            let first = "SELECT coalesce(min(seq), ?1 + 1) FROM facts";
            let first: i64 = db.prepare_cached(first)?.query_row([last], |row| row.get(0))?;
            Ok(FactsSpan { deleted: (first - 1).unsigned_abs(), last: last.unsigned_abs() })
        })
    }

    /// The snapshots that are noted, newest first.
    pub fn snapshots(&self) -> Result<Vec<SnapshotRow>, StoreError> {
        self.read(|db| {
            let mut select =
                db.prepare_cached("SELECT seq, digest, bytes, written FROM snapshots ORDER BY seq DESC")?;
            let rows = select.query_map([], snapshot_of)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Notes a snapshot whose file is durable, and forgets all but the last two. The files of those forgotten may go afterwards.
    pub fn note_snapshot(&self, snapshot: &SnapshotRow) -> Result<(), StoreError> {
        self.write(|db| {
            let SnapshotRow { seq, digest, bytes, written } = snapshot;
            db.prepare_cached("INSERT OR REPLACE INTO snapshots VALUES (?1, ?2, ?3, ?4)")?.execute(params![
                *seq as i64,
                digest.0,
                *bytes as i64,
                written.micros()
            ])?;
            let older = "DELETE FROM snapshots WHERE seq NOT IN (SELECT seq FROM snapshots ORDER BY seq DESC LIMIT ?1)";
            db.prepare_cached(older)?.execute([KEPT])?;
            Ok(())
        })
    }

    /// Forgets a snapshot whose file is torn, missing or foreign.
    pub fn forget_snapshot(&self, seq: u64) -> Result<(), StoreError> {
        self.write(|db| {
            db.prepare_cached("DELETE FROM snapshots WHERE seq = ?1")?.execute([seq as i64])?;
            Ok(())
        })
    }

    /// Deletes up to `rows_max` rows that stand before the older of two snapshots, the oldest first; says how many. With fewer than two
    /// snapshots nothing is deleted.
    ///
    /// Shape: small steps, since settlements wait for each.
    pub fn trim_facts(&self, rows_max: u64) -> Result<u64, StoreError> {
        self.write(|db| {
            let delete = "DELETE FROM facts WHERE seq IN (SELECT seq FROM facts WHERE seq <= \
                 (SELECT min(seq) FROM snapshots HAVING count(*) >= ?1) ORDER BY seq LIMIT ?2)";
            let deleted = db.prepare_cached(delete)?.execute([KEPT, rows_max as i64])?;
            Ok(deleted as u64)
        })
    }
}

fn snapshot_of(row: &Row<'_>) -> rusqlite::Result<SnapshotRow> {
    Ok(SnapshotRow { seq: count(row, 0)?, digest: Digest(row.get(1)?), bytes: count(row, 2)?, written: time(row, 3)? })
}
