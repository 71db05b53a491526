//! Watches the share of rejects of each input, and says when it jumps.

use std::collections::BTreeMap;

use model::Time;

/// When a jump is worth an alert.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RejectRateOptions {
    /// Length of one look, milliseconds.
    pub window_ms: i64,
    /// Records below which a look says nothing.
    pub records_min: u64,
    /// A share below this is never a jump.
    pub share_min: f64,
    /// A jump is so many times the share of the time before.
    pub factor: f64,
}

impl Default for RejectRateOptions {
    fn default() -> RejectRateOptions {
        RejectRateOptions { window_ms: 300_000, records_min: 20, share_min: 0.05, factor: 3.0 }
    }
}

/// The share of rejects of each input.
#[derive(Debug, Default)]
pub struct RejectRate {
    options: RejectRateOptions,
    inputs: BTreeMap<String, Shares>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Shares {
    start: Option<Time>,
    records: u64,
    rejects: u64,
    /// The share of the time before, smoothed; `None` until one window is over.
    usual: Option<f64>,
    /// Was this window's jump told already?
    told: bool,
}

impl RejectRate {
    /// Watches with `options`.
    pub fn new(options: RejectRateOptions) -> RejectRate {
        RejectRate { options, inputs: BTreeMap::new() }
    }

    /// Learns what a batch of `input` came to. Gives a sentence when the share of rejects has jumped, once for each window.
    pub fn observe(&mut self, input: &str, records: u64, rejects: u64, now: Time) -> Option<String> {
        let options = self.options;
        let shares = self.inputs.entry(input.to_owned()).or_default();
        let start = *shares.start.get_or_insert(now);
        if now.millis_since(start) >= options.window_ms {
            shares.turn(now, options.records_min);
        }
        shares.records += records;
        shares.rejects += rejects;
        let share = shares.share()?;
        let usual = shares.usual.unwrap_or(0.0);
        let is_jump =
            shares.records >= options.records_min && share >= options.share_min && share >= usual * options.factor;
        if !is_jump || shares.told {
            return None;
        }
        shares.told = true;
        Some(format!(
            "input `{input}` rejects {:.0} % of its records ({} of {}), usually {:.0} %",
            share * 100.0,
            shares.rejects,
            shares.records,
            usual * 100.0
        ))
    }
}

impl Shares {
    fn share(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a share needs no more than 52 bits")]
        (self.records > 0).then(|| self.rejects as f64 / self.records as f64)
    }

    fn turn(&mut self, now: Time, records_min: u64) {
        if let Some(share) = self.share().filter(|_| self.records >= records_min) {
            self.usual = Some(self.usual.map_or(share, |usual| 0.7 * usual + 0.3 * share));
        }
        *self = Shares { start: Some(now), usual: self.usual, ..Shares::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Time {
        Time::EPOCH.plus_millis(minute * 60_000)
    }

    #[test]
    fn a_jump_is_told_once_for_each_window() {
        let mut rate = RejectRate::default();
        assert_eq!(rate.observe("http", 1000, 1, at(0)), None);
        assert_eq!(
            rate.observe("http", 100, 90, at(1)).as_deref(),
            Some("input `http` rejects 8 % of its records (91 of 1100), usually 0 %")
        );
        assert_eq!(rate.observe("http", 100, 90, at(2)), None);
        assert!(rate.observe("http", 100, 90, at(6)).is_some());
    }

    #[test]
    fn what_is_usual_is_no_jump() {
        let mut rate = RejectRate::default();
        assert!(rate.observe("http", 1000, 300, at(0)).is_some());
        assert_eq!(rate.observe("http", 1000, 300, at(6)), None, "as before");
        assert_eq!(rate.observe("http", 1000, 500, at(12)), None, "less than three times");
        assert!(rate.observe("http", 1000, 990, at(18)).is_none_or(|text| text.contains("99 %")));
    }

    #[test]
    fn a_handful_of_records_says_nothing() {
        let mut rate = RejectRate::default();
        assert_eq!(rate.observe("http", 5, 5, at(0)), None);
        assert_eq!(rate.observe("other", 1000, 49, at(0)), None);
    }
}
