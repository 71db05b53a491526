//! Words that must not be in the tree: marks of unfinished work, paths of somebody's machine, hosts of private registries.

use crate::tidy::{Fault, Text};

/// Marks of unfinished work. Written in halves, so that this file does not hold them.
const MARKS: [&str; 5] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("todo", "!("),
    concat!("unimpl", "emented!("),
];

/// The beginnings of paths that exist on one machine only.
const MACHINE: [&str; 5] = [
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
    concat!("C:\\Us", "ers\\"),
];

/// The registries that lock files may name.
const REGISTRIES: [&str; 2] = ["https://github.com/rust-lang/crates.io-index", "https://registry.npmjs.org/"];

/// What people write; records and samples are kept as they were found.
const WRITTEN: [&str; 13] = ["rs", "toml", "yml", "yaml", "md", "js", "mjs", "py", "sh", "css", "html", "json", "run"];

/// Words that do not belong.
pub fn faults(texts: &[Text]) -> Vec<Fault> {
    texts.iter().filter(|text| is_written(text)).flat_map(in_file).collect()
}

/// Recorded telemetry and other people's files are data, not words of ours.
fn is_written(text: &Text) -> bool {
    let parts: Vec<_> = text.path.iter().filter_map(|part| part.to_str()).collect();
    let is_data = ["samples", "expected", "vendor", "seeds", "regressions", "snapshots", "fixtures"]
        .iter()
        .any(|folder| parts.contains(folder));
    let has_kind =
        WRITTEN.iter().any(|extension| text.is(extension)) || text.path.extension().is_none() || is_lock(text);
    has_kind && !is_data
}

fn is_lock(text: &Text) -> bool {
    text.is("lock") || text.path.file_name().is_some_and(|name| name == "package-lock.json")
}

fn in_file(text: &Text) -> Vec<Fault> {
    let mut faults = Vec::new();
    let is_rule_or_case = text.starts_with("content/packs") || text.starts_with("conformance");
    for (number, line) in text.lines() {
        if let Some(mark) = MARKS.iter().find(|mark| has_word(line, mark)) {
            faults.push(Fault::new(
                &text.path,
                number,
                format!("`{mark}`: finish it, or write down why it is left out"),
            ));
        }
        if !is_rule_or_case && let Some(path) = MACHINE.iter().find(|path| starts_path(line, path)) {
            faults.push(Fault::new(&text.path, number, format!("`{path}…` exists on one machine only")));
        }
        if is_lock(text) && names_other_registry(line) {
            faults.push(Fault::new(&text.path, number, "a lock file names a registry that not everybody has"));
        }
    }
    faults
}

/// Stands `mark` here as a word of its own?
fn has_word(line: &str, mark: &str) -> bool {
    line.match_indices(mark).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + mark.len()..].chars().next();
        let is_letter =
            |character: Option<char>| character.is_some_and(|own| own.is_alphanumeric() || own == '_' || own == '-');
        !is_letter(before) && (mark.ends_with('(') || !is_letter(after))
    })
}

/// Begins a path of a machine here, rather than a part of a longer one such as `https://host/home/`?
fn starts_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|own| own.is_alphanumeric() || "._-}*~/".contains(own))
    })
}

fn names_other_registry(line: &str) -> bool {
    let is_source = line.contains("source = ") || line.contains("\"resolved\":");
    is_source && line.contains("://") && !REGISTRIES.iter().any(|registry| line.contains(registry))
}
