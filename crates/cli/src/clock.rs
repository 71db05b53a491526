//! The one place of the command line that reads the clock; everything below is handed the time.

use std::time::{SystemTime, UNIX_EPOCH};

use model::Time;

/// Now. A clock before 1970 reads as 1970.
pub fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Today's date, UTC: `2026-11-22`.
pub fn today() -> String {
    now().to_string().chars().take(10).collect()
}
