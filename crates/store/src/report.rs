//! The health of every source, for those who ask.
//!
//! In: what sources declare, and the time. Out: for each source its standing, the figures behind it and its feeds. Bound: the loaded sources,
//! and the feeds that were ever heard.

use std::collections::BTreeMap;

use engine::health::{Drift, Standing, Trouble, Verdict, VolumeNow, Watch, drift, judge};
use model::{SourceId, Time};
use serde::Serialize;

use crate::feeds::{self, Feed, heard};
use crate::standings::{Contracts, follow, load, load_watch, with_paths};
use crate::{CANARY_SOURCE, CanaryReport, Store, StoreError, canary};

/// A platform that did not judge its sources for so long does not run.
const STOPPED_MS: i64 = 5 * 60_000;

/// The health of every source.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HealthReport {
    /// The time that it is about: now, or when sources were last judged by a platform that no longer runs.
    pub as_of: Time,
    /// Does a platform run on this store?
    pub is_running: bool,
    /// The last canary that came through the whole line.
    pub canary: Option<CanaryReport>,
    /// Every loaded source, and every other that was heard, by id.
    pub sources: Vec<SourceReport>,
}

/// The health of one source.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SourceReport {
    /// The source.
    pub source: SourceId,
    /// How it is.
    pub standing: Standing,
    /// Must this site have it?
    pub is_expected: bool,
    /// Is it an alert?
    pub is_alarming: bool,
    /// All that is not as it should be, the gravest first.
    pub troubles: Vec<Trouble>,
    /// The last whole hour, over all live inputs.
    pub volume: Option<VolumeNow>,
    /// Keys of its records that are new or gone.
    pub drift: Drift,
    /// Its feeds.
    pub feeds: Vec<Feed>,
}

impl HealthReport {
    /// How each source stands.
    pub fn standings(&self) -> BTreeMap<SourceId, Standing> {
        self.sources.iter().map(|one| (one.source.clone(), one.standing.clone())).collect()
    }
}

impl Store {
    /// The health of every source as of `now`, or as of when a platform last judged them. Nothing is written.
    pub fn health_report(&self, asked: &Contracts, now: Time) -> Result<HealthReport, StoreError> {
        self.read(|db| {
            let (watch, is_running) = match load_watch(db)? {
                Some(last) if now.millis_since(last.now) > STOPPED_MS => (last, false),
                Some(last) => (Watch { now: now.max(last.now), ..last }, true),
                None => (Watch { now, started: Time::EPOCH, first: now }, false),
            };
            let mut feeds = feeds::load(db, watch.now)?;
            feeds.retain(|feed| feed.source.as_str() != CANARY_SOURCE);
            let heard = with_paths(db, heard(&feeds, &asked.once))?;
            let mut by_source: BTreeMap<SourceId, Vec<Feed>> = BTreeMap::new();
            let sources = asked.declared.keys().filter(|source| source.as_str() != CANARY_SOURCE);
            sources.for_each(|source| drop(by_source.insert(source.clone(), Vec::new())));
            feeds.into_iter().for_each(|feed| by_source.entry(feed.source.clone()).or_default().push(feed));
            let mut kept = load(db)?;
            let one = |(source, feeds): (SourceId, Vec<Feed>)| {
                let contract = asked.declared.get(&source).copied().unwrap_or_default();
                let is_expected = asked.expected.contains(&source);
                let judged = judge(&contract, heard.get(&source), watch);
                let (troubles, volume) = (judged.troubles.clone(), judged.volume);
                let is_missed = is_expected && judged.verdict == Verdict::Unheard && contract.is_missed(watch);
                let is_alarming = judged.verdict.is_trouble() || is_missed;
                let drift = heard.get(&source).map(|heard| drift(heard, watch)).unwrap_or_default();
                let standing = follow(judged, kept.remove(&source).as_ref());
                SourceReport { source, standing, is_expected, is_alarming, troubles, volume, drift, feeds }
            };
            let sources = by_source.into_iter().map(one).collect();
            Ok(HealthReport { as_of: watch.now, is_running, canary: canary::load(db)?, sources })
        })
    }
}
