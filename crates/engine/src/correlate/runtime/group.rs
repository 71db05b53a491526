//! One group: what is settled, what may still change, and what was said.
//!
//! The *base* is the operator's state behind the frontier, where nothing can change any more. Facts later than the base are *pending*, in
//! order of time. What they come to is told early, on the [`Way`] from the base; a fact that comes late only means going that way anew. When
//! the frontier passes, the base takes the same steps for good; where nothing on the way is to be told again, it goes on to a
//! state that the way had.

use std::sync::Arc;

use model::{EventId, Standing, Time};
use serde::{Deserialize, Serialize};

use super::pending::Pending;
use super::way::Way;
use crate::correlate::{Claim, Episode, Fact, Measure, Operator, Out, Told};

/// A group of one correlation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Group<S> {
    base: S,
    /// Up to when the base is settled, microseconds.
    settled: i64,
    /// Facts later than that, in order of time and id.
    pending: Pending,
    /// Where they lead. Not written down: it can be gone again.
    #[serde(skip)]
    way: Option<Box<Way<S>>>,
    /// What was told early and is not closed.
    open: Vec<Open>,
    /// Occurrences later than `settled` that correlations above know of.
    occurred: Vec<Occurred>,
    /// Did pending facts change since they were judged?
    is_changed: bool,
    /// How much later than in order facts came, milliseconds, since there was nothing pending.
    late_ms: i64,
    /// How many facts it was given.
    pub seen: u32,
}

/// An episode that was told and not closed.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Open {
    episode: Box<Episode>,
    late_ms: Option<i64>,
}

/// One time at which an episode held, as correlations above know it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Occurred {
    /// The episode.
    pub first: EventId,
    /// When.
    pub at: Time,
    /// The events of that time; of the first time, those that opened it.
    pub claims: Arc<[Claim]>,
}

/// What judging a group comes to.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// What is said, in order.
    pub said: Vec<Said>,
    /// Occurrences that are no longer so.
    pub gone: Vec<Occurred>,
    /// Occurrences that are new.
    pub new: Vec<Occurred>,
    /// What an operator let go of for want of room.
    pub shed: u64,
    /// How much later than in order the facts came that it is about, milliseconds.
    pub late_ms: i64,
    /// Did the base take the steps itself, so that what the group holds may have changed much?
    pub is_settled: bool,
}

/// One thing that is said.
#[derive(Debug)]
pub(super) struct Said {
    pub episode: Episode,
    pub standing: Standing,
    pub late_ms: Option<i64>,
}

/// What an operator said, sorted.
#[derive(Default)]
struct Heard {
    opened: Vec<Episode>,
    closed: Vec<Episode>,
    occurred: Vec<Occurred>,
}

impl Heard {
    /// Sorts what was said; occurrences only if somebody wants them.
    fn of(out: Out) -> Heard {
        let mut heard = Heard::default();
        for told in out.told {
            match told {
                Told::Opened(episode) => {
                    if out.wants_held {
                        heard.occurred.push(Occurred::opening(&episode, episode.held));
                    }
                    heard.opened.push(episode);
                }
                Told::Held { first, at, facts } if out.wants_held => {
                    let claims = facts.iter().flat_map(Fact::claims).collect();
                    heard.occurred.push(Occurred { first, at, claims });
                }
                Told::Held { .. } => {}
                Told::Closed(episode) => heard.closed.push(episode),
            }
        }
        heard
    }
}

impl Occurred {
    fn opening(episode: &Episode, at: Time) -> Occurred {
        Occurred { first: episode.first, at, claims: episode.opened.clone().into() }
    }
}

impl<S: Clone + Default> Group<S> {
    /// A new group, of which nothing up to `settled` is known or will be.
    pub fn new(settled: i64) -> Group<S> {
        Group {
            base: S::default(),
            settled,
            pending: Pending::default(),
            way: None,
            open: Vec::new(),
            occurred: Vec::new(),
            is_changed: false,
            late_ms: 0,
            seen: 0,
        }
    }

    /// Takes in a fact above the frontier. A fact of the same time and id takes the place of the one before.
    pub fn insert(&mut self, fact: Fact, late_ms: i64) {
        debug_assert!(fact.time.micros() > self.settled, "facts behind the frontier are turned away before");
        self.seen = self.seen.saturating_add(1);
        self.late_ms = self.late_ms.max(late_ms);
        self.is_changed = true;
        let last = self.pending.last().map(|last| (last.time, last.id));
        if last.is_some_and(|(time, _)| fact.time <= time) {
            self.forget_way_from(fact.time);
        }
        self.pending.insert(fact);
    }

    /// Takes a pending fact out again; does nothing where there is none.
    pub fn remove(&mut self, time: Time, id: EventId) {
        if self.pending.place((time, id)).is_ok() {
            self.forget_way_from(time);
            self.pending.remove((time, id));
            self.is_changed = true;
        }
    }

    /// The way is known only as far as nothing changed on it.
    fn forget_way_from(&mut self, time: Time) {
        if let Some(way) = &mut self.way {
            way.forget_from(time, &self.pending);
        }
    }

    /// The time that the frontier must pass for something to happen.
    ///
    /// Where nothing on the way must be told again, nothing will be said before the state to which it leads is due; that the last pending fact is
    /// settled is of use only because the group can be written down then.
    pub fn due<O: Operator<State = S>>(&self, operator: &O) -> Option<Time> {
        if let Some(way) = self.quiet_way() {
            // Of one fact, nothing is gained by it.
            let last = self.pending.last().filter(|_| self.pending.len() > 1 || way.due().is_none());
            return [last.map(|fact| fact.time), way.due()].into_iter().flatten().min();
        }
        let pending = self.pending.first().map(|fact| fact.time);
        [pending, operator.due(&self.base)].into_iter().flatten().min()
    }

    /// The way, if it is known to the end and there is nothing on it that must be told when it is settled.
    fn quiet_way(&self) -> Option<&Way<S>> {
        let way = self.way.as_deref().filter(|_| self.occurred.is_empty());
        way.filter(|way| way.is_quiet(self.settled, self.pending.len()))
    }

    /// Can it be written down? Nothing is gained where it changes all the time.
    pub fn is_still(&self, frontier: i64) -> bool {
        let is_lone = self.seen == 1 || self.pending.last().is_none_or(|last| last.time.micros() <= frontier);
        is_lone && self.open.is_empty() && self.occurred.is_empty()
    }

    /// Can it be forgotten?
    pub fn is_idle<O: Operator<State = S>>(&self, operator: &O) -> bool {
        self.pending.is_empty() && self.open.is_empty() && operator.is_idle(&self.base)
    }

    /// Bytes on the heap, roughly.
    pub fn heap_bytes<O: Operator<State = S>>(&self, operator: &O) -> usize {
        let way = self.way.as_ref().map_or(0, |way| way.heap_bytes(operator));
        let own = self.pending.heap_bytes()
            + self.open.len() * (size_of::<Open>() + size_of::<Episode>())
            + self.occurred.capacity() * size_of::<Occurred>();
        operator.heap_bytes(&self.base) + way + own
    }

    /// Looks at the ends of what it holds, so that they are at hand.
    pub fn look_at(&self) -> usize {
        let of = |time: Option<Time>| time.map_or(0, |time| time.micros() as usize);
        let way = self.way.as_ref().map_or(0, |way| way.look_at());
        of(self.pending.last().map(|fact| fact.time)) ^ of(self.pending.first().map(|fact| fact.time)) ^ way
    }

    /// Facts that may still change.
    pub fn pending(&self) -> &[Fact] {
        &self.pending
    }

    /// What is measured now, with all that is pending.
    pub fn reading<O: Operator<State = S>>(&self, operator: &O) -> Option<Measure> {
        let mut state = self.base.clone();
        step_all(operator, &mut state, &self.pending, &mut Out::default());
        operator.reading(&state)
    }

    /// Episodes that were told and are not over.
    pub fn open(&self) -> impl Iterator<Item = &Episode> {
        self.open.iter().map(|open| &*open.episode)
    }

    /// Judges what changed, and settles what the frontier has passed.
    pub fn judge<O: Operator<State = S>>(&mut self, operator: &O, frontier: i64, wants_held: bool) -> Verdict {
        let mut verdict = Verdict { late_ms: self.late_ms, ..Verdict::default() };
        let frontier = frontier.max(self.settled);
        let is_ahead = self.pending.last().is_none_or(|last| last.time.micros() > frontier);
        if std::mem::take(&mut self.is_changed) && is_ahead {
            self.look_ahead(operator, wants_held, &mut verdict);
        }
        let is_due = |way: &Way<S>| way.due().is_some_and(|due| due.micros() <= frontier);
        if is_ahead && self.quiet_way().is_some_and(|way| !is_due(way)) {
            self.go_on_along_the_way(frontier, &mut verdict);
        } else {
            self.settle(operator, frontier, wants_held, &mut verdict);
        }
        if self.pending.is_empty() {
            self.late_ms = 0;
        }
        verdict
    }

    /// Takes the steps that the frontier has passed, whether or not there is a need to.
    pub fn catch_up<O: Operator<State = S>>(&mut self, operator: &O, frontier: i64, wants_held: bool) -> Verdict {
        let mut verdict = Verdict { late_ms: self.late_ms, ..Verdict::default() };
        self.settle(operator, frontier.max(self.settled), wants_held, &mut verdict);
        verdict
    }

    /// The base goes on to the last state of the way that the frontier has passed: what was told there is known already.
    fn go_on_along_the_way(&mut self, frontier: i64, verdict: &mut Verdict) {
        let Some(way) = &mut self.way else { return };
        let Some(stop) = way.passed(frontier, &self.pending) else { return };
        self.base = stop.state;
        self.settled = self.pending[stop.facts - 1].time.micros();
        self.pending.settle(stop.facts);
        verdict.shed += stop.shed;
    }

    /// There is nothing more to come: closes what was told of what is settled.
    pub fn stop<O: Operator<State = S>>(&mut self, operator: &O, at: Time, wants_held: bool) -> Verdict {
        let mut verdict = Verdict::default();
        let mut out = Out { wants_held, ..Out::default() };
        operator.stop(&mut self.base, at, &mut out);
        self.tell_settled(self.settled, Heard::of(out), wants_held, &mut verdict);
        verdict
    }

    /// Goes along the pending facts from where the way is known, and tells what opens.
    fn look_ahead<O: Operator<State = S>>(&mut self, operator: &O, wants_held: bool, verdict: &mut Verdict) {
        let way = self.way.get_or_insert_with(Box::default);
        let (from, is_anew) = way.start(&self.base);
        // What opened up to this time is not gone through again.
        let known = from.checked_sub(1).map_or(self.settled, |last| self.pending[last].time.micros());
        let mut out = Out { wants_held, ..Out::default() };
        way.go(operator, &self.pending, &mut out);
        if out.told.is_empty() && !is_anew {
            return;
        }
        let heard = Heard::of(out);
        self.withdraw(known, i64::MAX, &heard.opened, verdict);
        self.compare(known, i64::MAX, heard.occurred, verdict);
        self.tell_early(heard.opened, verdict);
    }

    /// Takes the steps that the frontier has passed for good.
    fn settle<O: Operator<State = S>>(&mut self, operator: &O, to: i64, wants_held: bool, verdict: &mut Verdict) {
        let passed = self.pending.partition_point(|fact| fact.time.micros() <= to);
        let mut out = Out { wants_held, ..Out::default() };
        step_all(operator, &mut self.base, &self.pending[..passed], &mut out);
        if operator.due(&self.base).is_some_and(|due| due.micros() <= to) {
            operator.pass(&mut self.base, Time::from_micros(to), &mut out);
        }
        self.pending.settle(passed);
        self.way = self.way.take().filter(|_| !self.pending.is_empty()).and_then(|way| way.without(passed, out.shed));
        let before = std::mem::replace(&mut self.settled, to);
        verdict.shed += std::mem::take(&mut out.shed);
        verdict.is_settled = true;
        self.tell_settled(before, Heard::of(out), wants_held, verdict);
    }

    fn tell_settled(&mut self, before: i64, heard: Heard, wants_held: bool, verdict: &mut Verdict) {
        let Heard { mut opened, closed, occurred } = heard;
        self.withdraw(before, self.settled, &opened, verdict);
        self.compare(before, self.settled, occurred, verdict);
        self.occurred.retain(|known| known.at.micros() > self.settled);
        for episode in closed {
            let opened_now = opened.iter().position(|opened| opened.first == episode.first);
            opened_now.map(|at| opened.swap_remove(at));
            let told = self.open.iter().position(|open| open.episode.first == episode.first);
            if wants_held && opened_now.is_none() && told.is_none() {
                verdict.new.push(Occurred::opening(&episode, episode.last_held));
            }
            let late_ms = told.map(|at| self.open.remove(at)).map_or(self.late(), |open| open.late_ms);
            verdict.said.push(Said { episode, standing: Standing::Final, late_ms });
        }
        self.tell_early(opened, verdict);
    }

    fn late(&self) -> Option<i64> {
        (self.late_ms > 0).then_some(self.late_ms)
    }

    /// Withdraws what was told to have first held after `after`, up to `to`, and is not among what did.
    fn withdraw(&mut self, after: i64, to: i64, opened: &[Episode], verdict: &mut Verdict) {
        let late_ms = self.late();
        self.open.retain_mut(|open| {
            let held = open.episode.held.micros();
            let is_so = held <= after || held > to || opened.iter().any(|one| one.first == open.episode.first);
            if !is_so {
                let episode = Episode::clone(&open.episode);
                verdict.said.push(Said { episode, standing: Standing::Withdrawn, late_ms });
            }
            is_so
        });
    }

    fn tell_early(&mut self, opened: Vec<Episode>, verdict: &mut Verdict) {
        let late_ms = self.late();
        for episode in opened {
            match self.open.iter_mut().find(|open| open.episode.first == episode.first) {
                Some(open) => *open.episode = episode,
                None => {
                    self.open.push(Open { episode: Box::new(episode.clone()), late_ms });
                    verdict.said.push(Said { episode, standing: Standing::Early, late_ms });
                }
            }
        }
    }

    /// Compares the occurrences after `after`, up to `to`, with those that are known above.
    fn compare(&mut self, after: i64, to: i64, occurred: Vec<Occurred>, verdict: &mut Verdict) {
        let is_asked = |known: &mut Occurred| (after + 1..=to).contains(&known.at.micros());
        let old: Vec<Occurred> = self.occurred.extract_if(.., is_asked).collect();
        verdict.gone.extend(old.iter().filter(|known| !occurred.contains(known)).cloned());
        verdict.new.extend(occurred.iter().filter(|new| !old.contains(new)).cloned());
        self.occurred.extend(occurred);
    }
}

/// Shows facts to an operator, instant by instant.
pub(super) fn step_all<O: Operator>(operator: &O, state: &mut O::State, facts: &[Fact], out: &mut Out) {
    for instant in facts.chunk_by(|a, b| a.time == b.time) {
        operator.step(state, instant[0].time, instant, out);
    }
}
