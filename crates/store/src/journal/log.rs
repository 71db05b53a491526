//! The journal's handle: who leads a commit, who waits, what is durable, what may go.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::commit::{Committed, Writer};
use super::disk::{Disk, Place, RealDisk};
use super::entry::{BODY_MAX, ENTRY_HEAD, SEGMENT_HEAD, body_of, new_salt};
use super::recover::{Scanned, recover};
use super::{Batch, JournalError, JournalOptions, Position, Reader, Recovery, io_error};

/// The journal. Cheap to clone; every clone is the same journal.
#[derive(Clone)]
pub struct Journal {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub place: Place,
    options: JournalOptions,
    state: Mutex<State>,
    /// Something became durable, failed, or was reopened.
    changed: Condvar,
    _lock: Box<dyn Send + Sync>,
}

pub(super) struct State {
    /// Every segment, with its durable length.
    pub segments: BTreeMap<u64, Segment>,
    /// The end of the last durable entry.
    pub durable: Position,
    recovery: Recovery,
    /// `None` while a leader writes.
    writer: Option<Writer>,
    waiting: Vec<(u64, Vec<u8>)>,
    waiting_bytes: u64,
    next_ticket: u64,
    done: BTreeMap<u64, Result<Position, JournalError>>,
    failed: Option<JournalError>,
}

/// What readers need of a segment.
#[derive(Clone)]
pub(super) struct Segment {
    pub salt: Option<u64>,
    pub bytes: u64,
    /// Damaged ranges, set aside when the journal was opened.
    pub damage: Vec<(u64, u64)>,
}

impl Journal {
    /// Opens, or makes, the journal in `dir`: cuts a torn tail, sets damage aside; see [`Journal::recovery`].
    ///
    /// Errors: [`JournalError::Locked`] while another process has it, [`JournalError::Newer`], and those of the disk.
    pub fn open(dir: &Path, options: JournalOptions) -> Result<Journal, JournalError> {
        Journal::open_on(Arc::new(RealDisk), dir, options)
    }

    /// As [`Journal::open`], on another disk.
    pub fn open_on(disk: Arc<dyn Disk>, dir: &Path, options: JournalOptions) -> Result<Journal, JournalError> {
        disk.make_dir(dir).map_err(|error| io_error("make its directory", error))?;
        let lock = disk.lock(dir).map_err(|error| io_error("lock its directory", error))?;
        let lock = lock.ok_or_else(|| JournalError::Locked { path: dir.to_owned() })?;
        let place = Place { disk, dir: dir.to_owned() };
        let state = State::recovered(&place, options, 1)?;
        let inner = Inner { place, options, state: Mutex::new(state), changed: Condvar::new(), _lock: lock };
        Ok(Journal { inner: Arc::new(inner) })
    }

    /// What opening, or the last [`Journal::reopen`], found.
    pub fn recovery(&self) -> Recovery {
        self.state().recovery.clone()
    }

    /// Stores a batch. On return it is on disk; the position is the one after it. Callers at the same time share one `fsync`.
    ///
    /// Errors: [`JournalError::Full`] and [`JournalError::NoSpace`] pass by themselves; [`JournalError::Failed`] lasts until
    /// [`Journal::reopen`]. A refused batch is not read later, except that after `Failed` and a crash it may be.
    pub fn append(&self, batch: &Batch) -> Result<Position, JournalError> {
        let body = body_of(batch);
        let entry_bytes = (ENTRY_HEAD + body.len()) as u64;
        let bytes_max = (self.inner.options.total_bytes_max / 2).min(BODY_MAX as u64);
        if entry_bytes > bytes_max {
            return Err(JournalError::TooLarge { bytes: entry_bytes, bytes_max });
        }
        let mut state = self.state();
        if let Some(error) = &state.failed {
            return Err(error.clone());
        }
        let (bytes, bytes_max) = (state.bytes(), self.inner.options.total_bytes_max);
        if bytes + state.waiting_bytes + entry_bytes > bytes_max {
            return Err(JournalError::Full { bytes, bytes_max });
        }
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        state.waiting.push((ticket, body));
        state.waiting_bytes += entry_bytes;
        self.wait_for(ticket, state)
    }

    /// Waits until the ticket's entry is settled; leads a commit whenever nobody does.
    fn wait_for<'a>(&'a self, ticket: u64, mut state: MutexGuard<'a, State>) -> Result<Position, JournalError> {
        loop {
            if let Some(result) = state.done.remove(&ticket) {
                return result;
            }
            state = match state.writer.take() {
                Some(writer) => self.lead(writer, state),
                None => self.inner.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Writes everything that waits, without holding the lock, so that more can gather meanwhile.
    fn lead<'a>(&'a self, mut writer: Writer, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let (tickets, bodies): (Vec<u64>, Vec<Vec<u8>>) = std::mem::take(&mut state.waiting).into_iter().unzip();
        state.waiting_bytes = 0;
        drop(state);
        let committed = writer.commit(&bodies);
        let mut state = self.state();
        state.writer = Some(writer);
        state.settle(&tickets, committed);
        self.inner.changed.notify_all();
        state
    }

    /// Reads entries from `from` on, up to what is durable. A reader that gave `None` may be asked again later.
    ///
    /// Shape: a position after the end is one of a journal that is gone; reading then begins at the beginning.
    pub fn read_from(&self, from: Position) -> Reader {
        let is_beyond = self.state().segments.last_key_value().is_none_or(|(last, _)| from.segment > *last);
        Reader::new(self.clone(), if is_beyond { Position::START } else { from })
    }

    /// The position after the last durable entry; [`Position::START`] if there is none.
    pub fn end(&self) -> Position {
        self.state().durable
    }

    /// Waits until there is something durable after `position`, or `timeout` has passed. Says whether there is.
    pub fn wait_beyond(&self, position: Position, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let mut state = self.state();
        while state.durable <= position {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.inner.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Deletes the segments that lie wholly before `upto`, but never the newest. Says how many.
    pub fn release(&self, upto: Position) -> Result<u64, JournalError> {
        let mut state = self.state();
        let newest = state.segments.keys().next_back().copied().unwrap_or(0);
        let is_done = |(number, segment): &(&u64, &Segment)| {
            **number < newest && Position { segment: **number, offset: segment.bytes } <= upto
        };
        let done: Vec<u64> = state.segments.iter().filter(is_done).map(|(number, _)| *number).collect();
        for number in &done {
            let path = self.inner.place.segment(*number);
            self.inner.place.disk.remove(&path).map_err(|error| io_error("delete a read segment", error))?;
            state.segments.remove(number);
        }
        Ok(done.len() as u64)
    }

    /// Bytes in segments.
    pub fn bytes(&self) -> u64 {
        self.state().bytes()
    }

    /// Does it refuse every batch until [`Journal::reopen`], because its disk failed?
    pub fn is_failed(&self) -> bool {
        self.state().failed.is_some()
    }

    /// After [`JournalError::Failed`]: drops what was not durable, checks every segment again and accepts batches again.
    pub fn reopen(&self) -> Result<Recovery, JournalError> {
        let mut state = self.state();
        while state.writer.is_none() {
            state = self.inner.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        self.drop_unsynced(&state).map_err(|error| io_error("drop what was not durable", error))?;
        let next_number = state.writer.as_ref().map_or(1, |writer| writer.next_number);
        let recovered = State::recovered(&self.inner.place, self.inner.options, next_number)?;
        let kept = std::mem::replace(&mut *state, recovered);
        state.next_ticket = kept.next_ticket;
        (state.waiting, state.waiting_bytes, state.done) = (kept.waiting, kept.waiting_bytes, kept.done);
        self.inner.changed.notify_all();
        Ok(state.recovery.clone())
    }

    /// After a failed `fsync` the page cache may show bytes that the disk does not have; they must not be read, and were never acknowledged.
    fn drop_unsynced(&self, state: &State) -> std::io::Result<()> {
        let place = &self.inner.place;
        for number in place.segments()? {
            match state.segments.get(&number) {
                Some(segment) => {
                    let mut file = place.disk.open(&place.segment(number))?;
                    if file.length()? > segment.bytes {
                        file.set_len(segment.bytes)?;
                        file.sync()?;
                    }
                }
                None => place.disk.remove(&place.segment(number))?,
            }
        }
        place.disk.sync_dir(&place.dir)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The state that the disk shows. Segments made from now on have at least `next_number`.
    fn recovered(place: &Place, options: JournalOptions, next_number: u64) -> Result<State, JournalError> {
        let (scanned, recovery) = recover(place)?;
        let durable = scanned.iter().rev().find(|segment| segment.entries > 0);
        let durable = durable.map_or(Position::START, |s| Position { segment: s.number, offset: s.end });
        let newest = scanned.last().map_or(0, |segment| segment.number);
        let writer = Writer {
            place: place.clone(),
            // Small enough that reading can always make room: the newest segment is never deleted.
            segment_bytes: options.segment_bytes.min(options.total_bytes_max / 4).max(SEGMENT_HEAD as u64 + 1),
            next_number: next_number.max(newest + 1),
            // A new journal begins anywhere, so that a range of another journal's records is not taken for one of these.
            total: scanned.last().and_then(|segment| segment.total).unwrap_or_else(|| new_salt() >> 16),
            active: None,
        };
        Ok(State {
            segments: scanned.into_iter().map(|segment| (segment.number, Segment::of(&segment))).collect(),
            durable,
            recovery,
            writer: Some(writer),
            waiting: Vec::new(),
            waiting_bytes: 0,
            next_ticket: 0,
            done: BTreeMap::new(),
            failed: None,
        })
    }

    fn bytes(&self) -> u64 {
        self.segments.values().map(|segment| segment.bytes).sum()
    }

    /// Notes what became of a group. After a failure, those that gathered meanwhile are refused too.
    fn settle(&mut self, tickets: &[u64], committed: Committed) {
        for durable in &committed.durable {
            let fresh = || Segment { salt: Some(durable.salt), bytes: 0, damage: Vec::new() };
            self.segments.entry(durable.number).or_insert_with(fresh).bytes = durable.end;
        }
        if let Some(last) = committed.positions.last() {
            self.durable = *last;
        }
        let mut positions = committed.positions.into_iter();
        for ticket in tickets {
            let result = positions
                .next()
                .map(Ok)
                .unwrap_or_else(|| Err(committed.error.clone().expect("an entry without a position has an error")));
            self.done.insert(*ticket, result);
        }
        if let Some(error @ JournalError::Failed { .. }) = committed.error {
            for (ticket, _) in std::mem::take(&mut self.waiting) {
                self.done.insert(ticket, Err(error.clone()));
            }
            self.waiting_bytes = 0;
            self.failed = Some(error);
        }
    }
}

impl Segment {
    fn of(scanned: &Scanned) -> Segment {
        let damage = scanned.damage.iter().filter(|damage| damage.to <= scanned.end);
        Segment { salt: scanned.salt, bytes: scanned.end, damage: damage.map(|d| (d.from, d.to)).collect() }
    }
}
