//! A program: all rules as one graph of shared conditions.
//!
//! In: a record. Out: the rules that hold. Nodes that several rules share are one node, evaluated at most once an event; rules
//! stop at the first part that decides them, cheap parts first.
//! Bound: one mark for each node in the worker's [`Memo`]; nothing is allocated once the memo has grown to the program's size.

use std::sync::Arc;

use model::Time;
use rustc_hash::FxHashMap;

use super::document::Filter;
use super::folds::Buffers;
use super::inventory::Inventory;
use super::node::{Node, NodeId, Predicate};
use super::profile::Profile;
use super::rule::{LogSource, Rule};
use super::ruleset::{RuleIndex, RuleSet};
use super::witness::{Candidates, Clauses, Known};
use crate::field::Field;
use crate::record::Record;

/// A rule that is part of a program.
#[derive(Clone, Debug)]
pub struct CompiledRule {
    /// The rule.
    pub rule: Arc<Rule>,
    /// The filters that narrow it.
    pub filters: Vec<Arc<Filter>>,
    /// Digest of the rule's meaning as compiled: the rule's own revision, or one that takes its filters in.
    pub revision: String,
    pub(super) root: NodeId,
    /// The rule's items in order, then those of each filter.
    pub(super) items: Vec<CompiledItem>,
}

/// An item of a rule, as compiled.
#[derive(Clone, Debug)]
pub(super) struct CompiledItem {
    pub(super) field: Option<Field>,
    pub(super) node: NodeId,
    /// A node for each value, where values were not joined to one test.
    pub(super) each: Vec<NodeId>,
}

/// Memory that one worker reuses from event to event.
#[derive(Clone, Debug, Default)]
pub struct Memo {
    /// The event's number, doubled; a mark is this number, plus one where the node holds.
    event: u32,
    /// When the event happened.
    time: Time,
    marks: Vec<u32>,
    pub(super) candidates: Candidates,
    known: Known,
    pub(super) buffers: Buffers,
    profile: Option<Box<Profile>>,
}

impl Memo {
    /// A memo that keeps account of what each rule costs.
    pub fn profiled(profile: Profile) -> Memo {
        Memo { profile: Some(Box::new(profile)), ..Memo::default() }
    }

    /// What each rule cost so far, if account is kept.
    pub fn profile(&self) -> Option<&Profile> {
        self.profile.as_deref()
    }

    /// The events that follow happened at `time`: values of lists that have ended by then do not count. The epoch at first, at which all do.
    pub fn set_time(&mut self, time: Time) {
        self.time = time;
    }

    /// When the event happened.
    pub(super) fn time(&self) -> Time {
        self.time
    }

    fn begin(&mut self, nodes: usize, rules: usize) {
        self.buffers.folds.begin();
        self.candidates.begin(rules);
        self.event = self.event.wrapping_add(2);
        if self.event == 0 {
            self.marks.clear();
            self.event = 2;
        }
        if self.marks.len() < nodes {
            self.marks.resize(nodes, 0);
        }
    }

    fn get(&self, node: NodeId) -> Option<bool> {
        let mark = self.marks[node.0 as usize];
        (mark & !1 == self.event).then_some(mark & 1 == 1)
    }

    fn set(&mut self, node: NodeId, held: bool) {
        self.marks[node.0 as usize] = self.event | u32::from(held);
    }
}

/// All rules, compiled once.
#[derive(Debug, Default)]
pub struct Program {
    pub(super) rules: Vec<CompiledRule>,
    pub(super) nodes: Vec<Node>,
    pub(super) predicates: Vec<Predicate>,
    pub(super) inventory: Inventory,
    /// What an event must have for each rule.
    pub(super) clauses: Clauses,
    /// Rules by log source, so that sources find theirs without a look at each rule.
    pub(super) by_logsource: FxHashMap<LogSource, Vec<RuleIndex>>,
}

impl Program {
    /// The compiled rules, by index.
    pub fn rules(&self) -> &[CompiledRule] {
        &self.rules
    }

    /// The lists that it was compiled with.
    pub(crate) fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// One compiled rule.
    pub fn rule(&self, rule: RuleIndex) -> &CompiledRule {
        &self.rules[rule.index()]
    }

    /// Every rule with its index, in order.
    pub fn indexes(&self) -> impl Iterator<Item = RuleIndex> {
        (0..u32::try_from(self.rules.len()).expect("compile numbers rules in 32 bits")).map(RuleIndex)
    }

    /// How many different tests, and how many conditions over them, all rules come to.
    pub fn size(&self) -> (usize, usize) {
        (self.predicates.len(), self.nodes.len() - self.predicates.len())
    }

    /// The rules that a source with these log sources can carry, in order.
    ///
    /// Shape: a rule applies where each of product, category and service that it gives equals the source's, in any case.
    pub fn applicable(&self, logsources: &[LogSource]) -> RuleSet {
        let applies = |wanted: &LogSource| logsources.iter().any(|logsource| wanted.applies_to(logsource));
        let sets = self.by_logsource.iter().filter(|(wanted, _)| applies(wanted));
        let mut rules: Vec<RuleIndex> = sets.flat_map(|(_, rules)| rules.iter().copied()).collect();
        rules.sort_unstable();
        RuleSet::with_witnesses(rules, &self.clauses)
    }

    /// Calls `hit` for every rule of `set` that holds for `record`, in order.
    pub fn evaluate(&self, set: &RuleSet, record: &Record<'_>, memo: &mut Memo, hit: &mut dyn FnMut(RuleIndex)) {
        memo.begin(self.nodes.len(), self.rules.len());
        let began = memo.profile.as_ref().map(|profile| profile.now());
        set.look(record, &mut memo.buffers.folds, &mut memo.known, &mut memo.candidates);
        if let (Some(profile), Some(began)) = (&mut memo.profile, began) {
            profile.witnesses(began);
        }
        let mut candidates = std::mem::take(&mut memo.candidates.rules);
        candidates.retain(|rule| {
            let root = self.rules[rule.index()].root;
            if memo.profile.is_some() {
                self.holds_timed(*rule, root, record, memo)
            } else {
                self.holds(root, record, memo)
            }
        });
        candidates.sort_unstable();
        candidates.iter().for_each(|rule| hit(*rule));
        memo.candidates.rules = candidates;
    }

    #[cold]
    fn holds_timed(&self, rule: RuleIndex, root: NodeId, record: &Record<'_>, memo: &mut Memo) -> bool {
        let began = memo.profile.as_ref().map_or(0, |profile| profile.now());
        let held = self.holds(root, record, memo);
        if let Some(profile) = &mut memo.profile {
            profile.rule(rule.index(), held, began);
        }
        held
    }

    /// A memo that knows nothing yet, for one record.
    pub(super) fn fresh_memo(&self, time: Time) -> Memo {
        let mut memo = Memo { time, ..Memo::default() };
        memo.begin(self.nodes.len(), self.rules.len());
        memo
    }

    pub(super) fn holds(&self, id: NodeId, record: &Record<'_>, memo: &mut Memo) -> bool {
        if let Some(held) = memo.get(id) {
            return held;
        }
        let held = match &self.nodes[id.0 as usize] {
            Node::Predicate(predicate) => self.predicates[*predicate as usize].holds(record, &mut memo.buffers),
            Node::Not(node) => !self.holds(*node, record, memo),
            Node::All(nodes) => nodes.iter().all(|node| self.holds(*node, record, memo)),
            Node::Any(nodes) => nodes.iter().any(|node| self.holds(*node, record, memo)),
            Node::AtLeast(least, nodes) => {
                nodes.iter().filter(|node| self.holds(**node, record, memo)).take(*least).count() == *least
            }
            Node::Before(end) => memo.time < *end,
        };
        memo.set(id, held);
        held
    }
}
