//! The log sources of a `source.yml`, and on which records they are carried.

use super::Form;
use crate::sigma::LogSource;
use crate::source::routing::{COMBINATIONS_MAX, Conditions, ENTRIES_MAX, Route};
use crate::yaml::Node;

impl Form {
    pub(super) fn routes(&mut self, node: &Node<'_>) -> Vec<Route> {
        let routes: Vec<Route> = self.list(node).iter().map(|node| self.route(node)).collect();
        if routes.len() > ENTRIES_MAX {
            let message = format!("the source carries {} log sources; {ENTRIES_MAX} are possible", routes.len());
            let remedy = "join entries that differ only in a value of `when`: a path may have a list of values";
            self.wrong.push(node.error("too-many-logsources", message, remedy));
        }
        let combinations = Conditions::of(&routes).combinations();
        if combinations > COMBINATIONS_MAX {
            let message = format!(
                "the conditions of its log sources tell {combinations} combinations of values apart; {COMBINATIONS_MAX} are possible"
            );
            let remedy = "use fewer different paths in `when:`, or give values that belong together one entry";
            self.wrong.push(node.error("too-many-combinations", message, remedy));
        }
        routes
    }

    fn route(&mut self, node: &Node<'_>) -> Route {
        let mut route = Route::default();
        let source = &mut route.logsource;
        for entry in self.map(node, &["product", "category", "service", "when", "fields"]).unwrap_or_default() {
            match &*entry.key {
                "product" => source.product = Some(self.text(&entry.value)),
                "category" => source.category = Some(self.text(&entry.value)),
                "service" => source.service = Some(self.text(&entry.value)),
                "fields" => route.fields = self.lists(&entry.value),
                "when" => {
                    route.when = self.lists(&entry.value);
                    let never = entry.value.as_map().into_iter().flatten().filter(|entry| {
                        let nodes = entry.value.as_list();
                        nodes.is_some_and(<[Node<'_>]>::is_empty) || entry.value.is_null()
                    });
                    for entry in never {
                        let message = format!("`{}` has no value, so this never holds", entry.key);
                        self.wrong.push(entry.error("empty-condition", message, "write the values that it may have"));
                    }
                }
                _ => {}
            }
        }
        route
    }
}

/// The log sources of the entries, each once, in order.
pub(super) fn logsources(routes: &[Route]) -> Vec<LogSource> {
    let mut logsources: Vec<LogSource> = Vec::new();
    for route in routes {
        if !logsources.contains(&route.logsource) {
            logsources.push(route.logsource.clone());
        }
    }
    logsources
}
