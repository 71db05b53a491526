//! Envelopes: a frame that holds several records is opened before anything is asked of them.
//!
//! In: the text of a frame. Out: its leaves, one for each record or part that cannot be read. Evaluating and counting a frame both go
//! through [`Opener::open`], so the two sides of the ledger agree by construction. Bound: [`LEVELS`] containers in each other;
//! a deeper one is a leaf that is rejected.

mod parts;

use aho_corasick::AhoCorasick;
use model::Reject;
use regex::bytes::Regex;

use crate::extract::first_value;
use crate::field::{Field, Fields, FieldsBuilder};
use crate::frame::scan;
use crate::json::mend::mended;
use crate::limits::Limits;
use crate::record::{Record, Scalar, Scratch};
use crate::source::text::Lines;
use crate::source::{Heads, Source};
use parts::Wholes;

/// Containers in each other, and wrappings in each other.
pub(crate) const LEVELS: usize = 6;

/// A record, or what was one.
pub(crate) enum Leaf<'a> {
    /// One value of JSON, as yet unchecked.
    Json(&'a str),
    /// The same, and whose record it is: an element of a record that holds several of a source's, by the place of the source.
    Part(&'a str, usize),
    /// A line of text.
    Text(&'a str),
    /// What cannot be a record.
    Broken(&'a str, Reject),
}

#[derive(Debug)]
pub(crate) struct Opener {
    fields: Fields,
    /// The elements of an outermost array.
    root: Field,
    keys: Vec<(&'static str, Field)>,
    /// Records that hold several, and the first keys by which they do.
    wholes: Wholes,
    marks: AhoCorasick,
    /// Lines that are no records: headers, comments.
    silent: Option<Regex>,
    /// Headers alone.
    heads: Heads,
}

impl Opener {
    /// An opener for these sources, which passes over lines that are no records, as they declare them.
    pub(crate) fn new(sources: &[Source], lines: &Lines) -> Opener {
        let mut builder = FieldsBuilder::new();
        let root = builder.intern("");
        let keys = scan::container_keys().map(|key| (key, builder.intern(key))).collect();
        let wholes = Wholes::of(sources, &mut builder);
        let marks = AhoCorasick::new(list_keys(sources).map(|key| format!("\"{key}\"")));
        Opener {
            root,
            keys,
            wholes,
            marks: marks.expect("a handful of short keys can always be searched for"),
            silent: lines.silent().cloned(),
            heads: lines.heads().clone(),
            fields: builder.build(),
        }
    }

    /// Calls `leaf` for every record of `text`.
    pub(crate) fn open(&self, text: &str, limits: &Limits, scratches: &mut [Scratch], leaf: &mut dyn FnMut(Leaf<'_>)) {
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return;
        }
        if !is_json(text) {
            if self.is_silent(text) {
                return;
            }
            return leaf(Leaf::Text(text));
        }
        let is_plain =
            text.starts_with('{') && !scan::may_hold_container(text.as_bytes()) && !self.marks.is_match(text);
        if is_plain && !scan::may_hold_several(text.as_bytes()) {
            return leaf(Leaf::Json(text));
        }
        let Some((scratch, deeper)) = scratches.split_first_mut() else {
            return leaf(Leaf::Broken(text, Reject::TooDeep));
        };
        match first_value(&self.fields, text, scratch, limits) {
            Err(reason) => match mended(text).filter(|_| reason == Reject::NotJson && self.marks.is_match(text)) {
                Some(text) => self.open(&text, limits, deeper, leaf),
                None => leaf(Leaf::Broken(text, reason)),
            },
            Ok(end) if end == text.len() => self.value(&scratch.record(text, false), limits, deeper, leaf),
            Ok(_) => match self.parts(text, scratch, limits) {
                Err(reason) => leaf(Leaf::Broken(text, reason)),
                Ok(parts) => parts.iter().for_each(|part| self.open(part, limits, deeper, leaf)),
            },
        }
    }

    /// Is it a line that is no record? A header stands before such a line as before any other.
    fn is_silent(&self, text: &str) -> bool {
        let Some(silent) = &self.silent else { return false };
        match text.split_once('\n') {
            None => silent.is_match(text.as_bytes()),
            Some((head, line)) => {
                self.heads.is_head(head.trim_end().as_bytes()) && silent.is_match(line.trim().as_bytes())
            }
        }
    }

    /// One value: a container, or a record.
    fn value(&self, record: &Record<'_>, limits: &Limits, deeper: &mut [Scratch], leaf: &mut dyn FnMut(Leaf<'_>)) {
        let text = record.raw();
        let mut is_container = false;
        let is_key = |key: &str| scan::is_container(key.as_bytes(), text.as_bytes());
        let is_array = text.starts_with('[');
        let keys = self.keys.iter().filter(|(key, field)| !is_array && record.is_present(*field) && is_key(key));
        for field in keys.map(|(_, field)| *field).chain(is_array.then_some(self.root)) {
            is_container = true;
            for element in record.values(field) {
                match element {
                    Scalar::Composite("[]") => {}
                    Scalar::Composite(text) | Scalar::Str(text) => self.open(text, limits, deeper, leaf),
                    other => leaf(Leaf::Broken(other.text(), Reject::UnknownSource)),
                }
            }
        }
        if !is_container && !self.wholes.open(record, limits, deeper, leaf) {
            leaf(Leaf::Json(text));
        }
    }

    /// The values of a text that holds several, one after another.
    fn parts<'t>(&self, text: &'t str, scratch: &mut Scratch, limits: &Limits) -> Result<Vec<&'t str>, Reject> {
        let mut parts = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let end = first_value(&self.fields, rest, scratch, limits)?;
            parts.push(rest[..end].trim_end());
            rest = &rest[end..];
        }
        Ok(parts)
    }
}

/// The keys of the outermost lists of records that hold several.
pub(crate) fn list_keys(sources: &[Source]) -> impl Iterator<Item = &str> + '_ {
    sources.iter().flat_map(|source| &source.within).filter_map(|within| within.at.first()).map(String::as_str)
}

/// Does the text start like JSON? A line that starts with a bracketed time does not.
pub(crate) fn is_json(text: &str) -> bool {
    let next = || text.as_bytes()[1..].iter().find(|byte| !byte.is_ascii_whitespace());
    match text.as_bytes().first() {
        Some(b'{') => true,
        Some(b'[') => matches!(next(), Some(b'{' | b'[' | b']' | b'"')),
        _ => false,
    }
}
