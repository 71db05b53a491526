//! The state after a start: the newest snapshot that is whole, and the rows of the log behind it.
//!
//! In: what the store notes, the files, the rows. Out: a state, where it stands, and what has to be said aloud. A snapshot that is torn, missing or
//! foreign is forgotten, and the one before it taken, whose rows are still there. When no state can be had, a new one begins with the rows that
//! are left, and that is said: never silently.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader};

use store::{FactsSpan, SnapshotRow, Store, StoreError};

use super::log;
use super::writer::path_of;
use super::{Correlate, CorrelateParts, Correlating};
use crate::line::SetAside;
use crate::panics::contain;

/// Bytes of the log that are held at once.
const PAGE_BYTES: usize = 8 << 20;
/// Times that rows may stumble before the rest of the log is given up.
const STUMBLES_MAX: usize = 64;

/// A state that goes on where the last one ended.
pub(super) struct Recovered {
    pub state: Box<dyn Correlating>,
    /// The last row of the log that is in it.
    pub seq: u64,
    /// The last snapshot that holds.
    pub noted: u64,
    /// Rows and bytes behind it.
    pub rows: u64,
    pub bytes: u64,
    /// Correlations whose part of the snapshot was dropped, by id.
    pub dropped: Vec<String>,
    /// What has to be said aloud.
    pub complaints: Vec<Complaint>,
}

/// Something that went wrong on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Complaint {
    /// A snapshot could not be used; nothing is lost by that alone.
    Snapshot { seq: u64, why: String },
    /// The state up to this row is gone.
    Lost { upto: u64 },
    /// A row could not be shown.
    Row { seq: u64, why: String },
    /// A correlation panicked and is shown nothing more.
    Aside { rule: SetAside, place: String },
}

/// Why the state cannot be had now.
#[derive(Debug, thiserror::Error)]
pub(super) enum RestoreError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file is there and cannot be read at the moment.
    #[error("the snapshot `{}` cannot be read", path.display())]
    File { path: std::path::PathBuf, source: io::Error },
}

/// What stays the same from one attempt to the next.
struct Attempt<'a> {
    store: &'a Store,
    with: &'a CorrelateParts,
    skipped: BTreeSet<u64>,
    complaints: Vec<Complaint>,
}

/// Where replaying stopped because of a panic.
struct Stumble {
    seq: u64,
    place: String,
    suspect: Option<SetAside>,
}

/// The state as of the last settlement, without the correlations in `aside`, to which those that panic on the way are added.
pub(super) fn restore(
    store: &Store,
    with: &CorrelateParts,
    aside: &mut Vec<String>,
) -> Result<Recovered, RestoreError> {
    let mut attempt = Attempt { store, with, skipped: BTreeSet::new(), complaints: Vec::new() };
    let mut stumbles = 0;
    loop {
        let mut recovered = attempt.base()?;
        aside.iter().for_each(|rule| recovered.state.set_aside(rule));
        let Some(stumble) = attempt.replay(&mut recovered)? else {
            recovered.complaints = std::mem::take(&mut attempt.complaints);
            return Ok(recovered);
        };
        stumbles += 1;
        attempt.stumbled(stumble, stumbles, aside)?;
    }
}

impl Attempt<'_> {
    /// The newest snapshot that can be used, or a new state.
    fn base(&mut self) -> Result<Recovered, RestoreError> {
        let span = self.store.facts_span()?;
        for row in self.store.snapshots()? {
            match open(self.with, &row, span)? {
                Ok(restored) => {
                    let super::Restored { state, dropped } = restored;
                    return Ok(Recovered { dropped, ..at(state, row.seq) });
                }
                Err(why) => {
                    self.store.forget_snapshot(row.seq)?;
                    self.complaints.push(Complaint::Snapshot { seq: row.seq, why });
                }
            }
        }
        let lost = Complaint::Lost { upto: span.deleted };
        if span.deleted > 0 && !self.complaints.contains(&lost) {
            self.complaints.push(lost);
        }
        Ok(at(self.with.with.begin(), span.deleted))
    }

    /// Shows the rows behind the snapshot. What they say was settled with them.
    fn replay(&mut self, recovered: &mut Recovered) -> Result<Option<Stumble>, RestoreError> {
        loop {
            let page = self.store.facts_after(recovered.seq, PAGE_BYTES)?;
            if page.is_empty() {
                return Ok(None);
            }
            for row in page {
                recovered.seq = row.seq;
                recovered.rows += 1;
                recovered.bytes += row.bytes.len() as u64;
                if self.skipped.contains(&row.seq) {
                    continue;
                }
                let state = &mut recovered.state;
                match contain(|| show(&*self.with.with, &mut **state, &row.bytes)) {
                    Ok(Ok(())) => {}
                    Ok(Err(why)) => {
                        self.skipped.insert(row.seq);
                        self.complaints.push(Complaint::Row { seq: row.seq, why });
                    }
                    Err(place) => {
                        let suspect = contain(|| state.suspect()).ok().flatten();
                        return Ok(Some(Stumble { seq: row.seq, place, suspect }));
                    }
                }
            }
        }
    }

    /// What a panic leaves is not known, so the state begins anew: without the correlation at fault, or else without the row.
    fn stumbled(&mut self, stumble: Stumble, stumbles: usize, aside: &mut Vec<String>) -> Result<(), StoreError> {
        let Stumble { seq, place, suspect } = stumble;
        match suspect.filter(|rule| !aside.contains(&rule.rule_id)) {
            Some(rule) => {
                aside.push(rule.rule_id.clone());
                self.complaints.push(Complaint::Aside { rule, place });
            }
            None if stumbles < STUMBLES_MAX => {
                self.skipped.insert(seq);
                self.complaints.push(Complaint::Row { seq, why: format!("it panicked at {place}") });
            }
            None => {
                let last = self.store.facts_span()?.last;
                self.skipped.extend(seq..=last);
                self.complaints
                    .push(Complaint::Row { seq, why: format!("it and all behind it panicked, last at {place}") });
            }
        }
        Ok(())
    }
}

fn at(state: Box<dyn Correlating>, seq: u64) -> Recovered {
    Recovered { state, seq, noted: seq, rows: 0, bytes: 0, dropped: Vec::new(), complaints: Vec::new() }
}

fn show(with: &dyn Correlate, state: &mut dyn Correlating, bytes: &[u8]) -> Result<(), String> {
    let said = log::decode(with.names(), bytes)?;
    if let Some(now) = said.tick {
        state.tick(now);
    }
    state.batch(&said.batch);
    Ok(())
}

/// Reads a snapshot; the inner error says why it never can be.
fn open(
    with: &CorrelateParts,
    row: &SnapshotRow,
    span: FactsSpan,
) -> Result<Result<super::Restored, String>, RestoreError> {
    if row.seq < span.deleted || row.seq > span.last {
        let FactsSpan { deleted, last } = span;
        return Ok(Err(format!(
            "the rows behind it are not there: the log holds those from {} to {last}",
            deleted + 1
        )));
    }
    let path = path_of(&with.folder, row.seq);
    let digest = File::open(&path).and_then(|file| custody::digest::of_reader(BufReader::new(file)));
    match digest {
        Ok(found) if found == (row.digest, row.bytes) => {}
        Ok((_, bytes)) => {
            return Ok(Err(format!("its file is damaged: {bytes} bytes, of {} with another digest", row.bytes)));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Err("its file is missing".to_owned())),
        Err(source) => return Err(RestoreError::File { path, source }),
    }
    let file = File::open(&path).map_err(|source| RestoreError::File { path, source })?;
    let restored = contain(|| with.with.restore(&mut BufReader::new(file)));
    Ok(restored.unwrap_or_else(|place| Err(format!("reading it panicked at {place}"))))
}
