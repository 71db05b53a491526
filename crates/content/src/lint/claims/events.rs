//! The events that a rule asks for: the values of the field that its claim is about.

use std::collections::{BTreeMap, BTreeSet};

use engine::sigma::{Condition, Detection, Inventory, Item, Modifier, Value};

use super::listed;
use crate::catalogue::Catalogue;

/// What is claimed and what is so, where they differ; case apart, as in a rule.
///
/// The claim is about the field of which the rule asks for most of what is claimed.
pub(super) fn difference(catalogue: &Catalogue, detection: &Detection, claimed: &[String]) -> Option<(String, String)> {
    let mut asked =
        Asked { detection, inventory: &catalogue.inventory, wanted: BTreeMap::new(), denied: BTreeMap::new() };
    for condition in &detection.conditions {
        asked.condition(condition, true);
    }
    let claimed: BTreeSet<String> = claimed.iter().map(|event| event.to_lowercase()).collect();
    let shown = listed(claimed.iter().cloned());
    let Asked { mut wanted, denied, .. } = asked;
    for (field, values) in denied {
        if let Some(wanted) = wanted.get_mut(&field) {
            wanted.retain(|value| !values.contains(value));
        }
    }
    let common = |values: &BTreeSet<String>| values.intersection(&claimed).count();
    // Of fields that have as much in common, the one that asks for less else, and then the first by name.
    let best = wanted.iter().max_by_key(|(field, values)| {
        (common(values), std::cmp::Reverse(values.len()), std::cmp::Reverse((*field).clone()))
    });
    match best {
        Some((_, values)) if *values == claimed => None,
        Some((field, values)) if common(values) > 0 => {
            Some((shown, format!("`{field}` is one of {}", listed(values.iter().cloned()))))
        }
        _ => Some((shown, "no field is compared with any of them".to_owned())),
    }
}

/// Values that searches compare with, by field, in small letters.
struct Asked<'a> {
    detection: &'a Detection,
    inventory: &'a Inventory,
    wanted: BTreeMap<String, BTreeSet<String>>,
    /// Those of searches that must not hold.
    denied: BTreeMap<String, BTreeSet<String>>,
}

impl Asked<'_> {
    fn condition(&mut self, condition: &Condition, is_wanted: bool) {
        match condition {
            Condition::Search(search) => self.search(*search, is_wanted),
            Condition::Not(part) => self.condition(part, !is_wanted),
            Condition::And(parts) | Condition::Or(parts) => {
                for part in parts {
                    self.condition(part, is_wanted);
                }
            }
            Condition::Of(of) => {
                for search in &of.searches {
                    self.search(*search, is_wanted);
                }
            }
        }
    }

    fn search(&mut self, search: usize, is_wanted: bool) {
        let detection = self.detection;
        let mut items = Vec::new();
        detection.searches[search].body.each_item(&mut |item| items.push(item));
        // A search that must not hold denies an event only where it asks for nothing else.
        if !is_wanted && items.len() > 1 {
            return;
        }
        for item in items {
            let (Some(field), Some(values)) = (&item.field, self.values(item)) else { continue };
            let side = if is_wanted { &mut self.wanted } else { &mut self.denied };
            side.entry(field.clone()).or_default().extend(values);
        }
    }

    /// The values of an item that are compared as they stand.
    fn values(&self, item: &Item) -> Option<BTreeSet<String>> {
        let is_plain = |modifier: Modifier| matches!(modifier, Modifier::Cased | Modifier::Expand);
        if !item.modifiers.iter().all(is_plain) {
            return None;
        }
        let is_list = item.modifiers.iter().any(|modifier| modifier == Modifier::Expand);
        let mut values = BTreeSet::new();
        for value in &item.values {
            let text = match value {
                Value::Text(text) | Value::Number(text) => text,
                Value::Bool(_) | Value::Null => continue,
            };
            let list = text.strip_prefix('%').and_then(|rest| rest.strip_suffix('%')).filter(|_| is_list);
            match list.and_then(|name| self.inventory.get(name)) {
                Some(list) => values.extend(list.iter().map(|value| value.to_lowercase())),
                None => drop(values.insert(text.to_lowercase())),
            }
        }
        (!values.is_empty()).then_some(values)
    }
}
