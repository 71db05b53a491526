//! Tests of rules: raw records, and what must become of them.
//!
//! Comes in: `<rule>.test.yml` files and a compiled engine. Goes out: one [`CaseOutcome`] for each case, and JUnit XML of
//! them. Cases start from raw records, so that a test passes only if the record is recognised, decoded, dated and matched.

mod junit;
mod observe;
mod parse;
mod run;
mod subject;

#[cfg(test)]
mod over_time;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use model::{Reject, SourceId, Time};

pub use junit::junit;
pub(crate) use parse::parse;
pub use run::{CaseOutcome, run_cases, run_cases_with};

/// What a case shows about its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CaseKind {
    /// The rule fires on it.
    Hit,
    /// Everyday activity on which the rule stays silent.
    Benign,
    /// Nearly the attack, and yet not: the rule stays silent.
    NearMiss,
    /// A way past the rule that its author declares as a blind spot: the rule stays silent.
    Evasion,
    /// A hit that comes late: a correlation finds the same when its records come one by one as they stand, one of them late.
    Late,
    /// A record that must be rejected.
    Malformed,
}

impl CaseKind {
    /// Every kind.
    pub const ALL: [CaseKind; 6] =
        [CaseKind::Hit, CaseKind::Benign, CaseKind::NearMiss, CaseKind::Evasion, CaseKind::Late, CaseKind::Malformed];

    /// The kind's word.
    pub fn as_str(self) -> &'static str {
        match self {
            CaseKind::Hit => "hit",
            CaseKind::Benign => "benign",
            CaseKind::NearMiss => "near_miss",
            CaseKind::Evasion => "evasion",
            CaseKind::Late => "late",
            CaseKind::Malformed => "malformed",
        }
    }

    /// Reads the kind's word.
    pub fn parse(text: &str) -> Option<CaseKind> {
        CaseKind::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What must become of a case's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// So many findings of the rule.
    Findings {
        /// At least.
        least: u64,
        /// At most.
        most: u64,
    },
    /// Every record is rejected: for this reason, or for any when there is none.
    Rejected(Option<Reject>),
}

/// One test of a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// What it shows, in words.
    pub name: String,
    /// What it shows.
    pub kind: CaseKind,
    /// The source of its records; `None` recognises them.
    pub source: Option<SourceId>,
    /// When its records are received.
    pub received: Option<Time>,
    /// Lists that replace those of the catalogue's inventory.
    pub inventory: BTreeMap<String, Vec<String>>,
    /// The raw records: JSON or text.
    pub records: Vec<String>,
    /// What must become of them.
    pub expect: Expectation,
    /// The line in its file.
    pub line: usize,
}

/// The tests of one rule.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleCases {
    /// The file.
    pub file: String,
    /// The rule: its id, title, name, or the stem of its file.
    pub rule: String,
    /// The tests.
    pub cases: Vec<Case>,
}
