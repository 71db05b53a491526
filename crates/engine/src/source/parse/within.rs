//! Reading `within:`, the records that hold several of a source's, and `remap:`, the program that makes a record anew.

use super::Form;
use crate::source::{References, RemapText, Within};
use crate::yaml::Node;

/// Lists in each other at most.
const LISTS_MAX: usize = 3;

impl Form {
    /// `nan: text`.
    pub(super) fn nan(&mut self, node: &Node<'_>) -> bool {
        if node.as_str() != Some("text") {
            let remedy = "write `nan: text`, or leave it out: a record with `NaN` is then rejected";
            self.wrong.push(node.error("wrong-type", "this says nothing of numbers that JSON has no word for", remedy));
        }
        true
    }

    /// `remap: |` with a program below it.
    pub(super) fn remap(&mut self, node: &Node<'_>) -> Option<RemapText> {
        let text = self.text(node);
        // Of any other text it is not known which line of the program stands where.
        let is_block = node.is_literal();
        if !text.is_empty() && !is_block {
            let remedy = "write `remap: |`, and the program on the lines below it";
            self.wrong.push(node.error("wrong-type", "a program stands below its key, as it is written", remedy));
        }
        is_block.then_some(RemapText { text, line: node.line })
    }

    pub(super) fn within(&mut self, node: &Node<'_>) -> Option<Within> {
        let mut within = Within::default();
        for entry in self.map(node, &["of", "at", "with", "without", "references", "instead"])? {
            let node = &entry.value;
            match &*entry.key {
                "of" => within.of = self.recognise(node),
                "at" => within.at = self.texts(node),
                "with" => within.with = self.pairs(node),
                "without" => within.without = self.texts(node),
                "references" => within.references = self.references(node),
                "instead" => within.instead = node.as_str() == Some("true"),
                _ => {}
            }
        }
        if !(1..=LISTS_MAX).contains(&within.at.len()) || node.get("of").is_none() {
            let remedy =
                format!("say with `of:` which records hold them, and with `at:` the keys of 1 to {LISTS_MAX} lists");
            self.wrong.push(node.error("missing-key", "nothing says where these records stand", remedy));
            return None;
        }
        if let Some(key) = within.at.iter().find(|key| key.contains('.')) {
            let message = format!("`{key}` is a path, not the key of a list");
            self.wrong.push(node.error("wrong-type", message, "lists stand at the top of the record or element"));
        }
        Some(within)
    }

    fn references(&mut self, node: &Node<'_>) -> Option<References> {
        let mut references = References::default();
        for entry in self.map(node, &["prefix", "from"])? {
            match &*entry.key {
                "prefix" => references.prefix = self.text(&entry.value),
                "from" => references.from = self.text(&entry.value),
                _ => {}
            }
        }
        if references.prefix.is_empty() || references.from.is_empty() {
            let remedy = "write how such a text starts, and where the texts are: `{prefix: 'attachment://', from: samples.attachments}`";
            self.wrong.push(node.error("missing-key", "these references cannot be followed", remedy));
            return None;
        }
        Some(references)
    }
}
