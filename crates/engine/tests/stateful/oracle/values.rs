//! `first_seen` and `rarity`.

use std::collections::BTreeSet;

use engine::correlate::Fact;
use engine::correlate::stateful::{FirstSeen, Rarity};

use super::{Found, Strike, fold, micros, of_time, times};

fn has(fact: &Fact, text: &str) -> bool {
    fact.values.texts().iter().any(|other| **other == *text)
}

fn texts(facts: &[Fact]) -> BTreeSet<String> {
    facts.iter().flat_map(|fact| fact.values.texts()).map(ToString::to_string).collect()
}

/// Only events with a value.
fn with_values(facts: &[Fact]) -> Vec<Fact> {
    facts.iter().filter(|fact| !fact.values.texts().is_empty()).cloned().collect()
}

pub fn first_seen(rule: &FirstSeen, facts: &[Fact]) -> Vec<Found> {
    let facts = with_values(facts);
    let forget = rule.forget_ms * 1000;
    let mut strikes = Vec::new();
    let mut begun = None;
    let mut previous = i64::MIN / 2;
    for time in times(&facts) {
        if time - previous > forget {
            begun = Some(time);
        }
        previous = time;
        let begun = begun.expect("the first event begins a life");
        let before = facts.iter().filter(|fact| (begun..time).contains(&micros(fact))).count() as u64;
        let is_learning = time - begun < rule.learn_ms * 1000 || before < rule.learn_events;
        let now = of_time(&facts, time);
        let is_known =
            |text: &String| facts.iter().any(|fact| (time - forget..time).contains(&micros(fact)) && has(fact, text));
        let new: Vec<String> = texts(&now).into_iter().filter(|text| !is_known(text)).collect();
        if is_learning || new.is_empty() {
            continue;
        }
        let showing = now.into_iter().filter(|fact| new.iter().any(|text| has(fact, text))).collect();
        strikes.push(Strike { at: time, facts: showing, value: new.len() as f64 });
    }
    fold(strikes, |all, more| all + more)
}

pub fn rarity(rule: &Rarity, facts: &[Fact]) -> Vec<Found> {
    let facts = with_values(facts);
    let slice = (rule.span_ms * 1000 + 31) / 32;
    let mut strikes = Vec::new();
    for time in times(&facts) {
        let number = time / slice;
        let past: Vec<&Fact> =
            facts.iter().filter(|fact| (number - 32..number).contains(&(micros(fact) / slice))).collect();
        if (past.len() as u64) < rule.least_events {
            continue;
        }
        let count = |text: &str| past.iter().filter(|fact| has(fact, text)).count() as i128;
        let is_rare = |text: &String| count(text) * 1_000_000 < rule.share * past.len() as i128;
        let now = of_time(&facts, time);
        let rare: Vec<String> = texts(&now).into_iter().filter(is_rare).collect();
        if rare.is_empty() {
            continue;
        }
        let shares = rare.iter().map(|text| count(text) as f64 * 100.0 / past.len().max(1) as f64);
        let value = shares.fold(f64::INFINITY, f64::min);
        let showing = now.into_iter().filter(|fact| rare.iter().any(|text| has(fact, text))).collect();
        strikes.push(Strike { at: time, facts: showing, value });
    }
    fold(strikes, f64::min)
}
