//! The graph: links that hold for a time, in bounded memory.
//!
//! In: links, in any order. Out: for an entity, the links that hold at a time. Bound: [`Bounds`]. When there are too many, those go
//! first that end first, whatever the order in which they came; a question about a time that has lost links is told so.
//!
//! Links of one means between the same two entities are joined where their times meet, and the first of their events is the
//! evidence; so an account that calls every second is one link. Links that hand over stay apart: each is a moment of its own.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{Entity, EventId, Time};
use rustc_hash::FxHashMap;

use super::{Link, Means};

/// Longest key of an entity, in bytes; a link with a longer one is refused.
const KEY_BYTES_MAX: usize = 2048;

/// How much a graph holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Links in all; each costs about 500 bytes where keys are ARNs.
    pub links: usize,
    /// Links from one entity, so that one name that many use cannot push out the others.
    pub links_of_one: usize,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds { links: 200_000, links_of_one: 256 }
    }
}

/// What a graph has done since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Links that said something new.
    pub learned: u64,
    /// Links that were known.
    pub repeated: u64,
    /// Links that were let go of for want of room.
    pub evicted: u64,
    /// Links that were let go of because they had ended.
    pub forgotten: u64,
    /// Links that were not taken: without an entity, with a key that is too long, of a thing with itself, or that end before they begin.
    pub refused: u64,
}

/// A link as its entity holds it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Held {
    pub means: Means,
    pub to: Arc<Entity>,
    pub since: Time,
    pub until: Time,
    pub evidence: EventId,
}

impl Held {
    pub fn holds(&self, at: Time) -> bool {
        self.since <= at && at <= self.until
    }

    /// Does it say the same as the other, at times that meet?
    fn joins(&self, other: &Held) -> bool {
        let is_alike = self.means == other.means && self.to == other.to;
        is_alike && !self.means.hands_over() && self.since <= other.until && other.since <= self.until
    }

    /// Is there nothing in the other that is not in it?
    fn says_all_of(&self, other: &Held) -> bool {
        let is_inside = (self.since, self.evidence) <= (other.since, other.evidence) && other.until <= self.until;
        self == other || (self.joins(other) && is_inside)
    }

    fn join(&mut self, other: &Held) {
        if (other.since, other.evidence) < (self.since, self.evidence) {
            (self.since, self.evidence) = (other.since, other.evidence);
        }
        self.until = self.until.max(other.until);
    }
}

/// What holding a link changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing.
    None,
    /// It says what was not known.
    New,
    /// What was known holds for longer: from this time on, answers may be others.
    Longer(Time),
}

impl Change {
    /// What a link says beyond one that it joins.
    fn beyond(held: &Held, new: &Held) -> Change {
        // Of an event at the same time, the evidence is another.
        let is_first = (new.since, new.evidence) < (held.since, held.evidence);
        Change::Longer(if is_first { new.since } else { held.until })
    }
}

/// An entity's links, in order, and until when links hold that it has lost.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    pub links: Vec<Held>,
    pub lost_until: Option<Time>,
}

/// Sorts links by their end. What follows the end only makes the order the same for any order of arrival.
type ByEnd = (Time, Time, EventId, Arc<Entity>, Means, Arc<Entity>);

/// Who is behind what, and when.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    pub(super) bounds: Bounds,
    pub(super) nodes: FxHashMap<Arc<Entity>, Node>,
    by_end: BTreeSet<ByEnd>,
    pub(super) counts: Counts,
    /// The latest end of a link that the whole graph let go of.
    pub(super) horizon: Option<Time>,
}

impl Graph {
    /// An empty graph.
    pub fn new(bounds: Bounds) -> Graph {
        Graph { bounds, ..Graph::default() }
    }

    /// How many links it holds; a `same_as` counts twice, once from each side.
    pub fn len(&self) -> usize {
        self.by_end.len()
    }

    /// Does it hold no link?
    pub fn is_empty(&self) -> bool {
        self.by_end.is_empty()
    }

    /// What it has done.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Learns a link, and says from when on what was asked before and is asked again may have a better answer; `None` where nothing changed.
    /// A chain goes back in time, so a link can count for a question about a time behind its end, never for one about a time before it.
    pub fn learn(&mut self, link: &Link) -> Option<Time> {
        let is_key = |entity: &Entity| (1..=KEY_BYTES_MAX).contains(&entity.key.len());
        if link.from == link.to || link.until < link.since || !is_key(&link.from) || !is_key(&link.to) {
            self.counts.refused += 1;
            return None;
        }
        let (from, to) = (self.shared(&link.from), self.shared(&link.to));
        let Link { means, since, until, evidence, .. } = *link;
        let change = self.hold(from.clone(), Held { means, to: to.clone(), since, until, evidence });
        if means == Means::SameAs {
            self.hold(to, Held { means, to: from, since, until, evidence });
        }
        if matches!(change, Change::New) {
            self.counts.learned += 1;
        } else {
            self.counts.repeated += 1;
        }
        self.keep_within_bounds();
        match change {
            Change::None => None,
            Change::New => Some(since),
            Change::Longer(from) => Some(from),
        }
    }

    /// Lets go of the links that ended before a time, of which nobody will ask any more.
    pub fn forget_before(&mut self, time: Time) {
        while self.by_end.first().is_some_and(|first| first.0 < time) {
            self.let_go();
            self.counts.forgotten += 1;
        }
    }

    fn shared(&self, entity: &Entity) -> Arc<Entity> {
        self.nodes.get_key_value(entity).map_or_else(|| Arc::new(entity.clone()), |(known, _)| known.clone())
    }

    /// Holds a link, joined with those that say the same. Says what that changed.
    pub(super) fn hold(&mut self, from: Arc<Entity>, mut new: Held) -> Change {
        let node = self.nodes.entry(from.clone()).or_default();
        if node.links.iter().any(|held| held.says_all_of(&new)) {
            return Change::None;
        }
        let mut change = Change::New;
        // What is joined may meet others then: links of one kind never overlap, so one pass over all of them is enough.
        node.links.retain(|held| {
            let joins = held.joins(&new);
            if joins {
                change = match change {
                    Change::New => Change::beyond(held, &new),
                    _ => Change::Longer(held.since.min(new.since)),
                };
                self.by_end.remove(&by_end(&from, held));
                new.join(held);
            }
            !joins
        });
        self.by_end.insert(by_end(&from, &new));
        // Most keys have one link or two, and there are many keys.
        node.links.reserve_exact(1);
        let at = node.links.partition_point(|held| *held < new);
        node.links.insert(at, new);
        self.keep_one_within_bounds(&from);
        change
    }

    fn keep_one_within_bounds(&mut self, from: &Arc<Entity>) {
        let Some(node) = self.nodes.get_mut(from) else { return };
        while node.links.len() > self.bounds.links_of_one.max(1) {
            let Some(first) = node.links.iter().map(|held| by_end(from, held)).min() else { return };
            self.by_end.remove(&first);
            node.links.retain(|held| by_end(from, held) != first);
            node.lost_until = node.lost_until.max(Some(first.0));
            self.counts.evicted += 1;
        }
    }

    pub(super) fn keep_within_bounds(&mut self) {
        while self.by_end.len() > self.bounds.links {
            self.let_go();
            self.counts.evicted += 1;
        }
    }

    /// Lets go of the link that ends first.
    fn let_go(&mut self) {
        let Some(first) = self.by_end.pop_first() else { return };
        self.horizon = self.horizon.max(Some(first.0));
        let Some(node) = self.nodes.get_mut(&first.3) else { return };
        node.links.retain(|held| by_end(&first.3, held) != first);
        // What the entity has lost by itself ended even before this, which the horizon now tells.
        if node.links.is_empty() {
            self.nodes.remove(&first.3);
        }
    }
}

fn by_end(from: &Arc<Entity>, held: &Held) -> ByEnd {
    (held.until, held.since, held.evidence, from.clone(), held.means, held.to.clone())
}
