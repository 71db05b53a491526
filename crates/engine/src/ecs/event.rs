//! An event as ECS.

use std::collections::{BTreeMap, BTreeSet};

use model::SourceId;
use serde_json::{Map, Value, json};

use super::ECS_VERSION;
use super::mapping::{Rule, mapping};
use super::schema::{Field, field};
use crate::event::Event;
use crate::ocsf::{Options, activity_caption, tree};
use crate::source::Source;

/// Where what has no field of ECS stands.
const OWN: &str = "watchkeep";

/// Converts events of the sources that it was made for. It is made once and shared by all threads.
#[derive(Debug, Default)]
pub struct Exporter {
    datasets: BTreeMap<SourceId, (String, String)>,
}

impl Exporter {
    /// For these sources.
    pub fn new(sources: &[Source]) -> Exporter {
        let names = |source: &Source| {
            let id = source.id.as_str();
            let (module, rest) = id.split_once('_').unwrap_or((id, "event"));
            (source.id.clone(), (module.to_owned(), format!("{module}.{rest}")))
        };
        Exporter { datasets: sources.iter().map(names).collect() }
    }

    /// The event as ECS.
    pub fn export(&self, event: &Event<'_>, options: Options) -> Value {
        let mut made = Making { event, tree: Map::new(), used: BTreeSet::new() };
        made.tree.insert("@timestamp".into(), event.time().to_string().into());
        made.tree.insert("ecs".into(), json!({"version": ECS_VERSION}));
        made.overrides();
        made.columns();
        made.kind();
        if let Some((module, dataset)) = self.datasets.get(&event.source().id) {
            made.put_text("event.module", module);
            made.put_text("event.dataset", dataset);
        }
        made.put_text("event.ingested", &event.received().to_string());
        if options.raw_data {
            made.put_text("event.original", &event.redacted());
        }
        made.related();
        made.own();
        Value::Object(made.tree)
    }
}

struct Making<'e, 'a> {
    event: &'e Event<'a>,
    tree: Map<String, Value>,
    /// Columns that became fields.
    used: BTreeSet<&'e str>,
}

impl<'e> Making<'e, '_> {
    fn has(&self, name: &str) -> bool {
        tree::at(&self.tree, name).is_some()
    }

    fn put(&mut self, name: &str, value: Value) {
        tree::put(&mut self.tree, name, value, &|_| false);
    }

    fn put_text(&mut self, name: &str, text: &str) {
        if let Some(value) = field(name).and_then(|field| field.typed(text)).filter(|_| !self.has(name)) {
            self.put(name, value);
        }
    }

    /// What the source says of itself.
    fn overrides(&mut self) {
        let event = self.event;
        for (name, values) in event.plan.ecs(&event.record()) {
            let Some(field) = field(name) else { continue };
            self.take(name, field, values.into_iter());
        }
    }

    /// Puts the first value that fits, of a list all of them; says whether there was one.
    fn take(&mut self, name: &str, field: &Field, values: impl Iterator<Item = String>) -> bool {
        let mut values = values.filter_map(|text| field.typed(&text));
        let value = if field.is_list {
            let mut all: Vec<Value> = Vec::new();
            values.filter(|value| !value.is_null()).for_each(|value| {
                if !all.contains(&value) {
                    all.push(value);
                }
            });
            (!all.is_empty()).then_some(Value::Array(all))
        } else {
            values.next()
        };
        let Some(value) = value else { return false };
        self.put(name, value);
        true
    }

    fn columns(&mut self) {
        for (name, rules) in &mapping().fields {
            let Some(field) = field(name).filter(|_| !self.has(name)) else { continue };
            for rule in rules {
                let Some((column, values)) = self.read(rule, field) else { continue };
                if self.take(name, field, values.into_iter()) {
                    self.used.extend(column);
                    if !field.is_list {
                        break;
                    }
                }
            }
        }
    }

    /// The values that a rule reads, and the column's name as the event has it.
    fn read(&self, rule: &Rule, field: &Field) -> Option<(Option<&'e str>, Vec<String>)> {
        let (event, class) = (self.event, self.event.source().ocsf.class_uid);
        if rule.column == "activity" {
            let text = activity_caption(event);
            return Some((None, rule.apply(&text, class).into_iter().collect()));
        }
        let (column, text) = event.columns_ref().get_key_value(&rule.column)?;
        let all = if field.is_list { event.plan.column_values(column, &event.record()) } else { vec![text.clone()] };
        let values: Vec<String> = all.iter().filter_map(|text| rule.apply(text, class)).collect();
        (!values.is_empty()).then_some((Some(column.as_str()), values))
    }

    /// `event.kind`, `event.category` and `event.type`.
    fn kind(&mut self) {
        let event = self.event;
        let kind = mapping().kind(event.source().ocsf.class_uid);
        self.put_text("event.kind", &kind.kind);
        let activity = event.plan.activity.choose(&event.record());
        let categories = tree::at(&self.tree, "event.category").cloned().unwrap_or_else(|| json!(kind.category));
        let known = &field("event.category").expect("a field of ECS").values;
        let goes_with = |one: &&String| {
            let all = categories.as_array().into_iter().flatten().filter_map(Value::as_str);
            all.into_iter().any(|category| known.get(category).is_some_and(|types| types.contains(one)))
        };
        let own = tree::at(&self.tree, "event.type").and_then(Value::as_array).cloned().unwrap_or_default();
        let own: Vec<String> = own.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect();
        let mut types: Vec<&String> = Vec::new();
        for one in own.iter().chain(kind.types(activity)).filter(goes_with) {
            if !types.contains(&one) {
                types.push(one);
            }
        }
        let types = if types.is_empty() { json!(["info"]) } else { json!(types) };
        self.put("event.category", categories);
        tree::set(&mut self.tree, "event.type", types);
    }

    fn related(&mut self) {
        for (name, related) in &mapping().related {
            let entities = self.event.entities_ref().iter().filter(|entity| related.entities.contains(&entity.kind));
            let mut values: Vec<String> = entities.map(|entity| entity.key.clone()).collect();
            for path in &related.fields {
                let value = tree::at(&self.tree, path);
                match value {
                    Some(Value::Array(list)) => values.extend(list.iter().filter_map(Value::as_str).map(str::to_owned)),
                    Some(Value::String(text)) => values.push(text.clone()),
                    _ => {}
                }
            }
            let Some(field) = field(name) else { continue };
            self.take(name, field, values.into_iter());
        }
    }

    /// What has no field: the columns that are left, and what only Watchkeep knows.
    fn own(&mut self) {
        let event = self.event;
        tree::keep(&mut self.tree, OWN, "source", event.source().id.as_str().into());
        tree::keep(&mut self.tree, OWN, "event_id", event.id().to_string().into());
        tree::keep(&mut self.tree, OWN, "class_uid", event.source().ocsf.class_uid.into());
        tree::keep(&mut self.tree, OWN, "lane", event.lane().to_string().into());
        for (column, text) in event.columns_ref().iter().filter(|(column, _)| !self.used.contains(column.as_str())) {
            tree::keep(&mut self.tree, OWN, column, text.as_str().into());
        }
    }
}
