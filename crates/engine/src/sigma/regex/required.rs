//! What a text must contain for an expression to match it.
//!
//! Source: the idea is that of the regular expression engine's own inner literals; here they decide whether a rule is looked at.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::super::fold::{fold, fold_char};

/// Shorter texts are met nearly everywhere.
const LENGTH_MIN: usize = 3;
/// More texts than this are no longer rare together.
const TEXTS_MAX: usize = 100;

/// Folded texts of which every text that the expression matches contains one, when it is folded; `None` where none are known.
pub(super) fn required(tree: &Hir) -> Option<Vec<String>> {
    match tree.kind() {
        HirKind::Empty | HirKind::Look(_) => None,
        HirKind::Literal(_) | HirKind::Class(_) => Some(vec![plain(tree)?]).filter(|texts| worth(texts) > 0),
        HirKind::Capture(capture) => required(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => required(&repetition.sub),
        HirKind::Repetition(_) => None,
        HirKind::Alternation(parts) => {
            let texts = parts.iter().map(required).collect::<Option<Vec<_>>>()?.concat();
            (texts.len() <= TEXTS_MAX).then_some(texts)
        }
        HirKind::Concat(parts) => of_sequence(parts),
    }
}

/// The best of what the parts need, and of the texts that neighbours come to together.
fn of_sequence(parts: &[Hir]) -> Option<Vec<String>> {
    let mut found: Vec<Vec<String>> = parts.iter().filter_map(required).collect();
    let mut run = String::new();
    for part in parts {
        match plain(part) {
            Some(text) => run.push_str(&text),
            None => found.push(vec![std::mem::take(&mut run)]),
        }
    }
    found.push(vec![run]);
    found.into_iter().filter(|texts| worth(texts) > 0).max_by_key(|texts| worth(texts))
}

/// The only text that the expression matches, folded.
fn plain(tree: &Hir) -> Option<String> {
    match tree.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(String::new()),
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0).ok().map(fold),
        HirKind::Class(Class::Unicode(class)) => {
            let members = class.ranges().iter().flat_map(|range| range.start()..=range.end());
            let mut members = members.take(8).map(fold_char);
            let first = members.next()?;
            let is_one = class.ranges().len() <= 4 && members.all(|member| member == first);
            is_one.then(|| first.to_string())
        }
        HirKind::Class(Class::Bytes(class)) => {
            class.to_unicode_class().and_then(|class| plain(&Hir::class(Class::Unicode(class))))
        }
        HirKind::Capture(capture) => plain(&capture.sub),
        HirKind::Concat(parts) => parts.iter().map(plain).collect(),
        HirKind::Repetition(_) | HirKind::Alternation(_) => None,
    }
}

/// How much the texts tell: long ones and few of them.
fn worth(texts: &[String]) -> usize {
    let shortest = texts.iter().map(String::len).min().unwrap_or(0);
    if shortest < LENGTH_MIN || texts.len() > TEXTS_MAX { 0 } else { shortest.min(12) * TEXTS_MAX / texts.len() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(pattern: &str) -> Option<Vec<String>> {
        required(&regex_syntax::parse(pattern).expect("an expression"))
    }

    #[test]
    fn texts_that_must_be_there_are_known() {
        let texts = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(of("Invoke-Mimikatz"), texts(&["invoke-mimikatz"]));
        assert_eq!(of("(?i)invoke.{0,3}(?:command|expression)"), texts(&["invoke"]));
        assert_eq!(of(r"\\[a-z]+\.exe$"), texts(&[".exe"]));
        assert_eq!(of("(?i)kis"), texts(&["kis"]));
        assert_eq!(of("(abc|defg)+x?"), texts(&["abc", "defg"]));
        assert_eq!(of("(abc|d)"), None);
        assert_eq!(of("(abc)*|def"), None);
        assert_eq!(of(".{1000,}"), None);
    }

    proptest! {
        #[test]
        fn every_match_contains_one_of_them(
            parts in prop::collection::vec(
                prop::sample::select(vec!["(a|b", "(?:abk|", ")", ")+", ")*", "abk", "kks", "s", "K", "[kK]", "ſs", ".", "a?", "b{2}", "|", "^", "$"]),
                1..8,
            ),
            text in "[abkKsſSK]{0,12}",
            is_caseless in any::<bool>(),
        ) {
            let flag = if is_caseless { "(?i)" } else { "" };
            let pattern = format!("{flag}{}", parts.concat());
            let (Ok(tree), Ok(regex)) = (regex_syntax::parse(&pattern), regex::Regex::new(&pattern)) else { return Ok(()) };
            if let (Some(texts), true) = (required(&tree), regex.is_match(&text)) {
                let folded = fold(&text);
                prop_assert!(texts.iter().any(|needed| folded.contains(needed.as_str())), "{pattern} {text} {texts:?}");
            }
        }
    }
}
