//! From PCRE's syntax to that of `regex-syntax`, so that one tree says what an expression means.
//!
//! Shape: `\d`, `\w`, `\s` and `\b` mean ASCII, as in PCRE; `[` and doubled `&`, `-` and `~` in a class are plain; a brace that
//! opens no quantifier is plain; `\h`, `\<` and escapes of letters' neighbours mean what they mean in PCRE. What the tree has no word
//! for becomes a group with a name of ours, which [`mark`] knows again: look-around, and `$`, whose flags the tree then settles.

use std::str::Chars;

use regex_syntax::hir::Capture;

/// What a group of ours stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// `$`: where it does not mean the end of a line, the end, or a line feed and the end.
    Dollar,
    /// What the group holds follows here, or does not.
    Ahead { is_negated: bool },
    /// What the group holds ends here, or does not.
    Behind { is_negated: bool },
}

/// Groups of ours by the name that stands before the dot. PCRE has no names with dots.
const MARKS: [(&str, Mark); 5] = [
    ("dollar", Mark::Dollar),
    ("ahead", Mark::Ahead { is_negated: false }),
    ("not_ahead", Mark::Ahead { is_negated: true }),
    ("behind", Mark::Behind { is_negated: false }),
    ("not_behind", Mark::Behind { is_negated: true }),
];

/// How look-around opens.
const LOOKS: [(&str, &str); 4] = [("?=", "ahead"), ("?!", "not_ahead"), ("?<=", "behind"), ("?<!", "not_behind")];

/// What a group stands for, if it is one of ours.
pub(super) fn mark(capture: &Capture) -> Option<Mark> {
    let (kind, _) = capture.name.as_deref()?.split_once('.')?;
    MARKS.iter().find(|(name, _)| *name == kind).map(|(_, mark)| *mark)
}

/// An expression in the syntax of `regex-syntax`.
#[derive(Debug, Default)]
pub(super) struct Translated {
    pub(super) text: String,
    /// Where what stands in the text begins, and where in the expression it comes from.
    starts: Vec<(usize, usize)>,
    /// Where a quantifier gives nothing back, which the syntax would read as another one.
    pub(super) possessive: Option<usize>,
    marks: usize,
}

impl Translated {
    /// Where in the expression the byte `offset` of the text comes from.
    pub(super) fn origin(&self, offset: usize) -> usize {
        let behind = self.starts.partition_point(|(start, _)| *start <= offset);
        behind.checked_sub(1).map_or(0, |at| self.starts[at].1)
    }

    fn open(&mut self, kind: &str) {
        self.text.push_str(&format!("(?P<{kind}.{}>", self.marks));
        self.marks += 1;
    }
}

/// Translates an expression.
pub(super) fn translate(pattern: &str) -> Translated {
    let mut out = Translated::default();
    let mut chars = pattern.chars();
    let mut class = Class::Outside;
    let mut is_in_quantifier = false;
    while let Some(c) = chars.next() {
        let at = pattern.len() - chars.as_str().len() - c.len_utf8();
        out.starts.push((out.text.len(), at));
        match (c, class) {
            ('\\', _) => {
                let escaped = chars.next();
                escape(escaped, class != Class::Outside, &mut out);
                if matches!(escaped, Some('p' | 'P' | 'x')) && peek(&chars) == Some('{') {
                    // Braces that belong to the escape.
                    let name = chars.as_str().find('}').map_or(0, |end| end + 1);
                    out.text.extend(chars.by_ref().take(name));
                }
                class = class.after_item();
            }
            (_, Class::Outside) => class = outside(c, at, &mut chars, &mut is_in_quantifier, &mut out),
            _ => class = inside(c, class, &mut chars, &mut out.text),
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

fn peek(chars: &Chars<'_>) -> Option<char> {
    chars.clone().next()
}

/// Copies a character that stands in no class.
fn outside(c: char, at: usize, chars: &mut Chars<'_>, is_in_quantifier: &mut bool, out: &mut Translated) -> Class {
    match c {
        '[' => {
            out.text.push('[');
            if peek(chars) == Some('^') {
                out.text.extend(chars.next());
            }
            return Class::Start;
        }
        '$' => {
            out.open("dollar");
            out.text.push_str("$)");
        }
        '(' => match LOOKS.iter().find(|(opens, _)| chars.as_str().starts_with(opens)) {
            Some((opens, kind)) => {
                out.open(kind);
                chars.by_ref().take(opens.len()).for_each(drop);
            }
            None => out.text.push('('),
        },
        '{' if !is_quantifier(chars.clone()) => out.text.push_str("\\{"),
        _ => {
            out.text.push(c);
            let is_quantifier_end = matches!(c, '*' | '+' | '?') || (c == '}' && *is_in_quantifier);
            if is_quantifier_end && peek(chars) == Some('+') {
                out.possessive.get_or_insert(at + 1);
            }
            *is_in_quantifier = c == '{' || (*is_in_quantifier && c != '}');
        }
    }
    Class::Outside
}

/// Copies a character that stands in a class.
fn inside(c: char, class: Class, chars: &mut Chars<'_>, out: &mut String) -> Class {
    match c {
        '[' if peek(chars) == Some(':') => {
            out.push('[');
            posix(chars, out);
        }
        '[' => out.push_str("\\["),
        ']' if class == Class::Start => out.push_str("\\]"),
        ']' => {
            out.push(']');
            return Class::Outside;
        }
        '&' | '~' | '-' if class == Class::Inside && peek(chars) == Some(c) => {
            out.push_str(if c == '-' { "" } else { "\\" });
            out.push(c);
            chars.next();
            out.push('\\');
            out.push(c);
        }
        _ => out.push(c),
    }
    Class::Inside
}

/// Copies `:alpha:]`, if it is one; else the bracket that stands before it was plain.
fn posix(chars: &mut Chars<'_>, out: &mut String) {
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

fn escape(next: Option<char>, is_class: bool, out: &mut Translated) {
    if next == Some('Z') && !is_class {
        out.open("dollar");
        out.text.push_str("(?-m:$))");
        return;
    }
    let out = &mut out.text;
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

    #[test]
    fn places_are_found_again() {
        let translated = translate(r"é$\d(b");
        let bracket = translated.text.find("(b").expect("it is copied");
        assert_eq!(translated.origin(bracket), 5);
        assert_eq!(translated.origin(0), 0);
    }

    #[test]
    fn only_quantifiers_can_be_possessive() {
        let possessive = |pattern: &str| translate(pattern).possessive;
        assert_eq!(possessive("ab++c"), Some(3));
        assert_eq!(possessive("a{2}+"), Some(4));
        assert_eq!(possessive("a}+"), None);
        assert_eq!(possessive(r"\++[*+]+?"), None);
    }
}
