//! What correlations count about themselves: facts, duplicates, what came too late, what they had to let go of.
//!
//! In: the whole counts, now and then. Out: the same, by rule, with the time of telling. Bound: one row per rule and name; rules that are
//! no longer told of are deleted.

use std::collections::BTreeMap;

use model::{RuleId, Time};
use rusqlite::params;
use serde::Serialize;

use crate::rows::{count, text, time};
use crate::{Store, StoreError};

/// The counts of one correlation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CorrelationCount {
    /// The correlation.
    pub rule_id: RuleId,
    /// How many, by what is counted: `facts`, `late`, `evicted`, ….
    pub counts: BTreeMap<String, u64>,
    /// When it was told.
    pub at: Time,
}

impl Store {
    /// Replaces all counts of correlations.
    pub fn tell_correlations(&self, all: &[CorrelationCount]) -> Result<(), StoreError> {
        self.write(|db| {
            db.prepare_cached("DELETE FROM correlation_counts")?.execute([])?;
            let mut insert = db.prepare_cached("INSERT INTO correlation_counts VALUES (?1, ?2, ?3, ?4)")?;
            for one in all {
                for (name, n) in &one.counts {
                    insert.execute(params![one.rule_id.as_str(), name, *n as i64, one.at.micros()])?;
                }
            }
            Ok(())
        })
    }

    /// The counts of every correlation, by rule.
    pub fn correlation_counts(&self) -> Result<Vec<CorrelationCount>, StoreError> {
        self.read(|db| {
            let sql = "SELECT rule_id, name, n, at FROM correlation_counts ORDER BY rule_id, name";
            let mut select = db.prepare_cached(sql)?;
            let mut rows = select.query([])?;
            let mut all: Vec<CorrelationCount> = Vec::new();
            while let Some(row) = rows.next()? {
                let rule_id = RuleId::new(text(row, 0)?);
                if all.last().is_none_or(|last| last.rule_id != rule_id) {
                    all.push(CorrelationCount { rule_id, counts: BTreeMap::new(), at: time(row, 3)? });
                }
                let last = all.last_mut().expect("one was pushed");
                last.counts.insert(text(row, 1)?, count(row, 2)?);
            }
            Ok(all)
        })
    }
}
