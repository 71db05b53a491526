//! The journal: accepted raw records, durable before their sender is told so.
//!
//! In: a [`Batch`]. Out: a [`Position`], once the batch is on disk. Bound: [`JournalOptions::total_bytes_max`]. When full, or after the disk
//! failed: [`Journal::append`] refuses with a typed error and the sender retries.
//!
//! Segments are append-only files, numbered from 1. Whoever appends first writes for all that wait, so callers at the same time share one
//! `fsync`. Every opening begins a new segment; the newest one is never deleted, so that numbers never start again.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use model::{Lane, SourceId, Time};
use serde::{Deserialize, Serialize};

mod commit;
mod disk;
mod entry;
mod log;
mod reader;
mod recover;

pub use disk::{Disk, DiskFile, RealDisk};
pub use log::Journal;
pub use reader::Reader;

#[cfg(test)]
mod tests;

/// Bounds of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalOptions {
    /// A segment is closed once it has this many bytes.
    pub segment_bytes: u64,
    /// The journal refuses to grow beyond this.
    pub total_bytes_max: u64,
}

impl Default for JournalOptions {
    fn default() -> JournalOptions {
        JournalOptions { segment_bytes: 64 << 20, total_bytes_max: 4 << 30 }
    }
}

/// What one sender handed over at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The input.
    pub input: String,
    /// The source that the input names; `None` means that each record tells.
    pub source: Option<SourceId>,
    /// The framing, as the engine's wire byte.
    pub format: u8,
    /// Why the records are on the line.
    pub lane: Lane,
    /// When they were received.
    pub received: Time,
    /// How many records were counted.
    pub records: u64,
    /// The bytes as they came.
    pub bytes: Vec<u8>,
}

/// A place between two entries of the journal. Written as `segment:offset`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// The segment's number, from 1.
    pub segment: u64,
    /// Byte offset in the segment.
    pub offset: u64,
}

impl Position {
    /// Before everything.
    pub const START: Position = Position { segment: 0, offset: 0 };

    /// Reads `segment:offset`.
    pub fn parse(text: &str) -> Option<Position> {
        let (segment, offset) = text.split_once(':')?;
        Some(Position { segment: segment.parse().ok()?, offset: offset.parse().ok()? })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.segment, self.offset)
    }
}

/// Bytes that opening found to be no entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The segment.
    pub segment: u64,
    /// From which byte.
    pub from: u64,
    /// To which byte, exclusive.
    pub to: u64,
    /// A torn tail (cut off: it was never acknowledged) or damage in the middle (set aside)?
    pub torn: bool,
    /// Where the bytes are kept.
    pub kept: Option<PathBuf>,
}

/// Records that were accepted and that nothing on the disk holds any more: running totals with nothing between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The running total before them.
    pub from: u64,
    /// The running total with them.
    pub to: u64,
    /// They stood somewhere before this.
    pub before: Position,
}

/// What opening found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Entries that hold.
    pub entries: u64,
    /// Records in them, as counted by their senders' inputs.
    pub records: u64,
    /// Bytes in segments.
    pub bytes: u64,
    /// What does not hold.
    pub damage: Vec<Damage>,
    /// Records that are missing between those that hold; [`Store::book_lost`](crate::Store::book_lost) brings them into the ledger.
    pub lost: Vec<Lost>,
}

/// Why the journal refused.
#[derive(Clone, Debug, thiserror::Error)]
pub enum JournalError {
    /// The journal has reached its bound; the line is behind. Retry later.
    #[error("the journal is full: {bytes} of at most {bytes_max} bytes")]
    Full {
        /// Bytes it has.
        bytes: u64,
        /// Bytes it may have.
        bytes_max: u64,
    },
    /// The batch can never fit. Split it.
    #[error("a batch of {bytes} bytes is larger than the {bytes_max} that one entry may have")]
    TooLarge {
        /// Bytes of the batch.
        bytes: u64,
        /// Bytes allowed.
        bytes_max: u64,
    },
    /// The disk has no room. What was written was taken back; retry once there is room.
    #[error("the journal's disk has no room: {what}")]
    NoSpace {
        /// What was being done.
        what: String,
        /// Why.
        #[source]
        source: Arc<std::io::Error>,
    },
    /// A write or `fsync` failed: nothing more is accepted until [`Journal::reopen`].
    #[error("the journal's disk failed and must be reopened: {what}")]
    Failed {
        /// What was being done.
        what: String,
        /// Why.
        #[source]
        source: Arc<std::io::Error>,
    },
    /// Another process has the journal open.
    #[error("the journal `{}` is open in another process", path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// A file or directory cannot be read or made.
    #[error("the journal cannot {what}")]
    Io {
        /// What was being done.
        what: String,
        /// Why.
        #[source]
        source: Arc<std::io::Error>,
    },
    /// A segment was written by a newer version.
    #[error("journal segment {segment} has format {found}, newer than the {known} that this version knows")]
    Newer {
        /// The segment.
        segment: u64,
        /// Its format.
        found: u16,
        /// The newest that this version knows.
        known: u16,
    },
    /// A segment was written by an older version, whose format is not read any more.
    #[error(
        "journal segment {segment} has format {found}, older than the {known} that this version reads; let the version that wrote it settle it"
    )]
    Older {
        /// The segment.
        segment: u64,
        /// Its format.
        found: u16,
        /// The format that this version reads.
        known: u16,
    },
    /// An entry went bad after opening. Reopening sets it aside.
    #[error("journal segment {segment} is damaged at byte {offset}")]
    Damaged {
        /// The segment.
        segment: u64,
        /// The byte.
        offset: u64,
    },
}

impl JournalError {
    /// May the same call succeed later without anyone's help?
    pub fn retry(&self) -> bool {
        matches!(self, JournalError::Full { .. } | JournalError::NoSpace { .. })
    }
}

pub(crate) fn io_error(what: &str, source: std::io::Error) -> JournalError {
    JournalError::Io { what: what.to_owned(), source: Arc::new(source) }
}
