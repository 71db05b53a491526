//! Reading a detector's file: every mistake at once, with its place and remedy.

use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};

use model::Diagnostic;
use regex::{Regex, RegexBuilder};

use super::Class;
use super::ending::Ending;
use super::signs::{Sign, Signs};
use crate::yaml::{self, Entry, Node, form};

const KEYS: [&str; 4] = ["id", "title", "description", "signs"];
const SIGN_KEYS: [&str; 5] = ["id", "class", "weight", "patterns", "ending"];

pub(super) fn parse(text: &str) -> (Option<Signs>, Vec<Diagnostic>) {
    let (documents, wrong) = yaml::parse(text);
    let mut form = Form(form::Form::new("a detector", wrong));
    let Some(document) = documents.first() else {
        form.refuse_empty("give it an `id` and `signs`");
        return (None, form.0.wrong);
    };
    let signs = form.detector(&document.root);
    let is_usable = !form.wrong.iter().any(Diagnostic::is_error);
    (signs.filter(|_| is_usable), form.0.wrong)
}

/// Reads the nodes of a detector.
struct Form(form::Form);

impl Deref for Form {
    type Target = form::Form;

    fn deref(&self) -> &form::Form {
        &self.0
    }
}

impl DerefMut for Form {
    fn deref_mut(&mut self) -> &mut form::Form {
        &mut self.0
    }
}

impl Form {
    fn detector(&mut self, root: &Node<'_>) -> Option<Signs> {
        let entries = self.map(root, &KEYS)?;
        for key in ["id", "title", "signs"] {
            if root.get(key).is_none() {
                let message = format!("the detector has no `{key}`");
                self.wrong.push(root.error("missing-key", message, format!("add `{key}:`")));
            }
        }
        let (mut id, mut title, mut description, mut signs) = Default::default();
        for entry in entries {
            match &*entry.key {
                "id" => id = self.text(&entry.value),
                "title" => title = self.text(&entry.value),
                "description" => description = self.text(&entry.value).trim().to_owned(),
                "signs" => signs = self.signs(&entry.value),
                _ => {}
            }
        }
        Some(Signs { id, title, description, signs })
    }

    fn signs(&mut self, node: &Node<'_>) -> Vec<Sign> {
        let mut ids = BTreeSet::new();
        let mut signs = Vec::new();
        for node in node.as_list().unwrap_or_default() {
            let Some(sign) = self.sign(node) else { continue };
            if !ids.insert(sign.id.clone()) {
                let message = format!("the sign `{}` stands twice", sign.id);
                self.wrong.push(node.error("duplicate-id", message, "give each sign its own name"));
            }
            signs.push(sign);
        }
        if signs.is_empty() {
            self.wrong.push(node.error("wrong-type", "here are no signs", "write a list of signs"));
        }
        signs
    }

    fn sign(&mut self, node: &Node<'_>) -> Option<Sign> {
        let entries = self.map(node, &SIGN_KEYS)?;
        let (mut id, mut class, mut weight, mut ending, mut patterns) = (String::new(), None, None, None, Vec::new());
        for entry in entries {
            match &*entry.key {
                "id" => id = self.text(&entry.value),
                "class" => class = self.class(&entry.value),
                "weight" => weight = self.share(&entry.value),
                "patterns" => {
                    let nodes = entry.value.as_list().unwrap_or_default();
                    patterns = nodes.iter().filter_map(|node| self.pattern(node)).collect();
                }
                "ending" => ending = self.ending(&entry.value),
                _ => {}
            }
        }
        if id.is_empty() || class.is_none() || weight.is_none() || (ending.is_none() && patterns.is_empty()) {
            let remedy = "write `id`, `class`, `weight` and either `patterns` or `ending`";
            self.wrong.push(node.error("missing-key", "the sign is not whole", remedy));
            return None;
        }
        Some(Sign { id, class: class?, weight: weight?, patterns, ending })
    }

    fn pattern(&mut self, node: &Node<'_>) -> Option<Regex> {
        let text = self.text(node);
        match RegexBuilder::new(&text).dot_matches_new_line(true).build() {
            Ok(regex) if regex.is_match("") => {
                self.wrong.push(node.error("bad-pattern", "this pattern fits every text", "say what must be there"));
                None
            }
            Ok(regex) => Some(regex),
            Err(error) => {
                let remedy = "write a regular expression without look-around or back-references";
                self.wrong.push(node.error("bad-pattern", error.to_string(), remedy));
                None
            }
        }
    }

    fn class(&mut self, node: &Node<'_>) -> Option<Class> {
        let class = node.as_str().and_then(Class::parse);
        if class.is_none() {
            let known: Vec<&str> = Class::ALL.iter().map(|class| class.as_str()).collect();
            self.wrong.push(node.error(
                "unknown-class",
                "this is no class",
                format!("use one of {}", known.join(", ")),
            ));
        }
        class
    }

    fn ending(&mut self, node: &Node<'_>) -> Option<Ending> {
        let (mut odd, mut unbalanced) = (None, 0);
        for entry in self.map(node, &["odd", "unbalanced"])? {
            match &*entry.key {
                "odd" => odd = self.share(&entry.value),
                "unbalanced" => unbalanced = self.count(entry),
                _ => {}
            }
        }
        Some(Ending { odd: odd?, unbalanced })
    }

    /// A number above 0 and below 1.
    fn share(&mut self, node: &Node<'_>) -> Option<f64> {
        let share = node.as_str().and_then(|text| text.parse().ok()).filter(|share| *share > 0.0 && *share < 1.0);
        if share.is_none() {
            self.wrong.push(node.error(
                "wrong-type",
                "this is no share",
                "write a number above 0 and below 1, such as 0.6",
            ));
        }
        share
    }

    fn count(&mut self, entry: &Entry<'_>) -> usize {
        let count = entry.value.as_str().and_then(|text| text.parse().ok());
        count.unwrap_or_else(|| {
            self.wrong.push(entry.value.error("wrong-type", "this is no count", "write a whole number"));
            0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn every_mistake_is_told_at_once_with_its_place() {
        let file = "id: x\nsigns:\n  - {id: a, class: nonsense, weight: 2, patterns: ['(', 'x*']}\n  - {id: b, odd: 1}\nmore: 1\n";
        let (detector, wrong) = parse(file);
        assert!(detector.is_none());
        let codes: Vec<(usize, &str)> = wrong.iter().map(|wrong| (wrong.line, wrong.code.as_str())).collect();
        for wanted in [
            (1, "missing-key"),
            (3, "unknown-class"),
            (3, "wrong-type"),
            (3, "bad-pattern"),
            (4, "unknown-key"),
            (5, "unknown-key"),
        ] {
            assert!(codes.contains(&wanted), "{wanted:?} is not among {codes:?}");
        }
        assert_eq!(codes.iter().filter(|(_, code)| *code == "bad-pattern").count(), 2);
        assert!(wrong.iter().all(|wrong| !wrong.remedy.is_empty()));
    }
}
