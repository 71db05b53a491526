//! The scan of one thread: frames are evaluated where they were read, without a copy.

use std::io::{self, Read};

use engine::{Engine, Sink};
use model::Reject;

use super::correlate::Correlating;
use super::evaluator::Evaluator;
use super::report::{FileSummary, ScanReport};
use super::{CHUNK_BYTES, Meter, Progress, ScanOptions, ScanSink, Stream, Tally};
use framing::Framing;
use framing::decompress::Break;

/// What stays the same from file to file.
struct Scanner<'a> {
    engine: &'a Engine,
    options: &'a ScanOptions,
    evaluator: Evaluator<'a>,
    correlating: Correlating,
    meter: Meter<'a>,
    files_done: usize,
    buffer: Vec<u8>,
}

pub(super) fn scan(
    plan: &[Stream],
    engine: &Engine,
    options: &ScanOptions,
    sink: &mut dyn ScanSink,
    progress: &(dyn Fn(Progress) + Sync),
) -> ScanReport {
    let mut scanner = Scanner {
        engine,
        options,
        evaluator: Evaluator::new(engine, options),
        correlating: Correlating::new(engine),
        meter: Meter::new(plan, progress),
        files_done: 0,
        buffer: vec![0; CHUNK_BYTES],
    };
    let mut report = ScanReport::default();
    for stream in plan {
        let (summary, stopped) = scanner.file(stream, sink);
        sink.file(&summary);
        report.files.push(summary);
        scanner.files_done += 1;
        scanner.meter.tell(scanner.files_done);
        if stopped {
            report.stopped = true;
            break;
        }
    }
    report.profile = scanner.evaluator.profile();
    report.discovered = scanner.evaluator.discovered();
    scanner.correlating.finish(sink, &mut report);
    report
}

impl Scanner<'_> {
    fn file(&mut self, stream: &Stream, sink: &mut dyn ScanSink) -> (FileSummary, bool) {
        let mut tally = Tally::new(&stream.name, self.engine, self.options);
        let mut stopped = false;
        if let Err(error) = self.read(stream, &mut tally, sink, &mut stopped) {
            tally.offset = tally.summary.bytes;
            note_error(&mut tally, &error);
        }
        (tally.summary, stopped)
    }

    fn read(
        &mut self,
        stream: &Stream,
        tally: &mut Tally,
        sink: &mut dyn ScanSink,
        stopped: &mut bool,
    ) -> io::Result<()> {
        let (packing, mut plain) = stream.open(self.meter.counter.clone())?;
        tally.summary.packing = packing;
        let mut framer = Framing::new(self.options.format, self.engine.limits(), self.engine.heads());
        let outcome = loop {
            match plain.read(&mut self.buffer) {
                Ok(0) => break Ok(()),
                Ok(n) => {
                    tally.summary.bytes += n as u64;
                    let evaluator = &mut self.evaluator;
                    framer.push(&self.buffer[..n], &mut |frame| {
                        evaluator.frame(frame.bytes, frame.offset, frame.outcome, tally);
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
            self.meter.tell(self.files_done);
            if self.hand_out(stream, tally, sink) {
                *stopped = true;
                return Ok(());
            }
        };
        let evaluator = &mut self.evaluator;
        framer.finish(&mut |frame| evaluator.frame(frame.bytes, frame.offset, frame.outcome, tally));
        *stopped = self.hand_out(stream, tally, sink);
        outcome
    }

    /// Gives the findings so far to the sink, and the facts to correlations; true when the sink has had enough.
    fn hand_out(&mut self, stream: &Stream, tally: &mut Tally, sink: &mut dyn ScanSink) -> bool {
        self.correlating.take(&std::mem::take(&mut tally.batch));
        tally.hand_out(&stream.name, sink)
    }
}

/// Names a file's error in its summary. A broken packed stream is also a reject: something was there and is not known.
pub(super) fn note_error(tally: &mut Tally, error: &io::Error) {
    let text = error.to_string();
    if Break::of(error).is_some() {
        tally.rejected(text.as_bytes(), None, Reject::BadCompression);
    }
    tally.summary.error = Some(text);
}
