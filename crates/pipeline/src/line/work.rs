use std::sync::Arc;

use engine::{Format, Framer, Given, Heads, Limits};
use model::{Lane, Reject, SourceId, Time};
use store::Cursor;
use store::journal::Position;

use framing::Chunk;

/// A batch of records of one input.
#[derive(Clone, Debug)]
pub struct Work {
    /// The input's name.
    pub input: Arc<str>,
    /// The source that the input names; `None` recognises each record.
    pub source: Option<SourceId>,
    /// Why the records are on the line.
    pub lane: Lane,
    /// When they were received.
    pub received: Time,
    /// How many records were counted when they were received; `None` counts them on the line.
    pub records: Option<u64>,
    /// The records.
    pub body: Body,
    /// What moves when they are settled.
    pub after: After,
}

/// The bytes of a batch.
#[derive(Clone, Debug)]
pub enum Body {
    /// A stream of its own, still to be framed.
    Stream {
        /// How it is framed.
        format: Format,
        /// The stream.
        bytes: Vec<u8>,
    },
    /// Frames that were cut already.
    Frames(Frames),
}

/// Frames that were cut already, in order.
#[derive(Clone, Debug, Default)]
pub struct Frames(pub(crate) Chunk);

/// What moves when a batch is settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// The batch was the journal's entry before this position.
    Journal(Position),
    /// The input's cursor.
    Cursor(Cursor),
    /// Nothing: the input can neither be read again nor was it journalled.
    Nothing,
}

/// Takes a frame's bytes, and whether it is whole.
pub(crate) type EachFrame<'a> = dyn FnMut(&[u8], Result<(), Reject>) + 'a;

impl Work {
    /// Bytes that the batch holds.
    pub fn bytes(&self) -> usize {
        match &self.body {
            Body::Stream { bytes, .. } => bytes.len(),
            Body::Frames(frames) => frames.0.bytes(),
        }
    }

    /// All of the batch's bytes.
    pub(crate) fn raw(&self) -> &[u8] {
        match &self.body {
            Body::Stream { bytes, .. } => bytes,
            Body::Frames(frames) => frames.0.raw(),
        }
    }

    /// What the engine is told about each frame.
    pub(crate) fn given(&self) -> Given {
        Given { source: self.source.clone(), received: self.received, lane: self.lane }
    }

    /// The cursor that moves with the batch; `journal_key` names the journal.
    pub(crate) fn cursor(&self, journal_key: &str) -> Option<Cursor> {
        match &self.after {
            After::Journal(position) => Some(Cursor { key: journal_key.to_owned(), value: position.to_string() }),
            After::Cursor(cursor) => Some(cursor.clone()),
            After::Nothing => None,
        }
    }

    /// Calls `each` for every frame of the batch, in order.
    pub(crate) fn for_each_frame(&self, limits: Limits, heads: Heads, each: &mut EachFrame<'_>) {
        match &self.body {
            Body::Frames(frames) => frames.0.frames().for_each(|(bytes, span)| each(bytes, span.outcome)),
            Body::Stream { format, bytes } => {
                let mut framer = Framer::with_heads(*format, limits, heads);
                framer.push(bytes, &mut |frame| each(frame.bytes, frame.outcome));
                framer.finish(&mut |frame| each(frame.bytes, frame.outcome));
            }
        }
    }
}
