//! What rules, filters and correlations have in common: titles, ids, dates, levels and log sources.

use model::{Diagnostic, Digest, Level};

use super::super::rule::LogSource;
use super::reader::{Reader, nearest};
use crate::yaml::Entry;

const TITLE_CHARS_MAX: usize = 256;

/// The title; without one there is no document.
pub(super) fn title(reader: &mut Reader, entry: &Entry<'_>) -> Option<String> {
    let title = reader.text(entry).filter(|title| !title.is_empty());
    match &title {
        None => {
            reader.note(entry.error("missing-title", "the title is empty", "write one line that says what is found"))
        }
        Some(title) if title.chars().count() > TITLE_CHARS_MAX => {
            let message = format!("the title has more than {TITLE_CHARS_MAX} characters");
            reader.note(entry.warning("long-title", message, "move the rest to `description`"));
        }
        Some(_) => {}
    }
    title
}

/// Field names mean what the default taxonomy says: a rule in another one would be read, and never fire.
pub(super) fn taxonomy(reader: &mut Reader, entry: &Entry<'_>) {
    let Some(name) = reader.text(entry).filter(|name| name != "sigma") else { return };
    let message = format!("the taxonomy `{name}` is not known, so the fields of the rule may mean something else");
    let remedy = "name the fields as the log source writes them and leave `taxonomy` out, or write `taxonomy: sigma`";
    reader.note(entry.value.error("unknown-taxonomy", message, remedy));
}

/// Notes a key that must be there.
pub(super) fn missing(reader: &mut Reader, line: usize, key: &str, remedy: &str) {
    reader.note(Diagnostic::error(line, 0, &format!("missing-{key}"), format!("the document has no `{key}`"), remedy));
}

/// A UUID, in lower case.
pub(super) fn uuid(reader: &mut Reader, entry: &Entry<'_>) -> Option<String> {
    let text = reader.text(entry)?.to_ascii_lowercase();
    if is_uuid(&text) {
        return Some(text);
    }
    let message = format!("`{text}` is no UUID");
    reader.note(entry.value.error("bad-uuid", message, "write a random UUID, such as one from `uuidgen`"));
    None
}

fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// An id in the shape of a UUID, made from what the document says of itself.
pub(super) fn made_id(title: &str, logsource: &LogSource) -> String {
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    let parts = [title.to_owned(), text(&logsource.product), text(&logsource.category), text(&logsource.service)];
    let bytes: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
    let hex = Digest::of_parts(&bytes).hex();
    format!("{}-{}-8{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

/// A date as its author wrote it; a warning where it is not `YYYY-MM-DD`.
pub(super) fn date(reader: &mut Reader, entry: &Entry<'_>) -> Option<String> {
    let text = reader.text(entry)?;
    let is_date = text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok();
    if !is_date {
        let message = format!("`{}` is `{text}`, which is no date", entry.key);
        reader.note(entry.value.warning("bad-date", message, "write `YYYY-MM-DD`"));
    }
    Some(text)
}

/// The level.
pub(super) fn level(reader: &mut Reader, entry: &Entry<'_>) -> Option<Level> {
    let text = reader.text(entry)?;
    if let Ok(level) = text.parse() {
        return Some(level);
    }
    let words = Level::ALL.map(Level::as_str);
    note_word(reader, entry, "bad-level", &text, "level", &words);
    None
}

/// Notes a word that is not one of those that are possible.
pub(super) fn note_word(reader: &mut Reader, entry: &Entry<'_>, code: &str, text: &str, what: &str, words: &[&str]) {
    let remedy = match nearest(text, words.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write one of {}", words.join(", ")),
    };
    reader.note(entry.value.error(code, format!("`{text}` is no {what}"), remedy));
}

/// The log source; at least one of its parts must be given, unless `is_open`.
pub(super) fn logsource(reader: &mut Reader, entry: &Entry<'_>, is_open: bool) -> LogSource {
    let mut logsource = LogSource::default();
    for part in reader.map(entry) {
        let place = match part.key.as_ref() {
            "product" => &mut logsource.product,
            "category" => &mut logsource.category,
            "service" => &mut logsource.service,
            "definition" => &mut logsource.definition,
            // The specification allows any number of other elements.
            _ => continue,
        };
        *place = reader.text(part).map(|text| if part.key == "definition" { text } else { text.to_lowercase() });
    }
    let is_empty = logsource.product.is_none() && logsource.category.is_none() && logsource.service.is_none();
    if is_empty && !is_open && entry.value.as_map().is_some() {
        let message = "the log source has neither product nor category nor service";
        reader.note(entry.error("empty-logsource", message, "name at least one, such as `product: aws`"));
    }
    logsource
}
