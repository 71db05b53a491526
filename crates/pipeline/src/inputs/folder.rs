//! Folders: read once, or watched.
//!
//! In: a path. Out: a pass over each file that is new, grew, came to rest or was replaced, in the order of the names. Bound: one
//! cursor in memory for each file. A watched folder that cannot be listed is looked at again after the pause.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use content::config::Glob;

use super::Feed;
use super::cursor::FileCursor;
use super::file::{self, End, Pass};
use super::path::{self, Listed};

/// A folder, or a file, that is read.
pub struct Folder {
    feed: Feed,
    root: PathBuf,
    /// The files that are read; empty reads all.
    only: Vec<Glob>,
    known: BTreeMap<String, FileCursor>,
    /// How far files had been read when the input started, for those that were renamed before it looked again.
    before: Vec<FileCursor>,
    troubled: bool,
}

impl Folder {
    /// Reads below `root`; `feed` names the input.
    pub fn new(feed: Feed, root: &Path) -> Folder {
        let stored = feed.store.cursors(&feed.name).unwrap_or_else(|error| {
            tracing::error!(%error, "cursors cannot be read; a file that was renamed is read from its start");
            BTreeMap::new()
        });
        let before = stored.values().filter_map(|text| FileCursor::parse(text)).collect();
        Folder { feed, root: root.to_owned(), only: Vec::new(), known: BTreeMap::new(), before, troubled: false }
    }

    /// Reads only the files that fit one of `globs`, if there are any; one that fitted and was renamed is read to its end.
    #[must_use]
    pub fn only(mut self, globs: Vec<Glob>) -> Folder {
        self.only = globs;
        self
    }

    /// Reads everything once, to its end.
    pub fn read_once(mut self) {
        self.pass(End::Final);
    }

    /// Looks every `every`, until told to end. A last line without its end counts, and a packed file is read, once the
    /// file has rested for ten looks and at least ten seconds.
    pub fn watch(mut self, every: Duration) {
        let quiet_ms = i64::try_from((every * 10).as_millis()).unwrap_or(i64::MAX).max(10_000);
        loop {
            if !self.pass(End::Open { quiet_ms }) || self.feed.stop.wait(every) {
                return;
            }
        }
    }

    /// One look at every file; false when the input was told to end.
    pub fn pass(&mut self, end: End) -> bool {
        let files = match path::list(&self.root) {
            Ok(files) => files,
            Err(error) => {
                self.trouble(&error.to_string());
                return true;
            }
        };
        let mut present = BTreeMap::new();
        let mut is_well = true;
        for listed in files {
            let key = key_of(&self.root, &listed.path);
            if !self.is_wanted(&key, &listed) {
                continue;
            }
            let known = self.known_as(&key, &listed.path);
            // A file that was read whole and not touched since is not even opened: folders grow for years.
            if let Some(known) = known.as_ref().filter(|known| known.is_settled_as(listed.bytes, listed.modified_ms)) {
                present.insert(key, known.clone());
                continue;
            }
            match file::read(&self.feed, &listed.path, &key, known.clone(), end) {
                Ok(Pass::Done(cursor)) => drop(present.insert(key, cursor)),
                Ok(Pass::Stopped) => return false,
                Err(error) => {
                    is_well = false;
                    self.trouble(&error.to_string());
                    // What the line was given before the error is in the store by the next look, or on its way there:
                    // the line must have settled it before its cursor can be read.
                    self.feed.line.wait_idle(Duration::from_secs(60));
                    self.known.remove(&key);
                }
            }
        }
        self.troubled &= !is_well;
        self.known = present;
        !self.feed.stop.is_stopped()
    }

    fn is_wanted(&self, key: &str, listed: &Listed) -> bool {
        let fits = || self.only.iter().any(|glob| glob.fits(key));
        if self.only.is_empty() || listed.path == self.root || fits() {
            return true;
        }
        // Only a file that stands where one was read is opened.
        let mut known = self.known.values().chain(&self.before);
        known.any(|known| known.is_at(listed.place)) && self.renamed(&listed.path).is_some()
    }

    /// How far the file was read: from memory, from its former name, or from the store.
    fn known_as(&self, key: &str, path: &Path) -> Option<FileCursor> {
        if let Some(known) = self.known.get(key) {
            return Some(known.clone());
        }
        let stored = self.feed.store.cursor(&self.feed.name, key);
        let stored = stored.unwrap_or_else(|error| {
            tracing::error!(%error, key, "a cursor cannot be read; the file is read from its start");
            None
        });
        let stored = stored.and_then(|text| FileCursor::parse(&text));
        match stored {
            // Another file stands under this name now: this one may have come from another name.
            Some(stored) => Some(self.renamed(path).filter(|_| !is_of(&stored, path)).unwrap_or(stored)),
            None => self.renamed(path),
        }
    }

    /// The cursor of a file that was read under another name and moved (a log that was rotated).
    fn renamed(&self, path: &Path) -> Option<FileCursor> {
        let mut file = std::fs::File::open(path).ok()?;
        let meta = file.metadata().ok()?;
        let known = self.known.values().chain(&self.before);
        let found = known.filter(|known| known.is_of(&mut file, &meta).unwrap_or(false)).max_by_key(|known| known.done);
        found.cloned().map(FileCursor::under_another_name)
    }

    fn trouble(&mut self, message: &str) {
        if !std::mem::replace(&mut self.troubled, true) {
            self.feed.trouble("An input cannot be read", message);
        }
    }
}

fn is_of(cursor: &FileCursor, path: &Path) -> bool {
    let opened = std::fs::File::open(path).and_then(|file| file.metadata().map(|meta| (file, meta)));
    opened.is_ok_and(|(mut file, meta)| cursor.is_of(&mut file, &meta).unwrap_or(false))
}

fn key_of(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    let named = if below.as_os_str().is_empty() { path } else { below };
    named.to_string_lossy().into_owned()
}
