//! How late records came: counts by bucket of a logarithmic scale.
//!
//! In: spans of time. Out: quantiles, never less than the true one and at most an eighth more. Bound: [`BUCKETS`] counts. Adding is
//! the same in any order.

use serde::{Deserialize, Serialize};

/// Buckets of one doubling, as bits.
const BITS: u32 = 3;
const PARTS: u64 = 1 << BITS;
/// The longest span that is told apart, milliseconds: 34 years.
const LONGEST_MS: u64 = (1 << 40) - 1;
/// How many buckets there are.
pub const BUCKETS: u16 = bucket_of(LONGEST_MS) + 1;

/// Counts of spans by bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(u16, u64)>", into = "Vec<(u16, u64)>")]
pub struct Lags(Vec<(u16, u64)>);

const fn bucket_of(millis: u64) -> u16 {
    if millis < PARTS {
        return millis as u16;
    }
    let doubling = u64::BITS - 1 - millis.leading_zeros();
    ((doubling - BITS + 1) as u64 * PARTS + ((millis >> (doubling - BITS)) & (PARTS - 1))) as u16
}

/// The longest span of a bucket, milliseconds.
fn longest(bucket: u16) -> u64 {
    let (doublings, part) = (u64::from(bucket) / PARTS, u64::from(bucket) % PARTS);
    if doublings == 0 {
        return part;
    }
    ((PARTS + part + 1) << (doublings - 1)) - 1
}

impl From<Vec<(u16, u64)>> for Lags {
    fn from(counts: Vec<(u16, u64)>) -> Lags {
        let mut lags = Lags::default();
        counts.into_iter().for_each(|(bucket, n)| lags.put(bucket.min(BUCKETS - 1), n));
        lags
    }
}

impl From<Lags> for Vec<(u16, u64)> {
    fn from(lags: Lags) -> Vec<(u16, u64)> {
        lags.0
    }
}

impl Lags {
    /// Counts a span of `millis`; a negative one counts as none.
    #[inline]
    pub fn add(&mut self, millis: i64) {
        self.put(bucket_of(millis.unsigned_abs().min(LONGEST_MS) * u64::from(millis > 0)), 1);
    }

    #[inline]
    fn put(&mut self, bucket: u16, n: u64) {
        match self.0.binary_search_by_key(&bucket, |(bucket, _)| *bucket) {
            Ok(at) => self.0[at].1 = self.0[at].1.saturating_add(n),
            Err(at) => self.0.insert(at, (bucket, n)),
        }
    }

    /// Adds all that `other` counted.
    pub fn merge(&mut self, other: &Lags) {
        other.0.iter().for_each(|(bucket, n)| self.put(*bucket, *n));
    }

    /// How many spans were counted.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|(_, n)| n).sum()
    }

    /// The span that a share of them, in thousandths, does not exceed, milliseconds; `None` where nothing was counted.
    pub fn quantile_ms(&self, thousandths: u64) -> Option<i64> {
        let rank = (u128::from(self.count()) * u128::from(thousandths)).div_ceil(1000).max(1);
        let mut seen = 0;
        let reaches = |(_, n): &&(u16, u64)| {
            seen += u128::from(*n);
            seen >= rank
        };
        let (bucket, _) = self.0.iter().find(reaches)?;
        i64::try_from(longest(*bucket)).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn buckets_follow_each_other_without_a_gap() {
        for bucket in 1..BUCKETS {
            assert_eq!(bucket_of(longest(bucket - 1) + 1), bucket, "behind {bucket}");
            assert_eq!(bucket_of(longest(bucket)), bucket);
        }
        assert_eq!(BUCKETS, 304);
    }

    #[test]
    fn nothing_counted_has_no_quantile() {
        assert_eq!(Lags::default().quantile_ms(500), None);
    }

    #[test]
    fn an_event_from_the_future_is_not_late() {
        let mut lags = Lags::default();
        lags.add(-86_400_000);
        assert_eq!(lags.quantile_ms(950), Some(0));
    }

    proptest! {
        #[test]
        fn a_quantile_is_at_most_an_eighth_above_the_true_one(
            spans in prop::collection::vec(0_i64..100_000_000_000, 1..200),
            thousandths in 1_u64..=1000,
        ) {
            let mut lags = Lags::default();
            spans.iter().for_each(|millis| lags.add(*millis));
            let mut sorted = spans.clone();
            sorted.sort_unstable();
            let rank = (spans.len() as u64 * thousandths).div_ceil(1000).max(1) as usize;
            let exact = sorted[rank - 1];
            let told = lags.quantile_ms(thousandths).unwrap();
            prop_assert!(told >= exact && told <= exact + exact / 8, "{told} for {exact}");
        }

        #[test]
        fn parts_make_the_same_whole_in_any_order(spans in prop::collection::vec(0_i64..10_000_000, 0..100), cut in 0_usize..100) {
            let of = |spans: &[i64]| {
                let mut lags = Lags::default();
                spans.iter().for_each(|millis| lags.add(*millis));
                lags
            };
            let (first, last) = spans.split_at(cut.min(spans.len()));
            let mut joined = of(last);
            joined.merge(&of(first));
            prop_assert_eq!(&joined, &of(&spans));
            let text = serde_json::to_string(&joined).unwrap();
            prop_assert_eq!(serde_json::from_str::<Lags>(&text).unwrap(), joined);
        }
    }
}
