//! Two threads against one. Time is that of the clock on the wall, so that it says something only on a machine with nothing else to do.

use std::time::Instant;

use engine::{Engine, Limits};

use crate::bench::engine::clock::thread_time;
use crate::bench::engine::contest::corpus_of;
use crate::bench::engine::corpus::{self, Corpus};
use crate::bench::engine::ours;
use crate::bench::engine::{Measured, Setting};
use crate::bench::{Row, median};

const GOAL: f64 = 1.85;

/// The same events by one thread, and half of them by each of two.
pub fn rows(setting: &Setting) -> anyhow::Result<Measured> {
    let engine = setting.rules.compile(Limits::default()).0;
    let corpus = corpus_of(setting, &engine, "aws_cloudtrail", corpus::cloudtrail(&setting.data)?)?;
    let halves = corpus.split(corpus.events() / 2);
    let (mut speedups, mut costs) = (Vec::new(), Vec::new());
    let rounds = 3 * setting.rounds();
    for _ in 0..rounds {
        let one = timed(&engine, &[&corpus])?;
        let two = timed(&engine, &[&halves[0], &halves[1]])?;
        speedups.push(one.wall / two.wall);
        costs.push(two.processor / one.processor);
    }
    let best = speedups.iter().copied().fold(0.0, f64::max);
    let median_of = median(speedups);
    eprintln!("    two threads: {median_of:.2} × in the median of {rounds} rounds, {best:.2} × at best");
    let row = Row::of(
        format!("two threads against one, CloudTrail (load average {})", load()),
        format!(
            "{median_of:.2} × (best of {rounds} rounds {best:.2} ×; processor time of both {:.2} × that of one)",
            median(costs)
        ),
        format!("≥ {GOAL} ×"),
        Some(median_of >= GOAL),
    );
    Ok(Measured { rows: vec![row], bars: None })
}

struct Times {
    wall: f64,
    processor: f64,
}

fn timed(engine: &Engine, parts: &[&Corpus]) -> anyhow::Result<Times> {
    let began = Instant::now();
    let processor = std::thread::scope(|scope| {
        let work = |corpus| {
            let began = thread_time();
            ours::detect(engine, corpus).map(|_| (thread_time() - began).as_secs_f64())
        };
        let threads: Vec<_> = parts.iter().map(|corpus| scope.spawn(move || work(corpus))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a lane does not panic")).sum::<anyhow::Result<f64>>()
    })?;
    Ok(Times { wall: began.elapsed().as_secs_f64(), processor })
}

/// Runnable processes over the last minute, with ours.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("unknown").to_owned()
}
