//! The store itself.

use std::path::Path;
use std::sync::Arc;

use crate::StoreError;

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
    inner: Arc<()>,
}

impl Store {
    /// Opens, or makes, `state.db` in `dir`, with the default bounds.
    pub fn open(dir: &Path) -> Result<Store, StoreError> {
        Store::open_with(dir, StoreOptions::default())
    }

    /// As [`Store::open`], with other bounds.
    pub fn open_with(dir: &Path, options: StoreOptions) -> Result<Store, StoreError> {
        let _ = (dir, options);
        unimplemented!()
    }
}
