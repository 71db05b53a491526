//! Many substrings in one pass: each literal is known by one of its runs of four bytes, the rarest among the literals.
//!
//! In: a text, ASCII in any case or folded. Out: the literals that stand in it. A bit map of hashed grams says for nearly every position
//! that nothing is there; what passes is looked up and compared. Only every second position is looked at, since a literal is known by
//! two neighbouring grams, one of which stands at an even place.
//! Bound: one look at each second position, and a budget of comparisons that is linear in the text; when it is spent, every literal
//! counts as found, which costs its rules a look and changes no answer.

use rustc_hash::FxHashMap;

const MIX: u32 = 0x9E37_79B1;
/// Bits of the map for each gram: so many that few positions pass by chance.
const BITS_A_GRAM: usize = 32;
const EMPTY: u32 = u32::MAX;
/// Takes ASCII letters to lower case, and some other characters together; what is met is compared afterwards.
const FOLD: u32 = 0x2020_2020;

/// Literals by their grams.
#[derive(Debug)]
pub(super) struct Grams {
    /// Literals of five bytes and more, of four, and of three.
    fours: Option<Table<4>>,
    threes: Option<Table<3>>,
    twos: Option<Table<2>>,
}

/// The length that a literal must have.
pub(super) const LENGTH_MIN: usize = 3;

impl Grams {
    /// A table of literals of at least [`LENGTH_MIN`] bytes, each with its number.
    pub(super) fn new(literals: Vec<(Box<str>, u32)>) -> Option<Grams> {
        if literals.is_empty() {
            return None;
        }
        let of = |lengths: std::ops::RangeInclusive<usize>| -> Vec<(&[u8], u32)> {
            let wanted = literals.iter().filter(|(text, _)| lengths.contains(&text.len()));
            wanted.map(|(text, number)| (text.as_bytes(), *number)).collect()
        };
        Some(Grams {
            fours: Table::new(&of(5..=usize::MAX)),
            threes: Table::new(&of(4..=4)),
            twos: Table::new(&of(3..=3)),
        })
    }

    /// Calls `found` with the number of every literal that stands in `text`; a literal may be told twice.
    #[inline]
    pub(super) fn search(&self, text: &[u8], found: &mut impl FnMut(u32)) {
        self.fours.iter().for_each(|table| table.search(text, found));
        self.threes.iter().for_each(|table| table.search(text, found));
        self.twos.iter().for_each(|table| table.search(text, found));
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

/// Literals of more than `W` bytes, by grams of `W` bytes.
#[derive(Debug)]
struct Table<const W: usize> {
    bits: Box<[u64]>,
    bits_shift: u32,
    slots: Box<[u32]>,
    slots_shift: u32,
    /// A gram, its first literal, and the end of its literals.
    groups: Box<[(u32, u32, u32)]>,
    literals: Box<[Literal]>,
    text: Box<[u8]>,
}

#[inline]
fn gram<const W: usize>(bytes: &[u8; W]) -> u32 {
    let mut word = [0; 4];
    word[..W].copy_from_slice(bytes);
    u32::from_le_bytes(word) | FOLD
}

fn grams<const W: usize>(text: &[u8]) -> impl Iterator<Item = u32> + '_ {
    text.windows(W).map(|window| gram::<W>(window.try_into().expect("windows are as wide as asked for")))
}

impl<const W: usize> Table<W> {
    fn new(literals: &[(&[u8], u32)]) -> Option<Table<W>> {
        if literals.is_empty() {
            return None;
        }
        let mut counts: FxHashMap<u32, u32> = FxHashMap::default();
        literals.iter().flat_map(|(text, _)| grams::<W>(text)).for_each(|gram| *counts.entry(gram).or_default() += 1);
        let weight = |gram: &u32| counts[gram] * 8 + commonness(*gram);
        let mut by_gram: FxHashMap<u32, Vec<Literal>> = FxHashMap::default();
        let mut all = Vec::new();
        for (text, number) in literals {
            let own: Vec<u32> = grams::<W>(text).collect();
            let pairs = own.windows(2).enumerate();
            let best = pairs.min_by_key(|(_, pair)| weight(&pair[0]) + weight(&pair[1])).map_or(0, |(at, _)| at);
            for offset in [best, best + 1] {
                let (start, length) = (all.len() as u32, text.len() as u32);
                let literal = Literal { start, length, offset: offset as u32, number: *number };
                by_gram.entry(own[offset]).or_default().push(literal);
            }
            all.extend_from_slice(text);
        }
        Some(Table::lay_out(by_gram, all))
    }

    fn lay_out(by_gram: FxHashMap<u32, Vec<Literal>>, text: Vec<u8>) -> Table<W> {
        let bits = (by_gram.len() * BITS_A_GRAM).next_power_of_two().clamp(1 << 10, 1 << 19);
        let slots = (by_gram.len() * 2).next_power_of_two().max(4);
        let (mut bit_map, mut slot_map) = (vec![0u64; bits / 64], vec![EMPTY; slots]);
        let (bits_shift, slots_shift) = (32 - bits.trailing_zeros(), 32 - slots.trailing_zeros());
        let (mut groups, mut literals) = (Vec::new(), Vec::new());
        let mut sorted: Vec<(u32, Vec<Literal>)> = by_gram.into_iter().collect();
        sorted.sort_unstable_by_key(|(gram, _)| *gram);
        for (gram, group) in sorted {
            let hash = gram.wrapping_mul(MIX);
            let bit = (hash >> bits_shift) as usize;
            bit_map[bit / 64] |= 1 << (bit % 64);
            let mut slot = (hash >> slots_shift) as usize;
            while slot_map[slot] != EMPTY {
                slot = (slot + 1) & (slots - 1);
            }
            slot_map[slot] = groups.len() as u32;
            let first = literals.len() as u32;
            literals.extend(group);
            groups.push((gram, first, literals.len() as u32));
        }
        Table {
            bits: bit_map.into(),
            bits_shift,
            slots: slot_map.into(),
            slots_shift,
            groups: groups.into(),
            literals: literals.into(),
            text: text.into(),
        }
    }

    #[inline]
    fn search(&self, text: &[u8], found: &mut impl FnMut(u32)) {
        let mut budget = text.len() + 256;
        let (bits, shift) = (&*self.bits, self.bits_shift);
        for (half, window) in text.array_windows::<W>().step_by(2).enumerate() {
            let gram = gram::<W>(window);
            let hash = gram.wrapping_mul(MIX);
            let bit = (hash >> shift) as usize;
            if bits[bit / 64] >> (bit % 64) & 1 == 1 && !self.compare(text, half * 2, gram, &mut budget, found) {
                return;
            }
        }
    }

    /// False once the budget is spent: everything has been told.
    fn compare(&self, text: &[u8], at: usize, gram: u32, budget: &mut usize, found: &mut impl FnMut(u32)) -> bool {
        let mut slot = (gram.wrapping_mul(MIX) >> self.slots_shift) as usize;
        let (first, end) = loop {
            match self.slots[slot] {
                EMPTY => return true,
                group => match self.groups[group as usize] {
                    (known, first, end) if known == gram => break (first, end),
                    _ => slot = (slot + 1) & (self.slots.len() - 1),
                },
            }
        };
        for literal in &self.literals[first as usize..end as usize] {
            if self.stands(literal, text, at) {
                found(literal.number);
            }
            let Some(left) = budget.checked_sub(1 + literal.length as usize / 8) else {
                self.literals.iter().for_each(|literal| found(literal.number));
                return false;
            };
            *budget = left;
        }
        true
    }

    /// Does the literal stand where its gram is at `at`?
    fn stands(&self, literal: &Literal, text: &[u8], at: usize) -> bool {
        let own = &self.text[literal.start as usize..(literal.start + literal.length) as usize];
        let there = at.checked_sub(literal.offset as usize).and_then(|start| text.get(start..start + own.len()));
        there.is_some_and(|there| there.eq_ignore_ascii_case(own))
    }
}

/// A rough idea of how full logs are of a gram: letters that are frequent in paths and commands make it frequent.
fn commonness(gram: u32) -> u32 {
    let byte = |byte: u8| match byte {
        b'e' | b's' | b'i' | b't' | b'o' | b'n' | b'r' | b'a' | b'c' | b'm' | b'\\' | b'.' | b' ' | b'0' => 4,
        b'd' | b'l' | b'p' | b'w' | b'u' | b'x' | b'h' | b'-' | b'/' | b'1' | b'2' => 3,
        b'f' | b'g' | b'y' | b'b' | b'v' | b'3'..=b'9' | b':' | b'_' | b'"' => 2,
        b'k' | b'j' | b'q' | b'z' | b'=' | b'(' | b')' | b',' => 1,
        _ => 0,
    };
    gram.to_le_bytes().into_iter().map(byte).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(literals: &[&str], text: &str) -> Vec<u32> {
        let table = Grams::new(literals.iter().zip(0..).map(|(text, number)| ((*text).into(), number)).collect());
        let mut found = Vec::new();
        if let Some(table) = table {
            table.search(text.as_bytes(), &mut |number| found.push(number));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    #[test]
    fn literals_are_found_wherever_they_stand() {
        let literals = ["mimikatz", "katz", "sekurlsa::", "lsass", "nowhere", "sek"];
        assert_eq!(found(&literals, "MimiKatz sekurlsa::logonpasswords"), [0, 1, 2, 5]);
        assert_eq!(found(&literals, "lsass"), [3]);
        assert_eq!(found(&literals, "lsas"), Vec::<u32>::new());
        assert_eq!(found(&literals, ""), Vec::<u32>::new());
    }

    #[test]
    fn when_the_budget_is_spent_every_literal_counts_as_found() {
        let literals: Vec<String> = (0..200).map(|n| format!("aaaa{n}")).collect();
        let literals: Vec<&str> = literals.iter().map(String::as_str).collect();
        assert_eq!(found(&literals, &"a".repeat(5000)).len(), 200);
    }

    proptest! {
        #[test]
        fn nothing_that_is_there_is_missed(
            literals in prop::collection::vec("[abc]{3,9}", 1..60),
            text in "[abc]{0,60}",
        ) {
            let there: Vec<u32> =
                literals.iter().zip(0..).filter(|(literal, _)| text.contains(literal.as_str())).map(|(_, n)| n).collect();
            let literals: Vec<&str> = literals.iter().map(String::as_str).collect();
            let found = found(&literals, &text);
            prop_assert!(there.iter().all(|number| found.contains(number)));
        }
    }
}
