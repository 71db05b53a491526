//! What `coverage` and `risk` share: things that stand in a sliding window, each by its last event, and bursts while they suffice.

use std::collections::VecDeque;
use std::sync::Arc;

use model::Time;
use serde::{Deserialize, Serialize};

use super::super::{Episode, Fact, Measure, Out, Told};
use super::burst::{CUT_MS, episode_bytes, open, prolong};
use super::evidence::{Evidence, OPENED_MAX, bare};
use super::key::{Key, KeyMap, map_bytes};

/// Things of one group that stand in its window; beyond it, those unseen for longest are let go of.
const THINGS_MAX: usize = 10_000;

/// A thing: a value that was touched, or a signal.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Thing {
    key: Key,
    fact: Fact,
}

/// Things of the last time span, none of an earlier burst.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Window {
    /// In order of time. Of a thing that came again, only the last counts.
    things: VecDeque<Thing>,
    last: KeyMap<Time>,
    burst: Option<Box<Open>>,
}

/// A burst that goes on.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Open {
    episode: Episode,
}

/// What is asked of the things in the window.
pub(super) trait Ask {
    /// What is known about them all.
    type Sum;
    /// Takes a thing in.
    fn add(&self, sum: &mut Self::Sum, fact: &Fact);
    /// Takes it out.
    fn remove(&self, sum: &mut Self::Sum, fact: &Fact);
    /// Do they suffice?
    fn holds(&self, sum: &Self::Sum) -> bool;
    /// The value that is measured.
    fn value(&self, sum: &Self::Sum) -> f64;
    /// All that is measured; `facts` are those that stand in the window, in order of time.
    fn measure(&self, sum: &Self::Sum, facts: &mut dyn Iterator<Item = &Fact>) -> Measure;
}

impl Window {
    /// The things of an instant, each with its key and the event that stands for it; then the burst begins, goes on, or not.
    pub fn step<A: Ask>(
        &mut self,
        ask: &A,
        sum: &mut A::Sum,
        span_ms: i64,
        things: Vec<(Key, Fact)>,
        facts: &[Fact],
        out: &mut Out,
    ) {
        let Some(at) = facts.first().map(|fact| fact.time) else { return };
        self.expire(ask, sum, span_ms, at);
        for (key, fact) in things {
            if let Some(known) = self.last.insert(key, at)
                && let Some(old) = self.find(key, known)
            {
                ask.remove(sum, &self.things[old].fact);
            }
            ask.add(sum, &fact);
            self.things.push_back(Thing { key, fact });
        }
        self.bound(ask, sum, out);
        if ask.holds(sum) {
            self.hold(ask, sum, at, facts, out);
        } else if let Some(open) = self.burst.take() {
            self.close(*open, out);
            self.begin_anew(ask, sum, at);
        }
        self.compact();
    }

    fn hold<A: Ask>(&mut self, ask: &A, sum: &A::Sum, at: Time, facts: &[Fact], out: &mut Out) {
        let last = &self.last;
        let is_live = |thing: &&Thing| last.get(&thing.key) == Some(&thing.fact.time);
        let live = || self.things.iter().filter(is_live).map(|thing| &thing.fact);
        match &mut self.burst {
            Some(open) => {
                prolong(&mut open.episode, at, Evidence::of(facts, OPENED_MAX));
                if ask.value(sum) > open.episode.measure.value {
                    open.episode.measure = ask.measure(sum, &mut live());
                }
                if out.wants_held {
                    out.told.push(Told::Held { first: open.episode.first, at, facts: facts.to_vec() });
                }
            }
            None => {
                let mut episode = open(at, Evidence::of(live(), OPENED_MAX));
                episode.measure = ask.measure(sum, &mut live());
                out.told.push(Told::Opened(episode.clone()));
                self.burst = Some(Box::new(Open { episode }));
            }
        }
    }

    /// What is measured now; `None` while nothing stands in the window.
    pub fn reading<A: Ask>(&self, ask: &A, sum: &A::Sum) -> Option<Measure> {
        let is_live = |thing: &&Thing| self.last.get(&thing.key) == Some(&thing.fact.time);
        let since = self.things.iter().find(is_live)?.fact.time;
        let mut measure = ask.measure(sum, &mut self.things.iter().filter(is_live).map(|thing| &thing.fact));
        measure.values.push(format!("since {since}"));
        Some(measure)
    }

    fn close(&self, open: Open, out: &mut Out) {
        out.told.push(Told::Closed(open.episode));
    }

    /// Only the things of `at` are left: the others belong to the burst that is over.
    fn begin_anew<A: Ask>(&mut self, ask: &A, sum: &mut A::Sum, at: Time) {
        self.expire(ask, sum, 0, at);
    }

    /// Lets go of what is more than a span older than `at`.
    fn expire<A: Ask>(&mut self, ask: &A, sum: &mut A::Sum, span_ms: i64, at: Time) {
        while self.things.front().is_some_and(|thing| thing.fact.time.plus_millis(span_ms) < at) {
            self.shift(ask, sum);
        }
    }

    /// Lets go of the oldest; did it count?
    fn shift<A: Ask>(&mut self, ask: &A, sum: &mut A::Sum) -> bool {
        let Some(thing) = self.things.pop_front() else { return false };
        let is_live = self.last.get(&thing.key) == Some(&thing.fact.time);
        if is_live {
            self.last.remove(&thing.key);
            ask.remove(sum, &thing.fact);
        }
        is_live
    }

    fn bound<A: Ask>(&mut self, ask: &A, sum: &mut A::Sum, out: &mut Out) {
        while self.last.len() > THINGS_MAX {
            out.shed += u64::from(self.shift(ask, sum));
        }
    }

    /// The place of a thing of that time.
    fn find(&self, key: Key, time: Time) -> Option<usize> {
        let from = self.things.partition_point(|thing| thing.fact.time < time);
        let is_it = |place: &usize| self.things[*place].key == key;
        (from..self.things.len()).take_while(|place| self.things[*place].fact.time == time).find(is_it)
    }

    /// Takes out those that came again when they are as many as those that count.
    fn compact(&mut self) {
        if self.things.len() > 2 * self.last.len() + 8 {
            let last = &self.last;
            self.things.retain(|thing| last.get(&thing.key) == Some(&thing.fact.time));
        }
    }

    /// Time has passed. Returns whether the window is empty now.
    pub fn pass(&mut self, span_ms: i64, to: Time, out: &mut Out) -> bool {
        if let Some(over) = self.over(span_ms)
            && over <= to
            && let Some(open) = self.burst.take()
        {
            self.close(*open, out);
            self.clear();
            return true;
        }
        if self.burst.is_none() && self.forgotten(span_ms).is_some_and(|time| time <= to) {
            self.clear();
            return true;
        }
        false
    }

    fn clear(&mut self) {
        *self = Window::default();
    }

    /// When the burst is over unless it holds again.
    fn over(&self, span_ms: i64) -> Option<Time> {
        let Open { episode } = &**self.burst.as_ref()?;
        Some(episode.last_held.plus_millis(span_ms).min(episode.start.plus_millis(CUT_MS.max(span_ms))))
    }

    fn forgotten(&self, span_ms: i64) -> Option<Time> {
        Some(self.things.back()?.fact.time.plus_millis(span_ms))
    }

    pub fn due(&self, span_ms: i64) -> Option<Time> {
        self.over(span_ms).or_else(|| self.forgotten(span_ms))
    }

    pub fn is_idle(&self) -> bool {
        self.things.is_empty() && self.burst.is_none()
    }

    pub fn heap_bytes(&self) -> usize {
        let burst = self.burst.as_ref().map_or(0, |open| episode_bytes(&open.episode));
        self.things.capacity() * size_of::<Thing>() + map_bytes(&self.last) + burst
    }
}

/// A thing that stands in the window without what was read of its event but `text`.
pub(super) fn thing(key: Key, fact: &Fact, text: Option<&Arc<str>>) -> (Key, Fact) {
    let mut fact = bare(fact);
    if let Some(text) = text {
        fact.values = super::super::Values::Texts([text.clone()].into());
    }
    (key, fact)
}
