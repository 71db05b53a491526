//! `absence`, `join` and `sequence`: what stands beside or behind what.

use std::collections::BTreeMap;

use engine::correlate::stateful::{Joined, Sequence, Silence, Unmatched};
use engine::correlate::{Fact, Members};

use super::{Found, Strike, fold, ids, micros, of_time, ordered, times};

fn is(fact: &Fact, members: Members) -> bool {
    fact.members.iter().any(|member| members.has(member))
}

pub fn unmatched(rule: &Unmatched, facts: &[Fact]) -> Vec<Found> {
    let is_alone = |fact: &Fact| {
        let window = micros(fact) - rule.before_ms * 1000..=micros(fact) + rule.after_ms * 1000;
        is(fact, rule.asking) && !facts.iter().any(|other| is(other, rule.missing) && window.contains(&micros(other)))
    };
    let alone: Vec<Fact> = facts.iter().filter(|fact| is_alone(fact)).cloned().collect();
    let strike = |time: &i64| {
        let facts = of_time(&alone, *time);
        Strike { at: time + rule.after_ms * 1000, value: facts.len() as f64, facts }
    };
    fold(times(&alone).iter().map(strike).collect(), |all, more| all + more)
}

pub fn silence(rule: &Silence, facts: &[Fact]) -> Vec<Found> {
    let times = times(facts);
    let mut found = Vec::new();
    let mut count = 0;
    for (place, time) in times.iter().enumerate() {
        if place > 0 && time - times[place - 1] > rule.forget_ms * 1000 {
            count = 0;
        }
        let last = ordered(of_time(facts, *time));
        count += last.len() as u64;
        let forgotten = time + rule.forget_ms * 1000;
        let end = times.get(place + 1).map_or(forgotten, |next| forgotten.min(*next));
        let held = time + rule.span_ms * 1000;
        // The next event comes at the last moment of the span: nothing was missed.
        let is_in_time = times.get(place + 1).is_some_and(|next| *next <= held);
        if count < rule.least_events || is_in_time {
            continue;
        }
        let value = ((end - time) / 1000) as f64 / 1000.0;
        let (first, opened) = (last[0].id, ids(&last));
        found.push(Found {
            first,
            start: *time,
            held,
            last_held: held,
            opened,
            prolonged: Vec::new(),
            value,
            again: 0,
        });
    }
    found
}

pub fn joined(rule: &Joined, facts: &[Fact]) -> Vec<Found> {
    let mut struck: BTreeMap<i64, Vec<Fact>> = BTreeMap::new();
    for fact in facts {
        let is_beside = |other: &&Fact| {
            let is_near = (micros(fact) - micros(other)).abs() <= rule.span_ms * 1000;
            let [one, two] = rule.sides;
            is_near && (is(fact, one) && is(other, two) || is(fact, two) && is(other, one))
        };
        if let Some(first) = facts.iter().filter(is_beside).map(micros).min() {
            struck.entry(first.max(micros(fact))).or_default().push(fact.clone());
        }
    }
    let strike = |(at, facts): (i64, Vec<Fact>)| Strike { at, value: facts.len() as f64, facts };
    fold(struck.into_iter().map(strike).collect(), |all, more| all + more)
}

/// The chains of a sequence: when each was whole, and the latest time at which it can have started.
pub fn chains(rule: &Sequence, facts: &[Fact]) -> Vec<(i64, i64)> {
    let mut found = Vec::new();
    let mut free = i64::MIN;
    for time in times(facts) {
        let candidates: Vec<Fact> =
            facts.iter().filter(|fact| (free..=time).contains(&micros(fact))).cloned().collect();
        let broken: Vec<i64> = candidates.iter().filter(|fact| is(fact, rule.unless)).map(micros).collect();
        let starts = all(rule, &candidates, &mut Vec::new());
        let whole = starts
            .into_iter()
            .filter(|(start, end)| *end == time && !broken.iter().any(|at| (start..=end).contains(&at)));
        if let Some((start, _)) = whole.max() {
            found.push((time, start));
            free = time + 1;
        }
    }
    found
}

/// Start and end of every way to fulfil the steps, each event used once.
fn all(rule: &Sequence, facts: &[Fact], chosen: &mut Vec<Fact>) -> Vec<(i64, i64)> {
    let wanted: Vec<usize> = rule
        .steps
        .iter()
        .enumerate()
        .flat_map(|(at, step)| vec![at; usize::try_from(step.at_least).expect("few")])
        .collect();
    if chosen.len() == wanted.len() {
        return vec![(micros(&chosen[0]), micros(&chosen[chosen.len() - 1]))];
    }
    let step = wanted[chosen.len()];
    let mut found = Vec::new();
    for fact in facts {
        let fits = is(fact, rule.steps[step].members) && !chosen.contains(fact);
        let is_in_order = chosen.last().is_none_or(|last| micros(last) <= micros(fact));
        let is_in_span = chosen.first().is_none_or(|first| micros(fact) - micros(first) <= rule.span_ms * 1000);
        let is_first_of_step = chosen.is_empty() || wanted[chosen.len() - 1] != step;
        let within = rule.steps[step].within_ms.filter(|_| is_first_of_step);
        let is_soon =
            within.is_none_or(|within| chosen.last().is_none_or(|last| micros(fact) - micros(last) <= within * 1000));
        if fits && is_in_order && is_in_span && is_soon {
            chosen.push(fact.clone());
            found.extend(all(rule, facts, chosen));
            chosen.pop();
        }
    }
    found
}
