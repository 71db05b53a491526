//! All text formats together: which of them a line looks like, which lines name columns, and which are no records.
//!
//! Every format's expression is asked in one pass over the line.

use std::sync::Arc;

use regex::bytes::{Regex, RegexSet};

use super::TextFormat;
use super::expression::{one, set};

/// A longer line names no columns.
const HEAD_BYTES_MAX: usize = 16 << 10;

/// Which lines of a stream name the columns of those that follow.
#[derive(Clone, Debug, Default)]
pub struct Heads(Option<Arc<Regex>>);

impl Heads {
    /// Does the line name columns?
    pub fn is_head(&self, line: &[u8]) -> bool {
        let Some(heads) = self.0.as_ref().filter(|_| line.len() <= HEAD_BYTES_MAX) else { return false };
        heads.is_match(line)
    }

    /// Does nothing name columns?
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

/// Every text format, by the place of its source and its own place in it.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    set: Option<RegexSet>,
    owners: Vec<(usize, usize)>,
    headed: Vec<(usize, usize)>,
    heads: Heads,
    silent: Option<Regex>,
}

impl Lines {
    /// Compiles the formats of all sources; the place of a source is its place in `sources`.
    pub fn new<'s>(sources: impl Iterator<Item = Vec<&'s TextFormat>>) -> Lines {
        let (mut lines, mut looks, mut heads, mut silent) = (Lines::default(), Vec::new(), Vec::new(), Vec::new());
        for (at, formats) in sources.enumerate() {
            for (number, format) in formats.into_iter().enumerate() {
                for pattern in format.looks() {
                    looks.push(pattern);
                    lines.owners.push((at, number));
                }
                if let Some(header) = format.header() {
                    heads.push(header.to_owned());
                    lines.headed.push((at, number));
                }
                silent.extend(format.silent());
            }
        }
        lines.set = set(&looks);
        lines.heads = Heads(one(&heads).map(Arc::new));
        lines.silent = one(&silent);
        lines
    }

    /// The formats that the line looks like.
    pub fn candidates(&self, line: &str) -> impl Iterator<Item = (usize, usize)> {
        // Without a set every format looks for itself.
        let met: Vec<usize> = match &self.set {
            Some(set) => set.matches(line.as_bytes()).into_iter().collect(),
            None => (0..self.owners.len()).collect(),
        };
        // A format may look at lines in several ways, which lie side by side.
        let mut last = None;
        met.into_iter().map(|at| self.owners[at]).filter(move |owner| last.replace(*owner) != Some(*owner))
    }

    /// The formats whose columns a header may name.
    pub fn headed(&self) -> impl Iterator<Item = (usize, usize)> {
        self.headed.iter().copied()
    }

    /// Which lines name columns.
    pub fn heads(&self) -> &Heads {
        &self.heads
    }

    /// Lines that are no records.
    pub fn silent(&self) -> Option<&Regex> {
        self.silent.as_ref()
    }

    /// A record's header, if it has one, and where its line starts.
    pub fn split<'t>(&self, text: &'t str) -> (Option<&'t str>, usize) {
        let Some(end) = memchr::memchr(b'\n', text.as_bytes()) else { return (None, 0) };
        let head = text[..end].trim_end();
        if self.heads.is_head(head.as_bytes()) { (Some(head), end + 1) } else { (None, 0) }
    }
}
