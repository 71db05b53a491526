//! Scan: one pass over files, without journal, store or clock.
//!
//! In: files, folders and standard input, plain or packed. Out: every finding to a [`ScanSink`], in the order of the input whatever
//! the number of threads, and a [`ScanReport`]. Findings about many events come at the end, in order of time, whatever the order of files.
//! Bound: a few chunks of [`CHUNK_BYTES`] for each thread, one record, and what correlations keep; nothing else grows with the file.
//! When the sink is slow, reading waits.

mod correlate;
mod evaluator;
mod parallel;
mod report;
mod serial;

use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::correlate::{Batch, Matched};
use engine::identity::Link;
use engine::{Engine, Event, Format, Given, Sink};
use model::{Finding, Lane, Reject, SourceId, Time};

use crate::inputs::path;
use framing::decompress::{self, Packing};

pub use report::{FileSummary, OverTimeSummary, RejectSample, RejectSummary, ScanProfile, ScanReport};

/// Bytes that are read, and handed to a thread, at once.
pub const CHUNK_BYTES: usize = 1 << 20;

/// What to scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScanInput {
    /// A file, or a folder with everything below it.
    Path(PathBuf),
    /// Standard input.
    Stdin,
}

/// How to scan.
#[derive(Clone, Debug)]
pub struct ScanOptions {
    /// The source of every record; `None` recognises each.
    pub source: Option<SourceId>,
    /// How the streams are framed.
    pub format: Format,
    /// Threads that evaluate; 0 and 1 both mean the calling thread alone.
    pub threads: usize,
    /// The time of receipt of every record.
    pub received: Time,
    /// Why the records are on the line.
    pub lane: Lane,
    /// How many rejects of each file and reason are shown with their place.
    pub reject_samples_max: usize,
    /// Gives the time in nanoseconds from some beginning, and never goes back: with it, the report says what each rule cost.
    pub clock: Option<fn() -> u64>,
    /// Converts each event, on the thread that evaluates it; the sink gets what comes of it.
    pub convert: Option<Convert>,
}

/// What is written of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// Its source.
    pub source: SourceId,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Writes an event; `None` to leave it out.
pub type WriteEvent = dyn Fn(&Event<'_>) -> Option<Vec<u8>> + Send + Sync;

/// How events are written.
#[derive(Clone)]
pub struct Convert(pub Arc<WriteEvent>);

impl std::fmt::Debug for Convert {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Convert")
    }
}

impl ScanOptions {
    /// Recognises sources, on the calling thread, lane live.
    pub fn at(received: Time) -> ScanOptions {
        ScanOptions {
            source: None,
            format: Format::Auto,
            threads: 1,
            received,
            lane: Lane::Live,
            reject_samples_max: 3,
            clock: None,
            convert: None,
        }
    }

    pub(crate) fn given(&self) -> Given {
        Given { source: self.source.clone(), received: self.received, lane: self.lane }
    }
}

/// How far a scan is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read from files (packed, where they are).
    pub bytes: u64,
    /// Bytes of all files; `None` with standard input.
    pub bytes_total: Option<u64>,
    /// Files finished.
    pub files: usize,
    /// Files in all.
    pub files_total: usize,
}

/// Takes what a scan finds. All calls come from the thread that called [`scan`].
pub trait ScanSink {
    /// A finding, from the record that starts at `offset` of the plain bytes of `file`. `Break` ends the scan.
    fn finding(&mut self, file: &Path, offset: u64, finding: Finding) -> ControlFlow<()>;
    /// What [`ScanOptions::convert`] made of an event of `file`. `Break` ends the scan.
    fn converted(&mut self, file: &Path, converted: Converted) -> ControlFlow<()> {
        let _ = (file, converted);
        ControlFlow::Continue(())
    }
    /// A finding about many events, when all files are done. `Break` ends the scan.
    fn over_time(&mut self, finding: Finding) -> ControlFlow<()> {
        self.finding(Path::new(""), 0, finding)
    }
    /// A file is done.
    fn file(&mut self, summary: &FileSummary) {
        let _ = summary;
    }
}

impl<F: FnMut(&Path, u64, Finding) -> ControlFlow<()>> ScanSink for F {
    fn finding(&mut self, file: &Path, offset: u64, finding: Finding) -> ControlFlow<()> {
        self(file, offset, finding)
    }
}

/// Scans `inputs` in the order given (folders in the order of their names).
///
/// Shape: `progress` is called about once for every [`CHUNK_BYTES`] read, from a thread of the scan's choice.
/// Errors: a path that does not exist or cannot be listed ends the scan before it begins; a file that cannot be read, or whose
/// packed stream is broken, is named in its [`FileSummary::error`] and the scan goes on.
pub fn scan(
    inputs: &[ScanInput],
    engine: &Engine,
    options: &ScanOptions,
    sink: &mut dyn ScanSink,
    progress: &(dyn Fn(Progress) + Sync),
) -> io::Result<ScanReport> {
    let plan = plan(inputs)?;
    if options.threads <= 1 {
        Ok(serial::scan(&plan, engine, options, sink, progress))
    } else {
        Ok(parallel::scan(&plan, engine, options, sink, progress))
    }
}

/// One stream to scan.
pub(crate) struct Stream {
    pub name: Arc<Path>,
    pub bytes: u64,
    pub is_stdin: bool,
}

fn plan(inputs: &[ScanInput]) -> io::Result<Vec<Stream>> {
    let mut streams = Vec::new();
    for input in inputs {
        match input {
            ScanInput::Stdin => streams.push(Stream { name: Path::new("-").into(), bytes: 0, is_stdin: true }),
            ScanInput::Path(path) => {
                let files = path::list(path)?;
                streams.extend(files.into_iter().map(|file| Stream {
                    name: file.path.into(),
                    bytes: file.bytes,
                    is_stdin: false,
                }));
            }
        }
    }
    Ok(streams)
}

impl Stream {
    fn open(&self, counted: Counter) -> io::Result<(Packing, Box<dyn Read + Send>)> {
        if self.is_stdin {
            decompress::open(Counted { inner: io::stdin(), counter: counted })
        } else {
            decompress::open_file(Counted { inner: std::fs::File::open(&self.name)?, counter: counted })
        }
    }
}

/// Counts packed bytes as they are read, across files.
#[derive(Clone, Default)]
pub(crate) struct Counter(Arc<std::sync::atomic::AtomicU64>);

impl Counter {
    fn get(&self) -> u64 {
        self.0.load(std::sync::atomic::Ordering::Relaxed)
    }
}

struct Counted<R> {
    inner: R,
    counter: Counter,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(out)?;
        self.counter.0.fetch_add(n as u64, std::sync::atomic::Ordering::Relaxed);
        Ok(n)
    }
}

/// Tells how far the scan is.
pub(crate) struct Meter<'a> {
    counter: Counter,
    bytes_total: Option<u64>,
    files_total: usize,
    tell: &'a (dyn Fn(Progress) + Sync),
}

impl<'a> Meter<'a> {
    fn new(plan: &[Stream], tell: &'a (dyn Fn(Progress) + Sync)) -> Meter<'a> {
        let has_stdin = plan.iter().any(|stream| stream.is_stdin);
        let bytes_total = (!has_stdin).then(|| plan.iter().map(|stream| stream.bytes).sum());
        Meter { counter: Counter::default(), bytes_total, files_total: plan.len(), tell }
    }

    fn tell(&self, files: usize) {
        let bytes = self.counter.get();
        (self.tell)(Progress { bytes, bytes_total: self.bytes_total, files, files_total: self.files_total });
    }
}

/// Counts what evaluation says of one stretch of a file, and keeps its findings with their place.
pub(crate) struct Tally {
    pub summary: FileSummary,
    pub findings: Vec<(u64, Finding)>,
    /// What was made of its events, in their order.
    pub converted: Vec<Converted>,
    /// What it means for correlations.
    pub batch: Batch,
    /// Where the frame being evaluated starts.
    pub offset: u64,
    samples_max: usize,
    /// Is there a correlation?
    is_fed: bool,
    convert: Option<Convert>,
}

impl Tally {
    fn new(file: &Path, engine: &Engine, options: &ScanOptions) -> Tally {
        Tally {
            summary: FileSummary::of(file),
            findings: Vec::new(),
            converted: Vec::new(),
            batch: Batch::default(),
            offset: 0,
            samples_max: options.reject_samples_max,
            is_fed: !engine.feeds().is_empty(),
            convert: options.convert.clone(),
        }
    }

    /// Gives what was made and found so far to the sink; true when the sink has had enough.
    fn hand_out(&mut self, file: &Path, sink: &mut dyn ScanSink) -> bool {
        self.converted.drain(..).any(|converted| sink.converted(file, converted).is_break())
            || self.findings.drain(..).any(|(offset, finding)| sink.finding(file, offset, finding).is_break())
    }
}

impl Sink for Tally {
    fn rejected(&mut self, raw: &[u8], _source: Option<&SourceId>, reason: Reject) {
        self.summary.reject(reason, self.offset, raw, self.samples_max);
    }

    fn evaluated(&mut self, event: &Event<'_>) {
        self.summary.records += 1;
        self.summary.evaluated += 1;
        self.summary.see(&event.source().id);
        if let Some(bytes) = self.convert.as_ref().and_then(|convert| (convert.0)(event)) {
            self.converted.push(Converted { source: event.source().id.clone(), bytes });
        }
        if self.is_fed {
            self.batch.note(event, correlate::PARTITION);
        }
    }

    fn finding(&mut self, finding: Finding, _event: &Event<'_>) {
        self.summary.findings += 1;
        self.findings.push((self.offset, finding));
    }

    fn matched(&mut self, matched: Matched) {
        self.batch.matched.push(matched);
    }

    fn linked(&mut self, links: Vec<Link>) {
        self.batch.link(links);
    }
}

#[cfg(test)]
mod tests;
