//! Reads the `watchkeep:` key of a rule. A key that it does not know is an error: a typing mistake must not switch something off.

use std::collections::BTreeMap;

use model::{EntityKind, RuleKind};

use super::super::rule::{BlindSpot, Expect, Fold, Require, Strategy, TriageStep, Watchkeep};
use super::claims;
use super::reader::{Reader, nearest};
use crate::yaml::{Entry, Node};

const KEYS: [&str; 13] = [
    "owner", "kind", "threats", "requires", "entities", "fold", "expect", "strategy", "triage", "playbook", "message",
    "stateful", "claims",
];

/// Reads the key; what is wrong is noted, and what is right is kept.
pub(super) fn read(reader: &mut Reader, entry: &Entry<'_>) -> Watchkeep {
    let mut watchkeep = Watchkeep::default();
    for part in reader.map(entry) {
        match part.key.as_ref() {
            "owner" => watchkeep.owner = reader.text(part),
            "kind" => watchkeep.kind = kind(reader, part),
            "threats" => watchkeep.threats = reader.texts(part),
            "requires" => watchkeep.requires = each(reader, part, require),
            "entities" => watchkeep.entities = entities(reader, part),
            "fold" => watchkeep.fold = fold(reader, part),
            "expect" => watchkeep.expect = Some(expect(reader, part)),
            "strategy" => watchkeep.strategy = Some(strategy(reader, part)),
            "triage" => watchkeep.triage = each(reader, part, triage_step),
            "playbook" => watchkeep.playbook = reader.text(part),
            "message" => watchkeep.message = message(reader, part),
            "claims" => watchkeep.claims = Some(claims::read(reader, part)),
            // Read where the document is known.
            "stateful" => {}
            _ => reader.unknown_key(part, "`watchkeep`", &KEYS),
        }
    }
    watchkeep
}

fn kind(reader: &mut Reader, entry: &Entry<'_>) -> RuleKind {
    let text = reader.text(entry).unwrap_or_default();
    let kinds = [RuleKind::Alert, RuleKind::Signal, RuleKind::Hunt];
    if let Some(kind) = kinds.into_iter().find(|kind| kind.as_str() == text) {
        return kind;
    }
    let message = format!("`{text}` is no kind of rule");
    reader.note(entry.value.error("bad-kind", message, "write `alert`, `signal` or `hunt`"));
    RuleKind::Alert
}

/// Reads a list of maps, or one map alone.
fn each<T>(reader: &mut Reader, entry: &Entry<'_>, read: fn(&mut Reader, &Node<'_>) -> Option<T>) -> Vec<T> {
    let nodes = reader.list(entry);
    nodes.iter().filter_map(|node| read(reader, node)).collect()
}

fn entries<'n, 'a>(reader: &mut Reader, node: &'n Node<'a>, place: &str) -> Option<&'n [Entry<'a>]> {
    let entries = node.as_map();
    if entries.is_none() {
        reader.note(node.error(
            "bad-type",
            format!("{place} is {}, where a map is expected", node.noun()),
            "write a map",
        ));
    }
    entries
}

fn require(reader: &mut Reader, node: &Node<'_>) -> Option<Require> {
    let place = "an element of `requires`";
    let mut require = Require::default();
    for part in entries(reader, node, place)? {
        match part.key.as_ref() {
            "source" => require.source = reader.text(part).unwrap_or_default(),
            "feed" => require.feed = reader.text(part),
            "fields" => require.fields = reader.texts(part),
            "freshness" => require.freshness_ms = reader.duration_ms(part),
            _ => reader.unknown_key(part, place, &["source", "feed", "fields", "freshness"]),
        }
    }
    if require.source.is_empty() {
        reader.note(node.error("missing-source", format!("{place} names no source"), "add `source: aws_cloudtrail`"));
    }
    Some(require)
}

fn entities(reader: &mut Reader, entry: &Entry<'_>) -> BTreeMap<String, String> {
    let mut entities = BTreeMap::new();
    for part in reader.map(entry) {
        if EntityKind::parse(&part.key).is_none() {
            let kinds = EntityKind::ALL.map(EntityKind::as_str);
            let remedy = match nearest(&part.key, kinds.into_iter()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("kinds are {}", kinds.join(", ")),
            };
            reader.note(part.error("unknown-entity", format!("`{}` is no kind of entity", part.key), remedy));
        }
        if let Some(path) = reader.text(part) {
            entities.insert(part.key.to_string(), path);
        }
    }
    entities
}

fn fold(reader: &mut Reader, entry: &Entry<'_>) -> Option<Fold> {
    let mut fold = Fold::default();
    let mut window = None;
    for part in reader.map(entry) {
        match part.key.as_ref() {
            "by" => fold.by = reader.texts(part),
            "window" => window = Some(reader.duration_ms(part)),
            _ => reader.unknown_key(part, "`fold`", &["by", "window"]),
        }
    }
    match window {
        Some(window_ms) => fold.window_ms = window_ms?,
        None => {
            reader.note(entry.error("missing-window", "`fold` has no window", "add `window: 1h`"));
            return None;
        }
    }
    Some(fold)
}

fn expect(reader: &mut Reader, entry: &Entry<'_>) -> Expect {
    let mut expect = Expect::default();
    for part in reader.map(entry) {
        match part.key.as_ref() {
            "per_week_max" => expect.per_week_max = at_most(reader, part, f64::MAX),
            "precision_min" => expect.precision_min = at_most(reader, part, 1.0),
            "late_data" => expect.late_data_ms = reader.duration_ms(part),
            _ => reader.unknown_key(part, "`expect`", &["per_week_max", "precision_min", "late_data"]),
        }
    }
    expect
}

fn at_most(reader: &mut Reader, entry: &Entry<'_>, most: f64) -> Option<f64> {
    let number = reader.number(entry)?;
    if (0.0..=most).contains(&number) {
        return Some(number);
    }
    let bounds = if most == 1.0 { "a share, from 0 to 1" } else { "a number that is not negative" };
    reader.note(entry.value.error("out-of-range", format!("`{}` is {number}", entry.key), format!("write {bounds}")));
    None
}

fn strategy(reader: &mut Reader, entry: &Entry<'_>) -> Strategy {
    let mut strategy = Strategy::default();
    for part in reader.map(entry) {
        match part.key.as_ref() {
            "why" => strategy.why = reader.text(part),
            "blind_spots" => strategy.blind_spots = each(reader, part, blind_spot),
            _ => reader.unknown_key(part, "`strategy`", &["why", "blind_spots"]),
        }
    }
    strategy
}

fn blind_spot(reader: &mut Reader, node: &Node<'_>) -> Option<BlindSpot> {
    let place = "an element of `blind_spots`";
    let mut spot = BlindSpot::default();
    for part in entries(reader, node, place)? {
        match part.key.as_ref() {
            "id" => spot.id = reader.text(part).unwrap_or_default(),
            "text" => spot.text = reader.text(part).unwrap_or_default(),
            _ => reader.unknown_key(part, place, &["id", "text"]),
        }
    }
    if spot.id.is_empty() || spot.text.is_empty() {
        reader.note(node.error("incomplete", format!("{place} lacks its id or text"), "write `{id: BS-1, text: …}`"));
    }
    Some(spot)
}

fn triage_step(reader: &mut Reader, node: &Node<'_>) -> Option<TriageStep> {
    let place = "an element of `triage`";
    let mut step = TriageStep::default();
    for part in entries(reader, node, place)? {
        match part.key.as_ref() {
            "ask" => step.ask = reader.text(part).unwrap_or_default(),
            "query" => step.query = reader.text(part),
            "if_yes" => step.if_yes = reader.text(part),
            "if_no" => step.if_no = reader.text(part),
            _ => reader.unknown_key(part, place, &["ask", "query", "if_yes", "if_no"]),
        }
    }
    if step.ask.is_empty() {
        reader.note(node.error("incomplete", format!("{place} asks nothing"), "add `ask: …?`"));
    }
    Some(step)
}

fn message(reader: &mut Reader, entry: &Entry<'_>) -> Option<String> {
    let text = reader.text(entry)?;
    let mut is_open = false;
    let is_balanced = text.chars().all(|c| match c {
        '{' => !std::mem::replace(&mut is_open, true),
        '}' => std::mem::replace(&mut is_open, false),
        _ => true,
    });
    if !is_balanced || is_open || text.contains("{}") {
        let remedy = "write each field once between brackets: `{userIdentity.arn} read {requestParameters.key}`";
        reader.note(entry.value.error("bad-template", "brackets of the message do not pair, or hold nothing", remedy));
    }
    Some(text)
}
