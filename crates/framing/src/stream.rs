//! Framing what inputs read: text by the engine's framer, and Windows event log files by chunks of their own format.
//!
//! In: the bytes of one stream, unpacked, in pieces of any size. Out: frames, each with its place in the stream. Bound: one record, or one
//! chunk of an event log (64 KiB) and one of its records. The first bytes of the stream tell which of the two it is.

use engine::{Format, Frame, Framer, Heads, Limits};

use crate::Evtx;

/// How a Windows event log file begins.
pub const EVTX_MAGIC: &[u8] = b"ElfFile\0";

/// Cuts a stream into frames, whatever it holds.
///
/// Shape: the frames of a stream are the same however it is split into pieces.
#[derive(Debug)]
pub struct Framing {
    stage: Stage,
    format: Format,
    limits: Limits,
    heads: Heads,
}

#[derive(Debug)]
enum Stage {
    /// So far the stream could be the beginning of an event log.
    Undecided(Vec<u8>),
    Text(Box<Framer>),
    Evtx(Evtx),
}

impl Framing {
    /// Framing at the start of a stream. A format other than [`Format::Auto`] is text, whatever its first bytes. `heads` says which lines
    /// name the columns of those that follow.
    pub fn new(format: Format, limits: Limits, heads: Heads) -> Framing {
        let stage = match format {
            Format::Auto => Stage::Undecided(Vec::new()),
            _ => Stage::Text(Box::new(Framer::with_heads(format, limits, heads.clone()))),
        };
        Framing { stage, format, limits, heads }
    }

    /// Takes the stream's next bytes; calls `each` for every frame that they complete.
    pub fn push(&mut self, bytes: &[u8], each: &mut dyn FnMut(Frame<'_>)) {
        let Stage::Undecided(held) = &mut self.stage else { return self.go_on(bytes, each) };
        let head: Vec<u8> = held.iter().chain(bytes).take(EVTX_MAGIC.len()).copied().collect();
        let held = std::mem::take(held);
        if head.len() < EVTX_MAGIC.len() && EVTX_MAGIC.starts_with(&head) {
            self.stage = Stage::Undecided(head);
            return;
        }
        self.stage = match head.as_slice() {
            EVTX_MAGIC => Stage::Evtx(Evtx::new(self.limits)),
            _ => Stage::Text(Box::new(Framer::with_heads(self.format, self.limits, self.heads.clone()))),
        };
        if !held.is_empty() {
            self.go_on(&held, each);
        }
        self.go_on(bytes, each);
    }

    fn go_on(&mut self, bytes: &[u8], each: &mut dyn FnMut(Frame<'_>)) {
        match &mut self.stage {
            Stage::Text(framer) => framer.push(bytes, each),
            Stage::Evtx(evtx) => evtx.push(bytes, each),
            Stage::Undecided(_) => {}
        }
    }

    /// Ends the stream; calls `each` for what is left.
    pub fn finish(self, each: &mut dyn FnMut(Frame<'_>)) {
        match self.stage {
            Stage::Text(framer) => framer.finish(each),
            Stage::Evtx(evtx) => evtx.finish(each),
            Stage::Undecided(held) => {
                let mut framer = Framer::with_heads(self.format, self.limits, self.heads);
                framer.push(&held, each);
                framer.finish(each);
            }
        }
    }
}

#[cfg(test)]
mod tests;
