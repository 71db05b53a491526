//! Unpacks an archive of rules into a folder of its own.
//!
//! Comes in: a tar file, plain, gzip or zstd. Goes out: a temporary folder with its YAML and licence files. Bound: the sizes
//! below; an archive beyond them is refused. Names that lead out of the folder, and everything that is no plain file, are
//! left out.

use std::io::Read;
use std::path::{Component, Path, PathBuf};

use tempfile::TempDir;

use crate::status::Failure;

/// Bytes of one file, after unpacking.
const FILE_BYTES_MAX: u64 = 4 << 20;
/// Bytes of all files.
const TOTAL_BYTES_MAX: u64 = 512 << 20;

/// An unpacked archive; removed from disk when it is dropped.
pub struct Unpacked {
    folder: TempDir,
}

impl Unpacked {
    /// The folder of the rules: without the one folder around everything, where there is such.
    pub fn folder(&self) -> PathBuf {
        let path = self.folder.path();
        let entries: Vec<PathBuf> =
            std::fs::read_dir(path).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
        match entries.as_slice() {
            [only] if only.is_dir() => only.clone(),
            _ => path.to_owned(),
        }
    }
}

/// Is the file named as an archive?
pub fn is_archive(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    path.is_file() && [".tar", ".tar.gz", ".tgz", ".tar.zst"].iter().any(|ending| name.ends_with(ending))
}

/// Unpacks `path`.
pub fn unpack(path: &Path) -> Result<Unpacked, Failure> {
    let wrong = |error: std::io::Error| Failure::author(format!("`{}` cannot be unpacked: {error}", path.display()));
    let folder = tempfile::tempdir()?;
    let file = std::fs::File::open(path).map_err(wrong)?;
    let (_, plain) = framing::decompress::open(file).map_err(wrong)?;
    let mut archive = tar::Archive::new(plain);
    let mut total: u64 = 0;
    for entry in archive.entries().map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        let name = entry.path().map_err(wrong)?.into_owned();
        if !entry.header().entry_type().is_file() || !is_wanted(&name) {
            continue;
        }
        total += entry.size();
        if entry.size() > FILE_BYTES_MAX || total > TOTAL_BYTES_MAX {
            return Err(Failure::author(format!("`{}` is too large at `{}`", path.display(), name.display())));
        }
        write(&folder.path().join(&name), entry).map_err(wrong)?;
    }
    Ok(Unpacked { folder })
}

/// A YAML or licence file whose name stays inside the folder.
fn is_wanted(name: &Path) -> bool {
    let inside = name.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let file = name.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let licence = ["LICENSE", "LICENCE", "COPYING"].iter().any(|start| file.starts_with(start));
    inside && (licence || file.ends_with(".yml") || file.ends_with(".yaml"))
}

fn write(target: &Path, mut entry: impl Read) -> std::io::Result<()> {
    if let Some(folder) = target.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = std::fs::File::create(target)?;
    std::io::copy(&mut entry, &mut file).map(|_| ())
}
