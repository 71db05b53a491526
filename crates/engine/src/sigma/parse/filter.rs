//! Reads a Sigma filter.

use super::super::detection::Condition;
use super::super::document::{Filter, FilterTarget};
use super::super::revision;
use super::super::rule::LogSource;
use super::reader::Reader;
use super::{detection, meta};
use crate::yaml::Entry;

const KEYS: [&str; 13] = [
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
    "logsource",
    "filter",
];

/// Reads a filter; `None` where something is wrong with it.
pub(super) fn read(reader: &mut Reader, entries: &[Entry<'_>], line: usize) -> Option<Filter> {
    let mut filter = Filter {
        file: String::new(),
        line,
        id: None,
        title: String::new(),
        description: None,
        logsource: LogSource::default(),
        target: FilterTarget::Any,
        detection: Default::default(),
        revision: String::new(),
    };
    for entry in entries {
        match entry.key.as_ref() {
            "title" => filter.title = meta::title(reader, entry).unwrap_or_default(),
            "id" => filter.id = meta::uuid(reader, entry),
            "description" => filter.description = reader.text(entry),
            "date" | "modified" => drop(meta::date(reader, entry)),
            "logsource" => filter.logsource = meta::logsource(reader, entry, true),
            "filter" => {
                filter.target = target(reader, entry);
                filter.detection = detection::read(reader, entry, &["rules"]).unwrap_or_default();
            }
            key if KEYS.contains(&key) => {}
            key => {
                let message = format!("`{key}` is no key of a Sigma filter");
                reader.note(entry.warning("unknown-key", message, "remove it if it is a mistake"));
            }
        }
    }
    let has = |key: &str| entries.iter().any(|entry| entry.key == key);
    if !has("title") {
        meta::missing(reader, line, "title", "add one line that says what is taken out");
    }
    if !has("logsource") {
        meta::missing(reader, line, "logsource", "add the log source of the rules that the filter narrows");
    }
    if reader.has_errors() {
        return None;
    }
    if !filter.detection.conditions.iter().any(is_negative) {
        let entry = entries.iter().find(|entry| entry.key == "filter")?;
        let message = "the filter's condition has no `not`, so rules fire only where it holds";
        reader.note(entry.warning(
            "filter-without-not",
            message,
            "write `condition: not selection` to take events out",
        ));
    }
    filter.revision = revision::of_detection(&filter.detection);
    Some(filter)
}

fn is_negative(condition: &Condition) -> bool {
    match condition {
        Condition::Not(_) => true,
        Condition::And(parts) | Condition::Or(parts) => parts.iter().any(is_negative),
        Condition::Search(_) | Condition::Of(_) => false,
    }
}

fn target(reader: &mut Reader, entry: &Entry<'_>) -> FilterTarget {
    let Some(rules) = entry.value.as_map().and_then(|parts| parts.iter().find(|part| part.key == "rules")) else {
        let message = "the filter does not say which rules it narrows";
        reader.note(entry.error("missing-rules", message, "add `rules:` with ids or names, or `rules: any`"));
        return FilterTarget::Any;
    };
    let names = reader.texts(rules);
    if names.is_empty() {
        reader.note(rules.error("missing-rules", "the filter names no rule", "list ids or names, or write `any`"));
    }
    match &names[..] {
        [any] if any.eq_ignore_ascii_case("any") => FilterTarget::Any,
        _ => FilterTarget::Rules(names),
    }
}
