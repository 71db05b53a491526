//! What is measured of some events: how many, a sum, or how many different values.

use serde::{Deserialize, Serialize};

use super::super::Values;
use super::key::{Key, KeySet};
use super::number::ONE;

/// Different values that are told apart in one measurement; further ones do not count.
pub const DISTINCT_MAX: usize = 10_000;

/// What is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Measured {
    /// How many events.
    Count,
    /// The sum of the numbers that are not negative, of the field of this name.
    Sum(String),
    /// How many different values, of the fields of this name.
    Distinct(String),
}

impl Measured {
    /// Does an event with these values take part?
    pub(super) fn takes(&self, values: &Values) -> bool {
        match self {
            Measured::Count => true,
            Measured::Sum(_) => values.numbers().iter().any(|number| *number >= 0),
            Measured::Distinct(_) => !values.texts().is_empty(),
        }
    }

    /// Adds an event's values to a measurement.
    pub(super) fn add(&self, tally: &mut Tally, values: &Values, shed: &mut u64) {
        match self {
            Measured::Count => tally.value += ONE,
            Measured::Sum(_) => {
                let more: i128 = values.numbers().iter().filter(|number| **number >= 0).sum();
                tally.value = tally.value.saturating_add(more);
            }
            Measured::Distinct(_) => {
                for text in values.texts() {
                    let key = Key::of(text);
                    if tally.seen.contains(&key) {
                        continue;
                    }
                    if tally.seen.len() >= DISTINCT_MAX {
                        *shed += 1;
                    } else {
                        tally.seen.insert(key);
                        tally.value += ONE;
                    }
                }
            }
        }
    }

    /// In words.
    pub(super) fn words(&self) -> String {
        match self {
            Measured::Count => "events".to_owned(),
            Measured::Sum(field) => format!("sum of {field}"),
            Measured::Distinct(fields) => format!("different values of {fields}"),
        }
    }
}

/// A measurement that goes on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Tally {
    /// So far, millionths.
    pub value: i128,
    seen: KeySet,
}

impl Tally {
    /// Bytes on the heap, roughly.
    pub fn heap_bytes(&self) -> usize {
        self.seen.capacity() * (size_of::<Key>() + 2)
    }
}
