//! How many different values a sliding window has.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Values that one group keeps.
pub(super) const VALUES_MAX: usize = 1 << 20;
/// Up to so many values are looked through one by one.
const FEW: usize = 24;

/// What stands for a text: the first 64 bits of its SHA-256 digest.
///
/// Of a million different texts, two agree with a chance of 1 in 37 million, and a count is then too small by one. Whoever chooses the texts can
/// find pairs that agree with some 2^32 digests of work, and so hide every second value, but not more: many texts of one digest are out
/// of reach.
pub(super) fn digest(text: &str) -> u64 {
    let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    let [a, b, c, d, e, f, g, h, ..] = digest;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// Values with the last time of each, the least recent first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<(i64, u64)>", into = "Vec<(i64, u64)>")]
pub(super) struct Distinct {
    /// Sightings in order of time. Where there is an index, those that are not the last of their value are passed over.
    sightings: VecDeque<(i64, u64)>,
    /// The last time of each value, once there are more than a few.
    index: Option<Box<FxHashMap<u64, i64>>>,
}

impl Distinct {
    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.index.as_ref().map_or(self.sightings.len(), |index| index.len())
    }

    /// Is the value there?
    pub(super) fn has(&self, value: u64) -> bool {
        match &self.index {
            Some(index) => index.contains_key(&value),
            None => self.sightings.iter().any(|(_, known)| *known == value),
        }
    }

    /// The value was seen at a time that is no earlier than any other.
    pub(super) fn see(&mut self, at: i64, value: u64) {
        if let Some(index) = &mut self.index {
            if index.insert(value, at) == Some(at) {
                return;
            }
            self.sightings.push_back((at, value));
            if self.sightings.len() > 2 * index.len() + FEW {
                self.sightings.retain(|(time, value)| index.get(value) == Some(time));
            }
            return;
        }
        if let Some(place) = self.sightings.iter().rposition(|(_, known)| *known == value) {
            self.sightings.remove(place);
        } else if self.sightings.is_empty() {
            self.sightings.reserve_exact(1);
        }
        self.sightings.push_back((at, value));
        if self.sightings.len() > FEW {
            self.index = Some(Box::new(self.sightings.iter().map(|(time, value)| (*value, *time)).collect()));
        }
    }

    fn forget_first(&mut self) {
        let Some((time, value)) = self.sightings.pop_front() else { return };
        if let Some(index) = &mut self.index
            && index.get(&value) == Some(&time)
        {
            index.remove(&value);
        }
    }

    /// Forgets what was last seen before `from`, microseconds.
    pub(super) fn forget_before(&mut self, from: i64) {
        while self.sightings.front().is_some_and(|(time, _)| *time < from) {
            self.forget_first();
        }
        if self.sightings.is_empty() {
            self.index = None;
        }
    }

    /// Keeps the `most` values that were seen last; says how many were let go of.
    pub(super) fn keep(&mut self, most: usize) -> u64 {
        let before = self.len();
        while self.len() > most {
            self.forget_first();
        }
        (before - self.len()) as u64
    }

    /// Bytes on the heap, roughly.
    pub(super) fn heap_bytes(&self) -> usize {
        let index = self.index.as_ref().map_or(0, |index| index.capacity() * 17);
        self.sightings.capacity() * size_of::<(i64, u64)>() + index
    }
}

impl From<Vec<(i64, u64)>> for Distinct {
    fn from(all: Vec<(i64, u64)>) -> Distinct {
        let index = (all.len() > FEW).then(|| Box::new(all.iter().map(|(time, value)| (*value, *time)).collect()));
        Distinct { sightings: all.into(), index }
    }
}

impl From<Distinct> for Vec<(i64, u64)> {
    fn from(distinct: Distinct) -> Vec<(i64, u64)> {
        let Distinct { sightings, index } = distinct;
        let is_last = |(time, value): &(i64, u64)| index.as_ref().is_none_or(|index| index.get(value) == Some(time));
        sightings.into_iter().filter(is_last).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_holds_each_value_until_it_was_last_seen_too_long_ago(
            seen in proptest::collection::vec((0..3_i64, 0..90_u64, any::<bool>()), 1..600),
            span in 5..200_i64,
            most in 1..120_usize,
        ) {
            let (mut distinct, mut plain, mut now) = (Distinct::default(), BTreeMap::new(), 0);
            for (later, value, is_written) in seen {
                now += later;
                distinct.forget_before(now - span);
                plain.retain(|_, last| *last >= now - span);
                distinct.see(now, value);
                plain.insert(value, now);
                prop_assert_eq!(distinct.len(), plain.len());
                prop_assert!(distinct.has(value) && !distinct.has(1000));
                prop_assert!(distinct.sightings.len() <= 3 * distinct.len() + 2 * FEW, "memory follows the values");
                if is_written {
                    let bytes = postcard::to_allocvec(&distinct).expect("it can be written");
                    distinct = postcard::from_bytes(&bytes).expect("and read");
                }
            }
            let before = distinct.len();
            prop_assert_eq!(distinct.keep(most) as usize, before.saturating_sub(most));
            let mut last: Vec<i64> = plain.values().copied().collect();
            last.sort_unstable();
            let kept: Vec<(i64, u64)> = distinct.into();
            let times: Vec<i64> = kept.iter().map(|(time, _)| *time).collect();
            prop_assert_eq!(&times[..], &last[before.saturating_sub(most)..]);
        }
    }

    #[test]
    fn equal_texts_and_no_others_have_one_digest() {
        assert_eq!(digest("a"), digest("a"));
        assert_ne!(digest("a"), digest("A"));
        assert_ne!(digest(""), digest("\0"));
    }
}
