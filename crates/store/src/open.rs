//! The store itself: one file, one writer, several readers.
//!
//! In: closures over a connection. Out: what they answer. Bound: `readers_max` readers at a time; further ones wait. Writers wait for each
//! other here, and for other processes up to `busy_timeout_ms`.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::migrations::{MIGRATIONS, migrate};
use crate::{RouteRule, StoreError};

/// Bounds of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreOptions {
    /// Raw copies kept per (input, reason) of rejects.
    pub rejects_kept_max: u64,
    /// Digests kept per (input, reason) of rejects once the raw copies are full; beyond it only counts.
    pub reject_digests_max: u64,
    /// Bytes kept of one reject.
    pub reject_bytes_max: usize,
    /// Full findings and their evidence kept per alert; further folds keep the finding's id and times.
    pub findings_per_alert_max: u64,
    /// Full findings and their evidence kept per rule, disposition and hour of settling, of findings without an alert (silenced, or of
    /// signals and hunts); further ones keep the finding's id and times.
    pub findings_per_hour_max: u64,
    /// Bytes kept of one piece of evidence.
    pub evidence_bytes_max: usize,
    /// Days a silence may last at most.
    pub silence_days_max: u32,
    /// Connections that read at the same time.
    pub readers_max: usize,
    /// How long a call waits for another process's write, milliseconds.
    pub busy_timeout_ms: u32,
}

impl Default for StoreOptions {
    fn default() -> StoreOptions {
        StoreOptions {
            rejects_kept_max: 1_000,
            reject_digests_max: 10_000,
            reject_bytes_max: 64 * 1024,
            findings_per_alert_max: 200,
            findings_per_hour_max: 200,
            evidence_bytes_max: 256 * 1024,
            silence_days_max: 366,
            readers_max: 4,
            busy_timeout_ms: 10_000,
        }
    }
}

/// The truth: one SQLite file, one writer, several readers.
///
/// Shape: cheap to clone; every clone is the same store. Calls block; an async caller moves them to a blocking thread.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub options: StoreOptions,
    /// The routes last given; alerts about ourselves take them.
    pub routes: RwLock<Vec<RouteRule>>,
    path: std::path::PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Pool>,
    reader_back: Condvar,
}

#[derive(Default)]
struct Pool {
    idle: Vec<Connection>,
    lent: usize,
}

impl Store {
    /// Opens, or makes, `state.db` in `dir`, with the default bounds.
    pub fn open(dir: &Path) -> Result<Store, StoreError> {
        Store::open_with(dir, StoreOptions::default())
    }

    /// As [`Store::open`], with other bounds.
    ///
    /// Errors: [`StoreError::NewerSchema`] and [`StoreError::NotOurs`] leave the file as it was.
    pub fn open_with(dir: &Path, options: StoreOptions) -> Result<Store, StoreError> {
        let path = dir.join("state.db");
        make_private_dir(dir).map_err(|error| open_error(&path, error))?;
        let mut writer = connect(&path, &options).map_err(|error| open_error(&path, error))?;
        migrate(&mut writer, &path, MIGRATIONS)?;
        set_up_writer(&writer)?;
        let inner = Inner {
            options,
            routes: RwLock::default(),
            path,
            writer: Mutex::new(writer),
            readers: Mutex::default(),
            reader_back: Condvar::new(),
        };
        Ok(Store { inner: Arc::new(inner) })
    }

    /// Runs `work` in one write transaction: all of it, or, after an error or a panic, nothing.
    pub(crate) fn write<T, E: From<rusqlite::Error>>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut db = self.inner.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let answer = work(&tx)?;
        tx.commit()?;
        Ok(answer)
    }

    /// Runs `work` in one read transaction: everything it asks, it sees at one moment.
    pub(crate) fn read<T, E: From<rusqlite::Error>>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut lent = Lent { inner: &self.inner, db: None };
        let db = lent.connection()?;
        let tx = db.transaction()?;
        work(&tx)
    }
}

/// A reader lent from the pool; it goes back when dropped, also after a panic.
struct Lent<'a> {
    inner: &'a Inner,
    db: Option<Connection>,
}

impl Lent<'_> {
    fn connection(&mut self) -> rusqlite::Result<&mut Connection> {
        let mut pool = self.inner.readers.lock().unwrap_or_else(PoisonError::into_inner);
        while pool.lent >= self.inner.options.readers_max.max(1) {
            pool = self.inner.reader_back.wait(pool).unwrap_or_else(PoisonError::into_inner);
        }
        let db = match pool.idle.pop() {
            Some(db) => db,
            None => {
                let db = connect(&self.inner.path, &self.inner.options)?;
                db.pragma_update(None, "query_only", true)?;
                db
            }
        };
        pool.lent += 1;
        Ok(self.db.insert(db))
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let Some(db) = self.db.take() else { return };
        let mut pool = self.inner.readers.lock().unwrap_or_else(PoisonError::into_inner);
        pool.lent -= 1;
        pool.idle.push(db);
        self.inner.reader_back.notify_one();
    }
}

fn connect(path: &Path, options: &StoreOptions) -> rusqlite::Result<Connection> {
    let db = Connection::open(path)?;
    db.busy_timeout(Duration::from_millis(options.busy_timeout_ms.into()))?;
    db.set_prepared_statement_cache_capacity(128);
    db.pragma_update(None, "foreign_keys", true)?;
    db.pragma_update(None, "trusted_schema", false)?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.pragma_update(None, "cache_size", -16_384)?;
    Ok(db)
}

/// The write-ahead log is synced at every commit (`FULL`): what a person did, and that a journal segment may go, must outlive a power cut.
fn set_up_writer(db: &Connection) -> rusqlite::Result<()> {
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "journal_size_limit", 64 << 20)
}

fn open_error(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Open { path: path.to_owned(), source: Box::new(error) }
}

/// The directory holds evidence: what we make is for its owner alone, and durable in its parent; what exists is
/// left as the operator set it.
pub(crate) fn make_private_dir(dir: &Path) -> std::io::Result<()> {
    if dir.as_os_str().is_empty() || dir.is_dir() {
        return Ok(());
    }
    let parent = dir.parent().unwrap_or(Path::new(""));
    make_private_dir(parent)?;
    #[allow(unused_mut, reason = "only unix has modes")]
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(dir) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && dir.is_dir() => return Ok(()),
        made => made?,
    }
    // Taken back when it cannot be made durable, so that the next attempt makes and syncs it.
    sync_dir(parent).inspect_err(|_| drop(std::fs::remove_dir(dir)))
}

fn sync_dir(dir: &Path) -> std::io::Result<()> {
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    #[cfg(test)]
    SYNCED.with_borrow_mut(|synced| synced.push(dir.to_owned()));
    std::fs::File::open(dir)?.sync_all()
}

#[cfg(test)]
thread_local! {
    /// The directories that were synced on this thread because of one made in them.
    pub(crate) static SYNCED: std::cell::RefCell<Vec<std::path::PathBuf>> = const { std::cell::RefCell::new(Vec::new()) };
}
