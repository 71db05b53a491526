//! `bench correlate`: what correlations cost, alone: facts that evaluation has handed over, to statements.
//!
//! Events come in order, one each millisecond, in batches of a thousand; five minutes of lateness are allowed, so 300,000 events always wait
//! for the frontier. Time is processor time of the one thread that owns the correlator. Each batch is made just before it is taken in, as
//! evaluation hands it over.

mod made;
mod snapshot;

use engine::correlate::{Correlator, Options};

use super::engine::clock::thread_time;
use super::{Row, Scope, median};
use made::Made;

/// One type of correlation over one kind of stream.
struct Lane {
    what: &'static str,
    correlation: &'static str,
    stream: Made,
    /// Events each second, millions.
    goal: Option<f64>,
}

const COUNT: &str = "type: event_count\n  rules: [a]\n  group-by: [user]\n  timespan: 1m\n  condition: {gte: 10}";
const VALUES: &str =
    "type: value_count\n  rules: [a]\n  group-by: [user]\n  timespan: 1m\n  condition: {field: object, gte: 1000000}";
const ORDERED: &str = "type: temporal_ordered\n  rules: [a, b, c]\n  group-by: [user]\n  timespan: 1m";
const PERCENTILE: &str = "type: value_percentile\n  rules: [a]\n  group-by: [user]\n  timespan: 1m\n  \
                          condition: {field: size, percentile: 99, gt: 1000000}";
const VOLUME: &str = "type: volume\n      group-by: [user]\n      timespan: 1m\n      at_least: 1000000\n      \
                      baseline: {k: 6, learn: 5, history: 60}";

fn lanes() -> Vec<Lane> {
    let lane = |what, correlation, stream, goal| Lane { what, correlation, stream, goal };
    vec![
        lane("`event_count`, 1,000 groups", COUNT, Made::groups(1_000), Some(1.5)),
        lane("`event_count`, 100,000 groups", COUNT, Made::groups(100_000), None),
        lane("`event_count`, one group", COUNT, Made::groups(1), None),
        lane("`value_count`, 100 groups, each value new", VALUES, Made::groups(100), Some(0.7)),
        lane("`temporal_ordered` of three rules, 1,000 groups", ORDERED, Made::groups(1_000), Some(0.5)),
        lane("`value_percentile`, 1,000 groups", PERCENTILE, Made::groups(1_000), Some(0.5)),
        lane("`volume` against a baseline, 1,000 groups", VOLUME, Made::groups(1_000), Some(0.5)),
        lane("`event_count`, 1,000 groups, a fifth comes late", COUNT, Made::groups(1_000).late(), None),
        lane("`event_count`, 1,000 groups, a fifth comes twice", COUNT, Made::groups(1_000).twice(), None),
    ]
}

/// The rows.
pub fn rows(scope: &Scope) -> anyhow::Result<Vec<Row>> {
    let (events, rounds) = if scope.quick { (300_000, 1) } else { (2_000_000, 5) };
    let mut rows = Vec::new();
    for lane in lanes().iter().filter(|lane| is_asked(scope, lane.what)) {
        let plans = made::correlations(lane.correlation)?;
        let run = || {
            let mut correlator = Correlator::new(plans.0.clone(), options());
            let take = |batch| {
                let began = thread_time();
                std::hint::black_box(correlator.batch(&batch).len());
                // Whoever takes a batch in lets go of it as well.
                drop(batch);
                (thread_time() - began).as_secs_f64()
            };
            lane.stream.batches(0..events, &plans.1).map(take).sum()
        };
        let seconds = median((0..rounds).map(|_| run()).collect());
        let millions = events as f64 / seconds / 1e6;
        let goal = lane.goal.map_or(String::new(), |goal| format!("≥ {goal} M/s"));
        let kept = lane.goal.map(|goal| millions >= goal);
        rows.push(Row::of(lane.what, format!("{millions:.2} M events/s"), goal, kept));
    }
    if is_asked(scope, "snapshot") {
        rows.extend(snapshot::rows(scope)?);
    }
    Ok(rows)
}

fn is_asked(scope: &Scope, what: &str) -> bool {
    scope.parts.is_empty() || scope.parts.iter().any(|part| what.contains(part.as_str()))
}

fn options() -> Options {
    Options { lateness_ms: 5 * 60_000, ..Options::default() }
}
