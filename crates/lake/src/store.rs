//! The lake itself: appends to the spool, seals it, converts sealed spools, and reads everything back.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use model::{EventId, SourceId, Time};

use crate::error::io;
use crate::spool::{self, Spool};
use crate::{LakeError, Row, folder, parquet_file, partition};

/// How the name of a spool ends that holds bytes gone bad.
const DAMAGED: &str = "corrupt";

/// Sizes and ages at which rows move on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LakeOptions {
    /// A spool of this many bytes is sealed. It is also what a conversion holds in memory.
    pub spool_bytes: u64,
    /// A spool whose first row is this old is sealed whatever its size, milliseconds.
    pub roll_ms: i64,
    /// So many sealed spools may wait; then `append` converts before it takes rows into a new one.
    pub sealed_spools_max: usize,
}

impl Default for LakeOptions {
    fn default() -> LakeOptions {
        LakeOptions { spool_bytes: 32 << 20, roll_ms: 300_000, sealed_spools_max: 4 }
    }
}

/// What the lake holds, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LakeStats {
    /// Rows that wait in the open spool.
    pub spool_rows: u64,
    /// Sealed spools that wait for conversion.
    pub sealed_spools: usize,
    /// Of these, the ones whose last conversion failed; they are tried again.
    pub failing_spools: usize,
    /// Spools with bytes gone bad, kept as `.corrupt` for a person. Deleting the file ends the count.
    pub damaged_spools: usize,
}

/// The history of events on this machine. Clones share one lake. Calls block on the disk.
#[derive(Clone)]
pub struct Lake {
    shared: Arc<Shared>,
}

struct Shared {
    root: PathBuf,
    options: LakeOptions,
    open: Mutex<Open>,
    /// Held by whoever converts, so that no spool is converted by two.
    converting: Mutex<()>,
    /// How many spools the last conversion could not convert.
    failing: AtomicUsize,
}

struct Open {
    spool: Option<Spool>,
    first_row: Option<Time>,
    next_number: u64,
}

impl Lake {
    /// Opens the lake below `root`, making it if it is not there. Spools that a crash left behind are sealed, and
    /// converted by the next [`Lake::convert`].
    pub fn open(root: &Path, options: LakeOptions) -> Result<Lake, LakeError> {
        let spools = root.join("spool");
        folder::make(&spools)?;
        let next_number = listing(&spools)?.iter().filter_map(|path| number_of(path)).max().map_or(1, |n| n + 1);
        let shared = Shared {
            root: root.to_owned(),
            options,
            open: Mutex::new(Open { spool: None, first_row: None, next_number }),
            converting: Mutex::new(()),
            failing: AtomicUsize::new(0),
        };
        Ok(Lake { shared: Arc::new(shared) })
    }

    /// Appends rows; they survive a crash when this returns. When too many sealed spools wait, they are converted before.
    ///
    /// Errors: [`LakeError`] when the disk refuses, or [`LakeError::Damaged`] once for a spool met on the way; nothing of
    /// `rows` is kept then, and the same call may be repeated.
    pub fn append(&self, rows: &[Row], now: Time) -> Result<(), LakeError> {
        if rows.is_empty() {
            return Ok(());
        }
        self.make_way()?;
        let mut open = self.lock();
        self.spool_of(&mut open, now)?.append(rows)?;
        open.first_row.get_or_insert(now);
        self.seal_if_due(&mut open, now);
        Ok(())
    }

    /// Converts when a new spool is needed and too many wait already. A spool that cannot be converted stands in the
    /// way only while too many wait.
    fn make_way(&self) -> Result<(), LakeError> {
        let sealed_max = self.shared.options.sealed_spools_max;
        let needs_spool = self.lock().spool.is_none();
        if !needs_spool || self.sealed()?.len() < sealed_max {
            return Ok(());
        }
        match self.convert() {
            Err(error) if matches!(error, LakeError::Damaged { .. }) || self.sealed()?.len() >= sealed_max => {
                Err(error)
            }
            _ => Ok(()),
        }
    }

    /// Seals the open spool if it is old enough. Call it now and then; returns whether it did.
    pub fn roll(&self, now: Time) -> bool {
        let mut open = self.lock();
        self.seal_if_due(&mut open, now)
    }

    /// Seals the open spool, whatever its age, and converts everything that waits. Returns the files written.
    pub fn flush(&self) -> Result<usize, LakeError> {
        seal(&mut self.lock());
        self.convert()
    }

    /// Opens a fresh spool after one refused (a failed sync). What the old one holds whole is kept and converted.
    pub fn reopen(&self) {
        seal(&mut self.lock());
    }

    /// Converts every sealed spool to Parquet files; returns how many files were written.
    ///
    /// Errors: a spool that fails does not keep the others from being converted; then the first error is given,
    /// [`LakeError::Damaged`] before others because it is said only once.
    pub fn convert(&self) -> Result<usize, LakeError> {
        let _one = self.converting();
        let (mut written, mut damaged, mut failed) = (0, Vec::new(), Vec::new());
        for path in self.sealed()? {
            match self.convert_one(&path) {
                Ok(files) => written += files,
                Err(error @ LakeError::Damaged { .. }) => damaged.push(error),
                Err(error) => failed.push(error),
            }
        }
        self.shared.failing.store(failed.len(), Ordering::Relaxed);
        damaged.into_iter().chain(failed).next().map_or(Ok(written), Err)
    }

    /// The rows of `source` (all sources when `None`) that happened in `since..until`, by event time and id, each once.
    ///
    /// Shape: the whole answer is in memory; ask for ranges that fit. [`Lake::read_each`] streams instead.
    pub fn read(&self, source: Option<&SourceId>, since: Time, until: Time) -> Result<Vec<Row>, LakeError> {
        let mut rows = Vec::new();
        self.read_each(source, since, until, &mut |row| rows.push(row))?;
        rows.sort_by_key(|row| (row.time, row.event_id));
        Ok(rows)
    }

    /// Hands every row of `source` in `since..until` to `each`, once per event id, in no particular order.
    pub fn read_each(
        &self,
        source: Option<&SourceId>,
        since: Time,
        until: Time,
        each: &mut dyn FnMut(Row),
    ) -> Result<(), LakeError> {
        let mut seen: BTreeSet<EventId> = BTreeSet::new();
        let mut take = |row: Row| {
            let wanted = source.is_none_or(|s| *s == row.source) && since <= row.time && row.time < until;
            if wanted && seen.insert(row.event_id) {
                each(row);
            }
        };
        // Conversion is kept out while we look, so that no row moves from where we have yet to look to where we looked.
        let _one = self.converting();
        for path in self.files(source, since, until)? {
            parquet_file::read(&path, &mut take)?;
        }
        for path in spools(&self.spool_folder())? {
            spool::read_entries(&path, &mut take)?;
        }
        Ok(())
    }

    /// What waits.
    pub fn stats(&self) -> Result<LakeStats, LakeError> {
        let spool_rows = self.lock().spool.as_ref().map_or(0, Spool::rows);
        let damaged_spools = with_extension(&self.spool_folder(), DAMAGED)?.len();
        let failing_spools = self.shared.failing.load(Ordering::Relaxed);
        Ok(LakeStats { spool_rows, sealed_spools: self.sealed()?.len(), failing_spools, damaged_spools })
    }

    fn converting(&self) -> MutexGuard<'_, ()> {
        self.shared.converting.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn spool_folder(&self) -> PathBuf {
        self.shared.root.join("spool")
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.shared.open.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn spool_of<'a>(&self, open: &'a mut Open, now: Time) -> Result<&'a mut Spool, LakeError> {
        if open.spool.is_none() {
            let folder = self.spool_folder();
            let path = folder.join(format!("{}-{:08}.rows", partition::stamp(now), open.next_number));
            open.next_number += 1;
            let spool = Spool::make(&path)?;
            folder::sync(&folder)?;
            open.spool = Some(spool);
        }
        Ok(open.spool.as_mut().expect("it was opened above"))
    }

    fn seal_if_due(&self, open: &mut Open, now: Time) -> bool {
        let full = open.spool.as_ref().is_some_and(|spool| spool.bytes() >= self.shared.options.spool_bytes);
        let old = open.first_row.is_some_and(|first| now.millis_since(first) >= self.shared.options.roll_ms);
        if full || old {
            seal(open);
        }
        full || old
    }

    /// Every spool that no longer takes rows, oldest first.
    fn sealed(&self) -> Result<Vec<PathBuf>, LakeError> {
        // The folder is listed while the lock is held: a spool made after the look would else count as sealed.
        let open = self.lock();
        let mut paths = spools(&self.spool_folder())?;
        if let Some(spool) = &open.spool {
            paths.retain(|path| path != spool.path());
        }
        Ok(paths)
    }

    /// Writes what is whole in `spool` as Parquet. The spool is then removed; a damaged one is kept.
    fn convert_one(&self, spool: &Path) -> Result<usize, LakeError> {
        let mut parts: BTreeMap<(SourceId, String), Vec<Row>> = BTreeMap::new();
        let extent = spool::read_entries(spool, &mut |row| {
            parts.entry((row.source.clone(), partition::day_of(row.time))).or_default().push(row);
        })?;
        let name = spool.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let files = parts.len();
        for ((source, day), mut rows) in parts {
            rows.sort_by_key(|row| (row.time, row.event_id));
            rows.dedup_by_key(|row| row.event_id);
            let folder = partition::folder(&self.shared.root, &source, &day);
            parquet_file::write(&folder.join(format!("{name}.parquet")), &rows)?;
        }
        if extent.damaged() {
            let kept = spool.with_extension(DAMAGED);
            fs::rename(spool, &kept).map_err(io("rename", spool))?;
            folder::sync(&self.spool_folder())?;
            return Err(LakeError::Damaged { path: kept, whole: extent.whole, length: extent.length });
        }
        fs::remove_file(spool).map_err(io("remove", spool))?;
        Ok(files)
    }

    fn files(&self, source: Option<&SourceId>, since: Time, until: Time) -> Result<Vec<PathBuf>, LakeError> {
        let events = self.shared.root.join("events");
        let wanted = source.map(partition::source_folder);
        let mut files = Vec::new();
        for of_source in folders(&events)? {
            if wanted.as_ref().is_some_and(|name| !of_source.ends_with(name)) {
                continue;
            }
            for of_day in folders(&of_source)? {
                let name = of_day.file_name().unwrap_or_default().to_string_lossy().into_owned();
                if partition::day_overlaps(&name, since, until) {
                    files.extend(with_extension(&of_day, "parquet")?);
                }
            }
        }
        Ok(files)
    }
}

fn seal(open: &mut Open) {
    open.spool = None;
    open.first_row = None;
}

fn spools(folder: &Path) -> Result<Vec<PathBuf>, LakeError> {
    with_extension(folder, "rows")
}

fn number_of(spool: &Path) -> Option<u64> {
    spool.file_stem()?.to_str()?.rsplit_once('-')?.1.parse().ok()
}

fn folders(parent: &Path) -> Result<Vec<PathBuf>, LakeError> {
    Ok(listing(parent)?.into_iter().filter(|path| path.is_dir()).collect())
}

fn with_extension(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, LakeError> {
    let is = |path: &PathBuf| path.extension().is_some_and(|e| e == extension);
    Ok(listing(folder)?.into_iter().filter(is).collect())
}

/// The entries of a folder in order of name; none when the folder is not there.
fn listing(folder: &Path) -> Result<Vec<PathBuf>, LakeError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io("list", folder)(error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(io("list", folder))?.path());
    }
    paths.sort();
    Ok(paths)
}
