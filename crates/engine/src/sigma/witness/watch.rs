//! What is looked for in the values of one field.

use rustc_hash::FxHashMap;

use super::super::number::Number;
use super::affix::{Affixes, End};
use super::exact::Exact;
use super::grams::{Grams, LENGTH_MIN};
use super::sign::Sign;
use crate::record::Scalar;

/// The signs of one field, each with a number to give where it is met.
#[derive(Debug, Default)]
pub(super) struct Watch {
    present: Vec<u32>,
    exact: Option<Exact>,
    numbers: FxHashMap<u64, u32>,
    prefixes: Option<Affixes>,
    suffixes: Option<Affixes>,
    substrings: Option<Grams>,
}

impl Watch {
    pub(super) fn new(signs: Vec<(Sign, u32)>) -> Watch {
        let mut watch = Watch::default();
        let (mut exact, mut prefixes, mut suffixes, mut substrings) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (sign, number) in signs {
            match sign {
                Sign::Exact(text) => exact.push((text, number)),
                Sign::Number(key) => drop(watch.numbers.insert(key, number)),
                Sign::Prefix(text) => prefixes.push((text, number)),
                Sign::Suffix(text) => suffixes.push((text, number)),
                Sign::Substring(text) if text.len() >= LENGTH_MIN => substrings.push((text, number)),
                // So short a text is met nearly everywhere.
                Sign::Substring(_) | Sign::Present => watch.present.push(number),
            }
        }
        watch.exact = Exact::new(exact);
        watch.prefixes = Affixes::new(End::Start, prefixes);
        watch.suffixes = Affixes::new(End::Tail, suffixes);
        watch.substrings = Grams::new(substrings);
        watch
    }

    /// Is a look quicker than to remember what a look has found?
    pub(super) fn is_cheap(&self) -> bool {
        self.prefixes.is_none() && self.suffixes.is_none() && self.substrings.is_none()
    }

    /// Calls `found` with the number of each sign that `value` has; `text` is its text, ASCII in any case or folded.
    #[inline]
    pub(super) fn look(&self, value: Scalar<'_>, text: &[u8], found: &mut impl FnMut(u32)) {
        self.present.iter().for_each(|number| found(*number));
        match value {
            Scalar::Null => return,
            Scalar::Number(lexeme) if !self.numbers.is_empty() => {
                let key = Number::parse(lexeme).map(Number::key);
                key.and_then(|key| self.numbers.get(&key)).into_iter().for_each(|number| found(*number));
            }
            _ => {}
        }
        self.exact.iter().filter_map(|exact| exact.get(text)).for_each(&mut *found);
        self.prefixes.iter().for_each(|prefixes| prefixes.search(text, found));
        self.suffixes.iter().for_each(|suffixes| suffixes.search(text, found));
        self.substrings.iter().for_each(|substrings| substrings.search(text, &mut |number, _| found(number)));
    }
}
