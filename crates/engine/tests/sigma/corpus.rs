//! The rule repository as a whole: what loads, what does not, and why.

use std::collections::BTreeMap;

use engine::sigma::{self, Document, Inventory, Rule};

use crate::data::{Bench, folder, repository};

#[test]
fn every_rule_of_the_repository_loads_or_says_why_not() {
    if folder().is_none() {
        return;
    }
    let files = repository();
    assert!(files.len() > 4000, "{} files", files.len());
    let mut rules: Vec<Rule> = Vec::new();
    let mut refused: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, text) in &files {
        let (documents, diagnostics) = sigma::parse(text);
        for error in diagnostics.into_iter().filter(|diagnostic| diagnostic.is_error()) {
            refused.entry(error.code.clone()).or_default().push(error.in_file(path.as_str()).to_string());
        }
        for document in documents {
            if let Document::Rule(mut rule) = document {
                rule.file = path.clone();
                rules.push(rule);
            }
        }
    }
    // What a version of the language that is gone allowed lives in one folder of the repository, and in one file of another.
    let is_known = |error: &&&String| {
        error.starts_with("unsupported/") || error.starts_with("deprecated/other/generic_brute_force.yml")
    };
    let all: Vec<&String> = refused.values().flatten().collect();
    let odd: Vec<&&String> = all.iter().filter(|error| !is_known(error)).collect();
    assert!(odd.is_empty(), "{odd:#?}");
    assert_eq!(rules.len(), 3978);

    let mut inventory = Inventory::new();
    let (bench, diagnostics) = Bench::new(&rules, &[], &inventory);
    let aside: Vec<String> =
        diagnostics.iter().filter(|d| d.code != "unknown-placeholder").map(ToString::to_string).collect();
    assert!(aside.is_empty(), "{aside:#?}");
    assert_eq!(bench.program.rules().len(), 3950, "28 rules have placeholders that each lab fills for itself");

    // With every placeholder known, every rule compiles.
    for diagnostic in &diagnostics {
        let name = diagnostic.message.split('%').nth(1).expect("a placeholder's name");
        inventory.insert(name, vec!["value".to_owned()]);
    }
    let (bench, diagnostics) = Bench::new(&rules, &[], &inventory);
    assert_eq!(diagnostics, []);
    assert_eq!(bench.program.rules().len(), rules.len());
}

#[test]
fn revisions_of_the_repository_are_as_many_as_its_meanings() {
    if folder().is_none() {
        return;
    }
    let mut by_revision: BTreeMap<String, String> = BTreeMap::new();
    let mut same = 0;
    for (path, text) in repository().iter().filter(|(path, _)| path.starts_with("rules/")) {
        for document in sigma::parse(text).0 {
            let Document::Rule(rule) = document else { continue };
            same += usize::from(by_revision.insert(rule.revision, path.clone()).is_some());
        }
    }
    assert!(same <= 3, "{same} rules of `rules/` say what another says");
}
