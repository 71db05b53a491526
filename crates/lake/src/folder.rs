//! Folders that survive a power cut: a new folder is durable once its parent is synced.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;

use crate::LakeError;
use crate::error::io;

/// Makes `folder` and what is missing above it, and syncs the parent of each folder made. One whose parent cannot be synced is
/// taken back, so that the next attempt makes and syncs it.
pub(crate) fn make(folder: &Path) -> Result<(), LakeError> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().unwrap_or(Path::new(""));
    make(parent)?;
    match fs::create_dir(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(io("make", folder)(error)),
    }
    sync(parent).inspect_err(|_| drop(fs::remove_dir(folder)))
}

/// Makes the entries of `folder` durable.
pub(crate) fn sync(folder: &Path) -> Result<(), LakeError> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    #[cfg(test)]
    SYNCED.with_borrow_mut(|synced| synced.push(folder.to_owned()));
    File::open(folder).and_then(|open| open.sync_all()).map_err(io("sync", folder))
}

#[cfg(test)]
thread_local! {
    /// The folders synced on this thread, in order.
    pub(crate) static SYNCED: std::cell::RefCell<Vec<std::path::PathBuf>> = const { std::cell::RefCell::new(Vec::new()) };
}
