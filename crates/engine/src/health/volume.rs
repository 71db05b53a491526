//! How many records of a source an hour should bring, by its own past.
//!
//! In: records by hour of receipt. Out: what an hour lets expect, or nothing while the past is too short. Bound: the hours handed in.

use std::collections::BTreeMap;

use model::Time;
use serde::Serialize;

use crate::correlate::stateful::counts_below;

const HOUR_MS: i64 = 3_600_000;
/// Weeks of the past that count.
pub const WEEKS: i64 = 5;
/// Days of the past that count where there are too few weeks.
const DAYS: i64 = 7;
/// Hours of the past that must be there, of one kind or the other.
const PAST_MIN: usize = 3;
/// Median absolute deviations below the median that are still as expected.
const DEVIATIONS: u32 = 3;

/// Records by start of the hour of receipt; an hour that is not there had none.
pub type Hours = BTreeMap<Time, u64>;

/// What an hour lets expect.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Expectation {
    /// The median of the past.
    pub median: f64,
    /// Below this, the hour is not as usual: three median absolute deviations below the median, or three tenths where the past is steady.
    pub least: f64,
    /// How many hours of the past it stands on.
    pub past: usize,
    /// Are they the same hour of the week? The same hour of the day otherwise.
    pub by_week: bool,
}

/// What the hour that begins at `hour` lets expect, from the same hour of the weeks before or else of the days before. `None` while a source
/// that was first heard at `first` is too young for either.
pub fn expectation(hours: &Hours, first: Time, hour: Time) -> Option<Expectation> {
    let past = |step_hours: i64, steps: i64| -> Vec<u64> {
        let earlier = (1..=steps).map(|step| hour.plus_millis(-step * step_hours * HOUR_MS));
        // The hour in which it was first heard is not a whole one.
        earlier.filter(|then| *then > first.hour()).map(|then| hours.get(&then).copied().unwrap_or(0)).collect()
    };
    let (weeks, days) = (past(168, WEEKS), past(24, DAYS));
    let by_week = weeks.len() >= PAST_MIN;
    let past = if by_week { weeks } else { days };
    if past.len() < PAST_MIN {
        return None;
    }
    let (median, least) = counts_below(&past, DEVIATIONS)?;
    Some(Expectation { median, least, past: past.len(), by_week })
}

/// The longest time without a record that the past shows, whole hours as milliseconds; `None` while fewer than a day of hours were heard.
pub fn longest_gap_ms(hours: &Hours) -> Option<i64> {
    const HEARD_MIN: usize = 24;
    let heard: Vec<Time> = hours.iter().filter(|(_, n)| **n > 0).map(|(hour, _)| *hour).collect();
    if heard.len() < HEARD_MIN {
        return None;
    }
    heard.windows(2).map(|pair| pair[1].millis_since(pair[0])).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(n: i64) -> Time {
        Time::EPOCH.plus_millis(n * HOUR_MS)
    }

    fn steady(hours: std::ops::Range<i64>, n: u64) -> Hours {
        hours.map(|at| (hour(at), n)).collect()
    }

    #[test]
    fn a_young_source_lets_nothing_expect() {
        assert_eq!(expectation(&steady(0..72, 100), hour(0), hour(72)), None, "its first hour is not a whole one");
        assert!(expectation(&steady(0..73, 100), hour(0), hour(73)).is_some());
    }

    #[test]
    fn days_stand_in_until_there_are_weeks() {
        let days = expectation(&steady(0..200, 100), hour(0), hour(200)).unwrap();
        assert_eq!((days.median, days.least, days.past, days.by_week), (100.0, 70.0, 7, false));
        let weeks = expectation(&steady(0..700, 100), hour(0), hour(700)).unwrap();
        assert_eq!((weeks.past, weeks.by_week), (4, true));
    }

    #[test]
    fn a_quiet_hour_of_the_week_is_expected_to_be_quiet() {
        let busy_by_day = (0..900).map(|at| (hour(at), if at % 168 < 48 { 2 } else { 500 })).collect();
        assert_eq!(expectation(&busy_by_day, hour(0), hour(840 + 10)).unwrap().median, 2.0);
        assert_eq!(expectation(&busy_by_day, hour(0), hour(840 + 60)).unwrap().median, 500.0);
    }

    #[test]
    fn an_hour_that_brought_nothing_counts() {
        let mut hours = steady(0..200, 100);
        for gone in [24, 48, 72, 96] {
            hours.remove(&hour(200 - gone));
        }
        assert_eq!(expectation(&hours, hour(0), hour(200)).unwrap().median, 0.0);
    }

    #[test]
    fn the_longest_gap_is_known_after_a_day_of_hours() {
        assert_eq!(longest_gap_ms(&steady(0..23, 1)), None);
        let mut hours = steady(0..40, 1);
        hours.retain(|at, _| !(hour(10)..hour(15)).contains(at));
        assert_eq!(longest_gap_ms(&hours), Some(6 * HOUR_MS));
    }
}
