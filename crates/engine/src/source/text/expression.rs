//! Regular expressions over lines: linear, and of bytes, since the marks of text formats are ASCII.
//!
//! `\d`, `\w`, `\s` and `(?i)` mean ASCII; `.` and negated classes match any byte of a character. Compiled, an expression is a small fraction
//! of what it were with Unicode's classes, and there are many.

use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

/// Memory of one compiled expression, or of the set of all: there may be hundreds of formats.
const COMPILED_BYTES_MAX: usize = 64 << 20;

/// Compiles an expression.
///
/// Errors: it is none, or too large.
pub(crate) fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).unicode(false).size_limit(COMPILED_BYTES_MAX).build()
}

/// Compiles several into one that tells which of them match; `None` if that is too large.
pub(super) fn set(patterns: &[String]) -> Option<RegexSet> {
    RegexSetBuilder::new(patterns).unicode(false).size_limit(COMPILED_BYTES_MAX).build().ok()
}

/// One expression for any of several, if there are some.
pub(super) fn one(patterns: &[String]) -> Option<Regex> {
    if patterns.is_empty() {
        return None;
    }
    compile(&super::any_of(patterns.iter().map(String::as_str))).ok()
}
