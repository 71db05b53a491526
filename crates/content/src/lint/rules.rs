//! One rule against the sources: what it requires, folds by and names.

use engine::Source;
use model::{Diagnostic, EntityKind};

use super::known_sources;
use crate::catalogue::{Catalogue, CatalogueRule};
use crate::nearest::nearest;

pub(super) fn lint(catalogue: &Catalogue, entry: &CatalogueRule, found: &mut Vec<Diagnostic>) {
    techniques(entry, found);
    requires(catalogue, entry, found);
    entities(entry, found);
    fold(catalogue, entry, found);
}

/// `attack.t1530`, `attack.t1078.004`, `atlas.aml.t0025`, `atlas.aml.t0010.002`; anything else that begins like one is misspelt.
fn techniques(entry: &CatalogueRule, found: &mut Vec<Diagnostic>) {
    for tag in &entry.rule.tags {
        let lower = tag.to_ascii_lowercase();
        let id = match lower.split_once('.') {
            Some(("attack", id)) => id.strip_prefix('t'),
            Some(("atlas", id)) => id.strip_prefix("aml.t"),
            _ => None,
        };
        let Some(number) = id.filter(|id| id.starts_with(|c: char| c.is_ascii_digit())) else { continue };
        if !is_technique(number) {
            let remedy = "write `attack.t1234`, `attack.t1234.001` or `atlas.aml.t0012`";
            found.push(entry.warning("bad-technique", format!("the tag `{tag}` is no technique id"), remedy));
        }
    }
}

/// Four digits, and three more after a point.
fn is_technique(number: &str) -> bool {
    let digits = |text: &str, n| text.len() == n && text.bytes().all(|byte| byte.is_ascii_digit());
    match number.split_once('.') {
        None => digits(number, 4),
        Some((technique, part)) => digits(technique, 4) && digits(part, 3),
    }
}

/// What the rule requires exists: the source, one that the rule looks at, and fields that the rule or the source names.
fn requires(catalogue: &Catalogue, entry: &CatalogueRule, found: &mut Vec<Diagnostic>) {
    for require in &entry.rule.watchkeep.requires {
        let Some(source) = catalogue.source(&require.source) else {
            let ids = catalogue.sources.iter().map(|source| source.id.as_str());
            let near = nearest(&require.source, ids).map(|near| format!("did you mean `{near}`?"));
            let message = format!("`requires` names the source `{}`, which does not exist", require.source);
            found.push(entry.error("unknown-source", message, near.unwrap_or_else(|| known_sources(catalogue))));
            continue;
        };
        if !source.logsources.iter().any(|theirs| entry.rule.logsource.applies_to(theirs)) {
            let message = format!(
                "`requires` names the source `{}`, whose records the rule's log source does not take",
                source.id
            );
            found.push(entry.error("other-source", message, "correct `logsource` or `requires`"));
        }
        for field in &require.fields {
            if !reads(entry, field) && !names(source, field) {
                let known = entry.rule.detection.fields();
                let near = nearest(field, known).map(|near| format!("did you mean `{near}`?"));
                let message =
                    format!("`requires` names the field `{field}`, which neither the rule nor its source reads");
                found.push(entry.warning(
                    "unknown-field",
                    message,
                    near.unwrap_or_else(|| "remove it, or read it".into()),
                ));
            }
        }
    }
}

fn reads(entry: &CatalogueRule, field: &str) -> bool {
    entry.rule.detection.fields().contains(&field) || entry.rule.fields.iter().any(|own| own == field)
}

/// Does the source map the field, or something below it?
fn names(source: &Source, field: &str) -> bool {
    let below = |path: &str| path.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    let mut readings = source.column_readings.values().chain(source.entity_readings.values()).flatten();
    readings.any(|reading| reading.looks_at().iter().any(|path| below(path)))
        || source.sensitive.iter().any(|path| below(path))
        || source.columns.contains_key(field)
        || source.fields.contains_key(field)
}

/// Entities are of a known kind.
fn entities(entry: &CatalogueRule, found: &mut Vec<Diagnostic>) {
    let kinds = EntityKind::ALL.map(EntityKind::as_str);
    for kind in entry.rule.watchkeep.entities.keys().filter(|kind| EntityKind::parse(kind).is_none()) {
        let near = nearest(kind, kinds).map(|near| format!("did you mean `{near}`?"));
        let message = format!("`{kind}` is no kind of entity");
        found.push(entry.error(
            "unknown-entity",
            message,
            near.unwrap_or_else(|| format!("kinds: {}", kinds.join(", "))),
        ));
    }
}

/// A rule folds by kinds of entities or by fields that somebody reads.
fn fold(catalogue: &Catalogue, entry: &CatalogueRule, found: &mut Vec<Diagnostic>) {
    let Some(fold) = &entry.rule.watchkeep.fold else { return };
    if fold.window_ms <= 0 {
        found.push(entry.error("bad-window", "`fold.window` is not longer than nothing", "write a window such as 1h"));
    }
    let sources: Vec<&Source> = catalogue
        .sources
        .iter()
        .filter(|source| source.logsources.iter().any(|theirs| entry.rule.logsource.applies_to(theirs)))
        .collect();
    for by in &fold.by {
        let is_entity = EntityKind::parse(by).is_some();
        let is_field = || reads(entry, by) || entry.rule.watchkeep.entities.values().any(|path| path == by);
        let is_path = || by.contains('.') || sources.iter().any(|source| names(source, by));
        if !is_entity && !is_field() && !is_path() {
            let kinds = EntityKind::ALL.map(EntityKind::as_str);
            let near = nearest(by, kinds).map(|near| format!("did you mean `{near}`?"));
            let message = format!("`fold.by` names `{by}`, which is neither a kind of entity nor a field that is read");
            found.push(entry.warning(
                "unknown-fold",
                message,
                near.unwrap_or_else(|| "name an entity or a field".into()),
            ));
        }
    }
}
