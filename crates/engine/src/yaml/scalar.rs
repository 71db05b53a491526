//! Keys and texts that stand on one line.

use std::borrow::Cow;

/// Bytes of a key; a key has less than 1024 characters (YAML 1.2.2, 7.4.2).
const KEY_BYTES_MAX: usize = 512;

/// Is this the end of the line, or a space?
pub(super) fn ends(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(' ')
}

/// The key at the start of a line, and where its colon ends.
pub(super) fn key_of(content: &str) -> Option<(Cow<'_, str>, usize)> {
    let (key, end) = match content.as_bytes()[0] {
        b'\'' | b'"' => quoted(content)?,
        _ => {
            let end = plain_end(content);
            (Cow::Borrowed(&content[..end]), end)
        }
    };
    let rest = content[end..].strip_prefix(':')?;
    let is_plain = is_plain_start(content) || content.starts_with(['\'', '"']);
    (is_plain && ends(rest) && !key.ends_with(' ') && end <= KEY_BYTES_MAX).then_some((key, end + 1))
}

/// Where a plain text ends: at a colon before a space or the end, or at a comment.
fn plain_end(content: &str) -> usize {
    let bytes = content.as_bytes();
    let is_end = |at: &usize| match bytes[*at] {
        b':' => bytes.get(at + 1).is_none_or(|next| *next == b' '),
        _ => *at > 0 && bytes[at - 1] == b' ',
    };
    memchr::memchr2_iter(b':', b'#', bytes).find(is_end).unwrap_or(bytes.len())
}

/// May a plain text begin like this (YAML 1.2.2, 7.3.3)?
pub(super) fn is_plain_start(content: &str) -> bool {
    match content.as_bytes()[0] {
        b'-' | b'?' | b':' => content.len() > 1 && !ends(&content[1..]),
        first => !b",[]{}#&*!|>'\"%@`".contains(&first),
    }
}

/// The plain text that a line's content is.
pub(super) fn plain(content: &str) -> Option<&str> {
    let end = plain_end(content);
    let is_whole = content.as_bytes().get(end).is_none_or(|byte| *byte == b'#');
    (is_plain_start(content) && is_whole).then(|| content[..end].trim_end_matches(' '))
}

/// The text between the quotes at the start of a line, and where they end; `None` for escapes that are rare.
pub(super) fn quoted(content: &str) -> Option<(Cow<'_, str>, usize)> {
    let bytes = content.as_bytes();
    let (quote, escape) = (bytes[0], if bytes[0] == b'"' { b'\\' } else { b'\'' });
    let mut text = String::new();
    let mut from = 1;
    let mut at = 1;
    loop {
        at += memchr::memchr2(quote, escape, bytes.get(at..)?)?;
        let next = bytes.get(at + 1).copied();
        if bytes[at] == quote && (quote == b'"' || next != Some(quote)) {
            break;
        }
        text.push_str(&content[from..at]);
        text.push(match (escape, next?) {
            (b'\'', _) => '\'',
            (_, b'n') => '\n',
            (_, b't') => '\t',
            (_, b'r') => '\r',
            (_, plain @ (b'"' | b'\\' | b'/')) => char::from(plain),
            _ => return None,
        });
        at += 2;
        from = at;
    }
    if from == 1 {
        return Some((Cow::Borrowed(&content[1..at]), at + 1));
    }
    text.push_str(&content[from..at]);
    Some((Cow::Owned(text), at + 1))
}
