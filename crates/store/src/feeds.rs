//! What was measured of each feed: one source over one input, on one lane.
//!
//! In: sums of a batch, in the transaction that settles it. Out: figures by hour, and what was heard of each source. Bound: one row per feed
//! and hour for [`KEPT_DAYS`] days.

use std::collections::{BTreeMap, BTreeSet};

use engine::health::{Heard, Hours, Sums};
use model::{Lane, SourceId, Step, Time};
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use crate::rows::{count, json, text, time, time_maybe, to_json, word};
use crate::{Settlement, Store, StoreError, ledger, paths};

/// Days for which hours are kept: the weeks to which an hour is compared, and one more day.
const KEPT_DAYS: i64 = engine::health::WEEKS * 7 + 1;
const DAY_MS: i64 = 86_400_000;

/// What a batch shows of one source in one hour of receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// The source.
    pub source: SourceId,
    /// The lane.
    pub lane: Lane,
    /// The start of the hour of receipt.
    pub hour: Time,
    /// The figures.
    pub sums: Sums,
}

/// One source over one input, on one lane.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Feed {
    /// The source.
    pub source: SourceId,
    /// The input.
    pub input: String,
    /// The lane.
    pub lane: Lane,
    /// When its first event was received.
    pub first_received: Time,
    /// When its latest was.
    pub last_received: Time,
    /// The latest event time.
    pub last_event: Option<Time>,
    /// When its latest events were settled.
    pub settled: Time,
    /// Records by hour of receipt, over five weeks.
    pub hours: Hours,
    /// The figures of each hour of the last day, the earliest first.
    pub day: Vec<(Time, Sums)>,
    /// Records of the last 24 hours that were rejected, by reason.
    pub rejected_24h: BTreeMap<String, u64>,
    /// Findings of the last 24 hours that were seen before: records that came twice.
    pub repeated_24h: u64,
}

impl Feed {
    /// The figures of the last day in one.
    pub fn last_day(&self) -> Sums {
        let mut all = Sums::default();
        self.day.iter().for_each(|(_, sums)| all.merge(sums));
        all
    }
}

impl Store {
    /// Every feed that was ever heard, in order, as of `now`.
    pub fn feeds(&self, now: Time) -> Result<Vec<Feed>, StoreError> {
        self.read(|db| load(db, now))
    }
}

/// What was heard of each source over inputs that go on, on the live lane: the rest says nothing about how the estate's telemetry comes. `once`
/// names the inputs that are read once.
pub fn heard(feeds: &[Feed], once: &BTreeSet<String>) -> BTreeMap<SourceId, Heard> {
    let mut all: BTreeMap<SourceId, Heard> = BTreeMap::new();
    for feed in feeds.iter().filter(|feed| feed.lane == Lane::Live && !once.contains(&feed.input)) {
        let heard = all.entry(feed.source.clone()).or_insert_with(|| Heard {
            first: feed.first_received,
            last: feed.last_received,
            hours: Hours::new(),
            day: Vec::new(),
            paths: None,
        });
        heard.first = heard.first.min(feed.first_received);
        heard.last = heard.last.max(feed.last_received);
        feed.hours.iter().for_each(|(hour, n)| *heard.hours.entry(*hour).or_default() += n);
        for (hour, sums) in &feed.day {
            match heard.day.binary_search_by_key(hour, |(hour, _)| *hour) {
                Ok(at) => heard.day[at].1.merge(sums),
                Err(at) => heard.day.insert(at, (*hour, sums.clone())),
            }
        }
    }
    all
}

type Key = (SourceId, String, Lane);

/// Every feed, within the caller's transaction.
pub(crate) fn load(db: &Connection, now: Time) -> Result<Vec<Feed>, StoreError> {
    let mut feeds = heads(db)?;
    let oldest = oldest(now);
    let sql =
        "SELECT source, input, lane, hour, records FROM feed_hours INDEXED BY feed_hours_by_hour WHERE hour >= ?1";
    let mut select = db.prepare_cached(sql)?;
    let mut rows = select.query([oldest.micros()])?;
    while let Some(row) = rows.next()? {
        if let Some(feed) = feeds.get_mut(&key(row)?) {
            feed.hours.insert(time(row, 3)?, count(row, 4)?);
        }
    }
    let since = now.plus_millis(-DAY_MS).hour();
    let sql = "SELECT source, input, lane, hour, sums FROM feed_hours WHERE hour >= ?1 ORDER BY hour";
    let mut select = db.prepare_cached(sql)?;
    let mut rows = select.query([since.micros()])?;
    while let Some(row) = rows.next()? {
        if let Some(feed) = feeds.get_mut(&key(row)?) {
            feed.day.push((time(row, 3)?, json(row, 4, "sums")?));
        }
    }
    add_counts(db, since, &mut feeds)?;
    Ok(feeds.into_values().collect())
}

fn oldest(now: Time) -> Time {
    now.plus_millis(-KEPT_DAYS * DAY_MS).hour()
}

fn key(row: &rusqlite::Row<'_>) -> Result<Key, StoreError> {
    Ok((SourceId::new(text(row, 0)?), text(row, 1)?, word(row, 2, "lane", Lane::parse)?))
}

fn heads(db: &Connection) -> Result<BTreeMap<Key, Feed>, StoreError> {
    let sql = "SELECT source, input, lane, first_received, last_received, last_event, settled FROM feeds";
    let mut select = db.prepare_cached(sql)?;
    let mut rows = select.query([])?;
    let mut feeds = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (source, input, lane) = key(row)?;
        let feed = Feed {
            source: source.clone(),
            input: input.clone(),
            lane,
            first_received: time(row, 3)?,
            last_received: time(row, 4)?,
            last_event: time_maybe(row, 5)?,
            settled: time(row, 6)?,
            hours: Hours::new(),
            day: Vec::new(),
            rejected_24h: BTreeMap::new(),
            repeated_24h: 0,
        };
        feeds.insert((source, input, lane), feed);
    }
    Ok(feeds)
}

/// What the ledger counts by source and input. An input has one lane; where it had several, each of them shows the counts.
fn add_counts(db: &Connection, since: Time, feeds: &mut BTreeMap<Key, Feed>) -> Result<(), StoreError> {
    for (entry, n) in ledger::load(db, since, Time::MAX)?.iter() {
        let Some(source) = entry.source.as_ref().filter(|_| matches!(entry.step, Step::Rejected | Step::Repeated))
        else {
            continue;
        };
        for lane in Lane::ALL {
            let Some(feed) = feeds.get_mut(&(source.clone(), entry.input.clone(), lane)) else { continue };
            match entry.step {
                Step::Rejected => *feed.rejected_24h.entry(entry.reason.clone()).or_default() += n,
                _ => feed.repeated_24h += n,
            }
        }
    }
    Ok(())
}

/// Adds what a batch shows, within the caller's transaction.
pub(crate) fn measure(db: &Connection, settlement: &Settlement) -> Result<(), StoreError> {
    for measured in settlement.measured.iter().filter(|measured| measured.sums.records > 0) {
        touch(db, &settlement.input, measured, settlement.now)?;
        add(db, &settlement.input, measured)?;
        if measured.lane == Lane::Live {
            paths::add(db, &measured.source, measured.hour, &measured.sums)?;
        }
    }
    Ok(())
}

fn touch(db: &Connection, input: &str, measured: &Measured, now: Time) -> Result<(), StoreError> {
    let Measured { source, lane, hour, sums } = measured;
    let received = sums.last_received.unwrap_or(*hour);
    db.prepare_cached(
        "INSERT INTO feeds VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET \
         last_received = max(last_received, excluded.last_received), \
         last_event = max(coalesce(last_event, excluded.last_event), coalesce(excluded.last_event, last_event)), \
         settled = excluded.settled",
    )?
    .execute(params![
        source.as_str(),
        input,
        lane.as_str(),
        received.micros(),
        sums.last_event.map(Time::micros),
        now.micros()
    ])?;
    Ok(())
}

fn add(db: &Connection, input: &str, measured: &Measured) -> Result<(), StoreError> {
    let Measured { source, lane, hour, sums } = measured;
    let mut known =
        db.prepare_cached("SELECT sums FROM feed_hours WHERE source = ?1 AND input = ?2 AND lane = ?3 AND hour = ?4")?;
    let key = params![source.as_str(), input, lane.as_str(), hour.micros()];
    let known: Option<Sums> = known.query_row(key, |row| Ok(json(row, 0, "sums"))).optional()?.transpose()?;
    let mut all = known.unwrap_or_default();
    all.merge(sums);
    // Keys are kept by source, not by hour.
    all.paths.clear();
    db.prepare_cached("INSERT OR REPLACE INTO feed_hours VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(params![
        source.as_str(),
        input,
        lane.as_str(),
        hour.micros(),
        all.records as i64,
        to_json(&all)
    ])?;
    Ok(())
}

/// Forgets hours that nothing is compared with any more, within the caller's transaction.
pub(crate) fn forget(db: &Connection, now: Time) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM feed_hours WHERE hour < ?1")?.execute([oldest(now).micros()])?;
    Ok(())
}
