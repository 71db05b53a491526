//! Numbers, times and durations as people read them. Times are UTC.

use std::borrow::Borrow;

use model::{AlertState, EntityKind, Lane, Level, Time};

/// `1234567` as `1,234,567`.
pub(crate) fn count(n: impl Borrow<u64>) -> String {
    let digits = n.borrow().to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A time as `2026-11-22 02:51:07`.
pub(crate) fn stamp(time: &Time) -> String {
    let text = time.to_string();
    text.get(..19).map(|day_and_time| day_and_time.replace('T', " ")).unwrap_or(text)
}

/// A time as `22 Nov 02:51`, for headings of hours.
pub(crate) fn hour(time: &Time) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = time.to_string();
    let month =
        text.get(5..7).and_then(|month| month.parse::<usize>().ok()).and_then(|n| MONTHS.get(n.wrapping_sub(1)));
    match (text.get(8..10), month, text.get(11..16)) {
        (Some(day), Some(month), Some(clock)) => format!("{day} {month} {clock}"),
        _ => text,
    }
}

/// How long ago, in one unit: `12s`, `4m`, `3h`, `2d`.
pub(crate) fn age(now: &Time, then: &Time) -> String {
    let seconds = now.millis_since(*then).max(0) / 1000;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A duration in its two largest units: `80 ms`, `4.2 s`, `4 m 12 s`, `3 h 5 m`, `2 d 4 h`.
pub(crate) fn gap(ms: impl Borrow<i64>) -> String {
    let ms = *ms.borrow();
    let sign = if ms < 0 { "−" } else { "" };
    let ms = ms.unsigned_abs();
    let (s, m, h, d) = (ms / 1000, ms / 60_000, ms / 3_600_000, ms / 86_400_000);
    let text = match ms {
        0..1000 => format!("{ms} ms"),
        1000..60_000 => format!("{}.{} s", s, ms % 1000 / 100),
        60_000..3_600_000 => two(m, "m", s % 60, "s"),
        3_600_000..86_400_000 => two(h, "h", m % 60, "m"),
        _ => two(d, "d", h % 24, "h"),
    };
    format!("{sign}{text}")
}

fn two(large: u64, large_unit: &str, small: u64, small_unit: &str) -> String {
    if small == 0 { format!("{large} {large_unit}") } else { format!("{large} {large_unit} {small} {small_unit}") }
}

/// `n` of a thing, in words: `1 finding`, `3 findings`.
pub(crate) fn of(n: impl Borrow<u64>, one: &str) -> String {
    let n = *n.borrow();
    let s = if n == 1 { "" } else { "s" };
    format!("{} {one}{s}", count(n))
}

/// The level's word with a capital.
pub(crate) fn level(level: &Level) -> &'static str {
    match level {
        Level::Informational => "Info",
        Level::Low => "Low",
        Level::Medium => "Medium",
        Level::High => "High",
        Level::Critical => "Critical",
    }
}

/// The state's word with a capital.
pub(crate) fn state(state: &AlertState) -> &'static str {
    match state {
        AlertState::Open => "Open",
        AlertState::Delivered => "Delivered",
        AlertState::Received => "Received",
        AlertState::Acknowledged => "Acknowledged",
        AlertState::Closed => "Closed",
    }
}

/// What a lane that is not live says about itself; empty for live.
pub(crate) fn lane(lane: &Lane) -> &'static str {
    match lane {
        Lane::Live => "",
        Lane::Sample => "SAMPLE",
        Lane::Replay => "REPLAY",
        Lane::Test => "TEST",
        Lane::Exercise => "EXERCISE",
        Lane::Canary => "CANARY",
    }
}

/// The last telling part of a long key: what follows the last `/` of an ARN's resource, or the key itself.
pub(crate) fn short_key(kind: &EntityKind, key: &str) -> String {
    let tail = match kind {
        EntityKind::Address | EntityKind::Account => key,
        _ if key.starts_with("arn:") => key.splitn(6, ':').nth(5).filter(|rest| !rest.is_empty()).unwrap_or(key),
        _ => key,
    };
    let chars = tail.chars().count();
    if chars <= 36 { tail.to_owned() } else { format!("…{}", tail.chars().skip(chars - 35).collect::<String>()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_durations_read_well() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(of(1, "finding"), "1 finding");
        assert_eq!(of(1200, "finding"), "1,200 findings");
        let gaps = [0, 80, 4_230, 60_000, 252_000, 11_100_000, 187_200_000, -1500].map(gap);
        assert_eq!(gaps, ["0 ms", "80 ms", "4.2 s", "1 m", "4 m 12 s", "3 h 5 m", "2 d 4 h", "−1.5 s"]);
    }

    #[test]
    fn times_are_short_and_in_utc() {
        let time = Time::parse("2026-11-22T03:51:07.25+01:00").unwrap();
        assert_eq!(stamp(&time), "2026-11-22 02:51:07");
        assert_eq!(hour(&time.hour()), "22 Nov 02:00");
        assert_eq!(age(&time.plus_millis(90_000), &time), "1m");
        assert_eq!(age(&time, &time.plus_millis(90_000)), "0s", "a clock that is ahead is not a negative age");
    }

    #[test]
    fn keys_keep_their_telling_end() {
        assert_eq!(short_key(&EntityKind::Principal, "arn:aws:iam::123456789012:user/ana"), "user/ana");
        assert_eq!(short_key(&EntityKind::Address, "203.0.113.7"), "203.0.113.7");
        let long = "x".repeat(40) + "end";
        assert_eq!(short_key(&EntityKind::Resource, &long).chars().count(), 36);
        assert!(short_key(&EntityKind::Resource, &long).ends_with("end"));
    }
}
