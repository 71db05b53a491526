//! How fast one thread scans CloudTrail lines, as a ratio to a bare parse of the same bytes in the same run.
//!
//! Run by hand: `cargo test --release -p watchkeep-engine --test speed -- --ignored --nocapture`.
#![allow(missing_docs, clippy::disallowed_methods)] // Tests read files and clocks; the crate does not.

mod common;

use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use common::{data, given, repository, sources};
use engine::health::Tally;
use engine::{Engine, Event, Format, Framer, Limits, Reject, Sink, sigma};
use model::{Finding, SourceId};

#[derive(Default)]
struct Count(u64, u64, u64);

impl Sink for Count {
    fn rejected(&mut self, _raw: &[u8], _source: Option<&SourceId>, _reason: Reject) {
        self.0 += 1;
    }
    fn evaluated(&mut self, _event: &Event<'_>) {
        self.1 += 1;
    }
    fn finding(&mut self, _finding: Finding, _event: &Event<'_>) {
        self.2 += 1;
    }
}

fn texts(folder: &Path, into: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("folder") {
        let path = entry.expect("entry").path();
        let name = path.to_string_lossy().into_owned();
        if path.is_dir() {
            texts(&path, into);
        } else if name.ends_with(".yml") && !name.ends_with(".test.yml") {
            into.push(std::fs::read_to_string(path).expect("text"));
        }
    }
}

/// The rules of the repository, with every list of the inventory filled by a value that nothing has.
fn loaded() -> Engine {
    let mut files = Vec::new();
    texts(&repository().join("content/packs"), &mut files);
    let mut inventory = sigma::Inventory::new();
    for name in files.iter().flat_map(|text| text.split("'%").skip(1)).filter_map(|rest| rest.split('%').next()) {
        inventory.insert(name, vec!["no-such-thing".to_owned(), "nor-this".to_owned()]);
    }
    let documents = files.iter().flat_map(|text| sigma::parse(text).0);
    let rules = documents.filter_map(|document| match document {
        sigma::Document::Rule(rule) => Some(rule),
        _ => None,
    });
    Engine::compile(sources(), rules.collect(), vec![], &inventory, Limits::default()).0
}

fn best(mut run: impl FnMut()) -> Duration {
    let times = (0..7).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed()
    });
    times.min().expect("seven runs")
}

#[test]
#[ignore = "a measurement, meaningful in release builds"]
fn scanning_cloudtrail_against_a_bare_parse() {
    let Some(data) = data() else { return };
    let file = std::fs::File::open(data.join("generated_sample.ndjson.gz")).expect("the generated day");
    let mut bytes = Vec::new();
    flate2::read::MultiGzDecoder::new(file).take(24 << 20).read_to_end(&mut bytes).expect("gzip");
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').filter(|line| line.ends_with(b"}")).collect();
    let engine = loaded();
    let bare = best(|| {
        for line in &lines {
            std::hint::black_box(sonic_rs::from_slice::<sonic_rs::Value>(line).expect("JSON"));
        }
    });
    let mut count = Count::default();
    let mut passes: u64 = 0;
    let ours = best(|| {
        passes += 1;
        scan(&engine, &bytes, &mut count);
    });
    let (empty, _) =
        Engine::compile(sources(), Vec::<sigma::Rule>::new(), vec![], &sigma::Inventory::new(), Limits::default());
    let without_rules = best(|| scan(&empty, &bytes, &mut Count::default()));
    let framing = best(|| {
        frame(&bytes, &mut |frame| {
            std::hint::black_box(frame.bytes);
        })
    });
    let per = |time: Duration| time.as_nanos() as f64 / lines.len() as f64 / 1000.0;
    eprintln!("{} rules, {:?} a source", engine.rules().len(), engine.rule_counts());
    eprintln!("{} lines of {} bytes", lines.len(), bytes.len() / lines.len());
    eprintln!("evaluated {} findings {} rejected {}", count.1 / passes, count.2 / passes, count.0 / passes);
    eprintln!("framing {:.2} us, without rules {:.2} us a record", per(framing), per(without_rules));
    eprintln!(
        "bare parse {:.2} us, scan {:.2} us a record: {:.1} %",
        per(bare),
        per(ours),
        100.0 * per(bare) / per(ours)
    );
    assert!(per(bare) / per(ours) >= 0.15, "the floor of the first milestone");
}

/// Counts, and measures as the line does: a tally for each batch.
#[derive(Default)]
struct Measuring {
    count: Count,
    tally: Tally,
    batch: u64,
}

impl Sink for Measuring {
    fn rejected(&mut self, raw: &[u8], source: Option<&SourceId>, reason: Reject) {
        self.count.rejected(raw, source, reason);
    }
    fn evaluated(&mut self, event: &Event<'_>) {
        self.count.evaluated(event);
        self.tally.add(event);
        self.batch += 1;
        if self.batch.is_multiple_of(1000) {
            std::hint::black_box(std::mem::take(&mut self.tally).finish());
        }
    }
    fn finding(&mut self, finding: Finding, event: &Event<'_>) {
        self.count.finding(finding, event);
    }
}

/// What the health of sources costs: the same records, with and without what is measured of each. Both runs take turns, so that a busy machine
/// slows both; the best of each counts.
#[test]
#[ignore = "a measurement; meaningful as a ratio in any build"]
fn what_is_measured_of_each_event_costs_little() {
    let Some(data) = data() else { return };
    let file = std::fs::File::open(data.join("raw/cloudtrail_opensearch_catalog.jsonl.gz")).expect("real CloudTrail");
    let mut bytes = Vec::new();
    flate2::read::MultiGzDecoder::new(file).read_to_end(&mut bytes).expect("gzip");
    let engine = loaded();
    let time = |sink: &mut dyn Sink| {
        let (mut worker, given) = (engine.worker(), given(None));
        let start = Instant::now();
        frame(&bytes, &mut |frame| engine.evaluate(&mut worker, frame.bytes, &given, sink));
        start.elapsed()
    };
    let (mut bare, mut measured) = (Duration::MAX, Duration::MAX);
    let (mut count, mut measuring) = (Count::default(), Measuring::default());
    for _ in 0..15 {
        bare = bare.min(time(&mut count));
        measured = measured.min(time(&mut measuring));
    }
    let ratio = measured.as_secs_f64() / bare.as_secs_f64();
    eprintln!("{} events: bare {bare:?}, measured {measured:?}: {ratio:.3}", count.1 / 15);
    assert_eq!(count.1, measuring.count.1);
    assert!(ratio < 1.25, "what is measured costs {ratio:.2} times the evaluation");
}

fn frame(bytes: &[u8], each: &mut dyn FnMut(engine::Frame<'_>)) {
    let mut framer = Framer::new(Format::Auto, Limits::default());
    bytes.chunks(1 << 20).for_each(|chunk| framer.push(chunk, each));
    framer.finish(each);
}

fn scan(engine: &Engine, bytes: &[u8], count: &mut Count) {
    let (mut worker, given) = (engine.worker(), given(None));
    frame(bytes, &mut |frame| engine.evaluate(&mut worker, frame.bytes, &given, count));
}
