//! The numbers that every page shows in its head, asked of the store at most once in a few seconds.
//!
//! In: the store's statistics and imbalances. Out: one shared copy. Bound: one copy, `FRESH_MS` old at most;
//! many open pages that refresh themselves therefore cost the store no more than one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use model::{Imbalance, SourceId, Time};
use store::figures::Standing;
use store::{Contracts, RuleCount, Stats, Store, StoreError};

const FRESH_MS: i64 = 3_000;
/// Counts by rule read an index over every finding, so they are asked for less often.
const COUNTS_FRESH_MS: i64 = 30_000;

/// How the line is, in numbers.
pub(crate) struct Pulse {
    pub stats: Stats,
    pub imbalances: Vec<Imbalance>,
    /// Outbox rows that were given up.
    pub dead: u64,
}

/// The latest pulse.
#[derive(Default)]
pub(crate) struct PulseCache {
    kept: Mutex<Option<(Time, Arc<Pulse>)>>,
    counts: Mutex<Option<(Time, RuleCounts)>>,
    standings: Mutex<Option<(Time, Standings)>>,
}

type Standings = Arc<BTreeMap<SourceId, Standing>>;

type RuleCounts = Arc<BTreeMap<String, RuleCount>>;

impl PulseCache {
    /// The pulse at `now`, asked of the store only when the kept one is old. Blocks.
    pub(crate) fn get(&self, store: &Store, now: Time) -> Result<Arc<Pulse>, StoreError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, pulse)) = kept.as_ref()
            && (0..FRESH_MS).contains(&now.millis_since(*at))
        {
            return Ok(pulse.clone());
        }
        let stats = store.stats(now)?;
        let dead = stats.routes.values().map(|route| route.dead).sum();
        let pulse = Arc::new(Pulse { imbalances: store.imbalances(now)?, stats, dead });
        *kept = Some((now, pulse.clone()));
        Ok(pulse)
    }

    /// Findings by rule, half a minute old at most. Blocks.
    pub(crate) fn rule_counts(&self, store: &Store, now: Time) -> Result<RuleCounts, StoreError> {
        let mut kept = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, counts)) = kept.as_ref()
            && (0..COUNTS_FRESH_MS).contains(&now.millis_since(*at))
        {
            return Ok(counts.clone());
        }
        let counts = Arc::new(store.rule_counts(now)?);
        *kept = Some((now, counts.clone()));
        Ok(counts)
    }

    /// How each source stands, half a minute old at most. Blocks.
    pub(crate) fn standings(&self, store: &Store, asked: &Contracts, now: Time) -> Result<Standings, StoreError> {
        let mut kept = self.standings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, standings)) = kept.as_ref()
            && (0..COUNTS_FRESH_MS).contains(&now.millis_since(*at))
        {
            return Ok(standings.clone());
        }
        let standings = Arc::new(store.health_report(asked, now)?.standings());
        *kept = Some((now, standings.clone()));
        Ok(standings)
    }

    /// Forgets the kept pulse: something was just changed by hand, and its person wants to see it.
    pub(crate) fn forget(&self) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
