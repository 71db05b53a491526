//! The lexemes of JSON (RFC 8259): where a string, number or word ends, and what a string says.
//!
//! In: bytes and a position. Out: the position after the lexeme, or why there is none. No recursion, no allocation.

use model::Reject;

pub(crate) mod members;
pub(crate) mod mend;
pub(crate) mod stops;

use stops::Stops;
use wide::u8x16;

/// Bytes that are looked at together.
const PART: usize = 16;

/// Skips space, tabs and line ends.
#[inline]
pub(crate) fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}

/// A string's end: the position of its closing quote, and whether it holds escapes. One word, so that it stays in a register.
#[derive(Clone, Copy)]
pub(crate) struct StrEnd(u64);

impl StrEnd {
    const ESCAPED: u64 = 1 << 62;
    const ODD: u64 = 1 << 63;

    /// The position of the closing quote.
    #[inline]
    pub(crate) fn quote(self) -> usize {
        (self.0 & !(Self::ESCAPED | Self::ODD)) as usize
    }

    /// Does it hold escapes?
    #[inline]
    pub(crate) fn escaped(self) -> bool {
        self.0 & Self::ESCAPED != 0
    }

    /// Does it hold an escape (`\u`, `\/`) that may stand for a character that needs none?
    #[inline]
    pub(crate) fn odd(self) -> bool {
        self.0 & Self::ODD != 0
    }
}

/// Finds the end of the string whose first byte after the quote is at `at`. Escapes are checked, control characters refused.
#[inline]
pub(crate) fn string_end(bytes: &[u8], at: usize) -> Result<StrEnd, Reject> {
    string_end_by(bytes, at, &mut |at| plain_end(bytes, at))
}

/// As [`string_end`], for a text that is walked from its start: `stops` is its map.
// A call would pass the answer through memory, byte by byte in and as a word out, which stalls at each string.
#[inline(always)]
pub(crate) fn mapped_string_end(bytes: &[u8], at: usize, stops: &mut Stops) -> Result<StrEnd, Reject> {
    let stop = stops.next(bytes, at);
    match bytes.get(stop) {
        Some(b'"') => Ok(StrEnd(stop as u64)),
        _ => string_end_by(bytes, stop, &mut |at| stops.next(bytes, at)),
    }
}

#[inline(never)]
fn string_end_by(bytes: &[u8], mut at: usize, next: &mut impl FnMut(usize) -> usize) -> Result<StrEnd, Reject> {
    let mut flags = 0;
    loop {
        at = next(at);
        match bytes.get(at) {
            Some(b'"') => return Ok(StrEnd(at as u64 | flags)),
            Some(b'\\') => {
                flags |= StrEnd::ESCAPED;
                if let Some(b'u' | b'/') = bytes.get(at + 1) {
                    flags |= StrEnd::ODD;
                }
                at = escape_end(bytes, at)?;
            }
            Some(_) => return Err(Reject::NotJson),
            None => return Err(Reject::Truncated),
        }
    }
}

/// The first quote, backslash or control character at or after `at`, or the end.
#[inline]
pub(crate) fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(part) = bytes.get(at..).and_then(|rest| rest.first_chunk::<PART>()) {
        let stops = stops::stops_in(part);
        if stops != 0 {
            return at + stops.trailing_zeros() as usize;
        }
        at += PART;
    }
    while let Some(&byte) = bytes.get(at) {
        if byte == b'"' || byte == b'\\' || byte < 0x20 {
            return at;
        }
        at += 1;
    }
    at
}

#[inline]
fn escape_end(bytes: &[u8], at: usize) -> Result<usize, Reject> {
    match bytes.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => unicode_end(bytes, at),
        Some(_) => Err(Reject::NotJson),
        None => Err(Reject::Truncated),
    }
}

#[cold]
fn unicode_end(bytes: &[u8], at: usize) -> Result<usize, Reject> {
    let digits = bytes.get(at + 2..).unwrap_or_default();
    let digits = &digits[..digits.len().min(4)];
    match digits.iter().all(u8::is_ascii_hexdigit) {
        false => Err(Reject::NotJson),
        true if digits.len() < 4 => Err(Reject::Truncated),
        true => Ok(at + 6),
    }
}

/// Finds the end of the number that starts at `at`.
#[inline]
pub(crate) fn number_end(bytes: &[u8], mut at: usize) -> Result<usize, Reject> {
    if bytes.get(at) == Some(&b'-') {
        at += 1;
    }
    at = match bytes.get(at) {
        Some(b'0') => at + 1,
        _ => digits_end(bytes, at)?,
    };
    if bytes.get(at) == Some(&b'.') {
        at = digits_end(bytes, at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1;
        if let Some(b'+' | b'-') = bytes.get(at) {
            at += 1;
        }
        at = digits_end(bytes, at)?;
    }
    Ok(at)
}

fn digits_end(bytes: &[u8], at: usize) -> Result<usize, Reject> {
    let mut end = at;
    while bytes.get(end).is_some_and(u8::is_ascii_digit) {
        end += 1;
    }
    match end > at {
        true => Ok(end),
        false if end == bytes.len() => Err(Reject::Truncated),
        false => Err(Reject::NotJson),
    }
}

/// Finds the end of `word` (`true`, `false` or `null`) at `at`.
#[inline]
pub(crate) fn word_end(bytes: &[u8], at: usize, word: &[u8]) -> Result<usize, Reject> {
    let rest = &bytes[at..];
    match rest.starts_with(word) {
        true => Ok(at + word.len()),
        false if word.starts_with(rest) => Err(Reject::Truncated),
        false => Err(Reject::NotJson),
    }
}

/// Writes what a checked string body says. A lone surrogate becomes U+FFFD: the record is kept.
#[inline(never)]
pub(crate) fn unescape(body: &str, out: &mut String) {
    let (mut bytes, source) = (std::mem::take(out).into_bytes(), body.as_bytes());
    let (mut from, mut to) = (0, bytes.len());
    // What is said is never longer than what is written; a part is copied whole before the place of its first backslash is known.
    bytes.resize(to + source.len() + PART, 0);
    while let Some(part) = source.get(from..) {
        let length = match part.first_chunk::<PART>() {
            Some(part) => {
                bytes[to..to + PART].copy_from_slice(part);
                let slashes = u8x16::new(*part).simd_eq(u8x16::splat(b'\\')).to_bitmask();
                slashes.trailing_zeros().min(PART as u32) as usize
            }
            None => {
                let length = part.iter().position(|byte| *byte == b'\\').unwrap_or(part.len());
                bytes[to..to + length].copy_from_slice(&part[..length]);
                length
            }
        };
        (from, to) = (from + length, to + length);
        match source.get(from) {
            Some(b'\\') => {
                let (character, used) = escape(&body[from..]);
                to += character.encode_utf8(&mut bytes[to..]).len();
                from += used;
            }
            Some(_) => {}
            None => break,
        }
    }
    bytes.truncate(to);
    // A checked body gives whole characters; half of one could only stand behind a backslash that escapes nothing.
    *out = String::from_utf8(bytes).unwrap_or_else(|bad| String::from_utf8_lossy(bad.as_bytes()).into_owned());
}

/// The character that an escape names, and how many bytes name it.
fn escape(text: &str) -> (char, usize) {
    let bytes = text.as_bytes();
    let plain = |character| (character, 2);
    match bytes.get(1) {
        Some(b'b') => plain('\u{8}'),
        Some(b'f') => plain('\u{c}'),
        Some(b'n') => plain('\n'),
        Some(b'r') => plain('\r'),
        Some(b't') => plain('\t'),
        Some(b'u') => unicode(text),
        Some(&other) => plain(char::from(other)),
        None => plain('\\'),
    }
}

fn unicode(text: &str) -> (char, usize) {
    let unit = |from: usize| text.get(from..from + 4).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    let high = unit(2).unwrap_or(0xFFFD);
    if (0xD800..0xDC00).contains(&high)
        && text.get(6..8) == Some("\\u")
        && let Some(low) = unit(8).filter(|low| (0xDC00..0xE000).contains(low))
    {
        let code = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
        return (char::from_u32(code).unwrap_or('\u{FFFD}'), 12);
    }
    (char::from_u32(high).unwrap_or('\u{FFFD}'), 6)
}
