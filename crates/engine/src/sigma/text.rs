//! Tests of text: many patterns of one kind at once, sorted by how they can be met.
//!
//! Bound: time is linear in the value for each pattern without wildcards inside; patterns with wildcards inside cost their own
//! length more. Nothing is allocated.

use aho_corasick::AhoCorasick;
use memchr::memmem;
use rustc_hash::FxHashSet;

use super::fold::fold;
use super::pattern::{Pattern, Piece};

/// From so many values on, a table or an automaton is quicker than one after the other.
const MANY: usize = 12;
/// From so many bytes on, a substring goes to the automaton, so that the plain search stays linear.
const LONG: usize = 64;

/// A text as a test sees it: the text itself, or its folded form where it has characters beyond ASCII.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    /// The text as it is.
    pub(super) raw: &'a str,
    /// The text to compare without regard to case: ASCII letters may have any case, all others are folded.
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
    automaton: Option<Box<AhoCorasick>>,
    globs: Vec<Glob>,
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
        let is_long = test.substrings.iter().any(|needle| needle.len() > LONG);
        if test.substrings.len() >= MANY || is_long {
            let automaton = AhoCorasick::builder()
                .ascii_case_insensitive(!cased)
                .build(test.substrings.iter().map(|s| s.as_bytes()));
            if let Ok(automaton) = automaton {
                test.substrings = Vec::new();
                test.automaton = Some(Box::new(automaton));
            }
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
        !self.any
            && lists.iter().all(|list| list.is_empty())
            && self.table.is_empty()
            && self.automaton.is_none()
            && self.globs.is_empty()
    }

    /// The folded texts, where only whole texts fit.
    pub(super) fn exact_values(&self) -> Option<Vec<Box<str>>> {
        let lists = [&self.prefixes, &self.suffixes, &self.substrings];
        let is_exact =
            !self.any && lists.iter().all(|list| list.is_empty()) && self.automaton.is_none() && self.globs.is_empty();
        is_exact.then(|| self.exact.iter().chain(&self.table).map(|text| fold(text).into_boxed_str()).collect())
    }

    /// A rough cost, to try the cheap tests first.
    pub(super) fn cost(&self) -> u32 {
        let searches = self.substrings.len() * 8 + self.globs.len() * 16 + usize::from(self.automaton.is_some()) * 64;
        let ends = self.exact.len() + self.prefixes.len() + self.suffixes.len();
        u32::try_from(1 + ends + searches).unwrap_or(u32::MAX)
    }

    /// Does any pattern fit the subject?
    pub(super) fn holds(&self, subject: Subject<'_>, lower: &mut String) -> bool {
        let text = if self.cased { subject.raw } else { subject.folded };
        let bytes = text.as_bytes();
        let same = |a: &[u8], b: &[u8]| if self.cased { a == b } else { a.eq_ignore_ascii_case(b) };
        if self.any || self.exact.iter().any(|exact| same(bytes, exact.as_bytes())) {
            return true;
        }
        if !self.table.is_empty() && self.in_table(text, lower) {
            return true;
        }
        let starts = |start: &[u8]| bytes.len() >= start.len() && same(&bytes[..start.len()], start);
        let ends = |end: &[u8]| bytes.len() >= end.len() && same(&bytes[bytes.len() - end.len()..], end);
        self.prefixes.iter().any(|prefix| starts(prefix.as_bytes()))
            || self.suffixes.iter().any(|suffix| ends(suffix.as_bytes()))
            || self.substrings.iter().any(|needle| find(bytes, needle.as_bytes(), self.cased).is_some())
            || self.automaton.as_ref().is_some_and(|automaton| automaton.is_match(bytes))
            || self.globs.iter().any(|glob| glob.fits(text, self.cased))
    }

    fn in_table(&self, text: &str, lower: &mut String) -> bool {
        if self.cased {
            return self.table.contains(text);
        }
        lower.clear();
        lower.push_str(text);
        lower.make_ascii_lowercase();
        self.table.contains(lower.as_str())
    }
}

/// Where `needle` first stands in `text`; without regard to ASCII case unless `cased`, and then the needle is lower case.
pub(super) fn find(text: &[u8], needle: &[u8], cased: bool) -> Option<usize> {
    let Some(&first) = needle.first() else { return Some(0) };
    if cased {
        return memmem::find(text, needle);
    }
    let last = text.len().checked_sub(needle.len())?;
    let candidates = &text[..=last];
    let fits = |at: &usize| text[*at..*at + needle.len()].eq_ignore_ascii_case(needle);
    if first.is_ascii_lowercase() {
        memchr::memchr2_iter(first, first.to_ascii_uppercase(), candidates).find(fits)
    } else {
        memchr::memchr_iter(first, candidates).find(fits)
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

    /// The leftmost place for each run is the best one, so nothing is tried twice.
    fn fits(&self, text: &str, cased: bool) -> bool {
        let mut runs = &self.runs[..];
        let mut at = 0;
        if !self.open_start {
            let Some((first, rest)) = runs.split_first() else { return text.is_empty() };
            match run_at(first, text, 0, cased) {
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
            match find_run(run, text, at, cased) {
                Some(end) => at = end,
                None => return false,
            }
        }
        match last {
            Some((last, _)) => run_before_end(last, text, cased).is_some_and(|start| start >= at),
            None => true,
        }
    }
}

fn same(a: &[u8], b: &[u8], cased: bool) -> bool {
    if cased { a == b } else { a.eq_ignore_ascii_case(b) }
}

/// The end of `run` if it stands at `at`.
fn run_at(run: &[Piece], text: &str, at: usize, cased: bool) -> Option<usize> {
    let mut at = at;
    for piece in run {
        at += match piece {
            Piece::Literal(literal) => {
                let found = text.as_bytes().get(at..at + literal.len())?;
                same(found, literal.as_bytes(), cased).then_some(literal.len())?
            }
            _ => text.get(at..)?.chars().next()?.len_utf8(),
        };
    }
    Some(at)
}

/// The start of `run` if it stands at the end of `text`.
fn run_before_end(run: &[Piece], text: &str, cased: bool) -> Option<usize> {
    let mut end = text.len();
    for piece in run.iter().rev() {
        end -= match piece {
            Piece::Literal(literal) => {
                let start = end.checked_sub(literal.len())?;
                same(&text.as_bytes()[start..end], literal.as_bytes(), cased).then_some(literal.len())?
            }
            _ => text.get(..end)?.chars().next_back()?.len_utf8(),
        };
    }
    Some(end)
}

/// The end of the first `run` from `from` on.
fn find_run(run: &[Piece], text: &str, from: usize, cased: bool) -> Option<usize> {
    let mut start = from;
    loop {
        if let Some(Piece::Literal(literal)) = run.first() {
            start += find(&text.as_bytes()[start..], literal.as_bytes(), cased)?;
        }
        if let Some(end) = run_at(run, text, start, cased) {
            return Some(end);
        }
        start += text.get(start..)?.chars().next()?.len_utf8();
    }
}

#[cfg(test)]
mod tests {
    use super::super::fold::fold_into;
    use super::*;

    fn fits(pattern: &str, text: &str) -> bool {
        let parsed = Pattern::parse(pattern);
        let test = TextTest::new([&parsed].into_iter(), false);
        let mut folded = String::new();
        fold_into(text, &mut folded);
        test.holds(Subject { raw: text, folded: &folded }, &mut String::new())
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
        assert!(test.automaton.is_some());
        let holds = |test: &TextTest, text| test.holds(Subject { raw: text, folded: text }, &mut String::new());
        assert!(holds(&test, "in the NEEDLE39X stack"));
        assert!(!holds(&test, "in the needle40x stack"));
        let exact: Vec<Pattern> = (0..40).map(|n| Pattern::parse(&format!("Name{n}"))).collect();
        let test = TextTest::new(exact.iter(), false);
        assert!(holds(&test, "NAME7") && !holds(&test, "NAME77"));
    }
}
