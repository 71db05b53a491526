//! Records that the journal accepted and can no longer give.
//!
//! In: the ranges that opening the journal found to be missing. Out: they are booked as received, once, so that
//! `received = evaluated + rejected` does not hold and the check of the balance says so. Bound: one cursor for each range.

use model::{Entry, Step, Time};
use rusqlite::{Connection, OptionalExtension};

use crate::journal::{Lost, Position};
use crate::{Store, StoreError, ledger};

/// The input under which lost records stand in the ledger, and which ranges were booked among the cursors.
const LOST: &str = "journal:lost";

impl Store {
    /// Books the records of `lost` as received in the hour of `now`, once for each range however often it is found. A range before what was
    /// settled of the journal (`journal_key` names its cursors) was read in time, and is not booked. Says how many records were booked.
    pub fn book_lost(&self, journal_key: &str, lost: &[Lost], now: Time) -> Result<u64, StoreError> {
        if lost.is_empty() {
            return Ok(0);
        }
        self.write(|db| {
            let settled = settled(db, journal_key)?;
            let mut booked = 0;
            for range in lost {
                let fresh = note(db, range)?;
                booked += if range.before > settled { fresh } else { 0 };
            }
            if booked > 0 {
                let hour = now.hour();
                let entry =
                    Entry { input: LOST.into(), source: None, hour, step: Step::Received, reason: String::new() };
                ledger::add_one(db, &entry, booked)?;
            }
            Ok(booked)
        })
    }
}

/// How far the journal was settled. The line settles in the journal's order, so the input that is farthest tells.
fn settled(db: &Connection, journal_key: &str) -> Result<Position, StoreError> {
    let mut select = db.prepare_cached("SELECT value FROM cursors WHERE key = ?1")?;
    let mut rows = select.query([journal_key])?;
    let mut farthest = Position::START;
    while let Some(row) = rows.next()? {
        let value: String = row.get(0)?;
        farthest = farthest.max(Position::parse(&value).unwrap_or_default());
    }
    Ok(farthest)
}

/// Notes a range; says how many of its records were not noted before.
fn note(db: &Connection, range: &Lost) -> Result<u64, StoreError> {
    let key = range.from.to_string();
    let known: Option<String> = db
        .prepare_cached("SELECT value FROM cursors WHERE input = ?1 AND key = ?2")?
        .query_row([LOST, key.as_str()], |row| row.get(0))
        .optional()?;
    let known = known.and_then(|text| text.parse().ok()).unwrap_or(range.from);
    let upto = known.max(range.to);
    db.prepare_cached("INSERT INTO cursors VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET value = excluded.value")?
        .execute([LOST, key.as_str(), upto.to_string().as_str()])?;
    Ok(upto - known)
}
