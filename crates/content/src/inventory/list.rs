//! Named lists.

use engine::context::{AssetKind, Kept};
use engine::yaml::Node;
use model::{Diagnostic, Time};

use super::row::{Defaults, Row, bad_time, read_time};
use super::thing::kind_of;
use crate::yaml::{Map, texts};

/// One list of an inventory file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamedList {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) values: Vec<ListValue>,
    pub(crate) from: Vec<From>,
    pub(crate) kept: Kept,
}

/// A value of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListValue {
    pub(crate) value: String,
    /// It counts for events that are older than this.
    pub(crate) until: Option<Time>,
}

/// Which assets a list takes its values from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct From {
    pub(crate) kind: AssetKind,
    pub(crate) class: Option<String>,
    /// How a value is written: `{id}`, `{name}`, `{attribute}`; each of the names where nothing is said.
    pub(crate) write: String,
    pub(crate) line: usize,
}

const REMEDY: &str = "write `name: [values]` or `name: {owner: …, values: [values]}`";

/// Reads one list.
pub(super) fn parse(
    file: &Map<'_>,
    name: &str,
    node: &Node<'_>,
    defaults: &Defaults,
    wrong: &mut Vec<Diagnostic>,
) -> Option<NamedList> {
    let mut list = NamedList {
        name: name.to_owned(),
        description: None,
        values: Vec::new(),
        from: Vec::new(),
        kept: Kept::default(),
    };
    if node.as_list().is_some() {
        let mut row = Row::new(node.line, node.column, Default::default());
        list.kept = row.kept(defaults, wrong);
        list.values = values(node, wrong);
        return Some(list);
    }
    if node.as_map().is_none() {
        wrong.push(file.error_at(name, "wrong-type", format!("`{name}` is no list"), REMEDY));
        return None;
    }
    let map = Map::of(node, name, wrong)?;
    map.refuse_unknown(&["owner", "description", "reviewed", "review_every", "values", "from"], wrong);
    list.description = map.text("description", wrong);
    list.kept = meta(&map, node).kept(defaults, wrong);
    let given = map.get("values").filter(|values| values.as_list().is_some());
    let derived = map.get("from");
    if given.is_none() && derived.is_none() {
        wrong.push(map.error("missing-key", format!("`{name}` has no list of `values`"), REMEDY));
        return None;
    }
    list.values = given.map(|node| values(node, wrong)).unwrap_or_default();
    list.from = derived.map(|node| froms(node, wrong)).unwrap_or_default();
    Some(list)
}

/// Owner and age as a row, so that they are read as those of things.
fn meta(map: &Map<'_>, node: &Node<'_>) -> Row {
    let cells = ["owner", "reviewed", "review_every"].into_iter().filter_map(|name| {
        let node = map.get(name).filter(|node| !node.is_null())?;
        Some((name.to_owned(), super::row::Cell { line: node.line, column: node.column, values: texts(node) }))
    });
    Row::new(node.line, node.column, cells.collect())
}

fn values(node: &Node<'_>, wrong: &mut Vec<Diagnostic>) -> Vec<ListValue> {
    let mut values = Vec::new();
    for node in node.as_list().unwrap_or_default() {
        if let Some(text) = node.as_str() {
            values.push(ListValue { value: text.to_owned(), until: None });
            continue;
        }
        let Some(map) = Map::of(node, "a value", wrong) else { continue };
        map.refuse_unknown(&["value", "until", "reason"], wrong);
        let until = map.text("until", wrong).and_then(|text| {
            let until = read_time(&text, true);
            if until.is_none() {
                wrong.push(bad_time((node.line, node.column), "until", &text));
            }
            until
        });
        if let Some(value) = map.required_text("value", wrong) {
            values.push(ListValue { value, until });
        }
    }
    values
}

fn froms(node: &Node<'_>, wrong: &mut Vec<Diagnostic>) -> Vec<From> {
    let nodes: Vec<&Node<'_>> = node.as_list().map_or_else(|| vec![node], |nodes| nodes.iter().collect());
    let mut froms = Vec::new();
    for node in nodes {
        let Some(mut row) = Row::of(node, wrong) else { continue };
        let kind = row.required("kind", wrong).and_then(|word| kind_of(&row, &word, wrong));
        let class = row.text("class", wrong);
        let write = row.text("write", wrong).unwrap_or_else(|| "{name}".to_owned());
        row.refuse_unknown(wrong);
        if let Some(kind) = kind {
            froms.push(From { kind, class, write, line: row.line });
        }
    }
    froms
}
