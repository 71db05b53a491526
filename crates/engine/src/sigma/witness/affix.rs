//! Many prefixes or suffixes in a few look-ups: each literal is known by its outermost eight bytes, or by all where it is shorter.
//!
//! In: a text, ASCII in any case or folded. Out: the literals at its end.

use rustc_hash::FxHashMap;

const OUTER: usize = 8;

/// Takes ASCII letters to lower case, and some other characters together; what is met is compared afterwards.
pub(super) const FOLD: u64 = 0x2020_2020_2020_2020;

/// Which end of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Start,
    Tail,
}

/// Literals with their numbers, by their outer bytes.
pub(super) type ByOuter = FxHashMap<u64, Vec<(Box<[u8]>, u32)>>;

/// Literals that stand at one end of a text.
#[derive(Debug)]
pub(super) struct Affixes {
    end: End,
    /// The outermost bytes of all literals, folded: most texts have none of them.
    outermost: [u64; 4],
    /// By the number of outer bytes that literals are known by, from 0 to [`OUTER`].
    by_length: [Option<Box<ByOuter>>; OUTER + 1],
}

impl Affixes {
    /// A table of literals, each with its number.
    pub(super) fn new(end: End, literals: Vec<(Box<str>, u32)>) -> Option<Affixes> {
        if literals.is_empty() {
            return None;
        }
        let mut affixes = Affixes { end, outermost: [0; 4], by_length: Default::default() };
        for (text, number) in literals {
            let text: Box<[u8]> = text.into_boxed_bytes();
            let length = text.len().min(OUTER);
            match outermost(end, &text) {
                Some(byte) => affixes.outermost[usize::from(byte / 64)] |= 1 << (byte % 64),
                None => affixes.outermost = [u64::MAX; 4],
            }
            let key = key(end, &text, length);
            let table = affixes.by_length[length].get_or_insert_default();
            table.entry(key).or_default().push((text, number));
        }
        Some(affixes)
    }

    /// Calls `found` with the number of every literal at the end of `text`.
    #[inline]
    pub(super) fn search(&self, text: &[u8], found: &mut impl FnMut(u32)) {
        let byte = outermost(self.end, text).unwrap_or_default();
        if self.outermost[usize::from(byte / 64)] >> (byte % 64) & 1 == 0 {
            return;
        }
        for (length, table) in self.by_length.iter().enumerate() {
            let Some(table) = table else { continue };
            if text.len() < length {
                return;
            }
            for (literal, number) in table.get(&key(self.end, text, length)).into_iter().flatten() {
                let there = match self.end {
                    End::Start => text.get(..literal.len()),
                    End::Tail => text.len().checked_sub(literal.len()).and_then(|start| text.get(start..)),
                };
                if there.is_some_and(|there| there.eq_ignore_ascii_case(literal)) {
                    found(*number);
                }
            }
        }
    }
}

/// The byte at the end, folded; none of an empty text.
#[inline]
fn outermost(end: End, text: &[u8]) -> Option<u8> {
    let byte = match end {
        End::Start => text.first(),
        End::Tail => text.last(),
    };
    byte.map(|byte| byte | FOLD as u8)
}

/// The outer `length` bytes as a number.
#[inline]
fn key(end: End, text: &[u8], length: usize) -> u64 {
    let outer = match end {
        End::Start => &text[..length],
        End::Tail => &text[text.len() - length..],
    };
    let mut bytes = [0; OUTER];
    bytes[..length].copy_from_slice(outer);
    u64::from_le_bytes(bytes) | FOLD
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(end: End, literals: &[&str], text: &str) -> Vec<u32> {
        let affixes = Affixes::new(end, literals.iter().zip(0..).map(|(text, n)| ((*text).into(), n)).collect());
        let mut found = Vec::new();
        affixes.expect("literals").search(text.as_bytes(), &mut |number| found.push(number));
        found
    }

    #[test]
    fn literals_are_found_at_their_end_only() {
        let literals = ["", "e", ".exe", "\\cmd.exe", "\\powershell.exe", "powershell.exe"];
        assert_eq!(found(End::Tail, &literals, "C:\\PowerShell.exe"), [0, 1, 2, 4, 5]);
        assert_eq!(found(End::Tail, &literals, "exe"), [0, 1]);
        assert_eq!(found(End::Start, &literals, "powershell.exe -enc"), [0, 5]);
        assert_eq!(found(End::Start, &literals, ""), [0]);
    }
}
