//! An event as OCSF: its class, its columns in their places and with their types, what the schema asks for beside them.

use std::collections::BTreeMap;

use model::{Entity, EntityKind, SourceId};
use serde_json::{Map, Value, json};

use super::complete::Completer;
use super::mapping::{Mapping, Place};
use super::schema::{Class, schema};
use super::{OCSF_VERSION, UNMAPPED, tree, value};
use crate::event::Event;
use crate::source::Source;

/// Converts events of the sources that it was made for. It is made once and shared by all threads.
#[derive(Debug, Default)]
pub struct Exporter {
    mappings: BTreeMap<SourceId, Mapping>,
}

/// How events are converted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The record goes along as `raw_data`, its sensitive values replaced by their size and digest.
    pub raw_data: bool,
}

/// An event as OCSF.
#[derive(Clone, Debug, PartialEq)]
pub struct Exported {
    /// The event.
    pub event: Value,
    /// Paths of required attributes that the record does not have; they say `Unknown`.
    pub missing: Vec<String>,
    /// Columns for which the class has no place; they stand below `unmapped`.
    pub unplaced: Vec<String>,
}

impl Exporter {
    /// For these sources. A source of a class that the schema does not have is left out: its events are base events, all unmapped.
    pub fn new(sources: &[Source]) -> Exporter {
        let mapping = |source: &Source| Some((source.id.clone(), Mapping::of(source)?));
        Exporter { mappings: sources.iter().filter_map(mapping).collect() }
    }

    /// The event as OCSF; `None` if its source's class is not one of the schema.
    pub fn export(&self, event: &Event<'_>, options: Options) -> Option<Exported> {
        let mapping = self.mappings.get(&event.source().id)?;
        let mut made = Making { event, mapping, tree: Map::new(), unplaced: Vec::new() };
        made.head();
        made.columns();
        made.metadata();
        made.observables();
        if options.raw_data {
            made.tree.insert("raw_data".into(), event.redacted().into());
        }
        Some(made.finish())
    }
}

struct Making<'e, 'a> {
    event: &'e Event<'a>,
    mapping: &'e Mapping,
    tree: Map<String, Value>,
    unplaced: Vec<String>,
}

impl Making<'_, '_> {
    fn head(&mut self) {
        let (event, class) = (self.event, self.mapping.class);
        let severity = event.plan.severity.choose(&event.record());
        let (activity, caption, name) = activity(event, class);
        let head = json!({
            "time": event.time().millis(),
            "class_uid": self.mapping.class_uid,
            "class_name": class.caption,
            "category_uid": class.category_uid,
            "category_name": class.category_name,
            "activity_id": activity,
            "activity_name": name,
            "type_uid": u64::from(self.mapping.class_uid) * 100 + u64::from(activity),
            "type_name": format!("{}: {caption}", class.caption),
            "severity_id": severity,
        });
        self.tree = head.as_object().cloned().unwrap_or_default();
        if self.mapping.profiles.iter().any(|profile| profile == "datetime") {
            self.tree.insert("time_dt".into(), event.time().to_string().into());
        }
    }

    fn columns(&mut self) {
        for (column, text) in self.event.columns_ref() {
            if let Some(name) = column.strip_prefix("unmapped.") {
                tree::keep(&mut self.tree, UNMAPPED, name, text.as_str().into());
            } else if let Some(place) = self.mapping.places.get(column) {
                self.put(column, place, text);
            } else {
                self.unplaced(column, text);
            }
        }
    }

    fn put(&mut self, column: &str, place: &Place, text: &str) {
        let Some(value) = self.value(column, place, text) else { return self.beside(column, place, text) };
        tree::put(&mut self.tree, &place.path, value, &|step| place.lists[step]);
    }

    /// The value of a column; of a list all that the record has.
    fn value(&self, column: &str, place: &Place, text: &str) -> Option<Value> {
        if !place.attribute.is_list {
            return value::typed(place.attribute, text);
        }
        let all = self.event.plan.column_values(column, &self.event.record());
        // A header such as X-Forwarded-For has several addresses in one text.
        let parts = |text: &'_ String| -> Vec<String> {
            let is_several = place.attribute.kind == "ip" && text.contains(',');
            if is_several { text.split(',').map(|part| part.trim().to_owned()).collect() } else { vec![text.clone()] }
        };
        let values: Vec<Value> =
            all.iter().flat_map(parts).filter_map(|text| value::typed(place.attribute, &text)).collect();
        (!values.is_empty()).then_some(Value::Array(values))
    }

    /// What does not fit its attribute. In place of an address some feeds have the name of a host or service.
    fn beside(&mut self, column: &str, place: &Place, text: &str) {
        let parent = place.path.strip_suffix(".ip").filter(|_| place.attribute.kind == "ip");
        let Some(parent) = parent else { return self.unplaced(column, text) };
        let is_host = !text.contains(|c: char| c.is_whitespace() || c == '/' || c == ':');
        let path = format!("{parent}.{}", if is_host { "hostname" } else { "name" });
        if tree::at(&self.tree, &path).is_some() || self.event.columns_ref().contains_key(&path) {
            return self.unplaced(column, text);
        }
        tree::put(&mut self.tree, &path, text.into(), &|step| place.lists[step]);
    }

    fn unplaced(&mut self, column: &str, text: &str) {
        tree::keep(&mut self.tree, UNMAPPED, column, text.into());
        self.unplaced.push(column.to_owned());
    }

    fn metadata(&mut self) {
        let event = self.event;
        let mut labels = vec![format!("lane:{}", event.lane())];
        labels.extend(event.is_time_of_receipt().then(|| "time:received".to_owned()));
        let own = [
            ("version", json!(OCSF_VERSION)),
            ("uid", json!(event.id().to_string())),
            ("log_name", json!(event.source().id)),
            ("logged_time", json!(event.received().millis())),
            ("profiles", json!(self.mapping.profiles)),
            ("labels", json!(labels)),
        ];
        let metadata = self.tree.entry("metadata").or_insert_with(|| json!({}));
        let Some(metadata) = metadata.as_object_mut() else { return };
        metadata.extend(own.map(|(name, value)| (name.to_owned(), value)));
        let product = metadata.entry("product").or_insert_with(|| json!({}));
        if let Some(product) = product.as_object_mut() {
            product.entry("name").or_insert_with(|| event.source().title.as_str().into());
        }
    }

    fn observables(&mut self) {
        let columns = self.event.columns_ref();
        let place = |entity: &Entity| {
            let is_its = |(column, text): &(&String, &String)| **text == entity.key && !column.starts_with("unmapped.");
            let (column, _) = columns.iter().find(is_its)?;
            Some(self.mapping.places.get(column)?.path.clone())
        };
        let observable = |entity: &Entity| {
            let (type_id, kind) = kind(entity);
            let mut made = json!({"type_id": type_id, "type": kind, "value": entity.key});
            if let Some(path) = place(entity) {
                made["name"] = path.into();
            }
            made
        };
        let all: Vec<Value> = self.event.entities_ref().iter().map(observable).collect();
        if !all.is_empty() {
            self.tree.insert("observables".into(), all.into());
        }
    }

    fn finish(mut self) -> Exported {
        let product = tree::at(&self.tree, "metadata.product.name").and_then(Value::as_str).unwrap_or_default();
        let mut completer = Completer::new(&self.mapping.profiles, product);
        completer.finding(&mut self.tree, &self.event.id().to_string());
        completer.event(&mut self.tree, self.mapping.class);
        Exported { missing: completer.missing, unplaced: self.unplaced, event: Value::Object(self.tree) }
    }
}

/// OCSF's type of observable for an entity.
pub(super) fn kind(entity: &Entity) -> (u32, &'static str) {
    match entity.kind {
        EntityKind::Address => (2, "IP Address"),
        EntityKind::Host => (1, "Hostname"),
        EntityKind::Person if entity.key.contains('@') => (5, "Email Address"),
        EntityKind::Person => (4, "User Name"),
        EntityKind::Principal => (31, "User Object: uid"),
        EntityKind::Account => (35, "Account Object: uid"),
        EntityKind::Credential => (19, "User Credential ID"),
        _ => (10, "Resource UID"),
    }
}

/// An activity's number, what the class calls it, and what it is called here: of another one, what the record says.
fn activity(event: &Event<'_>, class: &Class) -> (u32, &'static str, String) {
    let (activity, said) = event.plan.activity.choose_with(&event.record());
    let known = schema().attribute(&class.shape, "activity_id");
    let caption = known.and_then(|known| known.values.get(&activity.to_string())).map_or("Other", String::as_str);
    (activity, caption, said.filter(|_| activity == 99).unwrap_or_else(|| caption.to_owned()))
}

/// What an event's activity is called.
pub(crate) fn activity_caption(event: &Event<'_>) -> String {
    schema().class(event.source().ocsf.class_uid).map(|class| activity(event, class).2).unwrap_or_default()
}
