//! Records of streams that cannot be read again, on their way into the journal: framed, counted, and appended in batches.
//!
//! Bound: one batch and one record. When the journal refuses: waits until it takes the batch, or the input is told to end.

use std::io::{self, Read};
use std::time::Duration;

use engine::{Engine, Format, Frame, Given, Worker};
use model::Reject;
use store::journal::{Batch, Journal, JournalError};

use super::Feed;
use super::journal::broken_to_wire;
use crate::line::chain;
use framing::Framing;
use framing::decompress::{self, Break, Packing};

const BUFFER_BYTES: usize = 256 << 10;
const PAUSE: Duration = Duration::from_secs(1);

/// Why records did not become durable.
pub(super) enum Failure {
    /// The input was told to end.
    Stopped,
    /// The stream broke off. What came before is durable once it is flushed.
    Read(io::Error),
    /// The journal can never take the batch.
    Refused(String),
}

/// Is each piece that is read made durable before the next is waited for?
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flush {
    /// A pipe may pause for long.
    EveryRead,
    /// The stream ends by itself, and its sender is answered then.
    FullBatches,
}

/// Takes streams one after another.
pub(super) struct Records<'a> {
    feed: &'a Feed,
    engine: &'a Engine,
    journal: &'a Journal,
    worker: &'a mut Worker,
    format: Format,
    /// Whole records, one a line.
    held: Vec<u8>,
    /// The header that the last of them stands below.
    head: Vec<u8>,
    records: u64,
    /// Records that are durable.
    pub durable: u64,
    /// Journal entries that were written.
    pub batches: u64,
    failure: Option<Failure>,
}

impl<'a> Records<'a> {
    pub fn new(
        feed: &'a Feed,
        engine: &'a Engine,
        journal: &'a Journal,
        worker: &'a mut Worker,
        format: Format,
    ) -> Records<'a> {
        let (held, head) = (Vec::new(), Vec::new());
        Records { feed, engine, journal, worker, format, held, head, records: 0, durable: 0, batches: 0, failure: None }
    }

    /// Reads `stream` to its end; plain, gzip or zstd. A broken packing is told as an error after everything before it and a reject.
    pub fn read(&mut self, stream: impl Read + Send, flush: Flush) -> Result<(), Failure> {
        let (_, mut plain) = decompress::open(stream).map_err(Failure::Read)?;
        let mut framer = Framing::new(self.format, self.feed.limits, self.feed.heads.clone());
        let mut buffer = vec![0; BUFFER_BYTES];
        let outcome = loop {
            match plain.read(&mut buffer) {
                Ok(0) => break Ok(()),
                Ok(n) => framer.push(&buffer[..n], &mut |frame| self.take(&frame)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
            if flush == Flush::EveryRead {
                self.flush();
            }
            self.check()?;
            if self.feed.stop.is_stopped() {
                return Err(Failure::Stopped);
            }
        };
        let broken = outcome.as_ref().err().filter(|error| Break::of(error).is_some());
        if let (Err(error), None, Flush::FullBatches) = (&outcome, broken, flush) {
            // It comes again, and whole: what is half read of it is no record.
            return Err(Failure::Read(io::Error::new(error.kind(), error.to_string())));
        }
        framer.finish(&mut |frame| self.take(&frame));
        if let Some(error) = broken {
            self.keep(error.to_string().as_bytes(), Reject::BadCompression);
        }
        // The next stream does not stand below this one's header.
        if flush == Flush::EveryRead || !self.head.is_empty() {
            self.flush();
        }
        self.check()?;
        outcome.map_err(Failure::Read)
    }

    /// Takes a whole message. As lines it is text, whatever its first bytes; else it may be packed.
    pub fn message(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        if self.format != Format::Lines && Packing::of(bytes) != Packing::Plain {
            return self.read(bytes, Flush::FullBatches);
        }
        let mut framer = Framing::new(self.format, self.feed.limits, self.feed.heads.clone());
        framer.push(bytes, &mut |frame| self.take(&frame));
        framer.finish(&mut |frame| self.take(&frame));
        if !self.head.is_empty() {
            self.flush();
        }
        self.check()
    }

    /// Makes everything that was read durable.
    pub fn finish(&mut self) -> Result<(), Failure> {
        self.flush();
        self.check()
    }

    /// Journals bytes that are no whole record. They could swallow their neighbours when they are framed again: they travel alone.
    pub fn keep(&mut self, bytes: &[u8], reason: Reject) {
        self.flush();
        self.append(bytes.to_vec(), broken_to_wire(reason), 1);
    }

    fn check(&mut self) -> Result<(), Failure> {
        self.failure.take().map_or(Ok(()), Err)
    }

    fn take(&mut self, frame: &Frame<'_>) {
        if let Err(reason) = frame.outcome {
            return self.keep(frame.bytes, reason);
        }
        if self.held.len() >= self.feed.batch.bytes {
            self.flush();
        }
        let given = Given { source: self.feed.source.clone(), received: self.feed.clock.now(), lane: self.feed.lane };
        self.records += self.engine.count(self.worker, frame.bytes, &given);
        // A header stands once in a batch: framing it again puts it before each of its lines.
        let head = frame.bytes[..frame.head].trim_ascii_end();
        let known = if frame.head > 0 && head == self.head { frame.head.min(frame.bytes.len()) } else { 0 };
        if frame.head > 0 && known == 0 {
            self.head.clear();
            self.head.extend_from_slice(head);
        }
        if known < frame.bytes.len() {
            self.held.extend_from_slice(&frame.bytes[known..]);
            self.held.push(b'\n');
        }
    }

    fn flush(&mut self) {
        let (held, records) = (std::mem::take(&mut self.held), std::mem::take(&mut self.records));
        self.head.clear();
        if !held.is_empty() {
            self.append(held, self.format.to_wire(), records);
        }
    }

    /// Journals a batch, however long that takes. After a failure nothing more is journalled: it all comes again.
    fn append(&mut self, bytes: Vec<u8>, format: u8, records: u64) {
        if self.failure.is_some() {
            return;
        }
        let batch = Batch {
            input: self.feed.name.to_string(),
            source: self.feed.source.clone(),
            format,
            lane: self.feed.lane,
            received: self.feed.clock.now(),
            records,
            bytes,
        };
        loop {
            match self.journal.append(&batch) {
                Ok(_) => break,
                Err(error @ JournalError::TooLarge { .. }) => {
                    self.failure = Some(Failure::Refused(chain(&error)));
                    return;
                }
                Err(error) => {
                    tracing::warn!(input = batch.input, error = chain(&error), "an input waits for the journal")
                }
            }
            if self.feed.stop.wait(PAUSE) {
                self.failure = Some(Failure::Stopped);
                return;
            }
        }
        self.durable += records;
        self.batches += 1;
    }
}
