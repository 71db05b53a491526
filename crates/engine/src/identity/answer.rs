//! The walk: from an entity, along the links that hold, to everybody who can be behind it.
//!
//! Links of one means to different entities are alternatives: any of them may be true, so what they lead to is added up.
//! Links of different means are aspects of one truth: what they lead to must agree, so only what all of them allow is left, and
//! where nothing is left, all of it is, since the evidence disagrees.

use std::collections::BTreeMap;

use model::{Entity, EntityKind, Time};

use super::graph::{Graph, Held};
use super::link::Weight;
use super::{Hop, Means};

/// Hops of the longest chain that is followed.
const HOPS_MAX: usize = 32;
/// Entities that one question looks at.
const STEPS_MAX: usize = 4096;

/// Somebody who can be behind the entity, and the way there.
#[derive(Clone, Debug)]
pub(super) struct End {
    pub entity: Entity,
    pub chain: Vec<Hop>,
}

/// What is behind an entity.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    /// Who can be behind it, by what is vouched for; without repeats, in order.
    pub ends: Vec<End>,
    /// Who is behind it by what somebody wrote; without repeats, in order.
    pub claims: Vec<End>,
    /// The longest way that was gone.
    pub furthest: Vec<Hop>,
}

/// One question on its way through the graph.
pub(super) struct Walk<'g> {
    graph: &'g Graph,
    /// The time that is asked about.
    asked: Time,
    path: Vec<&'g Entity>,
    steps: usize,
    /// Did a chain or the walk end because it became too long?
    pub is_cut: bool,
    /// Had an entity on the way lost links that may have held?
    pub has_gap: bool,
    /// The earliest time that was asked about.
    pub earliest: Time,
    /// The entities that were looked at.
    pub visited: Vec<&'g Entity>,
    /// The first and last moment about which the same question has the same answer.
    pub span: (Time, Time),
}

/// An entity under each of its names, with the way to each.
type Names<'g> = Vec<(&'g Entity, Vec<Hop>)>;

impl<'g> Walk<'g> {
    pub fn new(graph: &'g Graph, at: Time) -> Walk<'g> {
        Walk {
            graph,
            asked: at,
            path: Vec::new(),
            steps: 0,
            is_cut: false,
            has_gap: false,
            earliest: at,
            visited: Vec::new(),
            span: (Time::EPOCH, Time::MAX),
        }
    }

    pub fn answer(&mut self, entity: &'g Entity, at: Time) -> Answer {
        if self.path.contains(&entity) {
            return Answer::default();
        }
        if self.path.len() >= HOPS_MAX || self.steps >= STEPS_MAX {
            self.is_cut = true;
            return Answer::default();
        }
        self.earliest = self.earliest.min(at);
        let names = self.names(entity, at);
        let depth = self.path.len();
        self.path.extend(names.iter().map(|(name, _)| *name));
        let answer = self.of_names(&names, at);
        self.path.truncate(depth);
        answer
    }

    /// The entity and all that is the same, nearest first.
    fn names(&mut self, entity: &'g Entity, at: Time) -> Names<'g> {
        let mut names: Names<'g> = vec![(entity, Vec::new())];
        let mut next = 0;
        while next < names.len() {
            let (name, way) = names[next].clone();
            self.steps += 1;
            self.visited.push(name);
            self.narrow(name, at);
            for held in self.links(name, at).filter(|held| held.means == Means::SameAs) {
                let is_known = names.iter().any(|(known, _)| **known == *held.to) || self.path.contains(&&*held.to);
                if !is_known && names.len() < HOPS_MAX {
                    names.push((&*held.to, extended(&way, name, held)));
                } else if !is_known {
                    self.is_cut = true;
                }
            }
            next += 1;
        }
        names
    }

    /// Narrows the span to the times at which the same links of an entity hold and are lost. What is asked as of the moment of a link is
    /// asked so for as long as the link holds.
    fn narrow(&mut self, entity: &Entity, at: Time) {
        let Some(node) = self.graph.nodes.get(entity).filter(|_| at == self.asked) else { return };
        let lost = node.lost_until.map(|lost| (Time::EPOCH, lost));
        for (since, until) in node.links.iter().map(|held| (held.since, held.until)).chain(lost) {
            let (first, last) = &mut self.span;
            if at < since {
                *last = (*last).min(Time::from_micros(since.micros() - 1));
            } else if until < at {
                *first = (*first).max(Time::from_micros(until.micros() + 1));
            } else {
                (*first, *last) = ((*first).max(since), (*last).min(until));
            }
        }
    }

    fn links(&self, entity: &Entity, at: Time) -> impl Iterator<Item = &'g Held> + use<'g> {
        let node = self.graph.nodes.get(entity);
        node.into_iter().flat_map(|node| &node.links).filter(move |held| held.holds(at))
    }

    fn of_names(&mut self, names: &Names<'g>, at: Time) -> Answer {
        let mut aspects: BTreeMap<Means, Vec<End>> = BTreeMap::new();
        let mut answer = Answer::default();
        for (name, way) in names {
            let lost = self.graph.nodes.get(*name).and_then(|node| node.lost_until);
            self.has_gap |= lost.is_some_and(|lost| at <= lost);
            for held in self.links(name, at).filter(|held| held.means != Means::SameAs) {
                let way = extended(way, name, held);
                let behind = self.answer(&held.to, if held.means.hands_over() { held.since } else { at });
                answer.note(&way, &behind.furthest);
                answer.claims.extend(behind.claims.iter().map(|end| end.after(&way)));
                let ends = behind.ends.iter().map(|end| end.after(&way));
                match held.means.weight() {
                    Weight::Claim => answer.claims.extend(ends),
                    _ => aspects.entry(held.means).or_default().extend(ends),
                }
            }
        }
        answer.ends = self.agreed(names, aspects);
        answer.claims = distinct(answer.claims);
        let is_vouched = |claim: &End| answer.ends.iter().any(|end| end.entity == claim.entity);
        answer.claims.retain(|claim| !is_vouched(claim));
        answer
    }

    /// What the aspects agree upon: those that say who acted, or else those that say what it belongs to, or else the entity itself.
    ///
    /// Where somebody asked for it and it is not known who, what it belongs to is no answer to who that was.
    fn agreed(&self, names: &Names<'_>, aspects: BTreeMap<Means, Vec<End>>) -> Vec<End> {
        let of = |weight| aspects.iter().filter(move |(means, _)| means.weight() == weight);
        if of(Weight::Who).next().is_some() {
            return all_allow(of(Weight::Who).map(|(_, ends)| distinct(ends.clone())).collect());
        }
        let ends = all_allow(of(Weight::What).map(|(_, ends)| distinct(ends.clone())).collect());
        if !ends.is_empty() {
            return ends;
        }
        let own = names.iter().filter(|(name, _)| tier(name.kind) > 0);
        let best = own.min_by_key(|(name, _)| (std::cmp::Reverse(tier(name.kind)), *name));
        best.map(|(name, way)| End { entity: (*name).clone(), chain: way.clone() }).into_iter().collect()
    }
}

impl Answer {
    fn note(&mut self, way: &[Hop], furthest: &[Hop]) {
        let whole: Vec<Hop> = way.iter().chain(furthest).cloned().collect();
        if is_better(&whole, &self.furthest) {
            self.furthest = whole;
        }
    }
}

impl End {
    fn after(&self, way: &[Hop]) -> End {
        End { entity: self.entity.clone(), chain: way.iter().chain(&self.chain).cloned().collect() }
    }
}

fn extended(way: &[Hop], from: &Entity, held: &Held) -> Vec<Hop> {
    let mut way = way.to_vec();
    way.push(Hop {
        from: from.clone(),
        to: (*held.to).clone(),
        means: held.means,
        since: held.since,
        evidence: held.evidence,
    });
    way
}

/// How near an entity of the kind is to somebody who acts; nobody at all is 0.
fn tier(kind: EntityKind) -> u8 {
    match kind {
        EntityKind::Person => 3,
        EntityKind::Workload | EntityKind::Host | EntityKind::Job | EntityKind::Agent => 2,
        EntityKind::Principal => 1,
        _ => 0,
    }
}

/// Of two ways to the same end, the one that tells more; the latest and then the first of equals.
fn is_better(way: &[Hop], than: &[Hop]) -> bool {
    let key = |way: &[Hop]| (way.len(), way.first().map(|hop| hop.since));
    (key(way), than) > (key(than), way)
}

/// Each end once, in order.
fn distinct(ends: Vec<End>) -> Vec<End> {
    let mut best: BTreeMap<Entity, Vec<Hop>> = BTreeMap::new();
    for end in ends {
        match best.get_mut(&end.entity) {
            Some(known) if is_better(&end.chain, known) => *known = end.chain,
            Some(_) => {}
            None => {
                best.insert(end.entity, end.chain);
            }
        }
    }
    best.into_iter().map(|(entity, chain)| End { entity, chain }).collect()
}

/// The ends that every set allows, of the sets that come nearest to somebody who acts; all of them where none is allowed by every set.
fn all_allow(sets: Vec<Vec<End>>) -> Vec<End> {
    let nearest = |set: &Vec<End>| set.iter().map(|end| tier(end.entity.kind)).max().unwrap_or(0);
    let top = sets.iter().map(nearest).max().unwrap_or(0);
    let sets: Vec<Vec<End>> = sets.into_iter().filter(|set| !set.is_empty() && nearest(set) == top).collect();
    let is_allowed = |end: &End| sets.iter().all(|set| set.iter().any(|other| other.entity == end.entity));
    let allowed: Vec<End> = sets.iter().flatten().filter(|end| is_allowed(end)).cloned().collect();
    distinct(if allowed.is_empty() { sets.into_iter().flatten().collect() } else { allowed })
}
