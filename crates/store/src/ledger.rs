//! The conservation ledger: what came in, and what became of it, by input, source, hour, step and reason.
//!
//! In: counts, in the transaction that makes them true. Out: sums, and the laws that do not hold. Bound: one row per key and hour.

use std::collections::BTreeMap;

use model::{Entry, Imbalance, Ledger, SourceId, Step, Time};
use rusqlite::{Connection, params};

use crate::rows::{count, text, time, word};
use crate::{Store, StoreError};

/// How far back the laws of records and findings are checked. An older imbalance was seen when it was younger, and its alert stays.
const CHECKED_DAYS: i64 = 35;

/// The law of the outbox.
const OUTBOX_LAW: &str = "queued = delivered + dead + waiting";

impl Store {
    /// The counts of the hours of receipt that begin in `since..until`.
    pub fn ledger(&self, since: Time, until: Time) -> Result<Ledger, StoreError> {
        self.read(|db| load(db, since, until))
    }

    /// The laws that do not hold, over the last 35 days of records and findings and the whole outbox.
    pub fn imbalances(&self, now: Time) -> Result<Vec<Imbalance>, StoreError> {
        self.read(|db| {
            let since = now.plus_millis(-CHECKED_DAYS * 86_400_000).hour();
            let mut broken = load(db, since, Time::from_micros(i64::MAX))?.imbalances();
            broken.extend(outbox_imbalances(db)?);
            Ok(broken)
        })
    }
}

/// The counts of a span.
pub(crate) fn load(db: &Connection, since: Time, until: Time) -> Result<Ledger, StoreError> {
    let mut select = db.prepare_cached(
        "SELECT hour, input, source, step, reason, n FROM ledger WHERE hour >= ?1 AND hour < ?2 ORDER BY hour",
    )?;
    let mut rows = select.query([since.micros(), until.micros()])?;
    let mut ledger = Ledger::default();
    while let Some(row) = rows.next()? {
        let source = text(row, 2)?;
        let entry = Entry {
            input: row.get(1)?,
            source: (!source.is_empty()).then(|| SourceId::new(source)),
            hour: time(row, 0)?,
            step: word(row, 3, "ledger step", Step::parse)?,
            reason: row.get(4)?,
        };
        ledger.add(entry, count(row, 5)?);
    }
    Ok(ledger)
}

/// Adds every count of `ledger`, within the caller's transaction.
pub(crate) fn add(db: &Connection, ledger: &Ledger) -> Result<(), StoreError> {
    ledger.iter().try_for_each(|(entry, n)| add_one(db, entry, n))
}

/// Adds `n` to one count, within the caller's transaction.
pub(crate) fn add_one(db: &Connection, entry: &Entry, n: u64) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO ledger VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET n = n + excluded.n",
    )?
    .execute(params![
        entry.hour.micros(),
        entry.input,
        entry.source.as_ref().map_or("", SourceId::as_str),
        entry.step.as_str(),
        entry.reason,
        n as i64
    ])?;
    Ok(())
}

/// Takes one back (a dead letter that waits again), within the caller's transaction.
pub(crate) fn take_back(db: &Connection, entry: &Entry) -> Result<(), StoreError> {
    db.prepare_cached(
        "UPDATE ledger SET n = n - 1 WHERE hour = ?1 AND input = ?2 AND source = ?3 AND step = ?4 AND reason = ?5",
    )?
    .execute(params![
        entry.hour.micros(),
        entry.input,
        entry.source.as_ref().map_or("", SourceId::as_str),
        entry.step.as_str(),
        entry.reason
    ])?;
    Ok(())
}

/// What was queued and delivered is counted when it happens; what waits and what is dead is there to be counted again. Routes are compared
/// first; hours only where a route does not balance.
fn outbox_imbalances(db: &Connection) -> Result<Vec<Imbalance>, StoreError> {
    let is_broken = |(_, (left, right)): &(_, (u64, u64))| left != right;
    if !outbox_sides(db, "0", "0")?.into_iter().any(|side| is_broken(&side)) {
        return Ok(Vec::new());
    }
    let hours = outbox_sides(db, "hour", "created - created % 3600000000")?;
    let named = hours.into_iter().filter(is_broken).map(|((input, hour), (left, right))| Imbalance {
        input,
        hour: Time::from_micros(hour),
        law: OUTBOX_LAW.to_owned(),
        left,
        right,
    });
    Ok(named.collect())
}

/// Both sides of a law by input and span.
type Sides = BTreeMap<(String, i64), (u64, u64)>;

/// Both sides of the outbox's law, by route and span.
fn outbox_sides(db: &Connection, counted_span: &str, there_span: &str) -> Result<Sides, StoreError> {
    let mut sides = Sides::new();
    let mut counted = db.prepare_cached(&format!(
        "SELECT input, {counted_span} AS span, coalesce(sum(n) FILTER (WHERE step = 'queued'), 0), \
         coalesce(sum(n) FILTER (WHERE step = 'delivered'), 0) \
         FROM ledger WHERE step IN ('queued', 'delivered') GROUP BY input, span"
    ))?;
    let mut rows = counted.query([])?;
    while let Some(row) = rows.next()? {
        sides.insert((row.get(0)?, row.get(1)?), (count(row, 2)?, count(row, 3)?));
    }
    for state in ["waiting", "dead"] {
        let mut there = db.prepare_cached(&format!(
            "SELECT 'route:' || route, {there_span} AS span, count(*) FROM outbox WHERE state = '{state}' GROUP BY route, span"
        ))?;
        let mut rows = there.query([])?;
        while let Some(row) = rows.next()? {
            sides.entry((row.get(0)?, row.get(1)?)).or_default().1 += count(row, 2)?;
        }
    }
    Ok(sides)
}
