//! Times that stand before a line.

use model::Time;

use crate::source::{Unit, time};

/// A line of text with JSON in it starts with a time of at most this many bytes.
const STAMP_BYTES: usize = 40;

/// A time and the JSON after it, as CloudWatch Logs exports its lines to S3.
pub(super) fn stamped(text: &str) -> Option<(Time, &str)> {
    let at = memchr::memchr(b'{', &text.as_bytes()[..text.len().min(STAMP_BYTES)])?;
    Some((time::parse(text[..at].trim(), Unit::Auto)?, &text[at..]))
}

/// The same before a line of text: a time, and where the line starts behind its space.
pub(super) fn stamp(text: &str) -> Option<(Time, usize)> {
    let bytes = text.as_bytes();
    if bytes.get(10) != Some(&b'T') || !bytes[0].is_ascii_digit() {
        return None;
    }
    let at = memchr::memchr(b' ', &bytes[..bytes.len().min(STAMP_BYTES)])?;
    Some((time::parse(text.get(..at)?, Unit::Auto)?, at + 1))
}
