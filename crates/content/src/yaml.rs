//! Maps of YAML documents, read key by key with mistakes at their places.

use engine::yaml::{Entry, Node};
use model::Diagnostic;

use crate::nearest::nearest;

/// A map of a document.
#[derive(Clone, Copy)]
pub(crate) struct Map<'n> {
    node: &'n Node<'n>,
    entries: &'n [Entry<'n>],
}

impl<'n> Map<'n> {
    /// The node as a map; reports it as `what` when it is none.
    pub(crate) fn of(node: &'n Node<'n>, what: &str, wrong: &mut Vec<Diagnostic>) -> Option<Map<'n>> {
        let entries = node.as_map();
        if entries.is_none() {
            wrong.push(node.error("wrong-type", format!("{what} is {}", node.noun()), "write a map of `key: value`"));
        }
        entries.map(|entries| Map { node, entries })
    }

    /// The line of the map.
    pub(crate) fn line(&self) -> usize {
        self.node.line
    }

    /// The entries, in order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&'n str, &'n Node<'n>)> + use<'n> {
        self.entries.iter().map(|entry| (entry.key.as_ref(), &entry.value))
    }

    /// The value under `key`.
    pub(crate) fn get(&self, key: &str) -> Option<&'n Node<'n>> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// The text under `key`, whatever scalar it is; `None` when it is absent or null.
    pub(crate) fn text(&self, key: &str, wrong: &mut Vec<Diagnostic>) -> Option<String> {
        let node = self.get(key).filter(|node| !node.is_null())?;
        let text = node.as_str();
        if text.is_none() {
            wrong.push(node.error("wrong-type", format!("`{key}` is {}", node.noun()), "write text"));
        }
        text.map(str::to_owned)
    }

    /// The text under `key`; reports its absence.
    pub(crate) fn required_text(&self, key: &str, wrong: &mut Vec<Diagnostic>) -> Option<String> {
        if self.get(key).is_none_or(Node::is_null) {
            wrong.push(self.error("missing-key", format!("`{key}` is missing"), format!("add `{key}:`")));
            return None;
        }
        self.text(key, wrong)
    }

    /// Reports keys that are not `known`.
    pub(crate) fn refuse_unknown(&self, known: &[&str], wrong: &mut Vec<Diagnostic>) {
        for entry in self.entries.iter().filter(|entry| !known.contains(&entry.key.as_ref())) {
            let remedy = match nearest(&entry.key, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known keys: {}", known.join(", ")),
            };
            wrong.push(entry.error("unknown-key", format!("unknown key `{}`", entry.key), remedy));
        }
    }

    /// An error at the map.
    pub(crate) fn error(&self, code: &str, message: impl Into<String>, remedy: impl Into<String>) -> Diagnostic {
        self.node.error(code, message, remedy)
    }

    /// An error at the value under `key`.
    pub(crate) fn error_at(
        &self,
        key: &str,
        code: &str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Diagnostic {
        self.get(key).unwrap_or(self.node).error(code, message, remedy)
    }
}

/// The scalars of a list as text; a scalar is a list of one.
pub(crate) fn texts(node: &Node<'_>) -> Vec<String> {
    match node.as_list() {
        Some(nodes) => nodes.iter().filter_map(Node::as_str).map(str::to_owned).collect(),
        None => node.as_str().map(str::to_owned).into_iter().collect(),
    }
}
