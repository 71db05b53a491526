//! What authors write: any text gives documents and diagnostics, and each diagnostic names a line that exists.

use engine::sigma::{self, Document};
use engine::{Engine, Source};
use model::Diagnostic;

use crate::limits;

/// A rule file, parsed and compiled.
pub fn rule(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (documents, diagnostics) = sigma::parse(text);
    in_text(text, &diagnostics);
    let (mut rules, mut filters) = (Vec::new(), Vec::new());
    for document in documents {
        match document {
            Document::Rule(rule) => rules.push(rule),
            Document::Filter(filter) => filters.push(filter),
            Document::Correlation(_) => {}
        }
    }
    let (_, diagnostics) = Engine::compile(Vec::new(), rules, filters, &sigma::Inventory::new(), limits());
    in_text(text, &diagnostics);
}

/// A `source.yml`.
pub fn source(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (source, diagnostics) = Source::parse(text);
    assert!(source.is_some() || !diagnostics.is_empty(), "a source was refused without a word");
    in_text(text, &diagnostics);
}

fn in_text(text: &str, diagnostics: &[Diagnostic]) {
    // YAML ends a line at a carriage return too.
    let lines = text.matches(['\n', '\r']).count() + 2;
    for diagnostic in diagnostics {
        assert!(diagnostic.line <= lines, "line {} of a text of {lines}: {diagnostic:?}", diagnostic.line);
        assert!(!diagnostic.message.is_empty() && !diagnostic.remedy.is_empty(), "no remedy: {diagnostic:?}");
    }
}
