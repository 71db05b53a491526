//! Buckets of time and a group's past in them.

use std::collections::VecDeque;

use model::Time;
use serde::{Deserialize, Serialize};

/// Milliseconds of an hour.
const HOUR_MS: i64 = 3_600_000;
/// The season's length that stands for none.
const NO_SEASON: i64 = 1;

/// How time is cut, and which buckets of the past are like a present one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// The length of a bucket, milliseconds; buckets begin at whole multiples of it since 1970, UTC.
    pub span_ms: i64,
    /// Hours after which a season comes again: 1 for no season, 24 for hours of the day, 168 for hours of the week.
    pub season_hours: i64,
    /// At most so many buckets of each season are looked at, the latest.
    pub history: usize,
}

impl Calendar {
    /// The bucket of a time.
    pub(super) fn bucket(&self, at: Time) -> i64 {
        at.micros() / (self.span_ms * 1000)
    }

    /// Where a bucket starts.
    pub(super) fn start(&self, bucket: i64) -> Time {
        Time::from_micros(bucket.saturating_mul(self.span_ms * 1000))
    }

    /// The last moment of a bucket.
    pub(super) fn end(&self, bucket: i64) -> Time {
        Time::from_micros(bucket.saturating_add(1).saturating_mul(self.span_ms * 1000) - 1)
    }

    /// How many buckets the past goes back.
    pub(super) fn reach(&self) -> i64 {
        let history = i64::try_from(self.history).unwrap_or(i64::MAX);
        if self.season_hours == NO_SEASON {
            return history;
        }
        let period_ms = self.season_hours * HOUR_MS;
        history.saturating_mul((period_ms + self.span_ms - 1) / self.span_ms)
    }

    /// The earlier buckets that are like `bucket`, the latest first, none before `first` or beyond reach.
    pub(super) fn alike(&self, bucket: i64, first: i64) -> Vec<i64> {
        let least = first.max(bucket.saturating_sub(self.reach()));
        let mut alike = Vec::new();
        if self.season_hours == NO_SEASON {
            alike.extend((least..bucket).rev().take(self.history));
            return alike;
        }
        let mut hour = bucket * self.span_ms / HOUR_MS;
        while alike.len() < self.history && (hour + 1) * HOUR_MS > least * self.span_ms {
            let latest = ((hour + 1) * HOUR_MS - 1).div_euclid(self.span_ms).min(bucket - 1);
            let earliest = (hour * HOUR_MS + self.span_ms - 1).div_euclid(self.span_ms).max(least);
            alike.extend((earliest..=latest).rev().take(self.history - alike.len()));
            hour -= self.season_hours;
        }
        alike
    }
}

/// What was measured in the buckets of the past; those without a number had nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Past(VecDeque<(i64, i128)>);

impl Past {
    /// A bucket is over. Lets go of those that are beyond reach of whatever comes next.
    pub fn push(&mut self, bucket: i64, value: i128, reach: i64) {
        if value != 0 {
            self.0.push_back((bucket, value));
        }
        while self.0.front().is_some_and(|(oldest, _)| *oldest <= bucket - reach) {
            self.0.pop_front();
        }
    }

    /// The value of a bucket.
    pub fn value(&self, bucket: i64) -> i128 {
        self.0.binary_search_by_key(&bucket, |(number, _)| *number).map_or(0, |at| self.0[at].1)
    }

    /// Bytes on the heap, roughly.
    pub fn heap_bytes(&self) -> usize {
        self.0.capacity() * size_of::<(i64, i128)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_of_the_week_look_at_the_same_hour_a_week_ago() {
        let calendar = Calendar { span_ms: HOUR_MS, season_hours: 168, history: 3 };
        assert_eq!(calendar.alike(1000, 0), [832, 664, 496]);
        assert_eq!(calendar.alike(1000, 600), [832, 664]);
    }

    #[test]
    fn short_buckets_of_one_hour_are_alike_and_long_ones_are_days_of_the_week() {
        let quarters = Calendar { span_ms: HOUR_MS / 4, season_hours: 24, history: 6 };
        assert_eq!(quarters.alike(4 * 24 + 2, 0), [97, 96, 3, 2, 1, 0]);
        let days = Calendar { span_ms: 24 * HOUR_MS, season_hours: 168, history: 2 };
        assert_eq!(days.alike(20, 0), [13, 6]);
    }
}
