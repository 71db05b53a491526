//! A raw record, laid out for reading without changing a character of it.
//!
//! In: the record's text and the values that matched. Out: lines of tokens; every lexeme stays as it was written
//! (numbers too large for a machine, keys that stand twice), only white space between tokens changes.
//! Bound: `LINES_MAX` lines; what is beyond is counted, and the whole record can be fetched as plain text.

use std::collections::BTreeSet;

const LINES_MAX: usize = 1500;

/// What a token is, for its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Mark,
    Key,
    Text,
    Number,
    Redacted,
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub kind: Kind,
    pub text: String,
    /// Did a term of the rule match this value?
    pub matched: bool,
}

impl Token {
    /// The token's class in the style sheet.
    pub(crate) fn class(&self) -> &'static str {
        match self.kind {
            Kind::Mark => "j-mark",
            Kind::Key => "j-key",
            Kind::Text => "j-text",
            Kind::Number => "j-num",
            Kind::Redacted => "j-redacted",
        }
    }
}

/// One line: spaces to indent by, then tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    pub indent: String,
    pub tokens: Vec<Token>,
}

/// A record laid out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    pub lines: Vec<Line>,
    /// Lines that were left out.
    pub left_out: usize,
}

/// Lays `raw` out; values in `matched` are marked. Text that is not JSON is shown line by line as it is.
pub(crate) fn layout(raw: &str, matched: &BTreeSet<String>) -> Layout {
    let mut out = Layouter { matched, layout: Layout::default(), line: Line::default(), depth: 0 };
    match lex(raw.trim()) {
        Some(lexemes) if raw.trim_start().starts_with(['{', '[']) => out.json(&lexemes),
        _ => raw.lines().for_each(|line| out.plain(line)),
    }
    out.layout
}

struct Layouter<'a> {
    matched: &'a BTreeSet<String>,
    layout: Layout,
    line: Line,
    depth: usize,
}

impl Layouter<'_> {
    fn json(&mut self, lexemes: &[&str]) {
        let mut at = 0;
        while let Some(lexeme) = lexemes.get(at) {
            if let Some((length, note)) = redaction(&lexemes[at..]) {
                self.token(Kind::Redacted, note);
                at += length;
                continue;
            }
            let next = lexemes.get(at + 1).copied().unwrap_or("");
            match *lexeme {
                "{" | "[" if matches!(next, "}" | "]") => {
                    self.token(Kind::Mark, format!("{lexeme}{next}"));
                    at += 1;
                }
                "{" | "[" => {
                    self.token(Kind::Mark, (*lexeme).to_owned());
                    self.depth += 1;
                    self.end_line();
                }
                "}" | "]" => {
                    self.depth = self.depth.saturating_sub(1);
                    self.end_line();
                    self.token(Kind::Mark, (*lexeme).to_owned());
                }
                "," => {
                    self.token(Kind::Mark, ",".to_owned());
                    self.end_line();
                }
                ":" => self.token(Kind::Mark, ": ".to_owned()),
                text if text.starts_with('"') && next == ":" => self.token(Kind::Key, text.to_owned()),
                text if text.starts_with('"') => self.token(Kind::Text, text.to_owned()),
                other => self.token(Kind::Number, other.to_owned()),
            }
            at += 1;
        }
        self.end_line();
    }

    fn plain(&mut self, line: &str) {
        self.token(Kind::Text, line.to_owned());
        self.end_line();
    }

    fn token(&mut self, kind: Kind, text: String) {
        if self.line.tokens.is_empty() {
            self.line.indent = "  ".repeat(self.depth.min(64));
        }
        let value = matches!(kind, Kind::Text | Kind::Number);
        let matched = value && self.matched.contains(bare(&text));
        self.line.tokens.push(Token { kind, text, matched });
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if line.tokens.is_empty() {
            return;
        }
        if self.layout.lines.len() < LINES_MAX {
            self.layout.lines.push(line);
        } else {
            self.layout.left_out += 1;
        }
    }
}

fn bare(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

/// `{"redacted": true, "bytes": n, "hmac_sha256": "…"}`, or with `sha256`, at the start of `lexemes`: its length and what to show instead.
fn redaction(lexemes: &[&str]) -> Option<(usize, String)> {
    let [head, rest @ ..] = lexemes.get(..13)? else { return None };
    let [k1, ":", "true", ",", k2, ":", bytes, ",", k3, ":", digest, "}"] = rest else { return None };
    let by = match *k3 {
        "\"sha256\"" => "sha256",
        "\"hmac_sha256\"" => "keyed digest",
        _ => return None,
    };
    if *head != "{" || [*k1, *k2] != ["\"redacted\"", "\"bytes\""] {
        return None;
    }
    let digest: String = bare(digest).chars().take(12).collect();
    Some((13, format!("redacted · {bytes} bytes · {by} {digest}…")))
}

/// Splits JSON into lexemes; `None` where it is not JSON on its surface. Checks no grammar: the engine did.
fn lex(text: &str) -> Option<Vec<&str>> {
    let bytes = text.as_bytes();
    let mut lexemes = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        match bytes[at] {
            b' ' | b'\t' | b'\n' | b'\r' => {
                at += 1;
                continue;
            }
            b'{' | b'}' | b'[' | b']' | b',' | b':' => at += 1,
            b'"' => at = end_of_string(bytes, at),
            b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                while at < bytes.len()
                    && matches!(bytes[at], b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z')
                {
                    at += 1;
                }
            }
            _ => return None,
        }
        lexemes.push(text.get(start..at)?);
    }
    Some(lexemes)
}

/// Where the string that opens at `start` ends; a record that was cut may end within it.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(layout: &Layout) -> String {
        let line = |line: &Line| line.indent.clone() + &line.tokens.iter().map(|t| t.text.as_str()).collect::<String>();
        layout.lines.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn lexemes_stay_as_they_were_written() {
        let raw = r#"{"a":1e400,"a":12345678901234567890.10,"b":[{"c":"\u0041\""},[],{}],"d":null}"#;
        let layout = layout(raw, &BTreeSet::new());
        let expected = "{\n  \"a\": 1e400,\n  \"a\": 12345678901234567890.10,\n  \"b\": [\n    {\n      \"c\": \"\\u0041\\\"\"\n    },\n    [],\n    {}\n  ],\n  \"d\": null\n}";
        assert_eq!(text(&layout), expected);
    }

    #[test]
    fn matched_values_are_marked_and_keys_are_not() {
        let layout = layout(r#"{"GetObject":"GetObject"}"#, &BTreeSet::from(["GetObject".to_owned()]));
        let marked: Vec<_> = layout.lines[1].tokens.iter().map(|token| token.matched).collect();
        assert_eq!(marked, [false, false, true]);
    }

    #[test]
    fn redactions_show() {
        let raw = r#"{"prompt":{"redacted":true,"bytes":34,"sha256":"0123456789abcdef"},"x":1}"#;
        let layout = layout(raw, &BTreeSet::new());
        assert_eq!(layout.lines[1].tokens[2].kind, Kind::Redacted);
        assert_eq!(text(&layout), "{\n  \"prompt\": redacted · 34 bytes · sha256 0123456789ab…,\n  \"x\": 1\n}");
    }

    #[test]
    fn so_do_those_under_a_key_and_nothing_else_passes_for_one() {
        let shown = |raw: &str| text(&layout(raw, &BTreeSet::new()));
        let keyed = r#"{"p":{"redacted":true,"bytes":34,"hmac_sha256":"0123456789abcdef"}}"#;
        assert!(shown(keyed).contains("redacted · 34 bytes · keyed digest 0123456789ab…"));
        assert!(!shown(&keyed.replace("hmac_sha256", "md5")).contains("redacted ·"));
    }

    #[test]
    fn text_lines_and_broken_json_are_shown_as_they_are() {
        for raw in ["79a59 bucket [06/Feb/2019:00:00:38 +0000] 192.0.2.3", "{ é }", "<script>alert(1)</script>"] {
            assert_eq!(text(&layout(raw, &BTreeSet::new())), raw);
        }
        assert!(layout("", &BTreeSet::new()).lines.is_empty());
        assert_eq!(text(&layout("{\"a\":\"cut he\\", &BTreeSet::new())), "{\n  \"a\": \"cut he\\");
    }

    #[test]
    fn the_layout_is_bounded() {
        let deep = "[".repeat(5000) + &"]".repeat(5000);
        let layout = layout(&deep, &BTreeSet::new());
        assert_eq!(layout.lines.len(), LINES_MAX);
        assert!(layout.left_out > 0);
    }
}
