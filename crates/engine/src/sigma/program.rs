use std::sync::Arc;

use super::document::Filter;
use super::explain::{Explanation, Node};
use super::rule::{LogSource, Rule};
use crate::record::Record;
use model::MatchedTerm;

/// A compiled rule's number in its [`Program`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleIndex(pub(super) u32);

impl RuleIndex {
    /// The number, from 0.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A rule that is part of a program.
#[derive(Clone, Debug)]
pub struct CompiledRule {
    /// The rule.
    pub rule: Arc<Rule>,
    /// The filters that narrow it.
    pub filters: Vec<Arc<Filter>>,
    /// Digest of the rule's meaning as compiled: the rule's own revision, or one that takes its filters in.
    pub revision: String,
}

/// The rules that apply to one source, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleSet(Vec<RuleIndex>);

impl RuleSet {
    /// The rules, in order.
    pub fn iter(&self) -> impl Iterator<Item = RuleIndex> + '_ {
        self.0.iter().copied()
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Is there no rule?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes a rule out, as one that was set aside.
    pub fn remove(&mut self, rule: RuleIndex) {
        self.0.retain(|known| *known != rule);
    }
}

/// Memory that one worker reuses from event to event.
#[derive(Clone, Debug, Default)]
pub struct Memo {}

/// All rules, compiled once.
#[derive(Debug, Default)]
pub struct Program {
    rules: Vec<CompiledRule>,
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

    /// The rules that a source with these log sources can carry.
    pub fn applicable(&self, logsources: &[LogSource]) -> RuleSet {
        let _ = logsources;
        RuleSet::default()
    }

    /// Calls `hit` for every rule of `set` that holds for `record`, in order.
    pub fn evaluate(&self, set: &RuleSet, record: &Record<'_>, memo: &mut Memo, hit: &mut dyn FnMut(RuleIndex)) {
        let _ = (set, record, memo, hit);
    }

    /// The terms of a rule that hold for `record`, with the values that made them hold.
    pub fn matched_terms(&self, rule: RuleIndex, record: &Record<'_>) -> Vec<MatchedTerm> {
        let _ = (rule, record);
        Vec::new()
    }

    /// Why a rule holds or does not hold for `record`.
    pub fn explain(&self, rule: RuleIndex, record: &Record<'_>) -> Explanation {
        let (rule, _) = (self.rule(rule), record);
        Explanation {
            rule: rule.rule.id.clone(),
            title: rule.rule.title.clone(),
            held: false,
            tree: Node { label: String::new(), held: false, children: vec![], term: None },
        }
    }
}
