//! A worker: work in, its outcome out. A panic costs one record: the batch is evaluated again record by record, the record
//! whose evaluation panics is kept as a reject, and the rule that panicked is set aside.

use std::panic::{AssertUnwindSafe, catch_unwind};

use model::Reject;

use super::detect::{Detect, DetectWorker};
use super::outcome::{Collector, Outcome, Panicked};
use super::queue::Queue;
use super::work::Work;

pub(super) fn run(queue: &Queue, detect: &dyn Detect, wants_rows: bool) {
    let mut worker = detect.worker();
    while let Some((number, work)) = queue.take() {
        let outcome = evaluate(detect, &mut worker, &work, wants_rows);
        queue.done(number, work, outcome);
    }
}

/// What `work` comes to. Never panics because of a record or a rule.
pub(super) fn evaluate<'d>(
    detect: &'d dyn Detect,
    worker: &mut Box<dyn DetectWorker + 'd>,
    work: &Work,
    wants_rows: bool,
) -> Outcome {
    let whole = catch_unwind(AssertUnwindSafe(|| at_once(detect, &mut **worker, work, wants_rows)));
    whole.unwrap_or_else(|_| {
        // What the panic left in the worker's memory is not known: nothing of it is used again. Whatever panicked
        // is found, and set aside, when its record comes up in the second pass.
        *worker = detect.worker();
        one_by_one(detect, worker, work, wants_rows)
    })
}

fn at_once(detect: &dyn Detect, worker: &mut dyn DetectWorker, work: &Work, wants_rows: bool) -> Outcome {
    let given = work.given();
    let mut collector = Collector::new(work.input.clone(), work.received, wants_rows);
    if let Some(records) = work.records {
        collector.receive(records);
    }
    work.for_each_frame(detect.limits(), &mut |frame, outcome| {
        if work.records.is_none() {
            collector.receive(if outcome.is_ok() { worker.count(frame, &given) } else { 1 });
        }
        match outcome {
            Ok(()) => worker.evaluate(frame, &given, &mut collector),
            Err(reason) => collector.reject(frame, work.source.as_ref(), reason, 1),
        }
    });
    collector.finish()
}

fn one_by_one<'d>(
    detect: &'d dyn Detect,
    worker: &mut Box<dyn DetectWorker + 'd>,
    work: &Work,
    wants_rows: bool,
) -> Outcome {
    let mut total = Outcome::default();
    let collector = || Collector::new(work.input.clone(), work.received, wants_rows);
    if let Some(records) = work.records {
        let mut counted = collector();
        counted.receive(records);
        total.merge(counted.finish());
    }
    work.for_each_frame(detect.limits(), &mut |frame, outcome| {
        let mut counted = collector();
        let records = match outcome {
            Ok(()) => count(detect, worker, work, frame),
            Err(_) => 1,
        };
        if work.records.is_none() {
            counted.receive(records);
        }
        match outcome {
            Err(reason) => counted.reject(frame, work.source.as_ref(), reason, 1),
            Ok(()) => match contained(detect, worker, work, frame, wants_rows) {
                Ok(outcome) => total.merge(outcome),
                Err(panicked) => {
                    counted.reject(frame, work.source.as_ref(), Reject::Internal, records);
                    counted.panicked(panicked);
                }
            },
        }
        total.merge(counted.finish());
    });
    total
}

/// Counts a frame's records; a frame whose counting panics is one record.
fn count<'d>(detect: &'d dyn Detect, worker: &mut Box<dyn DetectWorker + 'd>, work: &Work, frame: &[u8]) -> u64 {
    let given = work.given();
    catch_unwind(AssertUnwindSafe(|| worker.count(frame, &given))).unwrap_or_else(|_| {
        *worker = detect.worker();
        1
    })
}

/// Evaluates one frame; all of it counts, or none.
fn contained<'d>(
    detect: &'d dyn Detect,
    worker: &mut Box<dyn DetectWorker + 'd>,
    work: &Work,
    frame: &[u8],
    wants_rows: bool,
) -> Result<Outcome, Panicked> {
    let given = work.given();
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let mut collector = Collector::new(work.input.clone(), work.received, wants_rows);
        worker.evaluate(frame, &given, &mut collector);
        collector.finish()
    }));
    caught.map_err(|payload| {
        *worker = detect.worker();
        let set_aside = worker.set_aside(frame, &given);
        Panicked { message: text_of(&*payload), set_aside }
    })
}

fn text_of(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").to_owned()
}
