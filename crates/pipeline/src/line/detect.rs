//! The seam between the line and the engine: what the line asks of whatever evaluates.

use engine::context::Discovered;
use engine::{Engine, Given, Heads, Limits, Sink, Worker};

/// Evaluates records. Shared by all threads.
pub trait Detect: Send + Sync {
    /// Memory and hands for one thread.
    fn worker(&self) -> Box<dyn DetectWorker + '_>;
    /// The bounds of framing.
    fn limits(&self) -> Limits;
    /// Which lines of a stream name the columns of those that follow.
    fn heads(&self) -> Heads {
        Heads::default()
    }
}

/// Evaluates records on one thread.
pub trait DetectWorker {
    /// How many records the frame holds.
    fn count(&mut self, frame: &[u8], given: &Given) -> u64;
    /// Evaluates one frame.
    fn evaluate(&mut self, frame: &[u8], given: &Given, sink: &mut dyn Sink);
    /// After evaluating `frame` panicked: finds the rule that panics on it, if it is a rule, and sets it aside for all threads
    /// from now on.
    fn set_aside(&mut self, frame: &[u8], given: &Given) -> Option<SetAside>;
    /// What the events showed, since it was last asked, that the inventory keeps and does not know.
    fn discovered(&mut self) -> Discovered {
        Discovered::default()
    }
}

/// A rule that panicked and is no longer held against records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// The rule's id.
    pub rule_id: String,
    /// The rule's title.
    pub title: String,
}

struct EngineWorker<'a> {
    engine: &'a Engine,
    worker: Worker,
}

impl Detect for Engine {
    fn worker(&self) -> Box<dyn DetectWorker + '_> {
        Box::new(EngineWorker { engine: self, worker: Engine::worker(self) })
    }

    fn limits(&self) -> Limits {
        Engine::limits(self)
    }

    fn heads(&self) -> Heads {
        Engine::heads(self)
    }
}

impl DetectWorker for EngineWorker<'_> {
    fn count(&mut self, frame: &[u8], given: &Given) -> u64 {
        self.engine.count(&mut self.worker, frame, given)
    }

    fn evaluate(&mut self, frame: &[u8], given: &Given, sink: &mut dyn Sink) {
        self.engine.evaluate(&mut self.worker, frame, given, sink);
    }

    fn set_aside(&mut self, frame: &[u8], given: &Given) -> Option<SetAside> {
        let found = self.engine.set_aside_culprit(frame, given)?;
        Some(SetAside { rule_id: found.rule.id.to_string(), title: found.rule.title.clone() })
    }

    fn discovered(&mut self) -> Discovered {
        self.worker.discovered()
    }
}
