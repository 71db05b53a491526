//! Reads `watchkeep: {claims: …}`: what an author says of the logic of a rule.

use super::super::rule::{Claimed, Claims};
use super::correlation::timespan_ms;
use super::reader::Reader;
use super::stateful::number_or_percent;
use crate::yaml::Entry;

const KEYS: [&str; 5] = ["order", "window", "entity", "threshold", "events"];

/// Reads the key; what is wrong is noted, and what is right is kept.
pub(super) fn read(reader: &mut Reader, entry: &Entry<'_>) -> Claims {
    let mut claims = Claims::default();
    for part in reader.map(entry) {
        match part.key.as_ref() {
            "order" => claims.order = texts(reader, part),
            "window" => claims.window_ms = timespan_ms(reader, part).map(|value| at(part, value)),
            "entity" => claims.entity = texts(reader, part),
            "threshold" => claims.threshold = number_or_percent(reader, part).map(|value| at(part, value)),
            "events" => claims.events = texts(reader, part),
            _ => reader.unknown_key(part, "`claims`", &KEYS),
        }
    }
    claims
}

fn at<T>(entry: &Entry<'_>, value: T) -> Claimed<T> {
    Claimed { value, line: entry.line, column: entry.column }
}

fn texts(reader: &mut Reader, entry: &Entry<'_>) -> Option<Claimed<Vec<String>>> {
    let texts = reader.texts(entry);
    if texts.is_empty() && !entry.value.is_null() && entry.key != "entity" {
        let message = format!("the claim `{}` is empty", entry.key);
        reader.note(entry.error("empty-claim", message, "say what is claimed, or remove it"));
        return None;
    }
    Some(at(entry, texts))
}
