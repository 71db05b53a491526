//! Runs tests through the engine, from raw records.

use engine::Engine;
use model::Reject;

use super::observe::{Observed, Tested};
use super::subject::Subject;
use super::{Case, CaseKind, Expectation, RuleCases};
use crate::catalogue::Catalogue;

/// What became of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseOutcome {
    /// The file of the case.
    pub file: String,
    /// Its line.
    pub line: usize,
    /// The rule, as the file names it.
    pub rule: String,
    /// The case's name.
    pub name: String,
    /// What it shows.
    pub kind: CaseKind,
    /// Why it failed; `None` when it passed.
    pub failure: Option<String>,
}

impl CaseOutcome {
    /// Did it pass?
    pub fn passed(&self) -> bool {
        self.failure.is_none()
    }
}

/// Runs the cases whose file, rule or name contains `filter`; all of them without one.
pub fn run_cases(catalogue: &Catalogue, engine: &Engine, filter: Option<&str>) -> Vec<CaseOutcome> {
    run_cases_with(catalogue, engine, filter, &mut |_| {})
}

/// As [`run_cases`]; calls `each` after every case.
pub fn run_cases_with(
    catalogue: &Catalogue,
    engine: &Engine,
    filter: Option<&str>,
    each: &mut dyn FnMut(&CaseOutcome),
) -> Vec<CaseOutcome> {
    let mut outcomes = Vec::new();
    for cases in &catalogue.cases {
        let subject = catalogue.subject(cases);
        for case in cases.cases.iter().filter(|case| is_wanted(cases, case, filter)) {
            let failure = match subject {
                None => Some(format!("no rule has the id, title, name or file `{}`", cases.rule)),
                Some(subject) => run_case(catalogue, engine, subject, case).err(),
            };
            let outcome = CaseOutcome {
                file: cases.file.clone(),
                line: case.line,
                rule: cases.rule.clone(),
                name: case.name.clone(),
                kind: case.kind,
                failure,
            };
            each(&outcome);
            outcomes.push(outcome);
        }
    }
    outcomes
}

fn is_wanted(cases: &RuleCases, case: &Case, filter: Option<&str>) -> bool {
    filter.is_none_or(|part| {
        let part = part.to_lowercase();
        [&cases.file, &cases.rule, &case.name].iter().any(|text| text.to_lowercase().contains(&part))
    })
}

fn run_case(catalogue: &Catalogue, engine: &Engine, subject: Subject<'_>, case: &Case) -> Result<(), String> {
    if case.inventory.is_empty() {
        let tested = Tested::of(engine, subject);
        let tested = tested.ok_or("the rule was set aside when it was compiled; `watchkeep check` says why")?;
        return judge(&tested, case);
    }
    let mut inventory = catalogue.inventory.clone();
    for (name, values) in &case.inventory {
        inventory.insert(name.clone(), values.clone());
    }
    let ids = subject.rules(engine);
    let alone = catalogue.with_rules(|entry| ids.contains(&entry.rule.id));
    let (engine, diagnostics) = alone.compile_with(&inventory, engine.limits());
    let Some(tested) = Tested::of(&engine, subject) else {
        let why = diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect::<Vec<_>>().join("; ");
        return Err(format!("the rule cannot be compiled with the case's inventory: {why}"));
    };
    judge(&tested, case)
}

fn judge(tested: &Tested<'_>, case: &Case) -> Result<(), String> {
    let observed = tested.observe(case);
    match case.expect {
        Expectation::Rejected(reason) => judge_rejected(reason, &observed),
        Expectation::Findings { least, most } => {
            if let Some((reason, _)) = observed.rejects.first_key_value() {
                let explain = Reject::parse(reason).map_or("", Reject::explain);
                return Err(format!("a record was rejected as `{reason}`: {explain}"));
            }
            if observed.evaluated == 0 {
                return Err("no record was evaluated".to_owned());
            }
            if let Some(source) = &observed.other_source {
                return Err(format!(
                    "a record is of source `{source}`, which rule `{}` does not look at",
                    tested.title
                ));
            }
            if !(least..=most).contains(&observed.findings) {
                return Err(format!("expected {}, got {}", expected(least, most), counted(observed.findings)));
            }
            tested.judge_late(case, &observed)
        }
    }
}

fn judge_rejected(reason: Option<Reject>, observed: &Observed) -> Result<(), String> {
    if observed.evaluated > 0 {
        return Err(format!("expected every record to be rejected; {} evaluated", observed.evaluated));
    }
    let other = observed.rejects.keys().find(|found| reason.is_some_and(|reason| reason.as_str() != **found));
    match (other, reason) {
        (Some(found), Some(reason)) => Err(format!("expected `{reason}`, rejected as `{found}`")),
        _ if observed.rejects.is_empty() => Err("no record was rejected: there is none".to_owned()),
        _ => Ok(()),
    }
}

fn expected(least: u64, most: u64) -> String {
    match (least, most) {
        (least, u64::MAX) => format!("at least {}", counted(least)),
        (0, 0) => "no finding".to_owned(),
        (least, _) => counted(least),
    }
}

pub(super) fn counted(n: u64) -> String {
    if n == 1 { "1 finding".to_owned() } else { format!("{n} findings") }
}
