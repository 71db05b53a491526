//! The types that set several rules in relation: `ratio`, `absence`, `join`, `sequence` and `risk`.

use super::super::super::bounds::TIMESPAN_MS_MAX;
use super::super::super::correlation::{Correlation, CorrelationKind, Reference};
use super::super::super::stateful::{Absence, Join, Points, Ratio, Risk, Sequence, Side, Stateful, Step};
use super::super::correlation::{references, timespan_ms};
use super::super::reader::{Reader, nearest};
use super::Body;
use super::values::{ANY, LOWER, Unit, Wanted, condition, count, measured, positive, word};
use crate::yaml::{Entry, Node};

const COUNT_MAX: u64 = 1_000_000;
const DAY_MS: i64 = 86_400_000;

/// Reads `rules`. Where the type names each of its members, they need not be listed.
pub(super) fn read_rules(reader: &mut Reader, body: &Body<'_, '_>, correlation: &mut Correlation) {
    if let Some(entry) = body.get("rules") {
        correlation.rules = references(reader, entry);
        return;
    }
    let mut nodes: Vec<&Node<'_>> = Vec::new();
    if matches!(body.kind, CorrelationKind::Ratio | CorrelationKind::Sequence) {
        let entries = ["steps", "of", "to", "unless"].into_iter().filter_map(|key| body.get(key));
        nodes.extend(entries.flat_map(|entry| named(&entry.value)));
    }
    for node in nodes {
        let name = node.as_str().unwrap_or_default().trim();
        if name != "all" && !name.is_empty() && !correlation.rules.iter().any(|known| known.name == name) {
            correlation.rules.push(Reference { name: name.to_owned(), line: node.line, column: node.column });
        }
    }
    let points = body.get("points").filter(|_| body.kind == CorrelationKind::Risk);
    for part in points.and_then(|entry| entry.value.as_map()).unwrap_or_default() {
        correlation.rules.push(Reference { name: part.key.to_string(), line: part.line, column: part.column });
    }
    if correlation.rules.is_empty() {
        let remedy = "list ids or names of rules, or add `detection:` if the rule of this document is meant";
        body.missing(reader, "rules", remedy);
    }
}

/// The nodes that name members: a text, each of a list, and those under `rule`.
fn named<'n, 'a>(node: &'n Node<'a>) -> Vec<&'n Node<'a>> {
    match (node.as_list(), node.get("rule")) {
        (Some(nodes), _) => nodes.iter().flat_map(named).collect(),
        (None, Some(rule)) => named(rule),
        (None, None) => node.as_str().map(|_| node).into_iter().collect(),
    }
}

pub(super) fn read(reader: &mut Reader, body: &Body<'_, '_>, correlation: &Correlation) -> Option<Stateful> {
    if body.is_own && body.kind != CorrelationKind::Absence || correlation.rules.is_empty() {
        return None;
    }
    let names = Names { rules: &correlation.rules, is_own: body.is_own };
    match body.kind {
        CorrelationKind::Ratio => ratio(reader, body, &names).map(Stateful::Ratio),
        CorrelationKind::Absence => absence(reader, body, &names, correlation.timespan_ms).map(Stateful::Absence),
        CorrelationKind::Join => join(reader, body, &names).map(Stateful::Join),
        CorrelationKind::Sequence => sequence(reader, body, &names, correlation.timespan_ms).map(Stateful::Sequence),
        _ => risk(reader, body, &names).map(Stateful::Risk),
    }
}

/// The members, as they are called.
struct Names<'r> {
    rules: &'r [Reference],
    is_own: bool,
}

impl Names<'_> {
    fn len(&self) -> usize {
        self.rules.len()
    }

    fn place(&self, reader: &mut Reader, name: &str, line: usize, column: usize) -> Option<usize> {
        let place = self.rules.iter().position(|rule| rule.name == name.trim());
        if place.is_none() {
            let near = nearest(name, self.rules.iter().map(|rule| rule.name.as_str()));
            let remedy = match near {
                _ if self.is_own => "write a document without `detection` that names `rules`".to_owned(),
                Some(near) => format!("did you mean `{near}`?"),
                None => "name a rule as it stands in `rules`".to_owned(),
            };
            let message = format!("`{}` is not in `rules`", name.trim());
            reader.note(model::Diagnostic::error(line, column, "unknown-member", message, remedy));
        }
        place
    }

    /// The places of the members that a node names: sorted, each once.
    fn places(&self, reader: &mut Reader, node: &Node<'_>) -> Vec<usize> {
        let mut places = Vec::new();
        for named in named(node) {
            let name = named.as_str().unwrap_or_default();
            if let Some(place) = self.place(reader, name, named.line, named.column) {
                if places.contains(&place) {
                    let message = format!("`{}` stands twice", name.trim());
                    reader.note(named.error("duplicate-reference", message, "name each rule once"));
                }
                places.push(place);
            }
        }
        places.sort_unstable();
        places.dedup();
        places
    }

    /// Notes the members that play no part.
    fn unused(&self, reader: &mut Reader, used: &[usize], where_to: &str) {
        for (_, rule) in self.rules.iter().enumerate().filter(|(place, _)| !used.contains(place)) {
            let message = format!("rule `{}` is in `rules` and not in {where_to}", rule.name);
            let remedy = format!("name it in {where_to}, or remove it from `rules`");
            reader.note(model::Diagnostic::error(rule.line, rule.column, "unused-rule", message, remedy));
        }
    }
}

fn ratio(reader: &mut Reader, body: &Body<'_, '_>, names: &Names<'_>) -> Option<Ratio> {
    let wanted = Wanted { field: None, comparisons: ANY, unit: Unit::Ratio, remedy: "add `condition: {gt: 0.5}`" };
    let read = condition(reader, body, wanted);
    let measured = measured(reader, body, read.fields);
    let of = body.get("of").map(|entry| names.places(reader, &entry.value)).unwrap_or_default();
    if body.get("of").is_none() {
        body.missing(reader, "of", "add `of:`, the rules above the line");
    }
    let to = body.get("to").filter(|entry| entry.value.as_str() != Some("all"));
    let to = to.map(|entry| (entry, names.places(reader, &entry.value)));
    match &to {
        Some((entry, places)) if places.is_empty() => {
            reader.note(entry.error(
                "missing-rules",
                "`to` names no rule",
                "name the rules below the line, or write `all`",
            ));
        }
        Some((entry, places)) if *places == of => {
            reader.note(entry.error("always-one", "`of` and `to` are the same", "name other rules below the line"));
        }
        Some((_, places)) => names.unused(reader, &[&of[..], places].concat(), "`of` or `to`"),
        None if of.len() == names.len() => {
            let message = "every rule is above the line and below, so the ratio is always 1";
            reader.note(body.entry.error("always-one", message, "name the other rules in `rules` or `to`"));
        }
        None => {}
    }
    let at_least = match body.get("at_least") {
        Some(entry) => positive(reader, entry),
        None => {
            body.missing(reader, "at_least", "add `at_least: 100`: the least that stands below the line");
            None
        }
    };
    let to = to.map(|(_, places)| places);
    (!of.is_empty()).then_some(Ratio { of, to, measured, bounds: read.bounds, at_least: at_least? })
}

fn absence(reader: &mut Reader, body: &Body<'_, '_>, names: &Names<'_>, span_ms: i64) -> Option<Absence> {
    let Some(entry) = body.get("missing") else { return silent(reader, body, span_ms) };
    for key in ["least_events", "forget"] {
        if let Some(part) = body.get(key) {
            let message =
                format!("`{key}` speaks of a group that falls silent, and `missing` of an event that is not followed");
            reader.note(part.error("unused-key", message, "leave one of them out"));
        }
    }
    let missing = names.places(reader, &entry.value);
    if missing.len() == names.len() {
        let message = "every rule is missing, and none says when it should have come";
        reader.note(entry.error("nothing-to-follow", message, "name the rule that it should follow in `rules`"));
        return None;
    }
    if missing.is_empty() {
        return None;
    }
    Some(Absence::Unfollowed { missing, side: word(reader, body.get("side"), Side::WORDS) })
}

fn silent(reader: &mut Reader, body: &Body<'_, '_>, span_ms: i64) -> Option<Absence> {
    if let Some(part) = body.get("side") {
        let message = "`side` says when what is missing should have come, and nothing is `missing`";
        reader.note(part.error("unused-key", message, "remove it, or add `missing:`"));
    }
    let least_events = body.get("least_events").map_or(Some(2), |entry| count(reader, entry, 1, COUNT_MAX));
    let usual = span_ms.saturating_mul(10).clamp(7 * DAY_MS, TIMESPAN_MS_MAX);
    let forget_ms = body.get("forget").map_or(Some(usual), |entry| timespan_ms(reader, entry));
    if let (Some(entry), Some(forget_ms)) = (body.get("forget"), forget_ms)
        && forget_ms < span_ms
    {
        let message = "a group is forgotten before it counts as silent".to_owned();
        reader.note(entry.value.error("forget-too-soon", message, "write a `forget` that is longer than `timespan`"));
    }
    Some(Absence::Silent { least_events: least_events?, forget_ms: forget_ms? })
}

fn join(reader: &mut Reader, body: &Body<'_, '_>, names: &Names<'_>) -> Option<Join> {
    if names.len() != 2 {
        let message = format!("a `join` is of two rules, not of {}", names.len());
        let place = body.get("rules").unwrap_or(body.entry);
        reader.note(place.error("join-of-two", message, "name two rules; each of them may be a correlation"));
    }
    let missing = body.get("missing").map(|entry| (entry, names.places(reader, &entry.value)));
    match missing {
        None => Some(Join { missing: None }),
        Some((_, places)) if places.len() == 1 => Some(Join { missing: Some(places[0]) }),
        Some((entry, places)) => {
            if !places.is_empty() {
                reader.note(entry.error("join-of-two", "one of the two can be missing", "name one rule"));
            }
            None
        }
    }
}

fn sequence(reader: &mut Reader, body: &Body<'_, '_>, names: &Names<'_>, span_ms: i64) -> Option<Sequence> {
    let Some(entry) = body.get("steps") else {
        body.missing(reader, "steps", "add `steps: [first, {rule: second, within: 10m}]`");
        return None;
    };
    let nodes = reader.list(entry);
    let steps: Vec<Step> =
        nodes.iter().enumerate().filter_map(|(nth, node)| step(reader, node, nth, names, span_ms)).collect();
    if steps.len() < nodes.len() {
        return None;
    }
    match &steps[..] {
        [] => {
            reader.note(entry.error("missing-steps", "`steps` has none", "name rules, in order"));
            return None;
        }
        [_] => {
            let message = "a sequence of one step counts its events";
            reader.note(entry.warning("single-step", message, "add the other steps, or write `type: event_count`"));
        }
        _ => {}
    }
    let unless = body.get("unless").map(|entry| names.places(reader, &entry.value)).unwrap_or_default();
    let used: Vec<usize> = steps.iter().flat_map(|step| step.members.iter().copied()).collect();
    if let (Some(entry), Some(both)) = (body.get("unless"), unless.iter().find(|place| used.contains(place))) {
        let message =
            format!("`{}` is a step, and would break the sequence that it carries on", names.rules[*both].name);
        reader.note(entry.error("step-and-unless", message, "name it in one place"));
    }
    names.unused(reader, &[&used[..], &unless].concat(), "`steps` or `unless`");
    Some(Sequence { steps, unless })
}

fn step(reader: &mut Reader, node: &Node<'_>, nth: usize, names: &Names<'_>, span_ms: i64) -> Option<Step> {
    let mut step = Step { members: Vec::new(), within_ms: None, at_least: 1 };
    let place = format!("step {}", nth + 1);
    let Some(parts) = node.as_map() else {
        step.members = names.places(reader, node);
        return (!step.members.is_empty()).then_some(step);
    };
    for part in parts {
        match part.key.as_ref() {
            "rule" => step.members = names.places(reader, &part.value),
            "within" => step.within_ms = within(reader, part, nth, span_ms),
            "at_least" => step.at_least = count(reader, part, 1, COUNT_MAX)?,
            _ => reader.unknown_key(part, &place, &["rule", "within", "at_least"]),
        }
    }
    if node.get("rule").is_none() {
        reader.note(node.error("missing-rule", format!("{place} names no rule"), "add `rule:`"));
    }
    (!step.members.is_empty()).then_some(step)
}

fn within(reader: &mut Reader, part: &Entry<'_>, nth: usize, span_ms: i64) -> Option<i64> {
    let within_ms = timespan_ms(reader, part)?;
    if nth == 0 {
        reader.note(part.error("within-of-the-first", "nothing comes before the first step", "remove `within`"));
    } else if within_ms > span_ms && span_ms > 0 {
        let message = "the gap may be longer than the whole sequence";
        reader.note(part.error("within-beyond-timespan", message, "write a shorter one, or a longer `timespan`"));
    }
    Some(within_ms)
}

fn risk(reader: &mut Reader, body: &Body<'_, '_>, names: &Names<'_>) -> Option<Risk> {
    let remedy = "add `condition: {gte: 100}`: so many points";
    let read = condition(reader, body, Wanted { field: Some(false), comparisons: LOWER, unit: Unit::Number, remedy });
    if let (Some(entry), Some(_)) = (body.get("condition"), read.bounds.iter().find(|bound| bound.value <= 0.0)) {
        reader.note(entry.error("always-true", "any event has so many points", "write a number above 0"));
    }
    let points = match body.get("points") {
        Some(entry) => points(reader, entry, names),
        None => Points::Level,
    };
    let mut least = |key: &str, most: usize| match body.get(key) {
        Some(entry) => count(reader, entry, 0, most as u64).map(|count| count as usize),
        None => Some(0),
    };
    let (least_tactics, least_rules) = (least("least_tactics", 14), least("least_rules", names.len()));
    Some(Risk { points, bounds: read.bounds, least_tactics: least_tactics?, least_rules: least_rules? })
}

/// `level`, or `{rule: points}`; a rule that is not named there is worth what its level is.
fn points(reader: &mut Reader, entry: &Entry<'_>, names: &Names<'_>) -> Points {
    if entry.value.as_str() == Some("level") {
        return Points::Level;
    }
    let mut given = vec![None; names.len()];
    for part in reader.map(entry) {
        let points = count(reader, part, 0, COUNT_MAX);
        if let Some(place) = names.place(reader, &part.key, part.line, part.column) {
            given[place] = points;
        }
    }
    Points::Given(given)
}
