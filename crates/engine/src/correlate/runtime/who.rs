//! Who is behind an event, for correlations that group by it.
//!
//! It is asked as of the event's time, by all links that have come when the frontier passes it: a link that comes late moves the facts that
//! it changes to where they belong.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{Entity, Time};
use rustc_hash::FxHashMap;

use super::correlator::Correlator;
use super::recent::{Id, Known};
use crate::correlate::Matched;
use crate::identity::{Bounds, Certainty, Graph, Link, Means, Resolution};

/// The links, and the events whose groups they may still change.
#[derive(Clone, Debug)]
pub(super) struct Who {
    pub graph: Arc<Graph>,
    waiting: FxHashMap<Id, Waiting>,
    /// Events by the entities that were looked at when it was asked who is behind them.
    visits: FxHashMap<Entity, BTreeSet<Id>>,
}

#[derive(Clone, Debug)]
struct Waiting {
    matched: Arc<Matched>,
    name: Option<Name>,
    visited: Vec<Entity>,
}

/// Who is behind an event, as a group has it, and as an entity where that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub text: Arc<str>,
    pub known: Option<Entity>,
}

impl Name {
    fn of(resolution: &Resolution) -> Name {
        let one = |entity: &Entity| format!("{} {}", entity.kind, entity.key);
        let (text, known) = match (&resolution.certainty, &resolution.behind) {
            (Certainty::Known, Some(behind)) => (one(behind), Some(behind.clone())),
            (Certainty::Unknown, _) => (format!("unknown: {}", one(&resolution.of)), None),
            _ => (resolution.brief(), None),
        };
        Name { text: text.into(), known }
    }
}

impl Who {
    pub fn new(bounds: Bounds) -> Who {
        Who { graph: Arc::new(Graph::new(bounds)), waiting: FxHashMap::default(), visits: FxHashMap::default() }
    }

    /// Learns links, and says which events they may concern, in order.
    fn learn(&mut self, links: &[Link]) -> BTreeSet<Id> {
        let graph = Arc::make_mut(&mut self.graph);
        let mut concerned = BTreeSet::new();
        for link in links {
            // A session says the same with every call: what changes no answer about the time of an event does not concern it.
            let Some(from) = graph.learn(link) else { continue };
            let ends = [Some(&link.from), Some(&link.to).filter(|_| link.means == Means::SameAs)];
            let visitors = ends.into_iter().flatten().filter_map(|end| self.visits.get(end)).flatten();
            let is_later = |id: &&Id| self.waiting.get(*id).is_some_and(|waiting| waiting.matched.time >= from);
            concerned.extend(visitors.filter(is_later).copied());
        }
        concerned
    }

    /// Who is behind the event, by what is known now; remembered until the frontier passes it.
    fn ask(&mut self, matched: Arc<Matched>) -> Option<Name> {
        let id = (matched.lane, matched.id);
        let mut visited = Vec::new();
        let name = matched.actor.as_ref().map(|actor| {
            let resolution = self.graph.resolve_by(actor, matched.time, &mut |entity| visited.push(entity.clone()));
            Name::of(&resolution)
        });
        self.forget_one(id);
        for entity in &visited {
            self.visits.entry(entity.clone()).or_default().insert(id);
        }
        self.waiting.insert(id, Waiting { matched, name: name.clone(), visited });
        name
    }

    pub fn forget_one(&mut self, id: Id) {
        let Some(waiting) = self.waiting.remove(&id) else { return };
        for entity in waiting.visited {
            if let Some(ids) = self.visits.get_mut(&entity) {
                ids.remove(&id);
                if ids.is_empty() {
                    self.visits.remove(&entity);
                }
            }
        }
    }

    /// Forgets the events up to the frontier, and the links that nobody can ask for any more.
    pub fn forget(&mut self, frontier: i64) {
        let passed = |waiting: &Waiting| waiting.matched.time.micros() <= frontier;
        let gone: Vec<Id> = self.waiting.iter().filter(|(_, waiting)| passed(waiting)).map(|(id, _)| *id).collect();
        gone.into_iter().for_each(|id| self.forget_one(id));
    }

    /// The events that wait, in order.
    pub fn waiting(&self) -> Vec<&Matched> {
        let mut all: Vec<&Matched> = self.waiting.values().map(|waiting| &*waiting.matched).collect();
        all.sort();
        all
    }

    /// Puts an event back that was written down.
    pub fn put_back(&mut self, matched: Matched) {
        self.ask(Arc::new(matched));
    }

    /// Puts the links back that were written down.
    pub fn put_graph_back(&mut self, graph: Graph) {
        self.graph = Arc::new(graph);
    }
}

impl Correlator {
    /// Learns links, and moves the facts that they change.
    pub(super) fn learn(&mut self, links: &[Link]) {
        if links.is_empty() {
            return;
        }
        let Some(who) = &mut self.who else { return };
        for id in who.learn(links) {
            let Some(who) = &mut self.who else { return };
            let Some(Waiting { matched, name, .. }) = who.waiting.get(&id).cloned() else { continue };
            let now = who.ask(matched.clone());
            if now != name {
                self.move_facts(id, &matched, now);
            }
        }
    }

    fn move_facts(&mut self, id: Id, matched: &Matched, name: Option<Name>) {
        let Some(Known { copy, groups }) = self.recent.get(id).cloned() else { return };
        groups.into_iter().for_each(|group| self.take_out(group, copy.time, matched.id));
        let plans = self.plans.clone();
        let groups = self.put(&plans, matched, name.as_ref());
        self.recent.set(id, Known { copy, groups });
    }

    /// Who is behind an event, if any correlation asks.
    pub(super) fn who(&mut self, matched: &Matched) -> Option<Name> {
        self.who.as_mut()?.ask(Arc::new(matched.clone()))
    }

    /// Who was behind an entity at a time, by all that has come so far; `None` where no correlation groups by it.
    pub fn resolve(&self, of: &Entity, at: Time) -> Option<Resolution> {
        Some(self.who.as_ref()?.graph.resolve(of, at))
    }
}
