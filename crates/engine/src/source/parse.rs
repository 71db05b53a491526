//! Reading `source.yml`: every key is known, every mistake is told with its place and remedy.

mod ecs;
mod expected;
mod identity;
mod routes;
mod sensitive;
mod shape;
mod text;
mod within;

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

use model::{Diagnostic, EntityKind, SourceId};
use regex::Regex;

use super::{Cadence, Choice, OcsfClass, Reading, Recognise, Required, Source, SourceFormat, TimePath, Unit};
use crate::yaml::{self, Entry, Node, form};

const KEYS: [&str; 29] = [
    "id",
    "title",
    "description",
    "format",
    "logsource",
    "recognise",
    "unwrap",
    "within",
    "nan",
    "remap",
    "transparent",
    "pairs",
    "fields",
    "time",
    "identity",
    "ocsf",
    "sentence",
    "columns",
    "entities",
    "ecs",
    "actor",
    "links",
    "sensitive",
    "prompts",
    "cadence",
    "volume",
    "required",
    "enable",
    "blind_spots",
];

pub(super) fn parse(text: &str) -> (Option<Source>, Vec<Diagnostic>) {
    let (documents, wrong) = yaml::parse(text);
    let mut form = Form(form::Form::new("a source", wrong));
    let Some(document) = documents.first() else {
        if form.wrong.is_empty() {
            form.refuse_empty("give it an `id` and a `title`");
        }
        return (None, form.0.wrong);
    };
    let source = form.source(&document.root);
    let is_usable = !form.wrong.iter().any(Diagnostic::is_error);
    (source.filter(|_| is_usable), form.0.wrong)
}

/// Reads the nodes of a source.
struct Form(form::Form);

impl Deref for Form {
    type Target = form::Form;

    fn deref(&self) -> &form::Form {
        &self.0
    }
}

impl DerefMut for Form {
    fn deref_mut(&mut self) -> &mut form::Form {
        &mut self.0
    }
}

impl Form {
    fn source(&mut self, root: &Node<'_>) -> Option<Source> {
        let entries = self.map(root, &KEYS)?;
        for key in ["id", "title", "logsource", "time", "ocsf"] {
            if root.get(key).is_none() {
                let message = format!("the source has no `{key}`");
                self.wrong.push(root.error("missing-key", message, format!("add `{key}:`; see the other sources")));
            }
        }
        let mut source = empty();
        for entry in entries {
            self.top(&mut source, entry);
        }
        self.check_actor(root, &source);
        self.check_sensitive(root, &mut source);
        let is_text = source.text_formats().next().is_some();
        let is_json = source.formats.contains(&SourceFormat::Json) || root.get("format").is_none();
        if source.recognise.is_empty() && (is_json || !is_text) {
            let remedy = "add `recognise:` with the keys that only its records have";
            self.wrong.push(root.error("missing-key", "nothing says which records are of the source", remedy));
        }
        Some(source)
    }

    fn top(&mut self, source: &mut Source, entry: &Entry<'_>) {
        let node = &entry.value;
        match &*entry.key {
            "id" => source.id = SourceId::new(self.text(node)),
            "title" => source.title = self.text(node),
            "description" => source.description = self.text(node).trim().to_owned(),
            "format" => (source.formats, source.inside) = self.formats(node),
            "logsource" => {
                source.routes = self.routes(node);
                source.logsources = routes::logsources(&source.routes);
            }
            "recognise" => source.recognise = self.list(node).iter().map(|node| self.recognise(node)).collect(),
            "unwrap" => source.unwrap = self.texts(node),
            "within" => source.within = self.list(node).iter().filter_map(|node| self.within(node)).collect(),
            "nan" => source.reads_nan = self.nan(node),
            "remap" => source.remap = self.remap(node),
            "transparent" => source.transparent = self.transparent(node),
            "pairs" => source.pairs = self.list(node).iter().map(|node| self.pairs_of(node)).collect(),
            "fields" => source.fields = self.lists(node),
            "time" => source.time = self.list(node).iter().map(|node| self.time(node)).collect(),
            "identity" => source.identity = self.list(node).iter().map(|node| self.texts(node)).collect(),
            "ocsf" => source.ocsf = self.ocsf(node),
            "sentence" => source.sentence = Some(self.text(node)),
            "columns" => {
                source.column_readings = self.columns(node);
                source.columns = shown(&source.column_readings);
            }
            "entities" => {
                source.entity_readings = self.entities(node);
                source.entities = shown(&source.entity_readings);
            }
            "ecs" => source.ecs = self.ecs(node),
            "actor" => source.actor = self.named(node),
            "links" => source.links = self.links(node),
            "sensitive" => source.sensitive = self.texts(node),
            "prompts" => source.prompts = self.texts(node),
            "cadence" => source.cadence = self.cadence(node),
            "volume" => source.volume = self.volume(node),
            "required" => source.required = self.required(node),
            "enable" => source.enable = self.text(node),
            "blind_spots" => source.blind_spots = self.texts(node),
            _ => {}
        }
    }

    fn number(&mut self, node: &Node<'_>) -> u32 {
        let number = node.as_str().and_then(|text| text.parse().ok());
        number.unwrap_or_else(|| {
            let message = format!("here is {}, not a whole number", node.noun());
            self.wrong.push(node.error("wrong-type", message, "write an OCSF number, such as 6003"));
            0
        })
    }

    fn recognise(&mut self, node: &Node<'_>) -> Recognise {
        let mut recognise = Recognise::default();
        for entry in self.map(node, &["has", "lacks", "equals", "prefix"]).unwrap_or_default() {
            match &*entry.key {
                "has" => recognise.has = self.texts(&entry.value),
                "lacks" => recognise.lacks = self.texts(&entry.value),
                "equals" => recognise.equals = self.lists(&entry.value),
                "prefix" => recognise.prefix = self.lists(&entry.value),
                _ => {}
            }
        }
        if recognise == Recognise::default() {
            self.wrong.push(node.error("empty-recognise", "this holds for every record", "add `has:` or `equals:`"));
        }
        recognise
    }

    fn time(&mut self, node: &Node<'_>) -> TimePath {
        if node.as_map().is_none() {
            return TimePath { path: self.text(node), ..TimePath::default() };
        }
        let mut time = TimePath::default();
        for entry in self.map(node, &["path", "template", "unit"]).unwrap_or_default() {
            match (&*entry.key, entry.value.as_str()) {
                ("path", _) => time.path = self.text(&entry.value),
                ("template", _) => time.template = Some(self.text(&entry.value)),
                ("unit", Some("s")) => time.unit = Unit::Seconds,
                ("unit", Some("ms")) => time.unit = Unit::Millis,
                ("unit", Some("us")) => time.unit = Unit::Micros,
                ("unit", Some("ns")) => time.unit = Unit::Nanos,
                ("unit", _) => {
                    let message = "this is not a unit of time";
                    self.wrong.push(entry.value.error("unknown-unit", message, "use `s`, `ms`, `us` or `ns`"));
                }
                _ => {}
            }
        }
        time
    }

    fn ocsf(&mut self, node: &Node<'_>) -> OcsfClass {
        const KEYS: [&str; 8] =
            ["class_uid", "class_name", "category_uid", "category_name", "profiles", "activity", "severity", "status"];
        let mut class = OcsfClass::default();
        class.severity.other = 1;
        for entry in self.map(node, &KEYS).unwrap_or_default() {
            let node = &entry.value;
            match &*entry.key {
                "class_uid" => class.class_uid = self.number(node),
                "class_name" => class.class_name = self.text(node),
                "category_uid" => class.category_uid = self.number(node),
                "category_name" => class.category_name = self.text(node),
                "profiles" => class.profiles = self.texts(node),
                "activity" => class.activity = self.choice(node),
                "severity" => class.severity = self.choice(node),
                _ => {}
            }
        }
        if class.class_uid / 1000 != class.category_uid {
            let message = format!("class {} is not of category {}", class.class_uid, class.category_uid);
            self.wrong.push(node.error("ocsf-class", message, "OCSF: class_uid is 1000 times category_uid, and more"));
        }
        class
    }

    fn choice(&mut self, node: &Node<'_>) -> Choice {
        let mut choice = Choice::default();
        if node.as_map().is_none() {
            choice.other = self.number(node);
            return choice;
        }
        for entry in self.map(node, &["from", "values", "prefixes", "at_least", "other"]).unwrap_or_default() {
            let node = &entry.value;
            match &*entry.key {
                "from" => choice.from = Some(self.reading(node)),
                "values" => choice.values = self.numbers(node),
                "prefixes" => choice.prefixes = self.numbers(node),
                "at_least" => choice.at_least = self.steps(node),
                "other" => choice.other = self.number(node),
                _ => {}
            }
        }
        choice
    }

    fn numbers(&mut self, node: &Node<'_>) -> BTreeMap<String, u32> {
        let entries = self.map(node, &[]).unwrap_or_default();
        entries.iter().map(|entry| (entry.key.to_string(), self.number(&entry.value))).collect()
    }

    /// Steps of a scale, the highest first.
    fn steps(&mut self, node: &Node<'_>) -> Vec<(f64, u32)> {
        let mut steps = Vec::new();
        for entry in self.map(node, &[]).unwrap_or_default() {
            match entry.key.parse::<f64>() {
                Ok(from) => steps.push((from, self.number(&entry.value))),
                Err(_) => {
                    let message = format!("`{}` is not a number", entry.key);
                    self.wrong.push(entry.error("wrong-type", message, "write the value from which the step starts"));
                }
            }
        }
        steps.sort_by(|a, b| b.0.total_cmp(&a.0));
        steps
    }

    fn columns(&mut self, node: &Node<'_>) -> BTreeMap<String, Vec<Reading>> {
        let entries = self.map(node, &[]).unwrap_or_default();
        entries.iter().map(|entry| (entry.key.to_string(), self.readings(&entry.value))).collect()
    }

    fn entities(&mut self, node: &Node<'_>) -> BTreeMap<EntityKind, Vec<Reading>> {
        let mut entities = BTreeMap::new();
        for entry in self.map(node, &[]).unwrap_or_default() {
            let readings = self.readings(&entry.value);
            entities.extend(self.kind(entry).map(|kind| (kind, readings)));
        }
        entities
    }

    fn readings(&mut self, node: &Node<'_>) -> Vec<Reading> {
        self.list(node).iter().map(|node| self.reading(node)).collect()
    }

    /// A path, a list of paths of which the first counts, or a map with conditions.
    fn reading(&mut self, node: &Node<'_>) -> Reading {
        const KEYS: [&str; 10] =
            ["path", "template", "value", "when", "present", "absent", "matches", "write", "map", "url_decode"];
        if node.as_map().is_none() {
            return Reading { paths: self.texts(node), ..Reading::default() };
        }
        let mut reading = Reading::default();
        for entry in self.map(node, &KEYS).unwrap_or_default() {
            let node = &entry.value;
            match &*entry.key {
                "path" => reading.paths = self.texts(node),
                "template" => reading.template = Some(self.text(node)),
                "value" => reading.value = Some(self.text(node)),
                "when" => reading.when = self.lists(node),
                "present" => reading.present = self.texts(node),
                "absent" => reading.absent = self.texts(node),
                "matches" => reading.matches = self.regex(node),
                "write" => reading.write = Some(self.text(node)),
                "map" => reading.map = self.pairs(node),
                "url_decode" => reading.url_decode = node.as_str() == Some("true"),
                _ => {}
            }
        }
        if reading.paths.is_empty() && reading.template.is_none() && reading.value.is_none() {
            self.wrong.push(node.error("empty-reading", "this reads nothing", "add `path:`, `template:` or `value:`"));
        }
        reading
    }

    fn regex(&mut self, node: &Node<'_>) -> Option<Regex> {
        match Regex::new(&self.text(node)) {
            Ok(regex) => Some(regex),
            Err(error) => {
                let message = format!("the pattern cannot be read: {}", error.to_string().replace('\n', " "));
                self.wrong.push(node.error("bad-pattern", message, "write a regular expression"));
                None
            }
        }
    }
}

/// Readings as text for people.
fn shown<K: Ord + Clone>(readings: &BTreeMap<K, Vec<Reading>>) -> BTreeMap<K, Vec<String>> {
    readings.iter().map(|(key, list)| (key.clone(), list.iter().map(Reading::to_string).collect())).collect()
}

fn empty() -> Source {
    Source {
        id: SourceId::from(""),
        title: String::new(),
        description: String::new(),
        formats: Vec::new(),
        inside: Vec::new(),
        logsources: Vec::new(),
        routes: Vec::new(),
        recognise: Vec::new(),
        unwrap: Vec::new(),
        within: Vec::new(),
        reads_nan: false,
        remap: None,
        transparent: Vec::new(),
        pairs: Vec::new(),
        fields: BTreeMap::new(),
        time: Vec::new(),
        identity: Vec::new(),
        ocsf: OcsfClass::default(),
        sentence: None,
        columns: BTreeMap::new(),
        column_readings: BTreeMap::new(),
        entities: BTreeMap::new(),
        entity_readings: BTreeMap::new(),
        ecs: BTreeMap::new(),
        actor: Vec::new(),
        links: Vec::new(),
        sensitive: Vec::new(),
        prompts: Vec::new(),
        cadence: Cadence::default(),
        volume: None,
        required: Required::default(),
        enable: String::new(),
        blind_spots: Vec::new(),
    }
}
