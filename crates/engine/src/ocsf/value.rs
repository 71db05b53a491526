//! A column's text as the JSON value that OCSF asks for.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Value, json};

use super::schema::{Attribute, schema};
use crate::source::{Unit, time};

static PATTERNS: LazyLock<BTreeMap<&'static str, Regex>> = LazyLock::new(|| {
    let pattern = |rule: &str| Regex::new(rule).expect("the schema's expressions are ones that this library knows");
    let rules = schema().types.iter().filter_map(|(name, rule)| Some((name.as_str(), rule.regex.as_deref()?)));
    rules.map(|(name, rule)| (name, pattern(rule))).collect()
});

/// The value, if the text can be one of the attribute's type.
pub(super) fn typed(attribute: &Attribute, text: &str) -> Option<Value> {
    let value = match attribute.kind.as_str() {
        "boolean" => Value::Bool(boolean(text)?),
        "integer" | "long" if !attribute.values.is_empty() => json!(of_the_known(attribute, text)?),
        "integer" | "long" | "port" => json!(whole(text)?),
        "float" => json!(text.trim().parse::<f64>().ok().filter(|number| number.is_finite())?),
        "timestamp" => json!(time::parse(text.trim(), Unit::Auto)?.millis()),
        "datetime" => json!(time::parse(text.trim(), Unit::Auto)?.to_string()),
        "json" => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)),
        "object" => return None,
        _ => Value::from(text),
    };
    is_right(&attribute.kind, &value).then_some(value)
}

/// Has the value the JSON type, the form and the range of a type?
pub(super) fn is_right(kind: &str, value: &Value) -> bool {
    let is_json_type = match kind {
        "boolean" => value.is_boolean(),
        "integer" | "long" | "port" | "timestamp" => value.as_i64().is_some(),
        "float" => value.is_number(),
        "json" => true,
        "object" => value.is_object(),
        _ => value.is_string(),
    };
    let Some(rule) = schema().types.get(kind) else { return is_json_type };
    let text = value.as_str().unwrap_or_default();
    is_json_type
        && rule.max_len.is_none_or(|max| text.chars().count() <= max)
        && rule.range.is_none_or(|(least, most)| value.as_i64().is_some_and(|n| (least..=most).contains(&n)))
        && PATTERNS.get(kind).is_none_or(|pattern| pattern.is_match(text))
        && (kind != "ip" || text.trim().split('%').next().is_some_and(|text| text.parse::<IpAddr>().is_ok()))
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// A number as written, also as `2356.0`, which is how CloudTrail writes bytes, and as `0x1f4`, which is how Windows writes the ids of
/// processes; of `0.25` what is whole.
pub(crate) fn whole(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Some(digits) = text.strip_prefix("0x") {
        return i64::from_str_radix(digits, 16).ok();
    }
    text.parse().ok().or_else(|| {
        let number: f64 = text.parse().ok()?;
        (number.is_finite() && number.abs() < 9e15).then_some(number as i64)
    })
}

/// One of the attribute's numbers: by its number, or by its caption; 99 for any other that has a name.
fn of_the_known(attribute: &Attribute, text: &str) -> Option<i64> {
    if let Some(number) = attribute.number(text) {
        return Some(number);
    }
    let number = whole(text)?;
    attribute.values.contains_key(&number.to_string()).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: &str, text: &str) -> Option<Value> {
        typed(&Attribute { kind: kind.into(), ..Attribute::default() }, text)
    }

    #[test]
    fn text_becomes_the_type_that_the_schema_asks_for() {
        assert_eq!(read("long", "2356.0"), Some(json!(2356)));
        assert_eq!(read("integer", "0x1f4"), Some(json!(500)));
        assert_eq!(read("port", "70000"), None);
        assert_eq!(read("boolean", "Yes"), Some(json!(true)));
        assert_eq!(read("timestamp", "2024-01-01T00:00:00Z"), Some(json!(1_704_067_200_000_i64)));
        assert_eq!(read("datetime", "1704067200"), Some(json!("2024-01-01T00:00:00.000Z")));
        assert_eq!(read("ip", "10.0.0.1"), Some(json!("10.0.0.1")));
        assert_eq!(read("ip", "2001:db8::1"), Some(json!("2001:db8::1")));
        assert_eq!(read("ip", "kms.amazonaws.com"), None);
        assert_eq!(read("float", "NaN"), None);
        assert_eq!(read("json", "{\"a\":1}"), Some(json!({"a": 1})));
    }

    #[test]
    fn a_known_number_is_read_by_its_caption() {
        let attribute =
            schema().attribute(&schema().class(4001).expect("it is there").shape, "status_id").expect("too");
        assert_eq!(typed(attribute, "failure"), Some(json!(2)));
        assert_eq!(typed(attribute, "2"), Some(json!(2)));
        assert_eq!(typed(attribute, "7"), None);
    }
}
