//! What is measured of a source's events: sums that can be added up in any order.
//!
//! In: events as they are evaluated. Out: counts, lags, how many records have each required field. Bound: the required fields, and the
//! buckets of [`Lags`]. Nothing of a record's values is kept.

use std::collections::BTreeMap;

use model::Time;
use serde::{Deserialize, Serialize};

use super::Lags;
use super::drift::{self, PATHS_MAX, SAMPLED};
use crate::Event;
use crate::source::REQUIRED_MAX;

/// How far an event's time may lie after its receipt before a clock is called wrong.
pub const AHEAD_MAX_MS: i64 = 5 * 60_000;

/// What was measured of one source over one input in some span of receipt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// Events.
    pub records: u64,
    /// How late they came; of those that say when they happened.
    pub lags: Lags,
    /// The longest lag, milliseconds.
    pub lag_max_ms: i64,
    /// Events from the future: their time lies more than five minutes after their receipt.
    pub ahead: u64,
    /// The farthest of them, milliseconds after its receipt.
    pub ahead_max_ms: i64,
    /// How many have each required field, by its first path.
    pub filled: BTreeMap<String, Fill>,
    /// Records whose keys were looked at.
    #[serde(default)]
    pub sampled: u64,
    /// In how many of them each key stood at the top.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub paths: BTreeMap<String, u64>,
    /// The latest event time; one from the future counts as five minutes after its receipt.
    pub last_event: Option<Time>,
    /// The latest receipt.
    pub last_received: Option<Time>,
}

/// How many records have a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// So many have it.
    pub n: u64,
    /// Of so many.
    pub of: u64,
}

impl Fill {
    /// The share in thousandths, rounded down; all of none.
    pub fn thousandths(self) -> u32 {
        if self.of == 0 { 1000 } else { (u128::from(self.n) * 1000 / u128::from(self.of)).min(1000) as u32 }
    }
}

/// Takes events of one source, one by one.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    sums: Sums,
    /// How many have each required field, in the order in which the source names them.
    filled: Vec<u64>,
    required: Vec<String>,
}

impl Tally {
    /// Counts an event.
    #[inline]
    pub fn add(&mut self, event: &Event<'_>) {
        let sums = &mut self.sums;
        if sums.records == 0 {
            let fields = event.source().required.fields.iter().take(REQUIRED_MAX);
            self.required = fields.filter_map(|paths| paths.first().cloned()).collect();
            self.filled = vec![0; self.required.len()];
        }
        if sums.records.is_multiple_of(SAMPLED) && !event.record().is_text() {
            sums.look(event.raw());
        }
        sums.records += 1;
        let (time, received) = (event.time(), event.received());
        sums.last_received = sums.last_received.max(Some(received));
        sums.last_event = sums.last_event.max(Some(time.min(received.plus_millis(AHEAD_MAX_MS))));
        if !event.is_time_of_receipt() {
            sums.time(received.millis_since(time));
        }
        if !self.filled.is_empty() {
            let filled = event.filled();
            self.filled.iter_mut().enumerate().for_each(|(at, n)| *n += u64::from(filled >> at & 1));
        }
    }

    /// All that was counted.
    pub fn finish(self) -> Sums {
        let of = self.sums.records;
        let filled = self.required.into_iter().zip(self.filled).map(|(name, n)| (name, Fill { n, of })).collect();
        Sums { filled, ..self.sums }
    }
}

impl Sums {
    #[cold]
    fn look(&mut self, raw: &str) {
        self.sampled += 1;
        for key in drift::keys(raw) {
            self.note(key, 1);
        }
    }

    fn note(&mut self, key: String, n: u64) {
        if self.paths.len() < PATHS_MAX || self.paths.contains_key(&key) {
            *self.paths.entry(key).or_default() += n;
        }
    }

    fn time(&mut self, lag_ms: i64) {
        self.lags.add(lag_ms);
        self.lag_max_ms = self.lag_max_ms.max(lag_ms);
        if lag_ms < -AHEAD_MAX_MS {
            self.ahead += 1;
            self.ahead_max_ms = self.ahead_max_ms.max(-lag_ms);
        }
    }

    /// Adds what was measured elsewhere.
    pub fn merge(&mut self, other: &Sums) {
        self.records += other.records;
        self.lags.merge(&other.lags);
        self.lag_max_ms = self.lag_max_ms.max(other.lag_max_ms);
        self.ahead += other.ahead;
        self.ahead_max_ms = self.ahead_max_ms.max(other.ahead_max_ms);
        for (name, more) in &other.filled {
            let fill = self.filled.entry(name.clone()).or_default();
            (fill.n, fill.of) = (fill.n + more.n, fill.of + more.of);
        }
        self.sampled += other.sampled;
        other.paths.iter().for_each(|(key, n)| self.note(key.clone(), *n));
        self.last_event = self.last_event.max(other.last_event);
        self.last_received = self.last_received.max(other.last_received);
    }

    /// The lag that a share of the events, in thousandths, does not exceed, milliseconds; `None` where no event says when it happened.
    pub fn lag_ms(&self, thousandths: u64) -> Option<i64> {
        Some(self.lags.quantile_ms(thousandths)?.min(self.lag_max_ms.max(0)))
    }

    /// The required field that the fewest records have. `None` where none is required, or nothing came.
    pub fn least_filled(&self) -> Option<(&str, Fill)> {
        let fills = self.filled.iter().filter(|(_, fill)| fill.of > 0);
        fills.min_by_key(|(_, fill)| fill.thousandths()).map(|(name, fill)| (name.as_str(), *fill))
    }
}
