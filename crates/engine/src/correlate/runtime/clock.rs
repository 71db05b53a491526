//! The watermark: how far each partition of each source has come, and so up to when everything is taken to have arrived.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Lane, SourceId, Time};
use serde::{Deserialize, Serialize};

use crate::correlate::Progress;

/// The partitions that have been seen.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Clock {
    partitions: BTreeMap<(Lane, SourceId, Arc<str>), Reached>,
    /// The latest receipt of anything.
    now: Time,
}

/// How far one partition has come.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Reached {
    time: Time,
    received: Time,
}

impl Clock {
    /// Takes note of progress. A time later than its receipt counts as its receipt: a record from the future must not make all others late.
    pub fn note(&mut self, progress: &Progress) {
        let time = progress.time.min(progress.received);
        let key = (progress.lane, progress.source.clone(), progress.partition.clone());
        let reached = self.partitions.entry(key).or_insert(Reached { time, received: progress.received });
        reached.time = reached.time.max(time);
        reached.received = reached.received.max(progress.received);
        self.now = self.now.max(progress.received);
    }

    /// How far a source has come in any of its partitions.
    pub fn reached(&self, lane: Lane, source: &SourceId) -> Option<Time> {
        let from = (lane, source.clone(), Arc::from(""));
        let of_source = self.partitions.range(from..).take_while(|((of, known, _), _)| *of == lane && known == source);
        of_source.map(|(_, reached)| reached.time).max()
    }

    /// The latest time of an event of a lane.
    pub fn latest(&self, lane: Lane) -> Option<Time> {
        let of_lane = self.partitions.iter().filter(|((of, _, _), _)| *of == lane);
        of_lane.map(|(_, reached)| reached.time).max()
    }

    /// The lanes of which something was seen, in order.
    pub fn lanes(&self) -> Vec<Lane> {
        let mut lanes: Vec<Lane> = self.partitions.keys().map(|(lane, _, _)| *lane).collect();
        lanes.dedup();
        lanes
    }

    /// The time that every partition of `sources` (of all, if it is empty) has reached. One that was silent for `idle_ms` while others were not holds
    /// nobody up. `None` while there is no partition.
    pub fn watermark(&self, lane: Lane, sources: &[SourceId], idle_ms: i64) -> Option<Time> {
        let is_awake = |reached: &Reached| self.now.millis_since(reached.received) <= idle_ms;
        let of_sources = || {
            let is_asked = |source: &SourceId| sources.is_empty() || sources.contains(source);
            let of_lane = self.partitions.iter().filter(move |((of, _, _), _)| *of == lane);
            of_lane.filter(move |((_, source, _), _)| is_asked(source)).map(|(_, reached)| reached)
        };
        let awake = of_sources().filter(|reached| is_awake(reached)).map(|reached| reached.time).min();
        // Where all are silent, time goes on by what reaches us from elsewhere.
        awake.or_else(|| of_sources().next().map(|_| self.now.plus_millis(-idle_ms)))
    }

    /// Moves on without any record: the time is `now`.
    pub fn tick(&mut self, now: Time) {
        self.now = self.now.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_millis(seconds * 1000)
    }

    fn progress(source: &str, partition: &str, time: i64, received: i64) -> Progress {
        let (source, partition) = (source.into(), partition.into());
        Progress { source, partition, lane: Lane::Live, time: at(time), received: at(received) }
    }

    #[test]
    fn the_slowest_partition_counts_and_one_that_is_silent_does_not() {
        let mut clock = Clock::default();
        assert_eq!(clock.watermark(Lane::Live, &[], 60_000), None);
        clock.note(&progress("trail", "a", 100, 110));
        clock.note(&progress("trail", "b", 40, 111));
        clock.note(&progress("duty", "a", 10, 112));
        assert_eq!(clock.watermark(Lane::Live, &["trail".into()], 60_000), Some(at(40)));
        assert_eq!(clock.watermark(Lane::Live, &[], 60_000), Some(at(10)));
        assert_eq!(clock.reached(Lane::Live, &"trail".into()), Some(at(100)));
        clock.note(&progress("trail", "a", 170, 175));
        assert_eq!(clock.watermark(Lane::Live, &["trail".into()], 60_000), Some(at(170)), "b was silent for 64 s");
        clock.tick(at(400));
        assert_eq!(clock.watermark(Lane::Live, &["trail".into()], 60_000), Some(at(340)), "all are silent");
    }

    #[test]
    fn a_record_from_the_future_does_not_make_others_late() {
        let mut clock = Clock::default();
        clock.note(&progress("trail", "a", 99_999_999, 110));
        assert_eq!(clock.watermark(Lane::Live, &[], 60_000), Some(at(110)));
    }
}
