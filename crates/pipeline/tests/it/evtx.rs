//! Windows event log files: every record of real ones, and what is left of damaged ones.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use engine::sigma::{Document, Inventory};
use engine::{Engine, Format, Frame, Limits};
use framing::Framing;
use model::{Finding, Reject, Time};
use pipeline::scan::{ScanInput, ScanOptions, scan};
use serde_json::Value;

use crate::data::folder as data;
use crate::support::{House, gzip, source};

/// The rule repository's cases, each with its file.
fn cases(data: &Path) -> Vec<(Value, Vec<u8>)> {
    let text = std::fs::read_to_string(data.join("labelled/sigma_regression.jsonl")).unwrap();
    let case = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        let file = data.join("sigma_evtx").join(format!("{}.evtx", row["rule_id"].as_str().unwrap()));
        (row, std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display())))
    };
    text.lines().map(case).collect()
}

/// A frame without its lifetime.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    offset: u64,
    outcome: Result<(), Reject>,
    bytes: Vec<u8>,
}

fn frames(bytes: &[u8], piece: usize) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut framing = Framing::new(Format::Auto, Limits::default(), engine::Heads::default());
    let mut each = |frame: Frame<'_>| {
        seen.push(Seen { offset: frame.offset, outcome: frame.outcome, bytes: frame.bytes.to_vec() });
    };
    bytes.chunks(piece).for_each(|piece| framing.push(piece, &mut each));
    framing.finish(&mut each);
    seen
}

fn rejects(seen: &[Seen]) -> Vec<Reject> {
    seen.iter().filter_map(|seen| seen.outcome.err()).collect()
}

/// The JSON of the data set was written by an older reader: identifiers in upper case without their braces, and times to the
/// microsecond, where Windows writes lower case in braces, and tenths of microseconds; and it dropped spaces at the ends of
/// texts. All else must be equal.
fn as_read(expected: &Value, ours: &Value) -> Value {
    match (expected, ours) {
        (Value::Object(map), _) => map
            .iter()
            .map(|(key, value)| (key.clone(), as_read(value, &ours[key])))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        (Value::String(text), Value::String(ours)) if ours.trim_matches(['{', '}']).eq_ignore_ascii_case(text) => {
            ours.as_str().into()
        }
        (Value::String(text), Value::String(ours))
            if ours.len() == text.len() + 1 && ours.starts_with(text.trim_end_matches('Z')) && ours.ends_with('Z') =>
        {
            ours.as_str().into()
        }
        (Value::String(text), Value::String(ours)) if ours.trim() == text => ours.as_str().into(),
        (other, _) => other.clone(),
    }
}

#[test]
fn every_record_of_a_file_is_the_json_that_others_read_from_it() {
    let Some(data) = data() else { return };
    for (row, file) in cases(&data) {
        let seen = frames(&file, file.len());
        let expected = row["events"].as_array().unwrap();
        assert_eq!(rejects(&seen), [], "{}", row["rule_title"]);
        assert_eq!(seen.len(), expected.len(), "{}", row["rule_title"]);
        for (seen, expected) in seen.iter().zip(expected) {
            let event: Value = serde_json::from_slice(&seen.bytes).unwrap();
            let expected = as_read(expected, &event);
            for part in ["System", "EventData"] {
                assert_eq!(event["Event"][part], expected["Event"][part], "{}", row["rule_title"]);
            }
            assert_eq!(event, expected, "{}", row["rule_title"]);
            assert!(!seen.bytes.contains(&b'\n'), "a record is one line");
            assert_eq!(file[seen.offset as usize..][..4], *b"**\0\0", "a record stands where its frame says");
        }
    }
}

/// The rules of all cases with the Windows source.
fn engine(cases: &[(Value, Vec<u8>)]) -> Engine {
    let documents = cases.iter().flat_map(|(row, _)| engine::sigma::parse(row["rule_yaml"].as_str().unwrap()).0);
    let rules = documents.filter_map(|document| match document {
        Document::Rule(rule) => Some(engine::sigma::Rule::clone(&rule)),
        _ => None,
    });
    let inventory = Inventory::default();
    let (engine, wrong) =
        Engine::compile(vec![source("windows_event")], rules.collect(), vec![], &inventory, Limits::default());
    assert_eq!(wrong, []);
    engine
}

/// Cases whose count differs from the stated one: see `docs/reference/sigma-divergences.md`.
const OTHER_COUNTS: [(&str, u64); 2] =
    [("0b9ad457-2554-44c1-82c2-d56a99c42377", 3), ("45e112d0-7759-4c2a-aa36-9f8fb79d3393", 3)];

#[test]
fn every_rule_of_the_repository_finds_its_file() {
    let Some(data) = data() else { return };
    let cases = cases(&data);
    let engine = engine(&cases);
    for threads in [1, 3] {
        let mut found: BTreeMap<String, u64> = BTreeMap::new();
        let mut sink = |file: &Path, _: u64, finding: Finding| {
            let is_own = file.file_stem().is_some_and(|stem| stem.to_string_lossy() == finding.rule_id.as_str());
            *found.entry(finding.rule_id.to_string()).or_default() += u64::from(is_own);
            ControlFlow::Continue(())
        };
        let options = ScanOptions { threads, ..ScanOptions::at(Time::EPOCH) };
        let inputs = [ScanInput::Path(data.join("sigma_evtx"))];
        let report = scan(&inputs, &engine, &options, &mut sink, &|_| {}).unwrap();
        assert!(report.is_whole(), "no file has a reject");
        for (row, _) in &cases {
            let id = row["rule_id"].as_str().unwrap();
            let other = OTHER_COUNTS.iter().find(|(other, _)| *other == id).map(|(_, count)| *count);
            let wanted = other.or(row["expected_match_count"].as_u64()).unwrap_or(1);
            assert_eq!(found.get(id).copied().unwrap_or_default(), wanted, "{id} {}", row["rule_title"]);
        }
    }
}

#[test]
fn frames_do_not_depend_on_how_the_file_was_cut() {
    let Some(data) = data() else { return };
    let (_, file) = cases(&data).swap_remove(0);
    let whole = frames(&file, file.len());
    for piece in [1, 7, 4095, 4096, 4097, 65_536, 65_537] {
        assert_eq!(frames(&file, piece), whole, "pieces of {piece} bytes");
    }
}

#[test]
fn a_file_that_is_cut_off_gives_what_came_before_and_says_that_it_is_cut_off() {
    let Some(data) = data() else { return };
    let case = |(row, _): &(Value, Vec<u8>)| row["events"].as_array().unwrap().len() > 2;
    let (_, file) = cases(&data).into_iter().find(case).unwrap();
    let whole = frames(&file, file.len());
    let used = file.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    for end in (1..used).step_by(97) {
        let seen = frames(&file[..end], end);
        let (last, before) = seen.split_last().unwrap_or_else(|| panic!("nothing is said of {end} bytes"));
        assert_eq!(before, &whole[..before.len()], "{end}");
        // Less than the magic of the format is a line of text.
        if end >= 8 {
            let kept = &last.bytes;
            assert_eq!(last.outcome, Err(Reject::Truncated), "{end}");
            assert_eq!(*kept, file[last.offset as usize..end], "its bytes are kept: {end}");
        }
    }
    assert_eq!(frames(&file[..used], 100), whole, "only space is missing");
}

#[test]
fn a_flipped_bit_is_told_and_each_record_is_read_or_kept_as_damaged() {
    let Some(data) = data() else { return };
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for (row, file) in cases(&data) {
        let whole = frames(&file, file.len());
        let used = u32::from_le_bytes(file[4096 + 48..4096 + 52].try_into().unwrap()) as usize;
        for _ in 0..12 {
            let mut file = file.clone();
            // Bytes 120 to 124 of a chunk say that there are no checksums.
            let at = match random(used) {
                at @ 120..124 => at + 4,
                at => at,
            };
            file[4096 + at] ^= 1 << random(8);
            let seen = frames(&file, file.len());
            let told = rejects(&seen);
            assert!(!told.is_empty(), "{}: byte {at} of the chunk", row["rule_title"]);
            assert!(told.iter().all(|reason| *reason == Reject::Damaged), "{told:?}");
            assert!(seen.is_sorted_by_key(|seen| seen.offset), "{seen:?}");
            for record in &whole {
                let is_accounted_for = seen.iter().any(|seen| match seen.outcome {
                    Ok(()) => seen.offset == record.offset,
                    Err(_) => (seen.offset..seen.offset + seen.bytes.len() as u64).contains(&record.offset),
                });
                assert!(is_accounted_for, "{}: byte {at} of the chunk, record at {}", row["rule_title"], record.offset);
            }
        }
    }
}

#[test]
fn zeroed_and_overwritten_parts_are_damage_and_no_panic() {
    let Some(data) = data() else { return };
    for (_, file) in cases(&data).into_iter().step_by(9) {
        for from in (4096..file.len() - 512).step_by(1511) {
            for byte in [0, 0x2A, 0xFF] {
                let mut file = file.clone();
                file[from..from + 512].fill(byte);
                let seen = frames(&file, 8192);
                assert!(seen.len() < 20 && seen.is_sorted_by_key(|seen| seen.offset), "{seen:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_folder_of_logs_is_read_in_every_packing_once_and_its_damage_is_kept() {
    let Some(data) = data() else { return };
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let into = folder.path().join("in");
    std::fs::create_dir(&into).unwrap();
    let cases = cases(&data);
    let logs: Vec<&Vec<u8>> = cases.iter().take(4).map(|(_, file)| file).collect();
    let records: usize = cases.iter().take(4).map(|(row, _)| row["events"].as_array().unwrap().len()).sum();
    std::fs::write(into.join("a.evtx"), logs[0]).unwrap();
    std::fs::write(into.join("b.evtx.gz"), gzip(logs[1])).unwrap();
    std::fs::write(into.join("c.evtx.zst"), zstd::encode_all(logs[2].as_slice(), 1).unwrap()).unwrap();
    std::fs::write(into.join("d.evtx"), logs[3]).unwrap();
    let mut broken = logs[0].clone();
    broken[4096 + 64..4096 + 600].fill(0xFF);
    std::fs::write(into.join("e.evtx"), broken).unwrap();
    let feed = "routes = []\n[[inputs]]\nname = \"feed\"\nkind = \"folder\"\npath = \"DIR/in\"\n";
    for _ in 0..2 {
        let mut house = House::start_in(folder.clone(), feed).await;
        house.until(|ledger| ledger.balance().evaluated as usize >= records).await;
        house.until(|ledger| ledger.total(model::Step::Rejected) > 0).await;
        house.stop().await;
        let balance = house.ledger().balance();
        assert_eq!(balance.evaluated as usize, records, "each record once, also after a restart");
        let query = store::RejectQuery { limit: 100, ..store::RejectQuery::default() };
        let kept = house.store.rejects(&query).unwrap();
        assert!(!kept.is_empty() && kept.iter().all(|row| row.reason == Reject::Damaged), "{kept:?}");
        house.assert_balance();
    }
}
