//! Regular expressions of rules: PCRE as their authors know it, in time linear in the value.
//!
//! Most expressions of a rule set never meet a value, since other tests of their rules fail first: an expression is read at once, so
//! that its mistakes are told, and compiled when it first meets a value. What looks around runs on an engine of our own behind the
//! same expression without look-around; back-references, and what gives nothing back, are refused.
//! Bound: [`REGEX_BYTES_MAX`] compiled, [`REGEX_LOOKING_MAX`](super::bounds::REGEX_LOOKING_MAX) steps with look-around.

#[cfg(test)]
mod equal;
mod looking;
mod required;
mod translate;
mod tree;

use std::sync::OnceLock;

use regex_syntax::hir::{self, Hir, HirKind};
use regex_syntax::utf8::Utf8Sequences;

use self::looking::Looking;
use self::translate::{Translated, translate};
use super::bounds::REGEX_BYTES_MAX;
use super::witness::Sign;

/// Bytes that a state of a compiled expression may take, in either direction: generously, so that whatever is estimated to fit does.
const STATE_BYTES: usize = 256;

/// The flags behind `re`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Flags {
    pub(super) ignore_case: bool,
    pub(super) multi_line: bool,
    pub(super) dot_all: bool,
}

/// A compiled regular expression.
#[derive(Debug)]
pub(super) struct Engine {
    linear: Linear,
    /// Where the expression looks around: it, and `linear` is what it comes to without look-around.
    looking: Option<Box<Looking>>,
}

/// An expression for the engine without look-around, known to be well formed and within its bound.
#[derive(Debug)]
struct Linear {
    /// The expression in the engine's own syntax.
    written: Box<str>,
    /// Folded texts of which a value that matches contains one, when it is folded; none are known where there are none.
    required: Box<[Box<str>]>,
    compiled: OnceLock<regex::Regex>,
}

impl Linear {
    fn new(tree: &Hir) -> Result<Linear, BadRegex> {
        let written = tree.to_string();
        let compiled = OnceLock::new();
        if states(tree).saturating_mul(STATE_BYTES) > REGEX_BYTES_MAX {
            // It may be too large: only compiling it tells.
            let regex = regex::RegexBuilder::new(&written).size_limit(REGEX_BYTES_MAX).build().map_err(|_| {
                let message = format!("the regular expression takes more than {REGEX_BYTES_MAX} bytes when compiled");
                BadRegex { message, at: None }
            })?;
            compiled.get_or_init(|| regex);
        }
        let required = required::required(tree).unwrap_or_default().into_iter().map(String::into_boxed_str).collect();
        Ok(Linear { written: written.into(), required, compiled })
    }

    fn is_match(&self, text: &str) -> bool {
        let compile = || {
            let regex = regex::RegexBuilder::new(&self.written).size_limit(usize::MAX).build();
            regex.expect("the expression was read before, and there is no limit to exceed")
        };
        self.compiled.get_or_init(compile).is_match(text)
    }
}

/// Why a regular expression cannot be used, and at which of its characters if that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BadRegex {
    pub(super) message: String,
    pub(super) at: Option<usize>,
}

impl Engine {
    /// Of these signs, a text has at least one if the expression matches it.
    pub(super) fn signs(&self) -> Vec<Sign> {
        match &self.linear.required[..] {
            [] => vec![Sign::Present],
            required => required.iter().cloned().map(Sign::Substring).collect(),
        }
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        self.linear.is_match(text) && self.looking.as_ref().is_none_or(|looking| looking.is_match(text))
    }

    /// Does the expression look around?
    pub(super) fn looks_around(&self) -> bool {
        self.looking.is_some()
    }
}

/// Is the expression well formed? Cheaper than [`compile`].
pub(super) fn check(pattern: &str, flags: Flags) -> Result<(), BadRegex> {
    read(pattern, flags).map(|_| ())
}

/// Makes an expression ready to be used.
pub(super) fn compile(pattern: &str, flags: Flags) -> Result<Engine, BadRegex> {
    let tree = read(pattern, flags)?;
    if let Some(plain) = tree::without_marks(&tree) {
        return Ok(Engine { linear: Linear::new(&plain)?, looking: None });
    }
    let looking = Looking::new(&tree).map_err(|message| BadRegex { message, at: None })?;
    Ok(Engine { linear: Linear::new(&tree::wider(&tree))?, looking: Some(Box::new(looking)) })
}

/// What the expression means, in the words of `regex-syntax`; `None` where it looks around.
pub(super) fn plain_tree(pattern: &str, flags: Flags) -> Result<Option<Hir>, BadRegex> {
    read(pattern, flags).map(|tree| tree::without_marks(&tree))
}

/// Reads the expression; look-around and `$` stand in groups of ours.
fn read(pattern: &str, flags: Flags) -> Result<Hir, BadRegex> {
    let translated = translate(pattern);
    let character = |at: usize| Some(pattern[..at].chars().count());
    if let Some(at) = translated.possessive {
        let message = "quantifiers that give nothing back are not supported".to_owned();
        return Err(BadRegex { message, at: character(at) });
    }
    let read = regex_syntax::ParserBuilder::new()
        .case_insensitive(flags.ignore_case)
        .multi_line(flags.multi_line)
        .dot_matches_new_line(flags.dot_all)
        .build()
        .parse(&translated.text);
    read.map_err(|error| {
        let (message, at) = describe(&error, &translated);
        BadRegex { message, at: at.and_then(character) }
    })
}

/// What is wrong, and from which byte of the expression on.
fn describe(error: &regex_syntax::Error, translated: &Translated) -> (String, Option<usize>) {
    let (kind, span) = match error {
        regex_syntax::Error::Parse(error) => (error.kind().to_string(), error.span()),
        regex_syntax::Error::Translate(error) => (error.kind().to_string(), error.span()),
        other => return (other.to_string(), None),
    };
    (kind, Some(translated.origin(span.start.offset)))
}

/// At most how many states the expression has when it is compiled.
fn states(tree: &Hir) -> usize {
    let several = |parts: &[Hir]| parts.iter().map(states).fold(parts.len(), usize::saturating_add);
    match tree.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(hir::Class::Bytes(_)) => 1,
        HirKind::Class(hir::Class::Unicode(class)) => {
            let sequences = class.ranges().iter().flat_map(|range| Utf8Sequences::new(range.start(), range.end()));
            sequences.map(|sequence| sequence.len()).fold(2, usize::saturating_add)
        }
        HirKind::Capture(capture) => states(&capture.sub).saturating_add(2),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min.saturating_add(1));
            states(&repetition.sub).saturating_add(2).saturating_mul(times as usize)
        }
        HirKind::Concat(parts) | HirKind::Alternation(parts) => several(parts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        check(pattern, Flags::default()).expect("well formed");
        compile(pattern, Flags::default()).expect("well formed").is_match(text)
    }

    #[test]
    fn pcre_is_read_as_its_authors_mean_it() {
        assert!(matches(r"^[^[]+$", "abc"));
        assert!(matches(r"[]a]", "]"));
        assert!(matches(r"a{b", "a{b"));
        assert!(matches(r"x{2,3}", "xx"));
        assert!(matches(r"[\w-.]+$", "a-."));
        assert!(matches(r"[a&&b]", "&"));
        assert!(matches(r"\bcmd\b", "run cmd now"));
        assert!(matches(r"\<a\>", "<a>"));
        assert!(matches(r"[[:alpha:]]", "a"));
        assert!(matches(r"\/tmp\/", "/tmp/"));
        assert!(!matches(r"\d", "٣"));
        assert!(!matches(r"A", "a"));
        assert!(matches(r"[!--]", "-"));
        assert!(matches(r"^(?:b+)?(?:(?:c?){2})*$", ""));
        assert!(matches(r"^\p{Lu}[\x{e9}\p{N}]\x{41}{2}$", "ÉéAA"));
    }

    #[test]
    fn look_around_is_answered_at_every_place() {
        assert!(matches(r"foo(?!bar)", "foobar foobaz"));
        assert!(!matches(r"foo(?!bar)", "foobar"));
        assert!(matches(r"(?<=\d{2})x(?<!^11x)", "12x"));
        assert!(!matches(r"(?<=\d{2})x(?<!^11x)", "11x"));
        assert!(matches(r"^(?=.*\d)(?=.*é)\w(?:(?!--).)*$", "a1-é-\n"));
        assert!(!matches(r"^(?=.*\d)(?=.*é)\w(?:(?!--).)*$", "a1--é"));
        assert!(matches(r"a(?=b(?<=ab)(?!bc))", "abc abd"));
        assert!(matches(r"(?:(?=a)a|b){3}", "aba"));
        assert!(matches(r"(?i)(?<!NOT )admin\b", "an ADMIN"));
        assert!(!matches(r"(?m)(?<!^)#", "#a\n#b"));
    }

    #[test]
    fn a_dollar_stands_before_a_line_feed_that_ends_the_text() {
        let fits = |pattern: &str, text: &str, wanted: bool| {
            assert_eq!(matches(pattern, text), wanted, "{pattern} in {text:?}");
        };
        for pattern in
            [r"ab$", r"^(?:ab|x)$", r"(ab$|zz)", r"ab\Z", r"(?-m)ab$", r"(?m:^)(?-m:ab$)", r"ab$$", r"ab$(?!x)"]
        {
            fits(pattern, "ab", true);
            fits(pattern, "ab\n", true);
            fits(pattern, "ab\n\n", false);
            fits(pattern, "ab\nab!", false);
        }
        fits(r"ab\z", "ab\n", false);
        fits(r"(?m)ab$", "ab\nc", true);
        fits(r"ab(?m:$)", "ab\nc", true);
        fits(r"ab[$]", "ab", false);
        fits(r"ab\$", "ab$", true);
        fits(r"[^$]\$[$]", "a$$", true);
        // What stands behind it may still take the line feed.
        fits(r"a$\s+", "a\n", true);
        fits(r"a$\s+", "a\n\n", false);
        fits(r"^($|b)\n?$", "\n", true);
    }

    #[test]
    fn what_no_engine_answers_in_linear_time_is_refused() {
        for (pattern, at) in [(r"(\w)\1", 4), (r"a(?>b+)c", 3), (r"ab++c", 3), (r"(a)(?(1)b|c)", 5)] {
            let bad = check(pattern, Flags::default()).expect_err(pattern);
            assert_eq!(bad.at, Some(at), "{pattern}: {}", bad.message);
        }
        let bad = compile("(?=a{20}{20}{20})", Flags::default()).expect_err("too large");
        assert!(bad.message.contains("1000 steps"), "{}", bad.message);
    }

    #[test]
    fn an_expression_is_compiled_when_it_first_meets_a_value() {
        let Engine { linear, looking: None } = compile(r"ab+c{2,3}", Flags::default()).expect("well formed") else {
            panic!("nothing looks around");
        };
        assert!(linear.compiled.get().is_none());
        assert!(linear.is_match("xabbccx"));
        assert!(linear.compiled.get().is_some());
    }

    #[test]
    fn what_must_be_there_is_known_beside_look_around() {
        let engine = compile(r"(?<!no-)mimikatz(?!\.txt)$", Flags::default()).expect("well formed");
        assert_eq!(engine.signs(), [Sign::Substring("mimikatz".into())]);
    }

    #[test]
    fn whatever_is_estimated_to_fit_does_fit_when_it_is_compiled() {
        let all = Flags { ignore_case: true, multi_line: true, dot_all: true };
        let parts = [
            r"(.){200,}",
            r"[^\\]{1,256}",
            r"\p{L}+",
            r"\pL{8}",
            r"(a|b|[^c-e]){3,9}x?",
            "straße.*kelvin",
            r"(?:)*",
            "é{40}",
        ];
        let longer = parts.iter().flat_map(|part| [1, 3, 9].map(|times| format!("(?:{part}){{{times}}}|x")));
        let mut fitting = 0;
        for pattern in parts.iter().map(|part| (*part).to_owned()).chain(longer) {
            for flags in [Flags::default(), all] {
                let tree = plain_tree(&pattern, flags).expect("well formed").expect("nothing looks around");
                let states = states(&tree);
                let built = regex::RegexBuilder::new(&tree.to_string()).size_limit(states * STATE_BYTES).build();
                let is_built = built.is_ok();
                assert!(is_built, "{pattern} takes more than {states} states");
                fitting += usize::from(states * STATE_BYTES <= REGEX_BYTES_MAX);
            }
        }
        assert!(fitting > 20, "{fitting}");
    }

    #[test]
    fn an_expression_that_is_too_large_is_told_before_it_meets_a_value() {
        let wrong = compile(r"(\pL{100}){20}", Flags::default()).expect_err("too large");
        assert!(wrong.message.contains("bytes when compiled"), "{}", wrong.message);
        assert!(compile(r"((((a{20}){20}){20}){20}){20}", Flags::default()).is_err());
    }

    #[test]
    fn mistakes_have_a_place() {
        let bad = check("ab(c", Flags::default()).expect_err("unclosed");
        assert_eq!(bad.at, Some(2));
        assert!(check("*a", Flags::default()).is_err());
        assert!(compile(r"((a{1000}){1000}){1000}", Flags::default()).is_err());
    }
}
