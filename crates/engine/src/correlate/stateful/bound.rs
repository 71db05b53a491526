//! Comparisons with a bound.

use std::cmp::Ordering;

use super::number::{millionths, shown, words};
use crate::sigma::{self, Comparison};

/// A comparison with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// How.
    pub comparison: Comparison,
    /// With what, millionths.
    pub value: i128,
}

impl Bound {
    /// A bound of a rule.
    pub fn of(bound: &sigma::Bound) -> Bound {
        Bound { comparison: bound.comparison, value: millionths(bound.value) }
    }
}

impl Comparison {
    /// Does it hold of something that stands so to the bound?
    pub(super) fn holds(self, stands: Ordering) -> bool {
        match self {
            Comparison::Gt => stands.is_gt(),
            Comparison::Gte => stands.is_ge(),
            Comparison::Lt => stands.is_lt(),
            Comparison::Lte => stands.is_le(),
            Comparison::Eq => stands.is_eq(),
            Comparison::Neq => stands.is_ne(),
        }
    }
}

/// Bounds in words.
pub(super) fn bound_words(bounds: &[Bound]) -> String {
    let each = |bound: &Bound| {
        let how = match bound.comparison {
            Comparison::Gt => "more than",
            Comparison::Gte => "at least",
            Comparison::Lt => "less than",
            Comparison::Lte => "at most",
            Comparison::Eq => "exactly",
            Comparison::Neq => "anything but",
        };
        format!("{how} {}", words(shown(bound.value)))
    };
    bounds.iter().map(each).collect::<Vec<_>>().join(" and ")
}
