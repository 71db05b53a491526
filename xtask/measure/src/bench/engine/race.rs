//! Lanes that run turn by turn over the same events, so that all meet the same weather.

use std::collections::BTreeMap;

use crate::bench::engine::clock::thread_time;
use crate::bench::engine::corpus::Corpus;
use crate::bench::median;

/// What one lane does with a corpus.
type Run<'a> = Box<dyn FnMut(&Corpus) -> anyhow::Result<Round> + 'a>;

/// What one round came to.
pub struct Round {
    /// Pairs of rule and event that matched.
    pub pairs: u64,
    /// Processor time, where another process did the work.
    pub seconds: Option<f64>,
}

/// One contestant.
pub struct Lane<'a> {
    name: String,
    run: Run<'a>,
    /// Events of a round at most.
    events_max: usize,
    times: Vec<f64>,
    pairs: u64,
}

impl<'a> Lane<'a> {
    /// A lane of this thread, which gives the pairs that matched.
    pub fn new(name: impl Into<String>, mut run: impl FnMut(&Corpus) -> anyhow::Result<u64> + 'a) -> Lane<'a> {
        Lane::away(name, move |corpus| Ok(Round { pairs: run(corpus)?, seconds: None }))
    }

    /// A lane of another process.
    pub fn away(name: impl Into<String>, run: impl FnMut(&Corpus) -> anyhow::Result<Round> + 'a) -> Lane<'a> {
        Lane { name: name.into(), run: Box::new(run), events_max: usize::MAX, times: Vec::new(), pairs: 0 }
    }

    /// A lane so slow that it runs over a sample of the events, so that a run ends.
    pub fn sampled(mut self, events: usize) -> Lane<'a> {
        self.events_max = events;
        self
    }

    /// Microseconds of processor time an event: the median of the rounds.
    pub fn micros(&self) -> f64 {
        median(self.times.clone())
    }

    /// Pairs of rule and event that matched, in the events that it saw.
    pub fn pairs(&self) -> u64 {
        self.pairs
    }

    /// How many times the time of `other` this lane's is: the median of each round's ratio.
    pub fn over(&self, other: &Lane<'_>) -> f64 {
        median(self.times.iter().zip(&other.times).map(|(own, other)| own / other).collect())
    }

    fn round(&mut self, corpus: &Corpus) -> anyhow::Result<()> {
        let began = thread_time();
        let round = (self.run)(corpus)?;
        let seconds = round.seconds.unwrap_or_else(|| (thread_time() - began).as_secs_f64());
        self.pairs = round.pairs;
        self.times.push(seconds * 1e6 / corpus.events() as f64);
        Ok(())
    }
}

/// Runs every lane once over a sample, to warm it, and then `rounds` times over the corpus, in turn.
pub fn race(corpus: &Corpus, rounds: usize, lanes: &mut [Lane<'_>]) -> anyhow::Result<()> {
    let warm = corpus.sample(200);
    let mut samples = BTreeMap::new();
    for lane in lanes.iter_mut() {
        (lane.run)(&warm)?;
        if lane.events_max < corpus.events() {
            samples.entry(lane.events_max).or_insert_with(|| corpus.sample(lane.events_max));
        }
    }
    for _ in 0..rounds {
        for lane in lanes.iter_mut() {
            lane.round(samples.get(&lane.events_max).unwrap_or(corpus))?;
        }
    }
    for lane in lanes.iter() {
        eprintln!("    {:<44} {:>9.2} µs  {:>9} pairs", lane.name, lane.micros(), lane.pairs());
    }
    Ok(())
}
