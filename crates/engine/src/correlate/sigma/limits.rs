//! Bounds of a condition, in whole millionths.

use crate::sigma::{Bound, Comparison, CorrelationKind};

/// Numbers are counted in millionths.
pub(super) const ONE: i128 = 1_000_000;

/// The number of millionths nearest to `number`, half away from zero.
pub(super) fn millionths(number: f64) -> i128 {
    (number * 1e6).round() as i128
}

/// A number of millionths as people read it.
pub(super) fn readable(number: i128, of: i128) -> f64 {
    number as f64 / 1e6 / of as f64
}

/// The bounds that a number has to keep, all of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Limits(Vec<(Comparison, i128, f64)>);

impl Limits {
    pub(super) fn of(bounds: &[Bound]) -> Limits {
        Limits(bounds.iter().map(|bound| (bound.comparison, millionths(bound.value), bound.value)).collect())
    }

    /// Those that further events cannot undo; `None` where there is none.
    pub(super) fn rising(&self, kind: CorrelationKind) -> Option<Limits> {
        let rising: Vec<_> = self.0.iter().copied().filter(|(comparison, ..)| kind.rises_with(*comparison)).collect();
        (!rising.is_empty()).then_some(Limits(rising))
    }

    /// Does `number / of` keep them all?
    pub(super) fn keep(&self, number: i128, of: i128) -> bool {
        self.0.iter().all(|(comparison, wanted, _)| {
            let wanted = wanted.saturating_mul(of);
            match comparison {
                Comparison::Gt => number > wanted,
                Comparison::Gte => number >= wanted,
                Comparison::Lt => number < wanted,
                Comparison::Lte => number <= wanted,
                Comparison::Eq => number == wanted,
                Comparison::Neq => number != wanted,
            }
        })
    }

    /// The least number that keeps the bounds from below.
    pub(super) fn least(&self) -> i128 {
        let least = self.0.iter().filter_map(|(comparison, wanted, _)| match comparison {
            Comparison::Gt => Some(wanted.saturating_add(1)),
            Comparison::Gte | Comparison::Eq => Some(*wanted),
            _ => None,
        });
        least.max().unwrap_or(i128::MIN)
    }

    /// The greatest number that keeps the bounds from above.
    pub(super) fn most(&self) -> i128 {
        let most = self.0.iter().filter_map(|(comparison, wanted, _)| match comparison {
            Comparison::Lt => Some(wanted.saturating_sub(1)),
            Comparison::Lte | Comparison::Eq => Some(*wanted),
            _ => None,
        });
        most.min().unwrap_or(i128::MAX)
    }

    /// [`Limits::least`] of a count: at least one.
    pub(super) fn least_count(&self) -> usize {
        let least = self.least();
        let whole = least.div_euclid(ONE) + i128::from(least.rem_euclid(ONE) > 0);
        usize::try_from(whole.max(1)).unwrap_or(usize::MAX)
    }

    /// [`Limits::most`] of a count, where there is one.
    pub(super) fn most_count(&self) -> Option<usize> {
        let most = self.most();
        (most < i128::MAX).then(|| usize::try_from(most.div_euclid(ONE).max(0)).unwrap_or(usize::MAX))
    }

    /// Are there bounds from below, and none from above?
    pub(super) fn is_from_below(&self) -> bool {
        self.least() > i128::MIN && self.most() == i128::MAX
    }

    /// The bounds in words, such as `at least 10 and less than 20`.
    pub(super) fn words(&self) -> String {
        let each = |(comparison, _, value): &(Comparison, i128, f64)| {
            let word = match comparison {
                Comparison::Gt => "more than",
                Comparison::Gte => "at least",
                Comparison::Lt => "less than",
                Comparison::Lte => "at most",
                Comparison::Eq => "exactly",
                Comparison::Neq => "other than",
            };
            format!("{word} {value}")
        };
        self.0.iter().map(each).collect::<Vec<_>>().join(" and ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(bounds: &[(Comparison, f64)]) -> Limits {
        Limits::of(
            &bounds
                .iter()
                .map(|(comparison, value)| Bound { comparison: *comparison, value: *value })
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn bounds_become_whole_counts() {
        let both = limits(&[(Comparison::Gt, 3.0), (Comparison::Gte, 2.0), (Comparison::Lt, 9.0)]);
        assert_eq!((both.least_count(), both.most_count()), (4, Some(8)));
        assert_eq!(both.words(), "more than 3 and at least 2 and less than 9");
        let none = limits(&[(Comparison::Neq, 3.0)]);
        assert_eq!((none.least_count(), none.most_count()), (1, None));
        assert!(none.keep(4 * ONE, 1) && !none.keep(3 * ONE, 1));
    }

    #[test]
    fn bounds_beyond_every_number_are_never_reached() {
        let far = limits(&[(Comparison::Gt, 1e300)]);
        assert!(!far.keep(i128::from(i64::MAX), 2));
        assert_eq!(far.least_count(), usize::MAX);
    }
}
