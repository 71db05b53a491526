//! A group that is written down: one run of bytes, and a snapshot's block as it stands.
//!
//! Layout, little endian: correlation (4 bytes), lane (1), facts given (4), second of the timer or the least number (8), length of the key (4), the
//! key, and the group as [`postcard`] writes it.

use model::Lane;

use super::any::AnyState;
use super::group::Group;
use super::table::{Entry, Slot};

const HEAD: usize = 21;
const UNARMED: i64 = i64::MIN;

/// A group that is written down.
#[derive(Clone, Debug)]
pub(super) struct Still(Box<[u8]>);

impl Still {
    /// Writes a group down, by way of `room`, so that no byte more than is needed is held.
    pub fn of(entry: &Entry, room: &mut Vec<u8>) -> Still {
        room.clear();
        write(entry, room);
        Still(room[..].into())
    }

    /// Bytes that were written down, for a correlation that may stand elsewhere now; and the group in them, or why there is none.
    pub fn from_bytes(bytes: &[u8], place: impl FnOnce(u32) -> Option<u32>) -> Result<Option<(Still, Entry)>, String> {
        let still = Still(bytes.into());
        let has_head = bytes.len() >= HEAD && bytes.len() - HEAD >= still.key_len();
        if !has_head || usize::from(bytes[4]) >= Lane::ALL.len() {
            return Err("a group has no head".to_owned());
        }
        let Some(of) = place(still.of_correlation()) else { return Ok(None) };
        let mut still = still;
        still.0[..4].copy_from_slice(&of.to_le_bytes());
        let group = still.group().map_err(|error| error.to_string())?;
        let entry = still.entry(group);
        Ok(Some((still, entry)))
    }

    /// The group, in use again.
    pub fn read(&self) -> Entry {
        let group = self.group().expect("it was written by this program, or looked at when it came");
        self.entry(group)
    }

    fn entry(&self, group: Group<AnyState>) -> Entry {
        Entry {
            of: self.of_correlation(),
            lane: self.lane(),
            key: self.key().into(),
            group,
            armed: self.armed(),
            is_listed: false,
            bytes: self.heap_bytes(),
        }
    }

    fn group(&self) -> Result<Group<AnyState>, postcard::Error> {
        postcard::from_bytes(&self.0[HEAD + self.key_len()..])
    }

    fn part<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut part = [0; N];
        part.copy_from_slice(&self.0[at..at + N]);
        part
    }

    fn key_len(&self) -> usize {
        u32::from_le_bytes(self.part(17)) as usize
    }

    /// The correlation.
    pub fn of_correlation(&self) -> u32 {
        u32::from_le_bytes(self.part(0))
    }

    pub fn lane(&self) -> Lane {
        Lane::ALL[usize::from(self.0[4])]
    }

    /// How many facts the group was given.
    pub fn seen(&self) -> u32 {
        u32::from_le_bytes(self.part(5))
    }

    /// The second for which its timer is set.
    pub fn armed(&self) -> Option<i64> {
        Some(i64::from_le_bytes(self.part(9))).filter(|second| *second != UNARMED)
    }

    pub fn key(&self) -> &[u8] {
        &self.0[HEAD..HEAD + self.key_len()]
    }

    /// All of it, as it stands in a snapshot.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Bytes that it holds.
    pub fn heap_bytes(&self) -> usize {
        self.0.len() + size_of::<Slot>()
    }
}

/// Appends a group as it is written down.
pub(super) fn write(entry: &Entry, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&entry.of.to_le_bytes());
    bytes.push(entry.lane as u8);
    bytes.extend_from_slice(&entry.group.seen.to_le_bytes());
    bytes.extend_from_slice(&entry.armed.unwrap_or(UNARMED).to_le_bytes());
    bytes.extend_from_slice(&(entry.key.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&entry.key);
    let all = postcard::to_extend(&entry.group, std::mem::take(bytes));
    *bytes = all.expect("a group has nothing that cannot be written, and memory grows");
}
