//! What events look like: the union of all that have been seen.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::{DataType, Field, Fields, Schema};
use serde_json::{Map, Value};

use super::array;

/// The objects whose attributes are each feed's own, in OCSF and in ECS as Watchkeep writes it.
pub(super) const FREE: [&str; 2] = ["unmapped", "watchkeep"];

/// What has been seen at one place.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Shape {
    /// The scalar that all scalars fit in.
    scalar: Option<Scalar>,
    /// Attributes of objects, in the order in which they came.
    pub fields: Vec<(String, Shape)>,
    /// What is in lists.
    pub items: Option<Box<Shape>>,
}

/// A type of scalars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    Bool,
    Int,
    Float,
    Text,
}

/// What a place is, once all is known.
pub(super) enum Kind<'s> {
    Scalar(Scalar),
    Object(&'s [(String, Shape)]),
    List(&'s Shape),
}

impl Shape {
    /// Takes in a value.
    pub fn note(&mut self, value: &Value) {
        match value {
            Value::Null => {}
            Value::Bool(_) => self.scalar(Scalar::Bool),
            Value::Number(number) if number.is_i64() => self.scalar(Scalar::Int),
            Value::Number(_) => self.scalar(Scalar::Float),
            Value::String(_) => self.scalar(Scalar::Text),
            Value::Array(items) => {
                let shape = self.items.get_or_insert_default();
                items.iter().for_each(|item| shape.note(item));
            }
            Value::Object(object) => self.object(object),
        }
    }

    fn object(&mut self, object: &Map<String, Value>) {
        for (name, value) in object {
            let at = self.fields.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
                self.fields.push((name.clone(), Shape::default()));
                self.fields.len() - 1
            });
            self.fields[at].1.note(value);
        }
    }

    fn scalar(&mut self, seen: Scalar) {
        self.scalar = Some(match (self.scalar, seen) {
            (None, seen) => seen,
            (Some(known), seen) if known == seen => seen,
            (Some(Scalar::Int | Scalar::Float), Scalar::Int | Scalar::Float) => Scalar::Float,
            _ => Scalar::Text,
        });
    }

    /// What the place is; where kinds differ from event to event it is text, with what is no text as JSON.
    pub fn kind(&self) -> Kind<'_> {
        match (self.scalar, self.fields.is_empty(), &self.items) {
            (None, false, None) => Kind::Object(&self.fields),
            (None, true, Some(items)) => Kind::List(items),
            (Some(scalar), true, None) => Kind::Scalar(scalar),
            _ => Kind::Scalar(Scalar::Text),
        }
    }

    /// Columns of the file.
    pub fn schema(&self) -> Schema {
        Schema::new(fields(&self.fields))
    }

    /// The values of the rows, by column.
    pub fn columns(&self, rows: &[Value]) -> Vec<ArrayRef> {
        let column = |(name, shape): &(String, Shape)| {
            let values: Vec<Option<&Value>> = rows.iter().map(|row| row.get(name)).collect();
            array::of(name, shape, &values)
        };
        self.fields.iter().map(column).collect()
    }
}

pub(super) fn fields(of: &[(String, Shape)]) -> Fields {
    of.iter().map(|(name, shape)| Field::new(name, data_type(name, shape), true)).collect()
}

/// The Arrow type of a place.
pub(super) fn data_type(name: &str, shape: &Shape) -> DataType {
    if FREE.contains(&name) {
        return array::map_type();
    }
    match shape.kind() {
        Kind::Scalar(Scalar::Bool) => DataType::Boolean,
        Kind::Scalar(Scalar::Int) => DataType::Int64,
        Kind::Scalar(Scalar::Float) => DataType::Float64,
        Kind::Scalar(Scalar::Text) => DataType::Utf8,
        Kind::Object(inner) => DataType::Struct(fields(inner)),
        Kind::List(items) => DataType::List(Arc::new(item(items))),
    }
}

/// The elements of a list.
pub(super) fn item(items: &Shape) -> Field {
    Field::new("element", data_type("element", items), true)
}
