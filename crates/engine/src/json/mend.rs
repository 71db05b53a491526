//! Numbers that Python writes and JSON has no word for.

use std::fmt::Write as _;

use super::members::text_end;

/// The words; the longer before the one that it starts with.
const WORDS: [&str; 3] = ["-Infinity", "Infinity", "NaN"];

/// The text with each `NaN`, `Infinity` and `-Infinity` that stands as a value made a text of that name; `None` where there is none.
///
/// Python's `json` writes them, and so do the evaluation frameworks that are written in it. A rule can then ask for `NaN`, which `null` would hide.
pub fn mended(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let (mut at, mut copied, mut out) = (0, 0, String::new());
    while let Some(&byte) = bytes.get(at) {
        if byte == b'"' {
            at = text_end(bytes, at + 1) + 1;
            continue;
        }
        let word =
            WORDS.into_iter().find(|word| bytes[at..].starts_with(word.as_bytes()) && stands_alone(bytes, at, word));
        let Some(word) = word else {
            at += 1;
            continue;
        };
        write!(out, "{}\"{word}\"", &text[copied..at]).expect("writing to a string never fails");
        at += word.len();
        copied = at;
    }
    (copied > 0).then(|| out + &text[copied..])
}

/// Is the word a value, and not a part of a longer word?
fn stands_alone(bytes: &[u8], at: usize, word: &str) -> bool {
    let before = bytes[..at].iter().rev().find(|byte| !byte.is_ascii_whitespace());
    let after = bytes.get(at + word.len());
    matches!(before, Some(b':' | b',' | b'['))
        && after.is_none_or(|byte| matches!(byte, b',' | b']' | b'}') || byte.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::mended;

    #[test]
    fn words_that_stand_as_values_become_texts_and_nothing_else_changes() {
        let text = r#"{"a":NaN,"b": [ -Infinity , Infinity],"NaN":"NaN, Infinity","c\"":[NaN]}"#;
        let wanted = r#"{"a":"NaN","b": [ "-Infinity" , "Infinity"],"NaN":"NaN, Infinity","c\"":["NaN"]}"#;
        assert_eq!(mended(text).as_deref(), Some(wanted));
    }

    #[test]
    fn what_is_broken_otherwise_stays_so() {
        for text in [
            "",
            "{}",
            r#"{"a":NaNs}"#,
            r#"{"a":xNaN}"#,
            r#"{"a":--Infinity}"#,
            "NaN",
            r#"{"a":"NaN"}"#,
            r#"{"a":"NaN"#,
            "é NaN",
        ] {
            assert_eq!(mended(text), None, "{text}");
        }
    }
}
