//! Regular expressions of rules: PCRE as their authors know it, run by a linear engine where that can be, and by a
//! backtracking engine with a step limit where a rule looks around or refers back.
//!
//! Most expressions of a rule set never meet a value, since other tests of their rules fail first: an expression is read at once, so
//! that its mistakes are told, and compiled when it first meets a value.
//! Bound: [`REGEX_BYTES_MAX`] compiled, [`REGEX_STEPS_MAX`] steps a value. A value on which the steps run out does not match.

mod required;

use std::sync::OnceLock;

use regex_syntax::hir::{self, Hir, HirKind};
use regex_syntax::utf8::Utf8Sequences;

use super::bounds::{REGEX_BYTES_MAX, REGEX_STEPS_MAX};
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
pub(super) enum Engine {
    /// Linear in the value.
    Linear(Linear),
    /// Backtracking, with a step limit.
    Backtracking(Box<fancy_regex::Regex>),
}

/// An expression for the linear engine, known to be well formed and within its bound.
#[derive(Debug)]
pub(super) struct Linear {
    /// The expression in the engine's own syntax.
    translated: Box<str>,
    flags: Flags,
    /// Folded texts of which a value that matches contains one, when it is folded; none are known where there are none.
    required: Box<[Box<str>]>,
    compiled: OnceLock<regex::Regex>,
}

impl Linear {
    fn is_match(&self, text: &str) -> bool {
        let compile = || {
            let regex = linear(&self.translated, self.flags).size_limit(usize::MAX).build();
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
        match self {
            Engine::Linear(linear) if !linear.required.is_empty() => {
                linear.required.iter().cloned().map(Sign::Substring).collect()
            }
            _ => vec![Sign::Present],
        }
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        match self {
            Engine::Linear(linear) => linear.is_match(text),
            Engine::Backtracking(regex) => regex.is_match(text).unwrap_or(false),
        }
    }
}

/// Is the expression well formed? Cheaper than [`compile`].
pub(super) fn check(pattern: &str, flags: Flags) -> Result<(), BadRegex> {
    let translated = translate(pattern);
    match read(&translated, flags) {
        Ok(_) => Ok(()),
        Err(error) => compile_backtracking(&translated, flags).map(|_| ()).map_err(|other| describe(&error, &other)),
    }
}

/// Reads the expression as the linear engine does.
fn read(translated: &str, flags: Flags) -> Result<Hir, Box<regex_syntax::Error>> {
    regex_syntax::ParserBuilder::new()
        .case_insensitive(flags.ignore_case)
        .multi_line(flags.multi_line)
        .dot_matches_new_line(flags.dot_all)
        .build()
        .parse(translated)
        .map_err(Box::new)
}

/// Makes an expression ready to be used.
pub(super) fn compile(pattern: &str, flags: Flags) -> Result<Engine, BadRegex> {
    let translated = translate(pattern);
    let Ok(tree) = read(&translated, flags) else {
        return compile_backtracking(&translated, flags)
            .map(|regex| Engine::Backtracking(Box::new(regex)))
            .map_err(|message| BadRegex { message, at: None });
    };
    let compiled = OnceLock::new();
    if states(&tree).saturating_mul(STATE_BYTES) > REGEX_BYTES_MAX {
        // It may be too large: only compiling it tells.
        let regex = linear(&translated, flags).size_limit(REGEX_BYTES_MAX).build().map_err(|_| {
            let message = format!("the regular expression takes more than {REGEX_BYTES_MAX} bytes when compiled");
            BadRegex { message, at: None }
        })?;
        compiled.get_or_init(|| regex);
    }
    let required = required::required(&tree).unwrap_or_default().into_iter().map(String::into_boxed_str).collect();
    Ok(Engine::Linear(Linear { translated: translated.into(), flags, required, compiled }))
}

fn linear(translated: &str, flags: Flags) -> regex::RegexBuilder {
    let mut builder = regex::RegexBuilder::new(translated);
    builder.case_insensitive(flags.ignore_case).multi_line(flags.multi_line).dot_matches_new_line(flags.dot_all);
    builder
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

fn compile_backtracking(translated: &str, flags: Flags) -> Result<fancy_regex::Regex, String> {
    let mut letters = String::new();
    for (is_set, letter) in [(flags.ignore_case, 'i'), (flags.multi_line, 'm'), (flags.dot_all, 's')] {
        if is_set {
            letters.push(letter);
        }
    }
    let flagged = if letters.is_empty() { translated.to_owned() } else { format!("(?{letters}){translated}") };
    fancy_regex::RegexBuilder::new(&flagged)
        .backtrack_limit(REGEX_STEPS_MAX)
        .delegate_size_limit(REGEX_BYTES_MAX)
        .build()
        .map_err(|error| error.to_string())
}

fn describe(error: &regex_syntax::Error, other: &str) -> BadRegex {
    let (kind, at) = match error {
        regex_syntax::Error::Parse(error) => (error.kind().to_string(), Some(error.span().start.offset)),
        regex_syntax::Error::Translate(error) => (error.kind().to_string(), Some(error.span().start.offset)),
        _ => (other.to_owned(), None),
    };
    let is_fancy = kind.contains("look-around") || kind.contains("backreferences");
    BadRegex { message: if is_fancy { other.to_owned() } else { kind }, at: at.filter(|_| !is_fancy) }
}

/// From PCRE to the syntax of our engines.
///
/// Shape: `\d`, `\w`, `\s` and `\b` mean ASCII, as in PCRE; `[` and doubled `&`, `-` and `~` in a class are plain; a brace that
/// opens no quantifier is plain; `\h`, `\Z`, `\<` and escapes of letters' neighbours mean what they mean in PCRE.
pub(super) fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut chars = pattern.chars().peekable();
    let mut class = Class::Outside;
    while let Some(c) = chars.next() {
        match (c, class) {
            ('\\', _) => {
                escape(chars.next(), class != Class::Outside, &mut out);
                class = class.after_item();
            }
            ('[', Class::Outside) => {
                out.push('[');
                if chars.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                class = Class::Start;
            }
            ('[', _) if chars.peek() == Some(&':') => {
                out.push('[');
                posix(&mut chars, &mut out);
                class = Class::Inside;
            }
            ('[', _) => {
                out.push_str("\\[");
                class = Class::Inside;
            }
            (']', Class::Start) => {
                out.push_str("\\]");
                class = Class::Inside;
            }
            (']', Class::Inside) => {
                out.push(']');
                class = Class::Outside;
            }
            ('&' | '~' | '-', Class::Inside) if chars.peek() == Some(&c) => {
                out.push_str(if c == '-' {
                    "-"
                } else if c == '&' {
                    "\\&"
                } else {
                    "\\~"
                });
                chars.next();
                out.push('\\');
                out.push(c);
            }
            ('{', Class::Outside) if !is_quantifier(chars.clone()) => out.push_str("\\{"),
            _ => {
                out.push(c);
                class = class.after_item();
            }
        }
    }
    out
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Outside,
    /// Right behind the opening bracket, where `]` is plain.
    Start,
    Inside,
}

impl Class {
    fn after_item(self) -> Class {
        if self == Class::Start { Class::Inside } else { self }
    }
}

/// Copies `:alpha:]`, if it is one; else the bracket that stands before it was plain.
fn posix(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    let rest: String = chars.clone().take(12).collect();
    let name = rest[1..].split(":]").next().unwrap_or("");
    let is_class = rest.contains(":]") && name.trim_start_matches('^').bytes().all(|byte| byte.is_ascii_lowercase());
    if is_class {
        for _ in 0..name.len() + 3 {
            out.extend(chars.next());
        }
    } else {
        out.pop();
        out.push_str("\\[");
    }
}

fn is_quantifier(rest: impl Iterator<Item = char>) -> bool {
    let inner: String = rest.take_while(|c| c.is_ascii_digit() || matches!(c, ',' | '}')).take(24).collect();
    let Some((bounds, _)) = inner.split_once('}') else { return false };
    let (least, most) = bounds.split_once(',').unwrap_or((bounds, ""));
    !least.is_empty() && !most.contains(',')
}

fn escape(next: Option<char>, is_class: bool, out: &mut String) {
    let ascii = |set: &str, negated: bool| format!("[{}{set}]", if negated { "^" } else { "" });
    match next {
        None => out.push('\\'),
        Some(c @ ('d' | 'D')) => out.push_str(&ascii("0-9", c == 'D')),
        Some(c @ ('w' | 'W')) => out.push_str(&ascii("0-9A-Za-z_", c == 'W')),
        Some(c @ ('s' | 'S')) => out.push_str(&ascii(r" \t\n\x0B\x0C\r", c == 'S')),
        Some(c @ ('h' | 'H')) => out.push_str(&ascii(r" \t\u{A0}", c == 'H')),
        Some('b') if is_class => out.push_str(r"\x08"),
        Some(c @ ('b' | 'B')) => {
            out.push_str("(?-u:\\");
            out.push(c);
            out.push(')');
        }
        Some('Z') if !is_class => out.push_str(r"\n?\z"),
        Some('e') => out.push_str(r"\x1B"),
        Some(c @ ('<' | '>')) => out.push(c),
        Some(c) if c.is_ascii() => {
            out.push('\\');
            out.push(c);
        }
        Some(c) => out.push(c),
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
    }

    #[test]
    fn look_around_runs_under_a_limit() {
        assert!(matches(r"foo(?!bar)", "foobaz"));
        assert!(!matches(r"foo(?!bar)", "foobar"));
        assert!(matches(r"(a)\1", "aa"));
        let slow = compile(r"(?=(a+)+$)(a+)+b\1", Flags::default()).expect("well formed");
        assert!(!slow.is_match(&"a".repeat(5_000)));
    }

    #[test]
    fn an_expression_is_compiled_when_it_first_meets_a_value() {
        let Ok(Engine::Linear(linear)) = compile(r"ab+c{2,3}", Flags::default()) else { panic!("linear") };
        assert!(linear.compiled.get().is_none());
        assert!(linear.is_match("xabbccx"));
        assert!(linear.compiled.get().is_some());
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
                let states = states(&read(&pattern, flags).expect("well formed"));
                let is_built = linear(&pattern, flags).size_limit(states * STATE_BYTES).build().is_ok();
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
