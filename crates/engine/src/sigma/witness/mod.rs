//! The witnesses of rules: signs without which a rule cannot hold, found in one look at each value.
//!
//! In: an event. Out: the few rules that it can be about; the others are not looked at. A rule's witnesses are the rarest of the
//! conditions that must all hold for it: values to look up, ends to look up, substrings to find in one pass, or just that a field is there.
//! Bound: a look at each value of each field that some rule watches, linear in the value; nothing is allocated.

mod affix;
mod anywhere;
mod exact;
mod few;
mod grams;
mod rarity;
mod sign;
mod watch;

use rustc_hash::FxHashMap;

pub(super) use sign::Sign;

use self::anywhere::Anywhere;
use self::sign::{Place, SignId};
use self::watch::Watch;
use super::folds::Folds;
use super::node::{Node, NodeId, Predicate};
use super::ruleset::RuleIndex;
use crate::field::Field;
use crate::record::Record;

const UNWATCHED: u32 = u32::MAX;

/// For each rule, the signs of which an event must have one.
#[derive(Debug, Default)]
pub(super) struct Clauses {
    places: Vec<Place>,
    by_rule: Vec<Option<Box<[SignId]>>>,
}

impl Clauses {
    /// The rarest signs that stand for each rule's condition.
    pub(super) fn of(roots: impl Iterator<Item = NodeId>, nodes: &[Node], predicates: &[Predicate]) -> Clauses {
        let (signs, clauses) = sign::clauses(nodes, predicates);
        let by_rule = roots.map(|root| clauses[root.0 as usize].clone()).collect();
        Clauses { places: signs.into_places(), by_rule }
    }
}

/// Collects rules, each once an event.
#[derive(Clone, Debug, Default)]
pub(super) struct Candidates {
    event: u32,
    marks: Vec<u32>,
    pub(super) rules: Vec<RuleIndex>,
}

impl Candidates {
    /// Forgets the last event.
    pub(super) fn begin(&mut self, rules: usize) {
        self.rules.clear();
        self.event = self.event.wrapping_add(1);
        if self.event == 0 {
            self.marks.clear();
            self.event = 1;
        }
        if self.marks.len() < rules {
            self.marks.resize(rules, 0);
        }
    }

    #[inline]
    fn add(&mut self, rules: &[RuleIndex]) {
        for &rule in rules {
            let mark = &mut self.marks[rule.index()];
            if *mark != self.event {
                *mark = self.event;
                self.rules.push(rule);
            }
        }
    }
}

/// Where the witnesses of some rules are looked for.
#[derive(Debug, Default)]
pub(super) struct Witnesses {
    /// Rules without a witness: they are looked at on every event.
    always: Vec<RuleIndex>,
    /// By field, the number of its watch.
    watch_of: Vec<u32>,
    watches: Vec<Watch>,
    /// What may stand in any value of the event.
    anywhere: Option<Anywhere>,
    /// The rules of each number that a watch finds.
    groups: Groups,
}

/// Lists of rules, one behind the other.
#[derive(Debug, Default)]
struct Groups {
    ends: Vec<u32>,
    rules: Vec<RuleIndex>,
}

impl Groups {
    fn push(&mut self, rules: &[RuleIndex]) -> u32 {
        self.rules.extend_from_slice(rules);
        self.ends.push(self.rules.len() as u32);
        self.ends.len() as u32 - 1
    }

    #[inline]
    fn get(&self, group: u32) -> &[RuleIndex] {
        let group = group as usize;
        let start = if group == 0 { 0 } else { self.ends[group - 1] };
        &self.rules[start as usize..self.ends[group] as usize]
    }
}

impl Witnesses {
    /// The tables for `rules`.
    pub(super) fn new(rules: &[RuleIndex], clauses: &Clauses) -> Witnesses {
        let mut witnesses = Witnesses::default();
        let mut by_sign: FxHashMap<SignId, Vec<RuleIndex>> = FxHashMap::default();
        for &rule in rules {
            match clauses.by_rule.get(rule.index()) {
                Some(Some(signs)) => signs.iter().for_each(|sign| by_sign.entry(*sign).or_default().push(rule)),
                _ => witnesses.always.push(rule),
            }
        }
        let mut sorted: Vec<(SignId, Vec<RuleIndex>)> = by_sign.into_iter().collect();
        sorted.sort_unstable_by_key(|(sign, _)| *sign);
        let mut by_field: FxHashMap<Option<Field>, Vec<(Sign, u32)>> = FxHashMap::default();
        for (sign, rules) in sorted {
            let (field, sign) = clauses.places[sign.0 as usize].clone();
            by_field.entry(field).or_default().push((sign, witnesses.groups.push(&rules)));
        }
        witnesses.anywhere = by_field.remove(&None).map(Anywhere::new);
        let mut by_field: Vec<_> = by_field.into_iter().collect();
        by_field.sort_unstable_by_key(|(field, _)| *field);
        for (field, signs) in by_field {
            let field = field.expect("what is not in a field has been taken out").index();
            witnesses.watch_of.resize(field + 1, UNWATCHED);
            witnesses.watch_of[field] = witnesses.watches.len() as u32;
            witnesses.watches.push(Watch::new(signs));
        }
        witnesses
    }

    /// Adds the rules that can hold for `record`: those without a witness, and those whose witness is there.
    pub(super) fn look(&self, record: &Record<'_>, folds: &mut Folds, candidates: &mut Candidates) {
        candidates.add(&self.always);
        let is_ascii = record.raw().is_ascii() && record.odd_texts().next().is_none();
        for field in record.present() {
            match self.watch_of.get(field.index()) {
                Some(&number) if number != UNWATCHED => {
                    let found = &mut |group| candidates.add(self.groups.get(group));
                    look_at(field, &self.watches[number as usize], record, is_ascii, folds, found);
                }
                _ => {}
            }
        }
        if let Some(anywhere) = &self.anywhere {
            anywhere.look(record, folds, &mut |group| candidates.add(self.groups.get(group)));
        }
    }
}

#[inline]
fn look_at(
    field: Field,
    watch: &Watch,
    record: &Record<'_>,
    is_ascii: bool,
    folds: &mut Folds,
    found: &mut impl FnMut(u32),
) {
    if is_ascii || record.values(field).all(|value| value.text().is_ascii()) {
        record.values(field).for_each(|value| watch.look(value, value.text().as_bytes(), found));
        return;
    }
    let places = folds.of(field, record);
    for (value, at) in record.values(field).zip(places) {
        watch.look(value, folds.text(at).as_bytes(), found);
    }
}
