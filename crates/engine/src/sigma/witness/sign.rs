//! Signs: what a value must have for a test to hold, and which signs stand for a rule.

use rustc_hash::FxHashMap;

use super::super::node::{Node, NodeId, Predicate};
use super::rarity::Rarity;
use crate::field::Field;

/// A second clause that is met more often than this keeps few rules away.
const SECOND_OFTEN: f32 = 0.5;
/// A second clause of more signs costs more tables than it saves looks.
const SECOND_SIGNS: usize = 24;

/// Something that a value has or lacks, found without the test that asks for it. Texts are folded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in super::super) enum Sign {
    /// The value is this text.
    Exact(Box<str>),
    /// The value is a number with this key.
    Number(u64),
    /// The value starts with this text.
    Prefix(Box<str>),
    /// The value ends with this text.
    Suffix(Box<str>),
    /// The text stands in the value.
    Substring(Box<str>),
    /// There is a value.
    Present,
}

/// A sign and where it must be: in a field, or in any value of the event.
pub(super) type Place = (Option<Field>, Sign);

/// A sign's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SignId(pub(super) u32);

/// Every sign of a program, numbered.
#[derive(Debug, Default)]
pub(super) struct Signs {
    places: Vec<Place>,
    ids: FxHashMap<Place, SignId>,
}

impl Signs {
    fn intern(&mut self, place: Place) -> SignId {
        if let Some(&id) = self.ids.get(&place) {
            return id;
        }
        let id = SignId(u32::try_from(self.places.len()).expect("fewer than 2^32 signs fit into memory"));
        self.places.push(place.clone());
        self.ids.insert(place, id);
        id
    }

    /// The signs, in order of their numbers.
    pub(super) fn into_places(self) -> Vec<Place> {
        self.places
    }

    pub(super) fn places(&self) -> &[Place] {
        &self.places
    }
}

/// Signs of which an event has at least one if the condition holds.
pub(super) type Clause = Box<[SignId]>;

/// What an event must have for a condition: one sign of each clause. Two at most, the rarest first; none where the condition can hold
/// without any.
#[derive(Clone, Debug, Default)]
pub(super) struct Needs {
    pub(super) first: Option<Clause>,
    pub(super) second: Option<Clause>,
}

/// For each node, the signs that stand for it: of several parts that must all hold, the rarest.
///
/// Shape: nodes stand behind the nodes that they are made of.
pub(super) fn needs(nodes: &[Node], predicates: &[Predicate]) -> (Signs, Vec<Needs>) {
    let mut signs = Signs::default();
    let of_predicates: Vec<Option<Clause>> = predicates
        .iter()
        .map(|predicate| {
            let found = predicate.test.signs()?;
            let mut ids: Vec<SignId> = found.into_iter().map(|sign| signs.intern((predicate.field, sign))).collect();
            ids.sort_unstable();
            ids.dedup();
            Some(ids.into())
        })
        .collect();
    let rarity = Rarity::of(signs.places(), &of_predicates);
    let mut needs: Vec<Needs> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let of = |part: &NodeId| &needs[part.0 as usize];
        let own = match node {
            Node::Predicate(number) => Needs { first: of_predicates[*number as usize].clone(), second: None },
            Node::Not(_) | Node::Before(_) | Node::AtLeast(0, _) => Needs::default(),
            Node::All(parts) => Needs::of_all(parts.iter().map(of), &rarity),
            Node::Any(parts) | Node::AtLeast(_, parts) => Needs::of_any(parts.iter().map(of)),
        };
        needs.push(own);
    }
    (signs, needs)
}

impl Needs {
    /// Of parts that must all hold: the two rarest clauses.
    fn of_all<'a>(parts: impl Iterator<Item = &'a Needs>, rarity: &Rarity) -> Needs {
        let clauses = parts.flat_map(|part| part.first.iter().chain(&part.second));
        let mut known: Vec<(f32, &Clause)> = clauses.map(|clause| (rarity.often(clause), clause)).collect();
        known.sort_by(|a, b| a.0.total_cmp(&b.0));
        let first = known.first().map(|(_, clause)| (*clause).clone());
        let is_of_use = |often: f32, clause: &Clause| often < SECOND_OFTEN && clause.len() <= SECOND_SIGNS;
        let others = known.iter().skip(1).filter(|(often, clause)| is_of_use(*often, clause));
        let second = others.map(|(_, clause)| *clause).find(|clause| Some(*clause) != first.as_ref()).cloned();
        Needs { first, second }
    }

    /// Of parts of which any suffices: what one or the other needs.
    fn of_any<'a>(parts: impl Iterator<Item = &'a Needs> + Clone) -> Needs {
        let first = joined(parts.clone().map(|part| part.first.as_ref()));
        let has_second = parts.clone().any(|part| part.second.is_some());
        let second = || joined(parts.map(|part| part.second.as_ref().or(part.first.as_ref())));
        Needs { second: if has_second { second() } else { None }, first }
    }
}

/// All signs of the clauses; `None` where one is missing.
fn joined<'a>(clauses: impl Iterator<Item = Option<&'a Clause>>) -> Option<Clause> {
    let mut all: Vec<SignId> = Vec::new();
    for clause in clauses {
        all.extend_from_slice(clause?);
    }
    all.sort_unstable();
    all.dedup();
    Some(all.into())
}
