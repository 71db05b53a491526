//! What a `source.yml` says about the shape of its records.

use super::Form;
use crate::detector::{Class, sign_field};
use crate::source::{Pairs, Reading, Source};
use crate::yaml::Node;

impl Form {
    /// Transparent places: paths, in which `*` stands for the last key alone.
    pub(super) fn transparent(&mut self, node: &Node<'_>) -> Vec<String> {
        let mut places = Vec::new();
        for node in self.list(node) {
            let place = self.text(node);
            let above = place.strip_suffix(".*").unwrap_or(&place);
            if place == "*" || above.split('.').any(|key| key == "*" || key.is_empty()) {
                let message = format!("`{place}` is not a place");
                self.wrong.push(node.error("bad-place", message, "write keys with dots between; the last may be `*`"));
            }
            places.push(place);
        }
        places
    }

    /// What is given to a model is sensitive, and what detectors say of it stands in columns.
    pub(super) fn check_prompts(&mut self, root: &Node<'_>, source: &mut Source) {
        let is_covered = |path: &&String| {
            source.sensitive.iter().any(|above| {
                path.strip_prefix(above.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        };
        if let Some(open) = source.prompts.iter().find(|path| !is_covered(path)) {
            let message = format!("the prompt `{open}` is not sensitive");
            self.wrong.push(root.error("open-prompt", message, "add its path, or one above it, to `sensitive:`"));
        }
        if source.prompts.is_empty() {
            return;
        }
        for class in Class::ALL {
            let column = format!("unmapped.detector.{class}");
            source.columns.insert(column.clone(), vec![class.field()]);
            source.column_readings.insert(column, vec![Reading::of(class.field())]);
        }
        source.columns.insert("unmapped.detector.sign".to_owned(), vec![sign_field()]);
        source.column_readings.insert("unmapped.detector.sign".to_owned(), vec![Reading::of(sign_field())]);
    }

    pub(super) fn pairs_of(&mut self, node: &Node<'_>) -> Pairs {
        let mut pairs = Pairs::default();
        for entry in self.map(node, &["list", "name", "value", "under"]).unwrap_or_default() {
            match &*entry.key {
                "list" => pairs.list = self.text(&entry.value),
                "name" => pairs.name = self.texts(&entry.value),
                "value" => pairs.value = self.texts(&entry.value),
                "under" => pairs.under = Some(self.text(&entry.value)),
                _ => {}
            }
        }
        if pairs.list.is_empty() || pairs.name.is_empty() || pairs.value.is_empty() {
            self.wrong.push(node.error(
                "missing-key",
                "pairs need a list, a name and a value",
                "add `list:`, `name:` and `value:`",
            ));
        }
        pairs
    }
}
