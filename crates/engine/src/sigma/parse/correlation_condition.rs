//! Reads the condition of a correlation, and refuses one that always holds or never does.

use model::Diagnostic;

use super::super::bounds::CORRELATED_MAX;
use super::super::correlation::{Bound, Comparison, Correlation, CorrelationCondition, CorrelationKind, Reference};
use super::super::detection::Condition;
use super::super::ways::{WAYS_MAX, ways};
use super::condition::{RULES, parse_names, words};
use super::correlation::fields;
use super::detection::{mark, place_in};
use super::reader::Reader;
use crate::yaml::{Entry, Kind};

const KEYS: [&str; 8] = ["gt", "gte", "lt", "lte", "eq", "neq", "field", "percentile"];

/// Reads `condition`, where it is given, into `correlation`, whose kind and rules are known.
pub(super) fn read(
    reader: &mut Reader,
    body: &Entry<'_>,
    condition: Option<&Entry<'_>>,
    correlation: &mut Correlation,
) {
    let kind = correlation.kind;
    match condition {
        None if kind.is_temporal() => {}
        None => {
            let message = "the correlation has no `condition`";
            let remedy =
                if kind.has_field() { "add `condition: {field: …, gte: 10}`" } else { "add `condition: {gte: 10}`" };
            reader.note(body.error("missing-condition", message, remedy));
        }
        Some(entry) if matches!(entry.value.kind, Kind::Scalar(..)) && !entry.value.is_null() => {
            expression(reader, entry, correlation);
        }
        Some(entry) => correlation.condition = compare(reader, entry, kind, correlation.rules.len()),
    }
    if kind.is_temporal() && correlation.rules.len() == 1 {
        let message = format!("a `{}` correlation of one rule holds whenever that rule does", kind.as_str());
        reader.note(body.warning("single-rule", message, "name the other rules, or count with `event_count`"));
    }
}

fn compare(reader: &mut Reader, entry: &Entry<'_>, kind: CorrelationKind, rules: usize) -> CorrelationCondition {
    let (mut bounds, mut named, mut percentile) = (Vec::new(), Vec::new(), None);
    for part in reader.map(entry) {
        let comparison = Comparison::WORDS.iter().find(|(word, _)| *word == part.key).map(|(_, it)| *it);
        match (comparison, part.key.as_ref()) {
            (Some(comparison), _) => {
                bounds.extend(reader.number(part).map(|value| Bound { comparison, value }));
            }
            (None, "field") => named = fields(reader, part),
            (None, "percentile") => percentile = read_percentile(reader, part, kind),
            (None, _) => reader.unknown_key(part, "the correlation's condition", &KEYS),
        }
    }
    check_fields(reader, entry, kind, &named);
    // Where a key is unknown or a bound unreadable, that is what is said.
    let is_told = |parts: &[Entry<'_>]| parts.iter().any(|part| !["field", "percentile"].contains(&part.key.as_ref()));
    if entry.value.as_map().is_some_and(|parts| !is_told(parts)) {
        let message = "the condition compares with nothing";
        reader.note(entry.error("missing-bound", message, "add `gte: 10` or another bound"));
    }
    if kind == CorrelationKind::ValuePercentile && percentile.is_none() {
        check_shares(reader, entry, &bounds);
    }
    check_range(reader, entry, kind, &bounds, rules);
    CorrelationCondition::Compare { bounds, fields: named, percentile }
}

fn check_fields(reader: &mut Reader, entry: &Entry<'_>, kind: CorrelationKind, fields: &[String]) {
    let word = kind.as_str();
    if kind.has_field() && fields.is_empty() {
        let message = format!("a `{word}` correlation has no `field` to read");
        reader.note(entry.error("missing-field", message, "add `field:` to the condition"));
    } else if !kind.has_field() && !fields.is_empty() {
        let message = format!("a `{word}` correlation reads no field");
        reader.note(entry.error("unused-field", message, "remove `field`, or count values with `value_count`"));
    } else if fields.len() > 1 && kind != CorrelationKind::ValueCount {
        let message = format!("a `{word}` correlation reads one field, not {}", fields.len());
        reader.note(entry.error("too-many-fields", message, "name one field"));
    }
}

fn read_percentile(reader: &mut Reader, entry: &Entry<'_>, kind: CorrelationKind) -> Option<f64> {
    if kind != CorrelationKind::ValuePercentile {
        let message = format!("a `{}` correlation has no percentile", kind.as_str());
        reader.note(entry.error("unused-percentile", message, "remove it, or write `type: value_percentile`"));
    }
    let percentile = reader.number(entry)?;
    if (0.0..=100.0).contains(&percentile) {
        return Some(percentile);
    }
    let message = format!("`percentile` is {percentile}");
    reader.note(entry.value.error("bad-percentile", message, "write a number from 0 to 100"));
    None
}

/// Without a percentile, shares in percent are compared, and whoever meant numbers must hear of it.
fn check_shares(reader: &mut Reader, entry: &Entry<'_>, bounds: &[Bound]) {
    if entry.value.as_map().is_some_and(|parts| parts.iter().any(|part| part.key == "percentile")) {
        return;
    }
    let message = "without `percentile`, the share of each value is compared, in percent";
    let remedy = "add `percentile: 95` or the like, if a number is meant";
    let is_beyond = bounds.iter().any(|bound| !(0.0..=100.0).contains(&bound.value));
    reader.note(if is_beyond {
        entry.error("missing-percentile", message, remedy)
    } else {
        entry.warning("share-of-values", message, remedy)
    });
}

/// Refuses bounds that every window keeps and bounds that none can.
fn check_range(reader: &mut Reader, entry: &Entry<'_>, kind: CorrelationKind, bounds: &[Bound], rules: usize) {
    if kind.is_count()
        && let Some(odd) = bounds.iter().find(|bound| bound.value.fract() != 0.0)
    {
        let message = format!("{} is compared with a count", odd.value);
        reader.note(entry.error("bad-count", message, "write a whole number"));
        return;
    }
    let step = if kind.is_count() { 1.0 } else { 0.0 };
    let (mut least, mut most) = if kind.is_count() { (1.0, f64::INFINITY) } else { (f64::NEG_INFINITY, f64::INFINITY) };
    if kind.is_temporal() && rules > 0 {
        most = rules as f64;
    }
    let widest = (least, most);
    let (mut is_open_below, mut is_open_above, mut others) = (false, false, Vec::new());
    for Bound { comparison, value } in bounds.iter().copied() {
        match comparison {
            Comparison::Gt if value + step >= least => (least, is_open_below) = (value + step, step == 0.0),
            Comparison::Gte if value > least => (least, is_open_below) = (value, false),
            Comparison::Lt if value - step <= most => (most, is_open_above) = (value - step, step == 0.0),
            Comparison::Lte if value < most => (most, is_open_above) = (value, false),
            Comparison::Eq => {
                is_open_below &= value <= least;
                is_open_above &= value >= most;
                (least, most) = (least.max(value), most.min(value));
            }
            Comparison::Neq => others.push(value),
            _ => {}
        }
    }
    let is_empty = least > most || least == most && (is_open_below || is_open_above || others.contains(&least));
    if is_empty {
        let message = "no window can keep these bounds, since it holds at least one event";
        let message = if kind.is_count() { message } else { "no number keeps these bounds" };
        reader.note(entry.error("impossible-range", message, "correct the bounds"));
    } else if kind.is_count() && (least, most) == widest && others.is_empty() && !bounds.is_empty() {
        let code = if kind.is_temporal() { "always-true" } else { "counts-each-event" };
        let message = "the condition holds for every event, since a window holds at least one";
        reader.note(entry.warning(code, message, "raise the bound"));
    }
}

fn expression(reader: &mut Reader, entry: &Entry<'_>, correlation: &mut Correlation) {
    let text = entry.value.as_str().unwrap_or_default();
    if !correlation.kind.is_temporal() {
        let message = format!("a `{}` correlation cannot be asked which rules occur", correlation.kind.as_str());
        let remedy = "write `condition: {gte: 10}`, or `type: temporal`";
        reader.note(entry.error("expression-without-temporal", message, remedy));
        return;
    }
    if correlation.rules.is_empty() {
        let (line, column) = (entry.value.line, entry.value.column);
        let reference = |name: &str| Reference { name: name.to_owned(), line, column };
        correlation.rules = words(text).into_iter().map(reference).collect();
        if correlation.rules.len() > CORRELATED_MAX {
            let message = format!("the condition names {} rules, more than {CORRELATED_MAX}", correlation.rules.len());
            reader.note(entry.error("too-many-rules", message, "join fewer, or make one rule of several"));
        }
    }
    let names: Vec<&str> = correlation.rules.iter().map(|rule| rule.name.as_str()).collect();
    match parse_names(text, &names, &RULES) {
        Err(mistakes) => {
            for mistake in mistakes {
                let (line, column) = place_in(&entry.value, text, mistake.at);
                reader.note(Diagnostic::error(line, column, &mistake.code, mistake.message, mistake.remedy));
            }
        }
        Ok(condition) => {
            check_expression(reader, entry, &condition, &names);
            check_ways(reader, entry, &condition, correlation.kind, names.len());
            correlation.condition = CorrelationCondition::Expression(condition);
        }
    }
}

fn check_expression(reader: &mut Reader, entry: &Entry<'_>, condition: &Condition, names: &[&str]) {
    let mut used = vec![false; names.len()];
    mark(condition, &mut used);
    for (name, _) in names.iter().zip(used).filter(|(_, used)| !used) {
        let message = format!("rule `{name}` is in `rules` and not in the condition");
        reader.note(entry.error("unused-rule", message, "name it in the condition, or remove it from `rules`"));
    }
    if holds_without_events(condition) {
        let message = "the condition holds where no rule occurs, and nothing would ever be asked";
        reader.note(entry.error("condition-without-event", message, "join a rule that must occur by `and`"));
    }
}

/// Of an order, each way to make the condition true is followed.
fn check_ways(reader: &mut Reader, entry: &Entry<'_>, condition: &Condition, kind: CorrelationKind, rules: usize) {
    if kind == CorrelationKind::TemporalOrdered && rules <= CORRELATED_MAX && ways(condition).is_none() {
        let message = format!("there are more than {WAYS_MAX} ways to make the condition true, each with an order");
        let remedy = "name fewer rules, count them with `condition: {gte: 3}`, or write `type: temporal`";
        reader.note(entry.error("too-many-ways", message, remedy));
    }
}

fn holds_without_events(condition: &Condition) -> bool {
    match condition {
        Condition::Search(_) | Condition::Of(_) => false,
        Condition::Not(part) => !holds_without_events(part),
        Condition::And(parts) => parts.iter().all(holds_without_events),
        Condition::Or(parts) => parts.iter().any(holds_without_events),
    }
}
