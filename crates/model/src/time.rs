use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time: microseconds since the Unix epoch, UTC.
///
/// Shape: written as RFC 3339 with milliseconds (`2026-11-22T02:51:00.000Z`), or microseconds where they are not zero.
/// Read from RFC 3339 with any offset. Formats that no person reads hold the number. Nothing in this crate can make one from a clock: time is always handed in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(i64);

/// Why a text or number is not a time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an RFC 3339 time within the years 1970 to 9999")]
pub struct TimeError(pub String);

const MICROS_MAX: i64 = 253_402_300_799_999_999;

impl Time {
    /// The Unix epoch.
    pub const EPOCH: Time = Time(0);
    /// The last microsecond of the year 9999.
    pub const MAX: Time = Time(MICROS_MAX);

    /// From microseconds since the epoch, held within the years 1970 to 9999.
    pub fn from_micros(micros: i64) -> Time {
        Time(micros.clamp(0, MICROS_MAX))
    }

    /// From milliseconds since the epoch, held within the years 1970 to 9999.
    pub fn from_millis(millis: i64) -> Time {
        Time::from_micros(millis.saturating_mul(1000))
    }

    /// Microseconds since the epoch.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since the epoch, rounded down.
    pub fn millis(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Start of the UTC hour that holds this time.
    pub fn hour(self) -> Time {
        Time(self.0 - self.0.rem_euclid(3_600_000_000))
    }

    /// This time moved by `millis`, later if positive.
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Time {
        Time::from_micros(self.0.saturating_add(millis.saturating_mul(1000)))
    }

    /// Milliseconds from `earlier` to `self`; negative if `earlier` is the later one.
    pub fn millis_since(self, earlier: Time) -> i64 {
        (self.0 - earlier.0) / 1000
    }

    /// Reads RFC 3339 (`2026-11-22T02:51:00Z`, any offset, `T` or a space between date and time).
    pub fn parse(text: &str) -> Result<Time, TimeError> {
        let wrong = || TimeError(text.chars().take(64).collect());
        let stamp = text.parse::<jiff::Timestamp>().map_err(|_| wrong())?;
        let micros = stamp.as_microsecond();
        if (0..=MICROS_MAX).contains(&micros) { Ok(Time(micros)) } else { Err(wrong()) }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stamp = jiff::Timestamp::from_microsecond(self.0).map_err(|_| fmt::Error)?;
        let precision = if self.0 % 1000 == 0 { 3 } else { 6 };
        write!(f, "{stamp:.precision$}")
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Time {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Time, TimeError> {
        Time::parse(text)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { serializer.serialize_i64(self.0) }
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        if !deserializer.is_human_readable() {
            return i64::deserialize(deserializer).map(Time::from_micros);
        }
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Time::parse(&text).map_err(serde::de::Error::custom)
    }
}
