//! The facts of a group that wait for the frontier, in order of time and id.

use std::ops::{Deref, Range};

use model::{EventId, Time};
use serde::{Deserialize, Serialize};

use crate::correlate::Fact;

/// Facts in order. Those in front that are settled are let go of only when they are many, since moving the others costs.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Pending {
    facts: Vec<Fact>,
    /// Facts in front that are settled.
    settled: usize,
}

impl Deref for Pending {
    type Target = [Fact];

    fn deref(&self) -> &[Fact] {
        &self.facts[self.settled..]
    }
}

impl Pending {
    /// Where a fact of that time and id stands, or would.
    pub fn place(&self, key: (Time, EventId)) -> Result<usize, usize> {
        self.binary_search_by(|known| (known.time, known.id).cmp(&key))
    }

    /// Takes a fact in; one of the same time and id takes the place of the one before.
    pub fn insert(&mut self, fact: Fact) {
        let key = (fact.time, fact.id);
        if self.last().is_none_or(|last| (last.time, last.id) < key) {
            return self.facts.push(fact);
        }
        match self.place(key) {
            Ok(at) => self.facts[self.settled + at] = fact,
            Err(at) => self.facts.insert(self.settled + at, fact),
        }
    }

    /// Takes a fact out.
    pub fn remove(&mut self, key: (Time, EventId)) {
        if let Ok(at) = self.place(key) {
            self.facts.remove(self.settled + at);
        }
    }

    /// So many facts in front are settled.
    pub fn settle(&mut self, passed: usize) {
        self.settled += passed;
        if self.settled == self.facts.len() {
            *self = Pending::default();
        } else if self.settled * 2 > self.facts.len() {
            let gone: Range<usize> = 0..self.settled;
            self.facts.drain(gone);
            self.settled = 0;
        }
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.facts.capacity() * size_of::<Fact>()
    }
}
