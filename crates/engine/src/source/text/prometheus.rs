//! Samples in the text format of Prometheus and OpenMetrics: `name{label="value"} 1.5 1700000000000`.
//!
//! Fields: `name`, `value`, `timestamp`, and each label below `labels`. Exemplars are passed over.
//! Source: Prometheus, "Exposition formats"; OpenMetrics 1.0.

use model::Reject;

use super::any_of;
use super::key_value::{quote_end, unescaped};
use super::out::{Out, Piece};

fn start(names: &[String]) -> String {
    any_of(names.iter().map(|name| regex::escape(name)).collect::<Vec<_>>().iter().map(String::as_str))
}

/// What a sample of metrics with these starts looks like.
pub(super) fn looks(names: &[String]) -> String {
    format!(r"^(?:{})[a-zA-Z0-9_:]*(?:\{{| +[-+0-9NI])", start(names))
}

/// What a line about them looks like that is no sample.
pub(super) fn comments(names: &[String]) -> String {
    format!(r"^# (?:(?:HELP|TYPE|UNIT) (?:{})|EOF$)", start(names))
}

pub(super) fn read(text: &str, out: &mut Out<'_>) -> Result<(), Reject> {
    let bytes = text.as_bytes();
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':');
    let end = bytes.iter().position(|byte| !is_name(byte)).ok_or(Reject::BadLine)?;
    out.once("name", &Piece::plain(text, 0, end))?;
    let mut at = end + spaces(bytes, end);
    if bytes.get(at) == Some(&b'{') {
        at = labels(text, at + 1, out)?;
    }
    at += spaces(bytes, at);
    let (value, next) = word(text, at)?;
    if !is_number(&text[value.0..value.1]) {
        return Err(Reject::BadLine);
    }
    out.once("value", &Piece::plain(text, value.0, value.1))?;
    at = next + spaces(bytes, next);
    if at == bytes.len() || bytes[at] == b'#' {
        return Ok(());
    }
    let (time, next) = word(text, at)?;
    let rest = text[next..].trim_start();
    if text[time.0..time.1].parse::<f64>().is_err() || !(rest.is_empty() || rest.starts_with('#')) {
        return Err(Reject::BadLine);
    }
    out.once("timestamp", &Piece::plain(text, time.0, time.1))
}

/// Reads labels from behind their bracket; gives where what follows them starts.
fn labels(text: &str, mut at: usize, out: &mut Out<'_>) -> Result<usize, Reject> {
    let bytes = text.as_bytes();
    let mut name = String::from("labels.");
    loop {
        at += spaces(bytes, at);
        if bytes.get(at) == Some(&b'}') {
            return Ok(at + 1);
        }
        let is_label = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let end = at + bytes[at..].iter().take_while(|byte| is_label(byte)).count();
        let quote = end + 1;
        if end == at || bytes.get(end) != Some(&b'=') || bytes.get(quote) != Some(&b'"') {
            return Err(Reject::BadLine);
        }
        let close = quote_end(bytes, quote + 1).ok_or(Reject::BadLine)?;
        name.truncate("labels.".len());
        name.push_str(&text[at..end]);
        let written = &text[quote + 1..close];
        let piece = if written.contains('\\') {
            Piece::other(quote + 1, close, unescaped(written))
        } else {
            Piece::plain(text, quote + 1, close)
        };
        out.once(&name, &piece)?;
        at = close + 1 + spaces(bytes, close + 1);
        match bytes.get(at) {
            Some(b',') => at += 1,
            Some(b'}') => {}
            _ => return Err(Reject::BadLine),
        }
    }
}

fn spaces(bytes: &[u8], at: usize) -> usize {
    bytes.get(at..).unwrap_or_default().iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// The word at `at`: where it stands, and where it ends.
fn word(text: &str, at: usize) -> Result<((usize, usize), usize), Reject> {
    let rest = text.get(at..).filter(|rest| !rest.is_empty()).ok_or(Reject::BadLine)?;
    let end = at + rest.find([' ', '\t']).unwrap_or(rest.len());
    Ok(((at, end), end))
}

/// A number as Go writes and reads it.
fn is_number(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-']);
    matches!(digits, "Inf" | "NaN") || text.parse::<f64>().is_ok()
}
