//! The spool: rows wait here, durable, until there are enough of them for a Parquet file.
//!
//! Comes in: a batch of rows. Goes out: one entry (`length`, CRC-32 of the rows, CRC-32 of these two, rows) appended and synced.
//! Bound: the caller seals the file when it is full. After a failed write the tail is cut back; after a failed sync the spool
//! refuses until reopened. Reading tells how far the file is whole, and whether what lies behind that is an entry whose writing
//! was cut short: nobody was told that it is kept, so nothing is lost. Anything else there is damage, and never thrown away.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::error::io;
use crate::{LakeError, Row};

/// Length, CRC-32 of the payload, CRC-32 of the eight bytes before.
const HEAD_BYTES: usize = 12;

/// A spool that takes rows.
pub(crate) struct Spool {
    path: PathBuf,
    file: File,
    bytes: u64,
    rows: u64,
    refusing: bool,
}

impl Spool {
    /// Makes the spool at `path`, where nothing is yet.
    pub(crate) fn make(path: &Path) -> Result<Spool, LakeError> {
        let file = OpenOptions::new().create_new(true).write(true).open(path).map_err(io("make", path))?;
        Ok(Spool { path: path.to_owned(), file, bytes: 0, rows: 0, refusing: false })
    }

    /// Appends one entry and syncs it.
    pub(crate) fn append(&mut self, rows: &[Row]) -> Result<(), LakeError> {
        if self.refusing {
            return Err(LakeError::Refusing(self.path.clone()));
        }
        let entry = encode_entry(rows);
        if let Err(error) = self.file.write_all(&entry) {
            // A half-written entry must not stand before the next one.
            self.refusing =
                self.file.set_len(self.bytes).is_err() || self.file.seek(SeekFrom::Start(self.bytes)).is_err();
            return Err(io("write", &self.path)(error));
        }
        if let Err(error) = self.file.sync_data() {
            self.refusing = true;
            return Err(io("sync", &self.path)(error));
        }
        self.bytes += entry.len() as u64;
        self.rows += rows.len() as u64;
        Ok(())
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// How much of a spool holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Bytes up to the first entry that does not hold.
    pub(crate) whole: u64,
    /// Bytes of the file.
    pub(crate) length: u64,
    /// Whether what follows the whole entries is the beginning of one that was never acknowledged.
    pub(crate) torn: bool,
}

impl Extent {
    /// Whether the file holds bytes that are neither an entry nor the beginning of one.
    pub(crate) fn damaged(&self) -> bool {
        self.whole < self.length && !self.torn
    }
}

/// Reads the entries of the spool at `path` up to the first that does not hold; says how far that is.
pub(crate) fn read_entries(path: &Path, each: &mut dyn FnMut(Row)) -> Result<Extent, LakeError> {
    let mut bytes = Vec::new();
    File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(io("read", path))?;
    let mut rest = bytes.as_slice();
    while let Some((mut rows, after)) = split_entry(rest) {
        while let Some(row) = Row::decode(&mut rows) {
            each(row);
        }
        if !rows.is_empty() {
            break;
        }
        rest = after;
    }
    let (whole, length) = ((bytes.len() - rest.len()) as u64, bytes.len() as u64);
    Ok(Extent { whole, length, torn: is_torn(rest) })
}

fn encode_entry(rows: &[Row]) -> Vec<u8> {
    let mut entry = vec![0; HEAD_BYTES];
    for row in rows {
        row.encode(&mut entry);
    }
    let length = u32::try_from(entry.len() - HEAD_BYTES).expect("batches are bounded far below 4 GiB");
    let crc = crc32fast::hash(&entry[HEAD_BYTES..]);
    entry[..4].copy_from_slice(&length.to_le_bytes());
    entry[4..8].copy_from_slice(&crc.to_le_bytes());
    let of_head = crc32fast::hash(&entry[..8]);
    entry[8..HEAD_BYTES].copy_from_slice(&of_head.to_le_bytes());
    entry
}

/// The length and the CRC-32 of the payload that follows a head; `None` when the head does not hold.
fn decode_head(head: &[u8]) -> Option<(usize, u32)> {
    let word = |at: usize| Some(u32::from_le_bytes(head.get(at..at + 4)?.try_into().ok()?));
    (word(8)? == crc32fast::hash(&head[..8])).then_some((word(0)? as usize, word(4)?))
}

fn split_entry(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (head, rest) = bytes.split_at_checked(HEAD_BYTES)?;
    let (length, crc) = decode_head(head)?;
    let (payload, after) = rest.split_at_checked(length)?;
    (crc32fast::hash(payload) == crc).then_some((payload, after))
}

/// Whether these bytes are the beginning of an entry, and not all of it. A write that a kill cuts short ends so.
fn is_torn(bytes: &[u8]) -> bool {
    match bytes.split_at_checked(HEAD_BYTES) {
        None => !bytes.is_empty(),
        Some((head, rest)) => decode_head(head).is_some_and(|(length, _)| rest.len() < length),
    }
}
