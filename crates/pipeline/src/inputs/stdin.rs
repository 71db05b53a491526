//! Standard input (or any pipe): what was read is journalled before more is read, so a crash loses nothing that left the pipe
//! a batch ago.
//!
//! In: a stream that cannot be read again. Out: journal entries. When the journal is full: reading stops, and the pipe's writer
//! waits.

use std::io::Read;

use engine::{Engine, Format};
use store::journal::Journal;

use super::Feed;
use super::records::{Failure, Flush, Records};

/// Journals `stream` to its end; plain, gzip or zstd.
pub fn read(feed: &Feed, engine: &Engine, journal: &Journal, stream: impl Read + Send) {
    let mut worker = engine.worker();
    let mut records = Records::new(feed, engine, journal, &mut worker, Format::Auto);
    let outcome = records.read(stream, Flush::EveryRead).and_then(|()| records.finish());
    match outcome {
        Ok(()) | Err(Failure::Stopped) => {}
        Err(Failure::Read(error)) => {
            feed.trouble("An input cannot be read", &format!("standard input broke off: {error}"));
        }
        Err(Failure::Refused(why)) => feed.trouble("An input cannot be read", &format!("the journal refuses: {why}")),
    }
}
