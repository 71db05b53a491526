//! Signs: what a value must have for a test to hold, and which signs stand for a rule.

use rustc_hash::FxHashMap;

use super::super::node::{Node, Predicate};
use super::rarity::Rarity;
use crate::field::Field;

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

/// Signs of which an event has at least one if the condition holds; none where it can hold without any.
type Clause = Option<Box<[SignId]>>;

/// For each node, the signs that stand for it: of several parts that must all hold, the rarest.
///
/// Shape: nodes stand behind the nodes that they are made of.
pub(super) fn clauses(nodes: &[Node], predicates: &[Predicate]) -> (Signs, Vec<Clause>) {
    let mut signs = Signs::default();
    let of_predicates: Vec<Clause> = predicates
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
    let mut clauses: Vec<Clause> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let clause = match node {
            Node::Predicate(number) => of_predicates[*number as usize].clone(),
            Node::Not(_) | Node::AtLeast(0, _) => None,
            Node::All(parts) => {
                let known = parts.iter().filter_map(|part| clauses[part.0 as usize].as_ref());
                known.min_by(|a, b| rarity.often(a).total_cmp(&rarity.often(b))).cloned()
            }
            Node::Any(parts) | Node::AtLeast(_, parts) => {
                let mut all: Option<Vec<SignId>> = Some(Vec::new());
                for part in parts {
                    match (&mut all, &clauses[part.0 as usize]) {
                        (Some(all), Some(clause)) => all.extend_from_slice(clause),
                        _ => all = None,
                    }
                }
                all.map(|mut all| {
                    all.sort_unstable();
                    all.dedup();
                    all.into()
                })
            }
        };
        clauses.push(clause);
    }
    (signs, clauses)
}
