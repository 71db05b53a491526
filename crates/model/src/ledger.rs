use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{SourceId, Time};

/// What is counted. The balances that must hold are in [`Ledger::imbalances`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Records taken in, counted when they were received (input side).
    Received,
    /// Records that became an event and met every rule of their source.
    Evaluated,
    /// Records kept with a reason; the entry's `reason` says which.
    Rejected,
    /// Findings raised.
    Raised,
    /// Findings that opened an alert.
    Opened,
    /// Findings that joined an alert.
    Folded,
    /// Findings that a silence took.
    Silenced,
    /// Findings of signals and hunts.
    Kept,
    /// Findings seen before (re-delivered records).
    Repeated,
    /// Outbox rows written (alerts × routes × moves).
    Queued,
    /// Outbox rows that a receiver accepted.
    Delivered,
    /// Outbox rows that were given up and wait for a person.
    Dead,
}

impl Step {
    /// Every step.
    pub const ALL: [Step; 12] = [
        Step::Received,
        Step::Evaluated,
        Step::Rejected,
        Step::Raised,
        Step::Opened,
        Step::Folded,
        Step::Silenced,
        Step::Kept,
        Step::Repeated,
        Step::Queued,
        Step::Delivered,
        Step::Dead,
    ];

    /// The step's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Step::Received => "received",
            Step::Evaluated => "evaluated",
            Step::Rejected => "rejected",
            Step::Raised => "raised",
            Step::Opened => "opened",
            Step::Folded => "folded",
            Step::Silenced => "silenced",
            Step::Kept => "kept",
            Step::Repeated => "repeated",
            Step::Queued => "queued",
            Step::Delivered => "delivered",
            Step::Dead => "dead",
        }
    }

    /// Reads the step's word.
    pub fn parse(text: &str) -> Option<Step> {
        Step::ALL.into_iter().find(|step| step.as_str() == text)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One counter's key.
///
/// `source` is the source for evaluated records and findings, and the input's name for received and for rejected
/// records whose source is not known. `hour` is the hour of receipt.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Entry {
    /// The input through which the records came.
    pub input: String,
    /// The source; `None` while it is not known.
    pub source: Option<SourceId>,
    /// Start of the UTC hour of receipt.
    pub hour: Time,
    /// What is counted.
    pub step: Step,
    /// The reject's reason; empty for other steps.
    pub reason: String,
}

/// Counts by input, source, hour, step and reason. Sums of ledgers are ledgers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    counts: BTreeMap<Entry, u64>,
}

/// Both sides of a conservation law.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// What went in.
    pub records_in: u64,
    /// What came out evaluated.
    pub evaluated: u64,
    /// What was kept with a reason.
    pub rejected: u64,
    /// Findings raised.
    pub raised: u64,
    /// Findings accounted for: opened + folded + silenced + kept + repeated.
    pub settled: u64,
    /// Outbox rows written.
    pub queued: u64,
    /// Outbox rows settled: delivered + dead.
    pub sent: u64,
}

/// A law that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imbalance {
    /// The input.
    pub input: String,
    /// The hour of receipt.
    pub hour: Time,
    /// The law: `received = evaluated + rejected` or `raised = opened + folded + silenced + kept + repeated`.
    pub law: String,
    /// The left side.
    pub left: u64,
    /// The right side.
    pub right: u64,
}

impl Ledger {
    /// Adds `n` to one counter.
    pub fn add(&mut self, entry: Entry, n: u64) {
        if n > 0 {
            *self.counts.entry(entry).or_default() += n;
        }
    }

    /// Adds every count of `other`.
    pub fn merge(&mut self, other: &Ledger) {
        for (entry, n) in &other.counts {
            self.add(entry.clone(), *n);
        }
    }

    /// Every counter that is not zero, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Entry, u64)> {
        self.counts.iter().map(|(entry, n)| (entry, *n))
    }

    /// Nothing counted?
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Total of one step.
    pub fn total(&self, step: Step) -> u64 {
        self.counts.iter().filter(|(entry, _)| entry.step == step).map(|(_, n)| n).sum()
    }

    /// Both sides of every law, over everything in this ledger.
    pub fn balance(&self) -> Balance {
        let settled = [Step::Opened, Step::Folded, Step::Silenced, Step::Kept, Step::Repeated];
        Balance {
            records_in: self.total(Step::Received),
            evaluated: self.total(Step::Evaluated),
            rejected: self.total(Step::Rejected),
            raised: self.total(Step::Raised),
            settled: settled.into_iter().map(|step| self.total(step)).sum(),
            queued: self.total(Step::Queued),
            sent: self.total(Step::Delivered) + self.total(Step::Dead),
        }
    }

    /// The laws that do not hold, per input and hour. Empty means balanced.
    ///
    /// Outbox rows wait legitimately, so `queued = delivered + dead + waiting` is checked by the store, which knows what waits.
    pub fn imbalances(&self) -> Vec<Imbalance> {
        let mut parts: BTreeMap<(String, Time), Ledger> = BTreeMap::new();
        for (entry, n) in &self.counts {
            parts.entry((entry.input.clone(), entry.hour)).or_default().add(entry.clone(), *n);
        }
        parts.into_iter().flat_map(|((input, hour), part)| part.broken_laws(&input, hour)).collect()
    }

    fn broken_laws(&self, input: &str, hour: Time) -> Vec<Imbalance> {
        let b = self.balance();
        let laws = [
            ("received = evaluated + rejected", b.records_in, b.evaluated + b.rejected),
            ("raised = opened + folded + silenced + kept + repeated", b.raised, b.settled),
        ];
        laws.into_iter()
            .filter(|(_, left, right)| left != right)
            .map(|(law, left, right)| Imbalance { input: input.to_owned(), hour, law: law.to_owned(), left, right })
            .collect()
    }
}
