//! `coverage` and `risk`: what stands in a sliding window.

use std::collections::{BTreeMap, BTreeSet};

use engine::correlate::Fact;
use engine::correlate::stateful::{Coverage, KnownSet, Risk};

use super::buckets::keeps;
use super::{Found, ids, micros, of_time, ordered, times};

const ONE: i128 = 1_000_000;
const DAY: i64 = 24 * 3_600_000_000;

/// Says of a set of events at a time whether they suffice: the value, and those that open a finding.
type Judge<'a> = &'a dyn Fn(&[Fact], i64) -> Option<(f64, Vec<Fact>)>;

/// Bursts, as correlations have them.
fn bursts(facts: &[Fact], span: i64, judge: Judge<'_>) -> Vec<Found> {
    let between = |from: i64, to: i64| -> Vec<Fact> {
        facts.iter().filter(|fact| (from..=to).contains(&micros(fact))).cloned().collect()
    };
    let mut found = Vec::new();
    let mut free = i64::MIN;
    for time in times(facts) {
        if time < free {
            continue;
        }
        let Some((mut value, opened)) = judge(&between(free.max(time - span), time), time) else { continue };
        let (mut last, mut prolonged) = (time, Vec::new());
        let start = micros(&opened[0]);
        for next in times(facts).into_iter().filter(|next| *next > time) {
            let is_near = next - last <= span && next - start <= span.max(DAY);
            // What stood in the window when it opened belongs to the finding, whether it shows it or not.
            let holds = judge(&between((next - span).max(free), next), next).filter(|_| is_near);
            let Some((more, _)) = holds else { break };
            value = value.max(more);
            last = next;
            prolonged.extend(ids(&ordered(of_time(facts, next))));
        }
        free = last + 1;
        let (first, opened) = (opened[0].id, ids(&opened));
        found.push(Found { first, start, held: time, last_held: last, opened, prolonged, value, again: 0 });
    }
    found
}

pub fn coverage(rule: &Coverage, facts: &[Fact]) -> Vec<Found> {
    let known = |fact: &Fact| -> BTreeSet<String> {
        let all = fact.values.things().iter().map(ToString::to_string);
        match &rule.set {
            KnownSet::Values(values) => all.filter(|text| values.iter().any(|value| **value == **text)).collect(),
            _ => all.collect(),
        }
    };
    let size = |until: i64| -> i128 {
        let from = until - rule.span_ms * 1000;
        match &rule.set {
            KnownSet::Size(size) => i128::from(*size),
            KnownSet::Values(values) => values.len() as i128,
            KnownSet::Said => {
                let says =
                    facts.iter().filter(|fact| (from..=until).contains(&micros(fact)) && !known(fact).is_empty());
                let said = says.flat_map(|fact| {
                    fact.values.measured().numbers().iter().map(|number| (micros(fact), number / ONE))
                });
                said.filter(|(_, size)| *size >= 1).max().map_or(0, |(_, size)| size)
            }
        }
    };
    let taking: Vec<Fact> = facts.iter().filter(|fact| !known(fact).is_empty()).cloned().collect();
    let judge = |set: &[Fact], time: i64| {
        let mut last: BTreeMap<String, Fact> = BTreeMap::new();
        for fact in ordered(set.to_vec()) {
            for text in known(&fact) {
                if last.get(&text).is_none_or(|known| known.time < fact.time) {
                    last.insert(text, fact.clone());
                }
            }
        }
        let (touched, size) = (last.len() as i128, size(time));
        let holds = size > 0 && touched >= i128::from(rule.at_least) && keeps(&rule.bounds, touched * ONE, size * ONE);
        let mut opened = ordered(last.into_values().collect());
        opened.dedup();
        holds.then(|| (touched as f64 / size as f64, opened))
    };
    bursts(&taking, rule.span_ms * 1000, &judge)
}

pub fn risk(rule: &Risk, facts: &[Fact]) -> Vec<Found> {
    let judge = |set: &[Fact], _| {
        let signals = || set.iter().flat_map(|fact| fact.members.iter()).map(|member| (member, &rule.weights[member]));
        let points: u64 = signals().map(|(_, weight)| weight.points).sum();
        let tactics: BTreeSet<&String> = signals().flat_map(|(_, weight)| &weight.tactics).collect();
        let rules: BTreeSet<usize> = signals().map(|(member, _)| member).collect();
        let holds = keeps(&rule.bounds, i128::from(points) * ONE, ONE)
            && tactics.len() >= rule.least_tactics
            && rules.len() >= rule.least_rules;
        holds.then(|| (points as f64, ordered(set.to_vec())))
    };
    bursts(facts, rule.span_ms * 1000, &judge)
}
