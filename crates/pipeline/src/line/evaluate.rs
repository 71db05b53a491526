//! A worker: work in, its outcome out. A panic costs one rule: the batch is evaluated again record by record, the rule that
//! panicked is set aside, and the record is held against all others. A record that panics without a rule is kept as a
//! reject, and so is a batch that cannot even be cut into records.

use engine::Limits;
use model::Reject;

use crate::panics::contain;

use super::detect::{Detect, DetectWorker};
use super::outcome::{Collector, Outcome, Panicked, Wants};
use super::queue::Queue;
use super::work::Work;

/// Rules that one frame may cost.
const CULPRITS_MAX: usize = 64;

pub(super) fn run(queue: &Queue, detect: &dyn Detect, wants: &Wants) {
    let mut worker = detect.worker();
    while let Some((number, work)) = queue.take() {
        let mut outcome = evaluate(detect, &mut worker, &work, wants);
        // Of a batch that panicked only what came behind the panic is there; the things of a lab are seen again.
        outcome.discovered = worker.discovered();
        queue.done(number, work, outcome);
    }
}

/// What `work` comes to. Never panics because of a record or a rule.
pub(super) fn evaluate<'d>(
    detect: &'d dyn Detect,
    worker: &mut Box<dyn DetectWorker + 'd>,
    work: &Work,
    wants: &Wants,
) -> Outcome {
    let whole = contain(|| at_once(detect, &mut **worker, work, wants));
    whole.unwrap_or_else(|_| {
        // What the panic left in the worker's memory is not known: nothing of it is used again. Whatever panicked
        // is found, and set aside, when its record comes up in the second pass.
        *worker = detect.worker();
        contain(|| one_by_one(detect, worker, work, wants)).unwrap_or_else(|place| unread(work, place))
    })
}

/// The outcome of work that cannot be cut into records: all of it is one reject.
fn unread(work: &Work, place: String) -> Outcome {
    let mut collector = Collector::new(work.input.clone(), work.received, &Wants::default());
    let records = work.records.unwrap_or(1);
    collector.receive(records);
    let raw = &work.raw()[..work.bytes().min(Limits::default().reject_bytes)];
    collector.reject(raw, work.source.as_ref(), Reject::Internal, records);
    collector.panicked(Panicked { place, set_aside: None });
    collector.finish()
}

fn at_once(detect: &dyn Detect, worker: &mut dyn DetectWorker, work: &Work, wants: &Wants) -> Outcome {
    let given = work.given();
    let mut collector = Collector::new(work.input.clone(), work.received, wants);
    if let Some(records) = work.records {
        collector.receive(records);
    }
    work.for_each_frame(detect.limits(), detect.heads(), &mut |frame, outcome| {
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
    wants: &Wants,
) -> Outcome {
    let mut total = Outcome::default();
    let collector = || Collector::new(work.input.clone(), work.received, wants);
    if let Some(records) = work.records {
        let mut counted = collector();
        counted.receive(records);
        total.merge(counted.finish());
    }
    work.for_each_frame(detect.limits(), detect.heads(), &mut |frame, outcome| {
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
            Ok(()) => match contained(detect, worker, work, frame, wants) {
                Ok(outcome) => total.merge(outcome),
                Err(panics) => {
                    counted.reject(frame, work.source.as_ref(), Reject::Internal, records);
                    panics.into_iter().for_each(|panicked| counted.panicked(panicked));
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
    contain(|| worker.count(frame, &given)).unwrap_or_else(|_| {
        *worker = detect.worker();
        1
    })
}

/// Evaluates one frame; all of it counts, or none. Each rule that panics on it is set aside, and the others hold the frame again;
/// when none can be blamed, the frame is given up.
fn contained<'d>(
    detect: &'d dyn Detect,
    worker: &mut Box<dyn DetectWorker + 'd>,
    work: &Work,
    frame: &[u8],
    wants: &Wants,
) -> Result<Outcome, Vec<Panicked>> {
    let given = work.given();
    let mut panics = Vec::new();
    while panics.len() < CULPRITS_MAX {
        let outcome = contain(|| {
            let mut collector = Collector::new(work.input.clone(), work.received, wants);
            worker.evaluate(frame, &given, &mut collector);
            collector.finish()
        });
        let place = match outcome {
            Ok(mut outcome) => {
                outcome.panics.extend(panics);
                return Ok(outcome);
            }
            Err(place) => place,
        };
        *worker = detect.worker();
        let set_aside = contain(|| worker.set_aside(frame, &given)).ok().flatten();
        let is_blamed = set_aside.is_some();
        panics.push(Panicked { place, set_aside });
        if !is_blamed {
            break;
        }
    }
    Err(panics)
}
