//! `volume`: a group's measure against its own past.

use model::{EventId, Time};
use serde::{Deserialize, Serialize};

use super::super::{Claim, Episode, Fact, Measure, Operator, Out, Told};
use super::baseline::{Calendar, Past};
use super::burst::{CUT_MS, episode_bytes, open, prolong};
use super::evidence::Evidence;
use super::expectation::{Beyond, Expectation, Limit};
use super::number::{ONE, shown, words};
use super::tally::{Measured, Tally};

/// Claims that are kept of the events of a bucket.
const CLAIMS_MAX: usize = 32;
/// Numbers of the past that a finding shows.
const HISTORY_SHOWN: usize = 64;

/// Tells buckets of time in which a group does more, or less, than its past lets expect.
#[derive(Clone, Debug, PartialEq)]
pub struct Volume {
    /// What is measured in each bucket.
    pub measured: Measured,
    /// What is to be expected.
    pub expectation: Expectation,
    /// How time is cut, and which past counts.
    pub calendar: Calendar,
    /// Buckets of the group's past, of any season, before anything is told.
    pub learn: i64,
    /// Above: a lesser value is not told. Below: a lesser middle tells nothing. Millionths.
    pub at_least: i128,
    /// Which side.
    pub beyond: Beyond,
}

/// The bucket that goes on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Running {
    bucket: i64,
    tally: Tally,
    limit: Option<Limit>,
    evidence: Evidence,
}

/// Buckets that follow each other, all beyond the limit.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Run {
    episode: Episode,
    begun: i64,
    last: i64,
    /// The bucket that the measure is of.
    shown: i64,
}

/// What is known of a group.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// The bucket of the group's first event, the one of its last, and the next one to be judged.
    buckets: Option<(i64, i64, i64)>,
    past: Past,
    running: Option<Box<Running>>,
    run: Option<Box<Run>>,
    /// The last event; only where less than expected is told.
    last: Option<Claim>,
}

impl Volume {
    /// The limit for a bucket, unless the group is still learned.
    fn limit(&self, state: &State, bucket: i64) -> Option<Limit> {
        let (first, ..) = state.buckets?;
        if bucket - first < self.learn.max(1) {
            return None;
        }
        let mut past = self.past(state, bucket);
        let least = if matches!(self.measured, Measured::Sum(_)) { 0 } else { ONE };
        (!past.is_empty()).then(|| self.expectation.limit(&mut past, least, self.beyond))
    }

    /// The values of the buckets of the past that count, the latest first.
    fn past(&self, state: &State, bucket: i64) -> Vec<i128> {
        let first = state.buckets.map_or(bucket, |(first, ..)| first);
        self.calendar.alike(bucket, first).into_iter().map(|bucket| state.past.value(bucket)).collect()
    }

    fn is_told(&self, limit: Option<Limit>, value: i128) -> bool {
        limit.is_some_and(|limit| {
            let weight = if self.beyond == Beyond::Above { value } else { limit.middle };
            weight >= self.at_least && limit.is_beyond(value, self.beyond)
        })
    }

    /// The bucket is beyond the limit at `at`, by the events of `evidence`.
    fn tell(&self, state: &mut State, told: Bucket, at: Time, evidence: Evidence, facts: &[Fact], out: &mut Out) {
        let Bucket { bucket, value, limit } = told;
        if let Some(mut run) = state.run.take() {
            prolong(&mut run.episode, at, evidence);
            let is_more = if self.beyond == Beyond::Above {
                shown(value) > run.episode.measure.value
            } else {
                shown(value) < run.episode.measure.value
            };
            if is_more && run.shown == bucket {
                run.episode.measure.value = shown(value);
            } else if is_more {
                run.episode.measure = self.measure(state, told);
                run.shown = bucket;
            }
            run.last = bucket;
            if out.wants_held {
                out.told.push(Told::Held { first: run.episode.first, at, facts: facts.to_vec() });
            }
            state.run = Some(run);
            return;
        }
        let mut episode = open(at, evidence);
        episode.measure = self.measure(state, Bucket { bucket, value, limit });
        out.told.push(Told::Opened(episode.clone()));
        state.run = Some(Box::new(Run { episode, begun: bucket, last: bucket, shown: bucket }));
    }

    fn measure(&self, state: &State, told: Bucket) -> Measure {
        let mut history: Vec<f64> = self.past(state, told.bucket).into_iter().map(shown).collect();
        history.truncate(HISTORY_SHOWN);
        history.reverse();
        let floor = words(shown(self.at_least));
        let threshold = match self.beyond {
            _ if self.at_least == 0 => told.limit.words(self.beyond),
            Beyond::Above => format!("{} and at least {floor}", told.limit.words(self.beyond)),
            Beyond::Below => format!("{} where at least {floor} is expected", told.limit.words(self.beyond)),
        };
        Measure {
            of: self.measured.words(),
            value: shown(told.value),
            expected: Some(shown(told.limit.middle)),
            threshold,
            values: Vec::new(),
            history,
        }
    }

    /// A bucket is over.
    fn judge(&self, state: &mut State, bucket: i64, out: &mut Out) {
        let running = state.running.take_if(|running| running.bucket == bucket);
        let value = running.as_ref().map_or(0, |running| running.tally.value);
        if self.beyond == Beyond::Below
            && let Some(limit) = self.limit(state, bucket).filter(|limit| self.is_told(Some(*limit), value))
        {
            let evidence = match running {
                Some(running) => running.evidence,
                None if state.run.is_some() => Evidence::default(),
                None => self.nothing(state, bucket),
            };
            let told = Bucket { bucket, value, limit };
            self.tell(state, told, self.calendar.end(bucket), evidence, &[], out);
        }
        state.past.push(bucket, value, self.calendar.reach());
        let longest = (CUT_MS / self.calendar.span_ms).max(1);
        if let Some(run) = state.run.take_if(|run| run.last < bucket || bucket - run.begun + 1 >= longest) {
            out.told.push(Told::Closed(run.episode));
        }
    }

    /// What shows an empty bucket: the event before it. Its identity is of its own, since several buckets may have one such event.
    fn nothing(&self, state: &State, bucket: i64) -> Evidence {
        let start = self.calendar.start(bucket);
        let last = state.last.clone();
        let id = last.as_ref().map_or([0; 16], |last| *last.id.as_bytes());
        let first = EventId::of(&[&id, &start.micros().to_be_bytes()]);
        Evidence { first: Some((start, first)), count: u64::from(last.is_some()), kept: last.into_iter().collect() }
    }

    fn forgotten(&self, state: &State) -> Option<Time> {
        let (_, last, _) = state.buckets?;
        Some(self.calendar.end(last.saturating_add(self.calendar.reach())))
    }
}

/// A bucket that is told.
#[derive(Clone, Copy)]
struct Bucket {
    bucket: i64,
    value: i128,
    limit: Limit,
}

impl Operator for Volume {
    type State = State;

    fn step(&self, state: &mut State, at: Time, facts: &[Fact], out: &mut Out) {
        let taking: Vec<&Fact> = facts.iter().filter(|fact| self.measured.takes(&fact.values)).collect();
        if taking.is_empty() {
            return;
        }
        let bucket = self.calendar.bucket(at);
        let (first, ..) = state.buckets.unwrap_or((bucket, bucket, bucket));
        state.buckets = Some((first, bucket, bucket));
        let mut running = match state.running.take() {
            Some(running) => running,
            None => Box::new(Running { bucket, limit: self.limit(state, bucket), ..Running::default() }),
        };
        let was_told = self.beyond == Beyond::Above && self.is_told(running.limit, running.tally.value);
        for fact in &taking {
            self.measured.add(&mut running.tally, &fact.values, &mut out.shed);
            if running.limit.is_some() && !was_told {
                running.evidence.add(fact, CLAIMS_MAX);
            }
        }
        if self.beyond == Beyond::Below {
            state.last = taking.last().and_then(|fact| fact.claims().last());
        } else if let Some(limit) = running.limit.filter(|limit| self.is_told(Some(*limit), running.tally.value)) {
            let fresh = || Evidence::of(taking.iter().copied(), CLAIMS_MAX);
            let evidence = if was_told { fresh() } else { std::mem::take(&mut running.evidence) };
            let told = Bucket { bucket, value: running.tally.value, limit };
            self.tell(state, told, at, evidence, facts, out);
        }
        state.running = Some(running);
    }

    fn pass(&self, state: &mut State, to: Time, out: &mut Out) {
        let Some((first, last, mut next)) = state.buckets else { return };
        while self.calendar.end(next) <= to && next <= last.saturating_add(self.calendar.reach()) {
            self.judge(state, next, out);
            next += 1;
            if self.beyond == Beyond::Above && state.run.is_none() && state.running.is_none() {
                next = next.max(self.calendar.bucket(to));
            }
        }
        state.buckets = Some((first, last, next));
        if self.forgotten(state).is_some_and(|time| time <= to) {
            if let Some(run) = state.run.take() {
                out.told.push(Told::Closed(run.episode));
            }
            *state = State::default();
        }
    }

    fn stop(&self, state: &mut State, _at: Time, out: &mut Out) {
        if self.beyond == Beyond::Above {
            return self.pass(state, Time::MAX, out);
        }
        if let Some(run) = state.run.take() {
            out.told.push(Told::Closed(run.episode));
        }
    }

    fn due(&self, state: &State) -> Option<Time> {
        let (_, _, next) = state.buckets?;
        let is_watched = state.run.is_some() || self.beyond == Beyond::Below;
        let judged = is_watched.then(|| self.calendar.end(next));
        judged.into_iter().chain(self.forgotten(state)).min()
    }

    fn is_idle(&self, state: &State) -> bool {
        state.buckets.is_none()
    }

    fn reading(&self, state: &State) -> Option<Measure> {
        let (first, _, next) = state.buckets?;
        let (bucket, value) = state.running.as_ref().map_or((next, 0), |running| (running.bucket, running.tally.value));
        let mut measure = match self.limit(state, bucket) {
            Some(limit) => self.measure(state, Bucket { bucket, value, limit }),
            None => Measure {
                of: self.measured.words(),
                value: shown(value),
                threshold: format!("learns: {} of {} buckets are over", bucket - first, self.learn.max(1)),
                ..Measure::default()
            },
        };
        measure.values.push(format!("from {} to {}", self.calendar.start(bucket), self.calendar.end(bucket)));
        Some(measure)
    }

    fn heap_bytes(&self, state: &State) -> usize {
        let running = state
            .running
            .as_ref()
            .map_or(0, |running| size_of::<Running>() + running.tally.heap_bytes() + running.evidence.heap_bytes());
        let run = state.run.as_ref().map_or(0, |run| size_of::<Run>() + episode_bytes(&run.episode));
        running + run + state.past.heap_bytes()
    }
}
