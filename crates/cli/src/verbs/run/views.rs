//! Rules and sources as the console shows them.

use console::{CaseView, RuleView, SourceView, TriageView};
use content::{CaseOutcome, Catalogue, CatalogueRule};
use engine::Engine;
use engine::Source;
use engine::sigma::TriageStep;
use store::Contracts;

/// The console's view of the catalogue.
pub fn catalogue(catalogue: &Catalogue, engine: &Engine, asked: Contracts) -> console::Catalogue {
    let outcomes = content::run_cases(catalogue, engine, None);
    let is_compiled = |entry: &&CatalogueRule| engine.rules().iter().any(|compiled| compiled.rule.id == entry.rule.id);
    console::Catalogue {
        rules: catalogue.rules.iter().filter(is_compiled).map(|entry| rule(catalogue, entry, &outcomes)).collect(),
        sources: catalogue.sources.iter().map(source).collect(),
        asked,
    }
}

fn rule(catalogue: &Catalogue, entry: &CatalogueRule, outcomes: &[CaseOutcome]) -> RuleView {
    let rule = &entry.rule;
    RuleView {
        id: rule.id.clone(),
        title: rule.title.clone(),
        level: rule.level,
        kind: rule.watchkeep.kind.as_str().to_owned(),
        description: rule.description.clone().unwrap_or_default(),
        file: entry.file.clone(),
        yaml: entry.text.to_string(),
        provenance: provenance(catalogue, entry),
        owner: rule.watchkeep.owner.clone().unwrap_or_default(),
        sources: catalogue.sources_of(rule),
        techniques: rule.techniques(),
        falsepositives: rule.falsepositives.clone(),
        triage: rule.watchkeep.triage.iter().map(triage).collect(),
        cases: outcomes.iter().filter(|outcome| entry.answers_to(&outcome.rule)).map(case).collect(),
    }
}

/// `Watchkeep (Apache-2.0)`, or the origin with its licence.
fn provenance(catalogue: &Catalogue, entry: &CatalogueRule) -> String {
    let license = entry.provenance.license.as_deref();
    match &entry.provenance.origin {
        Some(origin) => format!("{origin} ({})", license.unwrap_or("licence not known")),
        None => match catalogue.roots.get(entry.provenance.root).map(String::as_str) {
            Some("embedded") | None => format!("Watchkeep ({})", license.unwrap_or("Apache-2.0")),
            Some(root) => license.map_or_else(|| root.to_owned(), |license| format!("{root} ({license})")),
        },
    }
}

fn triage(step: &TriageStep) -> TriageView {
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    TriageView { ask: step.ask.clone(), query: text(&step.query), if_yes: text(&step.if_yes), if_no: text(&step.if_no) }
}

fn case(outcome: &CaseOutcome) -> CaseView {
    CaseView { name: outcome.name.clone(), kind: outcome.kind.as_str().to_owned(), passed: Some(outcome.passed()) }
}

fn source(source: &Source) -> SourceView {
    SourceView {
        id: source.id.clone(),
        title: source.title.clone(),
        description: source.description.clone(),
        silent_after_ms: source.cadence.silent_after_ms,
        lag_ms: source.cadence.lag_ms,
        enable: source.enable.clone(),
        blind_spots: source.blind_spots.clone(),
    }
}
