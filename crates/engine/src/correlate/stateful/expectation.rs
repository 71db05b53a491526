//! What is to be expected, from numbers of the past or of peers. Exact: whole millionths, ranks, and fractions.

use serde::{Deserialize, Serialize};

use super::number::{ONE, shown, words};

/// How numbers make an expectation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// So many median absolute deviations from the median, millionths.
    Mad(i128),
    /// A quantile, 0 to 1, times a factor, both millionths.
    Quantile {
        /// Which.
        quantile: i128,
        /// How many times.
        factor: i128,
    },
}

/// On which side of the expectation a value is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// More than is to be expected.
    Above,
    /// Less than is to be expected.
    Below,
}

/// From where on a value is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Limit {
    /// The middle of what is expected, millionths.
    pub middle: i128,
    /// The bound, in millionths of a tenth of a millionth: `value * SCALE` is compared with it.
    bound: i128,
}

/// Tenths of millionths.
const SCALE: i128 = 10 * ONE;

impl Expectation {
    /// The limit that numbers make; there is at least one number. `least` is the least spread that is taken for real, millionths.
    pub(super) fn limit(&self, numbers: &mut [i128], least: i128, beyond: Beyond) -> Limit {
        match *self {
            Expectation::Mad(factor) => {
                let middle = nearest_rank(numbers, ONE / 2);
                let mut apart: Vec<i128> = numbers.iter().map(|number| (number - middle).abs()).collect();
                let mad = nearest_rank(&mut apart, ONE / 2);
                let spread = (10 * mad).max(middle).max(10 * least);
                let away = spread.saturating_mul(factor);
                let from = middle.saturating_mul(SCALE);
                let bound = if beyond == Beyond::Above { from.saturating_add(away) } else { from.saturating_sub(away) };
                Limit { middle, bound }
            }
            Expectation::Quantile { quantile, factor } => {
                let middle = nearest_rank(numbers, quantile);
                Limit { middle, bound: middle.saturating_mul(factor).saturating_mul(10) }
            }
        }
    }
}

impl Limit {
    /// Does a value of so many millionths lie beyond it?
    pub fn is_beyond(&self, value: i128, beyond: Beyond) -> bool {
        let value = value.saturating_mul(SCALE);
        if beyond == Beyond::Above { value > self.bound } else { value < self.bound }
    }

    /// In words.
    pub fn words(&self, beyond: Beyond) -> String {
        let bound = words(shown(self.bound) / SCALE as f64);
        if beyond == Beyond::Above { format!("more than {bound}") } else { format!("less than {bound}") }
    }
}

/// What counts of the past let expect: their middle, and the bound so many median absolute deviations below it. `None` without a past.
pub fn counts_below(past: &[u64], deviations: u32) -> Option<(f64, f64)> {
    let mut numbers: Vec<i128> = past.iter().map(|count| i128::from(*count) * ONE).collect();
    if numbers.is_empty() {
        return None;
    }
    let limit = Expectation::Mad(i128::from(deviations) * ONE).limit(&mut numbers, ONE, Beyond::Below);
    Some((shown(limit.middle), (shown(limit.bound) / SCALE as f64).max(0.0)))
}

/// The least of the numbers that at least this share of them, in millionths, does not exceed. Reorders them.
fn nearest_rank(numbers: &mut [i128], share: i128) -> i128 {
    let rank = (share * numbers.len() as i128 + ONE - 1) / ONE;
    let at = usize::try_from(rank.max(1) - 1).expect("a rank is a place among the numbers").min(numbers.len() - 1);
    *numbers.select_nth_unstable(at).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_an_even_count_is_the_lower_and_outliers_move_nothing() {
        let mut numbers = [10, 9, 11, 1000].map(|number| number * ONE);
        let limit = Expectation::Mad(3 * ONE).limit(&mut numbers, ONE, Beyond::Above);
        assert_eq!(limit.middle, 10 * ONE);
        assert_eq!(limit.words(Beyond::Above), "more than 13");
        assert!(!limit.is_beyond(13 * ONE, Beyond::Above) && limit.is_beyond(13 * ONE + 1, Beyond::Above));
    }

    #[test]
    fn a_steady_past_still_allows_a_tenth() {
        let mut numbers = [100 * ONE; 5];
        let limit = Expectation::Mad(3 * ONE).limit(&mut numbers, ONE, Beyond::Below);
        assert_eq!(limit.words(Beyond::Below), "less than 70");
    }

    #[test]
    fn a_quantile_is_a_number_that_occurred() {
        let mut numbers: Vec<i128> = (1..=100).map(|number| number * ONE).collect();
        let limit = Expectation::Quantile { quantile: 990_000, factor: 3 * ONE }.limit(&mut numbers, 0, Beyond::Above);
        assert_eq!((limit.middle, limit.words(Beyond::Above)), (99 * ONE, "more than 297".to_owned()));
    }
}
