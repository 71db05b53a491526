//! Runs `conformance/sigma/`: one behaviour a file, with the section of the specification that asks for it.

use engine::sigma::{self, Document, Filter, Inventory, Rule};
use engine::yaml::{self, Node};

use crate::data::Bench;

#[test]
fn every_behaviour_of_the_specification() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../conformance/sigma");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).expect("folder").map(|entry| entry.expect("entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yml"));
    paths.sort();
    assert!(paths.len() >= 100, "found {} files", paths.len());
    let mut wrong = Vec::new();
    for path in &paths {
        let text = std::fs::read_to_string(path).expect("file");
        let name = path.file_stem().expect("name").to_string_lossy();
        wrong.extend(check(&text).into_iter().map(|what| format!("{name}: {what}")));
    }
    assert!(wrong.is_empty(), "{} of {} files disagree\n{}", wrong.len(), paths.len(), wrong.join("\n"));
}

fn texts(root: &Node<'_>, key: &str) -> Vec<String> {
    let nodes = root.get(key).and_then(Node::as_list).unwrap_or_default();
    nodes.iter().map(|node| node.as_str().expect("text").to_owned()).collect()
}

fn check(text: &str) -> Vec<String> {
    let (documents, diagnostics) = yaml::parse(text);
    assert_eq!(diagnostics, [], "{text}");
    let root = &documents[0].root;
    for key in ["section", "says"] {
        assert!(root.get(key).is_some(), "`{key}` is missing: {text}");
    }
    let (mut told, bench) = build(root);
    let mut wrong = Vec::new();
    for (severity, key) in [(model::Severity::Error, "errors"), (model::Severity::Warning, "warnings")] {
        let wanted = texts(root, key);
        let found: Vec<&model::Diagnostic> = told.iter().filter(|diagnostic| diagnostic.severity == severity).collect();
        let agree = wanted.len() == found.len()
            && wanted.iter().zip(&found).all(|(wanted, found)| {
                *wanted == found.code || *wanted == format!("{} {}:{}", found.code, found.line, found.column)
            });
        if !agree {
            wrong.push(format!("{key} are {found:?}"));
        }
    }
    told.retain(|diagnostic| diagnostic.remedy.is_empty() || diagnostic.message.ends_with('.'));
    wrong.extend(told.iter().map(|diagnostic| format!("no remedy, or a full stop: {diagnostic}")));
    let Some(mut bench) = bench else { return wrong };
    for (key, wanted) in [("match", true), ("no_match", false)] {
        for event in texts(root, key) {
            if bench.hits(&event).is_empty() == wanted {
                wrong.push(format!("{key} {event}"));
            }
        }
    }
    wrong
}

/// Wraps a detection to a rule: its first line is line 7 and column 5 of the file.
fn build(root: &Node<'_>) -> (Vec<model::Diagnostic>, Option<Bench>) {
    let detection = root.get("detection").and_then(Node::as_str).expect("a detection");
    let indented: String = detection.lines().map(|line| format!("    {line}\n")).collect();
    let rule = format!(
        "title: Conformance\nid: 9f8c1d2e-0000-4000-8000-000000000001\nstatus: test\n\
         logsource: {{product: test}}\nlevel: low\ndetection:\n{indented}"
    );
    let filter = root.get("filter").and_then(Node::as_str).unwrap_or_default();
    let (mut rules, mut filters): (Vec<Rule>, Vec<Filter>) = (Vec::new(), Vec::new());
    let mut told = Vec::new();
    for text in [rule.as_str(), filter].into_iter().filter(|text| !text.is_empty()) {
        let (documents, diagnostics) = sigma::parse(text);
        told.extend(diagnostics);
        for document in documents {
            match document {
                Document::Rule(rule) => rules.push(rule),
                Document::Filter(filter) => filters.push(filter),
                Document::Correlation(_) => panic!("no correlation is expected"),
            }
        }
    }
    let mut inventory = Inventory::new();
    for list in root.get("inventory").and_then(Node::as_map).unwrap_or_default() {
        let values = list.value.as_list().expect("a list").iter().map(|node| node.as_str().expect("text").to_owned());
        inventory.insert(list.key.as_ref(), values.collect());
    }
    if rules.is_empty() {
        return (told, None);
    }
    let (bench, diagnostics) = Bench::new(&rules, &filters, &inventory);
    told.extend(diagnostics);
    (told, Some(bench))
}
