//! Runs the cases of a set and counts.

use std::collections::{BTreeMap, BTreeSet};

use engine::{Engine, Event, Given, Sink};
use model::{Finding, Lane, Reject, SourceId, Time};

use crate::eval::complete::complete;
use crate::eval::sets::{Case, Label, Set};

/// The same sources under two sets of rules.
pub struct Engines {
    /// Under our rules.
    pub ours: Engine,
    /// Under SigmaHQ's.
    pub theirs: Engine,
}

/// How many of some cases have a finding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hits {
    /// All cases.
    pub cases: u64,
    /// With a finding of our rules.
    pub ours: u64,
    /// With a finding of SigmaHQ's rules.
    pub theirs: u64,
    /// With a finding of either.
    pub either: u64,
}

/// What a set came to.
pub struct Score {
    /// The set.
    pub name: &'static str,
    /// What a case is.
    pub unit: &'static str,
    /// Records in it.
    pub records: u64,
    /// Records that became events.
    pub decoded: u64,
    /// Events that were taken for another source's than the set says.
    pub misread: u64,
    /// Of the others, those that did once the fields were added that their producer always writes.
    pub completed: u64,
    /// The others, as they are, by reason and an example's case.
    pub rejects: BTreeMap<Reject, (u64, String)>,
    /// Attacks.
    pub attacks: Hits,
    /// Benign cases.
    pub benign: Hits,
    /// Attacks that no rule found.
    pub missed: Vec<String>,
    /// Rules that fired on benign cases, and on how many.
    pub noise: BTreeMap<String, u64>,
}

/// What one case came to under one engine.
#[derive(Default)]
struct Seen {
    source: Option<&'static str>,
    decoded: u64,
    completed: u64,
    misread: u64,
    rejects: Vec<Reject>,
    rules: BTreeSet<String>,
}

impl Sink for Seen {
    fn rejected(&mut self, _raw: &[u8], _source: Option<&SourceId>, reason: Reject) {
        self.rejects.push(reason);
    }

    fn evaluated(&mut self, event: &Event<'_>) {
        self.decoded += 1;
        self.misread += u64::from(self.source.is_some_and(|source| event.source().id.as_str() != source));
    }

    fn finding(&mut self, finding: Finding, _event: &Event<'_>) {
        self.rules.insert(finding.rule_title);
    }
}

/// Scores one set.
pub fn score(engines: &Engines, set: Set) -> Score {
    let mut score = Score {
        name: set.name,
        unit: set.unit,
        records: 0,
        decoded: 0,
        completed: 0,
        misread: 0,
        rejects: BTreeMap::new(),
        attacks: Hits::default(),
        benign: Hits::default(),
        missed: Vec::new(),
        noise: BTreeMap::new(),
    };
    for case in &set.cases {
        let (ours, theirs) = (run(&engines.ours, case), run(&engines.theirs, case));
        score.take(case, ours, theirs);
    }
    score
}

fn run(engine: &Engine, case: &Case) -> Seen {
    let mut seen = Seen { source: case.source, ..Seen::default() };
    let mut worker = engine.worker();
    // The set's word for the source is not told: recognising the record is part of what is scored.
    let given = Given { source: None, received: Time::from_millis(0), lane: Lane::Live };
    for record in &case.records {
        let rejected = seen.rejects.len();
        engine.evaluate(&mut worker, record.as_bytes(), &given, &mut seen);
        if seen.rejects.len() > rejected
            && let Some(whole) = complete(case.source, record)
        {
            let mut again = Seen { source: case.source, ..Seen::default() };
            engine.evaluate(&mut worker, whole.as_bytes(), &given, &mut again);
            seen.completed += again.decoded;
            seen.misread += again.misread;
            seen.rules.append(&mut again.rules);
        }
    }
    seen
}

impl Score {
    fn take(&mut self, case: &Case, ours: Seen, theirs: Seen) {
        self.records += ours.decoded + ours.rejects.len() as u64;
        self.decoded += ours.decoded;
        self.completed += ours.completed;
        self.misread += ours.misread;
        for reason in &ours.rejects {
            let entry = self.rejects.entry(*reason).or_insert_with(|| (0, case.id.clone()));
            entry.0 += 1;
        }
        match case.label {
            Label::Attack => {
                self.attacks.count(&ours, &theirs);
                if ours.rules.is_empty() && theirs.rules.is_empty() {
                    self.missed.push(case.id.clone());
                }
            }
            Label::Benign => {
                self.benign.count(&ours, &theirs);
                for title in ours.rules.iter().chain(theirs.rules.difference(&ours.rules)) {
                    *self.noise.entry(title.clone()).or_default() += 1;
                }
            }
            Label::Unlabelled => {}
        }
    }
}

impl Hits {
    fn count(&mut self, ours: &Seen, theirs: &Seen) {
        let (by_us, by_them) = (!ours.rules.is_empty(), !theirs.rules.is_empty());
        self.cases += 1;
        self.ours += u64::from(by_us);
        self.theirs += u64::from(by_them);
        self.either += u64::from(by_us || by_them);
    }
}
