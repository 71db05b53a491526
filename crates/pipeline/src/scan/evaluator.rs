//! One thread's evaluation of a scan, and what it cost where the scan was given a clock.

use engine::context::Discovered;
use engine::{Engine, Given, Sink, Worker};
use model::Reject;

use super::report::ScanProfile;
use super::{ScanOptions, Tally};

/// A worker, and the time that it took.
pub(super) struct Evaluator<'e> {
    engine: &'e Engine,
    worker: Worker,
    given: Given,
    clock: Option<fn() -> u64>,
    time: u64,
}

impl<'e> Evaluator<'e> {
    /// For one thread.
    pub fn new(engine: &'e Engine, options: &ScanOptions) -> Evaluator<'e> {
        let worker = options.clock.map_or_else(|| engine.worker(), |clock| engine.profiled_worker(clock));
        Evaluator { engine, worker, given: options.given(), clock: options.clock, time: 0 }
    }

    /// Evaluates one frame, which starts at `offset` of its stream.
    pub fn frame(&mut self, bytes: &[u8], offset: u64, outcome: Result<(), Reject>, tally: &mut Tally) {
        tally.offset = offset;
        let began = self.clock.map(|clock| clock());
        match outcome {
            Ok(()) => self.engine.evaluate(&mut self.worker, bytes, &self.given, tally),
            Err(reason) => tally.rejected(bytes, self.given.source.as_ref(), reason),
        }
        if let (Some(clock), Some(began)) = (self.clock, began) {
            self.time += clock().saturating_sub(began);
        }
    }

    /// What its events showed that the inventory keeps and does not know.
    pub fn discovered(&mut self) -> Discovered {
        self.worker.discovered()
    }

    /// What it cost, if somebody wanted to know.
    pub fn profile(&self) -> Option<ScanProfile> {
        let profile = self.worker.profile()?;
        Some(ScanProfile {
            events: profile.events,
            time: self.time,
            witness_time: profile.witness_time,
            rules: profile.rules.clone(),
        })
    }
}
