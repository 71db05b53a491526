//! Frames that own their bytes, so that they can travel between threads: one buffer, and a span for each frame.

use engine::Frame;
use model::Reject;

/// One frame of a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    start: usize,
    end: usize,
    /// Where the frame starts in its stream.
    pub offset: u64,
    /// Is it whole?
    pub outcome: Result<(), Reject>,
}

/// Some frames of one stream, in order.
#[derive(Clone, Debug, Default)]
pub struct Chunk {
    bytes: Vec<u8>,
    spans: Vec<Span>,
}

impl Chunk {
    /// Copies a frame to the end.
    pub fn push(&mut self, frame: &Frame<'_>) {
        self.push_bytes(frame.bytes, frame.offset, frame.outcome);
    }

    /// Copies bytes to the end as a frame.
    pub fn push_bytes(&mut self, bytes: &[u8], offset: u64, outcome: Result<(), Reject>) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.spans.push(Span { start, end: self.bytes.len(), offset, outcome });
    }

    /// Every frame, in order.
    pub fn frames(&self) -> impl Iterator<Item = (&[u8], &Span)> {
        self.spans.iter().map(|span| (&self.bytes[span.start..span.end], span))
    }

    /// The bytes of all frames, one after another.
    pub fn raw(&self) -> &[u8] {
        &self.bytes
    }

    /// How many bytes it holds.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// How many frames it holds.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Does it hold no frame?
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }
}
