//! Tests of text: many patterns of one kind at once, sorted by how they can be met.
//!
//! Bound: time is linear in the value for each pattern without wildcards inside; patterns with wildcards inside cost their own
//! length more. Nothing is allocated once the searchers that a test needs have been made, at its first use.

use std::sync::OnceLock;

use aho_corasick::AhoCorasick;
use memchr::memmem;
use rustc_hash::FxHashSet;

use super::fold::fold;
use super::folds::Leaves;
use super::pattern::{Pattern, Piece};
use super::witness::Sign;

/// From so many values on, a table or an automaton is quicker than one after the other.
const MANY: usize = 16;

/// A text as a test sees it: the text itself, and its folded form, which is compared without regard to case.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    /// The text as it is.
    pub(super) raw: &'a str,
    /// The text, folded.
    pub(super) folded: &'a str,
}

/// Patterns of which any suffices, all with or all without regard to case.
#[derive(Debug, Default)]
pub(super) struct TextTest {
    cased: bool,
    /// `*` alone: any text will do.
    any: bool,
    exact: Vec<Box<str>>,
    table: FxHashSet<Box<str>>,
    prefixes: Vec<Box<str>>,
    suffixes: Vec<Box<str>>,
    substrings: Vec<Box<str>>,
    /// Made at first use: most tests of a large rule set are never reached.
    searcher: OnceLock<Searcher>,
    globs: Vec<Glob>,
}

/// How substrings are searched for.
#[derive(Debug)]
enum Searcher {
    Each(Box<[memmem::Finder<'static>]>),
    Together(Box<AhoCorasick>),
}

impl Searcher {
    fn new(substrings: &[Box<str>]) -> Searcher {
        let each = || substrings.iter().map(|needle| memmem::Finder::new(needle.as_bytes()).into_owned()).collect();
        if substrings.len() < MANY {
            return Searcher::Each(each());
        }
        match AhoCorasick::new(substrings.iter().map(|needle| needle.as_bytes())) {
            Ok(automaton) => Searcher::Together(Box::new(automaton)),
            Err(_) => Searcher::Each(each()),
        }
    }

    fn is_in(&self, text: &[u8]) -> bool {
        match self {
            Searcher::Each(finders) => finders.iter().any(|finder| finder.find(text).is_some()),
            Searcher::Together(automaton) => automaton.is_match(text),
        }
    }

    /// One search in the text that holds all leaves costs less than one in each leaf.
    fn is_in_any(&self, leaves: Leaves<'_>) -> bool {
        match self {
            Searcher::Each(finders) => finders.iter().any(|finder| is_within_a_leaf(finder, leaves)),
            Searcher::Together(automaton) => leaves.iter().any(|leaf| automaton.is_match(leaf.as_bytes())),
        }
    }
}

fn is_within_a_leaf(finder: &memmem::Finder<'_>, leaves: Leaves<'_>) -> bool {
    let (text, length) = (leaves.text(), finder.needle().len());
    let mut from = 0;
    while let Some(found) = text.get(from..).and_then(|rest| finder.find(rest)) {
        let at = from + found;
        if leaves.within(at, at + length) {
            return true;
        }
        // What reaches over a leaf's end may overlap what stands whole in the next leaf.
        from = at + 1;
    }
    false
}

impl TextTest {
    pub(super) fn new<'p>(patterns: impl Iterator<Item = &'p Pattern>, cased: bool) -> TextTest {
        let mut test = TextTest { cased, ..TextTest::default() };
        for pattern in patterns {
            test.add(if cased { pattern.clone() } else { pattern.clone().map(fold) });
        }
        if test.exact.len() >= MANY {
            test.table = test.exact.drain(..).collect();
        }
        test
    }

    fn add(&mut self, pattern: Pattern) {
        let text = |text: &String| text.clone().into_boxed_str();
        match pattern.pieces() {
            [] => self.exact.push("".into()),
            [Piece::Literal(only)] => self.exact.push(text(only)),
            [Piece::Many] => self.any = true,
            [Piece::Literal(start), Piece::Many] => self.prefixes.push(text(start)),
            [Piece::Many, Piece::Literal(end)] => self.suffixes.push(text(end)),
            [Piece::Many, Piece::Literal(inner), Piece::Many] => self.substrings.push(text(inner)),
            _ => self.globs.push(Glob::new(&pattern)),
        }
    }

    /// Is there nothing to test?
    pub(super) fn is_empty(&self) -> bool {
        let lists = [&self.exact, &self.prefixes, &self.suffixes, &self.substrings];
        !self.any && lists.iter().all(|list| list.is_empty()) && self.table.is_empty() && self.globs.is_empty()
    }

    /// Of these signs a text has at least one if any pattern fits it.
    pub(super) fn signs(&self) -> Vec<Sign> {
        let of = |texts: &[Box<str>], sign: fn(Box<str>) -> Sign| -> Vec<Sign> {
            texts.iter().map(|text| sign(fold(text).into_boxed_str())).collect()
        };
        let mut signs = of(&self.exact, Sign::Exact);
        signs.extend(self.table.iter().map(|text| Sign::Exact(fold(text).into_boxed_str())));
        signs.extend(of(&self.prefixes, Sign::Prefix));
        signs.extend(of(&self.suffixes, Sign::Suffix));
        signs.extend(of(&self.substrings, Sign::Substring));
        signs.extend(self.globs.iter().map(Glob::sign));
        if self.any {
            signs.push(Sign::Present);
        }
        signs
    }

    /// A rough cost, to try the cheap tests first.
    pub(super) fn cost(&self) -> u32 {
        let searches = if self.substrings.len() >= MANY { 64 } else { self.substrings.len() * 8 };
        let ends = self.exact.len() + self.prefixes.len() + self.suffixes.len();
        u32::try_from(1 + ends + searches + self.globs.len() * 16).unwrap_or(u32::MAX)
    }

    /// Does any pattern fit the subject?
    pub(super) fn holds(&self, subject: Subject<'_>) -> bool {
        let text = if self.cased { subject.raw } else { subject.folded };
        self.any
            || self.exact.iter().any(|exact| **exact == *text)
            || (!self.table.is_empty() && self.table.contains(text))
            || self.prefixes.iter().any(|start| text.as_bytes().starts_with(start.as_bytes()))
            || self.suffixes.iter().any(|end| text.as_bytes().ends_with(end.as_bytes()))
            || (!self.substrings.is_empty() && self.searcher().is_in(text.as_bytes()))
            || self.globs.iter().any(|glob| glob.fits(text))
    }

    /// Does any pattern fit any of these texts, which are folded?
    pub(super) fn holds_any(&self, leaves: Leaves<'_>) -> bool {
        let are_substrings_all = !self.any
            && [&self.exact, &self.prefixes, &self.suffixes].iter().all(|list| list.is_empty())
            && self.table.is_empty()
            && self.globs.is_empty();
        if are_substrings_all && !self.substrings.is_empty() {
            return self.searcher().is_in_any(leaves);
        }
        leaves.iter().any(|leaf| self.holds(Subject { raw: leaf, folded: leaf }))
    }

    fn searcher(&self) -> &Searcher {
        self.searcher.get_or_init(|| Searcher::new(&self.substrings))
    }
}

/// A pattern with wildcards inside: runs of literals and single characters between its stars.
#[derive(Debug)]
struct Glob {
    runs: Vec<Vec<Piece>>,
    open_start: bool,
    open_end: bool,
}

impl Glob {
    fn new(pattern: &Pattern) -> Glob {
        let pieces = pattern.pieces();
        let runs: Vec<Vec<Piece>> =
            pieces.split(|piece| *piece == Piece::Many).filter(|run| !run.is_empty()).map(<[Piece]>::to_vec).collect();
        let is_many = |piece: Option<&Piece>| piece == Some(&Piece::Many);
        Glob { runs, open_start: is_many(pieces.first()), open_end: is_many(pieces.last()) }
    }

    /// The longest literal, with the end of the text that it must stand at, if any.
    fn sign(&self) -> Sign {
        let literals = self.runs.iter().enumerate().flat_map(|(run, pieces)| {
            pieces.iter().enumerate().filter_map(move |(at, piece)| match piece {
                Piece::Literal(text) => Some((run, at, text)),
                _ => None,
            })
        });
        let Some((run, at, text)) = literals.max_by_key(|(_, _, text)| text.len()) else { return Sign::Present };
        let text = fold(text).into_boxed_str();
        let is_last = run + 1 == self.runs.len() && at + 1 == self.runs[run].len();
        if run == 0 && at == 0 && !self.open_start {
            Sign::Prefix(text)
        } else if is_last && !self.open_end {
            Sign::Suffix(text)
        } else {
            Sign::Substring(text)
        }
    }

    /// The leftmost place for each run is the best one, so nothing is tried twice.
    fn fits(&self, text: &str) -> bool {
        let mut runs = &self.runs[..];
        let mut at = 0;
        if !self.open_start {
            let Some((first, rest)) = runs.split_first() else { return text.is_empty() };
            match run_at(first, text, 0) {
                Some(end) if rest.is_empty() && !self.open_end => return end == text.len(),
                Some(end) => (at, runs) = (end, rest),
                None => return false,
            }
        }
        let last = if self.open_end { None } else { runs.split_last() };
        if let Some((_, middle)) = last {
            runs = middle;
        }
        for run in runs {
            match find_run(run, text, at) {
                Some(end) => at = end,
                None => return false,
            }
        }
        match last {
            Some((last, _)) => run_before_end(last, text).is_some_and(|start| start >= at),
            None => true,
        }
    }
}

/// The end of `run` if it stands at `at`.
fn run_at(run: &[Piece], text: &str, at: usize) -> Option<usize> {
    let mut at = at;
    for piece in run {
        at += match piece {
            Piece::Literal(literal) => {
                let found = text.as_bytes().get(at..at + literal.len())?;
                (found == literal.as_bytes()).then_some(literal.len())?
            }
            _ => text.get(at..)?.chars().next()?.len_utf8(),
        };
    }
    Some(at)
}

/// The start of `run` if it stands at the end of `text`.
fn run_before_end(run: &[Piece], text: &str) -> Option<usize> {
    let mut end = text.len();
    for piece in run.iter().rev() {
        end -= match piece {
            Piece::Literal(literal) => {
                let start = end.checked_sub(literal.len())?;
                (text.as_bytes()[start..end] == *literal.as_bytes()).then_some(literal.len())?
            }
            _ => text.get(..end)?.chars().next_back()?.len_utf8(),
        };
    }
    Some(end)
}

/// The end of the first `run` from `from` on.
fn find_run(run: &[Piece], text: &str, from: usize) -> Option<usize> {
    let mut start = from;
    loop {
        if let Some(Piece::Literal(literal)) = run.first() {
            start += memmem::find(&text.as_bytes()[start..], literal.as_bytes())?;
        }
        if let Some(end) = run_at(run, text, start) {
            return Some(end);
        }
        start += text.get(start..)?.chars().next()?.len_utf8();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::fold::fold_into;
    use super::super::folds::Folds;
    use super::*;
    use crate::extract::extract;
    use crate::field::FieldsBuilder;
    use crate::limits::Limits;
    use crate::record::Scratch;

    fn fits(pattern: &str, text: &str) -> bool {
        let parsed = Pattern::parse(pattern);
        let test = TextTest::new([&parsed].into_iter(), false);
        let mut folded = String::new();
        fold_into(text, &mut folded);
        test.holds(Subject { raw: text, folded: &folded })
    }

    #[test]
    fn wildcards_fit_as_they_should() {
        assert!(fits("prog?.exe", "PROGA.EXE") && !fits("prog?.exe", "prog.exe"));
        assert!(fits("a*b*c", "aXbYc") && fits("a*b*c", "abc") && !fits("a*b*c", "acb"));
        assert!(fits("*ab", "abab") && fits("ab*ab", "abab") && !fits("ab*ab", "ab"));
        assert!(fits("*a?c*", "xxaBcyy") && !fits("*a?c*", "ac"));
        assert!(fits("?", "é") && !fits("?", "éé") && fits("??*", "éé"));
        assert!(fits("*?", "é") && !fits("*?", ""));
        assert!(fits("*", "") && fits("", "") && !fits("", "a"));
        assert!(fits("É*ß?", "éxßß"));
        assert!(fits("a*?b", "aéb") && !fits("a*?b", "ab"));
    }

    #[test]
    fn many_values_go_to_tables_and_automata() {
        let patterns: Vec<Pattern> = (0..40).map(|n| Pattern::parse(&format!("*Needle{n}x*"))).collect();
        let test = TextTest::new(patterns.iter(), false);
        let holds = |test: &TextTest, text: &str| test.holds(Subject { raw: text, folded: &fold(text) });
        assert!(holds(&test, "in the NEEDLE39X stack"));
        assert!(!holds(&test, "in the needle40x stack"));
        assert!(matches!(test.searcher(), Searcher::Together(_)));
        let exact: Vec<Pattern> = (0..40).map(|n| Pattern::parse(&format!("Name{n}"))).collect();
        let test = TextTest::new(exact.iter(), false);
        assert!(holds(&test, "NAME7") && !holds(&test, "NAME77"));
    }

    proptest! {
        #[test]
        fn one_search_over_all_texts_of_a_record_finds_what_a_search_in_each_finds(
            texts in prop::collection::vec("[aB\",:\\\\]{0,6}", 0..8),
            needles in prop::collection::vec("[ab\",:]{1,4}", 1..4),
        ) {
            let patterns: Vec<Pattern> = needles.iter().map(|needle| Pattern::parse(&format!("*{needle}*"))).collect();
            let test = TextTest::new(patterns.iter(), false);
            let raw = serde_json::to_string(&texts).expect("texts are JSON");
            let fields = FieldsBuilder::new().build();
            let mut scratch = Scratch::new(&fields);
            let record = extract(&fields, &raw, &mut scratch, &Limits::default()).expect("JSON is a record");
            let mut folds = Folds::default();
            folds.begin();
            let alone = texts.iter().any(|text| test.holds(Subject { raw: text, folded: &fold(text) }));
            prop_assert_eq!(test.holds_any(folds.leaves(&record)), alone);
        }
    }
}
