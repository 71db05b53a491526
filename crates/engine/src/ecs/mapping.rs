//! `mapping.yml`: which fields are read from which columns.
//!
//! In: our own text, which is part of the program; so what is wrong in it is a bug and ends it. Out: rules.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use model::EntityKind;
use regex::Regex;

use crate::yaml::{self, Node};

/// How a value is read from a column.
#[derive(Debug, Default)]
pub(super) struct Rule {
    pub column: String,
    matches: Option<Regex>,
    map: BTreeMap<String, String>,
    other: Option<String>,
    lower: bool,
    times: Option<f64>,
    classes: Vec<u32>,
}

/// Values of entities and fields that are related to an event.
#[derive(Debug, Default)]
pub(super) struct Related {
    pub entities: Vec<EntityKind>,
    pub fields: Vec<String>,
}

/// What events of a class are.
#[derive(Debug, Default)]
pub(super) struct Kind {
    pub kind: String,
    pub category: Vec<String>,
    types: BTreeMap<String, Vec<String>>,
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Mapping {
    pub fields: Vec<(String, Vec<Rule>)>,
    pub related: Vec<(String, Related)>,
    classes: BTreeMap<String, Kind>,
}

static MAPPING: LazyLock<Mapping> = LazyLock::new(|| read(include_str!("mapping.yml")));

pub(super) fn mapping() -> &'static Mapping {
    &MAPPING
}

impl Rule {
    /// What a column's value becomes in events of a class.
    pub fn apply(&self, text: &str, class: u32) -> Option<String> {
        if !self.classes.is_empty() && !self.classes.contains(&class) {
            return None;
        }
        let mut text = match &self.matches {
            None => text,
            Some(pattern) => {
                let found = pattern.captures(text)?;
                found.get(1).or_else(|| found.get(0))?.as_str()
            }
        };
        if self.other.is_some() || !self.map.is_empty() {
            text = self.map.get(text).or(self.other.as_ref())?;
        }
        match self.times {
            Some(factor) => Some(((text.trim().parse::<f64>().ok()? * factor).round() as i64).to_string()),
            None if self.lower => Some(text.to_lowercase()),
            None => Some(text.to_owned()),
        }
    }
}

impl Mapping {
    /// What events of a class are.
    pub fn kind(&self, class: u32) -> &Kind {
        self.classes.get(&class.to_string()).unwrap_or_else(|| &self.classes["other"])
    }
}

impl Kind {
    /// The types of an activity.
    pub fn types(&self, activity: u32) -> &[String] {
        self.types.get(&activity.to_string()).or_else(|| self.types.get("other")).map_or(&[], Vec::as_slice)
    }
}

fn read(text: &str) -> Mapping {
    let (documents, wrong) = yaml::parse(text);
    assert!(wrong.is_empty(), "{wrong:#?}");
    let root = &documents[0].root;
    let part = |name: &str| entries(root.get(name).expect("the mapping has this part"));
    Mapping {
        fields: part("fields").map(|(name, node)| (name, list(node).iter().map(rule).collect())).collect(),
        related: part("related").map(|(name, node)| (name, related(node))).collect(),
        classes: part("classes").map(|(name, node)| (name, kind(node))).collect(),
    }
}

fn entries<'n>(node: &'n Node<'_>) -> impl Iterator<Item = (String, &'n Node<'n>)> {
    node.as_map().expect("a map").iter().map(|entry| (entry.key.to_string(), &entry.value))
}

fn list<'n, 'a>(node: &'n Node<'a>) -> &'n [Node<'a>] {
    node.as_list().unwrap_or(std::slice::from_ref(node))
}

fn text(node: &Node<'_>) -> String {
    node.as_str().expect("text").to_owned()
}

fn texts(node: &Node<'_>) -> Vec<String> {
    list(node).iter().map(text).collect()
}

fn rule(node: &Node<'_>) -> Rule {
    if node.as_map().is_none() {
        return Rule { column: text(node), ..Rule::default() };
    }
    let mut rule = Rule::default();
    for (key, node) in entries(node) {
        match key.as_str() {
            "column" => rule.column = text(node),
            "matches" => rule.matches = Some(Regex::new(&text(node)).expect("an expression")),
            "map" => rule.map = entries(node).map(|(from, to)| (from, text(to))).collect(),
            "other" => rule.other = Some(text(node)),
            "lower" => rule.lower = true,
            "times" => rule.times = Some(text(node).parse().expect("a number")),
            "class" => rule.classes = texts(node).iter().map(|class| class.parse().expect("a class_uid")).collect(),
            key => panic!("a reading has no key `{key}`"),
        }
    }
    rule
}

fn related(node: &Node<'_>) -> Related {
    let kinds = node.get("entities").map(texts).unwrap_or_default();
    Related {
        entities: kinds.iter().map(|kind| EntityKind::parse(kind).expect("a kind of entity")).collect(),
        fields: node.get("fields").map(texts).unwrap_or_default(),
    }
}

fn kind(node: &Node<'_>) -> Kind {
    Kind {
        kind: node.get("kind").map_or_else(|| "event".to_owned(), text),
        category: texts(node.get("category").expect("a category")),
        types: entries(node.get("type").expect("types")).map(|(activity, node)| (activity, texts(node))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecs::schema::field;

    #[test]
    fn every_field_of_the_mapping_is_one_of_the_published_list() {
        let fields = mapping().fields.iter().map(|(name, _)| name);
        let unknown: Vec<&String> = fields.filter(|name| field(name).is_none()).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        let values = mapping().related.iter().all(|(name, related)| {
            field(name).is_some_and(|field| field.is_list) && related.fields.iter().all(|name| field(name).is_some())
        });
        assert!(values, "{:?}", mapping().related);
    }

    #[test]
    fn every_class_has_a_category_and_types_that_go_with_it() {
        let known = &field("event.category").expect("a field").values;
        for (class, kind) in &mapping().classes {
            assert!(field("event.kind").expect("a field").values.contains_key(&kind.kind), "{class}");
            for one in kind.types.values().flatten() {
                assert!(kind.category.iter().any(|category| known[category].contains(one)), "{class}: {one}");
            }
        }
    }

    #[test]
    fn a_rule_shapes_what_it_reads() {
        let rule = Rule { matches: Some(Regex::new("(?i)^TLSv?([0-9.]+)$").unwrap()), ..Rule::default() };
        assert_eq!(rule.apply("TLSv1.2", 0).as_deref(), Some("1.2"));
        assert_eq!(rule.apply("none", 0), None);
        let rule = Rule { times: Some(1e6), classes: vec![4002], ..Rule::default() };
        assert_eq!(rule.apply("1.5", 4002).as_deref(), Some("1500000"));
        assert_eq!(rule.apply("1.5", 6003), None);
        let map = BTreeMap::from([("Success".to_owned(), "success".to_owned())]);
        let rule = Rule { map, other: Some("unknown".into()), ..Rule::default() };
        assert_eq!(rule.apply("Success", 0).as_deref(), Some("success"));
        assert_eq!(rule.apply("New", 0).as_deref(), Some("unknown"));
    }
}
