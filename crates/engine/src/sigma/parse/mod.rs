//! From the text of a Sigma file to its documents, with everything that is wrong, at once.

mod claims;
mod condition;
mod correlation;
mod correlation_condition;
mod detection;
mod filter;
mod meta;
mod reader;
mod rule;
mod stateful;
mod watchkeep;

use model::Diagnostic;

use super::bounds::FILE_BYTES_MAX;
use super::document::Document;
use crate::yaml::{self, Entry};
use reader::Reader;

pub(super) use reader::nearest;

/// Reads every document of a Sigma file, and everything that is wrong with it.
///
/// Shape: a document with an error is left out; its errors and those of all others are given together, in the order of the text.
pub fn parse(text: &str) -> (Vec<Document>, Vec<Diagnostic>) {
    if text.len() > FILE_BYTES_MAX {
        let message = format!("the file has {} bytes, more than {FILE_BYTES_MAX}", text.len());
        return (Vec::new(), vec![Diagnostic::error(0, 0, "file-too-large", message, "split the file")]);
    }
    let (trees, mut diagnostics) = yaml::parse(text);
    let mut documents = Vec::with_capacity(trees.len());
    for tree in &trees {
        let mut reader = Reader::default();
        match tree.root.as_map() {
            Some(entries) => documents.extend(document(&mut reader, entries, tree.line)),
            None => {
                let message = format!("the document is {}, not a rule", tree.root.noun());
                reader.note(tree.root.error(
                    "not-a-rule",
                    message,
                    "write a map with `title`, `logsource` and `detection`",
                ));
            }
        }
        diagnostics.append(&mut reader.diagnostics);
    }
    if trees.is_empty() && diagnostics.is_empty() {
        diagnostics.push(Diagnostic::warning(
            1,
            0,
            "empty-file",
            "the file has no document",
            "add a rule, or remove the file",
        ));
    }
    diagnostics.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
    (documents, diagnostics)
}

/// The documents that one of the text makes: a rule that is judged over time makes two.
fn document(reader: &mut Reader, entries: &[Entry<'_>], line: usize) -> Vec<Document> {
    let has = |key: &str| entries.iter().find(|entry| entry.key == key);
    if let Some(action) = has("action") {
        let message = "`action` documents are no part of Sigma 2";
        reader.note(action.error("action-document", message, "write each rule out as a document of its own"));
        return Vec::new();
    }
    if has("correlation").is_some() || stateful::find(entries).is_some() && has("detection").is_none() {
        return correlation::read(reader, entries, line).map(Document::Correlation).into_iter().collect();
    }
    if has("filter").is_some() {
        return filter::read(reader, entries, line).map(Document::Filter).into_iter().collect();
    }
    let Some(rule) = rule::read(reader, entries, line) else { return Vec::new() };
    let voice = stateful::voice(reader, entries, &rule);
    if reader.has_errors() {
        return Vec::new();
    }
    let rule = Document::Rule(*rule);
    std::iter::once(rule).chain(voice.map(Document::Correlation)).collect()
}

#[cfg(test)]
mod tests;
