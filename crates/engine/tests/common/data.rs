//! Where the large data sets lie. The tests of other crates take this file in by its path: there is one such place.

use std::path::PathBuf;

/// The folder of large data sets: `WATCHKEEP_DATA`, or `shared/data` beside the repository; `None`, with a word, where there is none.
/// On the integration machine it must be there.
pub fn folder() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let folder = std::env::var_os("WATCHKEEP_DATA").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "the data sets are not at {}; set WATCHKEEP_DATA", folder.display());
    eprintln!("skipped: the data sets are not at {}; set WATCHKEEP_DATA", folder.display());
    None
}
