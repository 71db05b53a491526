//! Schema drift: which keys stand at the top of a source's records, and which are new or gone.
//!
//! In: samples of records, later what was seen of each key. Out: names that are new, and names that are gone. Bound: [`PATHS_MAX`] names of
//! [`NAME_MAX`] bytes a source; what is beyond is not noted. Names only, never values.

use std::collections::BTreeMap;

use model::Time;
use serde::Serialize;
use serde::de::IgnoredAny;

use super::{Heard, Trouble, Verdict, Watch};

/// Names that are noted of one source at most.
pub const PATHS_MAX: usize = 256;
/// The longest name that is noted, bytes.
pub const NAME_MAX: usize = 64;
/// One record in so many is looked at, and the first of each batch.
pub const SAMPLED: u64 = 64;

const DAY_MS: i64 = 86_400_000;
/// For so long the keys of a source are learned.
const LEARN_MS: i64 = 7 * DAY_MS;
/// What is gone is told for so long; then it is how the source is.
const GONE_MS: i64 = 7 * DAY_MS;
/// Samples of a day in which a new key must be, and below which nothing is said to be gone.
const NEW_MIN: u64 = 5;
const GONE_MIN: u64 = 50;
/// Names that a sentence holds.
const NAMED: usize = 5;

/// What was seen of the keys of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// Since when records are looked at.
    pub since: Time,
    /// How many were.
    pub sampled: u64,
    /// Each key: when it was first and last seen (hours of receipt), and in how many samples.
    pub seen: BTreeMap<String, Seen>,
}

/// What was seen of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The hour in which it was first seen.
    pub first: Time,
    /// The hour in which it was last seen.
    pub last: Time,
    /// In how many samples.
    pub n: u64,
}

/// Keys that are new, and keys that are gone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// First seen within the last day, in a tenth of its samples.
    pub new: Vec<String>,
    /// In nine of ten samples before, and in none of the last day.
    pub gone: Vec<String>,
}

/// The keys at the top of a JSON record; none of anything else.
pub(super) fn keys(raw: &str) -> impl Iterator<Item = String> + use<> {
    let keys: BTreeMap<String, IgnoredAny> = serde_json::from_str(raw).unwrap_or_default();
    let is_name = |key: &String| key.len() <= NAME_MAX && !key.is_empty() && !key.chars().any(char::is_control);
    keys.into_keys().filter(move |key| is_name(key)).take(PATHS_MAX)
}

/// What is new and what is gone; nothing while the source is learned.
pub fn drift(heard: &Heard, watch: Watch) -> Drift {
    let Some(paths) = heard.paths.as_ref().filter(|paths| watch.now.millis_since(paths.since) >= LEARN_MS) else {
        return Drift::default();
    };
    let sampled: u64 = heard.day.iter().map(|(_, sums)| sums.sampled).sum();
    // Keys are seen by the hour, and the figures of the day begin with a whole one.
    let yesterday = watch.now.plus_millis(-DAY_MS).hour();
    let is_new = |seen: &Seen| seen.first > yesterday && seen.n >= NEW_MIN && seen.n * 10 >= sampled;
    let is_gone = |seen: &Seen| {
        let was_usual = u128::from(seen.n) * 10 >= u128::from(paths.sampled - sampled.min(paths.sampled)) * 9;
        sampled >= GONE_MIN && was_usual && seen.last < yesterday && seen.last > watch.now.plus_millis(-GONE_MS)
    };
    let names = |is: &dyn Fn(&Seen) -> bool| -> Vec<String> {
        paths.seen.iter().filter(|(_, seen)| is(seen)).map(|(name, _)| name.clone()).collect()
    };
    // With no room for names, a name that is missing may be one that was not noted.
    let new = if paths.seen.len() < PATHS_MAX { names(&is_new) } else { Vec::new() };
    Drift { new, gone: names(&is_gone) }
}

pub(super) fn drifting(heard: &Heard, watch: Watch) -> Option<Trouble> {
    let Drift { new, gone } = drift(heard, watch);
    let seen = &heard.paths.as_ref()?.seen;
    let begun = new.iter().map(|name| seen[name].first).chain(gone.iter().map(|name| seen[name].last));
    let since = begun.min()?;
    let parts = [("new keys", &new), ("keys that are gone", &gone)].into_iter().filter(|(_, names)| !names.is_empty());
    let sentence = parts.map(|(what, names)| format!("{what}: {}", listed(names))).collect::<Vec<_>>().join("; ");
    Some(Trouble { verdict: Verdict::Drifting, since, sentence })
}

fn listed(names: &[String]) -> String {
    let named = names.iter().take(NAMED).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::{Hours, Sums};

    fn day(n: i64) -> Time {
        Time::from_millis(1_763_769_600_000 + n * DAY_MS)
    }

    fn seen(first: i64, last: i64, n: u64) -> Seen {
        Seen { first: day(first), last: day(last), n }
    }

    /// Ten days of a hundred samples a day, as of the end of the tenth.
    fn told(keys: &[(&str, Seen)]) -> Option<String> {
        let seen = keys.iter().map(|(name, seen)| ((*name).to_owned(), *seen)).collect();
        let heard = Heard {
            first: day(0),
            last: day(10),
            hours: Hours::new(),
            day: vec![(day(10), Sums { sampled: 100, ..Sums::default() })],
            paths: Some(Paths { since: day(0), sampled: 1000, seen }),
        };
        let watch = Watch { now: day(10).plus_millis(1), started: day(0), first: day(0) };
        drifting(&heard, watch).map(|trouble| trouble.sentence)
    }

    #[test]
    fn a_key_of_today_is_new_where_it_is_no_rarity() {
        let usual = ("id", seen(0, 10, 1000));
        assert_eq!(told(&[usual, ("extra", seen(10, 10, 9))]), None, "in less than a tenth");
        assert_eq!(told(&[usual, ("extra", seen(10, 10, 10))]).as_deref(), Some("new keys: `extra`"));
        assert_eq!(told(&[usual, ("extra", seen(8, 10, 90))]), None, "it is known for two days");
    }

    #[test]
    fn a_key_that_was_always_there_is_gone_after_a_day() {
        assert_eq!(told(&[("id", seen(0, 8, 810))]).as_deref(), Some("keys that are gone: `id`"));
        assert_eq!(told(&[("id", seen(0, 8, 809))]), None, "it was not always there");
        assert_eq!(told(&[("id", seen(0, 10, 810))]), None, "it was there today");
        assert_eq!(told(&[("id", seen(0, 2, 900))]), None, "after a week that is how it is");
    }

    #[test]
    fn only_names_at_the_top_are_taken() {
        let long = "k".repeat(NAME_MAX + 1);
        let raw = format!(r#"{{"a":{{"b":1}},"c":"secret","{long}":1,"":2,"x\n":3}}"#);
        assert_eq!(keys(&raw).collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!(keys("a line of text").count(), 0);
    }
}
