//! One chunk of an event log file: its records as JSON, and where it is damaged.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use evtx::err::{ChunkError, EvtxError};
use evtx::{EvtxChunkData, IterChunkRecords, ParserSettings};
use serde::de::IgnoredAny;

/// Of a chunk, before its records.
pub(super) const HEADER_BYTES: usize = 512;
/// Of a record, before its content.
const RECORD_HEADER_BYTES: usize = 24;
const RECORD_MAGIC: &[u8] = b"**\0\0";
/// Where the header of a chunk lists the names in it; a reader can do without the list.
const NAMES: std::ops::Range<usize> = 128..384;

/// What was cut out of a chunk, and where it lies there.
pub(super) enum Cut<'a> {
    Whole { json: &'a [u8], start: usize, end: usize },
    Damaged { start: usize, end: usize },
}

pub(super) struct Chunk {
    bytes: Vec<u8>,
}

/// What the reader says of the next record.
enum Next {
    Record { start: usize, json: Vec<u8> },
    DamagedAt(usize),
    DamagedRecord(u64),
    Unknown,
}

impl Chunk {
    pub(super) fn new(bytes: Vec<u8>) -> Chunk {
        Chunk { bytes }
    }

    /// Do the checksums agree? `None`: it is no chunk.
    pub(super) fn is_sound(&self) -> Option<bool> {
        EvtxChunkData::new(self.bytes.clone(), false).ok().map(|data| data.validate_checksum())
    }

    /// Calls `each` for every record, in order, and for what is damaged.
    pub(super) fn each(&self, each: &mut dyn FnMut(Cut<'_>)) {
        let is_read = self.read(self.bytes.clone(), each).or_else(|_| {
            let mut without_names = self.bytes.clone();
            without_names[NAMES].fill(0);
            self.read(without_names, each)
        });
        if is_read.is_err() {
            each(Cut::Damaged { start: 0, end: self.bytes.len() });
        }
    }

    /// Errors: the chunk cannot be read at all; then `each` was not called.
    fn read(&self, bytes: Vec<u8>, each: &mut dyn FnMut(Cut<'_>)) -> Result<(), ChunkError> {
        let mut data = EvtxChunkData::new(bytes, false)?;
        let settings = Arc::new(ParserSettings::new().indent(false));
        let mut chunk = data.parse(settings)?;
        let mut records = chunk.iter();
        let mut at = HEADER_BYTES;
        loop {
            match catch_unwind(AssertUnwindSafe(|| next(&mut records))) {
                Ok(None) => return Ok(()),
                Ok(Some(Next::Record { start, json })) => {
                    at = self.end_of(start);
                    each(Cut::Whole { json: &json, start, end: at });
                }
                Ok(Some(Next::DamagedAt(start))) => at = self.damaged(start, each),
                Ok(Some(Next::DamagedRecord(id))) => at = self.damaged(self.find(id, at), each),
                Ok(Some(Next::Unknown)) => at = self.damaged(at, each),
                // What the reader does after it panicked is unknown: the rest of the chunk is damaged.
                Err(_) => {
                    each(Cut::Damaged { start: at, end: self.bytes.len() });
                    return Ok(());
                }
            }
        }
    }

    /// Tells of a damaged record; gives where it ends.
    fn damaged(&self, start: usize, each: &mut dyn FnMut(Cut<'_>)) -> usize {
        let start = start.min(self.bytes.len());
        let end = self.end_of(start);
        each(Cut::Damaged { start, end });
        end
    }

    /// Where the record at `start` ends: as its size says, or else before the next record.
    fn end_of(&self, start: usize) -> usize {
        let size = self.bytes.get(start + 4..start + 8).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
        let size = size.filter(|_| self.bytes[start..].starts_with(RECORD_MAGIC)).unwrap_or_default() as usize;
        if size > RECORD_HEADER_BYTES && size <= self.bytes.len() - start {
            return start + size;
        }
        let after = (start + 1).min(self.bytes.len());
        memchr::memmem::find(&self.bytes[after..], RECORD_MAGIC).map_or(self.bytes.len(), |at| after + at)
    }

    /// Where the record with this number starts, from `at` on.
    fn find(&self, id: u64, at: usize) -> usize {
        let is_it = |start: &usize| self.bytes.get(start + 8..start + 16) == Some(&id.to_le_bytes());
        let starts = memchr::memmem::find_iter(&self.bytes[at.min(self.bytes.len())..], RECORD_MAGIC);
        starts.map(|start| at + start).find(is_it).unwrap_or(at)
    }
}

fn next(records: &mut IterChunkRecords<'_>) -> Option<Next> {
    let record = match records.next()? {
        Ok(record) => record,
        Err(EvtxError::FailedToReadRecordAt { offset, .. }) => {
            return Some(usize::try_from(offset).map_or(Next::Unknown, Next::DamagedAt));
        }
        Err(EvtxError::FailedToParseRecord { record_id, .. }) => return Some(Next::DamagedRecord(record_id)),
        Err(_) => return Some(Next::Unknown),
    };
    let start = (record.binxml_offset as usize).saturating_sub(RECORD_HEADER_BYTES);
    Some(match record.into_json_bytes() {
        // The reader writes names as they are; a damaged one can hold what no JSON may.
        Ok(record) if serde_json::from_slice::<IgnoredAny>(&record.data).is_ok() => {
            Next::Record { start, json: record.data }
        }
        _ => Next::DamagedAt(start),
    })
}
