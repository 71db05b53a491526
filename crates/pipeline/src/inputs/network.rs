//! The journal behind the inputs of `receive`: what they take in is durable when their call returns.

use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use engine::{Engine, Format, Worker};
use model::Reject;
use receive::{Intake, IntakeError};
use store::journal::Journal;

use super::Feed;
use super::records::{Failure, Flush, Records};
use crate::line::chain;
use crate::signals::Signals;
use framing::decompress::Break;

/// The journal as one network input sees it.
pub struct JournalIntake {
    feed: Feed,
    engine: Arc<Engine>,
    journal: Journal,
    signals: Arc<Signals>,
    /// Memory for counting, reused from call to call.
    workers: Mutex<Vec<Worker>>,
}

impl JournalIntake {
    /// Takes in what the input of `feed` receives, until the feed is told to stop.
    pub fn new(feed: Feed, engine: Arc<Engine>, journal: Journal, signals: Arc<Signals>) -> JournalIntake {
        JournalIntake { feed, engine, journal, signals, workers: Mutex::default() }
    }

    /// Hands `work` what it needs, and makes durable what it took.
    fn taking(
        &self,
        format: Format,
        work: impl FnOnce(&mut Records<'_>) -> Result<(), Failure>,
    ) -> Result<u64, IntakeError> {
        let held = self.workers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut worker = held.unwrap_or_else(|| self.engine.worker());
        let mut records = Records::new(&self.feed, &self.engine, &self.journal, &mut worker, format);
        let outcome = work(&mut records).and_then(|()| records.finish());
        let (durable, batches) = (records.durable, records.batches);
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
        Signals::add(&self.signals.network, batches);
        match outcome {
            Ok(()) => Ok(durable),
            Err(Failure::Stopped) => Err(IntakeError::Stopped),
            Err(Failure::Read(error)) => Err(IntakeError::Read(error)),
            Err(Failure::Refused(why)) => Err(IntakeError::Refused(why)),
        }
    }
}

/// A broken packing is in what was sent, and sending it again changes nothing: the reject that tells of it is part of the records.
fn whole_or_broken(outcome: Result<(), Failure>) -> Result<(), Failure> {
    match outcome {
        Err(Failure::Read(error)) if Break::of(&error).is_some() => Ok(()),
        other => other,
    }
}

/// The journal's own cursors of the input have other keys.
fn position_key(key: &str) -> String {
    format!("position:{key}")
}

impl Intake for JournalIntake {
    fn stream(&self, stream: &mut (dyn Read + Send)) -> Result<u64, IntakeError> {
        self.taking(Format::Auto, |records| whole_or_broken(records.read(stream, Flush::FullBatches)))
    }

    fn payloads(&self, payloads: &[Bytes], format: Format) -> Result<u64, IntakeError> {
        self.taking(format, |records| payloads.iter().try_for_each(|payload| whole_or_broken(records.message(payload))))
    }

    fn keep(&self, bytes: &[u8], reason: Reject) -> Result<(), IntakeError> {
        self.taking(Format::Auto, |records| {
            records.keep(bytes, reason);
            Ok(())
        })
        .map(drop)
    }

    fn remember(&self, key: &str, position: &str) -> Result<(), IntakeError> {
        let kept = self.feed.store.remember(&self.feed.name, &position_key(key), position);
        kept.map_err(|error| IntakeError::Refused(chain(&error)))
    }

    fn recall(&self, key: &str) -> Result<Option<String>, IntakeError> {
        let kept = self.feed.store.cursor(&self.feed.name, &position_key(key));
        kept.map_err(|error| IntakeError::Refused(chain(&error)))
    }

    fn trouble(&self, title: &str, message: &str) {
        self.feed.trouble(title, &format!("input `{}`: {message}", self.feed.name));
    }
}
