//! How old the inventory is: what was reviewed too long ago, what ended, what nobody has reviewed.

use std::collections::BTreeMap;

use engine::context::Kept;
use model::{Diagnostic, Time};

use super::row::DAY_MS;
use crate::catalogue::Catalogue;

/// How many names a warning gives.
const NAMED_MAX: usize = 5;

/// One entry of the inventory, whatever it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aged<'c> {
    /// `list`, `change`, or the kind of an asset.
    pub what: &'static str,
    /// Its name.
    pub name: &'c str,
    /// When it ends.
    pub until: Option<Time>,
    /// Its place, owner and age.
    pub kept: &'c Kept,
}

/// Every list, asset and change.
pub fn ages(catalogue: &Catalogue) -> Vec<Aged<'_>> {
    let lists = catalogue.lists.iter().map(|(name, list)| Aged { what: "list", name, until: None, kept: &list.kept });
    let things = &catalogue.things;
    let assets = things.assets.iter().map(|asset| Aged {
        what: asset.kind.as_str(),
        name: &asset.id,
        until: asset.until,
        kept: &asset.kept,
    });
    let changes = things.changes.iter().map(|change| Aged {
        what: "change",
        name: &change.id,
        until: Some(change.until),
        kept: &change.kept,
    });
    lists.chain(assets).chain(changes).collect()
}

/// Warns of entries whose review is too long ago at `now`, and of those that were never reviewed or have ended.
pub fn lint_ages(catalogue: &Catalogue, now: Time) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut never: BTreeMap<&str, Vec<Aged<'_>>> = BTreeMap::new();
    for aged in ages(catalogue) {
        let warn = |code: &str, message: String, remedy: &str| {
            Diagnostic::warning(aged.kept.line, 0, code, message, remedy).in_file(aged.kept.file.clone())
        };
        let (what, name) = (aged.what, aged.name);
        if aged.kept.is_stale(now) {
            let days = aged.kept.age_ms(now).unwrap_or_default() / DAY_MS;
            let message = format!("{what} `{name}` was last reviewed {days} days ago");
            found.push(warn("stale", message, "make sure that it is true and write today's date at `reviewed:`"));
        } else if aged.kept.reviewed.is_none() && aged.what != "change" {
            never.entry(&aged.kept.file).or_default().push(aged.clone());
        }
        if let Some(until) = aged.until.filter(|until| *until <= now && aged.what != "change") {
            let message = format!("{what} `{name}` ended {until}");
            found.push(warn("ended", message, "remove it, or set a later `until:`"));
        }
    }
    for (file, entries) in never {
        let names: Vec<&str> = entries.iter().take(NAMED_MAX).map(|aged| aged.name).collect();
        let more = if entries.len() > names.len() { ", …" } else { "" };
        let message = format!("nobody has reviewed {} of its entries: {}{more}", entries.len(), names.join(", "));
        let line = entries.iter().map(|aged| aged.kept.line).min().unwrap_or(0);
        let remedy = "write `reviewed:` with a date at each, or once below `defaults:`";
        found.push(Diagnostic::warning(line, 0, "never-reviewed", message, remedy).in_file(file));
    }
    found.sort();
    found
}
