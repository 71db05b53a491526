//! Inputs that read: files, folders, watched folders, standard input, the samples, and the journal that standard input, HTTP push and
//! the inputs of `receive` fill.
//!
//! In: bytes of the world. Out: work for the line, with the cursor that says how far the input has been read once it is settled.
//! Bound: one batch each. When the line is full, [`crate::line::LineSender::submit`] waits, and so does the input: a file is read later, a
//! pipe's writer is held up.

pub mod cursor;
pub mod file;
pub mod folder;
pub mod journal;
pub mod network;
pub mod path;
mod records;
pub mod samples;
pub mod stdin;
mod stop;

use std::sync::Arc;

use engine::{Heads, Limits};
use model::{Lane, Level, SourceId};
use store::Store;

use crate::Clock;
use crate::line::LineSender;

pub use stop::Stop;

/// What one input is, and what it works with.
#[derive(Clone)]
pub struct Feed {
    /// The input's name.
    pub name: Arc<str>,
    /// The source of all its records; `None` recognises each.
    pub source: Option<SourceId>,
    /// Why its records are on the line.
    pub lane: Lane,
    /// Where work goes.
    pub line: LineSender,
    /// Where cursors are.
    pub store: Store,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Bounds of framing.
    pub limits: Limits,
    /// Which lines of a stream name the columns of those that follow.
    pub heads: Heads,
    /// Bounds of a batch.
    pub batch: BatchLimits,
    /// Says when to end.
    pub stop: Stop,
}

/// Bounds of one batch. One frame may be larger; it then travels with few others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// Records.
    pub records: usize,
    /// Bytes.
    pub bytes: usize,
}

impl Default for BatchLimits {
    fn default() -> BatchLimits {
        BatchLimits { records: 1000, bytes: 1 << 20 }
    }
}

impl Feed {
    /// Says in the log, and as an alert about ourselves, that the input has trouble.
    pub(crate) fn trouble(&self, title: &str, message: &str) {
        tracing::warn!(input = %self.name, message, "{title}");
        let key = format!("input:{}:{title}", self.name);
        let raised = self.store.raise_self(title, message, Level::Medium, &key, self.clock.now());
        if let Err(error) = raised {
            tracing::error!(%error, "an alert about ourselves could not be stored");
        }
    }
}
