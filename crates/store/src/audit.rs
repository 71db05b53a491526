//! The audit log: who did what, sealed by a hash chain.
//!
//! In: an act, within the transaction that does it. Out: a link of the chain. Bound: it only grows (triggers refuse anything else).

use custody::chain::{GENESIS, Link, Verifier};
use model::{Digest, Time};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;

use crate::rows::{count, hex, time};
use crate::{Store, StoreError};

/// One act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditEntry {
    /// Place in the chain, from 1.
    pub seq: u64,
    /// When.
    pub at: Time,
    /// Who.
    pub who: String,
    /// What: `alert.acknowledged`, `silence.added`, ….
    pub action: String,
    /// On what.
    pub subject: String,
    /// The rest, as JSON text.
    pub detail: String,
    /// The entry's digest, hexadecimal.
    pub digest: String,
}

/// What verifying the chain found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditReport {
    /// Entries in the log.
    pub entries: u64,
    /// Digest of the last entry that holds, hexadecimal: note it elsewhere to notice a cut tail.
    pub head: String,
    /// The first entry that does not hold, and why.
    pub broken: Option<(u64, String)>,
}

const COLUMNS: &str = "seq, at, who, action, subject, detail, payload, previous, digest";

/// What an entry seals.
fn sealed(who: &str, action: &str, subject: &str, detail: &str) -> Vec<u8> {
    Digest::of_parts(&[who.as_bytes(), action.as_bytes(), subject.as_bytes(), detail.as_bytes()]).0.to_vec()
}

fn digest(row: &Row<'_>, column: usize) -> rusqlite::Result<Digest> {
    Ok(Digest(row.get(column)?))
}

fn link_of(row: &Row<'_>) -> rusqlite::Result<Link> {
    Ok(Link {
        seq: count(row, 0)?,
        at: time(row, 1)?,
        payload: digest(row, 6)?,
        previous: digest(row, 7)?,
        digest: digest(row, 8)?,
    })
}

fn entry_of(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    Ok(AuditEntry {
        seq: count(row, 0)?,
        at: time(row, 1)?,
        who: row.get(2)?,
        action: row.get(3)?,
        subject: row.get(4)?,
        detail: row.get(5)?,
        digest: hex(&digest(row, 8)?.0),
    })
}

/// Adds an entry, within the caller's transaction.
pub(crate) fn seal(
    db: &Connection,
    at: Time,
    who: &str,
    action: &str,
    subject: &str,
    detail: &str,
) -> rusqlite::Result<()> {
    let last = db
        .prepare_cached(&format!("SELECT {COLUMNS} FROM audit ORDER BY seq DESC LIMIT 1"))?
        .query_row([], link_of)
        .optional()?;
    let link = Link::seal(last.as_ref(), at, &sealed(who, action, subject, detail));
    db.prepare_cached("INSERT INTO audit VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?.execute(params![
        link.seq as i64,
        at.micros(),
        who,
        action,
        subject,
        detail,
        link.payload.0,
        link.previous.0,
        link.digest.0
    ])?;
    Ok(())
}

impl Store {
    /// Audit entries, latest first.
    pub fn audit(&self, offset: u64, limit: u64) -> Result<Vec<AuditEntry>, StoreError> {
        self.read(|db| {
            let sql = format!("SELECT {COLUMNS} FROM audit ORDER BY seq DESC LIMIT ?1 OFFSET ?2");
            let mut select = db.prepare_cached(&sql)?;
            let rows = select.query_map([limit.min(10_000) as i64, offset as i64], entry_of)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Recomputes the whole chain: what was changed, removed or moved shows as the first entry that does not hold.
    pub fn verify_audit(&self) -> Result<AuditReport, StoreError> {
        self.read(|db| {
            let mut select = db.prepare(&format!("SELECT {COLUMNS} FROM audit ORDER BY seq"))?;
            let mut rows = select.query([])?;
            let (mut verifier, mut entries, mut broken) = (Verifier::new(), 0, None);
            while let Some(row) = rows.next()? {
                entries += 1;
                if broken.is_some() {
                    continue;
                }
                let (link, entry) = (link_of(row)?, entry_of(row)?);
                let payload = sealed(&entry.who, &entry.action, &entry.subject, &entry.detail);
                broken = verifier.check(&link, &payload).err().map(|broken| (broken.seq(), broken.to_string()));
            }
            let head = hex(&verifier.head().map_or(GENESIS, |link| link.digest).0);
            Ok(AuditReport { entries, head, broken })
        })
    }
}
