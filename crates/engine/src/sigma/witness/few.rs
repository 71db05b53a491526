//! A few substrings in one pass with vector instructions: each literal is known by two to four of its bytes, in every case that they
//! can have.
//!
//! In: a text, ASCII in any case or folded. Out: the literals that stand in it.
//! Bound: linear in the text; when comparisons exceed a budget that is linear in the text, every literal counts as found.

use aho_corasick::Span;
use aho_corasick::packed::{Config, Searcher};
use rustc_hash::FxHashMap;

use super::table::{Found, commonness};

/// With more literals than this, hashed grams are quicker.
const LITERALS_MAX: usize = 40;
/// So many patterns still go into vector registers.
const PATTERNS_MAX: usize = 64;

/// A literal and the number to give when it is met.
#[derive(Debug)]
struct Literal {
    text: Box<[u8]>,
    /// Where its fragment stands in it.
    offset: usize,
    number: u32,
}

/// A few literals.
#[derive(Debug)]
pub(super) struct Few {
    searcher: Searcher,
    /// By pattern, the literals that have it as their fragment.
    by_pattern: Vec<Vec<u32>>,
    literals: Vec<Literal>,
}

impl Few {
    /// A table of literals of at least three bytes, each with its number; `None` where they are too many.
    pub(super) fn new(literals: &[(Box<str>, u32)]) -> Option<Few> {
        if literals.len() > LITERALS_MAX {
            return None;
        }
        let mut patterns: Vec<Vec<u8>> = Vec::new();
        let mut ids: FxHashMap<Vec<u8>, usize> = FxHashMap::default();
        let mut few = Few { searcher: Searcher::new(["x"])?, by_pattern: Vec::new(), literals: Vec::new() };
        for (text, number) in literals {
            let (offset, fragment) = fragment(text.as_bytes())?;
            let literal = u32::try_from(few.literals.len()).ok()?;
            for variant in variants(fragment) {
                let id = *ids.entry(variant.clone()).or_insert_with(|| {
                    patterns.push(variant);
                    few.by_pattern.push(Vec::new());
                    patterns.len() - 1
                });
                few.by_pattern[id].push(literal);
            }
            few.literals.push(Literal { text: text.as_bytes().into(), offset, number: *number });
        }
        if patterns.len() > PATTERNS_MAX {
            return None;
        }
        few.by_pattern = together(&patterns, &few.by_pattern);
        few.searcher = Config::new().builder().extend(patterns).build()?;
        Some(few)
    }

    /// Calls `found` with the number of every literal that stands in `text`; a literal may be told twice.
    #[inline]
    pub(super) fn search(&self, text: &[u8], found: &mut impl Found) {
        let mut budget = text.len() / 4 + 64;
        let mut at = 0;
        while let Some(met) = self.searcher.find_in(text, Span { start: at, end: text.len() }) {
            for &number in &self.by_pattern[met.pattern().as_usize()] {
                let literal = &self.literals[number as usize];
                if let Some(end) = literal.end_at(text, met.start()) {
                    found(literal.number, end);
                }
                let Some(left) = budget.checked_sub(1 + literal.text.len() / 8) else {
                    return self.literals.iter().for_each(|literal| found(literal.number, usize::MAX));
                };
                budget = left;
            }
            at = met.start() + 1;
        }
    }
}

impl Literal {
    /// Where the literal ends, if it stands where its fragment is at `at`.
    fn end_at(&self, text: &[u8], at: usize) -> Option<usize> {
        let start = at.checked_sub(self.offset)?;
        text.get(start..start + self.text.len())?.eq_ignore_ascii_case(&self.text).then_some(start + self.text.len())
    }
}

/// The literals to compare where a pattern is met: its own, and those of patterns that may stand at the same place unmet.
fn together(patterns: &[Vec<u8>], by_pattern: &[Vec<u32>]) -> Vec<Vec<u32>> {
    let near = |one: &[u8], other: &[u8]| one.starts_with(other) || other.starts_with(one);
    let of = |pattern: &Vec<u8>| {
        let others = patterns.iter().zip(by_pattern).filter(|(other, _)| near(pattern, other));
        let mut literals: Vec<u32> = others.flat_map(|(_, literals)| literals.iter().copied()).collect();
        literals.sort_unstable();
        literals.dedup();
        literals
    };
    patterns.iter().map(of).collect()
}

/// The piece of `text` that has the fewest variants and is the rarest, and where it stands.
fn fragment(text: &[u8]) -> Option<(usize, &[u8])> {
    let pieces = [(4, 0), (3, 4), (2, 10)]
        .into_iter()
        .flat_map(|(length, price)| text.windows(length).enumerate().map(move |(at, piece)| (at, piece, price)));
    let cost = |(_, piece, price): &(usize, &[u8], u32)| {
        let letters = piece.iter().filter(|byte| byte.is_ascii_alphabetic()).count() as u32;
        let word = piece.iter().fold(0, |word, byte| word << 8 | u32::from(*byte));
        letters * 6 + commonness(word) + price
    };
    pieces.min_by_key(cost).map(|(at, piece, _)| (at, piece))
}

/// `fragment` in every case.
fn variants(fragment: &[u8]) -> Vec<Vec<u8>> {
    let mut variants = vec![Vec::new()];
    for byte in fragment {
        let cases = [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()];
        let cases = if cases[0] == cases[1] { &cases[..1] } else { &cases[..] };
        variants = variants
            .iter()
            .flat_map(|before| cases.iter().map(move |case| [before.as_slice(), &[*case]].concat()))
            .collect();
    }
    variants
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(literals: &[&str], text: &str) -> Vec<u32> {
        let literals: Vec<(Box<str>, u32)> = literals.iter().zip(0..).map(|(text, n)| ((*text).into(), n)).collect();
        let mut found = Vec::new();
        Few::new(&literals).expect("few").search(text.as_bytes(), &mut |number, _| found.push(number));
        found.sort_unstable();
        found.dedup();
        found
    }

    #[test]
    fn literals_are_found_in_any_case() {
        let literals = ["sekurlsa::", "lsadump::", "privilege::debug", "kiwi", "a.b"];
        let text =
            "x privilege::DEBUG and SEKURLSA::logonpasswords and KiWi, with more so that vectors are filled: A.B";
        assert_eq!(found(&literals, text), [0, 2, 3, 4]);
        assert_eq!(found(&literals, "kiwi"), [3]);
        assert_eq!(found(&literals, ""), Vec::<u32>::new());
    }

    #[test]
    fn too_many_variants_are_refused() {
        let literals: Vec<(Box<str>, u32)> =
            (0..30).map(|n| (format!("{}word", (b'a' + n as u8) as char).into(), n)).collect();
        assert!(Few::new(&literals).is_none());
    }

    #[test]
    fn when_the_budget_is_spent_every_literal_counts_as_found() {
        assert_eq!(found(&["::::x", "never"], &":".repeat(5000)), [0, 1]);
    }

    #[test]
    fn a_fragment_that_starts_another_one_does_not_hide_it() {
        assert_eq!(found(&[":a:", ":a::"], ":A::"), [0, 1]);
    }

    proptest! {
        #[test]
        fn nothing_that_is_there_is_missed(
            literals in prop::collection::vec("[ab:]{3,6}", 1..5),
            text in "[abAB:]{0,80}",
        ) {
            let lower = text.to_ascii_lowercase();
            let there: Vec<u32> =
                literals.iter().zip(0..).filter(|(literal, _)| lower.contains(literal.as_str())).map(|(_, n)| n).collect();
            let texts: Vec<(Box<str>, u32)> = literals.iter().zip(0..).map(|(text, n)| (text.as_str().into(), n)).collect();
            if let Some(few) = Few::new(&texts) {
                let mut found = Vec::new();
                few.search(text.as_bytes(), &mut |number, _| found.push(number));
                prop_assert!(there.iter().all(|number| found.contains(number)));
            }
        }
    }
}
