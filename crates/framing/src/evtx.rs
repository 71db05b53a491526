//! Windows event log files (EVTX): each record becomes a frame of JSON, in the shape that `evtx_dump` writes.
//!
//! In: the bytes of a file. Out: frames whose place is that of the record in the file. Bound: one chunk, and one record as JSON.
//! A record that is damaged is a frame with [`Reject::Damaged`] and its bytes, and reading goes on after it; so is a chunk that cannot be
//! read at all. A chunk whose checksums do not agree is such a frame as well, with its header, and then it is read as far as it can be:
//! damage within a text shows nowhere else. Checksums of a log that Windows had open say nothing.
//! The reader is the `evtx` crate; a panic of it is contained, and counts as damage.

mod chunk;

use engine::{Frame, Limits};
use evtx::{EvtxFileHeader, HeaderFlags};
use model::Reject;

use chunk::{Chunk, Cut};

const HEADER_BYTES: usize = 4096;
const CHUNK_BYTES: usize = 64 << 10;

/// Cuts an event log file into frames.
#[derive(Debug)]
pub struct Evtx {
    limits: Limits,
    /// The file's header, or a chunk, that is being filled.
    held: Vec<u8>,
    /// Where it starts in the file.
    offset: u64,
    /// Windows had the log open: its checksums are old.
    is_open: bool,
}

type Each<'e> = dyn FnMut(Frame<'_>) + 'e;

impl Evtx {
    /// At the start of a file.
    pub fn new(limits: Limits) -> Evtx {
        Evtx { limits, held: Vec::new(), offset: 0, is_open: false }
    }

    /// Takes the file's next bytes; calls `each` for every record of the chunks that they complete.
    pub fn push(&mut self, mut bytes: &[u8], each: &mut Each<'_>) {
        loop {
            let wanted = if self.offset == 0 { HEADER_BYTES } else { CHUNK_BYTES };
            let (taken, rest) = bytes.split_at(bytes.len().min(wanted - self.held.len()));
            self.held.extend_from_slice(taken);
            bytes = rest;
            if self.held.len() < wanted {
                return;
            }
            if self.offset == 0 {
                let header = EvtxFileHeader::from_bytes(&self.held);
                self.is_open = header.is_ok_and(|header| header.flags.contains(HeaderFlags::DIRTY));
            } else {
                self.chunk(each);
            }
            self.held.clear();
            self.offset += wanted as u64;
        }
    }

    /// Ends the file. A chunk that is cut off is read as far as it goes; what is left of it is a reject.
    pub fn finish(self, each: &mut Each<'_>) {
        let mut rest = 0;
        if self.offset > 0 {
            let mut padded = self.held.clone();
            padded.resize(CHUNK_BYTES, 0);
            let is_here = |end: usize| end <= self.held.len();
            Chunk::new(padded).each(&mut |cut| {
                // A record at the cut is part of the rest.
                if let Cut::Whole { end, .. } = cut
                    && is_here(end)
                {
                    rest = end;
                    self.tell(cut, each);
                }
            });
        }
        if self.held[rest..].iter().any(|byte| *byte != 0) {
            self.reject(rest, &self.held[rest..], Reject::Truncated, each);
        }
    }

    fn chunk(&self, each: &mut Each<'_>) {
        if self.held.iter().all(|byte| *byte == 0) {
            return; // Space that was never used.
        }
        let chunk = Chunk::new(self.held.clone());
        match chunk.is_sound() {
            None => return self.reject(0, &self.held, Reject::Damaged, each),
            Some(false) if !self.is_open => self.reject(0, &self.held[..chunk::HEADER_BYTES], Reject::Damaged, each),
            Some(_) => {}
        }
        chunk.each(&mut |cut| self.tell(cut, each));
    }

    fn tell(&self, cut: Cut<'_>, each: &mut Each<'_>) {
        match cut {
            Cut::Whole { json, start, .. } if json.len() > self.limits.record_bytes => {
                self.reject(start, json, Reject::TooLarge, each);
            }
            Cut::Whole { json, start, .. } => {
                each(Frame { bytes: json, offset: self.offset + start as u64, outcome: Ok(()), hec: None, head: 0 });
            }
            Cut::Damaged { start, end } => self.reject(start, &self.held[start..end], Reject::Damaged, each),
        }
    }

    /// A frame that is not whole, with its first bytes.
    fn reject(&self, start: usize, bytes: &[u8], reason: Reject, each: &mut Each<'_>) {
        let bytes = &bytes[..bytes.len().min(self.limits.reject_bytes)];
        each(Frame { bytes, offset: self.offset + start as u64, outcome: Err(reason), hec: None, head: 0 });
    }
}
