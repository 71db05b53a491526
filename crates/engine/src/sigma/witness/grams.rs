//! Many substrings in one pass: each literal is known by one of its runs of eight bytes, the rarest among the literals; a short one
//! by a shorter run. Rules draw on the same words, so that four bytes stand for a crowd of literals where eight stand for a few.
//!
//! In: a text, ASCII in any case or folded. Out: the literals that stand in it. A bit map of hashed grams says for nearly every position
//! that nothing is there; what passes is looked up and compared. Only every second position is looked at, since a literal is known by
//! two neighbouring grams, one of which stands at an even place.
//! Bound: one look at each second position, and a budget of comparisons that is linear in the text; when it is spent, every literal
//! counts as found, which costs its rules a look and changes no answer.

use super::few::Few;
use super::table::{Bits, FOLD, FOLD_WIDE, Found, MIX, Table};

/// Literals by their grams.
#[derive(Debug)]
pub(super) struct Grams {
    few: Option<Few>,
    /// Literals of nine bytes and more, by grams of eight.
    eights: Table,
    /// Literals of five to eight bytes, by grams of four.
    fours: Table,
    /// The first four bytes of the grams of both.
    long: Bits,
    /// Literals of four bytes.
    threes: Table,
    /// Literals of three bytes.
    twos: Table,
    /// One look for all three tables, where there is more than the first.
    gate: Option<Gate>,
}

/// The length that a literal must have.
pub(super) const LENGTH_MIN: usize = 3;

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
        let (eights, fours) = (of(8, 9..=usize::MAX), of(4, 5..=8));
        let (threes, twos) = (of(3, 4..=4), of(2, 3..=3));
        let long = Bits::of(eights.grams().chain(fours.grams()));
        let gate = (!threes.is_empty() || !twos.is_empty()).then(|| Gate::of([&eights, &fours, &threes], &twos));
        Some(Grams { few, eights, fours, long, threes, twos, gate })
    }

    /// Are they so few that one search in a long text costs less than many in short ones?
    pub(super) fn is_few(&self) -> bool {
        self.few.is_some()
    }

    /// Calls `found` with the number of every literal that stands in `text` and where it ends; a literal may be told twice.
    ///
    /// Shape: the end is beyond the text for literals that count as found because comparisons became too many.
    #[inline]
    pub(super) fn search(&self, text: &[u8], found: &mut impl Found) {
        match &self.few {
            Some(few) => few.search(text, found),
            None => drop(self.search_in(text, [(0, text.len() as u32)], &mut Grams::budget(text), found)),
        }
    }

    /// How many comparisons a text may cost, however many parts of it are searched.
    pub(super) fn budget(text: &[u8]) -> usize {
        text.len() + 256
    }

    /// As [`Grams::search`], in the parts of `text` from start to end; what only begins in a part may be told as well.
    ///
    /// Shape: `None` once the budget is spent: then every literal was told, and there is no need to search on.
    pub(super) fn search_in(
        &self,
        text: &[u8],
        parts: impl IntoIterator<Item = (u32, u32)>,
        budget: &mut usize,
        found: &mut impl Found,
    ) -> Option<()> {
        match &self.few {
            Some(few) => few.search(text, found),
            None => {
                let mut search = |(start, end)| self.search_hashed(text, start as usize, end as usize, budget, found);
                if parts.into_iter().try_for_each(&mut search).is_none() {
                    let tables = [&self.eights, &self.fours, &self.threes, &self.twos];
                    tables.iter().for_each(|table| table.tell_all(found));
                    return None;
                }
            }
        }
        Some(())
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
                if self.long.has(word) {
                    self.compare_long(text, start + half * 2, word, budget, found)?;
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
        if self.long.has(word) {
            self.compare_long(text, at, word, budget, found)?;
        }
        for table in [&self.threes, &self.twos] {
            let gram = u64::from(word) & table.mask;
            if table.bits.has(gram as u32) {
                table.compare(text, at, gram, budget, found)?;
            }
        }
        Some(())
    }

    fn compare_long(
        &self,
        text: &[u8],
        at: usize,
        word: u32,
        budget: &mut usize,
        found: &mut impl Found,
    ) -> Option<()> {
        if self.fours.bits.has(word) {
            self.fours.compare(text, at, u64::from(word), budget, found)?;
        }
        match text.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
            Some(chunk) if self.eights.bits.has(word) => {
                self.eights.compare(text, at, u64::from_le_bytes(*chunk) | FOLD_WIDE, budget, found)
            }
            _ => Some(()),
        }
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
    fn of(long: [&Table; 3], twos: &Table) -> Gate {
        let mut gate = Gate(vec![0; GATE_BITS / 64].try_into().expect("it has the length that is asked for"));
        let long = long.into_iter().flat_map(Table::grams);
        let third = (0..=u32::from(u8::MAX)).filter(|byte| byte & (FOLD & 0xFF) != 0);
        let short = twos.grams().flat_map(|gram| third.clone().map(move |byte| gram | byte << 16));
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
            literals in prop::collection::vec("[abc]{3,14}", 1..60),
            text in "[abc]{0,90}",
        ) {
            let there: Vec<u32> =
                literals.iter().zip(0..).filter(|(literal, _)| text.contains(literal.as_str())).map(|(_, n)| n).collect();
            let literals: Vec<&str> = literals.iter().map(String::as_str).collect();
            let found = found(&literals, &text);
            prop_assert!(there.iter().all(|number| found.contains(number)));
        }
    }
}
