//! Where a format puts what it reads.

use std::borrow::Cow;

use model::Reject;

use crate::field::{Field, Fields};
use crate::record::Scratch;

/// A value: where it is written in the text that is read, and what it says.
#[derive(Debug)]
pub(super) struct Piece<'t> {
    pub start: usize,
    pub end: usize,
    pub says: Cow<'t, str>,
}

impl<'t> Piece<'t> {
    /// What is written is what it says.
    pub fn plain(text: &'t str, start: usize, end: usize) -> Piece<'t> {
        Piece { start, end, says: Cow::Borrowed(&text[start..end]) }
    }

    /// What is written says something else.
    pub fn other(start: usize, end: usize, says: String) -> Piece<'t> {
        Piece { start, end, says: Cow::Owned(says) }
    }
}

/// Puts values into the record's scratch memory.
pub(super) struct Out<'s> {
    pub fields: &'s Fields,
    scratch: &'s mut Scratch,
    place: Place,
}

/// Where the text that is read stands in the record.
enum Place {
    /// As it is, from here.
    Written(usize),
    /// It is what something says that is written here.
    Said(usize, usize),
}

impl<'s> Out<'s> {
    /// For text that stands in the record from `start`.
    pub fn at(fields: &'s Fields, scratch: &'s mut Scratch, start: usize) -> Out<'s> {
        Out { fields, scratch, place: Place::Written(start) }
    }

    /// For the text of a value of the record.
    pub fn within(fields: &'s Fields, scratch: &'s mut Scratch, span: (usize, usize), is_written: bool) -> Out<'s> {
        let place = if is_written { Place::Written(span.0) } else { Place::Said(span.0, span.1) };
        Out { fields, scratch, place }
    }

    /// Adds a value to a field.
    #[inline]
    pub fn put(&mut self, field: Field, piece: &Piece<'_>) {
        match (&self.place, &piece.says) {
            (Place::Written(base), Cow::Borrowed(_)) => {
                self.scratch.set_text(field, base + piece.start, base + piece.end);
            }
            (Place::Written(base), Cow::Owned(says)) => {
                self.scratch.set_said(field, base + piece.start, base + piece.end, says);
            }
            (Place::Said(start, end), says) => self.scratch.set_said(field, *start, *end, says),
        }
    }

    /// Sets the field called `name`, if something reads it.
    ///
    /// Errors: `DuplicateKey` if it has a value already, since two readers could see two different records.
    pub fn once(&mut self, name: &str, piece: &Piece<'_>) -> Result<(), Reject> {
        let Some(field) = self.fields.named(name) else { return Ok(()) };
        if self.scratch.has_any(field) {
            return Err(Reject::DuplicateKey);
        }
        self.put(field, piece);
        Ok(())
    }
}
