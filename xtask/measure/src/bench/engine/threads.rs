//! Two threads against one. Time is that of the clock on the wall, so that it says something only on a machine with nothing else to do.

use std::time::Instant;

use engine::Limits;

use crate::bench::engine::clock::thread_time;
use crate::bench::engine::contest::{corpus_of, parse};
use crate::bench::engine::corpus::{self, Corpus};
use crate::bench::engine::ours;
use crate::bench::engine::{Measured, Setting, load_average};
use crate::bench::{Row, median};

const GOAL: f64 = 1.85;
const REPEATS: usize = 4;

/// The same events by one thread, and half of them by each of two.
pub fn rows(setting: &Setting) -> anyhow::Result<Measured> {
    let engine = setting.rules.compile(Limits::default()).0;
    let corpus = corpus_of(setting, &engine, "aws_cloudtrail", corpus::cloudtrail(&setting.data)?)?;
    let halves = corpus.split(corpus.events() / 2);
    let detect = |corpus: &Corpus| ours::detect(&engine, corpus);
    let (mut own, mut bare) = (Vec::new(), Vec::new());
    let rounds = 3 * setting.rounds();
    for _ in 0..rounds {
        own.push(Gain::of(&corpus, &halves, &detect)?);
        bare.push(Gain::of(&corpus, &halves, &parse)?);
    }
    let of = |gains: &[Gain], part: fn(&Gain) -> f64| median(gains.iter().map(part).collect());
    let (speedup, cost) = (of(&own, |gain| gain.wall), of(&own, |gain| gain.processor));
    let best = own.iter().map(|gain| gain.wall).fold(0.0, f64::max);
    let machine = of(&bare, |gain| gain.wall);
    eprintln!(
        "    two threads: {speedup:.2} × in the median of {rounds} rounds, {best:.2} × at best; a parse {machine:.2} ×"
    );
    let row = Row::of(
        format!("two threads against one, CloudTrail (load average {})", load_average()),
        format!(
            "{speedup:.2} × (best of {rounds} rounds {best:.2} ×; processor time of both {cost:.2} × that of one; \
             a bare parse gains {machine:.2} ×)"
        ),
        format!("≥ {GOAL} ×"),
        Some(speedup >= GOAL),
    );
    Ok(Measured { rows: vec![row], bars: None })
}

/// What a lane does with events.
type Work<'w> = dyn Fn(&Corpus) -> anyhow::Result<u64> + Sync + 'w;

/// Two threads against one.
struct Gain {
    /// Time on the wall of one over that of two.
    wall: f64,
    /// Processor time of two over that of one.
    processor: f64,
}

impl Gain {
    fn of(whole: &Corpus, halves: &[Corpus; 2], work: &Work<'_>) -> anyhow::Result<Gain> {
        let one = timed(work, &[whole])?;
        let two = timed(work, &[&halves[0], &halves[1]])?;
        Ok(Gain { wall: one.wall / two.wall, processor: two.processor / one.processor })
    }
}

struct Times {
    wall: f64,
    processor: f64,
}

/// A thread for each part, which it goes through again and again, so that starting it costs little beside.
fn timed(work: &Work<'_>, parts: &[&Corpus]) -> anyhow::Result<Times> {
    let began = Instant::now();
    let processor = std::thread::scope(|scope| {
        let work = |corpus: &Corpus| -> anyhow::Result<f64> {
            let began = thread_time();
            for _ in 0..REPEATS {
                work(corpus)?;
            }
            Ok((thread_time() - began).as_secs_f64())
        };
        let threads: Vec<_> = parts.iter().map(|corpus| scope.spawn(move || work(corpus))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a lane does not panic")).sum::<anyhow::Result<f64>>()
    })?;
    Ok(Times { wall: began.elapsed().as_secs_f64(), processor })
}
