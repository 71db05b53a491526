//! Regular expressions for databases.
//!
//! Source: RE2's syntax page, which DuckDB follows. An expression is read as rules are, and written from what was read, so that nothing hangs
//! on how two engines read one text.

use regex_syntax::hir::{Class, ClassUnicode, Hir, HirKind, Look, Repetition};

use super::Problem;
use crate::sigma::pattern::Piece;
use crate::sigma::regex::{self, BadRegex, Flags};

/// How often RE2 repeats something at most, repetitions within repetitions multiplied.
const REPEAT_MAX: u32 = 1000;

/// A pattern with wildcards inside, to be looked for in a text.
pub(super) fn glob(pieces: &[Piece]) -> String {
    let mut written = String::from("(?s)");
    let is_many = |piece: Option<&Piece>| piece == Some(&Piece::Many);
    let (open_start, open_end) = (is_many(pieces.first()), is_many(pieces.last()));
    written.push_str(if open_start { "" } else { r"\A" });
    let inner = &pieces[usize::from(open_start)..pieces.len() - usize::from(open_end)];
    for piece in inner {
        match piece {
            Piece::Literal(literal) => literal.chars().for_each(|c| push_char(c, &mut written)),
            Piece::One => written.push('.'),
            Piece::Many => written.push_str(".*"),
        }
    }
    written.push_str(if open_end { "" } else { r"\z" });
    written
}

/// The rule's own text with its flags in front.
pub(super) fn flagged(pattern: &str, flags: Flags) -> Result<String, Problem> {
    regex::compile(pattern, flags)
        .map_err(|bad| problem("bad-regex", bad.message, "shorten the expression or its repetitions"))?;
    let Flags { ignore_case, multi_line, dot_all } = flags;
    let letters: String = [(ignore_case, 'i'), (multi_line, 'm'), (dot_all, 's')]
        .into_iter()
        .filter(|(on, _)| *on)
        .map(|(_, c)| c)
        .collect();
    Ok(if letters.is_empty() { pattern.to_owned() } else { format!("(?{letters}){pattern}") })
}

/// The expression as RE2 reads it.
pub(super) fn re2(pattern: &str, flags: Flags) -> Result<String, Problem> {
    let bad = |bad: BadRegex| problem("bad-regex", bad.message, "shorten the expression or its repetitions");
    regex::compile(pattern, flags).map_err(bad)?;
    let Some(hir) = regex::plain_tree(pattern, flags).map_err(bad)? else {
        let message = format!("DuckDB has no look-around, and no `$` before the end of an expression: `{pattern}`");
        return Err(problem("sql-look-around", message, "convert to datafusion, or rewrite the expression without it"));
    };
    let mut written = String::new();
    write(&hir, 1, &mut written)?;
    Ok(written)
}

fn problem(code: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Problem {
    Problem { code, message: message.into(), remedy: remedy.into(), at: None }
}

fn write(hir: &Hir, repeats: u32, out: &mut String) -> Result<(), Problem> {
    match hir.kind() {
        HirKind::Empty => out.push_str("(?:)"),
        HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
            Ok(text) => text.chars().for_each(|c| push_char(c, out)),
            Err(_) => return Err(unsaid("bytes that are no text")),
        },
        HirKind::Class(Class::Unicode(class)) => write_class(class, out),
        HirKind::Class(Class::Bytes(class)) => match class.to_unicode_class() {
            Some(class) => write_class(&class, out),
            None => return Err(unsaid("bytes that are no text")),
        },
        HirKind::Look(look) => out.push_str(write_look(*look)?),
        HirKind::Repetition(repetition) => write_repetition(repetition, repeats, out)?,
        HirKind::Capture(capture) => write_group(&capture.sub, repeats, out)?,
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| write(part, repeats, out))?,
        HirKind::Alternation(parts) => {
            out.push_str("(?:");
            for (at, part) in parts.iter().enumerate() {
                out.push_str(if at > 0 { "|" } else { "" });
                write(part, repeats, out)?;
            }
            out.push(')');
        }
    }
    Ok(())
}

fn unsaid(what: &str) -> Problem {
    problem(
        "sql-regex",
        format!("DuckDB's expressions cannot say {what}"),
        "convert to datafusion, or simplify the expression",
    )
}

fn write_group(hir: &Hir, repeats: u32, out: &mut String) -> Result<(), Problem> {
    out.push_str("(?:");
    write(hir, repeats, out)?;
    out.push(')');
    Ok(())
}

fn write_look(look: Look) -> Result<&'static str, Problem> {
    Ok(match look {
        Look::Start => r"\A",
        Look::End => r"\z",
        Look::StartLF => "(?m:^)",
        Look::EndLF => "(?m:$)",
        Look::WordAscii => r"\b",
        Look::WordAsciiNegate => r"\B",
        _ => return Err(unsaid("this kind of boundary")),
    })
}

fn write_repetition(repetition: &Repetition, repeats: u32, out: &mut String) -> Result<(), Problem> {
    let Repetition { min, max, greedy, sub } = repetition;
    let most = max.unwrap_or(*min).max(*min).max(1);
    let repeats = match (min, max) {
        (0 | 1, None) | (0, Some(1)) => repeats,
        _ => repeats.saturating_mul(most),
    };
    if repeats > REPEAT_MAX {
        return Err(unsaid(&format!("more than {REPEAT_MAX} repetitions")));
    }
    write_group(sub, repeats, out)?;
    match (min, max) {
        (0, None) => out.push('*'),
        (1, None) => out.push('+'),
        (0, Some(1)) => out.push('?'),
        (min, None) => out.push_str(&format!("{{{min},}}")),
        (min, Some(max)) if min == max => out.push_str(&format!("{{{min}}}")),
        (min, Some(max)) => out.push_str(&format!("{{{min},{max}}}")),
    }
    out.push_str(if *greedy { "" } else { "?" });
    Ok(())
}

fn write_class(class: &ClassUnicode, out: &mut String) {
    let ranges: Vec<(char, char)> = class.iter().map(|range| (range.start(), range.end())).collect();
    match ranges[..] {
        [] => return out.push_str(r"[^\x{0}-\x{10FFFF}]"),
        [('\0', char::MAX)] => return out.push_str("(?s:.)"),
        [('\0', '\t'), ('\u{b}', char::MAX)] => return out.push_str(r"[^\n]"),
        _ => out.push('['),
    }
    for (start, end) in ranges {
        push_member(start, out);
        if start != end {
            out.push('-');
            push_member(end, out);
        }
    }
    out.push(']');
}

fn push_member(c: char, out: &mut String) {
    if c.is_ascii_alphanumeric() { out.push(c) } else { out.push_str(&format!("\\x{{{:X}}}", u32::from(c))) }
}

fn push_char(c: char, out: &mut String) {
    match c {
        '\0'..='\u{1f}' | '\u{7f}' => out.push_str(&format!("\\x{{{:X}}}", u32::from(c))),
        _ if c.is_ascii_punctuation() && c != '_' => {
            out.push('\\');
            out.push(c);
        }
        _ => out.push(c),
    }
}
