//! The console's numbers.

use std::collections::BTreeMap;

use model::{AlertState, Balance, Lane, Ledger, Level, Step, Time};
use rusqlite::Connection;
use serde::Serialize;

use crate::rows::{count, level_of, time_maybe, word};
use crate::{Store, StoreError, ledger, silences};

/// One route's outbox.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RouteStats {
    /// Rows ever queued.
    pub queued: u64,
    /// Rows delivered.
    pub delivered: u64,
    /// Rows given up.
    pub dead: u64,
    /// Rows that wait.
    pub waiting: u64,
    /// When the longest-waiting row was queued.
    pub oldest_waiting: Option<Time>,
}

/// One hour of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HourCount {
    /// Start of the hour of receipt.
    pub hour: Time,
    /// Records received.
    pub received: u64,
    /// Records evaluated.
    pub evaluated: u64,
    /// Records rejected.
    pub rejected: u64,
    /// Findings raised.
    pub raised: u64,
    /// Alerts opened.
    pub opened: u64,
}

/// The console's numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Stats {
    /// Alerts by state.
    pub by_state: BTreeMap<AlertState, u64>,
    /// Alerts that are not closed, by level.
    pub open_by_level: BTreeMap<Level, u64>,
    /// Alerts that are not closed, by lane.
    pub open_by_lane: BTreeMap<Lane, u64>,
    /// Alerts that are not closed, by source.
    pub open_by_source: BTreeMap<String, u64>,
    /// Alerts that are not closed, by rule id.
    pub open_by_rule: BTreeMap<String, u64>,
    /// Alerts that nobody acknowledged.
    pub unacknowledged: u64,
    /// When the longest-waiting of them was raised.
    pub oldest_unacknowledged: Option<Time>,
    /// The outbox by route.
    pub routes: BTreeMap<String, RouteStats>,
    /// The laws over everything of the last 24 hours.
    pub last_24h: Balance,
    /// The last 24 hours, hour by hour, earliest first; hours without records are there with zeros.
    pub hours: Vec<HourCount>,
    /// Running silences.
    pub silences: u64,
}

impl Store {
    /// The console's numbers.
    ///
    /// Shape: read from kept counts and the ledger; no alert is touched, so the cost does not grow with the queue.
    pub fn stats(&self, now: Time) -> Result<Stats, StoreError> {
        self.read(|db| {
            let mut stats = Stats::default();
            count_alerts(db, &mut stats)?;
            count_routes(db, &mut stats)?;
            let first_hour = now.plus_millis(-23 * 3_600_000).hour();
            let ledger = ledger::load(db, first_hour, Time::from_micros(i64::MAX))?;
            stats.last_24h = ledger.balance();
            stats.hours = hours(&ledger, first_hour);
            stats.silences = silences::running(db, now)?.len() as u64;
            Ok(stats)
        })
    }
}

fn count_alerts(db: &Connection, stats: &mut Stats) -> Result<(), StoreError> {
    let mut select =
        db.prepare_cached("SELECT state, level, lane, source, rule_id, n FROM alert_counts WHERE n > 0")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (state, n) = (word(row, 0, "state", AlertState::parse)?, count(row, 5)?);
        *stats.by_state.entry(state).or_default() += n;
        if state == AlertState::Closed {
            continue;
        }
        if state < AlertState::Acknowledged {
            stats.unacknowledged += n;
        }
        *stats.open_by_level.entry(level_of(row.get(1)?)?).or_default() += n;
        *stats.open_by_lane.entry(word(row, 2, "lane", Lane::parse)?).or_default() += n;
        *stats.open_by_source.entry(row.get(3)?).or_default() += n;
        *stats.open_by_rule.entry(row.get(4)?).or_default() += n;
    }
    let oldest = "SELECT min(detected) FROM alerts INDEXED BY alerts_unacknowledged WHERE state IN ('open', 'delivered', 'received')";
    stats.oldest_unacknowledged = db.prepare_cached(oldest)?.query_row([], |row| time_maybe(row, 0))?;
    Ok(())
}

fn count_routes(db: &Connection, stats: &mut Stats) -> Result<(), StoreError> {
    let mut select = db.prepare_cached(
        "SELECT substr(input, 7), step, sum(n) FROM ledger WHERE step IN ('queued', 'delivered', 'dead') GROUP BY input, step",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let route = stats.routes.entry(row.get(0)?).or_default();
        let n = count(row, 2)?;
        match word(row, 1, "ledger step", Step::parse)? {
            Step::Queued => route.queued = n,
            Step::Delivered => route.delivered = n,
            _ => route.dead = n,
        }
    }
    let mut select = db.prepare_cached(
        "SELECT route, count(*), min(created) FROM outbox INDEXED BY outbox_waiting WHERE state = 'waiting' GROUP BY route",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let route = stats.routes.entry(row.get(0)?).or_default();
        (route.waiting, route.oldest_waiting) = (count(row, 1)?, time_maybe(row, 2)?);
    }
    Ok(())
}

fn hours(ledger: &Ledger, first: Time) -> Vec<HourCount> {
    let hour_at = |i: i64| first.plus_millis(i * 3_600_000);
    let empty = |hour| HourCount { hour, received: 0, evaluated: 0, rejected: 0, raised: 0, opened: 0 };
    let mut hours: Vec<HourCount> = (0..24).map(|i| empty(hour_at(i))).collect();
    for (entry, n) in ledger.iter() {
        let Ok(i) = hours.binary_search_by_key(&entry.hour, |hour| hour.hour) else { continue };
        match entry.step {
            Step::Received => hours[i].received += n,
            Step::Evaluated => hours[i].evaluated += n,
            Step::Rejected => hours[i].rejected += n,
            Step::Raised => hours[i].raised += n,
            Step::Opened => hours[i].opened += n,
            _ => {}
        }
    }
    hours
}
