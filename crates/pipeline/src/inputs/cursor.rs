//! How far a file has been read, and whether it is still the same file.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;

use model::Digest;
use serde::{Deserialize, Serialize};

/// Bytes of a file's beginning that tell it from another with the same inode.
const HEAD_BYTES: u64 = 256;

/// How far one file has been read. Stored as JSON, version 1, under the input's name and the file's path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileCursor {
    version: u8,
    device: u64,
    inode: u64,
    /// Digest of the first `head_bytes` bytes.
    head: Digest,
    head_bytes: u64,
    /// Size when it was last looked at.
    pub size: u64,
    /// Modification time when it was last looked at, milliseconds.
    pub modified_ms: i64,
    /// Records that start before this offset of the plain bytes are settled.
    pub done: u64,
    /// A new framer may begin here: everything before is settled. `None` inside a container, or in a packed file.
    pub resume: Option<u64>,
    /// Was it read to its end?
    pub is_complete: bool,
    /// Was it read as far as it went when it was last looked at, by this process?
    #[serde(skip)]
    pub is_current: bool,
    /// Was it read at rest, by this process? What is unfinished then stays so until somebody writes.
    #[serde(skip)]
    pub is_examined: bool,
    /// Was it taken over from another name, and is not stored under its own yet?
    #[serde(skip)]
    pub is_renamed: bool,
}

impl FileCursor {
    /// The cursor of a file of which nothing was read.
    pub fn start(file: &mut File, meta: &Metadata) -> io::Result<FileCursor> {
        let head_bytes = meta.len().min(HEAD_BYTES);
        Ok(FileCursor {
            version: 1,
            device: meta.dev(),
            inode: meta.ino(),
            head: head_of(file, head_bytes)?,
            head_bytes,
            size: meta.len(),
            modified_ms: modified_ms(meta),
            done: 0,
            resume: Some(0),
            is_complete: false,
            is_current: false,
            is_examined: false,
            is_renamed: false,
        })
    }

    /// Is `file` the file that this cursor was made for, whatever was appended to it since?
    pub fn is_of(&self, file: &mut File, meta: &Metadata) -> io::Result<bool> {
        let is_same_place = (self.device, self.inode) == (meta.dev(), meta.ino());
        Ok(is_same_place && meta.len() >= self.head_bytes && head_of(file, self.head_bytes)? == self.head)
    }

    /// Does `place` (device and inode) tell of the file that this cursor was made for? Another may have taken its place since.
    pub fn is_at(&self, place: (u64, u64)) -> bool {
        (self.device, self.inode) == place
    }

    /// The same cursor for a file that has another name now; it is stored under that as soon as the file is looked at.
    pub fn under_another_name(mut self) -> FileCursor {
        self.is_renamed = true;
        self
    }

    /// Does `meta` tell of the same file, with other contents than those that were read? Then somebody cut it (`copytruncate`).
    pub fn is_cut(&self, meta: &Metadata) -> bool {
        (self.device, self.inode) == (meta.dev(), meta.ino()) && meta.len() < self.size
    }

    /// How many bytes were seen in the file and not read, as far as is known. `None` where records do not lie one after another.
    pub fn unread_bytes(&self) -> Option<u64> {
        self.resume.map(|resume| self.size.saturating_sub(resume))
    }

    /// Was nothing done to the file since it was last looked at?
    pub fn is_unchanged(&self, meta: &Metadata) -> bool {
        self.size == meta.len() && self.modified_ms == modified_ms(meta)
    }

    /// Was a file of this size and age read by this process, to its end or at rest?
    pub fn is_settled_as(&self, size: u64, modified_ms: i64) -> bool {
        self.is_current
            && !self.is_renamed
            && (self.is_complete || self.is_examined)
            && (self.size, self.modified_ms) == (size, modified_ms)
    }

    /// Notes what the file looks like now; a longer head is taken when there is more of it.
    pub fn look(&mut self, file: &mut File, meta: &Metadata) -> io::Result<()> {
        (self.size, self.modified_ms) = (meta.len(), modified_ms(meta));
        if self.head_bytes < HEAD_BYTES && meta.len() > self.head_bytes {
            let head_bytes = meta.len().min(HEAD_BYTES);
            (self.head, self.head_bytes) = (head_of(file, head_bytes)?, head_bytes);
        }
        Ok(())
    }

    /// As it is stored.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("a cursor always serialises")
    }

    /// Reads what was stored; `None` when it is not a cursor of this version, and the file is read from its start.
    pub fn parse(text: &str) -> Option<FileCursor> {
        serde_json::from_str(text).ok().filter(|cursor: &FileCursor| cursor.version == 1)
    }
}

/// When the file was last written, milliseconds since the epoch.
pub fn modified_ms(meta: &Metadata) -> i64 {
    meta.mtime().saturating_mul(1000).saturating_add(meta.mtime_nsec() / 1_000_000)
}

fn head_of(file: &mut File, bytes: u64) -> io::Result<Digest> {
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(bytes).read_to_end(&mut head)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(Digest::of(&head))
}
