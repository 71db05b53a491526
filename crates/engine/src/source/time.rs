//! Times as sources write them.
//!
//! In: a value of a record. Out: a [`Time`], or `None`. What has no offset is UTC, as all of these feeds document.

use model::Time;

use crate::record::Scalar;

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Unit {
    /// Its size tells: seconds, milliseconds, microseconds or nanoseconds since the epoch.
    #[default]
    Auto,
    /// Seconds since the epoch.
    Seconds,
    /// Milliseconds since the epoch.
    Millis,
    /// Microseconds since the epoch.
    Micros,
    /// Nanoseconds since the epoch.
    Nanos,
}

const MICROS_MAX: f64 = 253_402_300_799_999_999.0;

/// Reads a value as a time.
pub(crate) fn read(value: Scalar<'_>, unit: Unit) -> Option<Time> {
    match value {
        Scalar::Str(text) => parse(text.trim(), unit),
        Scalar::Number(text) => number(text, unit),
        _ => None,
    }
}

/// Reads text as a time.
pub(crate) fn parse(text: &str, unit: Unit) -> Option<Time> {
    plain_utc(text.as_bytes())
        .or_else(|| with_fraction(text.as_bytes()))
        .or_else(|| Time::parse(text).ok())
        .or_else(|| without_offset(text))
        .or_else(|| short_offset(text))
        .or_else(|| with_slashes(text))
        .or_else(|| access_log(text))
        .or_else(|| zone_in_letters(text))
        .or_else(|| in_words(text))
        .or_else(|| without_offset(text.strip_suffix(" (UTC)")?))
        .or_else(|| number(text, unit))
}

/// `2026-11-22T02:51:00Z`, by far the most common, without a general parser.
fn plain_utc(text: &[u8]) -> Option<Time> {
    let text: &[u8; 20] = text.try_into().ok()?;
    let marks = [text[4], text[7], text[10], text[13], text[16], text[19]];
    if marks != *b"--T::Z" {
        return None;
    }
    let number = |from: usize, len: usize| {
        text[from..from + len]
            .iter()
            .try_fold(0i64, |all, digit| digit.is_ascii_digit().then(|| all * 10 + i64::from(digit - b'0')))
    };
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    let is_date = (1..=12).contains(&month) && (1..=days_of(year, month)).contains(&day);
    if year < 1970 || !is_date || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = days_since_epoch(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    Some(Time::from_micros(seconds * 1_000_000))
}

/// `2026-11-22T02:51:00.1234567Z`, as Windows and many others write it: up to nine digits, of which six count.
fn with_fraction(text: &[u8]) -> Option<Time> {
    let (head, rest) = text.split_first_chunk::<19>()?;
    let digits = rest.strip_prefix(b".")?.strip_suffix(b"Z")?;
    if digits.is_empty() || digits.len() > 9 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let mut whole = [b'Z'; 20];
    whole[..19].copy_from_slice(head);
    let digit = |at: usize| digits.get(at).map_or(0, |digit| i64::from(digit - b'0'));
    let micros = (0..6).fold(0, |all, at| all * 10 + digit(at));
    Some(Time::from_micros(plain_utc(&whole)?.micros() + micros))
}

fn days_of(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the Gregorian calendar, counted from March so that the leap day comes last.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days_of_year = (153 * month + 2) / 5 + day - 1;
    365 * year + year / 4 - year / 100 + year / 400 + days_of_year - 719_468
}

/// `2026-11-22 02:51:00.123`, with a space or `T`.
fn without_offset(text: &str) -> Option<Time> {
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    stamp(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

/// `2026-11-22T02:51:00.123+0000`.
fn short_offset(text: &str) -> Option<Time> {
    let (head, offset) = text.split_at_checked(text.len().checked_sub(5)?)?;
    let is_offset = matches!(offset.as_bytes()[0], b'+' | b'-') && offset[1..].bytes().all(|b| b.is_ascii_digit());
    is_offset.then(|| Time::parse(&format!("{head}{}:{}", &offset[..3], &offset[3..])).ok())?
}

/// `2026/11/22 02:51:00`, as Go, nginx and MLflow log it, with or without a fraction and an offset after a space.
fn with_slashes(text: &str) -> Option<Time> {
    let marks = (text.as_bytes().get(4)?, text.as_bytes().get(7)?);
    if marks != (&b'/', &b'/') || !text.is_ascii() {
        return None;
    }
    let dashed = format!("{}-{}-{}", &text[..4], &text[5..7], &text[8..]);
    match dashed.rsplit_once(" +").or_else(|| dashed.rsplit_once(" -")) {
        Some((when, _)) => Time::parse(&format!("{when}{}", &dashed[when.len() + 1..])).ok(),
        None => without_offset(&dashed),
    }
}

/// `2026-11-22 02:51:00.123 UTC`, as PostgreSQL writes it. Of other zones the letters do not tell which is meant.
fn zone_in_letters(text: &str) -> Option<Time> {
    without_offset(text.strip_suffix(" UTC").or_else(|| text.strip_suffix(" GMT"))?)
}

/// `06/Feb/2019:00:00:38 +0000`.
fn access_log(text: &str) -> Option<Time> {
    let zoned = jiff::fmt::strtime::parse("%d/%b/%Y:%H:%M:%S %z", text).ok()?;
    stamp(zoned.to_timestamp().ok()?)
}

/// `Jul 10, 2023, 12:55:24 PM`, as AWS writes when credentials end; older records lack the second comma, newer ones have a narrow
/// space before the half of the day.
fn in_words(text: &str) -> Option<Time> {
    if !text.ends_with('M') {
        return None;
    }
    let text = text.replace('\u{202F}', " ");
    let read = |format| jiff::civil::DateTime::strptime(format, &text).ok();
    let civil = read("%b %d, %Y, %I:%M:%S %p").or_else(|| read("%b %d, %Y %I:%M:%S %p"))?;
    stamp(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

fn stamp(stamp: jiff::Timestamp) -> Option<Time> {
    let micros = stamp.as_microsecond();
    (micros >= 0).then(|| Time::from_micros(micros)).filter(|time| time.micros() == micros)
}

fn number(text: &str, unit: Unit) -> Option<Time> {
    if !text.bytes().next()?.is_ascii_digit() {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    let per_unit = match unit {
        Unit::Seconds => 1e6,
        Unit::Millis => 1e3,
        Unit::Micros => 1.0,
        Unit::Nanos => 1e-3,
        // The four ranges do not meet between the years 1973 and 5138.
        Unit::Auto if value < 1e11 => 1e6,
        Unit::Auto if value < 1e14 => 1e3,
        Unit::Auto if value < 1e17 => 1.0,
        Unit::Auto => 1e-3,
    };
    let micros = match text.parse::<i64>() {
        Ok(whole) if per_unit >= 1.0 => whole.checked_mul(per_unit as i64)?,
        _ if value * per_unit <= MICROS_MAX => (value * per_unit).round() as i64,
        _ => return None,
    };
    // Zero is how many feeds write that something has not happened yet.
    Some(Time::from_micros(micros)).filter(|time| time.micros() == micros && micros != 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(text: &str) -> String {
        parse(text, Unit::Auto).map_or_else(|| "none".into(), |time| time.to_string())
    }

    #[test]
    fn every_way_of_the_feeds_is_read() {
        for way in [
            "2026-05-06T10:30:00Z",
            "2026-05-06T12:30:00+02:00",
            "2026-05-06 10:30:00",
            "2026-05-06 10:30:00.000000000",
            "2026-05-06T10:30:00.000+0000",
            "2026/05/06 10:30:00",
            "2026/05/06 10:30:00.000 +00:00",
            "2026/05/06 12:30:00 +02:00",
            "2026-05-06 10:30:00 UTC",
            "2026-05-06 10:30:00.000 GMT",
            "06/May/2026:10:30:00 +0000",
            "06/May/2026:12:30:00 +0200",
            "2026-05-06 10:30:00 (UTC)",
            "May 6, 2026, 10:30:00 AM",
            "May 06, 2026 10:30:00 AM",
            "May 6, 2026, 10:30:00\u{202F}AM",
            "1778063400",
            "1778063400000",
            "1778063400.000",
            "1778063400000000",
            "1778063400000000000",
        ] {
            assert_eq!(text(way), "2026-05-06T10:30:00.000Z", "{way}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for way in [
            "",
            "yesterday",
            "2026-05-06 10:30:00 CET",
            "2026-13-01T00:00:00Z",
            "2026/13/01 00:00:00",
            "2026/05/06 25:00:00",
            "2026/05/06 +00:00",
            "2026/é/06 00:00:00",
            "2026-02-29T00:00:00Z",
            "1e999",
            "-5",
            "0",
            "0.0",
            "<eventTime>",
            "NaN",
            "Jan 01, 2019 0:00:00 PM",
        ] {
            assert_eq!(text(way), "none", "{way}");
        }
    }

    proptest! {
        #[test]
        fn the_short_way_agrees_with_the_general_parser(seconds in 0i64..253_402_300_799) {
            let text = format!("{:.0}", jiff::Timestamp::from_second(seconds).expect("in range"));
            prop_assert_eq!(plain_utc(text.as_bytes()), Time::parse(&text).ok());
        }

        #[test]
        fn the_short_way_with_a_fraction_agrees_with_the_general_parser(
            seconds in 0i64..253_402_300_799,
            fraction in "[0-9]{1,9}",
        ) {
            let text = format!("{:.0}", jiff::Timestamp::from_second(seconds).expect("in range"));
            let text = text.replace('Z', &format!(".{fraction}Z"));
            prop_assert_eq!(with_fraction(text.as_bytes()), Time::parse(&text).ok(), "{}", text);
        }
    }
}
