//! What may stand in any value of an event: keywords.
//!
//! In a record that is ASCII and writes every character of its texts as itself, but for quotes, backslashes and control characters, a
//! keyword stands in the raw bytes too, at least each piece of it between such characters. So the raw bytes are searched, in one
//! pass, for the longest piece of each keyword. Any other record is searched leaf by leaf.

use super::super::folds::Folds;
use super::grams::{Grams, LENGTH_MIN};
use super::sign::Sign;
use crate::record::Record;

/// Keywords, each with a number to give where it may be met.
#[derive(Debug, Default)]
pub(super) struct Anywhere {
    /// Met in every event.
    always: Vec<u32>,
    /// Met in every event that is not plain.
    wide: Vec<u32>,
    pieces: Option<Grams>,
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
        anywhere
    }

    /// Calls `found` with the number of each keyword that may stand in `record`.
    pub(super) fn look(&self, record: &Record<'_>, is_plain: bool, folds: &mut Folds, found: &mut impl FnMut(u32)) {
        self.always.iter().for_each(|number| found(*number));
        if !is_plain {
            self.wide.iter().for_each(|number| found(*number));
        }
        let Some(pieces) = &self.pieces else { return };
        if is_plain {
            pieces.search(record.raw().as_bytes(), found);
        } else {
            folds.leaves(record).for_each(|leaf| pieces.search(leaf.as_bytes(), found));
        }
    }
}

/// The longest run of characters that JSON writes as themselves; `None` where it is too short to search for.
fn piece(text: &str) -> Option<&str> {
    let is_special = |c: char| !c.is_ascii() || c.is_ascii_control() || matches!(c, '"' | '\\');
    text.split(is_special).max_by_key(|piece| piece.len()).filter(|piece| piece.len() >= LENGTH_MIN)
}

#[cfg(test)]
mod tests {
    use super::piece;

    #[test]
    fn a_keyword_is_known_by_its_longest_plain_piece() {
        assert_eq!(piece(r"\sekurlsa\x"), Some("sekurlsa"));
        assert_eq!(piece("ünicode"), Some("nicode"));
        assert_eq!(piece("a\"b\"c"), None);
        assert_eq!(piece("日本"), None);
    }
}
