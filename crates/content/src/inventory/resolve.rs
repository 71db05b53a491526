//! Lists, with what they take from assets.

use std::collections::{BTreeMap, BTreeSet};

use engine::context::{Asset, Things};
use engine::sigma::Inventory;
use model::{Diagnostic, Time};

use super::list::{From, NamedList};
use crate::catalogue::InventoryList;

/// The lists as rules see them.
#[derive(Default)]
pub(crate) struct Resolved {
    pub(crate) inventory: Inventory,
    pub(crate) lists: BTreeMap<String, InventoryList>,
    pub(crate) wrong: Vec<Diagnostic>,
}

/// Fills lists from assets. The order of values is that of the file, then of the assets; none stands twice.
pub(crate) fn resolve(lists: &BTreeMap<String, NamedList>, things: &Things) -> Resolved {
    let mut resolved = Resolved::default();
    for (name, list) in lists {
        let mut values: Vec<(String, Option<Time>)> =
            list.values.iter().map(|value| (value.value.clone(), value.until)).collect();
        for from in &list.from {
            let taken = things.assets.iter().filter(|asset| from.takes(asset));
            for asset in taken {
                match from.write(asset) {
                    Ok(written) => values.extend(written.into_iter().map(|value| (value, asset.until))),
                    Err(hole) => resolved.wrong.push(no_attribute(list, from, asset, &hole)),
                }
            }
        }
        put(&mut resolved.inventory, name, values);
        let described = InventoryList {
            description: list.description.clone(),
            derived: !list.from.is_empty(),
            kept: list.kept.clone(),
        };
        resolved.lists.insert(name.clone(), described);
    }
    resolved
}

/// What stands twice ends when the last of it ends.
fn put(inventory: &mut Inventory, name: &str, values: Vec<(String, Option<Time>)>) {
    let mut ends: BTreeMap<&str, Option<Time>> = BTreeMap::new();
    for (value, until) in &values {
        let known = ends.entry(value).or_insert(*until);
        *known = known.zip(*until).map(|(known, until)| known.max(until));
    }
    let mut seen = BTreeSet::new();
    let order = values.iter().map(|(value, _)| value).filter(|value| seen.insert(value.as_str())).cloned().collect();
    inventory.insert(name, order);
    for (value, end) in ends {
        if let Some(end) = end {
            inventory.set_end(name, value, end);
        }
    }
}

fn no_attribute(list: &NamedList, from: &From, asset: &Asset, hole: &str) -> Diagnostic {
    let message = format!(
        "`{}` writes `{{{hole}}}`, and {} `{}` has no such attribute",
        list.name,
        asset.kind.as_str(),
        asset.id
    );
    let remedy = format!("write `{{id}}` or `{{name}}`, or add `attributes: {{{hole}: …}}` to it");
    Diagnostic::error(from.line, 0, "unknown-attribute", message, remedy).in_file(list.kept.file.clone())
}

impl From {
    fn takes(&self, asset: &Asset) -> bool {
        asset.kind == self.kind && self.class.as_ref().is_none_or(|class| asset.classes.contains(class))
    }

    /// The values of one asset; errors with the name of an attribute that it lacks.
    fn write(&self, asset: &Asset) -> Result<Vec<String>, String> {
        let names: &[String] = if self.write.contains("{name}") { &asset.names } else { &asset.names[..1] };
        names.iter().map(|name| fill(&self.write, asset, name)).collect()
    }
}

fn fill(template: &str, asset: &Asset, name: &str) -> Result<String, String> {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((hole, after)) = after.split_once('}') else { break };
        text.push_str(before);
        match hole {
            "id" => text.push_str(&asset.id),
            "name" => text.push_str(name),
            hole => text.push_str(asset.attributes.get(hole).ok_or_else(|| hole.to_owned())?),
        }
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}
