//! A map of where the strings of a text may stop: a bit for each byte, found 64 bytes at a time.
//!
//! In: the text, which is walked from its start. Out: the next quote, backslash or control character. A short string then costs a
//! shift and a count instead of a loop whose end no processor foresees. Bound: one bit a byte; blocks are mapped when first asked for.

use wide::u8x16;

/// Blocks that are mapped at a time.
const AHEAD: usize = 16;
const BLOCK: usize = 64;

/// The map of one text.
#[derive(Debug, Default)]
pub(crate) struct Stops {
    words: Vec<u64>,
}

impl Stops {
    /// Forgets the text.
    pub(crate) fn clear(&mut self) {
        self.words.clear();
    }

    /// The first quote, backslash or control character of `bytes` at or after `at`; where there is none, a place at or after its end.
    #[inline(always)]
    pub(crate) fn next(&mut self, bytes: &[u8], at: usize) -> usize {
        let mut index = at / BLOCK;
        let mut word = self.word(bytes, index) & (u64::MAX << (at % BLOCK));
        while word == 0 {
            index += 1;
            word = self.word(bytes, index);
        }
        index * BLOCK + word.trailing_zeros() as usize
    }

    #[inline]
    fn word(&mut self, bytes: &[u8], index: usize) -> u64 {
        match self.words.get(index) {
            Some(word) => *word,
            None => self.map(bytes, index),
        }
    }

    #[inline(never)]
    fn map(&mut self, bytes: &[u8], index: usize) -> u64 {
        let from = (self.words.len() * BLOCK).min(bytes.len());
        let until = ((index + AHEAD) * BLOCK).min(bytes.len());
        let (blocks, rest) = bytes.get(from..until).unwrap_or_default().as_chunks::<BLOCK>();
        self.words.extend(blocks.iter().map(stops_of));
        if until == bytes.len() {
            let mut last = [0; BLOCK];
            last[..rest.len()].copy_from_slice(rest);
            self.words.push(stops_of(&last));
        }
        self.words.get(index).copied().unwrap_or(u64::MAX)
    }
}

#[inline]
fn stops_of(block: &[u8; BLOCK]) -> u64 {
    block.as_chunks::<16>().0.iter().rev().fold(0, |word, part| word << 16 | u64::from(stops_in(part)))
}

/// A bit for each of sixteen bytes that is a quote, a backslash or a control character.
#[inline]
pub(crate) fn stops_in(part: &[u8; 16]) -> u32 {
    let (quote, slash, control) = (u8x16::splat(b'"'), u8x16::splat(b'\\'), u8x16::splat(0x1F));
    let part = u8x16::new(*part);
    (part.simd_eq(quote) | part.simd_eq(slash) | part.min(control).simd_eq(part)).to_bitmask()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plainly(bytes: &[u8], at: usize) -> Option<usize> {
        bytes.iter().skip(at).position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1F)).map(|found| at + found)
    }

    proptest! {
        #[test]
        fn the_map_finds_what_a_plain_search_finds(
            bytes in prop::collection::vec(prop_oneof![20 => b'a'..=b'z', 1 => any::<u8>(), 1 => Just(b'"')], 0..3000),
            mut places in prop::collection::vec(0usize..3100, 1..20),
        ) {
            let mut stops = Stops::default();
            places.sort_unstable();
            for at in places {
                let found = stops.next(&bytes, at);
                prop_assert_eq!(Some(found).filter(|found| *found < bytes.len()), plainly(&bytes, at));
            }
        }
    }
}
