//! Bursts: strikes that follow each other closely are one finding.

use model::Time;
use serde::{Deserialize, Serialize};

use super::super::{Episode, Fact, Measure, Out, Told};
use super::evidence::{Evidence, OPENED_MAX, PROLONGED_MAX};

/// Strikes at most so far apart are one finding, milliseconds.
pub const FOLD_MS: i64 = 3_600_000;
/// A finding is cut after so long, milliseconds, so that what never stops is told again.
pub const CUT_MS: i64 = 24 * 3_600_000;

/// The finding of a group that is still going on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Burst(Option<Box<Episode>>);

impl Burst {
    /// Something struck at `at`, by the events of `evidence`; `measure` says what is measured of the whole finding from now on.
    /// `facts` are what struck, for those above.
    pub fn strike(
        &mut self,
        at: Time,
        evidence: Evidence,
        facts: &dyn Fn() -> Vec<Fact>,
        measure: impl FnOnce(&mut Measure),
        out: &mut Out,
    ) {
        self.pass(Time::from_micros(at.micros() - 1), out);
        match &mut self.0 {
            Some(episode) => {
                prolong(episode, at, evidence);
                measure(&mut episode.measure);
                if out.wants_held {
                    out.told.push(Told::Held { first: episode.first, at, facts: facts() });
                }
            }
            None => {
                let mut episode = open(at, evidence);
                measure(&mut episode.measure);
                out.told.push(Told::Opened(episode.clone()));
                self.0 = Some(Box::new(episode));
            }
        }
    }

    /// Time has passed; says so if the finding is over.
    pub fn pass(&mut self, to: Time, out: &mut Out) {
        if self.due().is_some_and(|due| due <= to)
            && let Some(episode) = self.0.take()
        {
            out.told.push(Told::Closed(*episode));
        }
    }

    /// When the finding is over, unless something strikes until then.
    pub fn due(&self) -> Option<Time> {
        let episode = self.0.as_ref()?;
        Some(episode.last_held.plus_millis(FOLD_MS).min(episode.held.plus_millis(CUT_MS)))
    }

    /// What is measured of the finding that goes on.
    pub fn measure(&self) -> Option<Measure> {
        self.0.as_ref().map(|episode| episode.measure.clone())
    }

    /// Is nothing going on?
    pub fn is_idle(&self) -> bool {
        self.0.is_none()
    }

    /// Bytes on the heap, roughly.
    pub fn heap_bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |episode| episode_bytes(episode))
    }
}

/// An episode that these events open.
pub(super) fn open(at: Time, mut evidence: Evidence) -> Episode {
    let (start, first) = evidence.first.expect("what opens an episode has an event");
    evidence.kept.truncate(OPENED_MAX);
    Episode {
        first,
        start,
        held: at,
        last_held: at,
        opened: evidence.kept,
        opened_count: evidence.count,
        prolonged: Vec::new(),
        prolonged_count: 0,
        measure: Measure::default(),
    }
}

/// These events prolong an episode.
pub(super) fn prolong(episode: &mut Episode, at: Time, evidence: Evidence) {
    episode.last_held = at;
    let kept = std::mem::take(&mut episode.prolonged);
    let mut all = Evidence { first: None, kept, count: episode.prolonged_count };
    all.merge(evidence, PROLONGED_MAX);
    episode.prolonged = all.kept;
    episode.prolonged_count = all.count;
}

/// Bytes of an episode on the heap, roughly.
pub(super) fn episode_bytes(episode: &Episode) -> usize {
    let claims = episode.opened.capacity() + episode.prolonged.capacity();
    let texts: usize = episode.measure.values.iter().map(|value| value.len() + size_of::<String>()).sum();
    size_of::<Episode>() + claims * size_of::<super::super::Claim>() + texts + episode.measure.history.len() * 8
}
