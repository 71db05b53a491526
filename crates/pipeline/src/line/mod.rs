//! The line: work in, settled truth out.
//!
//! In: [`Work`], a batch of records of one input. Out: one settlement for each batch, in the order in which work came. Bound:
//! [`LineOptions::queue_batches`] batches and [`LineOptions::queue_bytes`] bytes between coming and settled. When full, or while the store
//! refuses: [`LineSender::submit`] waits, so inputs stop reading and senders wait.
//!
//! Workers evaluate batches side by side; one settler takes their outcomes in order, appends events to the lake, then
//! settles findings, rejects, counts and the cursor in one transaction of the store, then lets the journal go. Correlations are shown what a
//! settlement holds before it, and what they say is settled with it. A crash
//! at any point repeats work and loses none: the cursor moves with what it came to, and the lake tells repeats by event id.

mod correlate;
mod detect;
mod evaluate;
mod monitor;
mod outcome;
mod queue;
mod settle;
mod work;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use lake::Lake;
use store::journal::Journal;
use store::{KeptContent, RouteRule, Store};

use crate::Clock;
use crate::signals::Signals;

pub use correlate::{
    Correlate, CorrelateOptions, CorrelateParts, Correlating, EngineCorrelations, Frozen, INPUT as CORRELATIONS, Names,
    Restored, RuleCounts,
};
pub use detect::{Detect, DetectWorker, SetAside};
pub use monitor::{RejectRate, RejectRateOptions};
pub(crate) use settle::chain;
pub use work::{After, Body, Frames, Work};

use outcome::Wants;
use queue::Queue;

/// What a line needs. Everything is shared: the line owns only its threads.
#[derive(Clone)]
pub struct LineParts {
    /// Evaluates.
    pub detect: Arc<dyn Detect>,
    /// Detection over time; `None` where there are no correlations.
    pub correlate: Option<CorrelateParts>,
    /// The truth.
    pub store: Store,
    /// The history; `None` keeps none.
    pub lake: Option<Lake>,
    /// Sensitive values that the site keeps.
    pub kept: Option<KeptContent>,
    /// Let go of once settled.
    pub journal: Option<Journal>,
    /// The key of the cursors that say how far the journal is settled; see [`crate::inputs::journal::key_of`].
    pub journal_key: Arc<str>,
    /// Where alerts go.
    pub routes: Arc<[RouteRule]>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Counters.
    pub signals: Arc<Signals>,
    /// Told after each settlement that queued something.
    pub queued: Arc<dyn Fn() + Send + Sync>,
}

/// The line's bounds.
#[derive(Clone, Debug)]
pub struct LineOptions {
    /// Worker threads.
    pub threads: usize,
    /// Batches between coming and settled.
    pub queue_batches: usize,
    /// Bytes between coming and settled. One batch may be larger; it then travels alone.
    pub queue_bytes: usize,
    /// Pause after the store refused for the first time; it doubles up to `store_pause_max`.
    pub store_pause: Duration,
    /// The longest pause.
    pub store_pause_max: Duration,
    /// When a jump of rejects is worth an alert.
    pub reject_rate: RejectRateOptions,
    /// When the state of correlations is saved.
    pub correlate: CorrelateOptions,
}

impl Default for LineOptions {
    fn default() -> LineOptions {
        LineOptions {
            threads: 2,
            queue_batches: 64,
            queue_bytes: 64 << 20,
            store_pause: Duration::from_millis(100),
            store_pause_max: Duration::from_secs(15),
            reject_rate: RejectRateOptions::default(),
            correlate: CorrelateOptions::default(),
        }
    }
}

/// The line has been closed: no more work is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the line is closed")]
pub struct Closed;

/// Hands work to a line. Cheap to clone.
#[derive(Clone)]
pub struct LineSender {
    queue: Arc<Queue>,
}

impl LineSender {
    /// Puts work at the end of the line; waits while the line is full.
    ///
    /// Errors: [`Closed`] once the line was told to end. The work is not taken then; its cursor stays where it was.
    pub fn submit(&self, work: Work) -> Result<(), Closed> {
        self.queue.submit(work)
    }

    /// Waits until all work so far is settled, or `timeout` has passed; says whether it is.
    pub fn wait_idle(&self, timeout: Duration) -> bool {
        self.queue.wait_idle(timeout)
    }
}

/// A running line.
pub struct Line {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
}

impl Line {
    /// Starts the workers and the settler.
    pub fn start(parts: LineParts, options: LineOptions) -> Line {
        let queue = Arc::new(Queue::new(options.queue_batches, options.queue_bytes));
        let mut threads = Vec::new();
        let kept = parts.kept.iter().flat_map(KeptContent::sources).cloned().collect();
        let wants = Wants { rows: parts.lake.is_some(), said: parts.correlate.is_some(), kept };
        for _ in 0..options.threads.max(1) {
            let (queue, detect, wants) = (queue.clone(), parts.detect.clone(), wants.clone());
            threads.push(std::thread::spawn(move || evaluate::run(&queue, &*detect, &wants)));
        }
        let settling = queue.clone();
        threads.push(std::thread::spawn(move || settle::run(&settling, &parts, &options)));
        Line { queue, threads }
    }

    /// Something to hand work in with.
    pub fn sender(&self) -> LineSender {
        LineSender { queue: self.queue.clone() }
    }

    /// Takes no more work, settles what it has, and ends. What is not settled when `deadline` has passed is given up: it
    /// stays in the journal, or before its cursor, for the next start. Says whether everything was settled.
    pub fn close(self, deadline: Duration) -> bool {
        self.queue.close();
        let is_whole = self.queue.wait_idle(deadline);
        self.queue.abandon();
        for thread in self.threads {
            // A thread that panicked has nothing more to settle; its work is repeated at the next start.
            let _ = thread.join();
        }
        is_whole
    }
}

#[cfg(test)]
mod tests;
