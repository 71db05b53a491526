//! The meaning of correlations.

use std::collections::BTreeMap;

use super::super::correlation::{Bound, Comparison, Correlation, CorrelationCondition, CorrelationKind};
use super::super::detection::Condition;
use super::super::link::Weight;
use super::super::stateful::{Absence, Measured, Stateful};
use super::{digest, fold_text};

/// The digest of a correlation's meaning: kind, members, group, span, condition, the fields behind aliases, lateness, level, kind of
/// finding and fold. `beneath` are the revisions of what it joins, in the order of its `rules`.
///
/// Shape: members stand in their order where that means something, and sorted where it does not; so do fields and bounds.
pub(in super::super) fn of_correlation(
    correlation: &Correlation,
    beneath: &[&str],
    aliases: &BTreeMap<String, Vec<Option<String>>>,
    weights: &[Weight],
) -> String {
    let mut members = members(correlation, beneath, aliases);
    for (member, Weight { points, tactics }) in members.iter_mut().zip(weights) {
        member.push_str(&format!(" {points} {tactics:?}"));
    }
    let level = correlation.level.unwrap_or_default();
    let watchkeep = &correlation.watchkeep;
    digest(&[
        "correlation",
        correlation.kind.as_str(),
        &sorted(correlation.group_by.clone()),
        &correlation.timespan_ms.to_string(),
        &condition(correlation, &members),
        &sorted(correlation.fields().iter().map(|field| (*field).to_owned()).collect()),
        &joined(correlation, aliases, members),
        &format!("{:?}", correlation.late_data_ms()),
        level.as_str(),
        watchkeep.kind.as_str(),
        &fold_text(watchkeep.fold.as_ref()),
    ])
}

/// What each member is: its revision, and what it calls the fields that are read.
fn members(
    correlation: &Correlation,
    beneath: &[&str],
    aliases: &BTreeMap<String, Vec<Option<String>>>,
) -> Vec<String> {
    let names: Vec<&str> = correlation.group_by.iter().map(String::as_str).chain(correlation.fields()).collect();
    let own = |member: usize| {
        let of_it = |name: &&str| {
            let field = aliases.get(*name)?[member].as_ref().filter(|field| field != name)?;
            Some(format!("{name}={field}"))
        };
        sorted(names.iter().filter_map(of_it).collect())
    };
    beneath.iter().enumerate().map(|(member, revision)| format!("{revision} {}", own(member))).collect()
}

/// All members. Of an event of several, the first that gives a value counts, so their order means something where they call a
/// field differently.
fn joined(correlation: &Correlation, aliases: &BTreeMap<String, Vec<Option<String>>>, members: Vec<String>) -> String {
    let differ = correlation.fields().iter().any(|field| aliases.contains_key(*field));
    if differ || correlation.kind == CorrelationKind::TemporalOrdered {
        format!("{members:?}")
    } else {
        sorted(members)
    }
}

fn sorted(mut texts: Vec<String>) -> String {
    texts.sort();
    format!("{texts:?}")
}

fn condition(correlation: &Correlation, members: &[String]) -> String {
    match &correlation.condition {
        CorrelationCondition::Every => {
            let all = Bound { comparison: Comparison::Gte, value: members.len() as f64 };
            format!("{} None", bounds(&[all], true))
        }
        CorrelationCondition::Compare { bounds: all, percentile, fields: _ } => {
            format!("{} {percentile:?}", bounds(all, correlation.kind.is_count()))
        }
        CorrelationCondition::Expression(part) => expression(part, members),
        CorrelationCondition::Stateful(stateful) => self::stateful(stateful, members),
    }
}

/// Bounds in order; of whole numbers, more than nine is ten at least.
fn bounds(bounds: &[Bound], is_count: bool) -> String {
    let text = |Bound { comparison, value }: &Bound| {
        let (comparison, value) = match comparison {
            Comparison::Gt if is_count => (Comparison::Gte, value + 1.0),
            Comparison::Lt if is_count => (Comparison::Lte, value - 1.0),
            _ => (*comparison, *value),
        };
        format!("{comparison:?} {value:?}")
    };
    let mut texts: Vec<String> = bounds.iter().map(text).collect();
    texts.sort();
    texts.dedup();
    format!("{texts:?}")
}

fn expression(part: &Condition, members: &[String]) -> String {
    let parts = |word: &str, parts: &[Condition]| {
        let mut texts: Vec<String> = parts.iter().map(|part| expression(part, members)).collect();
        texts.sort();
        texts.dedup();
        match &texts[..] {
            [only] => only.clone(),
            _ => format!("({word} {})", texts.join(" ")),
        }
    };
    match part {
        Condition::Search(member) => format!("[{}]", members[*member]),
        Condition::Not(part) => format!("(not {})", expression(part, members)),
        Condition::And(all) => parts("and", all),
        Condition::Or(all) => parts("or", all),
        Condition::Of(of) => {
            format!("({:?} of {})", of.least, places(&of.searches, members))
        }
    }
}

/// The members at some places, which are a set.
fn places(places: &[usize], members: &[String]) -> String {
    sorted(places.iter().map(|place| members[*place].clone()).collect())
}

fn stateful(stateful: &Stateful, members: &[String]) -> String {
    match stateful {
        Stateful::FirstSeen(it) => format!("{} {:?} {}", fields(&it.fields), it.learn, it.values_max),
        Stateful::Rarity(it) => {
            format!("{} {:?} {} {}", fields(&it.fields), it.share, it.least_events, it.values_max)
        }
        Stateful::Volume(it) => format!(
            "{} {:?} {:?} {} {} {:?} {:?}",
            measured(&it.measured),
            it.expectation,
            it.season,
            it.learn,
            it.history,
            it.at_least,
            it.beyond
        ),
        Stateful::Ratio(it) => {
            let to = it.to.as_ref().map(|to| places(to, members));
            let of = places(&it.of, members);
            format!("{of} {to:?} {} {} {:?}", measured(&it.measured), bounds(&it.bounds, false), it.at_least)
        }
        Stateful::PeerGroup(it) => {
            let (entity, measured) = (fields(&it.entity), measured(&it.measured));
            format!("{entity} {measured} {:?} {} {:?}", it.expectation, it.least_peers, it.at_least)
        }
        Stateful::Absence(Absence::Unfollowed { missing, side }) => format!("{} {side:?}", places(missing, members)),
        Stateful::Absence(Absence::Silent { least_events, forget_ms }) => format!("silent {least_events} {forget_ms}"),
        Stateful::Coverage(it) => {
            format!("{} {:?} {} {}", fields(&it.fields), it.of, bounds(&it.bounds, false), it.at_least)
        }
        Stateful::Join(it) => format!("{:?}", it.missing.map(|missing| &members[missing])),
        Stateful::Sequence(it) => {
            let step = |step: &super::super::stateful::Step| {
                format!("{} {:?} {}", places(&step.members, members), step.within_ms, step.at_least)
            };
            let steps: Vec<String> = it.steps.iter().map(step).collect();
            format!("{steps:?} unless {}", places(&it.unless, members))
        }
        // What members are worth stands beside them.
        Stateful::Risk(it) => format!("{} {} {}", bounds(&it.bounds, false), it.least_tactics, it.least_rules),
    }
}

fn measured(measured: &Measured) -> String {
    match measured {
        Measured::Count => "count".to_owned(),
        Measured::Sum(field) => format!("sum {field:?}"),
        Measured::Distinct(all) => format!("distinct {}", fields(all)),
    }
}

/// The order of the fields of a tuple means nothing.
fn fields(fields: &[String]) -> String {
    sorted(fields.to_vec())
}

#[cfg(test)]
mod tests;
