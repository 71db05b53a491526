//! Reads `watchkeep: {stateful: …}`. Its words are those of a Sigma correlation wherever there is one; each type has keys of its own.

mod measures;
mod members;
mod values;

use super::super::correlation::{Correlation, CorrelationCondition, CorrelationKind, Reference};
use super::super::rule::Rule;
use super::reader::Reader;
use super::{correlation, meta};
use crate::yaml::Entry;

pub(super) use values::number_or_percent;

/// Keys of every type.
const COMMON: [&str; 6] = ["type", "rules", "group-by", "timespan", "aliases", "generate"];

/// What is under `stateful`, while it is read.
struct Body<'n, 'a> {
    /// The key itself.
    entry: &'n Entry<'a>,
    parts: &'n [Entry<'a>],
    kind: CorrelationKind,
    /// Is the document's own rule the only member?
    is_own: bool,
}

impl<'n, 'a> Body<'n, 'a> {
    fn get(&self, key: &str) -> Option<&'n Entry<'a>> {
        self.parts.iter().find(|part| part.key == key)
    }

    /// Notes that a key is missing that the type cannot do without.
    fn missing(&self, reader: &mut Reader, key: &str, remedy: &str) {
        let message = format!("the `{}` has no `{key}`", self.kind.as_str());
        reader.note(self.entry.error(&format!("missing-{key}"), message, remedy));
    }
}

/// The entry of `stateful` under `watchkeep`, if there is one.
pub(super) fn find<'n, 'a>(entries: &'n [Entry<'a>]) -> Option<&'n Entry<'a>> {
    let watchkeep = entries.iter().find(|entry| entry.key == "watchkeep")?;
    watchkeep.value.as_map()?.iter().find(|part| part.key == "stateful")
}

/// What speaks for a rule whose document has `stateful`; `None` where something is wrong with it.
pub(super) fn voice(reader: &mut Reader, entries: &[Entry<'_>], rule: &Rule) -> Option<Correlation> {
    let entry = find(entries)?;
    let mut voice = correlation::blank(rule.line);
    voice.id = Some(rule.id.as_str().to_owned());
    voice.name.clone_from(&rule.name);
    voice.title.clone_from(&rule.title);
    voice.description.clone_from(&rule.description);
    voice.status = rule.status;
    voice.level = Some(rule.level);
    voice.tags.clone_from(&rule.tags);
    voice.falsepositives.clone_from(&rule.falsepositives);
    voice.voice_of = Some(rule.id.clone());
    voice.watchkeep = rule.watchkeep.clone();
    voice.rules = vec![Reference { name: rule.id.as_str().to_owned(), line: entry.line, column: entry.column }];
    if !read(reader, entry, &mut voice) {
        return None;
    }
    Some(voice)
}

/// Reads what is under `stateful` into `correlation`; says whether it can be used. A correlation that has a rule already is judged
/// over that one alone.
pub(super) fn read(reader: &mut Reader, entry: &Entry<'_>, correlation: &mut Correlation) -> bool {
    let parts = reader.map(entry);
    let Some(kind) = kind(reader, entry, parts) else { return false };
    correlation.kind = kind;
    let body = Body { entry, parts, kind, is_own: !correlation.rules.is_empty() };
    known_keys(reader, &body);
    if body.is_own {
        own_rule(reader, &body);
    } else {
        members::read_rules(reader, &body, correlation);
    }
    common(reader, &body, correlation);
    let stateful = match kind {
        CorrelationKind::Ratio
        | CorrelationKind::Absence
        | CorrelationKind::Join
        | CorrelationKind::Sequence
        | CorrelationKind::Risk => members::read(reader, &body, correlation),
        _ => measures::read(reader, &body, correlation.timespan_ms),
    };
    let Some(stateful) = stateful else { return false };
    correlation.condition = CorrelationCondition::Stateful(stateful);
    correlation::check_aliases(reader, parts, correlation);
    correlation::check_own_fields(reader, parts, correlation);
    !reader.has_errors()
}

fn kind(reader: &mut Reader, entry: &Entry<'_>, parts: &[Entry<'_>]) -> Option<CorrelationKind> {
    let words = CorrelationKind::STATEFUL.map(|(word, _)| word);
    let Some(part) = parts.iter().find(|part| part.key == "type") else {
        if entry.value.as_map().is_some() {
            let remedy = format!("add `type:` and one of {}", words.join(", "));
            reader.note(entry.error("missing-type", "`stateful` has no `type`", remedy));
        }
        return None;
    };
    let text = reader.text(part).unwrap_or_default();
    let kind = CorrelationKind::STATEFUL.iter().find(|(word, _)| *word == text).map(|(_, kind)| *kind);
    if kind.is_none() && CorrelationKind::WORDS.iter().any(|(word, _)| *word == text) {
        let message = format!("`{text}` is a type of Sigma's correlations");
        reader.note(part.value.error(
            "bad-stateful-type",
            message,
            "write it under `correlation:`, without `stateful`",
        ));
    } else if kind.is_none() {
        meta::note_word(reader, part, "bad-stateful-type", &text, "type of `stateful`", &words);
    }
    kind
}

/// The keys that a type has beside those of every type.
fn own_keys(kind: CorrelationKind) -> &'static [&'static str] {
    match kind {
        CorrelationKind::FirstSeen => &["condition", "learn", "most_values"],
        CorrelationKind::Rarity => &["condition", "least_events", "most_values"],
        CorrelationKind::Volume => &["measure", "condition", "baseline", "at_least", "beyond"],
        CorrelationKind::Ratio => &["of", "to", "measure", "condition", "at_least"],
        CorrelationKind::PeerGroup => &["entity", "measure", "condition", "baseline", "least_peers", "at_least"],
        CorrelationKind::Absence => &["missing", "side", "least_events", "forget"],
        CorrelationKind::Coverage => &["condition", "of", "at_least"],
        CorrelationKind::Join => &["missing"],
        CorrelationKind::Sequence => &["steps", "unless"],
        CorrelationKind::Risk => &["points", "condition", "least_tactics", "least_rules"],
        _ => &[],
    }
}

fn known_keys(reader: &mut Reader, body: &Body<'_, '_>) {
    let known: Vec<&str> = COMMON.iter().chain(own_keys(body.kind)).copied().collect();
    let place = format!("a `{}`", body.kind.as_str());
    for part in body.parts.iter().filter(|part| !known.contains(&part.key.as_ref())) {
        reader.unknown_key(part, &place, &known);
    }
}

/// A rule's own document says nothing of other rules.
fn own_rule(reader: &mut Reader, body: &Body<'_, '_>) {
    for key in ["rules", "aliases"] {
        if let Some(part) = body.get(key) {
            let message =
                format!("`{key}` beside `detection`: the rule of this document is the only one that is judged");
            reader.note(part.error(
                "rules-beside-detection",
                message,
                "remove it, or write a document without `detection`",
            ));
        }
    }
    if matches!(
        body.kind,
        CorrelationKind::Ratio | CorrelationKind::Join | CorrelationKind::Sequence | CorrelationKind::Risk
    ) {
        let message = format!("a `{}` speaks of several rules, and this document has one", body.kind.as_str());
        let remedy = "write it as a document of its own, without `detection`, that names `rules`";
        reader.note(body.entry.error("single-rule", message, remedy));
    }
}

fn common(reader: &mut Reader, body: &Body<'_, '_>, correlation: &mut Correlation) {
    match body.get("timespan") {
        Some(part) => correlation.timespan_ms = correlation::timespan_ms(reader, part).unwrap_or_default(),
        None => body.missing(reader, "timespan", "add `timespan: 1h` or another"),
    }
    match body.get("group-by") {
        Some(part) => correlation.group_by = correlation::fields(reader, part),
        None => {
            let message = "without `group-by`, all events together are one group";
            let remedy = "add `group-by:`, or `group-by: []` if that is meant";
            reader.note(body.entry.warning("missing-group-by", message, remedy));
        }
    }
    if let Some(part) = body.get("aliases") {
        correlation.aliases = correlation::aliases(reader, part);
    }
    if let Some(part) = body.get("generate") {
        correlation.generate |= reader.truth(part).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests;
