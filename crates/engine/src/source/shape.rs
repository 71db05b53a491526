//! Shape: one record of a source, put into the shape that rules expect.
//!
//! In: the values found in one pass. Out: the same, with lists of name/value pairs read as fields, and with the names that rules use
//! where the record has others. Nothing is copied: a field that has no value takes over the chain of another.
//! Bound: one look at each declared name; pairs are read only in a record that has them.

use std::collections::BTreeMap;

use model::Reject;

use super::Pairs;
use crate::extract::extract;
use crate::field::{Field, Fields, FieldsBuilder};
use crate::limits::Limits;
use crate::record::{Record, Scalar, Scratch};

/// Names that rules use, and where a record that lacks them has their value.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Names(Vec<(Field, Vec<Field>)>);

impl Names {
    pub(crate) fn compile(names: &BTreeMap<String, Vec<String>>, fields: &mut FieldsBuilder) -> Names {
        let all =
            |paths: &Vec<String>, fields: &mut FieldsBuilder| paths.iter().map(|path| fields.intern(path)).collect();
        Names(names.iter().map(|(name, paths)| (fields.intern(name), all(paths, fields))).collect())
    }

    /// Adds the names of another entry.
    pub(crate) fn add(&mut self, other: &Names) {
        other
            .0
            .iter()
            .filter(|name| !self.0.contains(name))
            .cloned()
            .collect::<Vec<_>>()
            .into_iter()
            .for_each(|name| self.0.push(name));
    }

    /// Gives each name that the record does not have the values of the first path that it has.
    #[inline]
    pub(crate) fn apply(&self, scratch: &mut Scratch) {
        for (name, paths) in &self.0 {
            if !scratch.has_scalar(*name)
                && let Some(path) = paths.iter().find(|path| scratch.has_scalar(**path))
            {
                scratch.stand_in(*name, *path);
            }
        }
    }
}

/// Lists of pairs, with their fields numbered.
#[derive(Debug)]
pub(crate) struct PairReader {
    list: Field,
    /// Fields of one pair.
    parts: Fields,
    names: Vec<Field>,
    values: Vec<Field>,
    /// What stands before their names.
    prefix: String,
}

impl PairReader {
    pub(crate) fn compile(pairs: &Pairs, fields: &mut FieldsBuilder) -> PairReader {
        let mut parts = FieldsBuilder::new();
        let mut all = |paths: &[String]| paths.iter().map(|path| parts.intern(path)).collect();
        let (names, values) = (all(&pairs.name), all(&pairs.value));
        let prefix = pairs.under.iter().map(|key| format!("{key}.")).collect();
        PairReader { list: fields.intern(&pairs.list), parts: parts.build(), names, values, prefix }
    }

    /// Reads the pairs of the record, if it has some, as fields of their names without spaces.
    #[inline]
    pub(crate) fn apply(
        &self,
        text: &str,
        fields: &Fields,
        limits: &Limits,
        scratch: &mut Scratch,
        part: &mut Scratch,
    ) {
        if scratch.has_composite(self.list) {
            self.read(text, fields, limits, scratch, part);
        }
    }

    #[cold]
    fn read(&self, text: &str, fields: &Fields, limits: &Limits, scratch: &mut Scratch, part: &mut Scratch) {
        let record = scratch.record(text, false);
        let values = record.spans(self.list).zip(record.values(self.list));
        let pairs = values.filter(|(_, value)| matches!(value, Scalar::Composite(text) if text.starts_with('{')));
        let pairs: Vec<(usize, usize)> = pairs.map(|(span, _)| span).collect();
        for (start, end) in pairs {
            let pair: Result<Record<'_>, Reject> = extract(&self.parts, &text[start..end], part, limits);
            // What is no pair stays what it is.
            let Ok(pair) = pair else { continue };
            let Some(name) = self.names.iter().find_map(|name| pair.first_str(*name)) else { continue };
            let Some(field) = fields.get(&format!("{}{}", self.prefix, name.replace(' ', ""))) else { continue };
            if let Some(value) = self.values.iter().find(|value| pair.is_present(**value)) {
                scratch.adopt(field, &pair, *value, start);
            }
        }
    }
}
