//! The facts of the last time span that belong to no episode yet: what would open one.

use std::collections::VecDeque;
use std::sync::Arc;

use model::{EventId, Time};
use serde::{Deserialize, Serialize};

use super::super::{Claim, Detail, Fact, Members, Out};

/// What a finding says of an event takes about so many bytes.
pub(super) const DETAIL_BYTES: usize = 256;

/// How much is kept of a time span.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// At most so many things.
    pub(super) most: usize,
    /// The time span, microseconds.
    pub(super) span: i64,
}

impl Room {
    /// In which part of the time a moment lies; a time span has about a quarter as many parts as there may be things.
    pub(super) fn part(self, micros: i64) -> i64 {
        let parts = i64::try_from(self.most / 4).unwrap_or(i64::MAX).max(1);
        micros.div_euclid((self.span / parts).max(1))
    }
}

/// A fact without its values, and how many that were let go of it stands for as well.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Seen {
    pub(super) time: Time,
    pub(super) id: EventId,
    members: Members,
    detail: Option<Arc<Detail>>,
    beneath: Option<Arc<[Claim]>>,
    /// Facts behind it that were let go of.
    pub(super) more: u32,
}

impl Seen {
    pub(super) fn of(fact: &Fact) -> Seen {
        let Fact { time, id, members, detail, beneath, .. } = fact;
        Seen { time: *time, id: *id, members: *members, detail: detail.clone(), beneath: beneath.clone(), more: 0 }
    }

    /// The events that it stands for, in order of time and id.
    pub(super) fn claims(&self) -> impl Iterator<Item = Claim> + '_ {
        let members = self.members;
        let own = self.beneath.is_none().then(|| Claim {
            time: self.time,
            id: self.id,
            members,
            detail: self.detail.clone(),
        });
        let beneath = self.beneath.iter().flat_map(|claims| claims.iter());
        own.into_iter().chain(beneath.map(move |claim| Claim { members, ..claim.clone() }))
    }

    fn heap_bytes(&self) -> usize {
        let beneath = self.beneath.as_ref().map_or(0, |claims| claims.len() * size_of::<Claim>());
        beneath + if self.detail.is_some() { DETAIL_BYTES } else { 0 }
    }
}

/// Facts in order of time and id, at most as many as there is room for. Where there are more, only the earliest of each small part of the time span
/// is kept, and says how many it stands for. The earliest of the span, by which an episode is known, is then one of them, at worst a part later
/// than the true one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Recent {
    seen: VecDeque<Seen>,
    /// How many facts there are, those that were let go of included.
    count: u64,
    /// Bytes on the heap beside them, roughly.
    beneath: usize,
}

impl Recent {
    /// How many facts there are.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The facts that are kept.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Seen> {
        self.seen.iter()
    }

    /// The earliest of them.
    pub(super) fn first(&self) -> Option<&Seen> {
        self.seen.front()
    }

    /// The time of the latest of them.
    pub(super) fn last(&self) -> Option<Time> {
        self.seen.back().map(|seen| seen.time)
    }

    /// Forgets what is earlier than `from`, microseconds.
    pub(super) fn forget_before(&mut self, from: i64) {
        while let Some(seen) = self.seen.front().filter(|seen| seen.time.micros() < from) {
            self.count -= 1 + u64::from(seen.more);
            self.beneath -= seen.heap_bytes();
            self.seen.pop_front();
        }
    }

    /// Adds the facts of an instant, and keeps as many in all as there is room for.
    pub(super) fn add(&mut self, facts: &[Fact], room: Room, out: &mut Out) {
        if self.seen.is_empty() {
            self.seen.reserve_exact(facts.len().min(room.most));
        }
        for fact in facts {
            if self.seen.len() >= room.most {
                self.thin(room, out);
            }
            let seen = Seen::of(fact);
            self.beneath += seen.heap_bytes();
            self.seen.push_back(seen);
            self.count += 1;
        }
    }

    /// Of the facts of each small part of the time span, the earliest is kept. A part never grows, however often this is done.
    fn thin(&mut self, room: Room, out: &mut Out) {
        let before = self.seen.len();
        let mut thinned: VecDeque<Seen> = VecDeque::with_capacity(before);
        for seen in self.seen.drain(..) {
            match thinned.back_mut().filter(|kept| room.part(kept.time.micros()) == room.part(seen.time.micros())) {
                Some(kept) => kept.more = kept.more.saturating_add(1).saturating_add(seen.more),
                None => thinned.push_back(seen),
            }
        }
        out.shed += (before - thinned.len()) as u64;
        self.beneath = thinned.iter().map(Seen::heap_bytes).sum();
        self.seen = thinned;
    }

    /// Bytes on the heap, roughly.
    pub(super) fn heap_bytes(&self) -> usize {
        self.seen.capacity() * size_of::<Seen>() + self.beneath
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Values;
    use super::*;

    fn fact(at: i64) -> Fact {
        Fact {
            time: Time::from_micros(at),
            id: EventId::of(&[&at.to_le_bytes()]),
            members: Members::one(0),
            values: Values::None,
            detail: None,
            beneath: None,
        }
    }

    #[test]
    fn the_first_of_the_window_is_kept_and_the_others_are_counted() {
        let (mut recent, mut out) = (Recent::default(), Out::default());
        for at in 0..10_000 {
            recent.forget_before(at - 5_000);
            recent.add(&[fact(at)], Room { most: 100, span: 5_000 }, &mut out);
            assert!(recent.seen.len() <= 100);
            let first = recent.first().expect("one was just added").time.micros();
            let missing = first - (at - 5_000).max(0);
            assert!((0..=200).contains(&missing), "{missing} at {at}");
            assert!(recent.count().abs_diff((at + 1).min(5_001) as u64) <= 200);
        }
        assert!(out.shed > 0);
        let counted: u64 = recent.iter().map(|seen| 1 + u64::from(seen.more)).sum();
        assert_eq!(counted, recent.count());
    }

    #[test]
    fn without_too_many_nothing_is_let_go_of() {
        let (mut recent, mut out) = (Recent::default(), Out::default());
        for at in 0..1_000 {
            recent.forget_before(at - 50);
            recent.add(&[fact(at)], Room { most: 51, span: 50 }, &mut out);
        }
        assert_eq!((recent.count(), recent.seen.len(), out.shed), (51, 51, 0));
        assert_eq!(recent.first().map(|seen| seen.time.micros()), Some(949));
    }
}
