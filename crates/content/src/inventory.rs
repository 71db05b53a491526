//! Inventory files: the lists behind `|expand`.
//!
//! A list is `name: [values]`, or `name: {owner: …, description: …, values: [values]}`.

use model::Diagnostic;

use engine::yaml::Node;

use crate::yaml::{Map, texts};

/// One list of an inventory file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamedList {
    pub(crate) name: String,
    pub(crate) owner: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) values: Vec<String>,
}

/// Reads an inventory file; a list that cannot be used is reported and left out.
pub(crate) fn parse(text: &str) -> (Vec<NamedList>, Vec<Diagnostic>) {
    let (documents, mut wrong) = engine::yaml::parse(text);
    let mut lists = Vec::new();
    for document in &documents {
        let Some(map) = Map::of(&document.root, "the file", &mut wrong) else { continue };
        for (name, node) in map.entries() {
            lists.extend(parse_list(&map, name, node, &mut wrong));
        }
    }
    (lists, wrong)
}

fn parse_list(file: &Map<'_>, name: &str, node: &Node<'_>, wrong: &mut Vec<Diagnostic>) -> Option<NamedList> {
    let remedy = "write `name: [values]` or `name: {owner: …, values: [values]}`";
    if node.as_list().is_some() {
        return Some(NamedList { name: name.to_owned(), owner: None, description: None, values: texts(node) });
    }
    if node.as_map().is_none() {
        wrong.push(file.error_at(name, "wrong-type", format!("`{name}` is no list"), remedy));
        return None;
    }
    let map = Map::of(node, name, wrong)?;
    map.refuse_unknown(&["owner", "description", "values"], wrong);
    let Some(values) = map.get("values").filter(|values| values.as_list().is_some()) else {
        wrong.push(map.error("missing-key", format!("`{name}` has no list of `values`"), remedy));
        return None;
    };
    let (owner, description) = (map.text("owner", wrong), map.text("description", wrong));
    Some(NamedList { name: name.to_owned(), owner, description, values: texts(values) })
}
