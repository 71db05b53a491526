//! A disk in memory that loses power, fills up, writes short and fails to sync.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::super::{Disk, DiskFile};

#[derive(Default)]
struct Content {
    cached: Vec<u8>,
    durable: Vec<u8>,
}

#[derive(Default)]
pub struct Medium {
    files: BTreeMap<PathBuf, Content>,
    /// Directory entries that survive a power cut.
    durable_names: BTreeSet<PathBuf>,
    /// Deleted files whose deletion does not survive one.
    ghosts: BTreeMap<PathBuf, Vec<u8>>,
    /// Bytes that may still be written, and what then happens.
    pub room: Option<(usize, io::ErrorKind)>,
    /// The next syncs fail.
    pub failing_syncs: u32,
    /// At most so many bytes go with one write.
    pub write_max: usize,
    pub syncs: u32,
    locked: bool,
}

/// The disk; its clones are the same.
#[derive(Clone, Default)]
pub struct SimDisk(pub Arc<Mutex<Medium>>);

struct SimFile {
    disk: SimDisk,
    path: PathBuf,
}

struct SimLock(SimDisk);

impl Drop for SimLock {
    fn drop(&mut self) {
        self.0.0.lock().unwrap().locked = false;
    }
}

impl SimDisk {
    pub fn set(&self, change: impl FnOnce(&mut Medium)) {
        change(&mut self.0.lock().unwrap());
    }

    pub fn syncs(&self) -> u32 {
        self.0.lock().unwrap().syncs
    }

    /// Turns one byte of a file round, on the medium.
    pub fn flip(&self, name: &str, at: usize) {
        let mut medium = self.0.lock().unwrap();
        let content = medium.files.iter_mut().find(|(path, _)| path.ends_with(name)).unwrap().1;
        content.cached[at] ^= 0x40;
        content.durable = content.cached.clone();
    }

    pub fn length(&self, name: &str) -> usize {
        self.0.lock().unwrap().files.iter().find(|(path, _)| path.ends_with(name)).unwrap().1.cached.len()
    }

    pub fn names(&self, dir: &str) -> Vec<String> {
        self.list(Path::new(dir)).unwrap()
    }

    /// The disk after the power went and came back: what was synced is there; of the rest, whatever `chance` leaves.
    pub fn after_power_cut(&self, mut chance: impl FnMut(usize) -> usize) -> SimDisk {
        let medium = self.0.lock().unwrap();
        let mut left = Medium { write_max: usize::MAX, ..Medium::default() };
        for (path, content) in &medium.files {
            if medium.durable_names.contains(path) || chance(2) == 0 {
                let bytes = remains(content, &mut chance);
                left.files.insert(path.clone(), Content { durable: bytes.clone(), cached: bytes });
                left.durable_names.insert(path.clone());
            }
        }
        for (path, bytes) in &medium.ghosts {
            if chance(2) == 0 {
                left.files.insert(path.clone(), Content { durable: bytes.clone(), cached: bytes.clone() });
                left.durable_names.insert(path.clone());
            }
        }
        SimDisk(Arc::new(Mutex::new(left)))
    }
}

/// Synced bytes stay. Of bytes written since, each block is there, is zero, or is beyond the end.
fn remains(content: &Content, chance: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
    let shared = content.cached.len().min(content.durable.len());
    let length = shared + chance(content.cached.len() - shared + 1);
    let mut bytes = content.cached[..length].to_vec();
    for block in bytes[shared..].chunks_mut(64) {
        if chance(4) == 0 {
            block.fill(0);
        }
    }
    bytes[..shared].copy_from_slice(&content.durable[..shared]);
    bytes
}

impl DiskFile for SimFile {
    fn length(&mut self) -> io::Result<u64> {
        Ok(self.disk.0.lock().unwrap().files[&self.path].cached.len() as u64)
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let medium = self.disk.0.lock().unwrap();
        let bytes = medium.files[&self.path].cached.get(offset as usize..).unwrap_or_default();
        let n = bytes.len().min(buffer.len());
        buffer[..n].copy_from_slice(&bytes[..n]);
        Ok(n)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let mut medium = self.disk.0.lock().unwrap();
        let mut n = bytes.len().min(medium.write_max);
        if let Some((room, kind)) = &mut medium.room {
            if *room == 0 {
                return Err((*kind).into());
            }
            n = n.min(*room);
            *room -= n;
        }
        let cached = &mut medium.files.get_mut(&self.path).unwrap().cached;
        let (from, to) = (offset as usize, offset as usize + n);
        cached.resize(cached.len().max(to), 0);
        cached[from..to].copy_from_slice(&bytes[..n]);
        Ok(n)
    }

    fn set_len(&mut self, bytes: u64) -> io::Result<()> {
        let mut medium = self.disk.0.lock().unwrap();
        medium.files.get_mut(&self.path).unwrap().cached.resize(bytes as usize, 0);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut medium = self.disk.0.lock().unwrap();
        medium.syncs += 1;
        if medium.failing_syncs > 0 {
            medium.failing_syncs -= 1;
            return Err(io::Error::other("the medium does not answer"));
        }
        let content = medium.files.get_mut(&self.path).unwrap();
        content.durable = content.cached.clone();
        Ok(())
    }
}

impl Disk for SimDisk {
    fn make_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let medium = self.0.lock().unwrap();
        let inside = medium.files.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect())
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut medium = self.0.lock().unwrap();
        if medium.files.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        medium.files.insert(path.to_owned(), Content::default());
        Ok(Box::new(SimFile { disk: self.clone(), path: path.to_owned() }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        if !self.0.lock().unwrap().files.contains_key(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(Box::new(SimFile { disk: self.clone(), path: path.to_owned() }))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut medium = self.0.lock().unwrap();
        let content = medium.files.remove(path).ok_or(io::ErrorKind::NotFound)?;
        if medium.durable_names.contains(path) {
            medium.ghosts.insert(path.to_owned(), content.durable);
        }
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut medium = self.0.lock().unwrap();
        let inside: Vec<PathBuf> = medium.files.keys().filter(|path| path.parent() == Some(dir)).cloned().collect();
        medium.durable_names.extend(inside);
        medium.ghosts.clear();
        let Medium { files, durable_names, .. } = &mut *medium;
        durable_names.retain(|path| files.contains_key(path));
        Ok(())
    }

    fn lock(&self, _: &Path) -> io::Result<Option<Box<dyn Send + Sync>>> {
        let mut medium = self.0.lock().unwrap();
        if std::mem::replace(&mut medium.locked, true) {
            return Ok(None);
        }
        Ok(Some(Box::new(SimLock(self.clone()))))
    }
}
