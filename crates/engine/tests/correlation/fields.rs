//! Fields of records and numbers in them, as the page of correlations has them.

use std::collections::BTreeMap;
use std::rc::Rc;

use engine::sigma::Linked;
use serde_json::Value;

/// Numbers are counted in millionths.
pub const ONE: i128 = 1_000_000;

/// An event as the rule that it matches sees it, or as a finding beneath does, whose group is fixed.
#[derive(Clone, Debug)]
pub struct Fact {
    pub id: String,
    pub time: i64,
    pub value: Rc<Value>,
    pub fixed: BTreeMap<String, String>,
}

/// Every value under `path`; lists count as their elements.
pub fn lookup(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| lookup(element, path, found)),
        Value::Object(entries) => {
            for (key, inner) in entries {
                if key == path {
                    texts(inner, found);
                } else if let Some(rest) = path.strip_prefix(key.as_str()).and_then(|rest| rest.strip_prefix('.')) {
                    lookup(inner, rest, found);
                }
            }
        }
        _ => {}
    }
}

fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| texts(element, found)),
        Value::String(text) => found.push(text.clone()),
        Value::Number(_) | Value::Bool(_) => found.push(value.to_string()),
        Value::Null | Value::Object(_) => {}
    }
}

fn values(fact: &Fact, field: &str) -> Vec<String> {
    let mut found = Vec::new();
    match fact.fixed.get(field) {
        Some(value) => found.push(value.clone()),
        None => lookup(&fact.value, field, &mut found),
    }
    found
}

/// Every combination of the values of `fields`, the first field changing slowest.
pub fn tuples<F: AsRef<str>>(linked: &Linked, fields: &[F], member: usize, fact: &Fact) -> Vec<Vec<String>> {
    let mut tuples: Vec<Vec<String>> = vec![Vec::new()];
    for field in fields {
        let found = values(fact, linked.field(field.as_ref(), member));
        let longer = |tuple: &Vec<String>| {
            let tuple = tuple.clone();
            found.clone().into_iter().map(move |value| [tuple.clone(), vec![value]].concat())
        };
        tuples = tuples.iter().flat_map(longer).collect();
    }
    tuples
}

/// A number in millionths.
pub fn number(text: &str) -> Option<i128> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let based = |prefix: &str, base| text.strip_prefix(prefix).map(|digits| i128::from_str_radix(digits, base).ok());
    let whole = based("0x", 16).or_else(|| based("0o", 8)).unwrap_or_else(|| text.parse().ok());
    let is_numeric = |byte: u8| byte.is_ascii_digit() || b".-+eE".contains(&byte);
    let number = match whole {
        Some(whole) => whole.checked_mul(ONE)?,
        None if text.bytes().all(is_numeric) => millionths(text.parse().ok()?),
        None => return None,
    };
    (number.abs() <= ONE * 10_i128.pow(18)).then_some(number)
}

/// The number of millionths nearest to `number`.
pub fn millionths(number: f64) -> i128 {
    (number * 1e6).round() as i128
}
