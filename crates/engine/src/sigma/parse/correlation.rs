//! Reads a Sigma correlation.

use super::super::bounds::{CORRELATED_MAX, CORRELATION_FIELDS_MAX, TIMESPAN_MS_MAX};
use super::super::correlation::{Alias, Correlation, CorrelationCondition, CorrelationKind, Reference};
use super::super::rule::Watchkeep;
use super::super::stateful::WHO;
use super::reader::Reader;
use super::{correlation_condition, meta, rule, stateful, watchkeep};
use crate::yaml::{Entry, Kind, Node};

const KEYS: [&str; 21] = [
    "title",
    "id",
    "name",
    "description",
    "author",
    "references",
    "reference",
    "date",
    "modified",
    "status",
    "license",
    "taxonomy",
    "tags",
    "level",
    "falsepositives",
    "fields",
    "correlation",
    "generate",
    "related",
    "custom_attributes",
    "watchkeep",
];
const PARTS: [&str; 7] = ["type", "rules", "group-by", "timespan", "condition", "aliases", "generate"];

/// Reads a correlation; `None` where something is wrong with it.
pub(super) fn read(reader: &mut Reader, entries: &[Entry<'_>], line: usize) -> Option<Correlation> {
    let mut correlation = blank(line);
    let mut has_kind = false;
    for entry in entries {
        match entry.key.as_ref() {
            "title" => correlation.title = meta::title(reader, entry).unwrap_or_default(),
            "id" => correlation.id = meta::uuid(reader, entry),
            "name" => correlation.name = reader.text(entry).filter(|name| !name.is_empty()),
            "description" => correlation.description = reader.text(entry),
            "status" => correlation.status = rule::status(reader, entry),
            "date" | "modified" => drop(meta::date(reader, entry)),
            "taxonomy" => meta::taxonomy(reader, entry),
            "tags" => correlation.tags = rule::tags(reader, entry),
            "level" => correlation.level = meta::level(reader, entry),
            "falsepositives" => correlation.falsepositives = reader.texts(entry),
            "generate" => correlation.generate |= reader.truth(entry).unwrap_or_default(),
            "watchkeep" => correlation.watchkeep = watchkeep::read(reader, entry),
            "correlation" => {
                has_kind = body(reader, entry, &mut correlation);
                check_own_fields(reader, entry.value.as_map().unwrap_or_default(), &correlation);
            }
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
    let has_correlation = entries.iter().any(|entry| entry.key == "correlation");
    match stateful::find(entries) {
        Some(entry) if has_correlation => {
            let message = "`correlation` and `watchkeep.stateful` are two answers to one question";
            reader.note(entry.error(
                "correlation-and-stateful",
                message,
                "leave one of them out, or write two documents",
            ));
        }
        Some(entry) => has_kind = stateful::read(reader, entry, &mut correlation),
        None => {}
    }
    if reader.has_errors() || !has_kind {
        return None;
    }
    Some(correlation)
}

pub(super) fn blank(line: usize) -> Correlation {
    Correlation {
        file: String::new(),
        line,
        id: None,
        name: None,
        title: String::new(),
        description: None,
        status: None,
        level: None,
        tags: Vec::new(),
        falsepositives: Vec::new(),
        kind: CorrelationKind::EventCount,
        rules: Vec::new(),
        group_by: Vec::new(),
        timespan_ms: 0,
        condition: CorrelationCondition::Every,
        aliases: Vec::new(),
        generate: false,
        voice_of: None,
        watchkeep: Watchkeep::default(),
    }
}

/// Reads what is under `correlation`; says whether its type could be read.
fn body(reader: &mut Reader, entry: &Entry<'_>, correlation: &mut Correlation) -> bool {
    let (mut kind, mut condition) = (None, None);
    let parts = reader.map(entry);
    for part in parts {
        match part.key.as_ref() {
            "type" => kind = read_kind(reader, part),
            "rules" => correlation.rules = references(reader, part),
            "group-by" => correlation.group_by = fields(reader, part),
            "timespan" => correlation.timespan_ms = timespan_ms(reader, part).unwrap_or_default(),
            "condition" => condition = Some(part),
            "aliases" => correlation.aliases = aliases(reader, part),
            "generate" => correlation.generate |= reader.truth(part).unwrap_or_default(),
            _ => reader.unknown_key(part, "`correlation`", &PARTS),
        }
    }
    let has = |key: &str| parts.iter().any(|part| part.key == key);
    // The rules of an expression are named in it.
    let can_do_without = |key: &str| key == "rules" && condition.is_some_and(|part| part.value.as_str().is_some());
    for key in ["type", "rules", "timespan"].into_iter().filter(|key| !has(key) && !can_do_without(key)) {
        let message = format!("the correlation has no `{key}`");
        reader.note(entry.error(&format!("missing-{key}"), message, format!("add `{key}:`")));
    }
    let Some(kind) = kind else { return false };
    correlation.kind = kind;
    correlation_condition::read(reader, entry, condition, correlation);
    check_aliases(reader, parts, correlation);
    if !has("group-by") && !parts.is_empty() {
        let message = "without `group-by`, all events together are one group";
        reader.note(entry.warning("missing-group-by", message, "add `group-by:`, or `group-by: []` if that is meant"));
    }
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

/// Ids or names of rules, each once.
pub(super) fn references(reader: &mut Reader, entry: &Entry<'_>) -> Vec<Reference> {
    let mut known: Vec<Reference> = Vec::new();
    reader.texts(entry);
    for node in reader.list(entry) {
        let Some(reference) = reference(node) else { continue };
        if known.iter().any(|other| other.name == reference.name) {
            let message = format!("rule `{}` stands twice in `rules`", reference.name);
            reader.note(node.error("duplicate-reference", message, "name each rule once"));
        } else {
            known.push(reference);
        }
    }
    if known.is_empty() {
        reader.note(entry.error("missing-rules", "the correlation names no rule", "list ids or names of rules"));
    }
    if known.len() > CORRELATED_MAX {
        let message = format!("the correlation joins {} rules, more than {CORRELATED_MAX}", known.len());
        reader.note(entry.error("too-many-rules", message, "join fewer, or make one rule of several"));
    }
    known
}

fn reference(node: &Node<'_>) -> Option<Reference> {
    let name = node.as_str()?.trim();
    (!name.is_empty()).then(|| Reference { name: name.to_owned(), line: node.line, column: node.column })
}

/// Names of fields, each once.
pub(super) fn fields(reader: &mut Reader, entry: &Entry<'_>) -> Vec<String> {
    let mut fields = reader.texts(entry);
    fields.retain(|field| !field.is_empty());
    let named = fields.len();
    let mut seen = Vec::new();
    fields.retain(|field| {
        let is_new = !seen.contains(field);
        seen.push(field.clone());
        is_new
    });
    if fields.len() < named {
        let message = format!("`{}` names a field twice", entry.key);
        reader.note(entry.warning("duplicate-field", message, "name each field once"));
    }
    if fields.len() > CORRELATION_FIELDS_MAX {
        let message = format!("`{}` has {} fields, more than {CORRELATION_FIELDS_MAX}", entry.key, fields.len());
        reader.note(entry.error("too-many-fields", message, "name fewer fields"));
    }
    fields
}

/// A number and one of `s`, `m`, `h`, `d`, `w`, `M` and `y`: months and years are as long as the calendar's are on average.
pub(super) fn timespan_ms(reader: &mut Reader, entry: &Entry<'_>) -> Option<i64> {
    let text = entry.value.as_str().unwrap_or_default().trim();
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (count, unit) = text.split_at(split);
    let seconds = match unit {
        "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3600),
        "d" => Some(86_400),
        "w" => Some(604_800),
        "M" => Some(2_629_746),
        "y" => Some(31_556_952),
        _ => None,
    };
    let span = seconds.and_then(|unit: i64| count.parse::<i64>().ok()?.checked_mul(unit)?.checked_mul(1000));
    let shown = if text.is_empty() { entry.value.noun() } else { text };
    match span {
        Some(span @ 1..=TIMESPAN_MS_MAX) => {
            if unit == "M" {
                let message = format!("the time span `{shown}` is a number of months");
                reader.note(entry.value.warning("timespan-in-months", message, "write `m` for minutes"));
            }
            Some(span)
        }
        Some(1..) => {
            let message = format!("the time span `{shown}` is longer than 366 days");
            reader.note(entry.value.error("timespan-too-long", message, "write a shorter one"));
            None
        }
        _ => {
            let message = format!("`{}` is `{shown}`, which is no length of time", entry.key);
            let remedy = "write a number and a unit: `30s`, `15m`, `1h`, `7d`, `2w`";
            reader.note(entry.value.error("bad-duration", message, remedy));
            None
        }
    }
}

pub(super) fn aliases(reader: &mut Reader, entry: &Entry<'_>) -> Vec<Alias> {
    let mut aliases = Vec::new();
    for alias in reader.map(entry) {
        let mut fields = Vec::new();
        for field in reader.map(alias) {
            let rule = Reference { name: field.key.trim().to_owned(), line: field.line, column: field.column };
            match reader.text(field).filter(|name| !name.is_empty()) {
                Some(name) => fields.push((rule, name)),
                None if matches!(field.value.kind, Kind::Scalar(..)) => {
                    let message = format!("alias `{}` names no field for rule `{}`", alias.key, field.key);
                    reader.note(field.error("empty-alias", message, "name the field of that rule's events"));
                }
                None => {}
            }
        }
        if fields.is_empty() && alias.value.as_map().is_some() {
            let message = format!("alias `{}` stands for nothing", alias.key);
            reader.note(alias.error("empty-alias", message, "write `rule: field` for each rule"));
        }
        aliases.push(Alias { name: alias.key.trim().to_owned(), fields });
    }
    aliases
}

/// An alias that nothing uses, or that speaks of a rule that is not joined, is a mistake of the author's.
pub(super) fn check_aliases(reader: &mut Reader, parts: &[Entry<'_>], correlation: &Correlation) {
    let Some(entry) = parts.iter().find(|part| part.key == "aliases") else { return };
    for alias in &correlation.aliases {
        let is_used = correlation.group_by.contains(&alias.name) || correlation.fields().contains(&alias.name.as_str());
        let place = reader.map(entry).iter().find(|part| part.key.trim() == alias.name).unwrap_or(entry);
        if !is_used {
            let message = format!("alias `{}` is neither in `group-by` nor in `field`", alias.name);
            reader.note(place.warning("unused-alias", message, "use it, or remove it"));
        }
    }
}

/// Fields below `watchkeep.` are no fields of records: one of them is known, and it stands in `group-by` alone.
pub(super) fn check_own_fields(reader: &mut Reader, parts: &[Entry<'_>], correlation: &Correlation) {
    let is_ours = |name: &&str| name.starts_with("watchkeep.");
    let place = |key: &str| parts.iter().find(|part| part.key == key);
    for name in correlation.group_by.iter().map(String::as_str).filter(is_ours).filter(|name| *name != WHO) {
        let Some(entry) = place("group-by") else { continue };
        let message = format!("`{name}` is no field of Watchkeep's own");
        let remedy = format!("write `{WHO}`: the person or workload behind the actor");
        reader.note(entry.value.error("unknown-field", message, remedy));
    }
    let fields = correlation.fields();
    let aliased = correlation.aliases.iter().flat_map(|alias| alias.fields.iter().map(|(_, field)| field.as_str()));
    let named = correlation.aliases.iter().map(|alias| alias.name.as_str());
    for (names, keys) in [(fields, &["entity", "condition"][..]), (aliased.chain(named).collect(), &["aliases"][..])] {
        let Some(name) = names.into_iter().find(is_ours) else { continue };
        let Some(entry) = keys.iter().find_map(|key| place(key)) else { continue };
        let message = format!("`{name}` is no field of a record");
        reader.note(entry.value.error("unknown-field", message, format!("`{WHO}` can stand in `group-by` alone")));
    }
}

#[cfg(test)]
mod tests;
