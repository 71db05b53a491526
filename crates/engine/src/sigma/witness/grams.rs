//! Many substrings in one pass: each literal is known by one of its runs of four bytes, the rarest among the literals.
//!
//! In: a text, ASCII in any case or folded. Out: the literals that stand in it. A bit map of hashed grams says for nearly every position
//! that nothing is there; what passes is looked up and compared. Only every second position is looked at, since a literal is known by
//! two neighbouring grams, one of which stands at an even place.
//! Bound: one look at each second position, and a budget of comparisons that is linear in the text; when it is spent, every literal
//! counts as found, which costs its rules a look and changes no answer.

use rustc_hash::FxHashMap;

use super::few::Few;

const MIX: u32 = 0x9E37_79B1;
/// Bits of the map for each gram: so many that few positions pass by chance.
const BITS_A_GRAM: usize = 32;
const EMPTY: u32 = u32::MAX;
/// Takes ASCII letters to lower case, and some other characters together; what is met is compared afterwards.
const FOLD: u32 = 0x2020_2020;
const FOLD_WIDE: u64 = 0x2020_2020_2020_2020;

/// Literals by their grams.
#[derive(Debug)]
pub(super) struct Grams {
    few: Option<Few>,
    /// Literals of five bytes and more, by grams of four.
    fours: Table,
    /// Literals of four bytes.
    threes: Table,
    /// Literals of three bytes.
    twos: Table,
    /// One look for all three tables, where there is more than the first.
    gate: Option<Gate>,
}

/// The length that a literal must have.
pub(super) const LENGTH_MIN: usize = 3;

/// Takes the number of a literal that was met, and where it ends.
pub(super) trait Found: FnMut(u32, usize) {}
impl<F: FnMut(u32, usize)> Found for F {}

impl Grams {
    /// A table of literals of at least [`LENGTH_MIN`] bytes, each with its number.
    pub(super) fn new(literals: Vec<(Box<str>, u32)>) -> Option<Grams> {
        if literals.is_empty() {
            return None;
        }
        let few = Few::new(&literals);
        let of = |width: usize, lengths: std::ops::RangeInclusive<usize>| {
            let wanted = literals.iter().filter(|(text, _)| few.is_none() && lengths.contains(&text.len()));
            let wanted: Vec<(&[u8], u32)> = wanted.map(|(text, number)| (text.as_bytes(), *number)).collect();
            Table::new(width, &wanted)
        };
        let (fours, threes, twos) = (of(4, 5..=usize::MAX), of(3, 4..=4), of(2, 3..=3));
        let gate = (!threes.is_empty() || !twos.is_empty()).then(|| Gate::of(&fours, &threes, &twos));
        Some(Grams { few, fours, threes, twos, gate })
    }

    /// Calls `found` with the number of every literal that stands in `text` and where it ends; a literal may be told twice.
    ///
    /// Shape: the end is beyond the text for literals that count as found because comparisons became too many.
    #[inline]
    pub(super) fn search(&self, text: &[u8], found: &mut impl Found) {
        match &self.few {
            Some(few) => few.search(text, found),
            None => self.search_in(text, [(0, text.len() as u32)], found),
        }
    }

    /// As [`Grams::search`], in the parts of `text` from start to end; what only begins in a part may be told as well.
    pub(super) fn search_in(&self, text: &[u8], parts: impl IntoIterator<Item = (u32, u32)>, found: &mut impl Found) {
        let mut budget = text.len() + 256;
        match &self.few {
            Some(few) => few.search(text, found),
            None => {
                let mut search =
                    |(start, end)| self.search_hashed(text, start as usize, end as usize, &mut budget, found);
                if parts.into_iter().try_for_each(&mut search).is_none() {
                    [&self.fours, &self.threes, &self.twos].iter().for_each(|table| table.tell_all(found));
                }
            }
        }
    }

    /// `None` once the budget is spent.
    #[inline]
    fn search_hashed(
        &self,
        text: &[u8],
        start: usize,
        end: usize,
        budget: &mut usize,
        found: &mut impl Found,
    ) -> Option<()> {
        let Some(gate) = &self.gate else {
            let part = text.get(start..text.len().min(end + 3)).unwrap_or_default();
            for (half, window) in part.array_windows::<4>().step_by(2).enumerate() {
                let word = u32::from_le_bytes(*window) | FOLD;
                if self.fours.bits.has(word) {
                    self.fours.compare(text, start + half * 2, word, budget, found)?;
                }
            }
            return Some(());
        };
        let mut at = start;
        // Three places of two bytes each in one step: a word of eight bytes has what is at all three.
        while at < end {
            let Some(chunk) = text.get(at..).and_then(|rest| rest.first_chunk::<8>()) else {
                return self.search_tail(text, at, budget, found);
            };
            let word = u64::from_le_bytes(*chunk) | FOLD_WIDE;
            let words = [word as u32, (word >> 16) as u32, (word >> 32) as u32];
            for (place, word) in words.into_iter().enumerate() {
                if gate.has(word) {
                    self.compare(text, at + place * 2, word, budget, found)?;
                }
            }
            at += 6;
        }
        Some(())
    }

    /// The even positions from `at` on, of which the last have less than four bytes behind them.
    fn search_tail(&self, text: &[u8], at: usize, budget: &mut usize, found: &mut impl Found) -> Option<()> {
        for at in (at..text.len()).step_by(2) {
            let mut bytes = [0; 4];
            let left = &text[at..text.len().min(at + 4)];
            bytes[..left.len()].copy_from_slice(left);
            self.compare(text, at, u32::from_le_bytes(bytes) | FOLD, budget, found)?;
        }
        Some(())
    }

    /// `None` once the budget is spent.
    fn compare(&self, text: &[u8], at: usize, word: u32, budget: &mut usize, found: &mut impl Found) -> Option<()> {
        for table in [&self.fours, &self.threes, &self.twos] {
            if table.bits.has(word & table.mask) {
                table.compare(text, at, word & table.mask, budget, found)?;
            }
        }
        Some(())
    }
}

/// The bits of a word that are its first three bytes.
const THREE: u32 = 0x00FF_FFFF;

/// A set of hashed grams of three bytes, of one size, so that a look into it is quick.
#[derive(Debug)]
struct Gate(Box<[u64; GATE_BITS / 64]>);

const GATE_BITS: usize = 1 << 17;

impl Gate {
    /// What has a gram of any of the tables in its first three bytes.
    fn of(fours: &Table, threes: &Table, twos: &Table) -> Gate {
        let mut gate = Gate(vec![0; GATE_BITS / 64].try_into().expect("it has the length that is asked for"));
        let long = [fours, threes].into_iter().flat_map(|table| table.groups.iter().map(|(gram, ..)| *gram));
        let third = (0..=u32::from(u8::MAX)).filter(|byte| byte & (FOLD & 0xFF) != 0);
        let short = twos.groups.iter().flat_map(|(gram, ..)| third.clone().map(move |byte| gram | byte << 16));
        for gram in long.chain(short) {
            let bit = Gate::bit(gram);
            gate.0[bit / 64] |= 1 << (bit % 64);
        }
        gate
    }

    #[inline]
    fn bit(word: u32) -> usize {
        ((word & THREE).wrapping_mul(MIX) >> (32 - GATE_BITS.trailing_zeros())) as usize
    }

    #[inline]
    fn has(&self, word: u32) -> bool {
        let bit = Gate::bit(word);
        self.0[bit / 64] >> (bit % 64) & 1 == 1
    }
}

/// A set of hashed grams.
#[derive(Debug)]
struct Bits {
    words: Box<[u64]>,
    shift: u32,
}

impl Bits {
    fn of(grams: impl Iterator<Item = u32>) -> Bits {
        let grams: Vec<u32> = grams.collect();
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
    fn has(&self, gram: u32) -> bool {
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
struct Table {
    /// The bits of a word that make a gram.
    mask: u32,
    bits: Bits,
    slots: Box<[u32]>,
    slots_shift: u32,
    /// A gram, its first literal, and the end of its literals.
    groups: Box<[(u32, u32, u32)]>,
    literals: Box<[Literal]>,
    text: Box<[u8]>,
}

impl Table {
    fn new(width: usize, literals: &[(&[u8], u32)]) -> Table {
        let mask = u32::MAX >> (32 - 8 * width);
        let grams = |text: &[u8]| -> Vec<u32> {
            let word = |window: &[u8]| window.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
            text.windows(width).map(|window| (word(window) | FOLD) & mask).collect()
        };
        let mut counts: FxHashMap<u32, u32> = FxHashMap::default();
        literals.iter().flat_map(|(text, _)| grams(text)).for_each(|gram| *counts.entry(gram).or_default() += 1);
        let weight = |gram: &u32| counts[gram] * 8 + commonness(*gram);
        let mut by_gram: FxHashMap<u32, Vec<Literal>> = FxHashMap::default();
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

    fn lay_out(mask: u32, by_gram: FxHashMap<u32, Vec<Literal>>, text: Vec<u8>) -> Table {
        let bits = Bits::of(by_gram.keys().copied());
        let slots = (by_gram.len() * 2).next_power_of_two().max(4);
        let mut slot_map = vec![EMPTY; slots];
        let slots_shift = 32 - slots.trailing_zeros();
        let (mut groups, mut literals) = (Vec::new(), Vec::new());
        let mut sorted: Vec<(u32, Vec<Literal>)> = by_gram.into_iter().collect();
        sorted.sort_unstable_by_key(|(gram, _)| *gram);
        for (gram, group) in sorted {
            let mut slot = (gram.wrapping_mul(MIX) >> slots_shift) as usize;
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

    fn is_empty(&self) -> bool {
        self.literals.is_empty()
    }

    /// `None` once the budget is spent.
    fn compare(&self, text: &[u8], at: usize, gram: u32, budget: &mut usize, found: &mut impl Found) -> Option<()> {
        let mut slot = (gram.wrapping_mul(MIX) >> self.slots_shift) as usize;
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

    fn tell_all(&self, found: &mut impl Found) {
        self.literals.iter().for_each(|literal| found(literal.number, usize::MAX));
    }

    /// Where the literal ends, if it stands where its gram is at `at`.
    fn end_of(&self, literal: &Literal, text: &[u8], at: usize) -> Option<usize> {
        let own = &self.text[literal.start as usize..(literal.start + literal.length) as usize];
        let start = at.checked_sub(literal.offset as usize)?;
        text.get(start..start + own.len())?.eq_ignore_ascii_case(own).then_some(start + own.len())
    }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(literals: &[&str], text: &str) -> Vec<u32> {
        let table = Grams::new(literals.iter().zip(0..).map(|(text, number)| ((*text).into(), number)).collect());
        let mut found = Vec::new();
        if let Some(table) = table {
            table.search(text.as_bytes(), &mut |number, _| found.push(number));
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
