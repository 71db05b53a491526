//! Entries and headers as bytes: format 2.
//!
//! A segment begins with 44 bytes: magic, format, number, salt, CRC of these (in every format), the running total of records before it, CRC of
//! all. An entry is 24 bytes of head and a body: magic, body length, CRC of the body, running total of records with it, CRC of the head.
//! The head's CRC covers the segment's salt and the entry's offset, so that bytes inside a body never pass for an entry
//! while damage is searched for the next one, not even bytes that a sender made to look like one.

use std::hash::{BuildHasher, Hasher};

use model::{Lane, SourceId, Time};

use super::Batch;

/// The newest format that this version knows.
pub(crate) const FORMAT: u16 = 2;
/// Bytes of a segment's header.
pub(crate) const SEGMENT_HEAD: usize = 44;
/// Bytes of it that are the same in every format.
const PREAMBLE: usize = 32;
/// Bytes of an entry's head.
pub(crate) const ENTRY_HEAD: usize = 24;
/// Bytes of one entry's body at most.
pub(crate) const BODY_MAX: usize = 256 << 20;

const SEGMENT_MAGIC: &[u8; 8] = b"WKJOURNL";
pub(crate) const ENTRY_MAGIC: [u8; 4] = *b"WKje";
const NO_SOURCE: u16 = u16::MAX;

/// What a segment's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SegmentHead {
    /// A segment of this format.
    Known {
        /// Goes into every head's CRC.
        salt: u64,
        /// Running total of the records before it.
        total: u64,
    },
    /// A newer format.
    Newer(u16),
    /// An older format, which is not read any more.
    Older(u16),
    /// No header.
    Bad,
}

/// A segment's header.
pub(crate) fn segment_head(number: u64, salt: u64, total: u64) -> [u8; SEGMENT_HEAD] {
    let mut head = [0; SEGMENT_HEAD];
    head[..8].copy_from_slice(SEGMENT_MAGIC);
    head[8..10].copy_from_slice(&FORMAT.to_le_bytes());
    head[12..20].copy_from_slice(&number.to_le_bytes());
    head[20..28].copy_from_slice(&salt.to_le_bytes());
    let crc = crc32fast::hash(&head[..28]);
    head[28..PREAMBLE].copy_from_slice(&crc.to_le_bytes());
    head[PREAMBLE..40].copy_from_slice(&total.to_le_bytes());
    let crc = crc32fast::hash(&head[..40]);
    head[40..].copy_from_slice(&crc.to_le_bytes());
    head
}

/// Reads a segment's header.
pub(crate) fn read_segment_head(bytes: &[u8], number: u64) -> SegmentHead {
    if bytes.len() < PREAMBLE || &bytes[..8] != SEGMENT_MAGIC || crc32fast::hash(&bytes[..28]) != le32(&bytes[28..]) {
        return SegmentHead::Bad;
    }
    let format = u16::from_le_bytes([bytes[8], bytes[9]]);
    match format {
        _ if format > FORMAT => SegmentHead::Newer(format),
        _ if format < FORMAT => SegmentHead::Older(format),
        _ if bytes.len() < SEGMENT_HEAD || crc32fast::hash(&bytes[..40]) != le32(&bytes[40..]) => SegmentHead::Bad,
        _ if le64(&bytes[12..]) != number => SegmentHead::Bad,
        _ => SegmentHead::Known { salt: le64(&bytes[20..]), total: le64(&bytes[PREAMBLE..]) },
    }
}

/// A salt that senders cannot know. It comes from the standard library's hash keys, which the operating system seeds.
pub(crate) fn new_salt() -> u64 {
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

/// An entry's head, and whether bytes are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EntryHead {
    /// Bytes of the body.
    pub body: usize,
    /// Running total of records with this entry's.
    pub total: u64,
    crc: u32,
}

impl EntryHead {
    /// The head of `body` when it stands at `offset` of the segment with `salt` and brings the running total to `total`.
    pub fn write(body: &[u8], total: u64, salt: u64, offset: u64) -> [u8; ENTRY_HEAD] {
        let mut head = [0; ENTRY_HEAD];
        head[..4].copy_from_slice(&ENTRY_MAGIC);
        head[4..8].copy_from_slice(&(body.len() as u32).to_le_bytes());
        head[8..12].copy_from_slice(&crc32fast::hash(body).to_le_bytes());
        head[12..20].copy_from_slice(&total.to_le_bytes());
        let crc = head_crc(&head[..20], salt, offset);
        head[20..].copy_from_slice(&crc.to_le_bytes());
        head
    }

    /// Reads the head that stands at `offset`.
    pub fn read(bytes: &[u8], salt: u64, offset: u64) -> Option<EntryHead> {
        if bytes.len() < ENTRY_HEAD || bytes[..4] != ENTRY_MAGIC {
            return None;
        }
        if head_crc(&bytes[..20], salt, offset) != le32(&bytes[20..]) {
            return None;
        }
        let body = le32(&bytes[4..]) as usize;
        (body <= BODY_MAX).then(|| EntryHead { body, total: le64(&bytes[12..]), crc: le32(&bytes[8..]) })
    }

    /// Is `body` the one that the head was written for?
    pub fn holds(&self, body: &[u8]) -> bool {
        body.len() == self.body && crc32fast::hash(body) == self.crc
    }
}

fn head_crc(head: &[u8], salt: u64, offset: u64) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&salt.to_le_bytes());
    hasher.update(&offset.to_le_bytes());
    hasher.update(head);
    hasher.finalize()
}

fn le32(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

fn le64(bytes: &[u8]) -> u64 {
    u64::from(le32(bytes)) | u64::from(le32(&bytes[4..])) << 32
}

/// A batch as the body of an entry.
pub(crate) fn body_of(batch: &Batch) -> Vec<u8> {
    let source = batch.source.as_ref().map(|source| cut(source.as_str()));
    let input = cut(&batch.input);
    let mut body = Vec::with_capacity(22 + input.len() + source.map_or(0, str::len) + batch.bytes.len());
    body.extend_from_slice(&batch.received.micros().to_le_bytes());
    body.extend_from_slice(&batch.records.to_le_bytes());
    body.push(Lane::ALL.iter().position(|lane| *lane == batch.lane).expect("every lane is in the list") as u8);
    body.push(batch.format);
    body.extend_from_slice(&(input.len() as u16).to_le_bytes());
    body.extend_from_slice(&source.map_or(NO_SOURCE, |source| source.len() as u16).to_le_bytes());
    body.extend_from_slice(input.as_bytes());
    body.extend_from_slice(source.unwrap_or_default().as_bytes());
    body.extend_from_slice(&batch.bytes);
    body
}

/// How many records a body of ours says that it has.
pub(crate) fn records_of(body: &[u8]) -> u64 {
    le64(&body[8..])
}

/// Names are short; one that is not is cut rather than refused.
fn cut(name: &str) -> &str {
    &name[..name.floor_char_boundary(1_024)]
}

/// Reads the body of an entry; `None` if it is none of ours although its CRC holds.
pub(crate) fn batch_of(body: &[u8]) -> Option<Batch> {
    if body.len() < 22 {
        return None;
    }
    let (head, rest) = body.split_at(22);
    let (input_bytes, source_bytes) =
        (u16::from_le_bytes([head[18], head[19]]), u16::from_le_bytes([head[20], head[21]]));
    let (input, rest) = rest.split_at_checked(input_bytes.into())?;
    let has_source = source_bytes != NO_SOURCE;
    let (source, bytes) = rest.split_at_checked(if has_source { source_bytes.into() } else { 0 })?;
    let source = std::str::from_utf8(source).ok()?;
    Some(Batch {
        input: std::str::from_utf8(input).ok()?.to_owned(),
        source: has_source.then(|| SourceId::from(source)),
        format: head[17],
        lane: *Lane::ALL.get(usize::from(head[16]))?,
        received: Time::from_micros(le64(head) as i64),
        records: le64(&head[8..]),
        bytes: bytes.to_vec(),
    })
}
