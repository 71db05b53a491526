//! The verdict on a source.

use model::Time;
use serde::Serialize;

use super::drift::{Paths, drifting};
use super::volume::{self, Expectation, Hours};
use super::{Sums, Verdict, minute, percent, span};
use crate::Source;
use crate::source::Volume;

const HOUR_MS: i64 = 3_600_000;
/// Events of which lateness is judged at least.
const LATE_MIN: u64 = 5;
/// Records of which fields, and hours whose volume, are judged at least.
const MANY_MIN: u64 = 20;
/// Where nothing is declared, a source is silent after so many times the longest gap of its past, and never before [`SILENT_MIN_MS`].
const GAPS: i64 = 2;
const SILENT_MIN_MS: i64 = 2 * HOUR_MS;
/// A source that must be there and declares no cadence is missed after so long.
const MISSED_MS: i64 = 24 * HOUR_MS;

/// What a source declares about its records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contract {
    /// Without a record for so long it is silent, milliseconds.
    pub silent_after_ms: Option<i64>,
    /// How late records come at most, as a rule, milliseconds.
    pub lag_ms: Option<i64>,
    /// How many come at least.
    pub volume: Option<Volume>,
    /// The share of records that must have each required field, thousandths.
    pub filled_at_least: u32,
}

impl From<&Source> for Contract {
    fn from(source: &Source) -> Contract {
        Contract {
            silent_after_ms: source.cadence.silent_after_ms,
            lag_ms: source.cadence.lag_ms,
            volume: source.volume,
            filled_at_least: source.required.at_least,
        }
    }
}

/// What was heard of a source, over all its inputs.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// The first receipt ever.
    pub first: Time,
    /// The latest receipt.
    pub last: Time,
    /// Records by hour of receipt, over five weeks.
    pub hours: Hours,
    /// What was measured in each hour of the last day, by start of the hour.
    pub day: Vec<(Time, Sums)>,
    /// The keys of its records; `None` where none was looked at.
    pub paths: Option<Paths>,
}

/// The time, and since when somebody listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Now.
    pub now: Time,
    /// Since when the platform runs: before, nothing could be received.
    pub started: Time,
    /// When a platform first listened on this store.
    pub first: Time,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// What.
    pub verdict: Verdict,
    /// Since when, as far as the figures show.
    pub since: Time,
    /// What was measured, and what was expected.
    pub sentence: String,
}

/// The records of an hour, and what was to be expected of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct VolumeNow {
    /// The hour's start: the last whole one.
    pub hour: Time,
    /// Its records.
    pub records: u64,
    /// What its past lets expect.
    pub expected: Option<Expectation>,
}

/// What is to be said of a source.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judged {
    /// The gravest.
    pub verdict: Verdict,
    /// Since when it is not as it should be.
    pub since: Option<Time>,
    /// What was measured, and what was expected.
    pub sentence: String,
    /// All that is not as it should be, the gravest first.
    pub troubles: Vec<Trouble>,
    /// The last whole hour.
    pub volume: Option<VolumeNow>,
}

/// Judges a source by what was heard of it. The answer depends on nothing else.
pub fn judge(contract: &Contract, heard: Option<&Heard>, watch: Watch) -> Judged {
    let Some(heard) = heard else { return unheard(contract, watch) };
    let volume = volume_now(heard, watch);
    let troubles: Vec<Trouble> = match silent(contract, heard, watch) {
        // What does not come is neither late nor thin.
        Some(silent) => vec![silent],
        None => [
            late(contract, heard),
            thin(contract, heard, volume, watch),
            incomplete(contract, heard),
            drifting(heard, watch),
        ]
        .into_iter()
        .flatten()
        .collect(),
    };
    match troubles.first() {
        Some(gravest) => Judged {
            verdict: gravest.verdict,
            since: Some(gravest.since),
            sentence: gravest.sentence.clone(),
            troubles,
            volume: Some(volume),
        },
        None => {
            let quiet = span(watch.now.millis_since(heard.last).max(0));
            let sentence = format!("as expected; last record {quiet} ago");
            Judged { verdict: Verdict::Live, since: None, sentence, troubles, volume: Some(volume) }
        }
    }
}

fn unheard(contract: &Contract, watch: Watch) -> Judged {
    let waited_ms = watch.now.millis_since(watch.first.max(Time::EPOCH));
    let sentence = match contract.silent_after_ms {
        _ if waited_ms <= 0 => "no record yet".to_owned(),
        Some(after) => format!("no record in {}; one is expected within {}", span(waited_ms), span(after)),
        None => format!("no record in {}", span(waited_ms)),
    };
    Judged { verdict: Verdict::Unheard, since: Some(watch.first), sentence, troubles: Vec::new(), volume: None }
}

impl Contract {
    /// Is a source that must be there missed, if nothing came since `watch.first`?
    pub fn is_missed(&self, watch: Watch) -> bool {
        watch.now.millis_since(watch.first) > self.silent_after_ms.unwrap_or(MISSED_MS)
    }
}

fn silent(contract: &Contract, heard: &Heard, watch: Watch) -> Option<Trouble> {
    let quiet_ms = watch.now.millis_since(heard.last.max(watch.started));
    let (after_ms, says) = match contract.silent_after_ms {
        Some(after) => (after, "expected within"),
        None => {
            let gap = volume::longest_gap_ms(&heard.hours)?;
            ((GAPS * gap).max(SILENT_MIN_MS), "its past shows no silence longer than half of")
        }
    };
    if quiet_ms <= after_ms {
        return None;
    }
    let since = heard.last;
    let quiet = span(watch.now.millis_since(since));
    let sentence = format!("no record for {quiet}, since {}; {says} {}", minute(since), span(after_ms));
    Some(Trouble { verdict: Verdict::Silent, since, sentence })
}

/// The latest hours that together hold `enough`, or all of the day, and the start of the first of them.
fn latest(heard: &Heard, enough: impl Fn(&Sums) -> bool) -> Option<(Time, Sums)> {
    let mut all = Sums::default();
    let mut since = None;
    for (hour, sums) in heard.day.iter().rev() {
        all.merge(sums);
        since = Some(*hour);
        if enough(&all) {
            break;
        }
    }
    since.map(|since| (since, all))
}

fn late(contract: &Contract, heard: &Heard) -> Option<Trouble> {
    let expected_ms = contract.lag_ms?;
    let (since, sums) = latest(heard, |sums| sums.lags.count() >= MANY_MIN)?;
    let (count, lag_ms) = (sums.lags.count(), sums.lag_ms(950)?);
    if count < LATE_MIN || lag_ms <= expected_ms {
        return None;
    }
    let (lag, expected) = (span(lag_ms), span(expected_ms));
    let sentence =
        format!("95 % of the latest {count} events came within {lag} of their time; expected within {expected}");
    Some(Trouble { verdict: Verdict::Late, since, sentence })
}

/// The last whole hour before now.
fn volume_now(heard: &Heard, watch: Watch) -> VolumeNow {
    let hour = watch.now.hour().plus_millis(-HOUR_MS);
    let records = heard.hours.get(&hour).copied().unwrap_or(0);
    VolumeNow { hour, records, expected: volume::expectation(&heard.hours, heard.first, hour) }
}

fn thin(contract: &Contract, heard: &Heard, volume: VolumeNow, watch: Watch) -> Option<Trouble> {
    by_contract(contract, heard, watch).or_else(|| by_past(volume, watch))
}

fn by_contract(contract: &Contract, heard: &Heard, watch: Watch) -> Option<Trouble> {
    let Volume { at_least, hours } = contract.volume?;
    let since = watch.now.hour().plus_millis(-i64::from(hours) * HOUR_MS);
    // Only whole hours in which somebody listened, and the source had begun.
    if since < watch.started || since < heard.first {
        return None;
    }
    let records: u64 = heard.hours.range(since..watch.now.hour()).map(|(_, n)| n).sum();
    if records >= at_least {
        return None;
    }
    let sentence = format!("{records} records in {hours} h from {}; at least {at_least} are declared", minute(since));
    Some(Trouble { verdict: Verdict::Thin, since, sentence })
}

fn by_past(volume: VolumeNow, watch: Watch) -> Option<Trouble> {
    let expected = volume.expected?;
    let is_judged = volume.hour >= watch.started && expected.median >= MANY_MIN as f64;
    let records = volume.records as f64;
    if !is_judged || records >= expected.least || records * 2.0 >= expected.median {
        return None;
    }
    let past = match expected.by_week {
        true => format!("the same hour of {} weeks", expected.past),
        false => format!("the same hour of {} days", expected.past),
    };
    let sentence = format!(
        "{} records in the hour of {}; {} are usual, and {} or more expected, by {past}",
        volume.records,
        minute(volume.hour),
        expected.median,
        expected.least.ceil()
    );
    Some(Trouble { verdict: Verdict::Thin, since: volume.hour, sentence })
}

fn incomplete(contract: &Contract, heard: &Heard) -> Option<Trouble> {
    let (since, sums) = latest(heard, |sums| sums.records >= MANY_MIN)?;
    let (field, fill) = sums.least_filled()?;
    if fill.of < MANY_MIN || fill.thousandths() >= contract.filled_at_least {
        return None;
    }
    let (share, expected) = (percent(fill.thousandths()), percent(contract.filled_at_least));
    let sentence = format!("`{field}` is in {share} of the latest {} records; expected in {expected}", fill.of);
    Some(Trouble { verdict: Verdict::Incomplete, since, sentence })
}

#[cfg(test)]
mod tests;
