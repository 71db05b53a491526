//! Archives of evaluation logs: what an archive holds is found as in the same log written as one document.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::ops::ControlFlow;
use std::path::Path;

use engine::sigma::{Document, Inventory};
use engine::{Engine, Limits};
use model::{Finding, Reject, Time};
use pipeline::scan::{ScanInput, ScanOptions, ScanReport, scan};
use zip::ZipArchive;
use zip::write::{SimpleFileOptions, ZipWriter};

use crate::data::folder as data;
use crate::support::source;

/// A rule for each kind of record.
const RULES: &str = "\
title: Run
id: 6b5f7b0e-0000-4000-8000-000000000001
logsource: {product: inspect, service: eval}
detection: {s: {eval.run_id|exists: true}, condition: s}
---
title: Sample
id: 6b5f7b0e-0000-4000-8000-000000000002
logsource: {product: inspect, service: sample}
detection: {s: {run_id|exists: true}, condition: s}
---
title: Event
id: 6b5f7b0e-0000-4000-8000-000000000003
logsource: {product: inspect, service: event}
detection: {s: {run_id|exists: true}, condition: s}
---
title: Attachment
id: 6b5f7b0e-0000-4000-8000-000000000004
logsource: {product: inspect}
detection: {s: ['attachment://'], condition: s}
";

fn engine() -> Engine {
    let documents = engine::sigma::parse(RULES).0.into_iter();
    let rules = documents.filter_map(|document| match document {
        Document::Rule(rule) => Some(engine::sigma::Rule::clone(&rule)),
        _ => None,
    });
    let sources = ["inspect_eval", "inspect_sample", "inspect_event"].map(source).to_vec();
    Engine::compile(sources, rules.collect(), vec![], &Inventory::default(), Limits::default()).0
}

/// Findings by rule, with the ids of their events, and what the scan says.
fn scanned(path: &Path) -> (BTreeMap<String, Vec<String>>, ScanReport) {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut sink = |_: &Path, _: u64, finding: Finding| {
        found.entry(finding.rule_title.to_string()).or_default().push(finding.event_ids[0].to_string());
        ControlFlow::Continue(())
    };
    let inputs = [ScanInput::Path(path.to_owned())];
    let report = scan(&inputs, &engine(), &ScanOptions::at(Time::EPOCH), &mut sink, &|_| {}).unwrap();
    found.values_mut().for_each(|ids| ids.sort());
    (found, report)
}

fn counts(found: &BTreeMap<String, Vec<String>>) -> [usize; 4] {
    ["Run", "Sample", "Event", "Attachment"].map(|title| found.get(title).map_or(0, Vec::len))
}

/// The log of an archive as one document.
fn document(archive: &Path) -> String {
    let mut archive = ZipArchive::new(std::fs::File::open(archive).unwrap()).unwrap();
    let header = text(archive.by_name("header.json").unwrap());
    let mut samples = Vec::new();
    for at in 0..archive.len() {
        let file = archive.by_index(at).unwrap();
        if file.name().is_ok_and(|name| name.starts_with("samples/")) {
            samples.push(text(file));
        }
    }
    format!("{},\"samples\":[{}]}}", header.trim_end().strip_suffix('}').unwrap(), samples.join(","))
}

fn text(mut file: impl Read) -> String {
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_real_archive_gives_the_records_of_the_same_log_as_one_document() {
    let Some(data) = data() else { return };
    let archives = std::fs::read_dir(data.join("inspect_eval_logs")).unwrap().map(|entry| entry.unwrap().path());
    let folder = tempfile::tempdir().unwrap();
    let mut total = [0; 4];
    for archive in archives.filter(|path| path.extension().is_some_and(|extension| extension == "eval")) {
        let (found, report) = scanned(&archive);
        assert!(report.is_whole(), "{}: {report:?}", archive.display());
        let log = folder.path().join("log.json");
        std::fs::write(&log, document(&archive)).unwrap();
        let (of_document, _) = scanned(&log);
        // The document itself holds what stands for texts, in its samples.
        assert_eq!(counts(&found)[..3], counts(&of_document)[..3], "{}", archive.display());
        assert_eq!(found["Event"], of_document["Event"], "an event is the same event, wherever it was read");
        std::iter::zip(&mut total, counts(&found)).for_each(|(sum, count)| *sum += count);
    }
    assert_eq!(total[0], 4, "a record for each run");
    assert_eq!(total[1], 22, "and for each sample");
    assert!(total[2] > 200, "{total:?}");
    assert_eq!(total[3], 0, "what stands for a text is replaced by it");
}

#[test]
fn a_damaged_sample_is_one_reject_and_the_others_are_there() {
    let Some(data) = data() else { return };
    let name = "scorer__logs__2025-02-11T15-18-04-05-00_popularity_mj7khqpMM4GBCfVQozKgzB.eval";
    let mut original =
        ZipArchive::new(std::fs::File::open(data.join("inspect_eval_logs").join(name)).unwrap()).unwrap();
    let mut copy = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for at in 0..original.len() {
        let file = original.by_index(at).unwrap();
        copy.start_file(file.name().unwrap().into_owned(), stored).unwrap();
        copy.write_all(text(file).as_bytes()).unwrap();
    }
    let mut bytes = copy.finish().unwrap().into_inner();
    // Nothing is packed, so that this is in the third sample: its checksum is then wrong.
    let at = memchr_of(&bytes, b"samples/10_epoch_1.json") + 200;
    bytes[at] ^= 1;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.eval");
    std::fs::write(&path, bytes).unwrap();
    let (found, report) = scanned(&path);
    assert_eq!(counts(&found)[..2], [1, 9]);
    let rejects: Vec<(Reject, u64)> =
        report.files[0].rejects.iter().map(|(reason, count)| (*reason, count.count)).collect();
    assert_eq!(rejects, [(Reject::BadCompression, 1)]);
}

fn memchr_of(bytes: &[u8], wanted: &[u8]) -> usize {
    bytes.windows(wanted.len()).position(|window| window == wanted).expect("it is there")
}
