//! Silences: what a person decided that nobody needs to see for a while.

use model::{Digest, Silence, Time};
use rusqlite::{Connection, params};
use serde::Serialize;

use crate::rows::{count, json, time, time_maybe, to_json};
use crate::{SilenceError, Store, StoreError, audit};

/// A silence and what it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SilenceRow {
    /// The silence.
    pub silence: Silence,
    /// Findings it took.
    pub taken: u64,
    /// When it was ended before its time.
    pub ended: Option<Time>,
    /// Who ended it.
    pub ended_by: Option<String>,
}

impl Store {
    /// Adds a silence. An empty `silence_id` is given one.
    ///
    /// Errors: [`SilenceError`] for one without condition, owner or reason, and for one that has expired or never ends.
    pub fn add_silence(&self, silence: Silence, now: Time) -> Result<Silence, SilenceError> {
        let silence = self.checked(silence, now)?;
        self.write(|db| {
            let added = db
                .prepare_cached(
                    "INSERT OR IGNORE INTO silences (silence_id, matches, owner, reason, created, expires) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute(params![
                    silence.silence_id,
                    to_json(&silence.matches),
                    silence.owner,
                    silence.reason,
                    silence.created.micros(),
                    silence.expires.micros()
                ])?;
            if added == 0 {
                return Err(SilenceError::Taken(silence.silence_id.clone()));
            }
            audit::seal(db, now, &silence.owner, "silence.added", &silence.silence_id, &to_json(&silence))?;
            Ok(silence)
        })
    }

    fn checked(&self, mut silence: Silence, now: Time) -> Result<Silence, SilenceError> {
        let m = &silence.matches;
        if m.rule_id.is_none() && m.source.is_none() && m.entity.is_none() {
            return Err(SilenceError::NoCondition);
        }
        if silence.owner.trim().is_empty() {
            return Err(SilenceError::NoOwner);
        }
        if silence.reason.trim().is_empty() {
            return Err(SilenceError::NoReason);
        }
        if silence.expires <= now.max(silence.created) {
            return Err(SilenceError::Expired { expires: silence.expires, now });
        }
        let days_max = self.inner.options.silence_days_max;
        if silence.expires.millis_since(now) > i64::from(days_max) * 86_400_000 {
            return Err(SilenceError::Endless { expires: silence.expires, days_max });
        }
        if silence.silence_id.is_empty() {
            let of = to_json(&(&silence, now));
            silence.silence_id = Digest::of(of.as_bytes()).hex()[..12].to_owned();
        }
        Ok(silence)
    }

    /// The running silences; with `include_ended`, all there ever were. Latest first.
    pub fn silences(&self, now: Time, include_ended: bool) -> Result<Vec<SilenceRow>, StoreError> {
        self.read(|db| {
            let since = if include_ended { None } else { Some(now) };
            select(db, since)
        })
    }

    /// Ends a running silence now. It stays listed among the ended.
    pub fn end_silence(&self, silence_id: &str, who: &str, now: Time) -> Result<(), SilenceError> {
        if who.trim().is_empty() {
            return Err(SilenceError::NoOwner);
        }
        self.write(|db| {
            let ended = db
                .prepare_cached(
                    "UPDATE silences SET ended = ?2, ended_by = ?3 WHERE silence_id = ?1 AND ended IS NULL AND expires > ?2",
                )?
                .execute(params![silence_id, now.micros(), who])?;
            if ended == 0 {
                return Err(SilenceError::NotRunning(silence_id.to_owned()));
            }
            audit::seal(db, now, who, "silence.ended", silence_id, "{}")?;
            Ok(())
        })
    }
}

/// The silences that triage at `now` must ask.
pub(crate) fn running(db: &Connection, now: Time) -> Result<Vec<Silence>, StoreError> {
    Ok(select(db, Some(now))?.into_iter().map(|row| row.silence).collect())
}

/// The silences that have not ended at `running_at`, or all.
fn select(db: &Connection, running_at: Option<Time>) -> Result<Vec<SilenceRow>, StoreError> {
    let mut select = db.prepare_cached(
        "SELECT silence_id, matches, owner, reason, created, expires, taken, ended, ended_by FROM silences \
         WHERE ?1 IS NULL OR (ended IS NULL AND expires > ?1) ORDER BY created DESC, silence_id",
    )?;
    let mut rows = select.query([running_at.map(Time::micros)])?;
    let mut silences = Vec::new();
    while let Some(row) = rows.next()? {
        let silence = Silence {
            silence_id: row.get(0)?,
            matches: json(row, 1, "silence")?,
            owner: row.get(2)?,
            reason: row.get(3)?,
            created: time(row, 4)?,
            expires: time(row, 5)?,
        };
        silences.push(SilenceRow { silence, taken: count(row, 6)?, ended: time_maybe(row, 7)?, ended_by: row.get(8)? });
    }
    Ok(silences)
}
