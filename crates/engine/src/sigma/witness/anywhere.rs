//! What may stand in any value of an event: keywords.
//!
//! JSON writes the characters of a text as themselves, but for quotes, backslashes and control characters, so a keyword stands in the raw
//! bytes too, at least each piece of it between such characters. So the raw bytes are searched, in one pass, for the longest ASCII piece
//! of each keyword. Texts that use more escapes than they need are searched again unescaped, and records with one of the two characters
//! that fold to ASCII without being ASCII are searched leaf by leaf.

use memchr::memmem;

use super::super::folds::Folds;
use super::grams::{Grams, LENGTH_MIN};
use super::known::{self, Known};
use super::sign::Sign;
use crate::record::Record;

/// A look at a shorter text is quicker than to remember it.
const WORTH_KNOWING: usize = 24;

/// Keywords, each with a number to give where it may be met.
#[derive(Debug, Default)]
pub(super) struct Anywhere {
    /// Met in every event.
    always: Vec<u32>,
    /// Met in every event that is not ASCII alone.
    wide: Vec<u32>,
    pieces: Option<Grams>,
    /// The number under which texts are known to it.
    asker: u32,
}

impl Anywhere {
    pub(super) fn new(signs: Vec<(Sign, u32)>) -> Anywhere {
        let mut anywhere = Anywhere::default();
        let mut pieces = Vec::new();
        for (sign, number) in signs {
            match &sign {
                Sign::Exact(text) | Sign::Prefix(text) | Sign::Suffix(text) | Sign::Substring(text) => {
                    match piece(text) {
                        Some(piece) => pieces.push((piece.into(), number)),
                        None if text.is_ascii() => anywhere.always.push(number),
                        None => anywhere.wide.push(number),
                    }
                }
                Sign::Number(_) | Sign::Present => anywhere.always.push(number),
            }
        }
        anywhere.pieces = Grams::new(pieces);
        anywhere.asker = known::askers(1);
        anywhere
    }

    /// Calls `found` with the number of each keyword that may stand in `record`.
    pub(super) fn look(&self, record: &Record<'_>, folds: &mut Folds, known: &mut Known, found: &mut impl FnMut(u32)) {
        let raw = record.raw().as_bytes();
        let is_ascii = raw.is_ascii();
        self.always.iter().for_each(|number| found(*number));
        if !is_ascii || record.odd_texts().next().is_some() {
            self.wide.iter().for_each(|number| found(*number));
        }
        let Some(pieces) = &self.pieces else { return };
        if !is_ascii && TO_ASCII.iter().any(|character| memmem::find(raw, character.as_bytes()).is_some()) {
            folds.leaves(record).iter().for_each(|leaf| pieces.search(leaf.as_bytes(), &mut |number, _| found(number)));
            return;
        }
        match record.leaves() {
            None => pieces.search(raw, &mut |number, _| found(number)),
            Some(_) if pieces.is_few() => pieces.search(raw, &mut |number, end| {
                if !is_in_key(raw, end) {
                    found(number);
                }
            }),
            Some(leaves) => drop(self.look_at(pieces, record.raw(), leaves, known, found)),
        }
        for text in record.odd_texts() {
            pieces.search(folds.unescaped(text).as_bytes(), &mut |number, _| found(number));
        }
    }
}

impl Anywhere {
    /// Looks at each value as it is written; at longer ones only where they were not met lately. `None` once the budget is spent.
    fn look_at(
        &self,
        pieces: &Grams,
        raw: &str,
        leaves: &[(u32, u32)],
        known: &mut Known,
        found: &mut impl FnMut(u32),
    ) -> Option<()> {
        let mut budget = Grams::budget(raw.as_bytes());
        for &(start, end) in leaves {
            let text = &raw[start as usize..end as usize];
            let is_long = text.len() >= WORTH_KNOWING;
            let Some(home) = is_long.then(|| Known::home(self.asker, text)).flatten() else {
                pieces.search_in(raw.as_bytes(), [(start, end)], &mut budget, &mut |number, _| found(number))?;
                continue;
            };
            if let Some(signs) = known.recall(home, text) {
                signs.iter().for_each(|sign| found(*sign));
                continue;
            }
            known.met.clear();
            pieces.search_in(raw.as_bytes(), [(start, end)], &mut budget, &mut |number, _| {
                known.met.push(number);
                found(number);
            })?;
            known.keep(home, text);
        }
        Some(())
    }
}

/// The characters beyond ASCII that fold to ASCII: the Kelvin sign and the long s.
const TO_ASCII: [&str; 2] = ["\u{212A}", "\u{17F}"];

/// Bytes of a key behind a keyword: so far is looked for its end, since a keyword may stand everywhere in a long text.
const KEY_REST_MAX: usize = 256;

/// Does what ends at `end` of a JSON record surely stand in a key? Keywords are not looked for there.
fn is_in_key(raw: &[u8], end: usize) -> bool {
    let mut at = end;
    let stop = end.saturating_add(KEY_REST_MAX).min(raw.len());
    // The next quote that no backslash takes away closes the text; a colon follows keys alone.
    while let Some(rest) = raw.get(at..stop) {
        let Some(found) = memchr::memchr2(b'"', b'\\', rest) else { return false };
        // Behind a number one of these comes first, and the quote opens what may be a key that starts with a colon.
        if memchr::memchr3(b',', b'}', b']', &rest[..found]).is_some() {
            return false;
        }
        if rest[found] == b'"' {
            return raw[at + found + 1..].trim_ascii_start().first() == Some(&b':');
        }
        at += found + 2;
    }
    false
}

/// The longest run of characters that JSON writes as themselves; `None` where it is too short to search for.
fn piece(text: &str) -> Option<&str> {
    let is_special = |c: char| !c.is_ascii() || c.is_ascii_control() || matches!(c, '"' | '\\');
    text.split(is_special).max_by_key(|piece| piece.len()).filter(|piece| piece.len() >= LENGTH_MIN)
}

#[cfg(test)]
mod tests {
    use super::super::super::fold::fold_char;
    use super::*;
    use crate::extract::extract;
    use crate::field::FieldsBuilder;
    use crate::limits::Limits;
    use crate::record::Scratch;

    #[test]
    fn two_characters_fold_to_ascii() {
        let wide: Vec<String> = ('\u{80}'..=char::MAX).filter(|c| fold_char(*c).is_ascii()).map(String::from).collect();
        assert!(wide.len() == 2 && TO_ASCII.iter().all(|known| wide.iter().any(|wide| wide == known)), "{wide:?}");
    }

    #[test]
    fn however_many_values_a_record_has_its_comparisons_are_in_proportion_to_it() {
        let signs = (0..60).map(|n| (Sign::Substring("a".repeat(9 + n as usize).into()), n)).collect();
        let anywhere = Anywhere::new(signs);
        let raw = serde_json::to_string(&vec!["a".repeat(30); 500]).expect("texts are JSON");
        let fields = FieldsBuilder::new().build();
        let mut scratch = Scratch::new(&fields);
        let record = extract(&fields, &raw, &mut scratch, &Limits::default()).expect("JSON is a record");
        let mut told = 0;
        let found = &mut |_| told += 1;
        anywhere.look(&record, &mut Folds::default(), &mut Known::default(), found);
        assert!((60..5_000).contains(&told), "once there were too many, every sign counts as met: {told}");
    }

    #[test]
    fn a_key_is_told_from_a_value() {
        let raw = br#"{"userName" : "the \\\"user\\\" x", "n":12, "list":["user", "b"], "k":"user"}"#;
        let ends: Vec<usize> = memchr::memmem::find_iter(raw, "user").map(|at| at + 4).collect();
        let in_keys: Vec<bool> = ends.iter().map(|end| is_in_key(raw, *end)).collect();
        assert_eq!(in_keys, [true, false, false, false]);
        let number = memchr::memmem::find(raw, b"12").expect("a number") + 2;
        assert!(!is_in_key(raw, number) && !is_in_key(raw, usize::MAX));
        assert!(!is_in_key(br#"{"n":12 ,":k":1}"#, 7), "the quote behind a number opens the next key");
    }

    #[test]
    fn a_keyword_is_known_by_its_longest_plain_piece() {
        assert_eq!(piece(r"\sekurlsa\x"), Some("sekurlsa"));
        assert_eq!(piece("ünicode"), Some("nicode"));
        assert_eq!(piece("a\"b\"c"), None);
        assert_eq!(piece("日本"), None);
    }
}
