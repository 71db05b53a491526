//! Things that telemetry showed and the inventory does not know, until a person decides.
//!
//! In: what batches showed, in the transaction that settles them. Out: rows with first and last sighting, how often, by which sources, and
//! an example. Bound: [`DISCOVERED_MAX`] things, the dismissed among them; sightings of further ones are counted.

use engine::context::{AssetKind, DISCOVERED_MAX, Discovered, SOURCES_MAX, Seen};
use model::{EventId, SourceId, Time};
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use std::collections::BTreeSet;

use crate::rows::{count, event_id, json, time, time_maybe, to_json, word};
use crate::{Store, StoreError, audit};

/// A thing that the inventory does not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProposalRow {
    /// What kind of thing: a word of the inventory.
    pub kind: &'static str,
    /// How telemetry shows it.
    pub name: String,
    /// Event time of the first sighting.
    pub first: Time,
    /// Event time of the latest.
    pub last: Time,
    /// In how many events.
    pub count: u64,
    /// Sources that showed it, the first few by name.
    pub sources: BTreeSet<SourceId>,
    /// An event that shows it.
    pub example: EventId,
    /// When it was dismissed.
    pub dismissed: Option<Time>,
    /// Who dismissed it.
    pub dismissed_by: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// All of them, and what there was no room for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Proposals {
    /// In order of kind, the most often seen first.
    pub rows: Vec<ProposalRow>,
    /// Sightings of things that there was no room for.
    pub left_out: u64,
}

/// Why a proposal is not dismissed.
#[derive(Debug, thiserror::Error)]
pub enum ProposalError {
    /// Nobody answers for it.
    #[error("dismissing a proposal needs somebody who does it")]
    Nobody,
    /// It gives no reason.
    #[error("dismissing a proposal needs a reason")]
    NoReason,
    /// There is none of this kind and name.
    #[error("no open proposal is the {0} `{1}`")]
    Unknown(&'static str, String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for ProposalError {
    fn from(error: rusqlite::Error) -> ProposalError {
        ProposalError::Store(error.into())
    }
}

impl Store {
    /// What is proposed; with `dismissed`, what was dismissed too.
    pub fn proposals(&self, dismissed: bool) -> Result<Proposals, StoreError> {
        self.read(|db| {
            let mut select = db.prepare_cached(
                "SELECT kind, name, first, last, n, sources, example, dismissed, dismissed_by, reason FROM proposals \
                 WHERE ?1 OR dismissed IS NULL ORDER BY kind, n DESC, name",
            )?;
            let mut found = select.query([dismissed])?;
            let mut rows = Vec::new();
            while let Some(row) = found.next()? {
                rows.push(ProposalRow {
                    kind: word(row, 0, "kind of asset", AssetKind::parse)?.as_str(),
                    name: row.get(1)?,
                    first: time(row, 2)?,
                    last: time(row, 3)?,
                    count: count(row, 4)?,
                    sources: json(row, 5, "sources")?,
                    example: event_id(row, 6)?,
                    dismissed: time_maybe(row, 7)?,
                    dismissed_by: row.get(8)?,
                    reason: row.get(9)?,
                });
            }
            let left_out = db.query_row("SELECT n FROM proposals_left_out", [], |row| count(row, 0)).optional()?;
            Ok(Proposals { rows, left_out: left_out.unwrap_or(0) })
        })
    }

    /// Says that a thing does not belong into the inventory: it is proposed no more, and the audit log has who said so and why.
    ///
    /// Errors: [`ProposalError::Unknown`] where nothing of this kind and name is proposed.
    pub fn dismiss_proposal(
        &self,
        kind: AssetKind,
        name: &str,
        (who, reason): (&str, &str),
        now: Time,
    ) -> Result<(), ProposalError> {
        let (who, reason) = (who.trim(), reason.trim());
        if who.is_empty() {
            return Err(ProposalError::Nobody);
        }
        if reason.is_empty() {
            return Err(ProposalError::NoReason);
        }
        self.write(|db| {
            let update = "UPDATE proposals SET dismissed = ?3, dismissed_by = ?4, reason = ?5 \
                          WHERE kind = ?1 AND name = ?2 AND dismissed IS NULL";
            let done = db.prepare_cached(update)?.execute(params![kind.as_str(), name, now.micros(), who, reason])?;
            if done == 0 {
                return Err(ProposalError::Unknown(kind.as_str(), name.to_owned()));
            }
            let subject = format!("{}:{name}", kind.as_str());
            audit::seal(
                db,
                now,
                who,
                "proposal.dismissed",
                &subject,
                &to_json(&std::collections::BTreeMap::from([("reason", reason)])),
            )?;
            Ok(())
        })
    }

    /// Forgets what the inventory has come to know, so that there is room for others; gives how many. What was dismissed stays dismissed.
    pub fn forget_known_proposals(&self, knows: impl Fn(AssetKind, &str) -> bool) -> Result<usize, StoreError> {
        let rows = self.proposals(false)?.rows;
        let is_known = |row: &&ProposalRow| AssetKind::parse(row.kind).is_some_and(|kind| knows(kind, &row.name));
        let known: Vec<ProposalRow> = rows.iter().filter(is_known).cloned().collect();
        self.write(|db| {
            let mut delete = db.prepare_cached("DELETE FROM proposals WHERE kind = ?1 AND name = ?2")?;
            for row in &known {
                delete.execute(params![row.kind, row.name])?;
            }
            // There is room again: what had none is counted anew.
            if !known.is_empty() {
                db.execute("DELETE FROM proposals_left_out", [])?;
            }
            Ok(known.len())
        })
    }
}

/// Adds what a batch showed, within the caller's transaction.
pub(crate) fn add(db: &Connection, discovered: &Discovered) -> Result<(), StoreError> {
    if discovered.is_empty() {
        return Ok(());
    }
    let mut left_out = discovered.left_out;
    // Counted once a batch: only new things need room.
    let mut room: Option<usize> = None;
    for ((kind, name), seen) in &discovered.things {
        if merge(db, *kind, name, seen)? {
            continue;
        }
        let room = match &mut room {
            Some(room) => room,
            none => {
                let rows: i64 = db.query_row("SELECT count(*) FROM proposals", [], |row| row.get(0))?;
                none.insert(DISCOVERED_MAX.saturating_sub(usize::try_from(rows).unwrap_or(usize::MAX)))
            }
        };
        if *room == 0 {
            left_out += seen.count;
            continue;
        }
        *room -= 1;
        insert(db, *kind, name, seen)?;
    }
    if left_out > 0 {
        let add = "INSERT INTO proposals_left_out VALUES (1, ?1) ON CONFLICT DO UPDATE SET n = n + excluded.n";
        db.prepare_cached(add)?.execute([i64::try_from(left_out).unwrap_or(i64::MAX)])?;
    }
    Ok(())
}

/// Adds sightings to a row; false where there is none.
fn merge(db: &Connection, kind: AssetKind, name: &str, seen: &Seen) -> Result<bool, StoreError> {
    let mut select = db.prepare_cached("SELECT sources FROM proposals WHERE kind = ?1 AND name = ?2")?;
    let mut rows = select.query(params![kind.as_str(), name])?;
    let Some(row) = rows.next()? else { return Ok(false) };
    let mut sources: BTreeSet<SourceId> = json(row, 0, "sources")?;
    sources.extend(seen.sources.iter().cloned());
    while sources.len() > SOURCES_MAX {
        sources.pop_last();
    }
    let update = "UPDATE proposals SET first = min(first, ?3), last = max(last, ?4), n = n + ?5, sources = ?6 \
                  WHERE kind = ?1 AND name = ?2";
    db.prepare_cached(update)?.execute(params![
        kind.as_str(),
        name,
        seen.first.micros(),
        seen.last.micros(),
        seen.count as i64,
        to_json(&sources)
    ])?;
    Ok(true)
}

fn insert(db: &Connection, kind: AssetKind, name: &str, seen: &Seen) -> Result<(), StoreError> {
    let insert =
        "INSERT INTO proposals (kind, name, first, last, n, sources, example) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    db.prepare_cached(insert)?.execute(params![
        kind.as_str(),
        name,
        seen.first.micros(),
        seen.last.micros(),
        seen.count as i64,
        to_json(&seen.sources),
        seen.example.as_bytes()
    ])?;
    Ok(())
}
