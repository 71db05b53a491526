//! Reading `ecs:`: fields of the Elastic Common Schema that a source says itself.

use std::collections::BTreeMap;

use super::Form;
use crate::ecs::{ECS_VERSION, schema};
use crate::source::Reading;
use crate::yaml::Node;

impl Form {
    pub(super) fn ecs(&mut self, node: &Node<'_>) -> BTreeMap<String, Vec<Reading>> {
        for entry in self.map(node, &[]).unwrap_or_default() {
            if schema::field(&entry.key).is_none() {
                let message = format!("ECS {ECS_VERSION} has no field `{}`", entry.key);
                self.wrong.push(entry.error("unknown-ecs-field", message, "write a field of the published list"));
            }
        }
        self.columns(node)
    }
}
