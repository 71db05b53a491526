//! A program: all rules as one graph of shared conditions.
//!
//! In: a record. Out: the rules that hold. Nodes that several rules share are one node, evaluated at most once an event; rules
//! stop at the first part that decides them, cheap parts first.
//! Bound: one mark for each node in the worker's [`Memo`]; nothing is allocated once the memo has grown to the program's size.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::document::Filter;
use super::inventory::Inventory;
use super::node::{Node, NodeId, Predicate};
use super::rule::{LogSource, Rule};
use super::ruleset::{RuleIndex, RuleSet};
use super::test::Buffers;
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
    marks: Vec<u32>,
    candidates: Vec<RuleIndex>,
    pub(super) buffers: Buffers,
}

impl Memo {
    fn begin(&mut self, nodes: usize) {
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
    /// Rules by log source, so that sources find theirs without a look at each rule.
    pub(super) by_logsource: FxHashMap<LogSource, Vec<RuleIndex>>,
}

impl Program {
    /// The compiled rules, by index.
    pub fn rules(&self) -> &[CompiledRule] {
        &self.rules
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
        let root = |rule: RuleIndex| self.rules[rule.index()].root;
        RuleSet::with_witnesses(rules, &self.nodes, &self.predicates, &root)
    }

    /// Calls `hit` for every rule of `set` that holds for `record`, in order.
    pub fn evaluate(&self, set: &RuleSet, record: &Record<'_>, memo: &mut Memo, hit: &mut dyn FnMut(RuleIndex)) {
        memo.begin(self.nodes.len());
        let mut candidates = std::mem::take(&mut memo.candidates);
        candidates.clear();
        set.candidates(record, &mut memo.buffers.folded, &mut candidates);
        for &rule in &candidates {
            if self.holds(self.rules[rule.index()].root, record, memo) {
                hit(rule);
            }
        }
        memo.candidates = candidates;
    }

    /// A memo that knows nothing yet, for one record.
    pub(super) fn fresh_memo(&self) -> Memo {
        let mut memo = Memo::default();
        memo.begin(self.nodes.len());
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
        };
        memo.set(id, held);
        held
    }
}
