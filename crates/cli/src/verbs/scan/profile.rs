//! What each step took, and what the costliest rules cost.
//!
//! Rules share predicates, so no rule has a price of its own inside the whole program. Its price is measured apart: the
//! first records of the input again, held against that rule alone, less the same without any rule.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use engine::sigma::Inventory;
use engine::{Engine, Event, Format, Framer, Given, Sink};
use model::{Finding, Reject, SourceId};
use pipeline::scan::{ScanInput, ScanOptions};

use super::Timing;
use crate::context::Context;
use crate::status::Failure;

/// Bytes of the input that rules are measured on.
const SAMPLE_BYTES: u64 = 1 << 20;
/// Rules that are told.
const RULES_MAX: usize = 10;
/// Rules that are measured at most.
const MEASURED_MAX: usize = 500;

/// Writes the profile to standard error.
pub fn tell(
    context: &Context,
    engine: &Engine,
    inventory: &Inventory,
    inputs: &[ScanInput],
    options: &ScanOptions,
    timing: Timing,
) -> Result<(), Failure> {
    let paint = context.paint_errors;
    let mut errors = std::io::stderr().lock();
    writeln!(errors, "{}", paint.bold("profile"))?;
    for (step, took) in [("read rules", timing.load), ("compile", timing.compile), ("scan", timing.scan)] {
        writeln!(errors, "  {:>10.1} ms  {step}", millis(took))?;
    }
    let Some(sample) = sample(inputs, engine) else {
        writeln!(errors, "  rules are measured on files, not on standard input")?;
        return Ok(());
    };
    let costs = rule_costs(engine, inventory, &sample, options);
    writeln!(errors, "{}", paint.bold(format!("costliest rules, alone, for each of {} records", sample.len())))?;
    for (title, cost) in costs.iter().take(RULES_MAX) {
        writeln!(errors, "  {:>10.2} µs  {title}", cost.as_secs_f64() * 1e6 / sample.len() as f64)?;
    }
    Ok(())
}

fn millis(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}

/// The first records of the first files.
fn sample(inputs: &[ScanInput], engine: &Engine) -> Option<Vec<Vec<u8>>> {
    let files = inputs.iter().filter_map(|input| match input {
        ScanInput::Path(path) => Some(walkdir::WalkDir::new(path).sort_by_file_name()),
        ScanInput::Stdin => None,
    });
    let mut frames = Vec::new();
    let mut left = SAMPLE_BYTES;
    for entry in files.flatten().filter_map(Result::ok).filter(|entry| entry.file_type().is_file()) {
        let Ok(file) = std::fs::File::open(entry.path()) else { continue };
        let Ok((_, plain)) = pipeline::decompress::open(file) else { continue };
        let mut bytes = Vec::new();
        // A broken stream was told in the summary; what came before the break still serves.
        let _ = plain.take(left).read_to_end(&mut bytes);
        left = left.saturating_sub(bytes.len() as u64);
        let mut framer = Framer::new(Format::Auto, engine.limits());
        let mut each = |frame: engine::Frame<'_>| {
            if frame.outcome.is_ok() {
                frames.push(frame.bytes.to_vec());
            }
        };
        framer.push(&bytes, &mut each);
        framer.finish(&mut each);
        if left == 0 {
            break;
        }
    }
    (!frames.is_empty()).then_some(frames)
}

/// Rules with their cost on the sample, costliest first.
fn rule_costs(
    engine: &Engine,
    inventory: &Inventory,
    sample: &[Vec<u8>],
    options: &ScanOptions,
) -> Vec<(String, Duration)> {
    let compile = |rules| Engine::compile(engine.sources().to_vec(), rules, Vec::new(), inventory, engine.limits()).0;
    let bare = measure(&compile(Vec::new()), sample, options);
    let mut costs: Vec<(String, Duration)> = engine
        .rules()
        .iter()
        .filter(|compiled| is_carried(engine, &compiled.rule.logsource))
        .take(MEASURED_MAX)
        .map(|compiled| {
            let alone = compile(vec![(*compiled.rule).clone()]);
            (compiled.rule.title.clone(), measure(&alone, sample, options).saturating_sub(bare))
        })
        .collect();
    costs.sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
    costs
}

fn is_carried(engine: &Engine, logsource: &engine::sigma::LogSource) -> bool {
    engine.sources().iter().flat_map(|source| &source.logsources).any(|theirs| logsource.applies_to(theirs))
}

/// The shorter of two passes: the first also warms up.
fn measure(engine: &Engine, sample: &[Vec<u8>], options: &ScanOptions) -> Duration {
    let given = Given { source: options.source.clone(), received: options.received, lane: options.lane };
    let mut worker = engine.worker();
    let mut pass = || {
        let started = Instant::now();
        for frame in sample {
            engine.evaluate(&mut worker, frame, &given, &mut Nowhere);
        }
        started.elapsed()
    };
    pass().min(pass())
}

struct Nowhere;

impl Sink for Nowhere {
    fn rejected(&mut self, _raw: &[u8], _source: Option<&SourceId>, _reason: Reject) {}
    fn evaluated(&mut self, _event: &Event<'_>) {}
    fn finding(&mut self, _finding: Finding, _event: &Event<'_>) {}
}
