//! From rows to things.

use engine::context::{Asset, AssetKind, Change, OnCall, Things};
use model::Diagnostic;

use super::row::{Defaults, Row, error};
use crate::nearest::nearest;

/// Takes one row of a section.
pub(super) fn take(section: &str, row: Row, defaults: &Defaults, things: &mut Things, wrong: &mut Vec<Diagnostic>) {
    match section {
        "assets" => things.assets.extend(asset(row, defaults, wrong)),
        "changes" => things.changes.extend(change(row, defaults, wrong)),
        _ => things.on_call.extend(on_call(row, defaults, wrong)),
    }
}

fn asset(mut row: Row, defaults: &Defaults, wrong: &mut Vec<Diagnostic>) -> Option<Asset> {
    let id = row.required("id", wrong);
    let kind = row.required("kind", wrong).and_then(|word| kind_of(&row, &word, wrong));
    let classes = row.list("class");
    let mut names = row.list("names");
    if names.is_empty() {
        names.extend(id.clone());
    }
    if kind == Some(AssetKind::Network) {
        networks(&row, &names, wrong);
    }
    let description = row.text("description", wrong);
    let until = row.time("until", true, wrong);
    let kept = row.kept(defaults, wrong);
    row.refuse_unknown(wrong);
    Some(Asset { id: id?, kind: kind?, classes, names, description, attributes: row.attributes(), until, kept })
}

/// The kind that a word names.
pub(super) fn kind_of(row: &Row, word: &str, wrong: &mut Vec<Diagnostic>) -> Option<AssetKind> {
    let kind = AssetKind::parse(word);
    if kind.is_none() {
        let words: Vec<&str> = AssetKind::all().map(AssetKind::as_str).collect();
        let remedy = match nearest(word, words.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write one of {}", words.join(", ")),
        };
        wrong.push(error(row.place("kind"), "bad-value", format!("`{word}` is no kind of asset"), remedy));
    }
    kind
}

fn networks(row: &Row, names: &[String], wrong: &mut Vec<Diagnostic>) {
    for name in names {
        if name.parse::<ipnet::IpNet>().is_err() && name.parse::<std::net::IpAddr>().is_err() {
            let message = format!("`{name}` is no network");
            let remedy = "write addresses such as `192.0.2.7`, or blocks such as `10.0.0.0/8`";
            wrong.push(error(row.place("names"), "bad-value", message, remedy));
        }
    }
}

fn change(mut row: Row, defaults: &Defaults, wrong: &mut Vec<Diagnostic>) -> Option<Change> {
    let id = row.required("id", wrong);
    let summary = row.required("summary", wrong);
    let covers = row.list("covers");
    if covers.is_empty() {
        let remedy = "add `covers:` with ids of assets, or names as telemetry shows them; `*` covers all";
        wrong.push(error((row.line, row.column), "missing-key", "`covers` is missing".into(), remedy));
    }
    let by = row.text("by", wrong);
    let mut limit = |name: &'static str, is_end| {
        if row.required(name, wrong).is_some() { row.time(name, is_end, wrong) } else { None }
    };
    let (from, until) = (limit("from", false), limit("until", true));
    if matches!((from, until), (Some(from), Some(until)) if until <= from) {
        let message = "the change is over before it starts".to_owned();
        wrong.push(error(row.place("until"), "bad-value", message, "write `until` behind `from`"));
    }
    let kept = row.kept(defaults, wrong);
    row.refuse_unknown(wrong);
    (!covers.is_empty()).then_some(())?;
    Some(Change { id: id?, summary: summary?, covers, by, from: from?, until: until?, kept })
}

fn on_call(mut row: Row, defaults: &Defaults, wrong: &mut Vec<Diagnostic>) -> Option<OnCall> {
    let owner = row.required("owner", wrong);
    let who = row.required("who", wrong);
    let (from, until) = (row.time("from", false, wrong), row.time("until", true, wrong));
    let kept = row.kept(defaults, wrong);
    row.refuse_unknown(wrong);
    Some(OnCall { owner: owner?, who: who?, from, until, kept })
}
