//! The YAML that nearly every rule is written in, read in one pass: block lists and maps, literal blocks, and texts, lists and maps on one line.
//!
//! In: a document. Out: the tree that the library would give for it, or `None` where the document has anything else in it (anchors,
//! tags, tabs, text over several lines, any mistake): then the library reads it and says what is wrong. What is not certain is left to
//! the library, so this never decides what a mistake is.
//! Bound: [`LEVELS_MAX`] and [`NODES_MAX`], both within those of the library's reader.

use std::borrow::Cow;

use super::flow::Flow;
use super::scalar::{ends, key_of, plain, quoted};
use super::{Entry, Kind, Node, Style};

/// Levels of lists and maps.
const LEVELS_MAX: usize = 24;
/// Nodes of one document.
const NODES_MAX: usize = 100_000;
/// Keys of one map: each is compared with each.
const KEYS_MAX: usize = 64;

/// The tree of a document that begins behind `lines_before` lines, if it is written as described above.
pub(super) fn read(part: &str, lines_before: usize) -> Option<Node<'_>> {
    // Without an early end within a piece, so that many bytes are looked at at once.
    let is_odd = |piece: &[u8]| piece.iter().fold(false, |odd, &b| odd | ((b < b' ') & (b != b'\n')) | (b == 0x7f));
    if part.as_bytes().chunks(256).any(is_odd) || part.contains('\u{feff}') {
        return None;
    }
    let mut reader = Reader { text: part, at: 0, line: lines_before, now: None, nodes: 0 };
    if let Some(rest) = part.strip_prefix("---\n") {
        (reader.at, reader.line) = (part.len() - rest.len(), lines_before + 1);
    }
    reader.advance()?;
    let root = reader.now.filter(|line| line.indent == 0).and_then(|_| reader.block(0))?;
    reader.now.is_none().then_some(root)
}

/// A line with something on it, or what follows the dash of a list on it.
#[derive(Clone, Copy)]
struct Line<'a> {
    /// Its number, from 1.
    number: usize,
    /// Spaces, or the dash and spaces, before it.
    indent: usize,
    /// From the first character on, without spaces at the end.
    content: &'a str,
}

impl Line<'_> {
    /// The column of byte `at` of the content, from 1.
    fn column(&self, at: usize) -> usize {
        self.indent + self.content[..at].chars().count() + 1
    }

    fn is_element(&self) -> bool {
        self.content.strip_prefix('-').is_some_and(ends)
    }
}

struct Reader<'a> {
    text: &'a str,
    /// Where the line after this one begins.
    at: usize,
    /// The number of lines before `at`.
    line: usize,
    /// The line to be read; `None` at the end.
    now: Option<Line<'a>>,
    nodes: usize,
}

impl<'a> Reader<'a> {
    /// Goes to the next line with something on it. `None` where the document is marked as ended.
    fn advance(&mut self) -> Option<()> {
        self.now = None;
        while self.at < self.text.len() {
            let raw = self.raw_line();
            let content = raw.trim_start_matches(' ');
            let indent = raw.len() - content.len();
            if indent == 0 && (content.starts_with("---") || content.starts_with("...") || content.starts_with('%')) {
                return None;
            }
            if !content.is_empty() && !content.starts_with('#') {
                self.now = Some(Line { number: self.line, indent, content: content.trim_end_matches(' ') });
                break;
            }
        }
        Some(())
    }

    fn raw_line(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let end = memchr::memchr(b'\n', rest.as_bytes());
        self.at += end.map_or(rest.len(), |end| end + 1);
        self.line += 1;
        &rest[..end.unwrap_or(rest.len())]
    }

    /// The list or map that begins with the present line.
    fn block(&mut self, level: usize) -> Option<Node<'a>> {
        let line = self.now.filter(|_| level < LEVELS_MAX)?;
        if line.is_element() { self.list(line, false, level) } else { self.map(line, level) }
    }

    fn map(&mut self, first: Line<'a>, level: usize) -> Option<Node<'a>> {
        let mut entries: Vec<Entry<'a>> = Vec::new();
        while let Some(line) = self.now.filter(|line| line.indent >= first.indent) {
            if line.indent > first.indent || line.is_element() || entries.len() == KEYS_MAX {
                return None;
            }
            let (key, end) = key_of(line.content)?;
            if entries.iter().any(|entry| entry.key == key) {
                return None;
            }
            let value = self.value(line, end, true, level)?;
            entries.push(Entry { key, line: line.number, column: line.indent + 1, value });
        }
        self.node(first.number, first.indent + 1, Kind::Map(entries))
    }

    /// The list that begins with the present line; a list may stand right below its key, or beside it.
    fn list(&mut self, first: Line<'a>, is_beside: bool, level: usize) -> Option<Node<'a>> {
        let mut nodes = Vec::new();
        while let Some(line) = self.now.filter(|line| line.indent == first.indent && line.is_element()) {
            nodes.push(self.value(line, 1, false, level)?);
        }
        // A line between two levels belongs to neither.
        if self.now.is_some_and(|line| line.indent > first.indent) {
            return None;
        }
        let start = nodes.first().map(|node: &Node<'a>| (node.line, node.column));
        // The library says of a list beside its key that it begins with its first element.
        let (line, column) = start.filter(|_| is_beside).unwrap_or((first.number, first.indent + 1));
        self.node(line, column, Kind::List(nodes))
    }

    /// The value behind the first `end` bytes of a line, which are a key with its colon, or a dash.
    fn value(&mut self, line: Line<'a>, end: usize, is_key: bool, level: usize) -> Option<Node<'a>> {
        let rest = line.content[end..].trim_start_matches(' ');
        if rest.is_empty() || rest.starts_with('#') {
            self.advance()?;
            let below = self.now?;
            if is_key && below.indent == line.indent && below.is_element() {
                return self.list(below, true, level + 1);
            }
            return if below.indent > line.indent { self.block(level + 1) } else { None };
        }
        let at = line.content.len() - rest.len();
        let column = line.column(at);
        if !is_key {
            let inner = Line { number: line.number, indent: column - 1, content: rest };
            if inner.is_element() || key_of(rest).is_some() {
                self.now = Some(inner);
                return self.block(level + 1);
            }
        }
        self.inline(Line { content: rest, ..line }, column, level)
    }

    /// What a line's content is, where nothing of the next lines belongs to it.
    fn inline(&mut self, line: Line<'a>, column: usize, level: usize) -> Option<Node<'a>> {
        let mut place = (line.number, column);
        let kind = match line.content.as_bytes()[0] {
            b'|' => {
                place = (self.line + 1, 0);
                let (text, column) = self.literal(line.content, line.indent)?;
                place.1 = column;
                Kind::Scalar(Cow::Owned(text), Style::Literal)
            }
            b'\'' | b'"' => {
                let (text, end) = quoted(line.content)?;
                is_over(&line.content[end..]).then_some(Kind::Scalar(text, Style::Quoted))?
            }
            b'[' | b'{' => {
                self.nodes += line.content.len();
                let flow = Flow { content: line.content, line: line.number, before: column - 1 };
                let (node, end) = flow.node(0, LEVELS_MAX.saturating_sub(level))?;
                is_over(&line.content[end..]).then_some(node.kind)?
            }
            _ => Kind::Scalar(Cow::Borrowed(plain(line.content)?), Style::Plain),
        };
        self.advance()?;
        if self.now.is_some_and(|next| next.indent > line.indent) {
            return None;
        }
        self.node(place.0, place.1, kind)
    }

    /// The text of a literal block below a line, and the column at which it stands.
    fn literal(&mut self, header: &str, indent: usize) -> Option<(String, usize)> {
        let is_stripped = match header {
            "|" => false,
            "|-" => true,
            _ => return None,
        };
        let mut text = String::new();
        let (mut column, mut blank) = (0, 0);
        while self.at < self.text.len() {
            let (at, line) = (self.at, self.line);
            let raw = self.raw_line();
            let spaces = raw.len() - raw.trim_start_matches(' ').len();
            if spaces == raw.len() {
                // Blank lines before the text, and those that are longer than its indent, are no matter of course.
                if column == 0 || spaces > column {
                    return None;
                }
                blank += 1;
                continue;
            }
            if column == 0 && spaces > indent {
                column = spaces;
            }
            if column == 0 || spaces < column {
                (self.at, self.line) = (at, line);
                break;
            }
            text.extend(std::iter::repeat_n('\n', std::mem::take(&mut blank)));
            text.push_str(&raw[column..]);
            text.push('\n');
        }
        if column == 0 || !self.text[..self.at].ends_with('\n') {
            return None;
        }
        if is_stripped {
            text.pop();
        }
        Some((text, column + 1))
    }

    fn node(&mut self, line: usize, column: usize, kind: Kind<'a>) -> Option<Node<'a>> {
        self.nodes += 1;
        (self.nodes <= NODES_MAX).then_some(Node { line, column, kind })
    }
}

/// Is nothing left of a line but a comment?
fn is_over(rest: &str) -> bool {
    rest.is_empty() || (rest.starts_with(' ') && rest.trim_start_matches(' ').starts_with('#'))
}
