//! Literals by one of their grams: a map of bits that says for nearly every place of a text that none is there, and a table for the rest.

use rustc_hash::FxHashMap;

pub(super) const MIX: u32 = 0x9E37_79B1;
const MIX_WIDE: u64 = 0x9E37_79B9_7F4A_7C15;
/// Bits of the map for each gram: so many that few positions pass by chance.
const BITS_A_GRAM: usize = 32;
const EMPTY: u32 = u32::MAX;
/// Takes ASCII letters to lower case, and some other characters together; what is met is compared afterwards.
pub(super) const FOLD: u32 = 0x2020_2020;
pub(super) const FOLD_WIDE: u64 = 0x2020_2020_2020_2020;

/// Takes the number of a literal that was met, and where it ends.
pub(super) trait Found: FnMut(u32, usize) {}
impl<F: FnMut(u32, usize)> Found for F {}

/// A set of hashed grams.
#[derive(Debug)]
pub(super) struct Bits {
    words: Box<[u64]>,
    shift: u32,
}

impl Bits {
    pub(super) fn of(grams: impl Iterator<Item = u32>) -> Bits {
        let mut grams: Vec<u32> = grams.collect();
        grams.sort_unstable();
        grams.dedup();
        let size = (grams.len() * BITS_A_GRAM).next_power_of_two().clamp(1 << 10, 1 << 17);
        let mut bits = Bits { words: vec![0; size / 64].into(), shift: 32 - size.trailing_zeros() };
        for gram in grams {
            let bit = bits.bit(gram);
            bits.words[bit / 64] |= 1 << (bit % 64);
        }
        bits
    }

    #[inline]
    fn bit(&self, gram: u32) -> usize {
        (gram.wrapping_mul(MIX) >> self.shift) as usize
    }

    #[inline]
    pub(super) fn has(&self, gram: u32) -> bool {
        let bit = self.bit(gram);
        self.words[bit / 64] >> (bit % 64) & 1 == 1
    }
}

/// A literal and the number to give when it is met.
#[derive(Clone, Copy, Debug)]
struct Literal {
    /// Where it stands in the table's text.
    start: u32,
    length: u32,
    /// Where its gram stands in it.
    offset: u32,
    number: u32,
}

/// Literals longer than the table's grams.
#[derive(Debug)]
pub(super) struct Table {
    /// The bits of a word that make a gram.
    pub(super) mask: u64,
    /// The first four bytes of the grams.
    pub(super) bits: Bits,
    slots: Box<[u32]>,
    slots_shift: u32,
    /// A gram, its first literal, and the end of its literals.
    groups: Box<[(u64, u32, u32)]>,
    literals: Box<[Literal]>,
    text: Box<[u8]>,
}

impl Table {
    pub(super) fn new(width: usize, literals: &[(&[u8], u32)]) -> Table {
        let mask = u64::MAX >> (64 - 8 * width);
        let grams = |text: &[u8]| -> Vec<u64> {
            let word = |window: &[u8]| window.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
            text.windows(width).map(|window| (word(window) | FOLD_WIDE) & mask).collect()
        };
        let mut counts: FxHashMap<u64, u32> = FxHashMap::default();
        literals.iter().flat_map(|(text, _)| grams(text)).for_each(|gram| *counts.entry(gram).or_default() += 1);
        // All that has the first four bytes is looked at closely, so they weigh more than the others.
        let weight = |gram: &u64| counts[gram] * 8 + commonness(*gram as u32) + commonness((gram >> 32) as u32) / 4;
        let mut by_gram: FxHashMap<u64, Vec<Literal>> = FxHashMap::default();
        let mut all = Vec::new();
        for (text, number) in literals {
            let own = grams(text);
            let pairs = own.windows(2).enumerate();
            let best = pairs.min_by_key(|(_, pair)| weight(&pair[0]) + weight(&pair[1])).map_or(0, |(at, _)| at);
            for offset in [best, best + 1] {
                let (start, length) = (all.len() as u32, text.len() as u32);
                let literal = Literal { start, length, offset: offset as u32, number: *number };
                by_gram.entry(own[offset]).or_default().push(literal);
            }
            all.extend_from_slice(text);
        }
        Table::lay_out(mask, by_gram, all)
    }

    fn lay_out(mask: u64, by_gram: FxHashMap<u64, Vec<Literal>>, text: Vec<u8>) -> Table {
        let bits = Bits::of(by_gram.keys().map(|gram| *gram as u32));
        let slots = (by_gram.len() * 2).next_power_of_two().max(4);
        let mut slot_map = vec![EMPTY; slots];
        let slots_shift = 64 - slots.trailing_zeros();
        let (mut groups, mut literals) = (Vec::new(), Vec::new());
        let mut sorted: Vec<(u64, Vec<Literal>)> = by_gram.into_iter().collect();
        sorted.sort_unstable_by_key(|(gram, _)| *gram);
        for (gram, group) in sorted {
            let mut slot = slot_of(gram, slots_shift);
            while slot_map[slot] != EMPTY {
                slot = (slot + 1) & (slots - 1);
            }
            slot_map[slot] = groups.len() as u32;
            let first = literals.len() as u32;
            literals.extend(group);
            groups.push((gram, first, literals.len() as u32));
        }
        Table {
            mask,
            bits,
            slots: slot_map.into(),
            slots_shift,
            groups: groups.into(),
            literals: literals.into(),
            text: text.into(),
        }
    }

    /// The first four bytes of its grams.
    pub(super) fn grams(&self) -> impl Iterator<Item = u32> {
        self.groups.iter().map(|(gram, ..)| *gram as u32)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.literals.is_empty()
    }

    /// `None` once the budget is spent.
    pub(super) fn compare(
        &self,
        text: &[u8],
        at: usize,
        gram: u64,
        budget: &mut usize,
        found: &mut impl Found,
    ) -> Option<()> {
        let mut slot = slot_of(gram, self.slots_shift);
        let (first, end) = loop {
            match self.slots[slot] {
                EMPTY => return Some(()),
                group => match self.groups[group as usize] {
                    (known, first, end) if known == gram => break (first, end),
                    _ => slot = (slot + 1) & (self.slots.len() - 1),
                },
            }
        };
        for literal in &self.literals[first as usize..end as usize] {
            if let Some(end) = self.end_of(literal, text, at) {
                found(literal.number, end);
            }
            *budget = budget.checked_sub(1 + literal.length as usize / 8)?;
        }
        Some(())
    }

    pub(super) fn tell_all(&self, found: &mut impl Found) {
        self.literals.iter().for_each(|literal| found(literal.number, usize::MAX));
    }

    /// Where the literal ends, if it stands where its gram is at `at`.
    fn end_of(&self, literal: &Literal, text: &[u8], at: usize) -> Option<usize> {
        let own = &self.text[literal.start as usize..(literal.start + literal.length) as usize];
        let start = at.checked_sub(literal.offset as usize)?;
        text.get(start..start + own.len())?.eq_ignore_ascii_case(own).then_some(start + own.len())
    }
}

#[inline]
fn slot_of(gram: u64, shift: u32) -> usize {
    (gram.wrapping_mul(MIX_WIDE) >> shift) as usize
}

/// A rough idea of how full logs are of a gram: letters that are frequent in paths and commands make it frequent.
pub(super) fn commonness(gram: u32) -> u32 {
    let byte = |byte: u8| match byte {
        b'e' | b's' | b'i' | b't' | b'o' | b'n' | b'r' | b'a' | b'c' | b'm' | b'\\' | b'.' | b' ' | b'0' => 4,
        b'd' | b'l' | b'p' | b'w' | b'u' | b'x' | b'h' | b'-' | b'/' | b'1' | b'2' => 3,
        b'f' | b'g' | b'y' | b'b' | b'v' | b'3'..=b'9' | b':' | b'_' | b'"' => 2,
        b'k' | b'j' | b'q' | b'z' | b'=' | b'(' | b')' | b',' => 1,
        _ => 0,
    };
    gram.to_le_bytes().into_iter().map(byte).sum()
}
