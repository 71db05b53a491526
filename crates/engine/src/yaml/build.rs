//! From the events of the YAML reader to trees, with an explicit stack: nothing here recurses on what the text holds.

use std::borrow::Cow;

use model::Diagnostic;
use rustc_hash::FxHashMap;
use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::block;
use super::{DEPTH_MAX, Document, Entry, Kind, NODES_MAX, Node, Style, TEXT_BYTES_MAX};

/// Reads every document of a text.
///
/// Shape: documents that can be read, in order, and diagnostics for whatever is wrong with them or with the others. A document
/// with nothing in it is left out.
pub fn parse(text: &str) -> (Vec<Document<'_>>, Vec<Diagnostic>) {
    let mut documents = Vec::new();
    let mut diagnostics = Vec::new();
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("the file has {} bytes, more than {TEXT_BYTES_MAX}", text.len());
        return (documents, vec![Diagnostic::error(0, 0, "file-too-large", message, "split the file")]);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (line, part) in split(text) {
        let root = block::read(part, line).or_else(|| read(part, line, &mut diagnostics));
        documents.extend(root.map(|root| Document { line: root.line, root }));
    }
    (documents, diagnostics)
}

/// Reads one document, whatever is in it, by the library.
pub(super) fn read<'a>(part: &'a str, lines_before: usize, diagnostics: &mut Vec<Diagnostic>) -> Option<Node<'a>> {
    let mut builder = Builder::new(lines_before);
    let is_read = builder.run(part);
    diagnostics.append(&mut builder.diagnostics);
    builder.root.filter(|_| is_read)
}

/// Cuts a text at its `---` lines; each part comes with the number of lines before it.
fn split(text: &str) -> Vec<(usize, &str)> {
    if memchr::memmem::find(text.as_bytes(), b"\n---").is_none() {
        return vec![(0, text)];
    }
    let mut parts = Vec::new();
    let (mut start, mut start_line) = (0, 0);
    let mut offset = 0;
    for (line, content) in text.split_inclusive('\n').enumerate() {
        let rest = content.strip_prefix("---");
        if offset > start && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n'])) {
            parts.push((start_line, &text[start..offset]));
            (start, start_line) = (offset, line);
        }
        offset += content.len();
    }
    parts.push((start_line, &text[start..]));
    parts
}

/// A list or map that is being read.
struct Open<'a> {
    node: Node<'a>,
    anchor: usize,
    /// The key that waits for its value.
    key: Option<(Cow<'a, str>, usize, usize)>,
    /// The places of a long map's keys, so that repeats are found without comparing each with each.
    seen: FxHashMap<Cow<'a, str>, usize>,
}

/// From so many keys on, a map looks its keys up.
const MANY_KEYS: usize = 16;

impl<'a> Open<'a> {
    fn new(node: Node<'a>, anchor: usize) -> Open<'a> {
        Open { node, anchor, key: None, seen: FxHashMap::default() }
    }

    /// The line at which `key` last stood among `entries`.
    fn line_of(seen: &mut FxHashMap<Cow<'a, str>, usize>, entries: &[Entry<'a>], key: &str) -> Option<usize> {
        if entries.len() < MANY_KEYS {
            return entries.iter().rev().find(|entry| entry.key == key).map(|entry| entry.line);
        }
        for entry in &entries[if seen.is_empty() { 0 } else { entries.len() - 1 }..] {
            seen.insert(entry.key.clone(), entry.line);
        }
        seen.get(key).copied()
    }
}

struct Builder<'a> {
    lines_before: usize,
    stack: Vec<Open<'a>>,
    anchors: FxHashMap<usize, Node<'a>>,
    nodes: usize,
    root: Option<Node<'a>>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Builder<'a> {
    fn new(lines_before: usize) -> Builder<'a> {
        Builder {
            lines_before,
            stack: Vec::new(),
            anchors: FxHashMap::default(),
            nodes: 0,
            root: None,
            diagnostics: Vec::new(),
        }
    }

    /// Reads one document; says whether its tree can be used.
    fn run(&mut self, part: &'a str) -> bool {
        for event in Parser::new_from_str(part) {
            let taken = match event {
                Ok((event, span)) => self.take(event, span),
                Err(error) => {
                    let line = error.marker().line() + self.lines_before;
                    let column = error.marker().col() + 1;
                    Err(Diagnostic::error(line, column, "yaml-syntax", tidy(error.info()), remedy_for(error.info())))
                }
            };
            if let Err(diagnostic) = taken {
                self.diagnostics.push(diagnostic);
                return false;
            }
        }
        !self.diagnostics.iter().any(Diagnostic::is_error)
    }

    fn take(&mut self, event: Event<'a>, span: Span) -> Result<(), Diagnostic> {
        let (line, column) = (span.start.line() + self.lines_before, span.start.col() + 1);
        let node = |kind| Node { line, column, kind };
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = tag.is_some_and(|tag| tag.suffix == "str");
                let style = match style {
                    ScalarStyle::Plain if !is_text => Style::Plain,
                    ScalarStyle::Literal => Style::Literal,
                    ScalarStyle::Folded => Style::Folded,
                    _ => Style::Quoted,
                };
                self.add(node(Kind::Scalar(text, style)), anchor, 1)
            }
            Event::SequenceStart(anchor, _) => self.open(node(Kind::List(Vec::new())), anchor),
            Event::MappingStart(anchor, _) => self.open(node(Kind::Map(Vec::new())), anchor),
            Event::SequenceEnd | Event::MappingEnd => {
                let open = self.stack.pop().expect("the reader closes only what it opened");
                self.add(open.node, open.anchor, 1)
            }
            Event::Alias(anchor) => self.alias(anchor, line, column),
            _ => Ok(()),
        }
    }

    fn open(&mut self, node: Node<'a>, anchor: usize) -> Result<(), Diagnostic> {
        if self.stack.len() >= DEPTH_MAX {
            let message = format!("lists and maps are nested deeper than {DEPTH_MAX} levels");
            return Err(node.error("too-deep", message, "flatten the document"));
        }
        if self.stack.last().is_some_and(|open| matches!(open.node.kind, Kind::Map(_)) && open.key.is_none()) {
            return Err(node.error(
                "key-not-scalar",
                "a key is a list or a map",
                "quote the key if its text begins with `[` or `{`",
            ));
        }
        self.stack.push(Open::new(node, anchor));
        Ok(())
    }

    fn alias(&mut self, anchor: usize, line: usize, column: usize) -> Result<(), Diagnostic> {
        let Some(node) = self.anchors.get(&anchor) else {
            let message = "an alias stands inside of what it stands for";
            return Err(Diagnostic::error(line, column, "alias-cycle", message, "write the value out"));
        };
        let size = count(node);
        if self.nodes + size > NODES_MAX {
            return Err(self.too_many(line, column));
        }
        let node = Node { line, column, kind: node.kind.clone() };
        if self.stack.len() + depth(&node) > DEPTH_MAX {
            let message = format!("lists and maps are nested deeper than {DEPTH_MAX} levels");
            return Err(node.error("too-deep", message, "write the value out, flatter"));
        }
        self.add(node, 0, size)
    }

    fn too_many(&self, line: usize, column: usize) -> Diagnostic {
        let message = format!("the document has more than {NODES_MAX} values");
        Diagnostic::error(line, column, "too-many-values", message, "split the document; do not nest aliases")
    }

    /// Adds a finished node to whatever is open.
    fn add(&mut self, node: Node<'a>, anchor: usize, size: usize) -> Result<(), Diagnostic> {
        self.nodes += size;
        if self.nodes > NODES_MAX {
            return Err(self.too_many(node.line, node.column));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.stack.last_mut() else {
            if !node.is_null() {
                self.root = Some(node);
            }
            return Ok(());
        };
        match &mut open.node.kind {
            Kind::List(nodes) => nodes.push(node),
            Kind::Map(entries) => match open.key.take() {
                Some((key, line, column)) => {
                    if let Some(first) = Open::line_of(&mut open.seen, entries, &key) {
                        self.diagnostics.push(Diagnostic::error(
                            line,
                            column,
                            "duplicate-key",
                            format!("key `{key}` stands twice in one map, first in line {first}"),
                            "keep one; a list under one key joins values by OR, a second search joins fields by AND",
                        ));
                    }
                    entries.push(Entry { key, line, column, value: node });
                }
                None => match node.kind {
                    Kind::Scalar(text, _) => open.key = Some((text, node.line, node.column)),
                    _ => return Err(node.error("key-not-scalar", "a key is a list or a map", "use text as a key")),
                },
            },
            Kind::Scalar(..) => unreachable!("only lists and maps are opened"),
        }
        Ok(())
    }
}

fn count(node: &Node<'_>) -> usize {
    1 + match &node.kind {
        Kind::Scalar(..) => 0,
        Kind::List(nodes) => nodes.iter().map(count).sum(),
        Kind::Map(entries) => entries.iter().map(|entry| 1 + count(&entry.value)).sum(),
    }
}

fn depth(node: &Node<'_>) -> usize {
    match &node.kind {
        Kind::Scalar(..) => 0,
        Kind::List(nodes) => 1 + nodes.iter().map(depth).max().unwrap_or(0),
        Kind::Map(entries) => 1 + entries.iter().map(|entry| depth(&entry.value)).max().unwrap_or(0),
    }
}

/// The reader's message in the shape of ours.
fn tidy(info: &str) -> String {
    let mut letters = info.trim_end_matches('.').chars();
    let head = letters.next().map(|first| first.to_lowercase().to_string()).unwrap_or_default();
    format!("the YAML cannot be read: {head}{}", letters.as_str())
}

fn remedy_for(info: &str) -> &'static str {
    let is_about = |words: &[&str]| words.iter().any(|word| info.contains(word));
    if is_about(&["tab"]) {
        "indent with spaces"
    } else if is_about(&["anchor", "alias"]) {
        "quote text that begins with `*` or `&`"
    } else if is_about(&["mapping values", "simple key", "':'"]) {
        "quote text that holds `: `, and check the indentation"
    } else if is_about(&["escape"]) {
        "use single quotes: backslashes are escapes in double quotes only"
    } else if is_about(&["quoted", "end of stream"]) {
        "close the quotation mark or bracket"
    } else {
        "check indentation and quotes from the line before this place"
    }
}
