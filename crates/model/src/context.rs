use serde::{Deserialize, Serialize};

use crate::Entity;

/// Who says something about an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// The site's inventory.
    Inventory,
    /// A table of where addresses are.
    Geo,
    /// A list of known bad things.
    Intel,
}

impl Provider {
    /// The provider's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Provider::Inventory => "inventory",
            Provider::Geo => "geo",
            Provider::Intel => "intel",
        }
    }
}

/// One thing that is known about an entity: `class` is `weights`. Names may stand several times.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fact {
    /// What it is about.
    pub name: String,
    /// What it is.
    pub value: String,
}

impl Fact {
    /// A fact of these words.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Fact {
        Fact { name: name.into(), value: value.into() }
    }
}

/// What is known about one entity of a finding, as of its event's time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Enrichment {
    /// The entity.
    pub entity: Entity,
    /// Who says so.
    pub provider: Provider,
    /// Is the entity known to the provider? An inventory that holds things of this kind, but not this one, says `false`.
    pub known: bool,
    /// What is known, the most telling first.
    pub facts: Vec<Fact>,
}

impl Enrichment {
    /// The facts on one line, such as `bucket, class weights, owner custody`; `unknown` where there are none.
    pub fn summary(&self) -> String {
        let mut text = String::new();
        if !self.known {
            text.push_str("unknown");
        }
        for fact in &self.facts {
            if !text.is_empty() {
                text.push_str(", ");
            }
            text.push_str(&fact.name);
            text.push(' ');
            text.push_str(&fact.value);
        }
        text
    }
}
