//! When to try again: quickly at first, then at a steady pace, never in step with others.

use std::time::Duration;

use model::Time;

/// The pauses between attempts, as multiples of the first one: 5, 15, 30, 60 s for a first pause of 5 s.
const STEPS: [u32; 4] = [1, 3, 6, 12];

/// A retry schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The pause after the first failure.
    pub first: Duration,
    /// The steady pause, and the longest one.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Backoff {
        Backoff { first: Duration::from_secs(5), longest: Duration::from_secs(120) }
    }
}

impl Backoff {
    /// The pause after `failures` failed attempts (1 or more), without jitter: first, ×3, ×6, ×12, then the longest.
    pub fn pause(&self, failures: u32) -> Duration {
        let step = STEPS.get(failures.saturating_sub(1) as usize);
        step.map_or(self.longest, |&times| (self.first * times).min(self.longest))
    }

    /// The pause with jitter: `chance` (0 to 1) takes up to a fifth off, so that many rows do not come back at once.
    /// A receiver's own wish (`Retry-After`) is the least; it too is held below an hour, so that no receiver can park us.
    pub fn pause_with(&self, failures: u32, asked: Option<Duration>, chance: f64) -> Duration {
        let own = self.pause(failures).mul_f64(1.0 - 0.2 * chance.clamp(0.0, 1.0));
        own.max(asked.unwrap_or_default().min(Duration::from_secs(3600)))
    }
}

/// A number from 0 to 1 for jitter, from the system's randomness; a half when there is none.
pub fn chance() -> f64 {
    let mut bytes = [0; 4];
    match getrandom::fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 0.5,
    }
}

/// Reads `Retry-After` (RFC 9110 §10.2.3): seconds, or an HTTP date after `now`.
pub fn retry_after(value: &str, now: Time) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = http_date(value)?;
    u64::try_from(at.millis_since(now)).ok().map(Duration::from_millis)
}

/// Reads `Sun, 06 Nov 1994 08:49:37 GMT`, the one form that senders may use.
fn http_date(text: &str) -> Option<Time> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut parts = text.split_once(", ")?.1.split(' ');
    let day: u8 = parts.next()?.parse().ok()?;
    let name = parts.next()?;
    let month = MONTHS.iter().position(|month| *month == name)? + 1;
    let year: u16 = parts.next()?.parse().ok()?;
    let clock = parts.next()?;
    Time::parse(&format!("{year:04}-{month:02}-{day:02}T{clock}Z")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_come_at_0_5_15_30_60_seconds_and_then_every_two_minutes() {
        let backoff = Backoff::default();
        let seconds: Vec<u64> = (1..=7).map(|n| backoff.pause(n).as_secs()).collect();
        assert_eq!(seconds, [5, 15, 30, 60, 120, 120, 120]);
    }

    #[test]
    fn jitter_shortens_by_a_fifth_at_most() {
        let backoff = Backoff::default();
        assert_eq!(backoff.pause_with(5, None, 0.0), Duration::from_secs(120));
        assert_eq!(backoff.pause_with(5, None, 1.0), Duration::from_secs(96));
        assert!((0.0..=1.0).contains(&chance()));
    }

    #[test]
    fn retry_after_is_the_least_but_not_forever() {
        let backoff = Backoff::default();
        assert_eq!(backoff.pause_with(1, Some(Duration::from_secs(90)), 0.0), Duration::from_secs(90));
        assert_eq!(backoff.pause_with(1, Some(Duration::from_secs(1)), 0.0), Duration::from_secs(5));
        assert_eq!(backoff.pause_with(1, Some(Duration::MAX), 0.0), Duration::from_secs(3600));
    }
}
