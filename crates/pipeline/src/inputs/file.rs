//! Reads one file as far as it can be read now.
//!
//! In: a file and how far it was read. Out: work with cursors. Bound: one batch and one record. A plain file whose records lie one after
//! another goes on where it stopped, however it grows; a file that is one container (`{"Records": […]}`) or packed is
//! framed from its start again, and records that were settled are passed over. A packed file, or a Windows event log, that changed is
//! another file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use engine::{Format, Frame};
use model::Reject;
use store::Cursor;

use super::Feed;
use super::cursor::{FileCursor, modified_ms};
use crate::line::{After, Body, Frames, Work};
use framing::Chunk;
use framing::decompress::{self, Break, Packing};
use framing::{EVTX_MAGIC, Framing};

const BUFFER_BYTES: usize = 256 << 10;

/// What the end of a file means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The file is finished: whatever stands at its end is a record.
    Final,
    /// Somebody may be writing: an unfinished last record waits, until nobody has written for so many milliseconds.
    Open {
        /// How long a file must rest before its last line counts as whole.
        quiet_ms: i64,
    },
}

/// How a pass over a file ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Read as far as it goes; look again when it changes or rests.
    Done(FileCursor),
    /// The input was told to end.
    Stopped,
}

/// Why a pass over a file ended early. What came before counts.
#[derive(Debug, thiserror::Error)]
#[error("cannot read `{path}`: {source}")]
pub struct FileError {
    path: String,
    #[source]
    source: io::Error,
}

/// Reads what `known` has not, and hands it to the line under the cursor `key`.
pub fn read(feed: &Feed, path: &Path, key: &str, known: Option<FileCursor>, end: End) -> Result<Pass, FileError> {
    let failed = |source| FileError { path: path.display().to_string(), source };
    let mut file = File::open(path).map_err(failed)?;
    let meta = file.metadata().map_err(failed)?;
    let is_resting = feed.clock.now().millis() - modified_ms(&meta) >= end.quiet_ms();
    let mut magic = [0; EVTX_MAGIC.len()];
    let read = read_some(&mut file, &mut magic).map_err(failed)?;
    let packing = Packing::of(&magic[..read]);
    let mut cursor = FileCursor::start(&mut file, &meta).map_err(failed)?;
    if let Some(mut known) = known {
        if !known.is_of(&mut file, &meta).map_err(failed)? || !is_continued(&known, &meta, packing) {
            tell_cut(feed, path, &known, &meta);
            return pass(feed, file, key, cursor, packing, is_resting, end).map_err(failed);
        }
        let has_nothing_new = known.is_complete || known.is_current && (!is_resting || known.is_examined);
        if known.is_unchanged(&meta) && has_nothing_new && !known.is_renamed {
            known.is_current = true;
            return Ok(Pass::Done(known));
        }
        known.look(&mut file, &meta).map_err(failed)?;
        (known.is_complete, known.is_examined) = (false, false);
        cursor = known;
    }
    pass(feed, file, key, cursor, packing, is_resting, end).map_err(failed)
}

fn pass(
    feed: &Feed,
    file: File,
    key: &str,
    cursor: FileCursor,
    packing: Packing,
    is_resting: bool,
    end: End,
) -> io::Result<Pass> {
    if packing != Packing::Plain && !is_resting {
        return Ok(Pass::Done(cursor));
    }
    let is_final = end == End::Final || is_resting || packing != Packing::Plain;
    Reading::new(feed, key, cursor, packing, end).run(file, is_final)
}

/// Says that a file was cut: in the log, and aloud where bytes were seen in it that were not read yet.
fn tell_cut(feed: &Feed, path: &Path, known: &FileCursor, meta: &std::fs::Metadata) {
    if !known.is_cut(meta) {
        return;
    }
    let (path, from, to) = (path.display(), known.size, meta.len());
    match known.unread_bytes() {
        Some(0) => {
            tracing::info!(input = %feed.name, "`{path}` was cut from {from} to {to} bytes after it was read; it is read from its start")
        }
        unread => {
            let unread = unread.map_or("some".to_owned(), |bytes| bytes.to_string());
            let message = format!(
                "`{path}` was cut from {from} to {to} bytes while {unread} bytes were not read, and those are lost; it is read from its start. \
                 Rotate by renaming, or let the input look more often (`every`)"
            );
            feed.trouble("A file was cut before it was read", &message);
        }
    }
}

impl End {
    fn quiet_ms(self) -> i64 {
        match self {
            End::Final => i64::MIN,
            End::Open { quiet_ms } => quiet_ms,
        }
    }
}

/// May reading go on from `known`? Not when the file lost bytes, and a packed file only when nothing was done to it.
fn is_continued(known: &FileCursor, meta: &std::fs::Metadata, packing: Packing) -> bool {
    match packing {
        Packing::Plain => meta.len() >= known.resume.unwrap_or(known.done),
        Packing::Gzip | Packing::Zstd | Packing::Zip | Packing::Evtx => known.is_unchanged(meta),
    }
}

fn read_some(file: &mut File, out: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < out.len() {
        match file.read(&mut out[filled..])? {
            0 => break,
            n => filled += n,
        }
    }
    Ok(filled)
}

/// One pass over one file.
struct Reading<'a> {
    feed: &'a Feed,
    key: &'a str,
    cursor: FileCursor,
    chunk: Chunk,
    /// Offset of the framer's first byte in the plain bytes.
    base: u64,
    /// Records that start before this are settled already.
    skip: u64,
    layout: Layout,
    packing: Packing,
    end: End,
}

struct Stopped;

impl<'a> Reading<'a> {
    fn new(feed: &'a Feed, key: &'a str, mut cursor: FileCursor, packing: Packing, end: End) -> Reading<'a> {
        if packing != Packing::Plain {
            cursor.resume = None;
        }
        let base = cursor.resume.unwrap_or(0);
        let layout = Layout { at: base, is_plain_sequence: packing == Packing::Plain, is_held: false };
        Reading { feed, key, skip: cursor.done.max(base), cursor, chunk: Chunk::default(), base, layout, packing, end }
    }

    fn run(mut self, mut file: File, is_final: bool) -> io::Result<Pass> {
        file.seek(SeekFrom::Start(self.base))?;
        let mut plain: Box<dyn Read> = match self.packing {
            Packing::Plain => Box::new(file),
            _ => decompress::open_file(file)?.1,
        };
        let mut framer = Framing::new(Format::Auto, self.feed.limits, self.feed.heads.clone());
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut read_to = self.base;
        let broken = loop {
            match plain.read(&mut buffer) {
                Ok(0) => break None,
                Ok(n) => {
                    self.push(&mut framer, &buffer[..n], read_to);
                    read_to += n as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if Break::of(&error).is_some() => break Some(error),
                Err(error) => {
                    let _ = self.submit(false);
                    return Err(error);
                }
            }
            if self.feed.stop.is_stopped() || self.is_full() && self.submit(false).is_err() {
                return Ok(Pass::Stopped);
            }
        };
        let is_complete = !is_final || self.finish(framer, read_to);
        if let Some(error) = broken {
            self.chunk.push_bytes(error.to_string().as_bytes(), read_to, Err(Reject::BadCompression));
        }
        Ok(match self.submit(is_final && is_complete) {
            Ok(()) => {
                (self.cursor.is_current, self.cursor.is_examined) = (true, is_final);
                Pass::Done(self.cursor)
            }
            Err(Stopped) => Pass::Stopped,
        })
    }

    fn push(&mut self, framer: &mut Framing, bytes: &[u8], start: u64) {
        let (chunk, layout, base, skip) = (&mut self.chunk, &mut self.layout, self.base, self.skip);
        let cursor = &mut self.cursor;
        framer.push(bytes, &mut |frame| {
            layout.frame(&frame, base, bytes, start);
            take(chunk, cursor, &frame, base, skip);
        });
        layout.space(bytes, start);
    }

    /// Takes what stands at the end of a file that is finished or at rest; false when it must wait after all.
    fn finish(&mut self, framer: Framing, read_to: u64) -> bool {
        let (chunk, layout, base, skip) = (&mut self.chunk, &mut self.layout, self.base, self.skip);
        let (cursor, may_wait) = (&mut self.cursor, self.end != End::Final && self.packing == Packing::Plain);
        let mut is_whole = true;
        framer.finish(&mut |frame| {
            if may_wait && is_unfinished(&frame) {
                is_whole = false;
                return;
            }
            layout.frame(&frame, base, &[], read_to);
            take(chunk, cursor, &frame, base, skip);
        });
        if is_whole && !layout.is_held {
            layout.at = read_to;
        }
        is_whole
    }

    fn is_full(&self) -> bool {
        self.chunk.bytes() >= self.feed.batch.bytes || self.chunk.len() >= self.feed.batch.records
    }

    /// Hands the chunk to the line, with the cursor that says how far the file is read with it.
    fn submit(&mut self, is_complete: bool) -> Result<(), Stopped> {
        let resume = self.layout.is_plain_sequence.then_some(self.layout.at);
        let is_moved = resume != self.cursor.resume || is_complete != self.cursor.is_complete;
        let is_moved = std::mem::take(&mut self.cursor.is_renamed) || is_moved;
        if self.chunk.is_empty() && !is_moved {
            return Ok(());
        }
        self.cursor.resume = resume;
        self.cursor.is_complete = is_complete;
        let work = Work {
            input: self.feed.name.clone(),
            source: self.feed.source.clone(),
            lane: self.feed.lane,
            received: self.feed.clock.now(),
            records: None,
            body: Body::Frames(Frames(std::mem::take(&mut self.chunk))),
            after: After::Cursor(Cursor { key: self.key.to_owned(), value: self.cursor.to_text() }),
        };
        self.feed.line.submit(work).map_err(|_| Stopped)
    }
}

fn take(chunk: &mut Chunk, cursor: &mut FileCursor, frame: &Frame<'_>, base: u64, skip: u64) {
    let offset = base + frame.offset;
    if offset >= skip {
        chunk.push_bytes(frame.bytes, offset, frame.outcome);
        cursor.done = offset + 1;
    }
}

/// Is it the beginning of a record whose end is not written yet?
fn is_unfinished(frame: &Frame<'_>) -> bool {
    if frame.outcome == Err(Reject::Truncated) {
        return true;
    }
    let is_json = frame.bytes.first().is_some_and(|byte| matches!(byte, b'{' | b'['));
    is_json && serde_json::from_slice::<serde::de::IgnoredAny>(frame.bytes).is_err_and(|error| error.is_eof())
}

/// Watches whether records lie one after another with only space between them. Then a new framer may begin after any of them.
struct Layout {
    /// Everything before is a record or space; the first byte of the next record, or not read yet.
    at: u64,
    is_plain_sequence: bool,
    /// A record is broken: where it ends is the framer's to say, so a new framer begins before it and not after.
    is_held: bool,
}

impl Layout {
    /// A frame of the framer that began at `base`, told while the bytes from `start` on are in `held`.
    fn frame(&mut self, frame: &Frame<'_>, base: u64, held: &[u8], start: u64) {
        if !self.is_plain_sequence || self.is_held {
            return;
        }
        self.space(held, start);
        let offset = base + frame.offset;
        // Below a header a line is read anew with the header, from the start of the file.
        self.is_plain_sequence = offset == self.at && frame.head == 0;
        self.is_held = frame.outcome.is_err();
        if !self.is_held {
            self.at = offset + frame.bytes.len() as u64;
        }
    }

    /// Passes over space.
    fn space(&mut self, held: &[u8], start: u64) {
        if self.is_held {
            return;
        }
        let Some(rest) = self.at.checked_sub(start).and_then(|from| held.get(usize::try_from(from).ok()?..)) else {
            return;
        };
        self.at += rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count() as u64;
    }
}
