//! Feeds: how the records of a vendor's HTTP API are walked, as data. One file is one API.
//!
//! In: the text of `feeds/<id>.yml`. Out: a [`Feed`], or every mistake with its line and remedy. What is asked of the network, and when, is
//! a matter of the input that walks it; here is only what the file says, and the pure parts of reading an answer.

mod parse;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;

use model::{Diagnostic, SourceId, Time};

pub use text::{fill, placeholders};

/// How the records of one API are walked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// Its name.
    pub id: String,
    /// A name for people.
    pub title: String,
    /// What it gives and what it lacks.
    pub description: String,
    /// The source whose records it gives.
    pub source: SourceId,
    /// What a site says of itself: a name in braces in `endpoint`, `path` and `query`, and what it is.
    pub parameters: BTreeMap<String, String>,
    /// Scheme and host, such as `https://api.example.com`; a site may name another.
    pub endpoint: String,
    /// The path behind it, such as `/v1/audit_logs`.
    pub path: String,
    /// Parameters of the query that never change.
    pub query: BTreeMap<String, String>,
    /// Headers that never change.
    pub headers: BTreeMap<String, String>,
    /// How a request is authorised.
    pub secret: Authorisation,
    /// Keys on the way to the list of records in the answer; empty where the answer is the list.
    pub records: Vec<String>,
    /// How the next page is found.
    pub next: Next,
    /// How one asks for what is newer than the last time.
    pub newer: Newer,
    /// In which order the records come.
    pub order: Order,
    /// How often it is asked for more, milliseconds.
    pub every_ms: i64,
    /// How it says that too much was asked.
    pub limit: RateLimit,
}

/// How a request shows who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authorisation {
    /// The header.
    pub header: String,
    /// Its value, in which `{secret}` stands for the secret.
    pub value: String,
    /// Which secret it is, what it may do, and where it is made.
    pub about: String,
}

/// How the next page is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Next {
    /// There is one page.
    #[default]
    None,
    /// The answer's header `Link` has an address with `rel="next"` (RFC 8288).
    Link {
        /// The last page names a next one too, where what comes later will stand.
        endless: bool,
    },
    /// The answer, or its last record, names a cursor that the next request carries.
    Cursor {
        /// Where the cursor stands.
        at: CursorAt,
        /// The parameter of the query that takes it.
        parameter: String,
        /// Keys on the way to `true` in the answer where more follows; without them, a cursor means that more follows.
        more: Option<Vec<String>>,
    },
}

/// Where a cursor stands: keys on the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CursorAt {
    /// In the answer.
    Answer(Vec<String>),
    /// In the page's last record.
    LastRecord(Vec<String>),
}

/// How one asks for what is newer than the last time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Newer {
    /// Keys on the way to a record's time.
    pub time: Vec<String>,
    /// How that time is written.
    pub unit: Unit,
    /// The parameter of the query and its value, in which `{rfc3339}`, `{s}` or `{ms}` stands for the time. `None`: the API cannot be
    /// asked, and older records of its answer are passed over.
    pub query: Option<(String, String)>,
    /// How much before the newest record is asked for again, for records that come late, milliseconds.
    pub overlap_ms: i64,
}

/// How a time is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// RFC 3339.
    #[default]
    Rfc3339,
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Millis,
}

/// In which order the records come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// What was read can be told by the time of the last record.
    OldestFirst,
    /// Only a walk to its end shows that nothing is missing.
    #[default]
    NewestFirst,
}

/// Headers that tell of rate limits, beside `Retry-After`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RateLimit {
    /// How many requests are left.
    pub remaining: Option<String>,
    /// When there are more: seconds since 1970.
    pub reset: Option<String>,
}

impl Feed {
    /// Reads a feed's file: the feed, if it can be used, and every mistake.
    pub fn parse(text: &str) -> (Option<Feed>, Vec<Diagnostic>) {
        parse::parse(text)
    }
}

impl Unit {
    /// The time that a record's value says; `None` where it says none.
    pub fn read(self, value: &serde_json::Value) -> Option<Time> {
        let number = || value.as_f64().or_else(|| value.as_str()?.parse().ok()).filter(|number| number.is_finite());
        let read = match self {
            Unit::Rfc3339 => Time::parse(value.as_str()?).ok()?,
            // Within the years 1970 to 9999 a float holds microseconds to half a millisecond.
            Unit::Seconds => Time::from_micros((number()? * 1e6) as i64),
            Unit::Millis => Time::from_micros((number()? * 1e3) as i64),
        };
        (read > Time::EPOCH).then_some(read)
    }
}

/// The value at the end of `keys`.
pub fn at<'v>(value: &'v serde_json::Value, keys: &[String]) -> Option<&'v serde_json::Value> {
    keys.iter().try_fold(value, |value, key| value.get(key))
}
