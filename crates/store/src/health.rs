//! How fresh each source is.
//!
//! In: what batches show. Out: last event, last receipt, lag and counts per input and source. Bound: one row per input and source.

use std::collections::BTreeMap;

// Without a bound, one record from the far future would be the latest for ever.
use engine::health::AHEAD_MAX_MS;
use model::{SourceId, Step, Time};
use rusqlite::{Connection, params};
use serde::Serialize;

use crate::rows::{count, text, time_maybe};
use crate::{Settlement, Store, StoreError, ledger};

/// One source over one input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceHealth {
    /// The source; `None` for what an input received without a source being known.
    pub source: Option<SourceId>,
    /// The input.
    pub input: String,
    /// The latest event time ever seen. One that lies more than five minutes after its receipt counts as five minutes after it.
    pub last_event: Option<Time>,
    /// When a record was last received.
    pub last_received: Option<Time>,
    /// Receipt less event time of the latest event, milliseconds.
    pub lag_ms: Option<i64>,
    /// How often a batch showed an event time more than five minutes after its receipt: a clock is wrong, or a record lies.
    pub ahead: u64,
    /// Records evaluated in the last 24 hours (by hour of receipt).
    pub evaluated_24h: u64,
    /// Records rejected in the last 24 hours, by reason.
    pub rejected_24h: BTreeMap<String, u64>,
    /// Findings raised in the last 24 hours.
    pub raised_24h: u64,
}

impl Store {
    /// Every source and input that was ever heard, in order.
    pub fn source_health(&self, now: Time) -> Result<Vec<SourceHealth>, StoreError> {
        self.read(|db| {
            let mut all = sightings(db)?;
            let since = now.plus_millis(-24 * 3_600_000).hour();
            for (entry, n) in ledger::load(db, since, Time::from_micros(i64::MAX))?.iter() {
                if !matches!(entry.step, Step::Evaluated | Step::Rejected | Step::Raised) {
                    continue;
                }
                let key = (entry.input.clone(), entry.source.clone());
                if entry.step == Step::Raised {
                    // A finding about many events may stand at an input through which its source was never heard.
                    all.entry(key).and_modify(|health| health.raised_24h += n);
                    continue;
                }
                let health = all.entry(key).or_insert_with(|| unheard(&entry.input, entry.source.clone()));
                match entry.step {
                    Step::Evaluated => health.evaluated_24h += n,
                    _ => *health.rejected_24h.entry(entry.reason.clone()).or_default() += n,
                }
            }
            Ok(all.into_values().collect())
        })
    }
}

type BySource = BTreeMap<(String, Option<SourceId>), SourceHealth>;

fn unheard(input: &str, source: Option<SourceId>) -> SourceHealth {
    SourceHealth {
        source,
        input: input.to_owned(),
        last_event: None,
        last_received: None,
        lag_ms: None,
        ahead: 0,
        evaluated_24h: 0,
        rejected_24h: BTreeMap::new(),
        raised_24h: 0,
    }
}

fn sightings(db: &Connection) -> Result<BySource, StoreError> {
    let mut select =
        db.prepare_cached("SELECT input, source, last_event, lag_ms, last_received, ahead FROM sightings")?;
    let mut rows = select.query([])?;
    let mut all = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (input, source) = (text(row, 0)?, text(row, 1)?);
        let source = (!source.is_empty()).then(|| SourceId::new(source));
        let health = SourceHealth {
            last_event: time_maybe(row, 2)?,
            lag_ms: row.get(3)?,
            last_received: time_maybe(row, 4)?,
            ahead: count(row, 5)?,
            ..unheard(&input, source.clone())
        };
        all.insert((input, source), health);
    }
    Ok(all)
}

/// Notes what a batch shows about freshness, within the caller's transaction: its sightings, and that whatever it counts was heard.
pub(crate) fn touch(db: &Connection, settlement: &Settlement) -> Result<(), StoreError> {
    let mut touch = db.prepare_cached(
        "INSERT INTO sightings VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET \
         lag_ms = CASE WHEN excluded.last_event >= coalesce(last_event, excluded.last_event) THEN excluded.lag_ms ELSE lag_ms END, \
         last_event = max(coalesce(last_event, excluded.last_event), coalesce(excluded.last_event, last_event)), \
         last_received = max(last_received, excluded.last_received), ahead = ahead + excluded.ahead",
    )?;
    for (entry, _) in
        settlement.ledger.iter().filter(|(entry, _)| matches!(entry.step, Step::Evaluated | Step::Rejected))
    {
        let source = entry.source.as_ref().map_or("", SourceId::as_str);
        touch.execute(params![entry.input, source, None::<i64>, None::<i64>, entry.hour.micros(), 0])?;
    }
    // A finding about many events says nothing about the input whose batch made it known: its events may have come through others.
    let of_one_event = settlement.findings.iter().filter(|raised| raised.finding.window.is_none());
    let from_findings = of_one_event.map(|raised| {
        let f = &raised.finding;
        (raised.input.as_str(), &f.source, f.event_time, f.received)
    });
    let told =
        settlement.sightings.iter().map(|s| (settlement.input.as_str(), &s.source, s.last_event, s.last_received));
    for (input, source, event, received) in from_findings.chain(told) {
        let latest = received.plus_millis(AHEAD_MAX_MS);
        let (is_ahead, event) = (event > latest, event.min(latest));
        let lag = received.millis_since(event);
        touch.execute(params![input, source.as_str(), event.micros(), lag, received.micros(), is_ahead])?;
    }
    Ok(())
}
