//! The scan of several threads: one reads and frames, the others evaluate chunks, the calling thread hands out results in the order
//! of the input. A chunk's ticket comes back when its result was handed out, so chunks in flight stay few.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use engine::Engine;
use engine::context::Discovered;

use super::correlate::Correlating;
use super::evaluator::Evaluator;
use super::report::{FileSummary, ScanProfile, ScanReport};
use super::serial::note_error;
use super::{CHUNK_BYTES, Meter, Progress, ScanOptions, ScanSink, Stream, Tally};
use framing::Chunk;
use framing::Framing;
use framing::decompress::Packing;

const CHUNKS_PER_THREAD: usize = 4;

enum Job {
    Chunk {
        file: usize,
        chunk: Chunk,
    },
    /// A file is done: what the reader knows about it.
    End {
        file: usize,
        bytes: u64,
        packing: Packing,
        error: Option<io::Error>,
    },
}

/// A result's number in the order of the input, and the result.
type Numbered<T> = (u64, T);

struct Reader<'a> {
    plan: &'a [Stream],
    engine: &'a Engine,
    options: &'a ScanOptions,
    meter: Meter<'a>,
    jobs: Sender<Numbered<Job>>,
    tickets: Receiver<()>,
    stop: &'a AtomicBool,
    number: u64,
}

struct Stopped;

pub(super) fn scan(
    plan: &[Stream],
    engine: &Engine,
    options: &ScanOptions,
    sink: &mut dyn ScanSink,
    progress: &(dyn Fn(Progress) + Sync),
) -> ScanReport {
    let stop = AtomicBool::new(false);
    let (jobs_in, jobs_out) = channel();
    let (results_in, results_out) = channel();
    let (tickets_in, tickets_out) = channel();
    (0..options.threads * CHUNKS_PER_THREAD).for_each(|_| {
        let _ = tickets_in.send(());
    });
    let jobs_out = Mutex::new(jobs_out);
    thread::scope(|scope| {
        let meter = Meter::new(plan, progress);
        let reader =
            Reader { plan, engine, options, meter, jobs: jobs_in, tickets: tickets_out, stop: &stop, number: 0 };
        scope.spawn(move || reader.run());
        let workers: Vec<_> = (0..options.threads)
            .map(|_| {
                let (results, jobs) = (results_in.clone(), &jobs_out);
                scope.spawn(move || work(plan, engine, options, jobs, &results))
            })
            .collect();
        drop(results_in);
        let mut correlating = Correlating::new(engine);
        let mut report = collect(plan, options, &results_out, &tickets_in, &mut correlating, sink);
        stop.store(report.stopped, Ordering::Relaxed);
        // The reader may wait for a ticket, and workers hold results: let both run out.
        drop(tickets_in);
        drop(results_out);
        for worker in workers {
            let (profile, discovered) = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            report.discovered.merge(discovered);
            if let Some(profile) = profile {
                report.profile.get_or_insert_default().add(&profile);
            }
        }
        correlating.finish(sink, &mut report);
        report
    })
}

impl Reader<'_> {
    fn run(mut self) {
        for file in 0..self.plan.len() {
            let mut bytes = 0;
            let mut packing = Packing::Plain;
            let error = match self.read(file, &mut bytes, &mut packing) {
                Ok(Ok(())) => None,
                Ok(Err(Stopped)) => return,
                Err(error) => Some(error),
            };
            if self.send(Job::End { file, bytes, packing, error }).is_err() {
                return;
            }
            self.meter.tell(file + 1);
        }
    }

    fn read(&mut self, file: usize, bytes: &mut u64, packing: &mut Packing) -> io::Result<Result<(), Stopped>> {
        let (found, mut plain) = self.plan[file].open(self.meter.counter.clone())?;
        *packing = found;
        let mut framer = Framing::new(self.options.format, self.engine.limits(), self.engine.heads());
        let mut buffer = vec![0; CHUNK_BYTES];
        let mut chunk = Chunk::default();
        let outcome = loop {
            match plain.read(&mut buffer) {
                Ok(0) => break Ok(()),
                Ok(n) => {
                    *bytes += n as u64;
                    framer.push(&buffer[..n], &mut |frame| chunk.push(&frame));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
            self.meter.tell(file);
            if chunk.bytes() >= CHUNK_BYTES
                && self.send(Job::Chunk { file, chunk: std::mem::take(&mut chunk) }).is_err()
            {
                return Ok(Err(Stopped));
            }
        };
        framer.finish(&mut |frame| chunk.push(&frame));
        if !chunk.is_empty() && self.send(Job::Chunk { file, chunk }).is_err() {
            return Ok(Err(Stopped));
        }
        outcome.map(Ok)
    }

    fn send(&mut self, job: Job) -> Result<(), Stopped> {
        self.tickets.recv().map_err(|_| Stopped)?;
        if self.stop.load(Ordering::Relaxed) {
            return Err(Stopped);
        }
        self.number += 1;
        self.jobs.send((self.number, job)).map_err(|_| Stopped)
    }
}

fn work(
    plan: &[Stream],
    engine: &Engine,
    options: &ScanOptions,
    jobs: &Mutex<Receiver<Numbered<Job>>>,
    results: &Sender<Numbered<(usize, Tally, bool)>>,
) -> (Option<ScanProfile>, Discovered) {
    let mut evaluator = Evaluator::new(engine, options);
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, job)) = next else { return (evaluator.profile(), evaluator.discovered()) };
        let result = match job {
            Job::Chunk { file, chunk } => {
                let mut tally = Tally::new(&plan[file].name, engine, options);
                for (bytes, span) in chunk.frames() {
                    evaluator.frame(bytes, span.offset, span.outcome, &mut tally);
                }
                (file, tally, false)
            }
            Job::End { file, bytes, packing, error } => {
                let mut tally = Tally::new(&plan[file].name, engine, options);
                tally.summary.bytes = bytes;
                tally.summary.packing = packing;
                tally.offset = bytes;
                if let Some(error) = error {
                    note_error(&mut tally, &error);
                }
                (file, tally, true)
            }
        };
        if results.send((number, result)).is_err() {
            return (evaluator.profile(), evaluator.discovered());
        }
    }
}

fn collect(
    plan: &[Stream],
    options: &ScanOptions,
    results: &Receiver<Numbered<(usize, Tally, bool)>>,
    tickets: &Sender<()>,
    correlating: &mut Correlating,
    sink: &mut dyn ScanSink,
) -> ScanReport {
    let mut report = ScanReport::default();
    let mut current = plan.first().map(|stream| FileSummary::of(&stream.name));
    let mut early = BTreeMap::new();
    let mut next = 1;
    while let Ok((number, result)) = results.recv() {
        early.insert(number, result);
        while let Some((file, mut tally, is_end)) = early.remove(&next) {
            next += 1;
            // The reader may be done already; then nobody needs the ticket.
            let _ = tickets.send(());
            let summary = current.get_or_insert_with(|| FileSummary::of(&plan[file].name));
            correlating.take(&std::mem::take(&mut tally.batch));
            let stopped = tally.hand_out(&plan[file].name, sink);
            if is_end {
                summary.bytes = tally.summary.bytes;
                summary.packing = tally.summary.packing;
                summary.error = tally.summary.error.take();
            }
            summary.merge(tally.summary, options.reject_samples_max);
            if is_end || stopped {
                let done = current.take().expect("it was made above");
                sink.file(&done);
                report.files.push(done);
            }
            if stopped {
                report.stopped = true;
                return report;
            }
        }
    }
    report
}
