//! How many facts a second one thread shows to the operators, without what stands around them.
//!
//! Run by hand: `cargo test --release -p watchkeep-engine --test correlation speed -- --ignored --nocapture`.
#![allow(clippy::disallowed_methods, clippy::print_stdout)] // Tests read clocks and print; the crate does neither.

use std::sync::Arc;
use std::time::Instant;

use engine::correlate::{Fact, Members, Operator, Out, SigmaOperator, SigmaState, Values};
use model::{EventId, Time};

use crate::operators::{SECONDS, correlation, scene};

const GROUPS: usize = 1_000;
const FACTS: usize = 1_000_000;

/// Facts of a thousand groups, each of which has a hundred within a time span.
fn facts(values: impl Fn(usize) -> Values) -> Vec<Fact> {
    let fact = |at: usize| Fact {
        time: Time::from_micros(at as i64 * 100),
        id: EventId::of(&[&at.to_le_bytes()]),
        members: Members::one(at / GROUPS % 3),
        values: values(at),
        detail: None,
        beneath: None,
    };
    (0..FACTS).map(fact).collect()
}

fn rate(kind: &str, condition: &str, facts: &[Fact]) {
    let scene = scene(&correlation("t", kind, &["a", "b", "c"], condition, SECONDS));
    let operator = SigmaOperator::compile(&scene.linked[0]).expect("one of Sigma's types");
    let mut states = vec![SigmaState::default(); GROUPS];
    let (mut told, start) = (0, Instant::now());
    for (at, fact) in facts.iter().enumerate() {
        let mut out = Out::default();
        operator.step(&mut states[at % GROUPS], fact.time, std::slice::from_ref(fact), &mut out);
        told += out.told.len();
    }
    let rate = facts.len() as f64 / start.elapsed().as_secs_f64() / 1e6;
    let bytes: usize = states.iter().map(|state| operator.heap_bytes(state)).sum();
    println!("{kind:<17} {condition:<36} {rate:>6.2} M/s, {told} told, {} bytes a group", bytes / GROUPS);
}

#[test]
#[ignore = "measures; run by hand in release"]
fn facts_a_second() {
    let plain = facts(|_| Values::None);
    rate("event_count", "{gte: 10}", &plain);
    rate("event_count", "{gte: 1000}", &plain);
    rate("event_count", "{gte: 10, lte: 50}", &plain);
    rate("temporal", "", &plain);
    rate("temporal_ordered", "", &plain);
    rate("temporal_ordered", "{gte: 2}", &plain);
    rate("temporal_ordered", "a and (b or c)", &plain);
    rate("temporal_ordered", "a and c and not b", &plain);
    let texts = facts(|at| Values::Texts(Box::new([Arc::from(format!("user-{at}@example.com"))])));
    rate("value_count", "{field: f, gte: 10}", &texts);
    rate("value_count", "{field: f, gte: 1000}", &texts);
    rate("value_percentile", "{field: f, lt: 1}", &texts);
    let numbers = facts(|at| Values::Number((at * 7_919 % 10_007) as i128 * 1_000_000));
    rate("value_sum", "{field: n, gte: 100000}", &numbers);
    rate("value_max", "{field: n, gte: 10000}", &numbers);
    rate("value_avg", "{field: n, gte: 9000}", &numbers);
    rate("value_percentile", "{field: n, percentile: 95, gte: 9900}", &numbers);
}
