//! The journal as an input: what HTTP and standard input accepted goes to the line, in the order in which it was accepted.
//!
//! In: journal entries from the first that is kept. Out: work whose cursor is its place in the journal. What the store has settled
//! already (each input's cursor says) is passed over. A damaged entry is set aside by the journal and said aloud, not
//! skipped silently.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use engine::Format;
use model::Reject;
use store::journal::{Batch, Journal, JournalError, Position, Recovery};

use super::Feed;
use crate::line::{After, Body, Frames, Work, chain};
use framing::Chunk;

const PAUSE: Duration = Duration::from_millis(500);

/// The key of the cursors of the journal in `folder`: a name that the journal gets at its first start and keeps beside its
/// segments. When the folder or its segments are lost or replaced, positions begin anew, and so does the name: no cursor of
/// an older journal can make records of a newer one look settled.
pub fn key_of(folder: &Path, journal: &Journal) -> io::Result<String> {
    let path = folder.join("identity");
    let has_segments = journal.bytes() > 0;
    match std::fs::read_to_string(&path) {
        Ok(_) if !has_segments => {}
        Ok(text) if !text.trim().is_empty() => return Ok(format!("journal:{}", text.trim())),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    let name = hex::encode(bytes);
    let mut file = File::create(&path)?;
    writeln!(file, "{name}")?;
    file.sync_all()?;
    File::open(folder)?.sync_all()?;
    Ok(format!("journal:{name}"))
}

/// Follows the journal. Once told to end it hands on what was accepted before, and ends at the journal's end, or when the
/// line is closed. `feed` names the journal itself; each entry names its own input.
pub fn follow(feed: &Feed, journal: &Journal, key: &str) {
    let mut follower = Follower { feed, journal, key, settled: BTreeMap::new(), at: Position::START };
    tell_damage(feed, key, &journal.recovery());
    loop {
        let is_ending = feed.stop.is_stopped();
        match follower.read_on() {
            Ok(true) if is_ending => return,
            Ok(true) => drop(journal.wait_beyond(follower.at, PAUSE)),
            Ok(false) => return,
            Err(_) if is_ending => return,
            Err(error) => follower.mend(&error),
        }
    }
}

struct Follower<'a> {
    feed: &'a Feed,
    journal: &'a Journal,
    /// The key of the cursors.
    key: &'a str,
    /// How far each input has been settled.
    settled: BTreeMap<String, Option<Position>>,
    at: Position,
}

impl Follower<'_> {
    /// Hands on what there is; false when the line was closed.
    fn read_on(&mut self) -> Result<bool, JournalError> {
        for entry in self.journal.read_from(self.at) {
            let (position, batch) = entry?;
            if !self.is_settled(&batch.input, position) && self.feed.line.submit(work(batch, position)).is_err() {
                return Ok(false);
            }
            self.at = position;
        }
        Ok(true)
    }

    fn is_settled(&mut self, input: &str, position: Position) -> bool {
        if !self.settled.contains_key(input) {
            let stored = self.feed.store.cursor(input, self.key).unwrap_or_else(|error| {
                tracing::error!(%error, input, "a cursor cannot be read; journal entries may be evaluated again");
                None
            });
            self.settled.insert(input.to_owned(), stored.and_then(|text| Position::parse(&text)));
        }
        self.settled[input].is_some_and(|settled| position <= settled)
    }

    fn mend(&mut self, error: &JournalError) {
        self.feed.trouble("The journal cannot be read", &chain(error));
        if let JournalError::Damaged { .. } = error {
            match self.journal.reopen() {
                Ok(recovery) => tell_damage(self.feed, self.key, &recovery),
                Err(error) => tracing::error!(error = chain(&error), "the journal could not be reopened"),
            }
        }
        self.feed.stop.wait(PAUSE);
    }
}

/// The byte that stands in a journal entry for a format when the entry is one record that could not be read whole.
pub(super) fn broken_to_wire(reason: Reject) -> u8 {
    match reason {
        Reject::TooLarge => 0x80,
        Reject::Truncated => 0x81,
        Reject::BadCompression => 0x82,
        Reject::Damaged => 0x83,
        Reject::Unfetched => 0x84,
        // Framing, unpacking and fetching give no other reason.
        _ => 0xff,
    }
}

fn broken_of(byte: u8) -> Option<Reject> {
    match byte {
        0x80 => Some(Reject::TooLarge),
        0x81 => Some(Reject::Truncated),
        0x82 => Some(Reject::BadCompression),
        0x83 => Some(Reject::Damaged),
        0x84 => Some(Reject::Unfetched),
        0xff => Some(Reject::Internal),
        _ => None,
    }
}

fn body_of(format: u8, bytes: Vec<u8>) -> Body {
    if let Some(reason) = broken_of(format) {
        let mut one = Chunk::default();
        one.push_bytes(&bytes, 0, Err(reason));
        return Body::Frames(Frames(one));
    }
    Body::Stream { format: Format::from_wire(format).unwrap_or_default(), bytes }
}

fn work(batch: Batch, position: Position) -> Work {
    Work {
        input: Arc::from(batch.input),
        source: batch.source,
        lane: batch.lane,
        received: batch.received,
        records: Some(batch.records),
        body: body_of(batch.format, batch.bytes),
        after: After::Journal(position),
    }
}

/// Says what opening the journal, or opening it again, found. A torn tail was never acknowledged to its sender: that is no loss.
/// Records that were lost go into the ledger, which then does not balance and says so.
pub(crate) fn tell_damage(feed: &Feed, key: &str, recovery: &Recovery) {
    for damage in recovery.damage.iter().filter(|damage| !damage.torn) {
        let kept = damage.kept.as_ref().map_or("nowhere".to_owned(), |path| format!("`{}`", path.display()));
        let (segment, from, to) = (damage.segment, damage.from, damage.to);
        let message =
            format!("journal segment {segment} is damaged from byte {from} to {to}; the bytes are kept in {kept}");
        feed.trouble("The journal was damaged", &message);
    }
    if let Err(error) = feed.store.book_lost(key, &recovery.lost, feed.clock.now()) {
        tracing::error!(error = chain(&error), "records that the journal lost are not booked yet");
    }
}
