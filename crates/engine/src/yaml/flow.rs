//! Lists and maps in brackets that open and close on one line.

use std::borrow::Cow;

use super::scalar::{ends, is_plain_start, quoted};
use super::{Entry, Kind, Node, Style};

const INDICATORS: [char; 5] = [',', '[', ']', '{', '}'];

/// A line's content from its first bracket on.
pub(super) struct Flow<'a> {
    pub(super) content: &'a str,
    /// The number of the line, from 1.
    pub(super) line: usize,
    /// Characters of the line before the content.
    pub(super) before: usize,
}

impl<'a> Flow<'a> {
    /// The node that begins at byte `at`, and where it ends; `None` for what is left to the library.
    pub(super) fn node(&self, at: usize, levels: usize) -> Option<(Node<'a>, usize)> {
        let (kind, end) = match self.content.as_bytes().get(at)? {
            b'[' => self.list(at + 1, levels.checked_sub(1)?)?,
            b'{' => self.map(at + 1, levels.checked_sub(1)?)?,
            first => {
                let style = if matches!(first, b'\'' | b'"') { Style::Quoted } else { Style::Plain };
                let (text, end) = self.text(at)?;
                (Kind::Scalar(text, style), end)
            }
        };
        let column = self.column(at);
        Some((Node { line: self.line, column, kind }, end))
    }

    fn list(&self, mut at: usize, levels: usize) -> Option<(Kind<'a>, usize)> {
        let mut nodes = Vec::new();
        while !self.is_next(self.skip(at), b']') {
            let (node, end) = self.node(self.skip(at), levels)?;
            nodes.push(node);
            at = self.next(end, b']')?;
        }
        Some((Kind::List(nodes), self.skip(at) + 1))
    }

    fn map(&self, mut at: usize, levels: usize) -> Option<(Kind<'a>, usize)> {
        let mut entries: Vec<Entry<'a>> = Vec::new();
        while !self.is_next(self.skip(at), b'}') {
            let start = self.skip(at);
            let (key, end) = self.text(start)?;
            let is_key = self.is_next(end, b':') && self.is_next(end + 1, b' ');
            if !is_key || entries.iter().any(|entry| entry.key == key) {
                return None;
            }
            let (value, end) = self.node(self.skip(end + 1), levels)?;
            entries.push(Entry { key, line: self.line, column: self.column(start), value });
            at = self.next(end, b'}')?;
        }
        Some((Kind::Map(entries), self.skip(at) + 1))
    }

    /// A quoted or plain text at byte `at`.
    fn text(&self, at: usize) -> Option<(Cow<'a, str>, usize)> {
        let rest = &self.content[at..];
        if rest.starts_with(['\'', '"']) {
            let (text, end) = quoted(rest)?;
            return Some((text, at + end));
        }
        let is_end = |(place, c): &(usize, char)| match c {
            ':' => ends(&rest[place + 1..]) || rest[place + 1..].starts_with(INDICATORS),
            '#' => rest[..*place].ends_with(' '),
            c => INDICATORS.contains(c),
        };
        let end = rest.char_indices().find(is_end).map_or(rest.len(), |(place, _)| place);
        let text = rest[..end].trim_end_matches(' ');
        // A text of one dash, question mark or colon is no text here.
        let is_text = !text.is_empty() && is_plain_start(text);
        // A key ends where its colon is.
        let is_apart = !rest[end..].starts_with(':') || text.len() == end;
        (is_text && is_apart).then_some((Cow::Borrowed(text), at + end))
    }

    /// Behind the comma after an element that ends at `at`, or at the bracket that closes.
    fn next(&self, at: usize, close: u8) -> Option<usize> {
        let at = self.skip(at);
        match self.content.as_bytes().get(at)? {
            b',' => Some(at + 1),
            byte if *byte == close => Some(at),
            _ => None,
        }
    }

    fn skip(&self, at: usize) -> usize {
        let rest = self.content.get(at..).unwrap_or_default();
        at + rest.len() - rest.trim_start_matches(' ').len()
    }

    fn is_next(&self, at: usize, byte: u8) -> bool {
        self.content.as_bytes().get(at) == Some(&byte)
    }

    fn column(&self, at: usize) -> usize {
        self.before + self.content[..at].chars().count() + 1
    }
}
