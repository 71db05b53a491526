//! What a `source.yml` says about the shape of its records.

use super::Form;
use crate::source::Pairs;
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
