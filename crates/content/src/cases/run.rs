//! Runs tests through the engine, from raw records.

use std::collections::BTreeMap;

use engine::{Engine, Event, Format, Framer, Given, Sink};
use model::{Finding, Lane, Reject, RuleId, SourceId, Time};

use super::{Case, CaseKind, Expectation, RuleCases};
use crate::catalogue::{Catalogue, CatalogueRule};

/// When a case's records are received, unless it says so: a fixed time, since tests know no clock.
const RECEIVED: Time = Time::EPOCH;

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
        let rule = catalogue.rules.iter().find(|entry| entry.answers_to(&cases.rule));
        let beside = || rule.or_else(|| catalogue.rules.iter().find(|entry| is_beside(entry, cases)));
        for case in cases.cases.iter().filter(|case| is_wanted(cases, case, filter)) {
            let failure = match beside() {
                None => Some(format!("no rule has the id, title, name or file `{}`", cases.rule)),
                Some(rule) => run_case(catalogue, engine, rule, case).err(),
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

fn is_beside(entry: &CatalogueRule, cases: &RuleCases) -> bool {
    let folder = |file: &str| file.rsplit_once('/').map(|(folder, _)| folder.to_owned()).unwrap_or_default();
    entry.stem() == crate::catalogue::stem(&cases.file) && folder(&entry.file) == folder(&cases.file)
}

fn is_wanted(cases: &RuleCases, case: &Case, filter: Option<&str>) -> bool {
    filter.is_none_or(|part| {
        let part = part.to_lowercase();
        [&cases.file, &cases.rule, &case.name].iter().any(|text| text.to_lowercase().contains(&part))
    })
}

fn run_case(catalogue: &Catalogue, engine: &Engine, rule: &CatalogueRule, case: &Case) -> Result<(), String> {
    if case.inventory.is_empty() {
        if !engine.rules().iter().any(|compiled| compiled.rule.id == rule.rule.id) {
            return Err("the rule was set aside when it was compiled; `watchkeep check` says why".to_owned());
        }
        return judge(rule, case, &observe(engine, rule, case));
    }
    let mut inventory = catalogue.inventory.clone();
    for (name, values) in &case.inventory {
        inventory.insert(name.clone(), values.clone());
    }
    let alone = catalogue.with_rules(|entry| entry.rule.id == rule.rule.id);
    let (engine, diagnostics) = alone.compile_with(&inventory, engine.limits());
    if engine.rules().is_empty() {
        let why = diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect::<Vec<_>>().join("; ");
        return Err(format!("the rule cannot be compiled with the case's inventory: {why}"));
    }
    judge(rule, case, &observe(&engine, rule, case))
}

/// What the engine made of a case's records.
struct Observed<'r> {
    rule: &'r RuleId,
    findings: u64,
    evaluated: u64,
    rejects: BTreeMap<&'static str, u64>,
    /// A source that the rule does not look at, if a record was of one.
    other_source: Option<SourceId>,
    logsource: &'r engine::sigma::LogSource,
}

impl Sink for Observed<'_> {
    fn rejected(&mut self, _raw: &[u8], _source: Option<&SourceId>, reason: Reject) {
        *self.rejects.entry(reason.as_str()).or_default() += 1;
    }

    fn evaluated(&mut self, event: &Event<'_>) {
        self.evaluated += 1;
        let source = event.source();
        if !source.logsources.iter().any(|theirs| self.logsource.applies_to(theirs)) {
            self.other_source = Some(source.id.clone());
        }
    }

    fn finding(&mut self, finding: Finding, _event: &Event<'_>) {
        self.findings += u64::from(&finding.rule_id == self.rule);
    }
}

fn observe<'r>(engine: &Engine, rule: &'r CatalogueRule, case: &Case) -> Observed<'r> {
    let mut observed = Observed {
        rule: &rule.rule.id,
        findings: 0,
        evaluated: 0,
        rejects: BTreeMap::new(),
        other_source: None,
        logsource: &rule.rule.logsource,
    };
    let given = Given { source: case.source.clone(), received: case.received.unwrap_or(RECEIVED), lane: Lane::Test };
    let mut worker = engine.worker();
    for record in &case.records {
        let mut framer = Framer::new(Format::Auto, engine.limits());
        let mut each = |frame: engine::Frame<'_>| match frame.outcome {
            Ok(()) => engine.evaluate(&mut worker, frame.bytes, &given, &mut observed),
            Err(reason) => observed.rejected(frame.bytes, None, reason),
        };
        framer.push(record.as_bytes(), &mut each);
        framer.finish(&mut each);
    }
    observed
}

fn judge(rule: &CatalogueRule, case: &Case, observed: &Observed<'_>) -> Result<(), String> {
    match case.expect {
        Expectation::Rejected(reason) => judge_rejected(reason, observed),
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
                    rule.rule.title
                ));
            }
            if (least..=most).contains(&observed.findings) {
                return Ok(());
            }
            Err(format!("expected {}, got {}", expected(least, most), counted(observed.findings)))
        }
    }
}

fn judge_rejected(reason: Option<Reject>, observed: &Observed<'_>) -> Result<(), String> {
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

fn counted(n: u64) -> String {
    if n == 1 { "1 finding".to_owned() } else { format!("{n} findings") }
}
