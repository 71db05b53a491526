//! Which files a path names: itself, or everything below it, always in the same order.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::cursor::modified_ms;

/// A file to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Where it is.
    pub path: PathBuf,
    /// Its size, bytes; 0 for a pipe.
    pub bytes: u64,
    /// When it was last written, milliseconds since the epoch.
    pub modified_ms: i64,
    /// Its device and inode, which it keeps when it is renamed.
    pub place: (u64, u64),
}

/// The files of `path`: the file itself, or every file below the folder in the order of their names.
///
/// Shape: hidden files and folders (a leading dot) and `….tmp`, `….part` files below a folder are passed over: writers use
/// them for what is not finished. Symbolic links below a folder are not followed, so that no link leads in a circle.
/// Errors: a path that does not exist or cannot be listed, by name.
pub fn list(path: &Path) -> io::Result<Vec<Listed>> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("cannot read `{}`: {error}", path.display()));
    let meta = std::fs::metadata(path).map_err(named)?;
    if !meta.is_dir() {
        return Ok(vec![listed(path.to_owned(), Some(&meta))]);
    }
    let mut files = Vec::new();
    let walk = WalkDir::new(path).sort_by_file_name().into_iter();
    for entry in walk.filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry.path())) {
        let entry = entry.map_err(|error| named(error.into()))?;
        if entry.file_type().is_file() && !is_unfinished(entry.path()) {
            // A file that vanished since it was listed is read as empty, and that says so when it is opened.
            let meta = entry.metadata().ok();
            files.push(listed(entry.into_path(), meta.as_ref()));
        }
    }
    Ok(files)
}

fn listed(path: PathBuf, meta: Option<&Metadata>) -> Listed {
    let place = meta.map_or((0, 0), |meta| (meta.dev(), meta.ino()));
    Listed { path, bytes: meta.map_or(0, Metadata::len), modified_ms: meta.map_or(0, modified_ms), place }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn is_unfinished(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "tmp" || extension == "part")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_in_the_order_of_their_names_without_hidden_and_unfinished_ones() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b/2.json", "b/1.json.gz", "a.json", "c.tmp", ".hidden/x.json", "b/.swp", "d.part"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, name).unwrap();
        }
        let files = list(folder.path()).unwrap();
        let names: Vec<_> = files.iter().map(|file| file.path.strip_prefix(folder.path()).unwrap()).collect();
        assert_eq!(names, ["a.json", "b/1.json.gz", "b/2.json"].map(Path::new));
        assert_eq!(files[0].bytes, 6);
    }

    #[test]
    fn a_path_that_is_not_there_is_named() {
        let error = list(Path::new("/nowhere/at/all")).unwrap_err();
        assert!(error.to_string().starts_with("cannot read `/nowhere/at/all`"), "{error}");
    }
}
