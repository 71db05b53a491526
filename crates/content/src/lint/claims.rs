//! Prose is logic: what an author claims of a rule is held against what was compiled of it.
//!
//! Comes in: a catalogue. Goes out: an error for each claim that is not so, with what is claimed, what is so, and the line.

mod events;
mod logic;

use std::collections::BTreeSet;

use engine::sigma::{Claimed, Claims};
use model::Diagnostic;

use crate::catalogue::Catalogue;
use logic::Logic;

/// Compares the claims of every rule and correlation with its logic.
pub(super) fn lint(catalogue: &Catalogue, found: &mut Vec<Diagnostic>) {
    for entry in &catalogue.rules {
        let Some(claims) = &entry.rule.watchkeep.claims else { continue };
        let voice = catalogue.correlations.iter().find(|other| other.voice_of.as_ref() == Some(&entry.rule.id));
        let logic = match voice {
            Some(voice) => Logic::of_correlation(catalogue, voice),
            None => Logic::of_rule(catalogue, entry),
        };
        let mut check = Check { file: &entry.file, title: &entry.rule.title, found };
        check.logic(claims, &logic);
        if let Some(events) = &claims.events {
            check.is_so("events", events, events::difference(catalogue, &entry.rule.detection, &events.value));
        }
    }
    for correlation in catalogue.correlations.iter().filter(|other| other.voice_of.is_none()) {
        let Some(claims) = &correlation.watchkeep.claims else { continue };
        let logic = Logic::of_correlation(catalogue, correlation);
        let mut check = Check { file: &correlation.file, title: &correlation.title, found };
        check.logic(claims, &logic);
        if let Some(events) = &claims.events {
            check.is_so("events", events, members_differ(&logic, &events.value));
        }
    }
}

struct Check<'a> {
    file: &'a str,
    title: &'a str,
    found: &'a mut Vec<Diagnostic>,
}

impl Check<'_> {
    fn logic(&mut self, claims: &Claims, logic: &Logic<'_>) {
        if let Some(order) = &claims.order {
            self.is_so("order", order, order_differs(logic, &order.value));
        }
        if let Some(window) = &claims.window_ms {
            self.is_so("window", window, window_differs(logic, window.value));
        }
        if let Some(entity) = &claims.entity {
            self.is_so("entity", entity, logic.entity_differs(&entity.value));
        }
        if let Some(threshold) = &claims.threshold {
            self.is_so("threshold", threshold, threshold_differs(logic, threshold.value));
        }
    }

    /// Tells of a difference: what is claimed, and what is so.
    fn is_so<T>(&mut self, claim: &str, at: &Claimed<T>, difference: Option<(String, String)>) {
        let Some((claimed, truth)) = difference else { return };
        let message = format!("`{}` claims {claim} {claimed}; its logic says: {truth}", self.title);
        let remedy = format!("correct the logic, or the claim `{claim}`");
        let wrong = Diagnostic::error(at.line, at.column, "false-claim", message, remedy);
        self.found.push(wrong.in_file(self.file));
    }
}

fn order_differs(logic: &Logic<'_>, claimed: &[String]) -> Option<(String, String)> {
    let shown = claimed.iter().map(|step| format!("`{step}`")).collect::<Vec<_>>().join(", ");
    let Some(steps) = &logic.order else { return Some((shown, format!("{} has no order", logic.what))) };
    let members =
        |step: &String| step.split(" or ").map(|name| logic.member(name.trim())).collect::<Option<BTreeSet<usize>>>();
    let is_so = claimed.len() == steps.len()
        && claimed.iter().zip(steps).all(|(claimed, step)| members(claimed).is_some_and(|members| members == *step));
    let step = |step: &BTreeSet<usize>| {
        let names: Vec<&str> = step.iter().map(|member| logic.name(*member)).collect();
        format!("`{}`", names.join(" or "))
    };
    (!is_so).then(|| (shown, steps.iter().map(step).collect::<Vec<_>>().join(", ")))
}

fn window_differs(logic: &Logic<'_>, claimed_ms: i64) -> Option<(String, String)> {
    match logic.window_ms {
        Some(window_ms) if window_ms == claimed_ms => None,
        Some(window_ms) => Some((span(claimed_ms), span(window_ms))),
        None => Some((span(claimed_ms), format!("{} looks at one event", logic.what))),
    }
}

fn threshold_differs(logic: &Logic<'_>, claimed: f64) -> Option<(String, String)> {
    let is_it = |number: &f64| (number - claimed).abs() <= 1e-9 * number.abs().max(1.0);
    if logic.thresholds.iter().any(is_it) {
        return None;
    }
    let truth = match &logic.thresholds[..] {
        [] => format!("{} compares with no number", logic.what),
        numbers => numbers.iter().map(f64::to_string).collect::<Vec<_>>().join(" or "),
    };
    Some((claimed.to_string(), truth))
}

/// The events of a correlation are its rules.
fn members_differ(logic: &Logic<'_>, claimed: &[String]) -> Option<(String, String)> {
    let members: Option<BTreeSet<usize>> = claimed.iter().map(|name| logic.member(name)).collect();
    let names = (0..logic.members.len()).map(|member| logic.name(member).to_owned());
    (members != Some((0..logic.members.len()).collect())).then(|| (listed(claimed.iter().cloned()), listed(names)))
}

fn listed(texts: impl Iterator<Item = String>) -> String {
    let texts: Vec<String> = texts.map(|text| format!("`{text}`")).collect();
    if texts.is_empty() { "nothing".to_owned() } else { texts.join(", ") }
}

/// A length of time in the largest unit that goes into it.
fn span(span_ms: i64) -> String {
    let units = [(604_800_000, "w"), (86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s")];
    let unit = units.into_iter().find(|(unit_ms, _)| span_ms % unit_ms == 0);
    unit.map_or_else(|| format!("{span_ms}ms"), |(unit_ms, unit)| format!("{}{unit}", span_ms / unit_ms))
}

#[cfg(test)]
mod tests;
