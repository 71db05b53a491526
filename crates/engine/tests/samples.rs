//! Every source's samples normalise to its snapshots. A source that is added is tested unasked.
//!
//! `WATCHKEEP_UPDATE=1` writes the snapshots anew; they are reviewed like code.
#![allow(missing_docs, clippy::disallowed_methods)] // Tests read files and clocks; the crate does not.

mod common;

use std::collections::BTreeSet;
use std::path::Path;

use common::{Memory, engine, given, samples, source_folders, sources};
use engine::health::Tally;
use engine::{Engine, Format, Reject, Worker};
use serde_json::{Value, json};

/// A file as the line reads it: framed, counted, evaluated.
fn read(engine: &Engine, path: &Path) -> Memory {
    let (mut memory, mut worker, mut count) = (Memory::default(), engine.worker(), 0);
    let mut broken: Vec<Reject> = Vec::new();
    let mut framer = engine.framer(Format::Auto);
    let mut each = |frame: engine::Frame<'_>| match frame.outcome {
        Ok(()) => {
            count += engine.count(&mut worker, frame.bytes, &given(None));
            engine.evaluate(&mut worker, frame.bytes, &given(None), &mut memory);
        }
        Err(reason) => broken.push(reason),
    };
    framer.push(&std::fs::read(path).expect("sample"), &mut each);
    framer.finish(&mut each);
    assert!(broken.is_empty(), "{}: {broken:?}", path.display());
    assert_eq!(count as usize, memory.events.len() + memory.rejects.len(), "{}", path.display());
    memory
}

fn snapshot(memory: &Memory) -> Value {
    let event = |event: &common::Seen| {
        json!({
            "source": event.source,
            "time": event.time,
            "id": event.id,
            "columns": event.columns,
            "entities": event.entities,
        })
    };
    Value::Array(memory.events.iter().map(event).collect())
}

/// Adds up what is measured of each source.
#[derive(Default)]
struct Measured(std::collections::BTreeMap<String, Tally>);

impl engine::Sink for Measured {
    fn rejected(&mut self, _: &[u8], _: Option<&model::SourceId>, _: Reject) {}

    fn evaluated(&mut self, event: &engine::Event<'_>) {
        self.0.entry(event.source().id.to_string()).or_default().add(event);
    }

    fn finding(&mut self, _: model::Finding, _: &engine::Event<'_>) {}
}

#[test]
fn the_samples_of_a_source_have_the_fields_that_it_requires() {
    let engine = engine(&[]);
    let (mut measured, mut worker) = (Measured::default(), engine.worker());
    for folder in source_folders() {
        for sample in samples(&folder) {
            let mut framer = engine.framer(Format::Auto);
            let mut each =
                |frame: engine::Frame<'_>| engine.evaluate(&mut worker, frame.bytes, &given(None), &mut measured);
            framer.push(&std::fs::read(sample).expect("sample"), &mut each);
            framer.finish(&mut each);
        }
    }
    let mut wrong = Vec::new();
    for source in engine.sources().iter().filter(|source| !source.required.fields.is_empty()) {
        let tally = measured.0.remove(source.id.as_str()).expect("it has samples");
        let sums = tally.finish();
        assert_eq!(sums.filled.len(), source.required.fields.len(), "{}", source.id);
        let lacking = sums.filled.iter().filter(|(_, fill)| fill.thousandths() < source.required.at_least);
        lacking.for_each(|(name, fill)| wrong.push(format!("{}: `{name}` is in {} of {}", source.id, fill.n, fill.of)));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_sample_normalises_to_its_snapshot() {
    let engine = engine(&[]);
    let is_update = std::env::var_os("WATCHKEEP_UPDATE").is_some();
    let (mut differ, mut refused) = (Vec::new(), Vec::new());
    // Records of these also stand within the records of others.
    let inner: BTreeSet<String> =
        sources().iter().filter(|source| !source.within.is_empty()).map(|source| source.id.to_string()).collect();
    for folder in source_folders() {
        let id = folder.file_name().expect("name").to_string_lossy().into_owned();
        for sample in samples(&folder) {
            let memory = read(&engine, &sample);
            let strange = memory.events.iter().filter(|event| event.source != id && !inner.contains(&event.source));
            let strange: Vec<_> = strange.map(|event| (&event.source, &event.raw)).collect();
            if !memory.rejects.is_empty() || !strange.is_empty() {
                refused.push(format!("{}: {:#?} {strange:#?}", sample.display(), memory.rejects));
            }
            let path = folder.join("expected").join(sample.file_name().expect("name")).with_added_extension("json");
            let text = format!("{:#}\n", snapshot(&memory));
            if is_update {
                std::fs::create_dir_all(folder.join("expected")).expect("expected/");
                std::fs::write(&path, &text).expect("snapshot");
            } else if std::fs::read_to_string(&path).unwrap_or_default() != text {
                differ.push(format!("{}:\n{text}", path.display()));
            }
        }
    }
    assert!(refused.is_empty(), "rejected, or taken for another source's:\n{}", refused.join("\n"));
    assert!(differ.is_empty(), "snapshots differ; look, then run with WATCHKEEP_UPDATE=1:\n{}", differ.join("\n"));
}

/// Feeds whose records are of a more general kind as well, and that kind; their names are asked first.
const SPECIAL: [(&str, &str); 1] = [("aws_bedrock_agentcore", "otel_genai")];

/// Which source a record becomes must not hang on the order in which sources are asked.
#[test]
fn a_sample_is_recognised_by_its_own_source_alone() {
    let engine = engine(&[]);
    let (sources, mut worker) = (sources(), engine.worker());
    let mut taken = BTreeSet::new();
    for folder in source_folders() {
        for sample in samples(&folder) {
            for event in read(&engine, &sample).events {
                for other in sources.iter().map(|source| source.id.as_str()).filter(|id| *id != event.source) {
                    let mut memory = Memory::default();
                    engine.evaluate(&mut worker, event.raw.as_bytes(), &given(Some(other)), &mut memory);
                    let is_taken = memory.events.iter().any(|seen| seen.raw == event.raw);
                    if is_taken && !SPECIAL.contains(&(event.source.as_str(), other)) {
                        taken.insert(format!("{other} takes {}: {}", event.source, event.raw));
                    }
                }
            }
        }
    }
    assert!(taken.is_empty(), "{taken:#?}");
}

#[test]
fn every_source_is_complete() {
    for (source, folder) in sources().iter().zip(source_folders()) {
        assert_eq!(Some(source.id.as_str()), folder.file_name().and_then(|name| name.to_str()));
        let says = [&source.title, &source.description, &source.enable].iter().all(|text| !text.trim().is_empty());
        assert!(says, "{}: title, description and how to switch it on", source.id);
        assert!(!source.blind_spots.is_empty(), "{}: what it cannot see", source.id);
        assert!(source.cadence.silent_after_ms.is_some(), "{}: when its silence is an alarm", source.id);
        assert!(
            !source.identity.is_empty() && !source.columns.is_empty() && !source.entities.is_empty(),
            "{}",
            source.id
        );
        assert!(folder.join("samples/NOTICE.md").is_file(), "{}: where its samples come from", source.id);
    }
}

#[test]
fn a_damaged_sample_gives_rejects_and_no_panic() {
    let engine = engine(&[]);
    let mut worker = engine.worker();
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for folder in source_folders() {
        for sample in samples(&folder) {
            let mut bytes = std::fs::read(&sample).expect("sample");
            for _ in 0..12 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = (state >> 33) as usize % bytes.len();
                bytes[at] = b"{}[]\",:\\\n0\xFF a"[(state >> 20) as usize % 13];
                settle(&engine, &mut worker, &bytes);
            }
        }
    }
}

/// Each record of the bytes becomes one event or one reject.
fn settle(engine: &Engine, worker: &mut Worker, bytes: &[u8]) {
    let mut framer = engine.framer(Format::Auto);
    let mut each = |frame: engine::Frame<'_>| {
        if frame.outcome.is_ok() {
            let mut memory = Memory::default();
            engine.evaluate(worker, frame.bytes, &given(None), &mut memory);
            let count = engine.count(worker, frame.bytes, &given(None));
            assert_eq!(count as usize, memory.events.len() + memory.rejects.len());
        }
    };
    framer.push(bytes, &mut each);
    framer.finish(&mut each);
}
