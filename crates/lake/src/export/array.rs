//! Columns of values, by their shape.

use std::sync::Arc;

use arrow_array::builder::{MapBuilder, MapFieldNames, StringBuilder};
use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, ListArray, StringArray, StructArray};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field};
use serde_json::{Map, Value};

use super::shape::{FREE, Kind, Scalar, Shape, fields, item};

/// The column of `values`, one for each row.
pub(super) fn of(name: &str, shape: &Shape, values: &[Option<&Value>]) -> ArrayRef {
    if FREE.contains(&name) {
        return map(values);
    }
    match shape.kind() {
        Kind::Scalar(Scalar::Bool) => {
            Arc::new(values.iter().map(|value| value.and_then(Value::as_bool)).collect::<BooleanArray>())
        }
        Kind::Scalar(Scalar::Int) => {
            Arc::new(values.iter().map(|value| value.and_then(Value::as_i64)).collect::<Int64Array>())
        }
        Kind::Scalar(Scalar::Float) => {
            Arc::new(values.iter().map(|value| value.and_then(Value::as_f64)).collect::<Float64Array>())
        }
        Kind::Scalar(Scalar::Text) => {
            Arc::new(values.iter().map(|value| value.and_then(text)).collect::<StringArray>())
        }
        Kind::Object(inner) => object(inner, values),
        Kind::List(items) => list(items, values),
    }
}

fn object(inner: &[(String, Shape)], values: &[Option<&Value>]) -> ArrayRef {
    let column = |(name, shape): &(String, Shape)| {
        let below: Vec<Option<&Value>> = values.iter().map(|value| value.and_then(|value| value.get(name))).collect();
        of(name, shape, &below)
    };
    let there = NullBuffer::from_iter(values.iter().map(|value| value.is_some_and(Value::is_object)));
    Arc::new(StructArray::new(fields(inner), inner.iter().map(column).collect(), Some(there)))
}

fn list(items: &Shape, values: &[Option<&Value>]) -> ArrayRef {
    let lists: Vec<Option<&Vec<Value>>> = values.iter().map(|value| value.and_then(Value::as_array)).collect();
    let lengths = OffsetBuffer::from_lengths(lists.iter().map(|list| list.map_or(0, Vec::len)));
    let all: Vec<Option<&Value>> = lists.iter().flatten().flat_map(|list| list.iter().map(Some)).collect();
    let there = NullBuffer::from_iter(lists.iter().map(Option::is_some));
    Arc::new(ListArray::new(Arc::new(item(items)), lengths, of("element", items, &all), Some(there)))
}

fn names() -> MapFieldNames {
    MapFieldNames { entry: "key_value".into(), key: "key".into(), value: "value".into() }
}

/// The type of the free object: paths to text.
pub(super) fn map_type() -> DataType {
    let names = names();
    let pair = vec![Field::new(names.key, DataType::Utf8, false), Field::new(names.value, DataType::Utf8, true)];
    DataType::Map(Arc::new(Field::new(names.entry, DataType::Struct(pair.into()), false)), false)
}

fn map(values: &[Option<&Value>]) -> ArrayRef {
    let mut builder = MapBuilder::new(Some(names()), StringBuilder::new(), StringBuilder::new());
    for value in values {
        if let Some(object) = value.and_then(Value::as_object) {
            flat("", object, &mut |path, value| {
                builder.keys().append_value(path);
                builder.values().append_option(text(value));
            });
        }
        builder.append(value.is_some()).expect("every key has a value");
    }
    Arc::new(builder.finish())
}

/// Every value of an object that is none itself, with its path.
fn flat(before: &str, object: &Map<String, Value>, each: &mut dyn FnMut(&str, &Value)) {
    for (name, value) in object {
        let path = if before.is_empty() { name.clone() } else { format!("{before}.{name}") };
        match value {
            Value::Object(inner) => flat(&path, inner, each),
            value => each(&path, value),
        }
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        value => Some(value.to_string()),
    }
}
