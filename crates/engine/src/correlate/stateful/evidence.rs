//! The events that a finding claims: the earliest of them, and how many there are.

use model::{EventId, Time};
use serde::{Deserialize, Serialize};

use super::super::{Claim, Fact};

/// Claims that an episode keeps of the events that opened it.
pub(super) const OPENED_MAX: usize = 100;
/// Claims that an episode keeps of the events that prolonged it.
pub(super) const PROLONGED_MAX: usize = 32;

/// Events that may be claimed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Evidence {
    /// The earliest fact, by time and id.
    pub first: Option<(Time, EventId)>,
    /// The earliest claims, in order of time and id.
    pub kept: Vec<Claim>,
    /// How many claims there are.
    pub count: u64,
}

impl Evidence {
    /// The claims of some facts, at most `most` of them kept.
    pub fn of<'a>(facts: impl IntoIterator<Item = &'a Fact>, most: usize) -> Evidence {
        let mut evidence = Evidence::default();
        facts.into_iter().for_each(|fact| evidence.add(fact, most));
        evidence
    }

    /// Adds what a fact stands for.
    pub fn add(&mut self, fact: &Fact, most: usize) {
        let first = (fact.time, fact.id);
        self.first = Some(self.first.map_or(first, |known| known.min(first)));
        if fact.beneath.is_none()
            && self.kept.len() >= most
            && self.kept.last().is_some_and(|last| first > (last.time, last.id))
        {
            self.count += 1;
            return;
        }
        fact.claims().for_each(|claim| self.take(claim, most));
    }

    /// Adds other evidence.
    pub fn merge(&mut self, other: Evidence, most: usize) {
        self.first = match (self.first, other.first) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        let beyond = other.count - other.kept.len() as u64;
        other.kept.into_iter().for_each(|claim| self.take(claim, most));
        self.count += beyond;
    }

    /// Adds a claim; one of an event that is kept already is not counted again.
    fn take(&mut self, claim: Claim, most: usize) {
        match self.kept.binary_search_by(|kept| (kept.time, kept.id).cmp(&(claim.time, claim.id))) {
            Ok(at) => self.kept[at].members = self.kept[at].members.with(claim.members),
            Err(at) => {
                self.count += 1;
                if at < most {
                    self.kept.insert(at, claim);
                    self.kept.truncate(most);
                }
            }
        }
    }

    /// Bytes on the heap, roughly.
    pub fn heap_bytes(&self) -> usize {
        self.kept.capacity() * size_of::<Claim>()
    }
}

/// A fact without what was read of it: what waits for something else only has to be claimed.
pub(super) fn bare(fact: &Fact) -> Fact {
    Fact { values: super::super::Values::None, ..fact.clone() }
}
