//! Which alerts go where.

use model::{Alert, Lane, Level};
use serde::{Deserialize, Serialize};

/// A route's filter: an alert takes the route when every condition holds.
///
/// Shape: an empty list of lanes or rules means all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteRule {
    /// The route's name, as in the configuration.
    pub name: String,
    /// The least level that takes the route.
    pub min_level: Level,
    /// The lanes that take the route.
    pub lanes: Vec<Lane>,
    /// The rule ids that take the route.
    pub rules: Vec<String>,
}

impl RouteRule {
    /// Does `alert` take this route?
    pub fn takes(&self, alert: &Alert) -> bool {
        alert.level >= self.min_level
            && (self.lanes.is_empty() || self.lanes.contains(&alert.lane))
            && (self.rules.is_empty() || self.rules.iter().any(|rule| rule == alert.rule_id.as_str()))
    }
}
