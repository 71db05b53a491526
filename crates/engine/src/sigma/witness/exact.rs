//! Whole texts, looked up by their length and outermost bytes.
//!
//! In: a text, ASCII in any case or folded. Out: the number of the text that is the same in folded form.

use super::affix::{ByOuter, FOLD};

const OUTER: usize = 8;

/// Texts, each with its number.
#[derive(Debug, Default)]
pub(super) struct Exact {
    /// The lengths of all texts, modulo 64.
    lengths: u64,
    by_key: ByOuter,
}

impl Exact {
    /// A table of different texts.
    pub(super) fn new(texts: Vec<(Box<str>, u32)>) -> Option<Exact> {
        if texts.is_empty() {
            return None;
        }
        let mut exact = Exact::default();
        for (text, number) in texts {
            let text = text.into_boxed_bytes();
            exact.lengths |= 1 << (text.len() % 64);
            exact.by_key.entry(key(&text)).or_default().push((text, number));
        }
        Some(exact)
    }

    /// The number of `text`.
    #[inline]
    pub(super) fn get(&self, text: &[u8]) -> Option<u32> {
        if self.lengths >> (text.len() % 64) & 1 == 0 {
            return None;
        }
        let known = self.by_key.get(&key(text))?;
        known.iter().find(|(known, _)| known.eq_ignore_ascii_case(text)).map(|(_, number)| *number)
    }
}

/// Mixes the length with the first and last bytes, and the middle ones where they are many.
#[inline]
fn key(text: &[u8]) -> u64 {
    const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
    let word = |bytes: &[u8; OUTER]| u64::from_le_bytes(*bytes) | FOLD;
    let (head, tail) = match (text.first_chunk(), text.last_chunk()) {
        (Some(head), Some(tail)) => (word(head), word(tail)),
        _ => {
            let mut bytes = [0; OUTER];
            bytes[..text.len()].copy_from_slice(text);
            (word(&bytes), 0)
        }
    };
    let middle = text.get(text.len() / 2..).and_then(|rest| rest.first_chunk()).map_or(0, word);
    let mixed = (head.wrapping_mul(MIX) ^ tail.rotate_left(23)).wrapping_mul(MIX) ^ middle.rotate_left(41);
    mixed.wrapping_mul(MIX) ^ text.len() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_in_any_case_and_only_whole() {
        let texts = ["", "4104", "stoplogging", "s3.amazonaws.com", "sts.amazonaws.com", "[id", "{id"];
        let exact = Exact::new(texts.iter().zip(0..).map(|(text, number)| ((*text).into(), number)).collect());
        let get = |text: &str| exact.as_ref().expect("texts").get(text.as_bytes());
        assert_eq!(get("StopLogging"), Some(2));
        assert_eq!(get("S3.amazonaws.com"), Some(3));
        assert_eq!(get("[ID"), Some(5));
        assert_eq!(get("{id"), Some(6));
        assert_eq!(get(""), Some(0));
        assert_eq!(get("stoplogging "), None);
        assert_eq!(get("410"), None);
    }
}
