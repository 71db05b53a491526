//! Framing: a stream of bytes, in pieces of any size, becomes frames of one record each.
//!
//! In: bytes of one file, body or pipe. Out: [`Frame`]s with their offset. Bound: one record (`limits.record_bytes`) is held at a time.
//! When a record is longer, its first bytes go out with [`Reject::TooLarge`] and framing goes on after it; no byte is lost silently.

mod cut;
mod hec;
pub(crate) mod scan;

use model::Reject;

use crate::limits::Limits;
use cut::Cutter;

/// What a stream is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Format {
    /// JSON in any layout, or lines of text: the first byte of each record tells.
    #[default]
    Auto,
    /// Splunk HTTP Event Collector envelopes, one after another.
    Hec,
    /// Each line is a record, whatever it holds.
    Lines,
}

impl Format {
    /// The format's number in the journal.
    pub fn to_wire(self) -> u8 {
        match self {
            Format::Auto => 0,
            Format::Hec => 1,
            Format::Lines => 2,
        }
    }

    /// Reads the format's number in the journal.
    pub fn from_wire(byte: u8) -> Option<Format> {
        [Format::Auto, Format::Hec, Format::Lines].into_iter().find(|format| format.to_wire() == byte)
    }
}

/// What an HEC envelope says about its event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HecMeta {
    /// The envelope's number in the stream, from 0.
    pub number: u64,
    /// `time`: seconds since the epoch, as written.
    pub time: Option<String>,
    /// `source`.
    pub source: Option<String>,
    /// `sourcetype`.
    pub sourcetype: Option<String>,
    /// `host`.
    pub host: Option<String>,
    /// `index`.
    pub index: Option<String>,
}

/// One record's bytes.
#[derive(Clone, Debug)]
pub struct Frame<'a> {
    /// The record, without the space around it. Where `outcome` is an error: its first bytes.
    pub bytes: &'a [u8],
    /// Where it starts in the stream.
    pub offset: u64,
    /// Is it whole?
    pub outcome: Result<(), Reject>,
    /// What its HEC envelope says, for [`Format::Hec`].
    pub hec: Option<HecMeta>,
}

/// Cuts a stream into frames.
///
/// Shape: the frames of a stream are the same however it is split into pieces.
#[derive(Debug)]
pub struct Framer {
    cutter: Cutter,
    hec: Option<hec::Opener>,
    held: Vec<u8>,
}

impl Framer {
    /// A framer at the start of a stream.
    pub fn new(format: Format, limits: Limits) -> Framer {
        let hec = (format == Format::Hec).then(|| hec::Opener::new(limits));
        Framer { cutter: Cutter::new(format, limits), hec, held: Vec::new() }
    }

    /// Takes the stream's next bytes; calls `each` for every frame that they complete.
    pub fn push(&mut self, bytes: &[u8], each: &mut dyn FnMut(Frame<'_>)) {
        let (cutter, hec) = (&mut self.cutter, &mut self.hec);
        let mut each = |frame: Frame<'_>| open(hec, frame, each);
        if self.held.is_empty() {
            let used = cutter.cut(bytes, false, &mut each);
            self.held.extend_from_slice(&bytes[used..]);
        } else {
            self.held.extend_from_slice(bytes);
            let used = cutter.cut(&self.held, false, &mut each);
            self.held.drain(..used);
        }
    }

    /// Ends the stream; calls `each` for what is left.
    pub fn finish(mut self, each: &mut dyn FnMut(Frame<'_>)) {
        let hec = &mut self.hec;
        let mut each = |frame: Frame<'_>| open(hec, frame, each);
        self.cutter.cut(&self.held, true, &mut each);
    }
}

fn open(hec: &mut Option<hec::Opener>, frame: Frame<'_>, each: &mut dyn FnMut(Frame<'_>)) {
    match hec {
        Some(opener) => opener.open(frame, each),
        None => each(frame),
    }
}

#[cfg(test)]
mod tests;
