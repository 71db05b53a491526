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
mod known;
mod rarity;
mod sign;
mod table;
mod watch;

use rustc_hash::FxHashMap;

pub(super) use known::Known;
pub(super) use sign::Sign;

use self::anywhere::Anywhere;
use self::sign::{Needs, Place, SignId};
use self::watch::Watch;
use super::folds::Folds;
use super::node::{Node, NodeId, Predicate};
use super::ruleset::RuleIndex;
use crate::field::Field;
use crate::record::{Held, Record};

const UNWATCHED: u32 = u32::MAX;

/// For each rule, the signs of which an event must have one.
#[derive(Debug, Default)]
pub(super) struct Clauses {
    places: Vec<Place>,
    by_rule: Vec<Needs>,
}

impl Clauses {
    /// The rarest signs that stand for each rule's condition.
    pub(super) fn of(roots: impl Iterator<Item = NodeId>, nodes: &[Node], predicates: &[Predicate]) -> Clauses {
        let (signs, needs) = sign::needs(nodes, predicates);
        let by_rule = roots.map(|root| needs[root.0 as usize].clone()).collect();
        Clauses { places: signs.into_places(), by_rule }
    }
}

/// What a sign says: which rule it speaks for, and as which of its witnesses.
#[derive(Clone, Copy, Debug)]
struct Voice(u32);

impl Voice {
    const FIRST: u32 = 1;
    const SECOND: u32 = 2;
    /// The only witness that the rule has.
    const SOLE: u32 = Voice::FIRST | Voice::SECOND;

    fn new(rule: RuleIndex, parts: u32) -> Voice {
        Voice(rule.0 << 2 | parts)
    }

    fn rule(self) -> RuleIndex {
        RuleIndex(self.0 >> 2)
    }

    fn parts(self) -> u32 {
        self.0 & 3
    }
}

/// Collects the rules for which all witnesses have spoken, each once an event.
#[derive(Clone, Debug, Default)]
pub(super) struct Candidates {
    /// The event's number, times four, so that a mark holds it together with who has spoken.
    event: u32,
    marks: Vec<u32>,
    pub(super) rules: Vec<RuleIndex>,
}

impl Candidates {
    /// Forgets the last event.
    pub(super) fn begin(&mut self, rules: usize) {
        self.rules.clear();
        self.event = self.event.wrapping_add(4);
        if self.event == 0 {
            self.marks.clear();
            self.event = 4;
        }
        if self.marks.len() < rules {
            self.marks.resize(rules, 0);
        }
    }

    #[inline]
    fn add(&mut self, voices: &[Voice]) {
        for &voice in voices {
            let mark = &mut self.marks[voice.rule().index()];
            let before = if *mark & !3 == self.event { *mark } else { self.event };
            *mark = before | voice.parts();
            if before & 3 != Voice::SOLE && *mark & 3 == Voice::SOLE {
                self.rules.push(voice.rule());
            }
        }
    }
}

/// Where the witnesses of some rules are looked for.
#[derive(Debug, Default)]
pub(super) struct Witnesses {
    /// Rules without a witness: they are looked at on every event.
    always: Vec<Voice>,
    /// The number under which texts are known to its first watch.
    asker: u32,
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
    rules: Vec<Voice>,
}

impl Groups {
    fn push(&mut self, rules: &[Voice]) -> u32 {
        self.rules.extend_from_slice(rules);
        self.ends.push(self.rules.len() as u32);
        self.ends.len() as u32 - 1
    }

    #[inline]
    fn get(&self, group: u32) -> &[Voice] {
        let group = group as usize;
        let start = if group == 0 { 0 } else { self.ends[group - 1] };
        &self.rules[start as usize..self.ends[group] as usize]
    }
}

impl Witnesses {
    /// The tables for `rules`.
    pub(super) fn new(rules: &[RuleIndex], clauses: &Clauses) -> Witnesses {
        let mut witnesses = Witnesses::default();
        let mut by_sign: FxHashMap<SignId, Vec<Voice>> = FxHashMap::default();
        for &rule in rules {
            let Some(Needs { first: Some(first), second }) = clauses.by_rule.get(rule.index()) else {
                witnesses.always.push(Voice::new(rule, Voice::SOLE));
                continue;
            };
            let part = if second.is_some() { Voice::FIRST } else { Voice::SOLE };
            for (clause, part) in [(Some(first), part), (second.as_ref(), Voice::SECOND)] {
                let signs = clause.into_iter().flatten();
                signs.for_each(|sign| by_sign.entry(*sign).or_default().push(Voice::new(rule, part)));
            }
        }
        let mut sorted: Vec<(SignId, Vec<Voice>)> = by_sign.into_iter().collect();
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
        witnesses.asker = known::askers(witnesses.watches.len());
        witnesses
    }

    /// Adds the rules that can hold for `record`: those without a witness, and those whose witness is there.
    pub(super) fn look(&self, record: &Record<'_>, folds: &mut Folds, known: &mut Known, candidates: &mut Candidates) {
        candidates.add(&self.always);
        let is_ascii = record.raw().is_ascii() && record.odd_texts().next().is_none();
        for field in record.present() {
            match self.watch_of.get(field.index()) {
                Some(&number) if number != UNWATCHED => {
                    let found = &mut |group| candidates.add(self.groups.get(group));
                    let asker = Asker { watch: &self.watches[number as usize], number: self.asker + number };
                    asker.look_at(field, record, is_ascii, folds, known, found);
                }
                _ => {}
            }
        }
        if let Some(anywhere) = &self.anywhere {
            anywhere.look(record, folds, known, &mut |group| candidates.add(self.groups.get(group)));
        }
    }
}

/// A watch, and the number under which texts are known to it.
#[derive(Clone, Copy)]
struct Asker<'a> {
    watch: &'a Watch,
    number: u32,
}

impl Asker<'_> {
    #[inline]
    fn look_at(
        self,
        field: Field,
        record: &Record<'_>,
        is_ascii: bool,
        folds: &mut Folds,
        known: &mut Known,
        found: &mut impl FnMut(u32),
    ) {
        if is_ascii {
            record.held(field).for_each(|value| self.look(value, known, found));
            return;
        }
        let places = folds.of(field, record);
        for (value, at) in record.values(field).zip(places) {
            self.watch.look(value, folds.text(at).as_bytes(), found);
        }
    }

    /// Looks at a value of ASCII, or remembers what was found in the same text before.
    #[inline]
    fn look(self, value: Held<'_>, known: &mut Known, found: &mut impl FnMut(u32)) {
        let spelling = if self.watch.is_cheap() { None } else { value.spelling() };
        let Some((home, text)) = spelling.and_then(|text| Some((Known::home(self.number, text)?, text))) else {
            let value = value.scalar();
            return self.watch.look(value, value.text().as_bytes(), found);
        };
        if let Some(signs) = known.recall(home, text) {
            return signs.iter().for_each(|sign| found(*sign));
        }
        known.met.clear();
        let value = value.scalar();
        self.watch.look(value, value.text().as_bytes(), &mut |sign| {
            known.met.push(sign);
            found(sign);
        });
        known.keep(home, text);
    }
}
