//! Text formats: how a line becomes fields, as a `source.yml` says it.
//!
//! In: a line, the header that names its columns where it has one, and a [`TextFormat`]. Out: the places of its fields. Bound: one pass
//! over the line for each format that it looks like, in linear time; values that are text of their own are read at most
//! [`INSIDE_MAX`] levels deep. When a line looks like a format and does not keep to it, it is a bad line.

mod delimited;
mod envelope;
pub(crate) mod expression;
mod key_value;
mod lines;
mod out;
mod pattern;
mod product;
mod prometheus;

use model::Reject;
use regex::bytes::Regex;

use crate::field::{Field, Fields, FieldsBuilder};
use crate::record::Scratch;

pub use delimited::{Delimited, Quotes, Separator};
pub(crate) use envelope::Envelope;
pub use key_value::KeyValue;
pub use lines::Heads;
pub(crate) use lines::Lines;
use out::Out;
pub use product::Product;

/// Formats inside of each other.
pub(crate) const INSIDE_MAX: usize = 3;

/// A format of lines of text.
#[derive(Clone, Debug, PartialEq)]
pub struct TextFormat {
    /// What a line of the format looks like, as a regular expression. Only its own lines may.
    pub line: Option<String>,
    /// Lines between its records that are none, as a regular expression.
    pub comments: Option<String>,
    /// How a line is read.
    pub layout: Layout,
    /// Values that are text of a format of their own, by the name of the value.
    pub inside: Vec<(String, Vec<TextFormat>)>,
}

/// How a line is read.
#[derive(Clone, Debug, PartialEq)]
pub enum Layout {
    /// Values in a fixed order with a separator between them.
    Delimited(Delimited),
    /// `key=value` pairs.
    KeyValue(KeyValue),
    /// Regular expressions with named groups; the first that matches counts.
    Patterns(Vec<String>),
    /// Common Event Format of these products.
    Cef(Product),
    /// Log Event Extended Format of these products.
    Leef(Product),
    /// Samples of metrics whose names start with one of these, in the text format of Prometheus and OpenMetrics.
    Prometheus(Vec<String>),
    /// Syslog messages of these programs, with all of their text.
    Syslog(Vec<String>),
}

impl TextFormat {
    /// A format without anything else.
    pub fn of(layout: Layout) -> TextFormat {
        TextFormat { line: None, comments: None, layout, inside: Vec::new() }
    }

    /// What a line of it looks like, in one way or another: as the author says, or as the layout itself has it.
    pub(crate) fn looks(&self) -> Vec<String> {
        match (&self.line, &self.layout) {
            (Some(line), _) => vec![line.clone()],
            (None, Layout::Patterns(patterns)) => patterns.clone(),
            (None, Layout::Cef(product)) => vec![product.looks("CEF")],
            (None, Layout::Leef(product)) => vec![product.looks("LEEF")],
            (None, Layout::Prometheus(names)) => vec![prometheus::looks(names)],
            (None, Layout::Delimited(_) | Layout::KeyValue(_) | Layout::Syslog(_)) => Vec::new(),
        }
    }

    /// What a line that names its columns looks like.
    pub(crate) fn header(&self) -> Option<&str> {
        match &self.layout {
            Layout::Delimited(delimited) => delimited.header.as_deref(),
            _ => None,
        }
    }

    /// What lines between its records look like that are none.
    pub(crate) fn silent(&self) -> Vec<String> {
        let by_layout = match &self.layout {
            Layout::Prometheus(names) => Some(prometheus::comments(names)),
            _ => None,
        };
        self.comments.iter().cloned().chain(self.header().map(str::to_owned)).chain(by_layout).collect()
    }

    /// Declares the values that are read as text of their own.
    pub(crate) fn intern(&self, fields: &mut FieldsBuilder) {
        intern(&self.inside, fields);
    }
}

/// Declares values that are text of a format of their own.
pub(crate) fn intern(inside: &[(String, Vec<TextFormat>)], fields: &mut FieldsBuilder) {
    for (name, formats) in inside {
        fields.intern(name);
        formats.iter().for_each(|format| format.intern(fields));
    }
}

/// One expression for any of several.
pub(crate) fn any_of<'p>(patterns: impl Iterator<Item = &'p str>) -> String {
    patterns.map(|pattern| format!("(?:{pattern})")).collect::<Vec<_>>().join("|")
}

/// A line, and what is known of where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'t> {
    /// The record: the line with its header and its envelope.
    pub raw: &'t str,
    /// Where the line itself stands in it.
    pub start: usize,
    pub end: usize,
    /// The line that names its columns.
    pub head: Option<&'t str>,
}

impl<'t> Line<'t> {
    /// A line alone.
    pub fn of(raw: &'t str) -> Line<'t> {
        Line { raw, start: 0, end: raw.len(), head: None }
    }

    pub fn text(&self) -> &'t str {
        &self.raw[self.start..self.end]
    }
}

/// A [`TextFormat`] with its fields numbered and its expressions compiled.
#[derive(Debug)]
pub(crate) struct TextReader {
    looks: Vec<Regex>,
    layout: Ready,
    inside: Inside,
}

/// Values that are text of a format of their own, and how each may be read.
#[derive(Debug, Default)]
pub(crate) struct Inside(Vec<(Field, Vec<TextReader>)>);

#[derive(Debug)]
enum Ready {
    Delimited(delimited::Reader),
    KeyValue(KeyValue),
    Patterns(pattern::Patterns),
    Cef,
    Leef,
    Prometheus,
    Syslog(Vec<String>),
}

impl TextReader {
    /// Compiles a format, once all fields are numbered. What cannot be compiled was told when it was parsed, and matches nothing.
    pub(crate) fn new(format: &TextFormat, fields: &Fields) -> TextReader {
        let layout = match &format.layout {
            Layout::Delimited(delimited) => Ready::Delimited(delimited::Reader::new(delimited, fields)),
            Layout::KeyValue(key_value) => Ready::KeyValue(key_value.clone()),
            Layout::Patterns(patterns) => Ready::Patterns(pattern::Patterns::new(patterns, fields)),
            Layout::Cef(_) => Ready::Cef,
            Layout::Leef(_) => Ready::Leef,
            Layout::Prometheus(_) => Ready::Prometheus,
            Layout::Syslog(programs) => Ready::Syslog(programs.clone()),
        };
        // Patterns without more tell by themselves, and are large.
        let has_own = matches!(&layout, Ready::Patterns(_)) && format.line.is_none();
        let compiled = |pattern: &String| expression::compile(pattern).ok();
        TextReader {
            looks: if has_own { Vec::new() } else { format.looks().iter().filter_map(compiled).collect() },
            inside: Inside::new(&format.inside, fields),
            layout,
        }
    }

    /// Does the line look like one of the format? One whose columns a header names looks as the header says.
    pub(crate) fn recognises(&self, line: &Line<'_>) -> bool {
        match (&self.layout, line.head) {
            (Ready::Delimited(reader), Some(head)) => reader.names(head).is_some(),
            (Ready::Syslog(_), _) => false,
            _ => self.looks_like(line.text()),
        }
    }

    fn looks_like(&self, text: &str) -> bool {
        match &self.layout {
            Ready::Patterns(patterns) if self.looks.is_empty() => patterns.is_match(text),
            _ => self.looks.iter().any(|looks| looks.is_match(text.as_bytes())),
        }
    }

    /// Is it a format of all that these programs write to syslog?
    pub(crate) fn is_of_program(&self, program: &str) -> bool {
        matches!(&self.layout, Ready::Syslog(programs) if programs.iter().any(|own| own == program))
    }

    /// Reads a line that is recognised into `scratch`, beside what stands there already.
    ///
    /// Errors: `BadLine`, or `DuplicateKey` where a key that is read stands twice.
    pub(crate) fn read(&self, line: &Line<'_>, fields: &Fields, scratch: &mut Scratch) -> Result<(), Reject> {
        self.layout(line.text(), line.head, &mut Out::at(fields, scratch, line.start))?;
        self.inside.read(fields, scratch, line.raw, INSIDE_MAX)
    }

    fn layout(&self, text: &str, head: Option<&str>, out: &mut Out<'_>) -> Result<(), Reject> {
        match &self.layout {
            Ready::Delimited(reader) => reader.read(text, head, out),
            Ready::KeyValue(key_value) => key_value::read(key_value, text, out),
            Ready::Patterns(patterns) => patterns.read(text, out),
            Ready::Cef => product::cef(text, out),
            Ready::Leef => product::leef(text, out),
            Ready::Prometheus => prometheus::read(text, out),
            Ready::Syslog(_) => Ok(()),
        }
    }
}

impl Inside {
    pub(crate) fn new(inside: &[(String, Vec<TextFormat>)], fields: &Fields) -> Inside {
        let readers = |formats: &[TextFormat]| formats.iter().map(|format| TextReader::new(format, fields)).collect();
        Inside(inside.iter().filter_map(|(name, formats)| Some((fields.get(name)?, readers(formats)))).collect())
    }

    /// Reads the values of a JSON record that are text. What is read of them is nowhere written like this.
    ///
    /// Errors: as [`TextReader::read`].
    #[inline]
    pub(crate) fn read_json(&self, fields: &Fields, scratch: &mut Scratch, raw: &str) -> Result<(), Reject> {
        if self.0.is_empty() { Ok(()) } else { self.values(fields, scratch, raw, INSIDE_MAX, false) }
    }

    fn read(&self, fields: &Fields, scratch: &mut Scratch, raw: &str, left: usize) -> Result<(), Reject> {
        self.values(fields, scratch, raw, left, true)
    }

    /// Reads each value; one that looks like none of its formats stays what it is.
    fn values(
        &self,
        fields: &Fields,
        scratch: &mut Scratch,
        raw: &str,
        left: usize,
        is_text: bool,
    ) -> Result<(), Reject> {
        let Some(left) = left.checked_sub(1) else { return Ok(()) };
        for (field, readers) in &self.0 {
            let Some((text, span, is_written)) = scratch.text_of(*field, raw) else { continue };
            let Some(reader) = readers.iter().find(|reader| reader.looks_like(&text)) else { continue };
            reader.layout(&text, None, &mut Out::within(fields, scratch, span, is_written && is_text))?;
            reader.inside.values(fields, scratch, raw, left, is_text)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
