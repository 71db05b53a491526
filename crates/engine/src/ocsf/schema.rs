//! The published OCSF schema, as far as it says what is valid: classes, objects, attributes, their types and values.
//!
//! In: `schemas/ocsf-1.8.0.json`, an extract made by `conformance/schemas/extract.py`. It is read once, when first asked for.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// Of what kind the value of an attribute is, as OCSF names it without `_t`: `string`, `ip`, `timestamp`, `object`…
pub type TypeName = String;

/// One attribute, where a class or an object has it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// Its type.
    #[serde(rename = "t")]
    pub kind: TypeName,
    /// Of an object: which.
    #[serde(rename = "o", default)]
    pub object: String,
    /// Is it a list of such values?
    #[serde(rename = "list", default)]
    pub is_list: bool,
    /// Must it be there?
    #[serde(rename = "required", default)]
    pub is_required: bool,
    /// The numbers that it may have, with their captions; empty where any value is right.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
    /// The attribute that has the caption of this one's number.
    #[serde(default)]
    pub sibling: Option<String>,
    /// It is there only with one of these profiles; empty where always.
    #[serde(default)]
    pub profiles: Vec<String>,
}

/// What a class and an object have in common: attributes, and how many of some there must be.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Shape {
    /// One of these must be there, or more.
    #[serde(default)]
    pub any_of: Vec<String>,
    /// Exactly one of these must be there.
    #[serde(default)]
    pub one_of: Vec<String>,
    /// Name to number of the attribute in [`Schema`].
    attributes: BTreeMap<String, usize>,
}

/// A class of events.
#[derive(Clone, Debug, Deserialize)]
pub struct Class {
    /// Its name, such as `API Activity`.
    pub caption: String,
    /// Its category.
    pub category_uid: u32,
    /// The name of its category.
    pub category_name: String,
    /// The profiles that its events may carry.
    pub profiles: Vec<String>,
    /// Its attributes.
    #[serde(flatten)]
    pub shape: Shape,
}

/// What a type asks of a value.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Rule {
    /// An expression that it must match somewhere.
    #[serde(default)]
    pub regex: Option<String>,
    /// The least and the greatest number.
    #[serde(default)]
    pub range: Option<(i64, i64)>,
    /// How long it may be, in characters.
    #[serde(default)]
    pub max_len: Option<usize>,
}

/// The schema.
#[derive(Debug, Deserialize)]
pub struct Schema {
    /// Its version.
    pub version: String,
    /// What types ask for, by their name; a type that is not here asks for nothing but its JSON type.
    pub types: BTreeMap<TypeName, Rule>,
    classes: BTreeMap<String, Class>,
    objects: BTreeMap<String, Shape>,
    attributes: Vec<Attribute>,
}

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../schemas/ocsf-1.8.0.json")).expect("the extract is JSON of this shape")
});

/// The schema of [`OCSF_VERSION`](super::OCSF_VERSION).
pub fn schema() -> &'static Schema {
    &SCHEMA
}

impl Schema {
    /// The class with this `class_uid`.
    pub fn class(&self, uid: u32) -> Option<&Class> {
        self.classes.get(&uid.to_string())
    }

    /// The object of this name.
    pub fn object(&self, name: &str) -> Option<&Shape> {
        self.objects.get(name)
    }

    /// An attribute of a class or object, whatever profile it needs.
    pub fn attribute(&self, shape: &Shape, name: &str) -> Option<&Attribute> {
        self.attributes.get(*shape.attributes.get(name)?)
    }

    /// All attributes of a class or object, by name.
    pub fn attributes<'a>(&'a self, shape: &'a Shape) -> impl Iterator<Item = (&'a str, &'a Attribute)> {
        shape.attributes.iter().map(|(name, at)| (name.as_str(), &self.attributes[*at]))
    }
}

impl Attribute {
    /// Is it there with these profiles?
    pub fn is_in<S: AsRef<str>>(&self, profiles: &[S]) -> bool {
        self.profiles.is_empty() || self.profiles.iter().any(|needed| profiles.iter().any(|has| has.as_ref() == needed))
    }

    /// Is it an object with attributes of its own?
    pub fn is_object(&self) -> bool {
        self.kind == "object"
    }

    /// The number with this caption, in any case.
    pub fn number(&self, caption: &str) -> Option<i64> {
        self.values.iter().find(|(_, known)| known.eq_ignore_ascii_case(caption))?.0.parse().ok()
    }
}
