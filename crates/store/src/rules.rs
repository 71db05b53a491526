//! What each rule has found.

use std::collections::BTreeMap;

use model::Time;
use serde::Serialize;

use crate::{Store, StoreError};

/// Findings of one rule, whatever became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RuleCount {
    /// Settled in the last 24 hours.
    pub last_24h: u64,
    /// Ever settled.
    pub total: u64,
}

impl Store {
    /// Findings by rule id; a rule that found nothing is not there. Reads one index over all findings: ask for it rarely.
    pub fn rule_counts(&self, now: Time) -> Result<BTreeMap<String, RuleCount>, StoreError> {
        let since = now.plus_millis(-24 * 3_600_000).micros();
        self.read(|db| {
            let sql = "SELECT rule_id, count(*), count(*) FILTER (WHERE settled >= ?1) FROM findings GROUP BY rule_id";
            let mut ask = db.prepare_cached(sql)?;
            let rows = ask.query_map([since], |row| {
                let (total, last_24h): (i64, i64) = (row.get(1)?, row.get(2)?);
                let count = RuleCount { last_24h: last_24h.unsigned_abs(), total: total.unsigned_abs() };
                Ok((row.get::<_, String>(0)?, count))
            })?;
            Ok(rows.collect::<Result<_, rusqlite::Error>>()?)
        })
    }
}
