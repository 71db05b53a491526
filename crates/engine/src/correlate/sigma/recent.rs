//! The facts of the last time span that belong to no episode yet: what would open one.

use std::collections::VecDeque;
use std::sync::Arc;

use model::{EventId, Time};
use serde::{Deserialize, Serialize};

use super::super::{Claim, Detail, Fact, Members, Out};

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
        self.beneath.as_ref().map_or(0, |claims| claims.len() * size_of::<Claim>())
    }
}

/// Facts in order of time and id, at most as many as their owner says: where there are more, every second one is let go of, and the one before
/// it says so. The earliest of the span, by which an episode is known, is then one of them, at worst a little later than the true one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Recent {
    seen: VecDeque<Seen>,
    /// How many facts there are, those that were let go of included.
    count: u64,
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
            self.seen.pop_front();
        }
    }

    /// Adds the facts of an instant; keeps at most `most` in all.
    pub(super) fn add(&mut self, facts: &[Fact], most: usize, out: &mut Out) {
        if self.seen.is_empty() {
            self.seen.reserve_exact(facts.len().min(most));
        }
        for fact in facts {
            if self.seen.len() >= most {
                self.thin(out);
            }
            self.seen.push_back(Seen::of(fact));
            self.count += 1;
        }
    }

    fn thin(&mut self, out: &mut Out) {
        let before = self.seen.len();
        let mut thinned: VecDeque<Seen> = VecDeque::with_capacity(before);
        for (at, seen) in self.seen.drain(..).enumerate() {
            match thinned.back_mut().filter(|_| at % 2 == 1) {
                Some(kept) => kept.more = kept.more.saturating_add(1).saturating_add(seen.more),
                None => thinned.push_back(seen),
            }
        }
        out.shed += (before - thinned.len()) as u64;
        self.seen = thinned;
    }

    /// Bytes on the heap, roughly.
    pub(super) fn heap_bytes(&self) -> usize {
        let beneath: usize = self.seen.iter().map(Seen::heap_bytes).sum();
        self.seen.capacity() * size_of::<Seen>() + beneath
    }
}
