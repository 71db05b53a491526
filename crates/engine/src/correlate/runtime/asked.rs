//! Who is behind an actor, remembered for as long as it stays the same.
//!
//! In: an actor and a time. Out: a name. Bound: the actors of the events that wait, and for each the spans of time about which it was
//! asked. A session makes thousands of calls and is asked about once, and once more where it learns a link that matters.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{Entity, EventId, Lane, Time};
use rustc_hash::{FxHashMap, FxHashSet};

use super::recent::Id;
use super::who::Name;
use crate::identity::{Graph, Link, Means};

/// What is remembered of actors.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    actors: FxHashMap<Arc<Entity>, Actor>,
    /// Actors by the entities that were looked at when it was asked who is behind them.
    visits: FxHashMap<Entity, FxHashSet<Arc<Entity>>>,
    /// How many links the graph had let go of for want of room.
    evicted: u64,
}

#[derive(Clone, Debug, Default)]
struct Actor {
    /// By the first moment of a span: its last, and who was behind it.
    spans: BTreeMap<Time, (Time, Name)>,
    visited: FxHashSet<Entity>,
    /// Its events that wait.
    events: BTreeSet<(Time, Id)>,
}

impl Asked {
    /// The actor as it is shared, with one more event that waits.
    pub fn hold(&mut self, actor: &Entity, event: (Time, Id)) -> Arc<Entity> {
        let known = self.actors.get_key_value(actor).map(|(known, _)| known.clone());
        let shared = known.unwrap_or_else(|| Arc::new(actor.clone()));
        self.actors.entry(shared.clone()).or_default().events.insert(event);
        shared
    }

    /// One event less waits; with the last, all that is remembered of the actor goes.
    pub fn release(&mut self, actor: &Arc<Entity>, event: (Time, Id)) {
        let Some(known) = self.actors.get_mut(actor) else { return };
        known.events.remove(&event);
        if !known.events.is_empty() {
            return;
        }
        let visited = self.actors.remove(actor).map(|known| known.visited).unwrap_or_default();
        for entity in visited {
            if let Some(actors) = self.visits.get_mut(&entity) {
                actors.remove(actor);
                if actors.is_empty() {
                    self.visits.remove(&entity);
                }
            }
        }
    }

    /// The events of an actor that wait, from a time on, in order.
    pub fn events(&self, actor: &Entity, from: Time) -> Vec<(Time, Id)> {
        let first = (from, (Lane::Live, EventId::FIRST));
        self.actors.get(actor).map_or_else(Vec::new, |known| known.events.range(first..).copied().collect())
    }

    /// Who is behind an actor that is held.
    pub fn name(&mut self, graph: &Graph, actor: &Arc<Entity>, at: Time) -> Name {
        let Some(known) = self.actors.get_mut(actor) else { return Name::of(&graph.resolve(actor, at)) };
        if let Some((_, (last, name))) = known.spans.range(..=at).next_back()
            && at <= *last
        {
            return name.clone();
        }
        let visits = &mut self.visits;
        let (resolution, (first, last)) = graph.resolve_by(actor, at, &mut |entity| {
            if !known.visited.contains(entity) {
                known.visited.insert(entity.clone());
                visits.entry(entity.clone()).or_default().insert(actor.clone());
            }
        });
        let name = Name::of(&resolution);
        known.spans.insert(first, (last, name.clone()));
        name
    }

    /// The graph has learned a link that may change answers from a time on: forgets those, and says which actors they are about.
    pub fn learned(&mut self, link: &Link, from: Time, concerned: &mut BTreeMap<Arc<Entity>, Time>) {
        let ends = [Some(&link.from), Some(&link.to).filter(|_| link.means == Means::SameAs)];
        for actor in ends.into_iter().flatten().filter_map(|end| self.visits.get(end)).flatten() {
            if let Some(known) = self.actors.get_mut(actor) {
                known.forget_from(from);
                concerned.entry(actor.clone()).and_modify(|known| *known = from.min(*known)).or_insert(from);
            }
        }
    }

    /// Where the graph let go of links for want of room, answers may have changed: what is asked from now on is asked anew.
    pub fn check(&mut self, graph: &Graph) {
        let evicted = graph.counts().evicted;
        if std::mem::replace(&mut self.evicted, evicted) != evicted {
            self.actors.values_mut().for_each(|known| known.spans.clear());
        }
    }
}

impl Actor {
    fn forget_from(&mut self, from: Time) {
        self.spans.split_off(&from);
        if let Some((_, (last, _))) = self.spans.iter_mut().next_back() {
            *last = (*last).min(Time::from_micros(from.micros() - 1));
        }
    }
}
