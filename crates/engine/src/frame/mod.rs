//! Framing: a stream of bytes, in pieces of any size, becomes frames of one record each.
//!
//! In: bytes of one file, body or pipe. Out: [`Frame`]s with their offset. Bound: one record (`limits.record_bytes`) is held at a time.
//! When a record is longer, its first bytes go out with [`Reject::TooLarge`] and framing goes on after it; no byte is lost silently.

mod cut;
mod head;
mod hec;
pub(crate) mod scan;

use model::Reject;

use crate::limits::Limits;
use crate::source::Heads;
use cut::Cutter;
use head::Header;

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
    /// How many of its first bytes are a header: the line that names its columns, and a line end. It stands elsewhere in the stream, unless
    /// it is the whole frame.
    pub head: usize,
}

/// Cuts a stream into frames.
///
/// Shape: the frames of a stream are the same however it is split into pieces.
#[derive(Debug)]
pub struct Framer {
    cutter: Cutter,
    hec: Option<hec::Opener>,
    header: Header,
    held: Vec<u8>,
}

impl Framer {
    /// A framer at the start of a stream, in which no line names columns.
    pub fn new(format: Format, limits: Limits) -> Framer {
        Framer::with_heads(format, limits, Heads::default())
    }

    /// A framer at the start of a stream. A line that names columns stands before each line of text that follows it, until the next.
    pub fn with_heads(format: Format, limits: Limits, heads: Heads) -> Framer {
        let hec = (format == Format::Hec).then(|| hec::Opener::new(limits));
        Framer { cutter: Cutter::new(format, limits), hec, header: Header::new(heads), held: Vec::new() }
    }

    /// Takes the stream's next bytes; calls `each` for every frame that they complete.
    pub fn push(&mut self, bytes: &[u8], each: &mut dyn FnMut(Frame<'_>)) {
        let Framer { cutter, hec, header, held } = self;
        let mut each = |frame: Frame<'_>| open(hec, header, frame, each);
        if held.is_empty() {
            let used = cutter.cut(bytes, false, &mut each);
            held.extend_from_slice(&bytes[used..]);
        } else {
            held.extend_from_slice(bytes);
            let used = cutter.cut(held, false, &mut each);
            held.drain(..used);
        }
    }

    /// Ends the stream; calls `each` for what is left.
    pub fn finish(mut self, each: &mut dyn FnMut(Frame<'_>)) {
        let Framer { cutter, hec, header, held } = &mut self;
        cutter.cut(held, true, &mut |frame: Frame<'_>| open(hec, header, frame, each));
    }
}

fn open(hec: &mut Option<hec::Opener>, header: &mut Header, frame: Frame<'_>, each: &mut dyn FnMut(Frame<'_>)) {
    match hec {
        Some(opener) => opener.open(frame, each),
        None => header.put(frame, each),
    }
}

#[cfg(test)]
mod tests;
