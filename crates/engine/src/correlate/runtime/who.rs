//! Who is behind an event, for correlations that group by it.
//!
//! It is asked as of the event's time, by all links that have come when the frontier passes it: a link that comes late moves the facts that
//! it changes to where they belong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{Entity, Time};
use rustc_hash::FxHashMap;

use super::asked::Asked;
use super::correlator::Correlator;
use super::recent::{Id, Known};
use crate::correlate::Matched;
use crate::identity::{Bounds, Certainty, Graph, Link, Resolution};

/// The links, and the events whose groups they may still change.
#[derive(Clone, Debug)]
pub(super) struct Who {
    pub graph: Arc<Graph>,
    asked: Asked,
    waiting: FxHashMap<Id, Waiting>,
    by_time: BTreeSet<(Time, Id)>,
}

#[derive(Clone, Debug)]
struct Waiting {
    matched: Arc<Matched>,
    actor: Arc<Entity>,
    name: Name,
}

/// Who is behind an event, as a group has it, and as an entity where that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub text: Arc<str>,
    pub known: Option<Entity>,
}

impl Name {
    pub fn of(resolution: &Resolution) -> Name {
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
        Who {
            graph: Arc::new(Graph::new(bounds)),
            asked: Asked::default(),
            waiting: FxHashMap::default(),
            by_time: BTreeSet::new(),
        }
    }

    /// Learns links, and says which events have another name by them, in order.
    fn learn(&mut self, links: &[Link]) -> Vec<(Arc<Matched>, Name)> {
        let graph = Arc::make_mut(&mut self.graph);
        let mut concerned = BTreeMap::new();
        for link in links {
            // A session says the same with every call: what changes no answer about the time of an event does not concern it.
            if let Some(from) = graph.learn(link) {
                self.asked.learned(link, from, &mut concerned);
            }
        }
        self.asked.check(&self.graph);
        concerned.into_iter().flat_map(|(actor, from)| self.renamed(&actor, from)).collect()
    }

    /// The events of an actor from a time on that have another name now.
    fn renamed(&mut self, actor: &Arc<Entity>, from: Time) -> Vec<(Arc<Matched>, Name)> {
        let mut renamed = Vec::new();
        for (time, id) in self.asked.events(actor, from) {
            let Some(waiting) = self.waiting.get_mut(&id) else { continue };
            let name = self.asked.name(&self.graph, actor, time);
            if waiting.name != name {
                waiting.name = name.clone();
                renamed.push((waiting.matched.clone(), name));
            }
        }
        renamed
    }

    /// Who is behind the event, by what is known now; remembered until the frontier passes it.
    fn ask(&mut self, matched: &Matched) -> Option<Name> {
        let id = (matched.lane, matched.id);
        self.forget_one(id);
        let actor = self.asked.hold(matched.actor.as_ref()?, (matched.time, id));
        let name = self.asked.name(&self.graph, &actor, matched.time);
        self.by_time.insert((matched.time, id));
        self.waiting.insert(id, Waiting { matched: Arc::new(matched.clone()), actor, name: name.clone() });
        Some(name)
    }

    fn forget_one(&mut self, id: Id) {
        let Some(Waiting { matched, actor, .. }) = self.waiting.remove(&id) else { return };
        self.by_time.remove(&(matched.time, id));
        self.asked.release(&actor, (matched.time, id));
    }

    /// Forgets the events up to the frontier.
    pub fn forget(&mut self, frontier: i64) {
        while let Some((time, id)) = self.by_time.first().copied()
            && time.micros() <= frontier
        {
            self.forget_one(id);
        }
    }

    /// The events that wait, in order.
    pub fn waiting(&self) -> Vec<&Matched> {
        let mut all: Vec<&Matched> = self.waiting.values().map(|waiting| &*waiting.matched).collect();
        all.sort();
        all
    }

    /// Puts an event back that was written down.
    pub fn put_back(&mut self, matched: Matched) {
        self.ask(&matched);
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
        for (matched, name) in who.learn(links) {
            self.move_facts(&matched, &name);
        }
    }

    fn move_facts(&mut self, matched: &Matched, name: &Name) {
        let id = (matched.lane, matched.id);
        let Some(Known { copy, groups }) = self.recent.get(id).cloned() else { return };
        groups.into_iter().for_each(|group| self.take_out(group, copy.time, matched.id));
        let plans = self.plans.clone();
        let groups = self.put(&plans, matched, Some(name));
        self.recent.set(id, Known { copy, groups });
    }

    /// Who is behind an event, if any correlation asks.
    pub(super) fn who(&mut self, matched: &Matched) -> Option<Name> {
        self.who.as_mut()?.ask(matched)
    }

    /// Who was behind an entity at a time, by all that has come so far; `None` where no correlation groups by it.
    pub fn resolve(&self, of: &Entity, at: Time) -> Option<Resolution> {
        Some(self.who.as_ref()?.graph.resolve(of, at))
    }
}
