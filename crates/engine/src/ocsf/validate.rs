//! Is an event valid against the published schema?
//!
//! In: an event as JSON, anybody's. Out: everything that is wrong with it, each with its path. It knows the schema's extract and nothing
//! of how [`super::Exporter`] works.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value};

use super::schema::{Attribute, Class, Shape, schema};
use super::{tree, value};

/// One thing that is wrong with an event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// Where: a path, without places in lists.
    pub path: String,
    /// What.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.what)
    }
}

/// Holds events against the schema.
#[derive(Clone, Debug, Default)]
pub struct Validator {
    profiles: Vec<String>,
    wrong: BTreeSet<Violation>,
}

impl Validator {
    /// Everything that is wrong with the event, without repeats, by path.
    pub fn check(event: &Value) -> Vec<Violation> {
        let mut validator = Validator::default();
        validator.event(event);
        validator.wrong.into_iter().collect()
    }

    fn say(&mut self, path: &str, what: impl Into<String>) {
        self.wrong.insert(Violation { path: path.to_owned(), what: what.into() });
    }

    fn event(&mut self, event: &Value) {
        let Some(tree) = event.as_object() else { return self.say("", "an event is an object") };
        let uid = event["class_uid"].as_u64().unwrap_or(u64::MAX);
        let Some(class) = u32::try_from(uid).ok().and_then(|uid| schema().class(uid)) else {
            return self.say("class_uid", format!("there is no class {}", event["class_uid"]));
        };
        if let Some(profiles) = event["metadata"]["profiles"].as_array() {
            self.profiles = profiles.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect();
        }
        for profile in self.profiles.clone().iter().filter(|profile| !class.profiles.contains(profile)) {
            self.say("metadata.profiles", format!("`{}` does not offer the profile `{profile}`", class.caption));
        }
        self.head(event, uid, class);
        self.object(tree, &class.shape, "");
    }

    /// What follows from the class.
    fn head(&mut self, event: &Value, uid: u64, class: &Class) {
        let activity = event["activity_id"].as_u64().unwrap_or_default();
        for (name, right) in [("category_uid", u64::from(class.category_uid)), ("type_uid", uid * 100 + activity)] {
            if event[name].as_u64() != Some(right) {
                self.say(name, format!("{} where {right} is right", event[name]));
            }
        }
        for (name, right) in [("class_name", &class.caption), ("category_name", &class.category_name)] {
            if event[name].as_str().is_some_and(|text| text != right) {
                self.say(name, format!("{} where `{right}` is right", event[name]));
            }
        }
        if event["metadata"]["version"].as_str() != Some(schema().version.as_str()) {
            self.say("metadata.version", format!("{} is not {}", event["metadata"]["version"], schema().version));
        }
    }

    fn object(&mut self, tree: &Map<String, Value>, shape: &Shape, path: &str) {
        for (name, value) in tree {
            let path = join(path, name);
            match schema().attribute(shape, name) {
                None => self.say(&path, "there is no such attribute"),
                Some(attribute) if !attribute.is_in(&self.profiles) => {
                    self.say(&path, format!("it needs one of the profiles {:?}", attribute.profiles));
                }
                Some(attribute) => self.attribute(attribute, value, &path),
            }
        }
        for (name, attribute) in schema().attributes(shape) {
            if attribute.is_required && attribute.is_in(&self.profiles) && !tree.contains_key(name) {
                self.say(&join(path, name), "it is required");
            }
            self.sibling(tree, name, attribute, path);
        }
        let count = |names: &[String]| names.iter().filter(|name| tree::at(tree, name).is_some()).count();
        if !shape.any_of.is_empty() && count(&shape.any_of) == 0 {
            self.say(path, format!("at least one of {:?} is required", shape.any_of));
        }
        if !shape.one_of.is_empty() && count(&shape.one_of) != 1 {
            self.say(path, format!("exactly one of {:?} is required", shape.one_of));
        }
    }

    fn attribute(&mut self, attribute: &Attribute, value: &Value, path: &str) {
        match (attribute.is_list, value) {
            (true, Value::Array(list)) => list.iter().for_each(|value| self.one(attribute, value, path)),
            (true, _) => self.say(path, "a list is right"),
            (false, value) => self.one(attribute, value, path),
        }
    }

    fn one(&mut self, attribute: &Attribute, value: &Value, path: &str) {
        if !value::is_right(&attribute.kind, value) {
            return self.say(path, format!("{value} is no {}", attribute.kind));
        }
        let number = value.as_i64().map(|number| number.to_string());
        if let Some(number) = number.filter(|n| !attribute.values.is_empty() && !attribute.values.contains_key(n)) {
            self.say(path, format!("{number} is not one of {:?}", attribute.values.keys().collect::<Vec<_>>()));
        }
        if let (Some(object), Some(shape)) = (value.as_object(), schema().object(&attribute.object)) {
            // The object `object` is one of which nothing is said.
            if attribute.object != "object" {
                self.object(object, shape, path);
            }
        }
    }

    /// A number and its caption say the same; 99 stands for any other.
    fn sibling(&mut self, tree: &Map<String, Value>, name: &str, attribute: &Attribute, path: &str) {
        let Some(sibling) = &attribute.sibling else { return };
        let (Some(number), Some(text)) =
            (tree.get(name).and_then(Value::as_i64), tree.get(sibling).and_then(Value::as_str))
        else {
            return;
        };
        let caption = attribute.values.get(&number.to_string());
        if number != 99 && caption.is_some_and(|caption| !caption.eq_ignore_ascii_case(text)) {
            self.say(&join(path, sibling), format!("`{text}` is not what {name} {number} means"));
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
