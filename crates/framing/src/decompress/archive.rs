//! ZIP archives: their files come one after another, as one stream.
//!
//! In: an archive, in pieces. Out: the bytes of its files, each ended by a line end. Bounds: [`ARCHIVE_BYTES`] for the archive and for each of
//! its files, of which [`MEMORY_BYTES`] are held in memory and the rest in a temporary file. The table of contents stands at an archive's end, so
//! it is read whole first. A file that is broken, encrypted or too large keeps nothing from the others: the [`Break`] at the end names it.
//!
//! An archive that Inspect wrote (`.eval`) gives its log as records: see `inspect`.

use std::io::{self, Cursor, Read, Seek, Write};

use tempfile::SpooledTempFile;
use zip::ZipArchive;

use super::inspect::{Given, Log};
use super::{Break, FILE_WINDOW_LOG, Packing, unpack};

/// The largest archive, and the largest file in one.
const ARCHIVE_BYTES: u64 = 4 << 30;
/// How much of either is held in memory.
const MEMORY_BYTES: usize = 16 << 20;
/// Files that cannot be read are named up to so many.
const NAMED: usize = 5;

/// Reads an archive as one stream.
pub(super) struct ArchiveReader<R> {
    stage: Stage<R>,
    /// What could not be read, in words.
    failures: Vec<String>,
    failed: usize,
}

enum Stage<R> {
    /// Not looked at yet.
    Packed(R),
    Open(Box<Opened>),
    Ended,
}

struct Opened {
    archive: ZipArchive<SpooledTempFile>,
    log: Option<Log>,
    /// The next file.
    next: usize,
    /// What is being given.
    current: Box<dyn Read + Send>,
}

impl<R: Read> ArchiveReader<R> {
    pub(super) fn new(stream: R) -> ArchiveReader<R> {
        ArchiveReader { stage: Stage::Packed(stream), failures: Vec::new(), failed: 0 }
    }

    fn fail(&mut self, name: &str, why: &dyn std::fmt::Display) {
        self.failed += 1;
        if self.failures.len() < NAMED {
            self.failures.push(format!("`{}`: {why}", name.chars().take(100).collect::<String>()));
        }
    }

    /// Reads the archive to its end and opens it.
    fn open(&mut self, stream: R) -> io::Result<()> {
        let mut spool = SpooledTempFile::new(MEMORY_BYTES);
        let bytes = io::copy(&mut stream.take(ARCHIVE_BYTES + 1), &mut spool)?;
        if bytes > ARCHIVE_BYTES {
            return Err(Break::error("zip", format!("it is longer than {ARCHIVE_BYTES} bytes")));
        }
        let mut archive = ZipArchive::new(spool).map_err(|error| Break::error("zip", error.to_string()))?;
        let log = Log::find(&mut archive);
        self.stage = Stage::Open(Box::new(Opened { archive, log, next: 0, current: Box::new(io::empty()) }));
        Ok(())
    }

    /// Makes the next file what is being given; `false` behind the last.
    fn advance(&mut self) -> bool {
        let Stage::Open(opened) = &mut self.stage else { return false };
        let at = opened.next;
        if at >= opened.archive.len() {
            return false;
        }
        opened.next += 1;
        let name = opened.name();
        let given = match &opened.log {
            Some(log) => log.given(&name),
            None if name.ends_with('/') => Given::Nothing,
            None => Given::File,
        };
        if let Some(why) = opened.give(at, given) {
            self.fail(&name, &why);
        }
        true
    }

    fn end(&mut self) -> io::Result<usize> {
        self.stage = Stage::Ended;
        if self.failed == 0 {
            return Ok(0);
        }
        let more = if self.failed > self.failures.len() { ", …" } else { "" };
        let reason = format!("{} of its files cannot be read: {}{more}", self.failed, self.failures.join(", "));
        Err(Break::error("zip", reason))
    }
}

impl<R: Read> Read for ArchiveReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if let Stage::Packed(_) = self.stage
            && let Stage::Packed(stream) = std::mem::replace(&mut self.stage, Stage::Ended)
        {
            self.open(stream)?;
        }
        while let Stage::Open(opened) = &mut self.stage {
            match opened.current.read(out) {
                Ok(0) => {}
                // A packed file inside of the archive broke: what came before that was given.
                Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                    opened.current = Box::new(&b"\n"[..]);
                    let name = opened.name();
                    self.fail(&name, &error);
                    continue;
                }
                read => return read,
            }
            if !self.advance() {
                return self.end();
            }
        }
        Ok(0)
    }
}

impl Opened {
    /// Gives a file; says why not all of it.
    fn give(&mut self, at: usize, given: Given) -> Option<io::Error> {
        let (before, after) = match given {
            Given::Nothing => return None,
            Given::Instead(text) => {
                self.current = Box::new(Cursor::new(text));
                return None;
            }
            Given::File => Default::default(),
            Given::Between(before, after) => (before, after),
        };
        let (spool, broken) = unpacked(&mut self.archive, at);
        // Of a document the beginning alone is no record; of lines it is.
        let is_given = broken.is_none() || self.log.is_none();
        match spool.filter(|_| is_given).map(inner) {
            Some(Ok(file)) => {
                self.current = Box::new(Cursor::new(before).chain(file).chain(after).chain(&b"\n"[..]));
                broken
            }
            Some(Err(why)) => Some(why),
            None => broken,
        }
    }

    /// The name of the file that is being given.
    fn name(&self) -> String {
        let name = self.archive.name_for_index(self.next.saturating_sub(1));
        name.and_then(Result::ok).map_or_else(String::new, std::borrow::Cow::into_owned)
    }
}

/// A file of the archive, unpacked as far as it goes, and why not to its end.
fn unpacked<S: Read + Seek>(archive: &mut ZipArchive<S>, at: usize) -> (Option<SpooledTempFile>, Option<io::Error>) {
    let mut spool = SpooledTempFile::new(MEMORY_BYTES);
    let outcome = match archive.by_index(at) {
        Ok(file) => io::copy(&mut file.take(ARCHIVE_BYTES + 1), &mut spool),
        Err(error) => return (None, Some(io::Error::other(error))),
    };
    let broken = match outcome {
        Ok(bytes) if bytes > ARCHIVE_BYTES => {
            Some(io::Error::other(format!("it is longer than {ARCHIVE_BYTES} bytes")))
        }
        outcome => outcome.err(),
    };
    match spool.flush().and_then(|()| spool.rewind()) {
        Ok(()) => (Some(spool), broken),
        Err(error) => (None, Some(error)),
    }
}

/// A file of an archive, which may be packed once more.
fn inner(mut spool: SpooledTempFile) -> io::Result<Box<dyn Read + Send>> {
    let mut head = [0; 8];
    let read = spool.read(&mut head)?;
    spool.rewind()?;
    match Packing::of(&head[..read]) {
        Packing::Evtx => Err(io::Error::other("an event log inside an archive is not read: unpack it")),
        Packing::Zip => Err(io::Error::other("an archive inside an archive is not read: unpack it")),
        packing => unpack(packing, io::BufReader::new(spool), FILE_WINDOW_LOG),
    }
}

#[cfg(test)]
mod tests;
