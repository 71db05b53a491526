//! The page, sentence by sentence, over all events of a group at once. Slow and plain; shares nothing with the operators but the nouns.

pub mod beside;
pub mod buckets;
pub mod values;
pub mod windows;

use engine::correlate::Fact;
use model::EventId;

const HOUR: i64 = 3_600_000_000;

/// What a finding says, as far as the page decides it. Times in microseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub first: EventId,
    pub start: i64,
    pub held: i64,
    pub last_held: i64,
    pub opened: Vec<EventId>,
    pub prolonged: Vec<EventId>,
    pub value: f64,
    /// How often events count that count more than once.
    pub again: usize,
}

/// Something that happened at a time: the events that show it, and what it adds to the value.
#[derive(Clone, Debug)]
pub struct Strike {
    pub at: i64,
    pub facts: Vec<Fact>,
    pub value: f64,
}

pub fn micros(fact: &Fact) -> i64 {
    fact.time.micros()
}

pub fn times(facts: &[Fact]) -> Vec<i64> {
    let mut times: Vec<i64> = facts.iter().map(micros).collect();
    times.sort_unstable();
    times.dedup();
    times
}

pub fn of_time(facts: &[Fact], time: i64) -> Vec<Fact> {
    facts.iter().filter(|fact| micros(fact) == time).cloned().collect()
}

/// Strikes at most an hour apart are one finding, cut a day after its first strike.
pub fn fold(mut strikes: Vec<Strike>, join: fn(f64, f64) -> f64) -> Vec<Found> {
    strikes.sort_by_key(|strike| strike.at);
    let mut folded: Vec<Vec<Strike>> = Vec::new();
    for strike in strikes {
        match folded.last_mut() {
            Some(run) if strike.at - run[run.len() - 1].at <= HOUR && strike.at - run[0].at <= 24 * HOUR => {
                run.push(strike)
            }
            _ => folded.push(vec![strike]),
        }
    }
    let each = |run: Vec<Strike>| {
        let opened = ordered(run[0].facts.clone());
        let later: Vec<Fact> = run[1..].iter().flat_map(|strike| strike.facts.clone()).collect();
        Found {
            first: opened[0].id,
            start: micros(&opened[0]),
            held: run[0].at,
            last_held: run[run.len() - 1].at,
            opened: ids(&opened),
            prolonged: ids(&ordered(later)),
            value: run[1..].iter().fold(run[0].value, |value, strike| join(value, strike.value)),
            again: 0,
        }
    };
    folded.into_iter().map(each).collect()
}

pub fn ordered(mut facts: Vec<Fact>) -> Vec<Fact> {
    facts.sort_by_key(|fact| (fact.time, fact.id));
    facts
}

pub fn ids(facts: &[Fact]) -> Vec<EventId> {
    facts.iter().map(|fact| fact.id).collect()
}
