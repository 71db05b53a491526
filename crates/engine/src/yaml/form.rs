//! Reading a file of one kind: its maps, lists and texts, with every mistake kept.

use std::collections::BTreeMap;

use model::Diagnostic;

use super::{Entry, Node};

/// Reads nodes and collects what is wrong with them.
pub(crate) struct Form {
    /// What the file describes: `a source`, `a detector`.
    subject: &'static str,
    /// Every mistake so far.
    pub(crate) wrong: Vec<Diagnostic>,
}

impl Form {
    pub(crate) fn new(subject: &'static str, wrong: Vec<Diagnostic>) -> Form {
        Form { subject, wrong }
    }

    /// Says that the file is empty.
    pub(crate) fn refuse_empty(&mut self, remedy: &str) {
        let message = format!("{} says nothing", self.subject);
        self.wrong.push(Diagnostic::error(1, 1, "empty-file", message, remedy));
    }

    /// The entries of a map, if it is one; keys that are not in `known` are mistakes, unless it is empty.
    pub(crate) fn map<'n, 'a>(&mut self, node: &'n Node<'a>, known: &[&str]) -> Option<&'n [Entry<'a>]> {
        let Some(entries) = node.as_map() else {
            let message = format!("here is {}, not a map", node.noun());
            self.wrong.push(node.error("wrong-type", message, format!("write keys: {}", known.join(", "))));
            return None;
        };
        for entry in entries.iter().filter(|entry| !known.is_empty() && !known.contains(&&*entry.key)) {
            let message = format!("{} has no key `{}` here", self.subject, entry.key);
            self.wrong.push(entry.error("unknown-key", message, format!("the keys are {}", known.join(", "))));
        }
        Some(entries)
    }

    /// A list, or one node as a list of one.
    pub(crate) fn list<'n, 'a>(&mut self, node: &'n Node<'a>) -> &'n [Node<'a>] {
        match node.as_list() {
            Some(nodes) => nodes,
            None if node.is_null() => &[],
            None => std::slice::from_ref(node),
        }
    }

    pub(crate) fn text(&mut self, node: &Node<'_>) -> String {
        match node.as_str() {
            Some(text) if !text.trim().is_empty() => text.to_owned(),
            _ => {
                let message = format!("here is {}, not text", node.noun());
                self.wrong.push(node.error("wrong-type", message, "write text"));
                String::new()
            }
        }
    }

    pub(crate) fn texts(&mut self, node: &Node<'_>) -> Vec<String> {
        self.list(node).iter().map(|node| self.text(node)).collect()
    }

    /// A map from a name to one or several texts.
    pub(crate) fn lists(&mut self, node: &Node<'_>) -> BTreeMap<String, Vec<String>> {
        let entries = self.map(node, &[]).unwrap_or_default();
        entries.iter().map(|entry| (entry.key.to_string(), self.texts(&entry.value))).collect()
    }

    /// A map from a name to a text.
    pub(crate) fn pairs(&mut self, node: &Node<'_>) -> BTreeMap<String, String> {
        let entries = self.map(node, &[]).unwrap_or_default();
        entries.iter().map(|entry| (entry.key.to_string(), self.text(&entry.value))).collect()
    }
}

/// `90s`, `30m`, `1h`, `7d` as milliseconds.
pub(crate) fn millis(text: &str) -> Option<i64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let number: i64 = text[..digits].parse().ok()?;
    let unit = match &text[digits..] {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(unit)
}
