//! Values in a fixed order: comma or tab separated, or access logs with quotes and brackets.
//!
//! Columns are named in `source.yml` or by a header line. Formats grow at their end, so a line may have more columns than are named,
//! and from `at_least` on fewer.

use model::Reject;
use regex::bytes::Regex;
use smallvec::SmallVec;

use super::expression;
use super::out::{Out, Piece};
use crate::field::{Field, Fields};

/// Values in a fixed order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delimited {
    /// What stands between two values.
    pub separator: Separator,
    /// What a quote means.
    pub quotes: Quotes,
    /// Is a value in brackets one value, whatever is in it?
    pub brackets: bool,
    /// The columns, each with its names.
    pub columns: Vec<Vec<String>>,
    /// Fewer columns make a bad line.
    pub at_least: usize,
    /// More columns make a bad line.
    pub at_most: Option<usize>,
    /// What a line that names the columns looks like; its first group, if there is one, is the names.
    pub header: Option<String>,
}

/// What stands between two values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Separator {
    /// One or several spaces.
    #[default]
    Spaces,
    /// This ASCII character, once.
    Byte(u8),
}

/// What a quote at the start of a value means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Quotes {
    /// Nothing.
    #[default]
    None,
    /// The value goes to the quote before a separator or the end: quotes in it are not escaped.
    Bare,
    /// The value goes to the next quote that is not doubled, as RFC 4180 has it.
    Doubled,
    /// The value goes to the next quote without a backslash before it.
    Escaped,
}

/// The names of the columns of one line.
pub(super) type Names<'h> = SmallVec<[&'h str; 36]>;

#[derive(Debug)]
pub(super) struct Reader {
    cutter: Cutter,
    columns: Vec<Vec<Field>>,
    at_least: usize,
    at_most: usize,
    header: Option<Regex>,
}

impl Reader {
    pub fn new(delimited: &Delimited, fields: &Fields) -> Reader {
        let known = |names: &Vec<String>| names.iter().filter_map(|name| fields.get(name)).collect();
        Reader {
            cutter: Cutter { separator: delimited.separator, quotes: delimited.quotes, brackets: delimited.brackets },
            columns: delimited.columns.iter().map(known).collect(),
            at_least: delimited.at_least,
            at_most: delimited.at_most.unwrap_or(usize::MAX),
            header: delimited.header.as_ref().and_then(|pattern| expression::compile(pattern).ok()),
        }
    }

    /// The columns that a header names, if it is one of this format. A header may be spaced where its lines are not.
    pub fn names<'h>(&self, head: &'h str) -> Option<Names<'h>> {
        let groups = self.header.as_ref()?.captures(head.as_bytes())?;
        let names = groups.get(1).map_or(Some(head), |group| head.get(group.range()))?;
        Some(match self.cutter.separator {
            Separator::Byte(byte) if names.as_bytes().contains(&byte) => {
                names.split(char::from(byte)).map(|name| name.trim().trim_matches('"')).collect()
            }
            _ => names.split_whitespace().collect(),
        })
    }

    pub fn read(&self, text: &str, head: Option<&str>, out: &mut Out<'_>) -> Result<(), Reject> {
        match head.and_then(|head| self.names(head)) {
            Some(names) => self.named(text, &names, out),
            None => self.placed(text, out),
        }
    }

    /// A line whose columns stand where `source.yml` says.
    fn placed(&self, text: &str, out: &mut Out<'_>) -> Result<(), Reject> {
        let (mut at, mut count) = (Some(0), 0);
        while let Some(cell) = self.cutter.next(text, &mut at)? {
            if let Some(columns) = self.columns.get(count).filter(|columns| !columns.is_empty()) {
                let piece = self.cutter.piece(text, cell);
                columns.iter().for_each(|field| out.put(*field, &piece));
            }
            count += 1;
        }
        if (self.at_least..=self.at_most).contains(&count) { Ok(()) } else { Err(Reject::BadLine) }
    }

    /// A line whose columns a header names: neither more nor fewer.
    fn named(&self, text: &str, names: &[&str], out: &mut Out<'_>) -> Result<(), Reject> {
        let (mut at, mut count) = (Some(0), 0);
        while let Some(cell) = self.cutter.next(text, &mut at)? {
            let name = names.get(count).ok_or(Reject::BadLine)?;
            out.once(name, &self.cutter.piece(text, cell))?;
            count += 1;
        }
        if count == names.len() { Ok(()) } else { Err(Reject::BadLine) }
    }
}

/// Cuts a line into values.
#[derive(Debug)]
struct Cutter {
    separator: Separator,
    quotes: Quotes,
    brackets: bool,
}

/// A value without its quotes, and whether there is something to undo in it.
#[derive(Clone, Copy)]
struct Cell {
    start: usize,
    end: usize,
    is_escaped: bool,
}

impl Cutter {
    /// The next value from `at`, which then stands at the value after it, if there is one.
    #[inline]
    fn next(&self, text: &str, at: &mut Option<usize>) -> Result<Option<Cell>, Reject> {
        let Some(mut start) = *at else { return Ok(None) };
        let bytes = text.as_bytes();
        if self.separator == Separator::Spaces {
            start += bytes[start..].iter().take_while(|byte| **byte == b' ').count();
            if start == bytes.len() {
                *at = None;
                return Ok(None);
            }
        }
        let (cell, end) = match bytes.get(start) {
            Some(b'"') if self.quotes != Quotes::None => {
                let cell = self.quoted(bytes, start + 1).ok_or(Reject::BadLine)?;
                (cell, cell.end + 1)
            }
            Some(b'[') if self.brackets => {
                let end = memchr::memchr(b']', &bytes[start..]).ok_or(Reject::BadLine)? + start;
                (Cell { start: start + 1, end, is_escaped: false }, end + 1)
            }
            _ => {
                let end = memchr::memchr(self.byte(), &bytes[start..]).map_or(bytes.len(), |end| start + end);
                (Cell { start, end, is_escaped: false }, end)
            }
        };
        *at = match (self.separator, bytes.get(end)) {
            (_, None) => None,
            (Separator::Spaces, Some(_)) => Some(end),
            (Separator::Byte(byte), Some(next)) if *next == byte => Some(end + 1),
            (Separator::Byte(_), Some(_)) => return Err(Reject::BadLine),
        };
        Ok(Some(cell))
    }

    fn byte(&self) -> u8 {
        match self.separator {
            Separator::Spaces => b' ',
            Separator::Byte(byte) => byte,
        }
    }

    /// A value in quotes, from behind the first of them.
    fn quoted(&self, bytes: &[u8], start: usize) -> Option<Cell> {
        let is_end = |at: usize| bytes.get(at + 1).is_none_or(|next| *next == self.byte());
        let (mut from, mut is_escaped) = (start, false);
        loop {
            let found = match self.quotes {
                Quotes::Escaped => memchr::memchr2(b'"', b'\\', bytes.get(from..)?)?,
                _ => memchr::memchr(b'"', bytes.get(from..)?)?,
            };
            let end = from + found;
            let step = match self.quotes {
                Quotes::Escaped if bytes[end] == b'\\' => 2,
                Quotes::Doubled if bytes.get(end + 1) == Some(&b'"') => 2,
                Quotes::Bare if !is_end(end) => {
                    from = end + 1;
                    continue;
                }
                _ => return Some(Cell { start, end, is_escaped }),
            };
            is_escaped = true;
            from = end + step;
        }
    }

    #[inline]
    fn piece<'t>(&self, text: &'t str, cell: Cell) -> Piece<'t> {
        let (start, end) = (cell.start, cell.end);
        if !cell.is_escaped {
            return Piece::plain(text, start, end);
        }
        let written = &text[start..end];
        let says = match self.quotes {
            Quotes::Escaped => super::key_value::unescaped(written),
            _ => written.replace("\"\"", "\""),
        };
        Piece::other(start, end, says)
    }
}
