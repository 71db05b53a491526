//! Inventory files: named lists, and the lab's things.
//!
//! In: YAML, and CSV whose columns a YAML file maps. Out: [`Parsed`], and every mistake with its line.
//! A list is `name: [values]`, or `name: {owner: …, values: [values], from: {kind: …, class: …}}`; the keys `assets`, `changes`, `on_call`,
//! `defaults` and `csv` are no lists.

mod ages;
mod csv;
mod list;
mod propose;
mod resolve;
mod row;
#[cfg(test)]
mod tests;
mod thing;

use engine::context::Things;
use engine::yaml::Node;
use model::Diagnostic;

use crate::yaml::Map;
pub use ages::{Aged, ages, lint_ages};
pub(crate) use csv::Table;
pub(crate) use list::NamedList;
pub use propose::{Proposed, proposed_yaml};
pub(crate) use resolve::resolve;
use row::{Defaults, Row};

/// What an inventory file holds.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    /// The named lists.
    pub(crate) lists: Vec<NamedList>,
    /// The things.
    pub(crate) things: Things,
    /// Tables whose columns it maps.
    pub(crate) tables: Vec<Table>,
}

/// Keys of a file that are no lists.
const SECTIONS: [&str; 5] = ["assets", "changes", "on_call", "defaults", "csv"];

/// Reads an inventory file; what cannot be used is reported and left out.
pub(crate) fn parse(text: &str) -> (Parsed, Vec<Diagnostic>) {
    let (documents, mut wrong) = engine::yaml::parse(text);
    let mut parsed = Parsed::default();
    for document in &documents {
        let Some(map) = Map::of(&document.root, "the file", &mut wrong) else { continue };
        let defaults = Defaults::parse(&map, &mut wrong);
        for (name, node) in map.entries() {
            match name {
                "defaults" => {}
                "csv" => parsed.tables.extend(csv::parse(node, &defaults, &mut wrong)),
                name if SECTIONS.contains(&name) => section(name, node, &defaults, &mut parsed.things, &mut wrong),
                name => parsed.lists.extend(list::parse(&map, name, node, &defaults, &mut wrong)),
            }
        }
    }
    (parsed, wrong)
}

/// A list of things.
fn section(name: &str, node: &Node<'_>, defaults: &Defaults, things: &mut Things, wrong: &mut Vec<Diagnostic>) {
    let Some(nodes) = node.as_list() else {
        let remedy = format!("write `{name}:` and a list of maps, or call a list of values by another name");
        wrong.push(node.error("wrong-type", format!("`{name}` is {}", node.noun()), remedy));
        return;
    };
    for node in nodes {
        if let Some(row) = Row::of(node, wrong) {
            thing::take(name, row, defaults, things, wrong);
        }
    }
}
