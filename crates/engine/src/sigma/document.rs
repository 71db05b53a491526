use serde::Serialize;

use super::correlation::Correlation;
use super::detection::Detection;
use super::rule::{LogSource, Rule};

/// One document of a Sigma file.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Document {
    /// A detection rule.
    Rule(Rule),
    /// A filter, to be applied to the rules that it names.
    Filter(Filter),
    /// A correlation of rules over time.
    Correlation(Correlation),
}

/// Which rules a filter narrows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FilterTarget {
    /// Every rule that the filter's log source takes.
    Any,
    /// The rules with these ids or names.
    Rules(Vec<String>),
}

/// A Sigma filter: a condition that is joined by AND to the conditions of the rules that it names.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Filter {
    /// The file that the filter was read from; empty until its loader says so.
    pub file: String,
    /// The line at which its document starts.
    pub line: usize,
    /// Its UUID, if it has one.
    pub id: Option<String>,
    /// One line that says what it takes out.
    pub title: String,
    /// What it takes out, at length.
    pub description: Option<String>,
    /// Which rules it may narrow: each part that it gives must equal the rule's.
    pub logsource: LogSource,
    /// Which rules it narrows.
    pub target: FilterTarget,
    /// The condition that must hold as well.
    pub detection: Detection,
    /// 16 hexadecimal digits of a digest over the filter's meaning.
    pub revision: String,
}

impl Filter {
    /// Does the filter narrow `rule`?
    pub fn takes(&self, rule: &Rule) -> bool {
        self.logsource.applies_to(&rule.logsource) && self.names(rule)
    }

    /// Does the filter name `rule`, whatever their log sources?
    pub fn names(&self, rule: &Rule) -> bool {
        match &self.target {
            FilterTarget::Any => true,
            FilterTarget::Rules(rules) => rules
                .iter()
                .any(|wanted| wanted.eq_ignore_ascii_case(rule.id.as_str()) || rule.name.as_ref() == Some(wanted)),
        }
    }
}
