//! `key=value` pairs: logfmt and its relatives.

use model::Reject;

use super::out::{Out, Piece};

/// How pairs are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyValue {
    /// The ASCII character between two pairs; a space stands for any number of them.
    pub separator: u8,
    /// The ASCII character between key and value.
    pub assign: u8,
}

impl Default for KeyValue {
    fn default() -> KeyValue {
        KeyValue { separator: b' ', assign: b'=' }
    }
}

/// Reads pairs. A key without a value says `true`, as in logfmt; a value in quotes has escapes with backslashes.
pub(super) fn read(format: &KeyValue, text: &str, out: &mut Out<'_>) -> Result<(), Reject> {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        at += bytes[at..].iter().take_while(|byte| **byte == format.separator || **byte == b' ').count();
        if at == bytes.len() {
            return Ok(());
        }
        let is_end = |byte: &u8| *byte == format.separator || *byte == format.assign;
        let end = bytes[at..].iter().position(is_end).map_or(bytes.len(), |end| at + end);
        let key = text.get(at..end).map(str::trim_end).filter(|key| !key.is_empty() && !key.contains('"'));
        let key = key.ok_or(Reject::BadLine)?;
        if bytes.get(end) != Some(&format.assign) {
            out.once(key, &Piece::other(at, end, "true".to_owned()))?;
            at = end;
            continue;
        }
        let (piece, next) = value(format, text, end + 1)?;
        out.once(key, &piece)?;
        at = next;
    }
}

/// The value at `start`, and where what follows it starts.
fn value<'t>(format: &KeyValue, text: &'t str, start: usize) -> Result<(Piece<'t>, usize), Reject> {
    let bytes = text.as_bytes();
    if bytes.get(start) != Some(&b'"') {
        let end = memchr::memchr(format.separator, &bytes[start..]).map_or(bytes.len(), |end| start + end);
        return Ok((Piece::plain(text, start, end), end));
    }
    let end = quote_end(bytes, start + 1).ok_or(Reject::BadLine)?;
    if bytes.get(end + 1).is_some_and(|next| *next != format.separator && *next != b' ') {
        return Err(Reject::BadLine);
    }
    let written = &text[start + 1..end];
    let piece = if written.contains('\\') {
        Piece::other(start + 1, end, unescaped(written))
    } else {
        Piece::plain(text, start + 1, end)
    };
    Ok((piece, end + 1))
}

/// Where the quote is that ends a value with escapes.
pub(super) fn quote_end(bytes: &[u8], mut from: usize) -> Option<usize> {
    loop {
        let at = from + memchr::memchr2(b'"', b'\\', bytes.get(from..)?)?;
        if bytes[at] == b'"' {
            return Some(at);
        }
        from = at + 2;
    }
}

/// Undoes escapes with a backslash: line ends and tabs by their letters, any other character stands for itself.
pub(super) fn unescaped(written: &str) -> String {
    let mut says = String::with_capacity(written.len());
    let mut characters = written.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n') => says.push('\n'),
                Some('r') => says.push('\r'),
                Some('t') => says.push('\t'),
                Some(other) => says.push(other),
                None => says.push('\\'),
            },
            other => says.push(other),
        }
    }
    says
}
