//! A record: the values of the declared fields of one event, without a copy of the event.
//!
//! In: what [`crate::extract`] found in one pass. Out: values by field. Bound: one cell for each value found; a [`Scratch`] is
//! reused from event to event, so a worker that has warmed up allocates nothing.

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};

use crate::extract;
use crate::field::{Field, Fields};
use crate::json;

/// One value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as written.
    Number(&'a str),
    /// A string, unescaped.
    Str(&'a str),
    /// The raw JSON of an object, or of an empty array: the field is present, and not a scalar.
    Composite(&'a str),
}

impl<'a> Scalar<'a> {
    /// The value as text, unless it is `null` or composite.
    pub fn scalar_text(self) -> Option<&'a str> {
        (!matches!(self, Scalar::Null | Scalar::Composite(_))).then(|| self.text())
    }

    /// The value as text: the string itself, the number as written, `true`, `null`, or the raw JSON.
    pub fn text(self) -> &'a str {
        match self {
            Scalar::Null => "null",
            Scalar::Bool(true) => "true",
            Scalar::Bool(false) => "false",
            Scalar::Number(text) | Scalar::Str(text) | Scalar::Composite(text) => text,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    True,
    False,
    Number,
    /// A string whose text stands in the record as it is.
    Str,
    /// A string with escapes, unescaped when it is first read.
    Escaped,
    /// A text that is not written like this in the record: part of what another value says, or without the escapes of its format.
    Said,
    Composite,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    kind: Kind,
    start: u32,
    end: u32,
    /// Of a string with escapes, and of what is said: which of [`Scratch::texts`] is its own.
    text: u32,
    /// The field's next value: its cell plus one, or 0.
    next: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Chain {
    /// First and last cell, plus one; 0 where there is none.
    head: u32,
    tail: u32,
}

/// Texts whose memory is kept for the next record.
const SPARE_MAX: usize = 256;
/// The longest of them, in bytes.
const SPARE_BYTES_MAX: usize = 16 << 10;

/// Memory that one worker reuses from event to event.
#[derive(Debug, Default)]
pub struct Scratch {
    cells: Vec<Cell>,
    chains: Vec<Chain>,
    touched: Vec<u32>,
    /// What strings with escapes say, once somebody has asked.
    texts: Vec<OnceCell<String>>,
    /// How many of them the record uses.
    escaped: usize,
    /// Memory of texts of records before.
    spare: RefCell<Vec<String>>,
    /// Of a text record: where its line starts, behind its header.
    text_start: usize,
    pub(crate) walk: extract::WalkState,
}

impl Scratch {
    /// Scratch memory for records read by `fields`.
    pub fn new(fields: &Fields) -> Scratch {
        let mut scratch = Scratch::default();
        scratch.reset(fields);
        scratch
    }

    /// Forgets the last record.
    pub(crate) fn reset(&mut self, fields: &Fields) {
        for index in self.touched.drain(..) {
            self.chains[index as usize] = Chain::default();
        }
        if self.chains.len() < fields.len() {
            self.chains.resize(fields.len(), Chain::default());
        }
        self.cells.clear();
        self.text_start = 0;
        let spare = self.spare.get_mut();
        for mut text in self.texts[..self.escaped].iter_mut().filter_map(OnceCell::take) {
            // A sender of long texts in ever other places would otherwise make each of many texts long.
            if spare.len() < SPARE_MAX && text.capacity() <= SPARE_BYTES_MAX {
                text.clear();
                spare.push(text);
            }
        }
        self.escaped = 0;
    }

    /// Adds a value; gives its cell, so that the end of a composite can be set when it is known.
    #[inline]
    pub(crate) fn push(&mut self, field: Field, kind: Kind, start: usize, end: usize) -> u32 {
        let cell = self.cells.len() as u32;
        let text = if matches!(kind, Kind::Escaped | Kind::Said) { self.text_slot() } else { 0 };
        self.cells.push(Cell { kind, start: start as u32, end: end as u32, text, next: 0 });
        let chain = &mut self.chains[field.index()];
        if chain.tail == 0 {
            chain.head = cell + 1;
            self.touched.push(field.index() as u32);
        } else {
            self.cells[chain.tail as usize - 1].next = cell + 1;
        }
        chain.tail = cell + 1;
        cell
    }

    #[inline]
    fn text_slot(&mut self) -> u32 {
        if self.escaped == self.texts.len() {
            self.texts.push(OnceCell::new());
        }
        self.escaped += 1;
        self.escaped as u32 - 1
    }

    /// What a string with escapes says; `body` is how it is written.
    #[inline]
    fn unescaped(&self, slot: u32, body: &str) -> &str {
        self.texts[slot as usize].get_or_init(|| {
            let mut text = self.spare.borrow_mut().pop().unwrap_or_default();
            json::unescape(body, &mut text);
            text
        })
    }

    pub(crate) fn close(&mut self, cell: u32, end: usize) {
        self.cells[cell as usize].end = end as u32;
    }

    /// Sets the value of a field of a text record: the text in `raw[start..end]`.
    pub(crate) fn set_text(&mut self, field: Field, start: usize, end: usize) {
        self.push(field, Kind::Str, start, end);
    }

    /// Gives a field a value that stands in the text of `raw[start..end]` and is not written like this.
    pub(crate) fn set_said(&mut self, field: Field, start: usize, end: usize, says: &str) {
        let cell = self.push(field, Kind::Said, start, end);
        let slot = self.cells[cell as usize].text as usize;
        let mut text = self.spare.get_mut().pop().unwrap_or_default();
        text.push_str(says);
        self.texts[slot] = OnceCell::from(text);
    }

    /// Gives a field of the record a value that is not in it: one that was worked out. It stands behind the record's end.
    pub(crate) fn set_made(&mut self, field: Field, end: usize, says: &str) {
        self.set_said(field, end, end, says);
    }

    /// Takes all values of a field away.
    pub(crate) fn clear(&mut self, field: Field) {
        self.chains[field.index()] = Chain::default();
    }

    /// Has the field a value at all?
    #[inline]
    pub(crate) fn has_any(&self, field: Field) -> bool {
        self.any(field, |_| true)
    }

    /// The first value of a field of the record `raw`, if it is text: what it says, where it is written, and whether it says what is
    /// written.
    pub(crate) fn text_of(&self, field: Field, raw: &str) -> Option<(String, (usize, usize), bool)> {
        let at = self.chains.get(field.index())?.head.checked_sub(1)?;
        let cell = &self.cells[at as usize];
        let written = &raw[cell.start as usize..cell.end as usize];
        let (says, is_written) = match cell.kind {
            Kind::Escaped | Kind::Said => (self.unescaped(cell.text, written), false),
            Kind::Str => (written, true),
            _ => return None,
        };
        Some((says.to_owned(), (cell.start as usize, cell.end as usize), is_written))
    }

    /// Of a text record: keywords are searched from here on. What stands before names columns.
    pub(crate) fn start_text_at(&mut self, start: usize) {
        self.text_start = start;
    }

    /// Has the field a value that is neither `null` nor composite?
    #[inline]
    pub(crate) fn has_scalar(&self, field: Field) -> bool {
        self.any(field, |kind| !matches!(kind, Kind::Null | Kind::Composite))
    }

    /// Has the field a value that is an object or an empty array?
    #[inline]
    pub(crate) fn has_composite(&self, field: Field) -> bool {
        self.any(field, |kind| kind == Kind::Composite)
    }

    #[inline]
    fn any(&self, field: Field, is_wanted: impl Fn(Kind) -> bool) -> bool {
        let mut next = self.chains.get(field.index()).map_or(0, |chain| chain.head);
        while let Some(at) = next.checked_sub(1) {
            let cell = &self.cells[at as usize];
            if is_wanted(cell.kind) {
                return true;
            }
            next = cell.next;
        }
        false
    }

    /// Gives `field` the values of another, in place of its own.
    pub(crate) fn stand_in(&mut self, field: Field, other: Field) {
        self.chains[field.index()] = self.chains[other.index()];
        self.touched.push(field.index() as u32);
    }

    /// Gives `field` the values that `theirs` has in `part`, a record that stands at `base` of this one.
    pub(crate) fn adopt(&mut self, field: Field, part: &Record<'_>, theirs: Field, base: usize) {
        let mut next = part.scratch.chains.get(theirs.index()).map_or(0, |chain| chain.head);
        while let Some(at) = next.checked_sub(1) {
            let cell = part.scratch.cells[at as usize];
            next = cell.next;
            let (start, end) = (cell.start as usize, cell.end as usize);
            self.push(field, cell.kind, base + start, base + end);
        }
    }

    /// The record last extracted from `raw`.
    pub(crate) fn record<'a>(&'a self, raw: &'a str, is_text: bool) -> Record<'a> {
        Record { raw, scratch: self, is_text }
    }
}

/// The values of one event's declared fields.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    raw: &'a str,
    scratch: &'a Scratch,
    is_text: bool,
}

impl<'a> Record<'a> {
    /// The event's own bytes: a JSON object or a line of text.
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// Every value of `field`, in the record's order; several where the path crosses an array.
    pub fn values(&self, field: Field) -> Values<'a> {
        let next = self.scratch.chains.get(field.index()).map_or(0, |chain| chain.head);
        Values { record: *self, next }
    }

    /// Every value of `field` as it is held, so that a text may be looked at without being unescaped.
    pub(crate) fn held(&self, field: Field) -> impl Iterator<Item = Held<'a>> {
        let mut values = self.values(field);
        std::iter::from_fn(move || values.next_held())
    }

    /// The fields that the record has, each once.
    pub(crate) fn present(&self) -> impl Iterator<Item = Field> + '_ {
        self.scratch.touched.iter().map(|&index| Field::at(index))
    }

    /// Where the texts of the record, without their quotes, and its numbers stand; `None` for a line of text.
    pub(crate) fn leaves(&self) -> Option<&'a [(u32, u32)]> {
        (!self.is_text).then(|| self.scratch.walk.leaves())
    }

    /// The texts of the record, as written, with escapes that may stand for characters that need none.
    pub(crate) fn odd_texts(&self) -> impl Iterator<Item = &'a str> {
        let odd = if self.is_text { &[] } else { self.scratch.walk.odd() };
        let raw = self.raw;
        odd.iter().map(move |&(start, end)| &raw[start as usize..end as usize])
    }

    /// Does the record have the field at all, even as `null` or an empty array?
    pub fn is_present(&self, field: Field) -> bool {
        self.scratch.chains.get(field.index()).is_some_and(|chain| chain.head != 0)
    }

    /// Has the field a value that says something: not `null`, an empty text, a mere `-`, an empty object or list?
    #[inline]
    pub(crate) fn has_value(&self, field: Field) -> bool {
        let mut next = self.scratch.chains.get(field.index()).map_or(0, |chain| chain.head);
        while let Some(at) = next.checked_sub(1) {
            let cell = &self.scratch.cells[at as usize];
            let written = (cell.end - cell.start) as usize;
            let says = match cell.kind {
                Kind::Null => false,
                Kind::Composite => written > 2,
                Kind::Str => written > 1 || (written == 1 && self.raw.as_bytes()[cell.start as usize] != b'-'),
                _ => written > 0,
            };
            if says {
                return true;
            }
            next = cell.next;
        }
        false
    }

    /// The field's first value that is neither `null` nor composite, as text.
    pub fn first_text(&self, field: Field) -> Option<Cow<'a, str>> {
        self.first_str(field).map(Cow::Borrowed)
    }

    /// The field's first value that is neither `null` nor composite, as text.
    pub fn first_str(&self, field: Field) -> Option<&'a str> {
        self.values(field).find_map(Scalar::scalar_text)
    }

    /// Where the values of `field` stand in the raw record, quotes included.
    pub(crate) fn spans(&self, field: Field) -> impl Iterator<Item = (usize, usize)> + '_ {
        let mut values = self.values(field);
        std::iter::from_fn(move || {
            let cell = self.scratch.cells[values.next.checked_sub(1)? as usize];
            values.next();
            let (start, end) = (cell.start as usize, cell.end as usize);
            Some(match cell.kind {
                Kind::Str | Kind::Said if self.is_text => (start, end),
                Kind::Str | Kind::Escaped | Kind::Said => (start - 1, end + 1),
                _ => (start, end),
            })
        })
    }

    /// Calls `f` with every string and number of the record, for keyword searches: walks the raw record. A text record is one string.
    pub fn for_each_leaf(&self, f: &mut dyn FnMut(&str)) {
        if self.is_text { f(&self.raw[self.scratch.text_start..]) } else { extract::for_each_leaf(self.raw, f) }
    }

    /// As [`Record::for_each_leaf`], with where each stands in the raw record, quotes included.
    pub(crate) fn for_each_placed_leaf(&self, f: &mut dyn FnMut(&str, (usize, usize))) {
        let Some(leaves) = self.leaves() else {
            let start = self.scratch.text_start;
            return f(&self.raw[start..], (start, self.raw.len()));
        };
        let mut unescaped = String::new();
        for &(start, end) in leaves {
            let (start, end) = (start as usize, end as usize);
            let is_text = start > 0 && self.raw.as_bytes()[start - 1] == b'"';
            let written = &self.raw[start..end];
            unescaped.clear();
            if is_text && written.contains('\\') {
                json::unescape(written, &mut unescaped);
            } else {
                unescaped.push_str(written);
            }
            f(&unescaped, if is_text { (start - 1, end + 1) } else { (start, end) });
        }
    }

    /// Is the record a line of text rather than JSON?
    pub fn is_text(&self) -> bool {
        self.is_text
    }
}

/// The values of one field.
#[derive(Clone, Debug)]
pub struct Values<'a> {
    record: Record<'a>,
    next: u32,
}

impl<'a> Iterator for Values<'a> {
    type Item = Scalar<'a>;

    #[inline]
    fn next(&mut self) -> Option<Scalar<'a>> {
        self.next_held().map(Held::scalar)
    }
}

impl<'a> Values<'a> {
    #[inline]
    fn next_held(&mut self) -> Option<Held<'a>> {
        let at = self.next.checked_sub(1)?;
        let cell = self.record.scratch.cells[at as usize];
        self.next = cell.next;
        Some(Held { record: self.record, cell })
    }
}

/// A value as the record holds it.
#[derive(Clone, Copy)]
pub(crate) struct Held<'a> {
    record: Record<'a>,
    cell: Cell,
}

impl<'a> Held<'a> {
    /// How JSON writes a string, without its quotes; `None` for anything else.
    #[inline]
    pub(crate) fn spelling(self) -> Option<&'a str> {
        let is_string = matches!(self.cell.kind, Kind::Str | Kind::Escaped) && !self.record.is_text;
        is_string.then(|| self.written())
    }

    #[inline]
    fn written(self) -> &'a str {
        &self.record.raw[self.cell.start as usize..self.cell.end as usize]
    }

    /// What the value says.
    #[inline]
    pub(crate) fn scalar(self) -> Scalar<'a> {
        match self.cell.kind {
            Kind::Null => Scalar::Null,
            Kind::True => Scalar::Bool(true),
            Kind::False => Scalar::Bool(false),
            Kind::Number => Scalar::Number(self.written()),
            Kind::Str => Scalar::Str(self.written()),
            Kind::Escaped | Kind::Said => Scalar::Str(self.record.scratch.unescaped(self.cell.text, self.written())),
            Kind::Composite => Scalar::Composite(self.written()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::extract;
    use crate::field::FieldsBuilder;
    use crate::limits::Limits;

    #[test]
    fn long_texts_in_ever_other_places_leave_no_memory_behind() {
        let mut builder = FieldsBuilder::new();
        let field = builder.intern("a");
        let fields = builder.build();
        let mut scratch = Scratch::new(&fields);
        for round in 0..400 {
            let text = |at| format!("\n{}", "x".repeat(if at == round { 4 * SPARE_BYTES_MAX } else { 8 }));
            let raw = serde_json::json!({"a": (0..400).map(text).collect::<Vec<_>>()}).to_string();
            let record = extract(&fields, &raw, &mut scratch, &Limits::default()).expect("JSON is a record");
            assert!(record.values(field).zip(0..).all(|(value, at)| value == Scalar::Str(&text(at))));
        }
        scratch.reset(&fields);
        let spare = scratch.spare.get_mut();
        let kept: usize = spare.iter().map(String::capacity).sum();
        assert!(spare.len() <= SPARE_MAX && kept <= SPARE_MAX * SPARE_BYTES_MAX, "{} texts, {kept} bytes", spare.len());
    }
}
