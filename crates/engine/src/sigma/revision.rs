//! Digests of meaning: equal for two texts that say the same, different as soon as they do not.
//!
//! Shape: searches are put in the place of their names, AND and OR are sorted, modifiers have one spelling; descriptions,
//! names, order and layout leave no trace.

use std::fmt::Write as _;
use std::ops::Range;

use model::Digest;

use super::detection::{Condition, Detection, Group, Item, Of, Value};
use super::modifier::Modifier;
use super::rule::{Fold, LogSource, Rule};

mod correlation;

pub(super) use correlation::of_correlation;

/// The digest of a rule's meaning: detection, log source, level, kind and fold.
pub(super) fn of_rule(rule: &Rule) -> String {
    let LogSource { product, category, service, definition: _ } = &rule.logsource;
    let part = |part: &Option<String>| part.as_deref().map(str::to_lowercase).unwrap_or_default();
    let fold = fold_text(rule.watchkeep.fold.as_ref());
    digest(&[
        &meaning(&rule.detection),
        &part(product),
        &part(category),
        &part(service),
        rule.level.as_str(),
        rule.watchkeep.kind.as_str(),
        &fold,
    ])
}

fn fold_text(fold: Option<&Fold>) -> String {
    fold.map(|fold| format!("{:?} {}", fold.by, fold.window_ms)).unwrap_or_default()
}

/// The digest of a detection's meaning.
pub(super) fn of_detection(detection: &Detection) -> String {
    digest(&[&meaning(detection)])
}

fn digest(parts: &[&str]) -> String {
    let bytes: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
    Digest::of_parts(&bytes).hex()[..16].to_owned()
}

fn meaning(detection: &Detection) -> String {
    let mut text = Text::default();
    let searches: Vec<Range<usize>> = detection
        .searches
        .iter()
        .map(|search| {
            let start = text.out.len();
            text.group(&search.body);
            start..text.out.len()
        })
        .collect();
    let searches = Searches { texts: std::mem::take(&mut text.out), ranges: searches };
    text.joined("or", &detection.conditions, |text, part| text.condition(part, &searches));
    text.out
}

/// The meaning of each search, one behind the other.
struct Searches {
    texts: String,
    ranges: Vec<Range<usize>>,
}

impl Searches {
    fn get(&self, search: usize) -> &str {
        &self.texts[self.ranges[search].clone()]
    }
}

/// A meaning while it is written: parts are written first, and put in order where they stand.
#[derive(Default)]
struct Text {
    out: String,
    /// Parts of what is being joined, outermost first.
    parts: Vec<Range<usize>>,
    /// Where parts are put in order.
    sorted: String,
}

impl Text {
    /// Writes the parts in order, without repeats; one part alone is itself.
    fn joined<T>(&mut self, word: &str, parts: &[T], write: impl Fn(&mut Text, &T)) {
        let (start, first) = (self.out.len(), self.parts.len());
        self.each(parts, write);
        self.sort(first, true);
        if self.parts.len() - first == 1 {
            let only = self.parts[first].clone();
            self.out.truncate(only.end);
            self.out.drain(start..only.start);
            self.parts.truncate(first);
            return;
        }
        self.sorted.clear();
        self.sorted.push('(');
        self.sorted.push_str(word);
        self.sorted.push(' ');
        self.put(start, first);
        self.out.push(')');
    }

    /// Writes the parts one behind the other, and notes where each is.
    fn each<T>(&mut self, parts: &[T], write: impl Fn(&mut Text, &T)) {
        for part in parts {
            let start = self.out.len();
            write(self, part);
            self.parts.push(start..self.out.len());
        }
    }

    /// Puts the parts from the `first` on in the order of their texts.
    fn sort(&mut self, first: usize, is_set: bool) {
        let mut parts = self.parts.split_off(first);
        parts.sort_unstable_by(|a, b| self.out[a.clone()].cmp(&self.out[b.clone()]));
        if is_set {
            parts.dedup_by(|a, b| self.out[a.clone()] == self.out[b.clone()]);
        }
        self.parts.append(&mut parts);
    }

    /// Puts `sorted` and the parts from the `first` on, between spaces, in the place of everything from `start` on.
    fn put(&mut self, start: usize, first: usize) {
        for (nth, part) in self.parts[first..].iter().enumerate() {
            if nth > 0 {
                self.sorted.push(' ');
            }
            self.sorted.push_str(&self.out[part.clone()]);
        }
        self.out.truncate(start);
        self.out.push_str(&self.sorted);
        self.parts.truncate(first);
    }

    fn condition(&mut self, part: &Condition, searches: &Searches) {
        match part {
            Condition::Search(search) => self.out.push_str(searches.get(*search)),
            Condition::Not(part) => {
                self.out.push_str("(not ");
                self.condition(part, searches);
                self.out.push(')');
            }
            Condition::And(parts) => self.joined("and", parts, |text, part| text.condition(part, searches)),
            Condition::Or(parts) => self.joined("or", parts, |text, part| text.condition(part, searches)),
            Condition::Of(Of { least, searches: named, .. }) => {
                let write = |text: &mut Text, search: &usize| text.out.push_str(searches.get(*search));
                match least {
                    None => self.joined("and", named, write),
                    Some(1) => self.joined("or", named, write),
                    Some(least) => {
                        let (start, first) = (self.out.len(), self.parts.len());
                        self.each(named, write);
                        self.sort(first, false);
                        self.sorted.clear();
                        let _ = write!(self.sorted, "({least}-of ");
                        self.put(start, first);
                        self.out.push(')');
                    }
                }
            }
        }
    }

    fn group(&mut self, part: &Group) {
        match part {
            Group::All(parts) => self.joined("and", parts, Text::group),
            Group::Any(parts) => self.joined("or", parts, Text::group),
            Group::Item(part) => self.item(part),
        }
    }

    fn item(&mut self, part: &Item) {
        // The order of modifiers that stand for a way of comparing means nothing; that of encodings does.
        let mut ways: Vec<&str> = part.modifiers.iter().filter(|m| !is_encoding(*m)).map(Modifier::as_str).collect();
        ways.sort_unstable();
        self.out.push('[');
        match &part.field {
            Some(field) => {
                self.out.push_str("Some(");
                self.quoted(field);
                self.out.push(')');
            }
            None => self.out.push_str("None"),
        }
        self.words(ways.into_iter());
        self.words(part.modifiers.iter().filter(|m| is_encoding(*m)).map(Modifier::as_str));
        self.out.push(' ');
        let (start, first) = (self.out.len(), self.parts.len());
        self.each(&part.values, Text::value);
        self.sort(first, true);
        self.sorted.clear();
        self.put(start, first);
        self.out.push(']');
    }

    /// Writes a space and the words, with a bar between them.
    fn words<'w>(&mut self, words: impl Iterator<Item = &'w str>) {
        self.out.push(' ');
        for (nth, word) in words.enumerate() {
            if nth > 0 {
                self.out.push('|');
            }
            self.out.push_str(word);
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.out.push_str("null"),
            Value::Bool(is_set) => self.out.push_str(if *is_set { "true" } else { "false" }),
            Value::Number(lexeme) => self.out.push_str(lexeme),
            Value::Text(text) => self.quoted(text),
        }
    }

    /// Writes the text as `{:?}` does; nearly every text is plain but for its backslashes.
    fn quoted(&mut self, text: &str) {
        let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
        self.out.push('"');
        let mut rest = text;
        while !rest.is_empty() {
            let (plain, odd) = rest.split_at(rest.bytes().position(|byte| !is_plain(byte)).unwrap_or(rest.len()));
            self.out.push_str(plain);
            let odd = odd.split_at(odd.bytes().position(is_plain).unwrap_or(odd.len()));
            match odd.0 {
                "" => {}
                r"\" => self.out.push_str(r"\\"),
                odd => {
                    let start = self.out.len();
                    let _ = write!(self.out, "{odd:?}");
                    self.out.pop();
                    self.out.remove(start);
                }
            }
            rest = odd.1;
        }
        self.out.push('"');
    }
}

fn is_encoding(modifier: Modifier) -> bool {
    use Modifier::*;
    matches!(modifier, Windash | Base64 | Base64Offset | Utf16 | Utf16Le | Utf16Be)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_text_is_quoted_as_its_debug_form(text in "(\\PC|[ab\\\\\"' \t\n\u{0}\u{301}\u{200b}–é]){0,20}") {
            let mut written = Text::default();
            written.quoted(&text);
            prop_assert_eq!(written.out, format!("{text:?}"));
        }
    }
}
