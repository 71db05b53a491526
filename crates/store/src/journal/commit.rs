//! Writing a group of entries: one write and one `fsync` for all of them, or for each segment that they span.
//!
//! In: bodies in order. Out: a position or an error for each. When the disk has no room: what was written is taken back and the segment stays
//! usable. When it fails in any other way, or `fsync` fails: nothing more may be written until the journal is reopened.

use std::io;
use std::sync::Arc;

use super::disk::{DiskFile, Place, write_all};
use super::entry::{ENTRY_HEAD, EntryHead, SEGMENT_HEAD, new_salt, records_of, segment_head};
use super::{JournalError, Position};

/// The segment being written.
pub(crate) struct Active {
    pub number: u64,
    pub salt: u64,
    /// Durable length.
    pub offset: u64,
    file: Box<dyn DiskFile>,
}

/// A run of entries that became durable together.
pub(crate) struct Durable {
    pub number: u64,
    pub salt: u64,
    pub end: u64,
}

/// Writes groups; owned by whoever leads the commit.
pub(crate) struct Writer {
    pub place: Place,
    pub segment_bytes: u64,
    pub next_number: u64,
    /// Running total of the records that are durable.
    pub total: u64,
    pub active: Option<Active>,
}

/// What became of a group: the positions of the entries that are durable, the first of the group first, and the error of the others.
pub(crate) struct Committed {
    pub positions: Vec<Position>,
    pub durable: Vec<Durable>,
    pub error: Option<JournalError>,
}

impl Writer {
    /// Writes `bodies` in order.
    pub fn commit(&mut self, bodies: &[Vec<u8>]) -> Committed {
        let mut done = Committed { positions: Vec::with_capacity(bodies.len()), durable: Vec::new(), error: None };
        let mut rest = bodies;
        while !rest.is_empty() {
            match self.commit_some(rest, &mut done) {
                Ok(n) => rest = &rest[n..],
                Err(error) => {
                    done.error = Some(error);
                    break;
                }
            }
        }
        done
    }

    /// Writes as many of `bodies` as the segment takes, at least one; says how many.
    fn commit_some(&mut self, bodies: &[Vec<u8>], done: &mut Committed) -> Result<usize, JournalError> {
        let first = (ENTRY_HEAD + bodies[0].len()) as u64;
        let segment_bytes = self.segment_bytes;
        let has_room = |active: &Active| active.offset == SEGMENT_HEAD as u64 || active.offset + first <= segment_bytes;
        let mut active = match self.active.take().filter(has_room) {
            Some(active) => active,
            None => self.begin_segment()?,
        };
        let (mut bytes, mut ends, mut total) = (Vec::new(), Vec::new(), self.total);
        for body in bodies {
            let at = active.offset + bytes.len() as u64;
            if !bytes.is_empty() && at + (ENTRY_HEAD + body.len()) as u64 > segment_bytes {
                break;
            }
            total = total.wrapping_add(records_of(body));
            bytes.extend_from_slice(&EntryHead::write(body, total, active.salt, at));
            bytes.extend_from_slice(body);
            ends.push(active.offset + bytes.len() as u64);
        }
        let flushed = flush(&mut active, &bytes);
        if flushed.is_ok() {
            self.total = total;
            done.positions.extend(ends.iter().map(|end| Position { segment: active.number, offset: *end }));
            done.durable.push(Durable { number: active.number, salt: active.salt, end: active.offset });
        }
        if !matches!(flushed, Err(JournalError::Failed { .. })) {
            self.active = Some(active);
        }
        flushed.map(|()| ends.len())
    }

    fn begin_segment(&mut self) -> Result<Active, JournalError> {
        let number = self.next_number;
        self.next_number += 1;
        let salt = new_salt();
        self.make_segment(number, salt).map_err(|error| {
            let removed = self.place.disk.remove(&self.place.segment(number));
            let is_taken_back = removed.map_or_else(|error| error.kind() == io::ErrorKind::NotFound, |()| true);
            refusal(&format!("make segment {number}"), error, is_taken_back)
        })
    }

    fn make_segment(&self, number: u64, salt: u64) -> io::Result<Active> {
        let mut file = self.place.disk.create(&self.place.segment(number))?;
        write_all(file.as_mut(), 0, &segment_head(number, salt, self.total))?;
        file.sync()?;
        self.place.disk.sync_dir(&self.place.dir)?;
        Ok(Active { number, salt, offset: SEGMENT_HEAD as u64, file })
    }
}

fn flush(active: &mut Active, bytes: &[u8]) -> Result<(), JournalError> {
    if let Err(error) = write_all(active.file.as_mut(), active.offset, bytes) {
        let is_taken_back = active.file.set_len(active.offset).is_ok();
        return Err(refusal(&format!("write segment {}", active.number), error, is_taken_back));
    }
    active.file.sync().map_err(|error| failed(&format!("sync segment {}", active.number), error))?;
    active.offset += bytes.len() as u64;
    Ok(())
}

/// No room, and nothing of the attempt left: the journal may go on once there is room. Anything else must be reopened.
fn refusal(what: &str, error: io::Error, is_taken_back: bool) -> JournalError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded if is_taken_back => {
            JournalError::NoSpace { what: what.to_owned(), source: Arc::new(error) }
        }
        _ => failed(what, error),
    }
}

fn failed(what: &str, error: io::Error) -> JournalError {
    JournalError::Failed { what: what.to_owned(), source: Arc::new(error) }
}
