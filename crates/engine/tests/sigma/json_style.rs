//! The same JSON value, written in other ways: escapes where none are needed, keys too, and space between the parts.

use proptest::prelude::*;
use serde_json::Value;

/// How a value is written.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Of so many characters of a text one is written as an escape; 0 for those alone that must be.
    pub escaped: usize,
    /// Are keys written so as well?
    pub in_keys: bool,
    /// Is there space between the parts?
    pub is_spaced: bool,
}

impl Style {
    /// Nothing escaped without need, no space.
    pub const PLAIN: Style = Style { escaped: 0, in_keys: false, is_spaced: false };

    /// Any style; half of them escape nothing without need.
    pub fn any() -> impl Strategy<Value = Style> {
        let escaped = prop_oneof![3 => Just(0), 1 => Just(1), 2 => 2..5usize];
        (escaped, any::<bool>(), any::<bool>()).prop_map(|(escaped, in_keys, is_spaced)| Style {
            escaped,
            in_keys,
            is_spaced,
        })
    }
}

/// `value` as JSON text.
pub fn spell(value: &Value, style: Style) -> String {
    let mut out = String::new();
    put(value, style, &mut out);
    out
}

fn put(value: &Value, style: Style, out: &mut String) {
    let space = if style.is_spaced { " \n" } else { "" };
    match value {
        Value::String(text) => put_text(text, style.escaped, out),
        Value::Array(elements) => {
            out.push('[');
            for (at, element) in elements.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                out.push_str(space);
                put(element, style, out);
            }
            out.push_str(space);
            out.push(']');
        }
        Value::Object(entries) => {
            out.push('{');
            for (at, (key, inner)) in entries.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                out.push_str(space);
                put_text(key, if style.in_keys { style.escaped } else { 0 }, out);
                out.push_str(space);
                out.push(':');
                out.push_str(space);
                put(inner, style, out);
            }
            out.push_str(space);
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}

fn put_text(text: &str, escaped: usize, out: &mut String) {
    out.push('"');
    for (at, c) in text.chars().enumerate() {
        let is_escaped = escaped > 0 && at % escaped == 0;
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '/' if is_escaped => out.push_str("\\/"),
            '\n' if !is_escaped => out.push_str("\\n"),
            '\t' if !is_escaped => out.push_str("\\t"),
            c if is_escaped || c < ' ' => {
                for (place, unit) in c.encode_utf16(&mut [0; 2]).iter().enumerate() {
                    out.push_str(&if (at + place) % 2 == 0 {
                        format!("\\u{unit:04x}")
                    } else {
                        format!("\\u{unit:04X}")
                    });
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

proptest! {
    #[test]
    fn spelling_changes_nothing(text in "\\PC{0,20}|[\\x00-\\x7f]{0,20}", style in Style::any()) {
        let value = serde_json::json!({&text: [&text, 1, null], "b": {}});
        prop_assert_eq!(serde_json::from_str::<Value>(&spell(&value, style)).expect("JSON"), value);
    }
}
