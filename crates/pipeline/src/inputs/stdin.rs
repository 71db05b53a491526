//! Standard input (or any pipe): what was read is journalled before more is read, so a crash loses nothing that left the pipe
//! a batch ago.
//!
//! In: a stream that cannot be read again. Out: journal entries. When the journal is full: reading stops, and the pipe's writer
//! waits.

use std::io::{self, Read};
use std::time::Duration;

use engine::{Engine, Format, Frame, Worker};
use model::Reject;
use store::journal::{Batch, Journal};

use super::Feed;
use super::journal::broken_to_wire;
use crate::decompress::{self, Break};
use crate::framing::Framing;
use crate::line::chain;

const BUFFER_BYTES: usize = 256 << 10;
const PAUSE: Duration = Duration::from_secs(1);

/// Journals `stream` to its end; plain, gzip or zstd.
pub fn read(feed: &Feed, engine: &Engine, journal: &Journal, stream: impl Read + Send) {
    let mut reading = Reading { feed, engine, journal, worker: engine.worker(), held: Vec::new(), records: 0 };
    if let Err(error) = reading.run(stream) {
        feed.trouble("An input cannot be read", &format!("standard input broke off: {error}"));
    }
}

struct Reading<'a> {
    feed: &'a Feed,
    engine: &'a Engine,
    journal: &'a Journal,
    worker: Worker,
    /// Whole records, one a line.
    held: Vec<u8>,
    records: u64,
}

impl Reading<'_> {
    fn run(&mut self, stream: impl Read + Send) -> io::Result<()> {
        let (_, mut plain) = decompress::open(stream)?;
        let mut framer = Framing::new(Format::Auto, self.feed.limits, self.feed.heads.clone());
        let mut buffer = vec![0; BUFFER_BYTES];
        let outcome = loop {
            match plain.read(&mut buffer) {
                Ok(0) => break Ok(()),
                Ok(n) => framer.push(&buffer[..n], &mut |frame| self.take(&frame)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
            // A pipe may pause for long: what it gave is journalled at once.
            self.flush();
            if self.feed.stop.is_stopped() {
                return Ok(());
            }
        };
        framer.finish(&mut |frame| self.take(&frame));
        self.flush();
        if let Err(error) = &outcome
            && Break::of(error).is_some()
        {
            self.append(error.to_string().into_bytes(), broken_to_wire(Reject::BadCompression), 1);
        }
        outcome
    }

    fn take(&mut self, frame: &Frame<'_>) {
        if let Err(reason) = frame.outcome {
            // A broken record could swallow its neighbours when it is framed again: it travels alone, with its reason.
            self.flush();
            self.append(frame.bytes.to_vec(), broken_to_wire(reason), 1);
            return;
        }
        let given = self.given();
        self.records += self.engine.count(&mut self.worker, frame.bytes, &given);
        self.held.extend_from_slice(frame.bytes);
        self.held.push(b'\n');
        if self.held.len() >= self.feed.batch.bytes {
            self.flush();
        }
    }

    fn given(&self) -> engine::Given {
        engine::Given { source: self.feed.source.clone(), received: self.feed.clock.now(), lane: self.feed.lane }
    }

    fn flush(&mut self) {
        let (held, records) = (std::mem::take(&mut self.held), std::mem::take(&mut self.records));
        if !held.is_empty() {
            self.append(held, Format::Auto.to_wire(), records);
        }
    }

    /// Journals a batch, however long that takes: there is nobody who could send it again.
    fn append(&mut self, bytes: Vec<u8>, format: u8, records: u64) {
        let batch = Batch {
            input: self.feed.name.to_string(),
            source: self.feed.source.clone(),
            format,
            lane: self.feed.lane,
            received: self.feed.clock.now(),
            records,
            bytes,
        };
        while let Err(error) = self.journal.append(&batch) {
            tracing::error!(error = chain(&error), "standard input waits: the journal refuses");
            if self.feed.stop.wait(PAUSE) {
                return;
            }
        }
    }
}
