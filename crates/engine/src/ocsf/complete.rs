//! What the schema asks for beside what the columns hold: captions and their numbers, and required attributes that the feed has not.
//!
//! OCSF wants a required attribute to be there even if nobody knows its value: a number is then 0, text is `Unknown`. An optional
//! object that cannot be made valid is kept below `unmapped` instead.

use serde_json::{Map, Value, json};

use super::schema::{Attribute, Class, Schema, Shape, schema};
use super::{UNMAPPED, tree};

const UNKNOWN: &str = "Unknown";
/// Of several that would do, the one that says most.
const PREFERRED: [&str; 10] = [
    "name",
    "uid",
    "hostname",
    "service",
    "src_endpoint",
    "http_request",
    "database",
    "application",
    "applications",
    "user",
];

/// Completes events of one class.
pub(super) struct Completer<'a> {
    schema: &'static Schema,
    profiles: &'a [String],
    /// Paths of required attributes that got a value for "nobody knows".
    pub missing: Vec<String>,
    /// What could not stay where it was, with its path.
    pub moved: Vec<(String, Value)>,
    /// The name of the product, which stands in for a service or application that has none.
    product: String,
}

impl<'a> Completer<'a> {
    pub fn new(profiles: &'a [String], product: &str) -> Completer<'a> {
        let (missing, moved) = (Vec::new(), Vec::new());
        Completer { schema: schema(), profiles, missing, moved, product: product.to_owned() }
    }

    /// A finding without an id of its own has that of its event.
    pub fn finding(&self, event: &mut Map<String, Value>, id: &str) {
        if let Some(info) = event.get_mut("finding_info").and_then(Value::as_object_mut) {
            info.entry("uid").or_insert_with(|| id.into());
        }
    }

    /// Makes the event of a class complete.
    pub fn event(&mut self, event: &mut Map<String, Value>, class: &Class) {
        self.object(event, &class.shape, "", true);
        for (path, value) in std::mem::take(&mut self.moved) {
            self.missing.retain(|missing| !missing.starts_with(&format!("{path}.")));
            tree::keep(event, UNMAPPED, &path, value);
        }
    }

    /// Makes an object complete; `false` if it cannot be.
    fn object(&mut self, tree: &mut Map<String, Value>, shape: &Shape, path: &str, is_required: bool) -> bool {
        let schema = self.schema;
        let profiles = self.profiles;
        let here: Vec<(&str, &Attribute)> =
            schema.attributes(shape).filter(|(_, attribute)| attribute.is_in(profiles)).collect();
        for (name, attribute) in &here {
            self.inside(tree, name, attribute, path);
        }
        for (name, attribute) in &here {
            caption(tree, name, attribute);
        }
        for (name, attribute) in here.iter().filter(|(_, attribute)| attribute.is_required) {
            if !tree.contains_key(*name) && !self.fill(tree, name, attribute, path) {
                return false;
            }
        }
        self.one_of_several(tree, shape, path, is_required)
    }

    /// Completes what is already there; what cannot be valid is moved away.
    fn inside(&mut self, tree: &mut Map<String, Value>, name: &str, attribute: &Attribute, path: &str) {
        if !attribute.is_object() || attribute.object == "object" {
            return;
        }
        let (Some(shape), Some(value)) = (self.schema.object(&attribute.object), tree.get_mut(name)) else { return };
        let path = join(path, name);
        let known = self.missing.len();
        let is_valid = match value {
            Value::Array(list) => {
                let mut objects = list.iter_mut().filter_map(Value::as_object_mut);
                objects.all(|object| self.object(object, shape, &path, attribute.is_required))
            }
            Value::Object(object) => self.object(object, shape, &path, attribute.is_required),
            _ => false,
        };
        if !is_valid {
            self.missing.truncate(known);
            let value = tree.remove(name).expect("it was there above");
            let value = match value {
                Value::Array(list) if list.len() == 1 => list.into_iter().next().unwrap_or_default(),
                value => value,
            };
            self.moved.push((path, value));
        }
    }

    /// Gives a required attribute its value for "nobody knows", or what follows from its neighbours.
    fn fill(&mut self, tree: &mut Map<String, Value>, name: &str, attribute: &Attribute, path: &str) -> bool {
        let path = join(path, name);
        let value = if !attribute.values.is_empty() {
            let follows = follows_number(tree, name);
            json!(follows.unwrap_or(if attribute.values.contains_key("0") { 0 } else { 99 }))
        } else if attribute.is_object() {
            let Some(shape) = self.schema.object(&attribute.object) else { return false };
            let mut object = Map::new();
            if !self.object(&mut object, shape, &path, true) {
                return false;
            }
            Value::Object(object)
        } else if matches!(
            attribute.kind.as_str(),
            "integer" | "long" | "port" | "float" | "boolean" | "timestamp" | "ip"
        ) {
            return false;
        } else if let Some(text) = follows_text(tree, name) {
            Value::from(text)
        } else {
            self.missing.push(path);
            Value::from(UNKNOWN)
        };
        tree.insert(name.to_owned(), if attribute.is_list { json!([value]) } else { value });
        true
    }

    /// Where one of several must be there and none is, adds the one that says most.
    fn one_of_several(&mut self, tree: &mut Map<String, Value>, shape: &Shape, path: &str, is_required: bool) -> bool {
        let (schema, profiles) = (self.schema, self.profiles);
        let is_there = |name: &String| tree::at(tree, name).is_some();
        if shape.any_of.is_empty() || shape.any_of.iter().any(is_there) {
            return true;
        }
        let is_text = |name: &str| schema.attribute(shape, name).is_some_and(|one| !one.is_object());
        let preferred = PREFERRED.into_iter().filter(|name| is_required || is_text(name));
        let mut wanted = preferred.filter(|name| shape.any_of.iter().any(|one| one == name));
        let Some(name) = wanted.next().filter(|name| schema.attribute(shape, name).is_some_and(|a| a.is_in(profiles)))
        else {
            return false;
        };
        let Some(attribute) = schema.attribute(shape, name) else { return false };
        if matches!(name, "service" | "application") {
            tree.insert(name.into(), json!({"name": self.product}));
            return true;
        }
        self.fill(tree, name, attribute, path)
    }
}

/// A number has its caption beside it, and a caption its number: 99, which means another, where the schema does not know it.
fn caption(tree: &mut Map<String, Value>, name: &str, attribute: &Attribute) {
    let Some(sibling) = attribute.sibling.as_ref().filter(|_| !attribute.values.is_empty() && !attribute.is_list)
    else {
        return;
    };
    match (tree.get(name).and_then(Value::as_i64), tree.get(sibling).and_then(Value::as_str)) {
        (Some(number), None) => {
            if let Some(caption) = attribute.values.get(&number.to_string()) {
                tree.insert(sibling.clone(), caption.as_str().into());
            }
        }
        (None, Some(text)) => {
            let other = attribute.values.contains_key("99").then_some(99);
            if let Some(number) = attribute.number(text).or(other) {
                tree.insert(name.to_owned(), number.into());
            }
        }
        _ => {}
    }
}

/// What the value of a hash says of its algorithm.
fn follows_number(tree: &Map<String, Value>, name: &str) -> Option<i64> {
    let value = (name == "algorithm_id").then(|| tree.get("value")?.as_str()).flatten()?;
    match value.len() {
        32 => Some(1),
        40 => Some(2),
        64 => Some(3),
        128 => Some(4),
        _ => None,
    }
}

/// The name of a file is the end of its path.
fn follows_text(tree: &Map<String, Value>, name: &str) -> Option<String> {
    let path = (name == "name").then(|| tree.get("path")?.as_str()).flatten()?;
    path.rsplit(['/', '\\']).find(|part| !part.is_empty()).map(str::to_owned)
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
