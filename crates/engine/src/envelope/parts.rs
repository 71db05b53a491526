//! Records that hold several: each element of a list in them becomes a record that is told what stands around it.
//!
//! In: a record that its source says holds others ([`Within`]). Out: one text of JSON for each element. Bounds: [`PARTS_MAX`] elements,
//! [`CONTEXT_BYTES`] for each thing that an element is told, and [`Limits::record_bytes`] for an element; texts that others stand for are
//! put in while all of them together are no longer than [`GROWTH`] records. Whatever is left out for that is said or stays as it is written.

use std::collections::HashMap;

use model::Reject;

use super::Leaf;
use crate::extract::extract;
use crate::field::{Field, Fields, FieldsBuilder};
use crate::json::members::{members, text_end};
use crate::limits::Limits;
use crate::record::{Record, Scalar, Scratch};
use crate::source::plan::Test;
use crate::source::{References, Source, Within};

/// Elements of one record.
const PARTS_MAX: usize = 100_000;
/// The longest value that an element is told, as written.
const CONTEXT_BYTES: usize = 256;
/// How many times the limit of a record all texts that are put in may take.
const GROWTH: usize = 4;

/// The records of all sources that hold several.
#[derive(Debug, Default)]
pub(super) struct Wholes(Vec<Whole>);

/// A [`Within`], ready to be used.
#[derive(Debug)]
struct Whole {
    /// Whose records its elements are, by its place among the sources.
    source: usize,
    test: Test,
    /// What is read of the whole, and then of an element of each list but the last.
    levels: Vec<Level>,
    /// Keys that an element does not bring itself: those that its record does without, and those that it is told, whether or not there is
    /// something to tell.
    withheld: Vec<String>,
    prefix: Option<String>,
    instead: bool,
}

#[derive(Debug)]
struct Level {
    /// How its record is read; the whole is read by whoever asks.
    fields: Fields,
    list: Field,
    with: Vec<(String, Field)>,
    texts: Option<Field>,
}

impl Wholes {
    /// Those of `sources`; what is read of a whole goes to `fields`.
    pub(super) fn of(sources: &[Source], fields: &mut FieldsBuilder) -> Wholes {
        let all =
            sources.iter().enumerate().flat_map(|(at, source)| source.within.iter().map(move |within| (at, within)));
        Wholes(all.map(|(at, within)| Whole::new(at, within, fields)).collect())
    }

    /// Opens `record` if it holds several, which is `false` where it stands for itself as well.
    pub(super) fn open(
        &self,
        record: &Record<'_>,
        limits: &Limits,
        deeper: &mut [Scratch],
        leaf: &mut dyn FnMut(Leaf<'_>),
    ) -> bool {
        let mut instead = false;
        let mut left = Left { parts: PARTS_MAX, bytes: limits.record_bytes.saturating_mul(GROWTH) };
        for whole in self.0.iter().filter(|whole| whole.test.holds(record)) {
            let mut around = Around { whole, limits, with: Vec::new(), texts: HashMap::new(), left: &mut left };
            around.level(&whole.levels, record, deeper, leaf);
            instead |= whole.instead;
        }
        instead
    }
}

impl Whole {
    fn new(source: usize, within: &Within, fields: &mut FieldsBuilder) -> Whole {
        let test = Test::new(&within.of, fields);
        let mut levels = Vec::new();
        for at in 0..within.at.len() {
            let mut own = FieldsBuilder::new();
            let builder = if at == 0 { &mut *fields } else { &mut own };
            let list = builder.intern(&within.at[at]);
            let with = within
                .with
                .iter()
                .filter_map(|(key, path)| Some((key.clone(), builder.intern(place(path, at, &within.at)?))))
                .collect();
            let texts = within
                .references
                .as_ref()
                .and_then(|references: &References| Some(builder.intern(place(&references.from, at, &within.at)?)));
            levels.push(Level { list, with, texts, fields: own.build() });
        }
        let prefix = within.references.as_ref().map(|references| format!("\"{}", references.prefix));
        let withheld = within.without.iter().chain(within.with.keys()).cloned().collect();
        Whole { source, test, levels, withheld, prefix, instead: within.instead }
    }
}

/// What is read of a path at this level: the rest of it, if the innermost element around it that has a level is this one.
fn place<'p>(path: &'p str, level: usize, at: &[String]) -> Option<&'p str> {
    let below = |level: usize| {
        at[..level].iter().try_fold(path, |rest, key| rest.strip_prefix(key.as_str())?.strip_prefix('.'))
    };
    below(level).filter(|_| level + 1 == at.len() || below(level + 1).is_none())
}

/// What may still be made of a record.
struct Left {
    parts: usize,
    bytes: usize,
}

/// What stands around an element.
struct Around<'w, 'l> {
    whole: &'w Whole,
    limits: &'w Limits,
    /// What it is told: keys, and values as written.
    with: Vec<(&'w str, String)>,
    /// Texts by name, both as written; values with their quotes.
    texts: HashMap<String, String>,
    left: &'l mut Left,
}

impl<'w> Around<'w, '_> {
    /// Goes through the list of one level.
    fn level(
        &mut self,
        levels: &'w [Level],
        record: &Record<'_>,
        deeper: &mut [Scratch],
        leaf: &mut dyn FnMut(Leaf<'_>),
    ) {
        let Some((level, inner)) = levels.split_first() else { return };
        let told = self.with.len();
        for (key, field) in &level.with {
            let value = record.values(*field).next().filter(|value| !matches!(value, Scalar::Composite(_)));
            let written = value.and_then(|_| record.spans(*field).next()).map(|(start, end)| &record.raw()[start..end]);
            self.with.extend(
                written
                    .filter(|written| written.len() <= CONTEXT_BYTES)
                    .map(|written| (key.as_str(), written.to_owned())),
            );
        }
        if let Some(field) = level.texts {
            // Those of an element are for what is in it, and for nothing beside it.
            self.texts = match record.values(field).next() {
                Some(Scalar::Composite(texts)) => {
                    members(texts).map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
                }
                _ => HashMap::new(),
            };
        }
        for element in record.values(level.list) {
            match element {
                Scalar::Composite("[]") => {}
                Scalar::Composite(text) if text.starts_with('{') => self.element(inner, text, deeper, leaf),
                other => leaf(Leaf::Broken(other.text(), Reject::UnknownSource)),
            }
        }
        self.with.truncate(told);
    }

    fn element(&mut self, inner: &'w [Level], text: &str, deeper: &mut [Scratch], leaf: &mut dyn FnMut(Leaf<'_>)) {
        if let Some(level) = inner.first() {
            let Some((scratch, deeper)) = deeper.split_first_mut() else {
                return leaf(Leaf::Broken(text, Reject::TooDeep));
            };
            return match extract(&level.fields, text, scratch, self.limits) {
                Ok(record) => self.level(inner, &record, deeper, leaf),
                Err(reason) => leaf(Leaf::Broken(text, reason)),
            };
        }
        if self.left.parts == 0 {
            return leaf(Leaf::Broken(text, Reject::TooLarge));
        }
        self.left.parts -= 1;
        leaf(Leaf::Part(&self.part(text), self.whole.source));
    }

    /// The record of one element.
    fn part(&mut self, element: &str) -> String {
        let mut out = String::with_capacity(element.len() + 256);
        out.push('{');
        let is_own = |key: &str| {
            let mut says = String::new();
            crate::json::unescape(key, &mut says);
            !self.whole.withheld.contains(&says)
        };
        for (key, value) in &self.with {
            push(&mut out, key, value);
        }
        for (key, value) in members(element).filter(|(key, _)| is_own(key)) {
            push(&mut out, key, value);
        }
        out.push('}');
        match &self.whole.prefix {
            Some(prefix) => self.followed(out, prefix),
            None => out,
        }
    }

    /// The record with texts in place of those that stand for them.
    fn followed(&mut self, part: String, prefix: &str) -> String {
        let (mut out, mut copied) = (String::new(), 0);
        for start in memchr::memmem::find_iter(part.as_bytes(), prefix.as_bytes()) {
            let end = text_end(part.as_bytes(), start + 1);
            let Some(text) = part.get(start + prefix.len()..end).and_then(|name| self.texts.get(name)) else {
                continue;
            };
            let is_room =
                part.len() + out.len() + text.len() <= self.limits.record_bytes && text.len() <= self.left.bytes;
            if start < copied || !is_room {
                continue;
            }
            self.left.bytes -= text.len();
            out.push_str(&part[copied..start]);
            out.push_str(text);
            copied = end + 1;
        }
        if copied == 0 { part } else { out + &part[copied..] }
    }
}

fn push(out: &mut String, key: &str, value: &str) {
    if out.len() > 1 {
        out.push(',');
    }
    out.extend(["\"", key, "\":", value]);
}
