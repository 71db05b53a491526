//! What parsing one file cannot see: mistakes between rules, tests, sources and inventories.
//!
//! Comes in: a catalogue. Goes out: diagnostics. Own rules (those of a pack, not imported) are held to more than others:
//! they have tests of each kind. Rules that no source carries are told once for each log source where they are many.

mod claims;
mod imported;
mod rules;
mod stateful;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use model::Diagnostic;

use crate::cases::CaseKind;
use crate::catalogue::{Catalogue, CatalogueRule};
use crate::nearest::nearest;
use crate::root::Root;

/// Looks for mistakes between the files that were loaded from `roots`.
pub fn lint(catalogue: &Catalogue, roots: &[Root]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    titles(catalogue, &mut found);
    tests(catalogue, &mut found);
    cases(catalogue, &mut found);
    for entry in &catalogue.rules {
        rules::lint(catalogue, entry, &mut found);
    }
    dormant(catalogue, &mut found);
    found.extend(ownerless(catalogue));
    claims::lint(catalogue, &mut found);
    stateful::lint(catalogue, &mut found);
    imported::lint(roots, &mut found);
    found.sort();
    found
}

impl CatalogueRule {
    /// Is the rule of a pack that we answer for: below `packs/` or with a `watchkeep:` key, and not imported?
    pub fn is_own(&self) -> bool {
        let in_pack = || Path::new(&self.file).iter().any(|part| part == "packs");
        let has_key = || self.rule.watchkeep != engine::sigma::Watchkeep::default();
        !self.provenance.is_imported() && (in_pack() || has_key())
    }

    /// A warning at the rule.
    fn warning(&self, code: &str, message: impl Into<String>, remedy: impl Into<String>) -> Diagnostic {
        Diagnostic::warning(self.rule.line, 0, code, message, remedy).in_file(self.file.clone())
    }

    /// An error at the rule.
    fn error(&self, code: &str, message: impl Into<String>, remedy: impl Into<String>) -> Diagnostic {
        Diagnostic::error(self.rule.line, 0, code, message, remedy).in_file(self.file.clone())
    }
}

/// Two rules with one title cannot be told apart in a queue.
fn titles(catalogue: &Catalogue, found: &mut Vec<Diagnostic>) {
    let mut first: BTreeMap<String, &CatalogueRule> = BTreeMap::new();
    for entry in &catalogue.rules {
        let title = entry.rule.title.to_lowercase();
        match first.get(&title) {
            Some(other) => {
                let message = format!("the title `{}` stands in `{}` too", entry.rule.title, other.file);
                found.push(entry.warning("duplicate-title", message, "give each rule a title of its own"));
            }
            None => {
                first.insert(title, entry);
            }
        }
    }
}

/// Own rules have a hit, a benign case and a near miss at least.
fn tests(catalogue: &Catalogue, found: &mut Vec<Diagnostic>) {
    for entry in catalogue.rules.iter().filter(|entry| entry.is_own()) {
        let kinds: Vec<CaseKind> = catalogue
            .cases
            .iter()
            .filter(|cases| entry.answers_to(&cases.rule))
            .flat_map(|cases| cases.cases.iter().map(|case| case.kind))
            .collect();
        if kinds.is_empty() {
            let remedy =
                format!("write `{}.test.yml` beside it, with a hit, a benign case and a near miss", entry.stem());
            found.push(entry.warning("untested", "the rule has no test", remedy));
            continue;
        }
        let wanted = [CaseKind::Hit, CaseKind::Benign, CaseKind::NearMiss];
        let missing: Vec<&str> =
            wanted.into_iter().filter(|kind| !kinds.contains(kind)).map(CaseKind::as_str).collect();
        if !missing.is_empty() {
            let message = format!("the rule's tests have no {} case", missing.join(", no "));
            found.push(entry.warning("half-tested", message, "add one from a real record"));
        }
    }
}

/// Tests name a rule that exists, and each case has its own name.
fn cases(catalogue: &Catalogue, found: &mut Vec<Diagnostic>) {
    let stems: Vec<&str> = catalogue.rules.iter().map(CatalogueRule::stem).collect();
    for cases in &catalogue.cases {
        let stem = crate::catalogue::stem(&cases.file);
        let stands_beside = catalogue.rules.iter().any(|entry| entry.stem() == stem);
        if !stands_beside && catalogue.subject(cases).is_none() {
            let near = nearest(&cases.rule, stems.iter().copied());
            let remedy =
                near.map_or_else(|| "name the rule's file or id".into(), |near| format!("did you mean `{near}`?"));
            let message = format!("no rule has the id, title, name or file `{}`", cases.rule);
            found.push(Diagnostic::error(1, 0, "unknown-rule", message, remedy).in_file(cases.file.clone()));
        }
        let mut names = BTreeMap::new();
        for case in &cases.cases {
            if names.insert(&case.name, case.line).is_some() {
                let message = format!("the name `{}` stands twice", case.name);
                let wrong = Diagnostic::warning(case.line, 0, "duplicate-name", message, "give each case its own name");
                found.push(wrong.in_file(cases.file.clone()));
            }
            if let Some(source) = case.source.as_ref().filter(|id| catalogue.source(id.as_str()).is_none()) {
                let message = format!("there is no source `{source}`");
                let wrong = Diagnostic::error(case.line, 0, "unknown-source", message, known_sources(catalogue));
                found.push(wrong.in_file(cases.file.clone()));
            }
        }
    }
}

fn known_sources(catalogue: &Catalogue) -> String {
    let ids: Vec<&str> = catalogue.sources.iter().map(|source| source.id.as_str()).collect();
    format!("known sources: {}", ids.join(", "))
}

/// Is there a source whose records the rule sees?
fn is_carried(catalogue: &Catalogue, entry: &CatalogueRule) -> bool {
    let carries = |theirs| entry.rule.logsource.applies_to(theirs);
    catalogue.sources.iter().flat_map(|source| &source.logsources).any(carries)
}

/// Rules that no source carries never fire. Own ones are told each, others once for each log source.
fn dormant(catalogue: &Catalogue, found: &mut Vec<Diagnostic>) {
    let mut others: BTreeMap<String, Vec<&CatalogueRule>> = BTreeMap::new();
    for entry in catalogue.rules.iter().filter(|entry| !is_carried(catalogue, entry)) {
        let name = logsource_name(entry);
        if entry.is_own() {
            let message = format!("no source carries the log source {name}: the rule never fires");
            found.push(entry.warning("dormant", message, "add a source for it, or correct `logsource`"));
        } else {
            others.entry(name).or_default().push(entry);
        }
    }
    for (name, entries) in others {
        let message = match entries.len() {
            1 => format!("no source carries the log source {name}: the rule never fires"),
            n => format!("no source carries the log source {name}: this rule and {} others never fire", n - 1),
        };
        found.push(entries[0].warning("dormant", message, "nothing, until there is a source for it"));
    }
}

fn logsource_name(entry: &CatalogueRule) -> String {
    let logsource = &entry.rule.logsource;
    let parts = [("product", &logsource.product), ("category", &logsource.category), ("service", &logsource.service)];
    let given = parts.into_iter().filter_map(|(key, value)| Some(format!("{key} `{}`", value.as_ref()?)));
    given.collect::<Vec<_>>().join(", ")
}

/// Lists and assets that nobody keeps.
pub fn ownerless(catalogue: &Catalogue) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (name, list) in catalogue.lists.iter().filter(|(_, list)| list.kept.owner.is_none()) {
        let message = format!("nobody owns the list `{name}`");
        let remedy = "write `name: {owner: …, values: […]}`, or an owner below `defaults:`";
        let wrong = Diagnostic::warning(list.kept.line, 0, "no-owner", message, remedy);
        found.push(wrong.in_file(list.kept.file.clone()));
    }
    for asset in catalogue.things.assets.iter().filter(|asset| asset.kept.owner.is_none()) {
        let message = format!("nobody owns the {} `{}`", asset.kind.as_str(), asset.id);
        let remedy = "add `owner:` to it, or an owner below `defaults:`";
        let wrong = Diagnostic::warning(asset.kept.line, 0, "no-owner", message, remedy);
        found.push(wrong.in_file(asset.kept.file.clone()));
    }
    found
}
