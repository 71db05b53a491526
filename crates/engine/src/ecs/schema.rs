//! The published list of ECS fields: their types, which are lists, and what some may say.
//!
//! In: `schemas/ecs-9.4.0.json`, an extract made by `conformance/schemas/extract.py`. It is read once, when first asked for.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::ocsf::whole;
use crate::source::{Unit, time};

/// A field.
#[derive(Clone, Debug, Deserialize)]
pub struct Field {
    /// Its type, as Elasticsearch names it.
    #[serde(rename = "t")]
    pub kind: String,
    /// Is it always written as a list?
    #[serde(rename = "list", default)]
    pub is_list: bool,
    /// What it may say, and of `event.category` the types that go with it; empty where any value is right.
    #[serde(default)]
    pub values: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct Schema {
    version: String,
    fields: BTreeMap<String, Field>,
}

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../schemas/ecs-9.4.0.json")).expect("the extract is JSON of this shape")
});

/// The field of this name.
pub fn field(name: &str) -> Option<&'static Field> {
    SCHEMA.fields.get(name)
}

/// The version of the list.
pub fn version() -> &'static str {
    &SCHEMA.version
}

impl Field {
    /// The value that a text says, if the field can hold it.
    pub fn typed(&self, text: &str) -> Option<Value> {
        let value = match self.kind.as_str() {
            "long" | "integer" => json!(whole(text)?),
            "float" | "scaled_float" | "double" => {
                json!(text.trim().parse::<f64>().ok().filter(|number| number.is_finite())?)
            }
            "boolean" => json!(text.to_ascii_lowercase().parse::<bool>().ok()?),
            "date" => json!(time::parse(text.trim(), Unit::Auto)?.to_string()),
            "ip" => json!(text.trim().parse::<IpAddr>().ok()?.to_string()),
            "object" | "flattened" | "nested" | "geo_point" => return None,
            _ => Value::from(text),
        };
        self.allows(&value).then_some(value)
    }

    /// Has a value the field's type, and is it one that it may say?
    pub fn allows(&self, value: &Value) -> bool {
        let is_type = match self.kind.as_str() {
            "long" | "integer" => value.as_i64().is_some(),
            "float" | "scaled_float" | "double" => value.is_number(),
            "boolean" => value.is_boolean(),
            "date" => value.as_str().is_some_and(|text| time::parse(text, Unit::Auto).is_some()),
            "ip" => value.as_str().is_some_and(|text| text.parse::<IpAddr>().is_ok()),
            "object" | "flattened" | "nested" => value.is_object(),
            _ => value.is_string(),
        };
        is_type && (self.values.is_empty() || value.as_str().is_some_and(|text| self.values.contains_key(text)))
    }
}
