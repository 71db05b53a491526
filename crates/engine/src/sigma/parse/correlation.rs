//! Reads a Sigma correlation, whole. Nothing evaluates it yet, and a warning says so.

use std::collections::BTreeMap;

use super::super::document::{Correlation, CorrelationCondition, CorrelationKind};
use super::meta;
use super::reader::Reader;
use crate::yaml::{Entry, Kind};

const KEYS: [&str; 17] = [
    "title",
    "id",
    "name",
    "description",
    "author",
    "references",
    "date",
    "modified",
    "status",
    "license",
    "tags",
    "level",
    "falsepositives",
    "fields",
    "correlation",
    "generate",
    "related",
];
const PARTS: [&str; 7] = ["type", "rules", "group-by", "timespan", "condition", "aliases", "generate"];
const BOUNDS: [&str; 6] = ["gt", "gte", "lt", "lte", "eq", "neq"];

/// Reads a correlation; `None` where something is wrong with it.
pub(super) fn read(reader: &mut Reader, entries: &[Entry<'_>], line: usize) -> Option<Correlation> {
    let mut correlation = blank(line);
    let mut has_kind = false;
    for entry in entries {
        match entry.key.as_ref() {
            "title" => correlation.title = meta::title(reader, entry).unwrap_or_default(),
            "id" => correlation.id = meta::uuid(reader, entry),
            "name" => correlation.name = reader.text(entry),
            "description" => correlation.description = reader.text(entry),
            "date" | "modified" => drop(meta::date(reader, entry)),
            "level" => correlation.level = meta::level(reader, entry),
            "generate" => correlation.generate = reader.truth(entry).unwrap_or_default(),
            "correlation" => has_kind = body(reader, entry, &mut correlation),
            key if KEYS.contains(&key) => {}
            key => {
                let message = format!("`{key}` is no key of a Sigma correlation");
                reader.note(entry.warning("unknown-key", message, "remove it if it is a mistake"));
            }
        }
    }
    if !entries.iter().any(|entry| entry.key == "title") {
        meta::missing(reader, line, "title", "add one line that says what is found");
    }
    if reader.has_errors() || !has_kind {
        return None;
    }
    let entry = entries.iter().find(|entry| entry.key == "correlation")?;
    let message = format!("correlation `{}` is read and kept, and not evaluated yet", correlation.title);
    reader.note(entry.warning("correlation-not-evaluated", message, "its rules are evaluated on their own"));
    Some(correlation)
}

fn blank(line: usize) -> Correlation {
    Correlation {
        file: String::new(),
        line,
        id: None,
        name: None,
        title: String::new(),
        description: None,
        level: None,
        kind: CorrelationKind::EventCount,
        rules: Vec::new(),
        group_by: Vec::new(),
        timespan_ms: 0,
        condition: None,
        aliases: BTreeMap::new(),
        generate: false,
    }
}

/// Reads what is under `correlation`; says whether its type could be read.
fn body(reader: &mut Reader, entry: &Entry<'_>, correlation: &mut Correlation) -> bool {
    let mut kind = None;
    let parts = reader.map(entry);
    for part in parts {
        match part.key.as_ref() {
            "type" => kind = read_kind(reader, part),
            "rules" => correlation.rules = reader.texts(part),
            "group-by" => correlation.group_by = reader.texts(part),
            "timespan" => correlation.timespan_ms = reader.duration_ms(part).unwrap_or_default(),
            "condition" => correlation.condition = condition(reader, part),
            "aliases" => correlation.aliases = aliases(reader, part),
            "generate" => correlation.generate = reader.truth(part).unwrap_or_default(),
            _ => reader.unknown_key(part, "`correlation`", &PARTS),
        }
    }
    let has = |key: &str| parts.iter().any(|part| part.key == key);
    for key in ["type", "rules", "timespan"].into_iter().filter(|key| !has(key)) {
        let message = format!("the correlation has no `{key}`");
        reader.note(entry.error(&format!("missing-{key}"), message, format!("add `{key}:`")));
    }
    let Some(kind) = kind else { return false };
    let is_temporal = matches!(kind, CorrelationKind::Temporal | CorrelationKind::TemporalOrdered);
    if !is_temporal && !has("condition") {
        reader.note(entry.error(
            "missing-condition",
            "the correlation has no `condition`",
            "add `condition: {gte: 10}`",
        ));
    }
    correlation.kind = kind;
    true
}

fn read_kind(reader: &mut Reader, entry: &Entry<'_>) -> Option<CorrelationKind> {
    let text = reader.text(entry).unwrap_or_default();
    let kind = CorrelationKind::WORDS.iter().find(|(word, _)| *word == text).map(|(_, kind)| *kind);
    if kind.is_none() {
        let words = CorrelationKind::WORDS.map(|(word, _)| word);
        meta::note_word(reader, entry, "bad-correlation-type", &text, "type of correlation", &words);
    }
    kind
}

fn condition(reader: &mut Reader, entry: &Entry<'_>) -> Option<CorrelationCondition> {
    if let Kind::Scalar(text, _) = &entry.value.kind {
        return Some(CorrelationCondition::Expression(text.trim().to_owned()));
    }
    let (mut bounds, mut fields, mut percentile) = (Vec::new(), Vec::new(), None);
    for part in reader.map(entry) {
        match part.key.as_ref() {
            "field" => fields = reader.texts(part),
            "percentile" => percentile = reader.number(part),
            bound if BOUNDS.contains(&bound) => {
                bounds.extend(reader.number(part).map(|number| (bound.to_owned(), number)));
            }
            _ => reader.unknown_key(
                part,
                "the correlation's condition",
                &["gt", "gte", "lt", "lte", "eq", "neq", "field"],
            ),
        }
    }
    if bounds.is_empty() {
        reader.note(entry.error(
            "missing-bound",
            "the condition compares with nothing",
            "add `gte: 10` or another bound",
        ));
    }
    Some(CorrelationCondition::Compare { bounds, fields, percentile })
}

fn aliases(reader: &mut Reader, entry: &Entry<'_>) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut aliases = BTreeMap::new();
    for alias in reader.map(entry) {
        let fields = reader.map(alias).iter().filter_map(|field| Some((field.key.to_string(), reader.text(field)?)));
        let fields: BTreeMap<String, String> = fields.collect();
        aliases.insert(alias.key.to_string(), fields);
    }
    aliases
}
