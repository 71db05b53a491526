//! The members of an object, and its texts: for a value that is known to be JSON.

use super::{plain_end, skip_space};

/// Each member of an object, as written: its key without the quotes, and its value. Nothing where `object` is no object.
pub(crate) fn members(object: &str) -> impl Iterator<Item = (&str, &str)> {
    let bytes = object.as_bytes();
    let mut at = skip_space(bytes, 0);
    let is_object = bytes.get(at) == Some(&b'{');
    std::iter::from_fn(move || {
        if !is_object {
            return None;
        }
        let quote = skip_space(bytes, at + 1);
        if bytes.get(quote) != Some(&b'"') {
            return None;
        }
        let key_end = text_end(bytes, quote + 1);
        let value = skip_space(bytes, skip_space(bytes, key_end + 1) + 1);
        let end = value_end(bytes, value);
        at = skip_space(bytes, end);
        Some((object.get(quote + 1..key_end)?, object.get(value..end)?))
    })
}

/// The position of the quote that ends the text whose first byte is at `at`, or the end.
pub(crate) fn text_end(bytes: &[u8], mut at: usize) -> usize {
    loop {
        at = plain_end(bytes, at);
        match bytes.get(at) {
            Some(b'\\') => at += 2,
            Some(b'"') | None => return at.min(bytes.len()),
            Some(_) => at += 1,
        }
    }
}

/// Where the value that starts at `at` ends.
fn value_end(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0_usize;
    loop {
        match bytes.get(at) {
            None => return bytes.len(),
            Some(b'"') => at = (text_end(bytes, at + 1) + 1).min(bytes.len()),
            Some(b'{' | b'[') => (depth, at) = (depth + 1, at + 1),
            Some(b'}' | b']') if depth == 0 => return at,
            Some(b'}' | b']') => (depth, at) = (depth - 1, at + 1),
            Some(b',') if depth == 0 => return at,
            Some(byte) if byte.is_ascii_whitespace() && depth == 0 => return at,
            Some(_) => {
                at += 1;
                continue;
            }
        }
        if depth == 0 {
            return at;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::members;

    #[test]
    fn members_are_as_written() {
        let object = r#" { "a" : 1 , "b\"" :{"c":[1,"}]"]}, "d":"x\\" ,"e":null} "#;
        let all: Vec<_> = members(object).collect();
        assert_eq!(all, [("a", "1"), ("b\\\"", r#"{"c":[1,"}]"]}"#), ("d", r#""x\\""#), ("e", "null")]);
        for none in ["", "[]", "{}", "{", "[{\"a\":1}]", "\"a\""] {
            assert_eq!(members(none).count(), 0, "{none}");
        }
    }

    proptest! {
        #[test]
        fn members_are_those_that_a_parser_finds(texts in prop::collection::vec((".{0,6}", ".{0,9}"), 0..5), pretty: bool) {
            let object: Value = texts.iter().map(|(k, v)| (k.clone(), serde_json::json!([v, {"k": v}, 1.5]))).collect::<serde_json::Map<_, _>>().into();
            let written = if pretty { serde_json::to_string_pretty(&object) } else { serde_json::to_string(&object) }.unwrap();
            let read: serde_json::Map<String, Value> = members(&written)
                .map(|(key, value)| (serde_json::from_str(&format!("\"{key}\"")).unwrap(), serde_json::from_str(value).unwrap()))
                .collect();
            prop_assert_eq!(Value::Object(read), object);
        }

        #[test]
        fn no_text_makes_it_panic_or_go_on_for_ever(text in "[{}\\[\\]\",:\\\\a1 é]{0,40}") {
            prop_assert!(members(&text).count() <= text.len());
        }
    }
}
