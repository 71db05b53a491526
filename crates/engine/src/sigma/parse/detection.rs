//! Reads `detection` and `filter`: searches, items, values and conditions.

use model::Diagnostic;

use super::super::atom::{self, Problem};
use super::super::bounds::{CONDITION_TOKENS_MAX, VALUE_BYTES_MAX, VALUES_MAX};
use super::super::detection::{Condition, Detection, Group, Item, Search, Value};
use super::super::modifier::{Modifier, Modifiers};
use super::condition;
use super::reader::{Reader, nearest};
use crate::yaml::{Entry, Kind, Node, Style, Typed};

/// Reads searches and conditions; keys in `other_keys` belong to the caller.
///
/// Shape: `None` where something is wrong; the reader has the diagnostics.
pub(super) fn read(reader: &mut Reader, entry: &Entry<'_>, other_keys: &[&str]) -> Option<Detection> {
    let errors = reader.diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    let entries = reader.map(entry);
    let mut detection = Detection::default();
    let mut conditions = None;
    let mut values = 0;
    for part in entries {
        match part.key.as_ref() {
            "condition" => conditions = Some(part),
            "timeframe" => reader.note(part.warning(
                "timeframe",
                "`timeframe` belongs to aggregations, which are no part of Sigma 2, and is not used",
                "write a correlation document with a `timespan`",
            )),
            key if other_keys.contains(&key) => {}
            key => {
                // A search that cannot be read still has its name, so that the condition's own mistakes are told too.
                let body = Body { values: &mut values }.group(reader, part).unwrap_or(Group::Any(Vec::new()));
                detection.searches.push(Search { name: key.to_owned(), line: part.line, body });
            }
        }
    }
    if entries
        .iter()
        .all(|part| part.key == "condition" || part.key == "timeframe" || other_keys.contains(&part.key.as_ref()))
    {
        let message = format!("`{}` has no search", entry.key);
        reader.note(entry.error("missing-search", message, "add a search such as `selection:` with fields and values"));
    }
    match conditions {
        None => {
            let message = format!("`{}` has no condition", entry.key);
            reader.note(entry.error("missing-condition", message, "add `condition: selection`"));
        }
        Some(part) if !detection.searches.is_empty() => read_conditions(reader, part, &mut detection),
        Some(_) => {}
    }
    let is_right = reader.diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count() == errors;
    is_right.then_some(detection)
}

fn read_conditions(reader: &mut Reader, entry: &Entry<'_>, detection: &mut Detection) {
    let nodes = reader.list(entry);
    if nodes.is_empty() {
        reader.note(entry.error("missing-condition", "the condition is empty", "write `condition: selection`"));
    }
    for node in nodes.iter().take(CONDITION_TOKENS_MAX) {
        let Some(text) = node.as_str() else {
            reader.note(node.error(
                "bad-type",
                format!("the condition is {}", node.noun()),
                "write the condition as text",
            ));
            continue;
        };
        match condition::parse(text, &detection.searches) {
            Ok(condition) => detection.conditions.push(condition),
            Err(mistakes) => {
                for mistake in mistakes {
                    let (line, column) = place_in(node, text, mistake.at);
                    reader.note(Diagnostic::error(line, column, &mistake.code, mistake.message, mistake.remedy));
                }
            }
        }
    }
    let mut used = vec![false; detection.searches.len()];
    detection.conditions.iter().for_each(|condition| mark(condition, &mut used));
    if detection.conditions.len() == nodes.len() {
        // A name with an underscore in front says that the search is spare.
        let is_spare = |search: &Search| search.name.starts_with('_');
        for (search, _) in detection.searches.iter().zip(used).filter(|(search, used)| !used && !is_spare(search)) {
            let message = format!("search `{}` is in no condition", search.name);
            let remedy = "name it in the condition, or remove it";
            reader.note(Diagnostic::warning(search.line, 0, "unused-search", message, remedy));
        }
    }
}

pub(super) fn mark(condition: &Condition, used: &mut [bool]) {
    match condition {
        Condition::Search(search) => used[*search] = true,
        Condition::Not(part) => mark(part, used),
        Condition::And(parts) | Condition::Or(parts) => parts.iter().for_each(|part| mark(part, used)),
        Condition::Of(of) => of.searches.iter().for_each(|search| used[*search] = true),
    }
}

/// The place in the file of byte `at` of a scalar's text; column 0 where folding or escapes hide it.
pub(super) fn place_in(node: &Node<'_>, text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at.min(text.len())];
    let column = before.chars().count();
    match &node.kind {
        Kind::Scalar(_, Style::Plain) if !text.contains('\n') => (node.line, node.column + column),
        Kind::Scalar(_, Style::Quoted) if !text.contains('\n') => (node.line, node.column + 1 + column),
        Kind::Scalar(_, Style::Literal) => (node.line + before.matches('\n').count(), 0),
        // Blocks begin at their first line of text.
        _ => (node.line, 0),
    }
}

/// Reads the body of a search, with the values of all searches counted.
struct Body<'v> {
    values: &'v mut usize,
}

impl Body<'_> {
    fn group(&mut self, reader: &mut Reader, search: &Entry<'_>) -> Option<Group> {
        let group = self.node(reader, &search.key, &search.value);
        if *self.values > VALUES_MAX {
            let message = format!("the searches have more than {VALUES_MAX} values");
            reader.note(search.error(
                "too-many-values",
                message,
                "move the values to an inventory list, or split the rule",
            ));
            return None;
        }
        group
    }

    fn node(&mut self, reader: &mut Reader, search: &str, node: &Node<'_>) -> Option<Group> {
        match &node.kind {
            Kind::Map(entries) if entries.is_empty() => empty(reader, search, node),
            Kind::List(nodes) if nodes.is_empty() => empty(reader, search, node),
            _ if node.is_null() => empty(reader, search, node),
            Kind::Map(entries) => {
                let parts: Vec<Option<Group>> = entries.iter().map(|entry| self.item(reader, entry)).collect();
                parts.into_iter().collect::<Option<Vec<Group>>>().map(|parts| only_or(parts, Group::All))
            }
            Kind::List(nodes) if nodes.iter().all(|node| node.as_str().is_some()) => self.keywords(reader, nodes),
            Kind::List(nodes) => {
                let parts: Vec<Option<Group>> = nodes.iter().map(|node| self.node(reader, search, node)).collect();
                parts.into_iter().collect::<Option<Vec<Group>>>().map(|parts| only_or(parts, Group::Any))
            }
            Kind::Scalar(..) => self.keywords(reader, std::slice::from_ref(node)),
        }
    }

    fn keywords(&mut self, reader: &mut Reader, nodes: &[Node<'_>]) -> Option<Group> {
        let first = nodes.first()?;
        self.values(reader, None, Modifiers::default(), nodes, (first.line, first.column))
    }

    fn item(&mut self, reader: &mut Reader, entry: &Entry<'_>) -> Option<Group> {
        let mut parts = entry.key.split('|');
        let field = parts.next().map(str::trim).filter(|field| !field.is_empty());
        let mut chain = Vec::new();
        let mut is_known = true;
        for word in parts {
            match Modifier::parse(word.trim()) {
                Some(modifier) => chain.push(modifier),
                None => {
                    is_known = false;
                    let column = entry.column + entry.key.find(word).unwrap_or(0);
                    let remedy = match nearest(word, Modifier::spellings()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("modifiers are {}", Modifier::spellings().collect::<Vec<_>>().join(", ")),
                    };
                    let message = format!("`{word}` is no modifier");
                    reader.note(Diagnostic::error(entry.line, column, "unknown-modifier", message, remedy));
                }
            }
        }
        if !is_known {
            return None;
        }
        let modifiers = match Modifiers::new(chain) {
            Ok(modifiers) => modifiers,
            Err(illegal) => {
                reader.note(entry.error("illegal-modifiers", illegal.message, illegal.remedy));
                return None;
            }
        };
        let nodes = match &entry.value.kind {
            Kind::Map(_) => {
                let message = format!("field `{}` has a map as its value", entry.key);
                let remedy = "write nested fields with dots: `requestParameters.bucketName: value`";
                reader.note(entry.value.error("nested-map", message, remedy));
                return None;
            }
            Kind::List(nodes) => &nodes[..],
            Kind::Scalar(..) => std::slice::from_ref(&entry.value),
        };
        if nodes.is_empty() {
            let message = format!("field `{}` has an empty list as its value", entry.key);
            reader.note(entry.value.error("empty-list", message, "write a value, or `null` for an absent field"));
            return None;
        }
        check_lists(reader, entry, &modifiers, nodes);
        if let (Kind::List(_), Some(null)) = (&entry.value.kind, nodes.iter().find(|node| node.is_null())) {
            let message = format!("the values of `{}` have null among them, which is no value of a list", entry.key);
            let remedy = "ask for null in a search of its own, and join the two by `or` in the condition";
            reader.note(null.error("null-in-list", message, remedy));
            return None;
        }
        self.values(reader, field, modifiers, nodes, (entry.line, entry.column))
    }

    fn values(
        &mut self,
        reader: &mut Reader,
        field: Option<&str>,
        modifiers: Modifiers,
        nodes: &[Node<'_>],
        (line, column): (usize, usize),
    ) -> Option<Group> {
        let mut values = Vec::with_capacity(nodes.len());
        let is_as_written = modifiers.iter().all(compares_as_written);
        for node in nodes {
            let Some(typed) = node.typed() else {
                let message = format!("a list of values has {} in it", node.noun());
                reader.note(node.error(
                    "bad-type",
                    message,
                    "write values only; maps belong directly under the search",
                ));
                continue;
            };
            let value = match typed {
                Typed::Null => Value::Null,
                Typed::Bool(is_set) => Value::Bool(is_set),
                Typed::Number(lexeme) => Value::Number(lexeme.to_owned()),
                Typed::Text(text) => Value::Text(text.to_owned()),
            };
            // Most values are texts that nothing can be wrong with, and that stand for one test.
            if is_as_written && value.as_text().is_some_and(|text| text.len() <= VALUE_BYTES_MAX) {
                *self.values += 1;
                values.push(value);
                continue;
            }
            match atom::of_value(&modifiers, field.is_some(), &value, None) {
                Ok(atoms) => *self.values += atoms.len().max(1),
                Err(problem) => note_problem(reader, node, problem),
            }
            check_placeholders(reader, node, &modifiers, &value);
            values.push(value);
        }
        let field = field.map(str::to_owned);
        (!reader.has_errors() || values.len() == nodes.len()).then_some(Group::Item(Item {
            field,
            modifiers,
            values,
            line,
            column,
        }))
    }
}

fn only_or(mut parts: Vec<Group>, join: fn(Vec<Group>) -> Group) -> Group {
    if parts.len() == 1 { parts.remove(0) } else { join(parts) }
}

fn empty(reader: &mut Reader, search: &str, node: &Node<'_>) -> Option<Group> {
    let message = format!("search `{search}` is empty");
    reader.note(node.error("empty-search", message, "add a field with a value, or remove the search"));
    None
}

fn check_lists(reader: &mut Reader, entry: &Entry<'_>, modifiers: &Modifiers, nodes: &[Node<'_>]) {
    if modifiers.has(Modifier::Exists) && nodes.len() > 1 {
        reader.note(entry.error("bad-value-type", "`exists` takes one value", "write `true` or `false`"));
    }
    if modifiers.has(Modifier::All) && nodes.len() == 1 && !modifiers.has(Modifier::Expand) {
        let message = format!("`all` in `{}` has one value, so it says nothing", entry.key);
        reader.note(entry.warning("all-of-one", message, "drop `all`, or add values"));
    }
}

/// Does the modifier leave a text what it is?
fn compares_as_written(modifier: Modifier) -> bool {
    use Modifier::*;
    matches!(modifier, All | Contains | StartsWith | EndsWith | Cased | Neq)
}

fn check_placeholders(reader: &mut Reader, node: &Node<'_>, modifiers: &Modifiers, value: &Value) {
    let Value::Text(text) = value else { return };
    if modifiers.has(Modifier::Expand) && atom::placeholders(text).is_empty() {
        let message = format!("`expand` finds no `%placeholder%` in `{text}`");
        reader.note(node.warning(
            "no-placeholder",
            message,
            "name an inventory list between percent signs, or drop `expand`",
        ));
    }
}

fn note_problem(reader: &mut Reader, node: &Node<'_>, problem: Problem) {
    let (mut line, mut column) = (node.line, node.column);
    if let (Some(at), Some(text)) = (problem.at, node.as_str()) {
        let bytes = text.char_indices().nth(at).map_or(text.len(), |(byte, _)| byte);
        (line, column) = place_in(node, text, bytes);
    }
    reader.note(Diagnostic::error(line, column, problem.code, problem.message, problem.remedy));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_compared_as_written_stands_for_one_test_and_cannot_be_wrong() {
        let words: Vec<Modifier> = Modifier::spellings().filter_map(Modifier::parse).collect();
        let mut chains = vec![Vec::new()];
        for first in &words {
            chains.push(vec![*first]);
            chains.extend(words.iter().map(|second| vec![*first, *second]));
        }
        let legal = chains.into_iter().filter_map(|chain| Modifiers::new(chain).ok());
        let as_written: Vec<Modifiers> = legal.filter(|chain| chain.iter().all(compares_as_written)).collect();
        assert!(as_written.len() > 10, "{as_written:?}");
        for modifiers in &as_written {
            for text in ["", " ", "*", "a*b?c", r"\*", "-a /b", "%list%", "12", "null", "é"] {
                for has_field in [true, false] {
                    let atoms = atom::of_value(modifiers, has_field, &Value::Text(text.to_owned()), None);
                    assert_eq!(atoms.map(|atoms| atoms.len()), Ok(1), "`{text}` with `{modifiers}`");
                }
            }
        }
    }
}
