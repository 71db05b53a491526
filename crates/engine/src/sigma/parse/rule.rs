//! Reads a detection rule.

use std::collections::BTreeMap;

use model::{Diagnostic, Level, RuleId};

use super::super::detection::Detection;
use super::super::revision;
use super::super::rule::{LogSource, Related, Rule, Status, Watchkeep};
use super::reader::{Reader, nearest};
use super::{detection, meta, watchkeep};
use crate::yaml::{Entry, Kind};

/// Keys of the specification, and those of the rule repository's own tests, which carry no meaning here.
const KEYS: [&str; 24] = [
    "title",
    "id",
    "name",
    "related",
    "taxonomy",
    "status",
    "description",
    "license",
    "author",
    "references",
    "date",
    "modified",
    "logsource",
    "detection",
    "fields",
    "falsepositives",
    "level",
    "tags",
    "scope",
    "watchkeep",
    "regression_tests_path",
    "simulation",
    "enrichment",
    "reference",
];

const RELATIONS: [&str; 6] = ["derived", "obsolete", "merged", "renamed", "similar", "correlation"];

/// Reads a rule; `None` where something is wrong with it.
pub(super) fn read(reader: &mut Reader, entries: &[Entry<'_>], line: usize) -> Option<Box<Rule>> {
    let mut draft = Draft { rule: blank(line), has_id: false, title: None, logsource: None, detection: None };
    for entry in entries {
        draft.take(reader, entry);
    }
    for (is_missing, key, remedy) in [
        (draft.title.is_none() && !has(entries, "title"), "title", "add one line that says what is found"),
        (!has(entries, "logsource"), "logsource", "add `logsource: {product: aws, service: cloudtrail}` or another"),
        (!has(entries, "detection"), "detection", "add `detection:` with searches and a condition"),
    ] {
        if is_missing {
            meta::missing(reader, line, key, remedy);
        }
    }
    if reader.has_errors() {
        return None;
    }
    draft.finish(reader)
}

fn has(entries: &[Entry<'_>], key: &str) -> bool {
    entries.iter().any(|entry| entry.key == key)
}

struct Draft {
    rule: Rule,
    has_id: bool,
    title: Option<String>,
    logsource: Option<LogSource>,
    detection: Option<Detection>,
}

impl Draft {
    fn take(&mut self, reader: &mut Reader, entry: &Entry<'_>) {
        let rule = &mut self.rule;
        match entry.key.as_ref() {
            "title" => self.title = meta::title(reader, entry),
            "id" => {
                if let Some(id) = meta::uuid(reader, entry) {
                    self.has_id = true;
                    rule.id = RuleId::new(id);
                }
            }
            "name" => rule.name = reader.text(entry),
            "related" => rule.related = related(reader, entry),
            "status" => rule.status = status(reader, entry),
            "description" => rule.description = reader.text(entry),
            "license" => rule.license = reader.text(entry),
            "author" => rule.author = joined(reader, entry),
            "references" | "reference" => rule.references = reader.texts(entry),
            "date" => rule.date = meta::date(reader, entry),
            "modified" => rule.modified = meta::date(reader, entry),
            "logsource" => self.logsource = Some(meta::logsource(reader, entry, false)),
            "detection" => self.detection = detection::read(reader, entry, &[]),
            "fields" => rule.fields = reader.texts(entry),
            "falsepositives" => rule.falsepositives = reader.texts(entry),
            "level" => rule.level = meta::level(reader, entry).unwrap_or_default(),
            "tags" => rule.tags = tags(reader, entry),
            "watchkeep" => rule.watchkeep = watchkeep::read(reader, entry),
            "taxonomy" => {
                meta::taxonomy(reader, entry);
                keep(rule, entry);
            }
            "scope" | "regression_tests_path" | "simulation" | "enrichment" => keep(rule, entry),
            _ => {
                let remedy = match nearest(&entry.key, KEYS.into_iter()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "custom keys are kept and mean nothing; remove it if it is a mistake".to_owned(),
                };
                reader.note(entry.warning("unknown-key", format!("`{}` is no key of a Sigma rule", entry.key), remedy));
                keep(rule, entry);
            }
        }
    }

    fn finish(self, reader: &mut Reader) -> Option<Box<Rule>> {
        let mut rule = self.rule;
        rule.title = self.title?;
        rule.logsource = self.logsource?;
        rule.detection = self.detection?;
        if !self.has_id {
            rule.id = RuleId::new(meta::made_id(&rule.title, &rule.logsource));
            let message = "the rule has no id; one is made from its title and log source";
            let remedy = format!("add `id: {}`, or another UUID, so that the title can change", rule.id);
            reader.note(Diagnostic::warning(rule.line, 0, "missing-id", message, remedy));
        }
        rule.revision = revision::of_rule(&rule);
        Some(Box::new(rule))
    }
}

fn blank(line: usize) -> Rule {
    Rule {
        file: String::new(),
        line,
        id: RuleId::new(""),
        title: String::new(),
        name: None,
        status: None,
        description: None,
        author: None,
        date: None,
        modified: None,
        license: None,
        references: Vec::new(),
        tags: Vec::new(),
        related: Vec::new(),
        logsource: LogSource::default(),
        level: Level::default(),
        falsepositives: Vec::new(),
        fields: Vec::new(),
        detection: Detection::default(),
        watchkeep: Watchkeep::default(),
        custom: BTreeMap::new(),
        revision: String::new(),
    }
}

fn keep(rule: &mut Rule, entry: &Entry<'_>) {
    let text = match &entry.value.kind {
        Kind::Scalar(text, _) => text.to_string(),
        _ => entry.value.to_json().to_string(),
    };
    rule.custom.insert(entry.key.to_string(), text);
}

/// Text, or a list of texts as one.
fn joined(reader: &mut Reader, entry: &Entry<'_>) -> Option<String> {
    let texts = reader.texts(entry);
    (!texts.is_empty()).then(|| texts.join(", "))
}

pub(super) fn status(reader: &mut Reader, entry: &Entry<'_>) -> Option<Status> {
    let text = reader.text(entry)?;
    let status = Status::parse(&text);
    if status.is_none() {
        meta::note_word(reader, entry, "bad-status", &text, "status", &Status::ALL.map(Status::as_str));
    }
    status
}

pub(super) fn tags(reader: &mut Reader, entry: &Entry<'_>) -> Vec<String> {
    let tags = reader.texts(entry);
    for tag in tags.iter().filter(|tag| !tag.contains('.') || tag.contains(char::is_whitespace)) {
        let message = format!("tag `{tag}` is not `namespace.name`");
        reader.note(entry.value.warning("bad-tag", message, "write `attack.t1530` or the like"));
    }
    tags
}

fn related(reader: &mut Reader, entry: &Entry<'_>) -> Vec<Related> {
    let mut related = Vec::new();
    for node in reader.list(entry) {
        let text = |key: &str| node.get(key).and_then(|value| value.as_str()).unwrap_or_default().trim().to_owned();
        let (id, kind) = (text("id"), text("type"));
        if id.is_empty() || !RELATIONS.contains(&kind.as_str()) {
            let remedy = format!("write `{{id: …, type: …}}` with one of {}", RELATIONS.join(", "));
            reader.note(node.warning("bad-relation", "a relation lacks its id, or its type is unknown", remedy));
        }
        related.push(Related { id, kind });
    }
    related
}
