//! CEF (ArcSight Common Event Format) and LEEF (QRadar Log Event Extended Format): a header with bars, then pairs.
//!
//! Sources: Micro Focus, "ArcSight Common Event Format", version 25; IBM, "LEEF overview", versions 1.0 and 2.0.

use std::borrow::Cow;

use model::Reject;

use super::any_of;
use super::out::{Out, Piece};

/// Which products write it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Product {
    /// Names of the vendor.
    pub vendor: Vec<String>,
    /// Names of the product; any where none is named.
    pub product: Vec<String>,
}

impl Product {
    /// What a line of them looks like; `mark` is the name of the format.
    pub(super) fn looks(&self, mark: &str) -> String {
        let names = |names: &[String]| match names {
            [] => r"[^|]*".to_owned(),
            names => {
                any_of(names.iter().map(|name| regex::escape(name)).collect::<Vec<_>>().iter().map(String::as_str))
            }
        };
        format!(r"^{mark}:[0-9.]+\|(?:{})\|(?:{})\|", names(&self.vendor), names(&self.product))
    }
}

const CEF: [&str; 7] =
    ["cefVersion", "deviceVendor", "deviceProduct", "deviceVersion", "deviceEventClassId", "name", "severity"];
const LEEF: [&str; 5] = ["leefVersion", "deviceVendor", "deviceProduct", "deviceVersion", "eventId"];

/// Reads `CEF:0|vendor|product|version|id|name|severity|key=value …`.
pub(super) fn cef(text: &str, out: &mut Out<'_>) -> Result<(), Reject> {
    let at = header(text, "CEF:", &CEF, out)?;
    // A key starts the rest or stands behind a space; all up to the space before the next key is the value.
    let (mut key, mut rest) = (None, at);
    for (start, equals) in keys(text, at) {
        pair(text, key, (rest, start), out)?;
        (key, rest) = (Some(&text[start..equals]), equals + 1);
    }
    if key.is_none() && !text[at..].trim().is_empty() {
        return Err(Reject::BadLine);
    }
    pair(text, key, (rest, text.len()), out)
}

fn pair(text: &str, key: Option<&str>, (start, end): (usize, usize), out: &mut Out<'_>) -> Result<(), Reject> {
    match key {
        Some(key) => out.once(key, &said(text, start, start + text[start..end].trim_end().len())),
        None if text[start..end].trim().is_empty() => Ok(()),
        None => Err(Reject::BadLine),
    }
}

/// The keys from `from` on: where each starts, and where its equals sign is.
fn keys(text: &str, from: usize) -> impl Iterator<Item = (usize, usize)> {
    let bytes = text.as_bytes();
    let signs = memchr::memchr_iter(b'=', &bytes[from..]).map(move |at| from + at);
    signs.filter_map(move |equals| {
        let is_key = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'[' | b']');
        let length = bytes[from..equals].iter().rev().take_while(|byte| is_key(byte)).count();
        let start = equals - length;
        let stands_alone = start == from || bytes[start - 1] == b' ';
        (length > 0 && stands_alone).then_some((start, equals))
    })
}

/// Reads `LEEF:1.0|vendor|product|version|id|key=value<tab>…`; version 2.0 may name another character than the tab.
pub(super) fn leef(text: &str, out: &mut Out<'_>) -> Result<(), Reject> {
    let mut at = header(text, "LEEF:", &LEEF, out)?;
    let mut separator = '\t';
    if text.starts_with("LEEF:2")
        && let Some((word, _)) = text[at..].split_once('|')
        && !word.contains('=')
    {
        separator = character(word).ok_or(Reject::BadLine)?;
        at += word.len() + 1;
    }
    for part in text[at..].split(separator) {
        let start = part.as_ptr() as usize - text.as_ptr() as usize;
        if part.trim().is_empty() {
            continue;
        }
        let (key, value) = part.split_once('=').ok_or(Reject::BadLine)?;
        let from = start + key.len() + 1;
        let key = key.trim();
        if key.is_empty() {
            return Err(Reject::BadLine);
        }
        out.once(key, &Piece::plain(text, from, from + value.len()))?;
    }
    Ok(())
}

/// The character between pairs: itself, or its number in hexadecimal (`x09`, `0x5E`).
fn character(word: &str) -> Option<char> {
    let hex = word.strip_prefix("0x").or_else(|| word.strip_prefix('x'));
    match hex.filter(|hex| !hex.is_empty()) {
        Some(hex) => char::from_u32(u32::from_str_radix(hex, 16).ok()?),
        None if word.is_empty() => Some('\t'),
        None => Some(word.chars().next()?).filter(|_| word.chars().count() == 1),
    }
}

/// Reads the values before bars; gives where the rest starts.
fn header(text: &str, mark: &str, names: &[&str], out: &mut Out<'_>) -> Result<usize, Reject> {
    let bytes = text.as_bytes();
    let mut at = if text.starts_with(mark) { mark.len() } else { return Err(Reject::BadLine) };
    for name in names {
        let mut end = at;
        loop {
            end += memchr::memchr2(b'|', b'\\', bytes.get(end..).ok_or(Reject::BadLine)?).ok_or(Reject::BadLine)?;
            if bytes[end] == b'|' {
                break;
            }
            end += 2;
        }
        out.once(name, &said(text, at, end))?;
        at = end + 1;
    }
    Ok(at)
}

/// What is written there, with backslashes undone.
fn said(text: &str, start: usize, end: usize) -> Piece<'_> {
    let written = &text[start..end];
    let says =
        if written.contains('\\') { Cow::Owned(super::key_value::unescaped(written)) } else { Cow::Borrowed(written) };
    Piece { start, end, says }
}
