//! Folded text of a record's values: each value is folded at most once an event, whatever number of tests looks at it.

use std::ops::Range;

use super::fold::{fold_char, fold_into};
use crate::field::Field;
use crate::json;
use crate::record::Record;

/// Memory for folded text, reused from event to event.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffers {
    pub(super) folds: Folds,
    pub(super) pair: Pair,
}

/// Two texts to compare with each other.
#[derive(Clone, Debug, Default)]
pub(super) struct Pair {
    one: String,
    other: String,
}

impl Pair {
    /// Both texts, folded.
    pub(super) fn fold(&mut self, one: &str, other: &str) -> (&str, &str) {
        fold_into(one, &mut self.one);
        fold_into(other, &mut self.other);
        (&self.one, &self.other)
    }
}

/// The folded values of one event's fields, in the order of [`Record::values`].
#[derive(Clone, Debug, Default)]
pub(super) struct Folds {
    arena: String,
    places: Vec<Place>,
    fields: Vec<Known>,
    event: u32,
    leaves: Option<Range<usize>>,
    raw: String,
    leaf: String,
}

/// The folded leaves of a record: texts within one text, in its order.
#[derive(Clone, Copy)]
pub(super) struct Leaves<'a> {
    arena: &'a str,
    places: &'a [Place],
}

impl<'a> Leaves<'a> {
    /// The leaves, one after the other.
    pub(super) fn iter(self) -> impl Iterator<Item = &'a str> {
        self.places.iter().map(move |place| &self.arena[place.start as usize..place.end as usize])
    }

    /// The text that holds them all, and more: what is met there counts only where it is [`Leaves::within`] one of them.
    pub(super) fn text(self) -> &'a [u8] {
        let start = self.places.first().map_or(0, |place| place.start as usize);
        let end = self.places.last().map_or(0, |place| place.end as usize);
        &self.arena.as_bytes()[start..end]
    }

    /// Does one leaf hold the whole of this part of [`Leaves::text`]?
    pub(super) fn within(self, start: usize, end: usize) -> bool {
        let base = self.places.first().map_or(0, |place| place.start as usize);
        let (start, end) = ((base + start) as u32, (base + end) as u32);
        let after = self.places.partition_point(|place| place.start <= start);
        after > 0 && end <= self.places[after - 1].end
    }
}

/// Where a folded text stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    start: u32,
    end: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Known {
    event: u32,
    first: u32,
    count: u32,
}

impl Folds {
    /// Forgets the last event.
    pub(super) fn begin(&mut self) {
        self.arena.clear();
        self.places.clear();
        self.leaves = None;
        self.event = self.event.wrapping_add(1);
        if self.event == 0 {
            self.fields.clear();
            self.event = 1;
        }
    }

    /// Which of the folded texts are the values of `field`, in their order.
    #[inline]
    pub(super) fn of(&mut self, field: Field, record: &Record<'_>) -> Range<usize> {
        match self.fields.get(field.index()) {
            Some(known) if known.event == self.event => known.first as usize..(known.first + known.count) as usize,
            _ => self.add(field, record),
        }
    }

    fn add(&mut self, field: Field, record: &Record<'_>) -> Range<usize> {
        let first = self.places.len();
        for value in record.values(field) {
            self.places.push(push_folded(value.text(), &mut self.arena));
        }
        if self.fields.len() <= field.index() {
            self.fields.resize(field.index() + 1, Known::default());
        }
        let count = (self.places.len() - first) as u32;
        self.fields[field.index()] = Known { event: self.event, first: first as u32, count };
        first..self.places.len()
    }

    /// A folded text.
    #[inline]
    pub(super) fn text(&self, at: usize) -> &str {
        let place = self.places[at];
        &self.arena[place.start as usize..place.end as usize]
    }

    /// The text that a JSON string body stands for, folded; kept until the next.
    pub(super) fn unescaped(&mut self, body: &str) -> &str {
        self.raw.clear();
        json::unescape(body, &mut self.raw);
        self.leaf.clear();
        fold_onto(&self.raw, &mut self.leaf);
        &self.leaf
    }

    /// Every string and number of the record, folded.
    pub(super) fn leaves(&mut self, record: &Record<'_>) -> Leaves<'_> {
        let places = match &self.leaves {
            Some(range) => range.clone(),
            None => self.add_leaves(record),
        };
        Leaves { arena: &self.arena, places: &self.places[places] }
    }

    fn add_leaves(&mut self, record: &Record<'_>) -> Range<usize> {
        let first = self.places.len();
        let raw = record.raw();
        match record.leaves() {
            // What is written without escapes stands in the folded record as it is in the record.
            Some(leaves) if raw.is_ascii() => {
                let base = self.arena.len() as u32;
                fold_onto(raw, &mut self.arena);
                let plain = |&(start, end): &(u32, u32)| !raw[start as usize..end as usize].contains('\\');
                let place = |(start, end)| Place { start: base + start, end: base + end };
                self.places.extend(leaves.iter().copied().filter(plain).map(place));
                for (start, end) in leaves.iter().copied().filter(|leaf| !plain(leaf)) {
                    self.raw.clear();
                    json::unescape(&raw[start as usize..end as usize], &mut self.raw);
                    self.places.push(push_folded(&self.raw, &mut self.arena));
                }
            }
            _ => record.for_each_leaf(&mut |leaf| self.places.push(push_folded(leaf, &mut self.arena))),
        }
        let range = first..self.places.len();
        self.leaves = Some(range.clone());
        range
    }
}

fn push_folded(text: &str, arena: &mut String) -> Place {
    let start = arena.len() as u32;
    fold_onto(text, arena);
    Place { start, end: arena.len() as u32 }
}

fn fold_onto(text: &str, arena: &mut String) {
    let start = arena.len();
    if text.is_ascii() {
        arena.push_str(text);
        arena[start..].make_ascii_lowercase();
    } else {
        arena.extend(text.chars().map(fold_char));
    }
}
