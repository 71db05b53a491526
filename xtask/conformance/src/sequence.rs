//! The cases of `correlation/`: rules, events with times, and what must be found.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use serde::Deserialize;

/// One behaviour over time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequence {
    /// Folder and file, without the extension: `correlation/event_count`.
    #[serde(skip)]
    pub name: String,
    /// Document and section that ask for the behaviour.
    pub section: String,
    /// Ids of the sentences that it shows, the first of which stands in `section`.
    pub covers: Vec<String>,
    /// The behaviour, in one sentence.
    pub says: String,
    /// Why the specification allows another behaviour, and which reading this is.
    pub room: Option<String>,
    /// A whole rule file: correlations and the rules beneath.
    pub rules: String,
    /// A whole file of filters.
    pub filters: Option<String>,
    /// Must the engine refuse what it is given?
    #[serde(default)]
    pub refused: bool,
    /// What happens, in the order of arrival.
    #[serde(default)]
    pub events: Vec<Timed>,
    /// What must be found, in any order.
    pub found: Option<Vec<Found>>,
    /// Rule, by name, and event of every finding that a rule raises on its own; not asked where it is not given.
    pub alone: Option<Vec<(String, String)>>,
}

/// An event with its identity and its time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timed {
    /// Its identity.
    pub id: String,
    /// Its own time, RFC 3339.
    pub time: String,
    /// The record, as JSON text.
    pub event: String,
}

/// A finding of a correlation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// The correlation's name, or its title where it has none.
    pub rule: String,
    /// The value of each field of `group-by`.
    #[serde(default)]
    pub group: BTreeMap<String, String>,
    /// Ids of the events that opened it.
    pub events: Vec<String>,
    /// Ids of the events that prolonged it.
    #[serde(default)]
    pub prolonged: Vec<String>,
}

impl Sequence {
    pub(crate) fn read(folder: &Path, path: &Path) -> anyhow::Result<Sequence> {
        let text = std::fs::read_to_string(path)?;
        let mut case: Sequence = yaml_serde::from_str(&text).with_context(|| format!("{}", path.display()))?;
        case.name = path.strip_prefix(folder)?.with_extension("").to_string_lossy().into_owned();
        case.check().with_context(|| format!("{}", path.display()))?;
        Ok(case)
    }

    fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(!self.covers.is_empty(), "name at least one sentence in `covers`");
        let has_all = !self.events.is_empty() && self.found.is_some();
        let has_any = !self.events.is_empty() || self.found.is_some() || self.alone.is_some();
        anyhow::ensure!(if self.refused { !has_any } else { has_all }, "give `refused: true`, or `events` and `found`");
        for Timed { id, event, .. } in &self.events {
            serde_json::from_str::<serde_json::Value>(event).with_context(|| format!("event {id}"))?;
        }
        let is_known = |id: &String| self.events.iter().any(|event| event.id == *id);
        for found in self.found.iter().flatten() {
            let unknown = found.events.iter().chain(&found.prolonged).find(|id| !is_known(id));
            anyhow::ensure!(unknown.is_none(), "{unknown:?} is no event");
        }
        Ok(())
    }
}
