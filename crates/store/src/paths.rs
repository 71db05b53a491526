//! The keys that were seen at the top of each source's records.
//!
//! In: the names of a batch's samples, in the transaction that settles it. Out: when each was first and last seen. Bound: [`PATHS_MAX`]
//! names a source; further ones are not noted.

use std::collections::BTreeMap;

use engine::health::{PATHS_MAX, Paths, Seen, Sums};
use model::{SourceId, Time};
use rusqlite::{Connection, params};

use crate::StoreError;
use crate::rows::{count, text, time};

/// The row that counts samples.
const SAMPLES: &str = "";

/// Adds what samples of one hour show, within the caller's transaction.
pub(crate) fn add(db: &Connection, source: &SourceId, hour: Time, sums: &Sums) -> Result<(), StoreError> {
    if sums.sampled == 0 {
        return Ok(());
    }
    put(db, source, SAMPLES, hour, sums.sampled)?;
    let mut known = known(db, source)?;
    for (path, n) in &sums.paths {
        // The row of samples is among the known.
        if known.contains(path) || known.len() <= PATHS_MAX {
            put(db, source, path, hour, *n)?;
            known.insert(path.clone());
        }
    }
    Ok(())
}

fn known(db: &Connection, source: &SourceId) -> Result<std::collections::BTreeSet<String>, StoreError> {
    let mut select = db.prepare_cached("SELECT path FROM source_paths WHERE source = ?1")?;
    let paths = select.query_map([source.as_str()], |row| row.get(0))?;
    Ok(paths.collect::<rusqlite::Result<_>>()?)
}

fn put(db: &Connection, source: &SourceId, path: &str, hour: Time, n: u64) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO source_paths VALUES (?1, ?2, ?3, ?3, ?4) ON CONFLICT DO UPDATE SET \
         first = min(first, excluded.first), last = max(last, excluded.last), n = n + excluded.n",
    )?
    .execute(params![source.as_str(), path, hour.micros(), n as i64])?;
    Ok(())
}

/// What was seen of each source, within the caller's transaction.
pub(crate) fn load(db: &Connection) -> Result<BTreeMap<SourceId, Paths>, StoreError> {
    let mut select =
        db.prepare_cached("SELECT source, path, first, last, n FROM source_paths ORDER BY source, path")?;
    let mut rows = select.query([])?;
    let mut all: BTreeMap<SourceId, Paths> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (source, path) = (SourceId::new(text(row, 0)?), text(row, 1)?);
        let seen = Seen { first: time(row, 2)?, last: time(row, 3)?, n: count(row, 4)? };
        let of = all.entry(source).or_insert(Paths { since: seen.first, sampled: 0, seen: BTreeMap::new() });
        match path.as_str() {
            SAMPLES => (of.since, of.sampled) = (seen.first, seen.n),
            _ => {
                of.seen.insert(path, seen);
            }
        }
    }
    Ok(all)
}
