//! Opening: what a crash or a bad disk left of each segment.
//!
//! In: the segments as they are on disk. Out: what holds, and what does not. Bound: one entry in memory at a time. A torn tail is cut (it was
//! never acknowledged); damage in the middle is copied to `corrupt/`, reported, and passed over by readers. Entries carry a running total of
//! records: where it jumps, records are lost, and how many is known. Nothing is skipped silently.

use std::io;
use std::path::PathBuf;

use super::disk::{DiskFile, Place, read_up_to, write_all};
use super::entry::{ENTRY_HEAD, ENTRY_MAGIC, EntryHead, FORMAT, SEGMENT_HEAD, SegmentHead, read_segment_head};
use super::{Damage, JournalError, Lost, Position, Recovery, io_error};

/// Bytes read at once while searching for the next entry.
const WINDOW: usize = 1 << 20;

/// What opening found of one segment.
pub(crate) struct Scanned {
    pub number: u64,
    /// Goes into every head's CRC; `None` if the header does not hold, so that no entry can be read.
    pub salt: Option<u64>,
    /// Length after cutting.
    pub end: u64,
    pub entries: u64,
    pub records: u64,
    /// Running total of records at its end, if it is known.
    pub total: Option<u64>,
    pub damage: Vec<Damage>,
    pub lost: Vec<Lost>,
}

impl Scanned {
    /// Was the power cut while the segment was being made? Nothing was ever stored in it.
    fn is_unborn(&self) -> bool {
        self.salt.is_none() && self.damage.iter().all(|damage| damage.torn)
    }
}

impl Scanned {
    /// What follows at `offset` was written when the running total was `total`: what is missing up to there is lost.
    fn resume(&mut self, total: u64, offset: u64) {
        if let Some(from) = self.total.filter(|known| *known < total) {
            self.lost.push(Lost { from, to: total, before: Position { segment: self.number, offset } });
        }
        self.total = Some(total);
    }
}

/// Checks every segment; cuts and sets aside what does not hold.
pub(crate) fn recover(place: &Place) -> Result<(Vec<Scanned>, Recovery), JournalError> {
    let numbers = place.segments().map_err(|error| io_error("list its segments", error))?;
    let last = numbers.last().copied();
    let (mut segments, mut recovery, mut total) = (Vec::new(), Recovery::default(), None);
    for number in numbers {
        let scanned = Scan::of(place, number, Some(number) == last, total)?;
        total = scanned.total;
        if scanned.is_unborn() {
            place.disk.remove(&place.segment(number)).map_err(|error| io_error("remove an empty segment", error))?;
            continue;
        }
        recovery.entries += scanned.entries;
        recovery.records += scanned.records;
        recovery.bytes += scanned.end;
        recovery.damage.extend(scanned.damage.iter().cloned());
        recovery.lost.extend_from_slice(&scanned.lost);
        segments.push(scanned);
    }
    Ok((segments, recovery))
}

struct Scan<'a> {
    place: &'a Place,
    number: u64,
    file: Box<dyn DiskFile>,
    len: u64,
    is_last: bool,
}

/// What stands at an offset.
enum Found {
    Entry { next: u64, records: u64, total: u64 },
    End,
    Bad,
}

impl<'a> Scan<'a> {
    fn of(place: &'a Place, number: u64, is_last: bool, total: Option<u64>) -> Result<Scanned, JournalError> {
        let what = || format!("read segment {number}");
        let path = place.segment(number);
        let mut file = place.disk.open(&path).map_err(|error| io_error(&what(), error))?;
        let len = file.length().map_err(|error| io_error(&what(), error))?;
        let head = read_up_to(file.as_mut(), 0, SEGMENT_HEAD).map_err(|error| io_error(&what(), error))?;
        let mut scan = Scan { place, number, file, len, is_last };
        match read_segment_head(&head, number) {
            SegmentHead::Known { salt, total: begin } => {
                scan.entries(salt, begin, total).map_err(|error| io_error(&what(), error))
            }
            SegmentHead::Newer(found) => Err(JournalError::Newer { segment: number, found, known: FORMAT }),
            SegmentHead::Older(found) => Err(JournalError::Older { segment: number, found, known: FORMAT }),
            SegmentHead::Bad => scan.headless(total).map_err(|error| io_error(&what(), error)),
        }
    }

    fn entries(&mut self, salt: u64, begin: u64, total: Option<u64>) -> io::Result<Scanned> {
        let mut scanned = Scanned {
            number: self.number,
            salt: Some(salt),
            end: self.len,
            entries: 0,
            records: 0,
            total,
            damage: Vec::new(),
            lost: Vec::new(),
        };
        let mut at = SEGMENT_HEAD as u64;
        scanned.resume(begin, at);
        loop {
            match self.at(salt, at)? {
                Found::Entry { next, records, total } => {
                    scanned.resume(total.wrapping_sub(records), at);
                    scanned.total = Some(total);
                    scanned.entries += 1;
                    scanned.records += records;
                    at = next;
                }
                Found::End => return Ok(scanned),
                Found::Bad => match self.next_entry(salt, at + 1)? {
                    Some(next) => {
                        let kept = Some(self.set_aside(at, next)?);
                        scanned.damage.push(Damage { segment: self.number, from: at, to: next, torn: false, kept });
                        at = next;
                    }
                    None => {
                        let (damage, told) = self.cut_tail(salt, at)?;
                        scanned.damage.push(damage);
                        if let Some(total) = told {
                            scanned.resume(total, self.len);
                        }
                        scanned.end = at;
                        return Ok(scanned);
                    }
                },
            }
        }
    }

    fn at(&mut self, salt: u64, offset: u64) -> io::Result<Found> {
        if offset == self.len {
            return Ok(Found::End);
        }
        let head = read_up_to(self.file.as_mut(), offset, ENTRY_HEAD)?;
        let Some(head) = EntryHead::read(&head, salt, offset) else { return Ok(Found::Bad) };
        let body_at = offset + ENTRY_HEAD as u64;
        if body_at + head.body as u64 > self.len {
            return Ok(Found::Bad);
        }
        let body = read_up_to(self.file.as_mut(), body_at, head.body)?;
        match super::entry::batch_of(&body).filter(|_| head.holds(&body)) {
            Some(batch) => {
                Ok(Found::Entry { next: body_at + head.body as u64, records: batch.records, total: head.total })
            }
            None => Ok(Found::Bad),
        }
    }

    /// The next offset from `from` on where a whole entry stands.
    fn next_entry(&mut self, salt: u64, from: u64) -> io::Result<Option<u64>> {
        let mut base = from;
        while base < self.len {
            let window = read_up_to(self.file.as_mut(), base, WINDOW)?;
            for i in 0..window.len() {
                let is_candidate =
                    window[i] == ENTRY_MAGIC[0] && ENTRY_MAGIC.starts_with(&window[i..window.len().min(i + 4)]);
                if is_candidate && matches!(self.at(salt, base + i as u64)?, Found::Entry { .. }) {
                    return Ok(Some(base + i as u64));
                }
            }
            base += window.len().max(1) as u64;
        }
        Ok(None)
    }

    /// Cuts what follows the last entry. A part of an entry was never acknowledged. Bytes of a whole entry that do not hold may have been
    /// acknowledged and gone bad since, so they are kept as well, and are not called torn; the running total in its head tells how many records
    /// it had.
    fn cut_tail(&mut self, salt: u64, at: u64) -> io::Result<(Damage, Option<u64>)> {
        let head = read_up_to(self.file.as_mut(), at, ENTRY_HEAD)?;
        let whole = EntryHead::read(&head, salt, at).filter(|head| at + (ENTRY_HEAD + head.body) as u64 <= self.len);
        let torn = self.is_last && whole.is_none();
        let kept = if torn { None } else { Some(self.set_aside(at, self.len)?) };
        self.file.set_len(at)?;
        self.file.sync()?;
        let damage = Damage { segment: self.number, from: at, to: self.len, torn, kept };
        Ok((damage, whole.map(|head| head.total)))
    }

    /// A segment without a header: one just being made when the power went, or one that went bad.
    fn headless(&mut self, total: Option<u64>) -> io::Result<Scanned> {
        let torn = self.is_last && self.len <= SEGMENT_HEAD as u64;
        let kept = if torn { None } else { Some(self.set_aside(0, self.len)?) };
        let damage = Damage { segment: self.number, from: 0, to: self.len, torn, kept };
        let (damage, lost) = (vec![damage], Vec::new());
        Ok(Scanned { number: self.number, salt: None, end: self.len, entries: 0, records: 0, total, damage, lost })
    }

    /// Copies damaged bytes to `corrupt/`, durably. Damage that is still there is copied again to the same name: a copy that a crash cut short
    /// becomes whole.
    fn set_aside(&mut self, from: u64, to: u64) -> io::Result<PathBuf> {
        let dir = self.place.dir.join("corrupt");
        self.place.disk.make_dir(&dir)?;
        let name = format!("{:012}-{from}-{to}.bin", self.number);
        let path = dir.join(&name);
        let exists = self.place.disk.list(&dir)?.contains(&name);
        let mut copy = if exists { self.place.disk.open(&path)? } else { self.place.disk.create(&path)? };
        copy.set_len(0)?;
        let mut at = from;
        while at < to {
            let bytes = read_up_to(self.file.as_mut(), at, WINDOW.min((to - at) as usize))?;
            if bytes.is_empty() {
                break;
            }
            write_all(copy.as_mut(), at - from, &bytes)?;
            at += bytes.len() as u64;
        }
        copy.sync()?;
        self.place.disk.sync_dir(&dir)?;
        self.place.disk.sync_dir(&self.place.dir)?;
        Ok(path)
    }
}
