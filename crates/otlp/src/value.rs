//! A value of OTLP (`AnyValue`) as plain JSON: what it stands for.

use serde_json::{Map, Number, Value};

/// The plain JSON of a value that stands in `raw`; `None` where it is none, and it stays as it is.
pub(crate) fn plain(raw: &str) -> Option<String> {
    let value = flatten(serde_json::from_str(raw).ok()?)?;
    Some(value.to_string())
}

fn flatten(value: Value) -> Option<Value> {
    let Value::Object(object) = value else { return None };
    let (kind, value) = object.into_iter().next()?;
    match (kind.as_str(), value) {
        ("stringValue" | "bytesValue", text @ Value::String(_)) => Some(text),
        ("boolValue", switch @ Value::Bool(_)) => Some(switch),
        ("doubleValue" | "intValue", number @ Value::Number(_)) => Some(number),
        ("doubleValue", Value::String(word)) => Some(Value::String(word)),
        ("intValue", Value::String(digits)) => digits.parse::<i64>().ok().map(|number| Number::from(number).into()),
        ("arrayValue", Value::Object(mut list)) => Some(Value::Array(
            values(list.remove("values"))?.into_iter().map(|v| flatten(v).unwrap_or_default()).collect(),
        )),
        ("kvlistValue", Value::Object(mut list)) => {
            let pairs = values(list.remove("values"))?.into_iter().filter_map(pair);
            Some(Value::Object(pairs.collect::<Map<_, _>>()))
        }
        _ => None,
    }
}

/// The elements of a list; an empty list may be left out.
fn values(list: Option<Value>) -> Option<Vec<Value>> {
    match list {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(Value::Array(values)) => Some(values),
        Some(_) => None,
    }
}

fn pair(pair: Value) -> Option<(String, Value)> {
    let Value::Object(mut pair) = pair else { return None };
    let Some(Value::String(key)) = pair.remove("key") else { return None };
    Some((key, pair.remove("value").and_then(flatten).unwrap_or_default()))
}
