//! Writes snapshots on a thread of its own, so that the line does not wait for the disk.
//!
//! In: a copy of the state and its place in the log. Out: `<place>.snapshot`, durable, then noted in the store; then rows and files that nobody
//! needs any more are deleted. A kill between any two steps leaves files that are not noted, which the next snapshot deletes, or rows that are not
//! needed, which the next deletes too.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use model::Level;
use store::{SnapshotRow, Store, StoreError};

use super::Frozen;
use crate::line::settle::{chain, tell};
use crate::line::{CorrelateParts, LineParts};
use crate::panics::contain;

/// Rows deleted in one transaction; settlements wait for each.
const ROWS_AT_ONCE: u64 = 256;

/// A copy to be written.
struct Job {
    seq: u64,
    frozen: Box<dyn Frozen>,
}

/// Hands copies to the thread that writes them.
pub(super) struct Writer {
    jobs: SyncSender<Job>,
    is_busy: Arc<AtomicBool>,
    noted: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

/// Why a snapshot was not written.
#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error("`{}` cannot be written", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("the store did not note it")]
    Store(#[from] StoreError),
}

impl Writer {
    /// A thread that writes; `noted` is the last snapshot that holds.
    pub fn start(parts: &LineParts, with: &CorrelateParts, noted: u64) -> Writer {
        let (jobs, waiting) = sync_channel(1);
        let is_busy = Arc::new(AtomicBool::new(false));
        let noted = Arc::new(AtomicU64::new(noted));
        let (parts, folder, busy, done) = (parts.clone(), with.folder.clone(), is_busy.clone(), noted.clone());
        let thread = std::thread::spawn(move || run(&parts, &folder, &waiting, &busy, &done));
        Writer { jobs, is_busy, noted, thread }
    }

    /// Is a copy being written?
    pub fn is_busy(&self) -> bool {
        self.is_busy.load(Ordering::Acquire)
    }

    /// The last row that is in a snapshot which holds.
    pub fn noted(&self) -> u64 {
        self.noted.load(Ordering::Acquire)
    }

    /// Has a copy of the state behind row `seq` written.
    pub fn write(&self, seq: u64, frozen: Box<dyn Frozen>) {
        self.is_busy.store(true, Ordering::Release);
        // The thread contains its panics, so it is there as long as somebody can send.
        let _ = self.jobs.send(Job { seq, frozen });
    }

    /// Waits until all is written.
    pub fn finish(self) {
        drop(self.jobs);
        let _ = self.thread.join();
    }
}

fn run(parts: &LineParts, folder: &Path, jobs: &Receiver<Job>, is_busy: &AtomicBool, noted: &AtomicU64) {
    while let Ok(job) = jobs.recv() {
        // The noted file must never be replaced: for a moment it would not be what is noted.
        let is_there = noted.load(Ordering::Acquire) == job.seq;
        let written = if is_there { Ok(Ok(())) } else { contain(|| write(parts, folder, &job, noted)) };
        let failed = match written {
            Ok(written) => written.err().map(|error| chain(&error)),
            Err(place) => Some(format!("writing it panicked at {place}")),
        };
        if let Some(why) = failed {
            let message = format!(
                "a snapshot of the state of correlations failed: {why}; the log of facts grows until one succeeds"
            );
            let now = parts.clock.now();
            // Telling may fail as well; the log then grows until the next attempt.
            let _ = contain(|| {
                tell(parts, "Correlations cannot be saved", &message, Level::High, "correlations:snapshot", now);
            });
        }
        // A second copy may wait already, at the end.
        is_busy.store(false, Ordering::Release);
    }
}

fn write(parts: &LineParts, folder: &Path, job: &Job, noted: &AtomicU64) -> Result<(), WriteError> {
    let path = path_of(folder, job.seq);
    let (digest, bytes) =
        write_file(folder, &path, &*job.frozen).map_err(|source| WriteError::File { path, source })?;
    let written = parts.clock.now();
    parts.store.note_snapshot(&SnapshotRow { seq: job.seq, digest, bytes, written })?;
    noted.store(job.seq, Ordering::Release);
    tracing::debug!(seq = job.seq, bytes, "a snapshot of correlations was written");
    while parts.store.trim_facts(ROWS_AT_ONCE)? > 0 {
        // The settler is let in between.
        std::thread::yield_now();
    }
    sweep(&parts.store, folder)
}

/// Where the snapshot behind row `seq` is.
pub(super) fn path_of(folder: &Path, seq: u64) -> PathBuf {
    folder.join(format!("{seq}.snapshot"))
}

/// Whole and durable under its name, or not there.
fn write_file(folder: &Path, path: &Path, frozen: &dyn Frozen) -> io::Result<(model::Digest, u64)> {
    make_private(folder)?;
    let draft = path.with_extension("draft");
    let mut file = BufWriter::new(File::create(&draft)?);
    frozen.write(&mut file)?;
    file.flush()?;
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    let digest = custody::digest::of_reader(BufReader::new(File::open(&draft)?))?;
    fs::rename(&draft, path)?;
    File::open(folder)?.sync_all()?;
    Ok(digest)
}

/// Groups hold names of people and machines: the folder is for its owner alone.
fn make_private(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    #[allow(unused_mut, reason = "only unix has modes")]
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)?;
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}

/// Deletes every file of ours in the folder that is not noted: older ones, and drafts that a kill left.
fn sweep(store: &Store, folder: &Path) -> Result<(), WriteError> {
    let noted: Vec<PathBuf> = store.snapshots()?.iter().map(|row| path_of(folder, row.seq)).collect();
    let failed = |source| WriteError::File { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let is_ours = path.extension().is_some_and(|end| end == "snapshot" || end == "draft");
        if is_ours && !noted.contains(&path) {
            fs::remove_file(&path).map_err(failed)?;
        }
    }
    Ok(())
}
