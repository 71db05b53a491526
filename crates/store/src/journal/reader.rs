//! Reading entries in order.
//!
//! In: a position. Out: entries and the positions after them. Bound: one entry in memory. Damage found at opening is passed over (it was
//! reported and set aside then); damage that came later is an error, and reading goes on only after the journal was reopened.

use super::disk::{DiskFile, read_up_to};
use super::entry::{ENTRY_HEAD, EntryHead, SEGMENT_HEAD, batch_of};
use super::{Batch, Journal, JournalError, Position, io_error};

/// Reads entries in order. `None` means that there is nothing more yet; ask again after [`Journal::wait_beyond`].
///
/// Errors: [`JournalError::Damaged`] and [`JournalError::Io`] are given again on every call until the journal is reopened or the disk mended.
pub struct Reader {
    journal: Journal,
    at: Position,
    file: Option<(u64, Box<dyn DiskFile>)>,
}

impl Reader {
    pub(super) fn new(journal: Journal, at: Position) -> Reader {
        Reader { journal, at, file: None }
    }

    /// The position after the last entry given.
    pub fn position(&self) -> Position {
        self.at
    }

    /// The place and salt of the next entry, past released, unreadable and damaged parts.
    fn next_place(&self) -> Option<(Position, u64)> {
        let state = self.journal.state();
        let mut at = self.at;
        for (number, segment) in state.segments.range(at.segment..) {
            if *number > at.segment {
                at = Position { segment: *number, offset: 0 };
            }
            let Some(salt) = segment.salt else { continue };
            at.offset = at.offset.max(SEGMENT_HEAD as u64);
            for (from, to) in &segment.damage {
                if (*from..*to).contains(&at.offset) {
                    at.offset = *to;
                }
            }
            if at.offset < segment.bytes {
                return Some((at, salt));
            }
        }
        None
    }

    fn read(&mut self, at: Position, salt: u64) -> Result<(Position, Batch), JournalError> {
        let what = || format!("read segment {}", at.segment);
        if self.file.as_ref().is_none_or(|(number, _)| *number != at.segment) {
            let place = &self.journal.inner.place;
            let file = place.disk.open(&place.segment(at.segment)).map_err(|error| io_error(&what(), error))?;
            self.file = Some((at.segment, file));
        }
        let (_, file) = self.file.as_mut().expect("opened above");
        let mut bytes = |offset, n| read_up_to(file.as_mut(), offset, n).map_err(|error| io_error(&what(), error));
        let damaged = || JournalError::Damaged { segment: at.segment, offset: at.offset };
        let head = EntryHead::read(&bytes(at.offset, ENTRY_HEAD)?, salt, at.offset).ok_or_else(damaged)?;
        let body = bytes(at.offset + ENTRY_HEAD as u64, head.body)?;
        let batch = batch_of(&body).filter(|_| head.holds(&body)).ok_or_else(damaged)?;
        let after = at.offset + (ENTRY_HEAD + head.body) as u64;
        Ok((Position { segment: at.segment, offset: after }, batch))
    }
}

impl Iterator for Reader {
    type Item = Result<(Position, Batch), JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (at, salt) = self.next_place()?;
        let read = self.read(at, salt);
        if let Ok((after, _)) = &read {
            self.at = *after;
        }
        Some(read)
    }
}
