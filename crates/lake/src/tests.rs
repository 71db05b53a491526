use std::fs::{self, OpenOptions};
use std::io::Write;

use model::{EventId, Lane, SourceId, Time};
use proptest::prelude::*;

use crate::*;

fn row(name: &str, source: &str, at: &str) -> Row {
    Row {
        event_id: EventId::of(&[name.as_bytes()]),
        source: SourceId::from(source),
        time: Time::parse(at).unwrap(),
        received: Time::parse("2026-11-22T03:00:00.000001Z").unwrap(),
        lane: Lane::Live,
        class_uid: 6003,
        columns: [("api.operation".to_owned(), name.to_owned()), ("quote\"".to_owned(), "é".to_owned())].into(),
        raw: format!(r#"{{"name":"{name}"}}"#),
    }
}

fn lake(folder: &tempfile::TempDir) -> Lake {
    Lake::open(folder.path(), LakeOptions::default()).unwrap()
}

fn now() -> Time {
    Time::parse("2026-11-22T03:00:00Z").unwrap()
}

fn everything(lake: &Lake) -> Vec<Row> {
    lake.read(None, Time::EPOCH, Time::from_micros(i64::MAX)).unwrap()
}

#[test]
fn rows_come_back_from_the_spool_and_from_parquet() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake(&folder);
    let rows = [
        row("a", "aws_cloudtrail", "2026-11-20T23:59:59Z"),
        row("b", "aws_cloudtrail", "2026-11-21T00:00:00Z"),
        row("c", "kubernetes_audit", "2026-11-21T10:00:00Z"),
    ];
    lake.append(&rows, now()).unwrap();
    assert_eq!(everything(&lake), rows);
    assert_eq!(lake.flush().unwrap(), 3, "one file for each source and day");
    assert_eq!(everything(&lake), rows);
    assert_eq!(lake.stats().unwrap(), LakeStats::default());
    let day = folder.path().join("events/source=aws_cloudtrail/day=2026-11-21");
    assert_eq!(fs::read_dir(day).unwrap().count(), 1);
}

#[test]
fn a_range_ends_before_its_end_and_names_its_source() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake(&folder);
    let rows = [
        row("a", "s", "2026-11-20T00:00:00Z"),
        row("b", "s", "2026-11-20T12:00:00Z"),
        row("c", "t", "2026-11-20T12:00:00Z"),
    ];
    lake.append(&rows, now()).unwrap();
    lake.flush().unwrap();
    let at = |text: &str| Time::parse(text).unwrap();
    let source = SourceId::from("s");
    let read = |since, until| lake.read(Some(&source), at(since), at(until)).unwrap().len();
    assert_eq!(read("2026-11-20T00:00:00Z", "2026-11-20T12:00:00Z"), 1);
    assert_eq!(read("2026-11-20T00:00:00Z", "2026-11-20T12:00:00.000001Z"), 2);
    assert_eq!(read("2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"), 0);
}

#[test]
fn a_crash_after_append_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let rows = [row("a", "s", "2026-11-20T00:00:00Z")];
    lake(&folder).append(&rows, now()).unwrap();
    let again = lake(&folder);
    assert_eq!(everything(&again), rows, "the spool is still there");
    again.append(&rows, now()).unwrap();
    assert_eq!(everything(&again), rows, "a batch evaluated again is read once");
    assert_eq!(again.flush().unwrap(), 2);
    assert_eq!(everything(&again), rows, "also when it lies in two files");
}

fn only_spool(folder: &tempfile::TempDir) -> std::path::PathBuf {
    fs::read_dir(folder.path().join("spool")).unwrap().next().unwrap().unwrap().path()
}

#[test]
fn an_entry_torn_at_any_byte_is_no_damage_and_the_whole_ones_stay() {
    let rows = [row("a", "s", "2026-11-20T00:00:00Z")];
    let whole = {
        let folder = tempfile::tempdir().unwrap();
        lake(&folder).append(&rows, now()).unwrap();
        fs::read(only_spool(&folder)).unwrap()
    };
    for cut in 1..whole.len() {
        let folder = tempfile::tempdir().unwrap();
        lake(&folder).append(&rows, now()).unwrap();
        let spool = only_spool(&folder);
        OpenOptions::new().append(true).open(&spool).unwrap().write_all(&whole[..cut]).unwrap();
        let again = lake(&folder);
        assert_eq!(again.flush().unwrap(), 1, "nothing is said of {cut} bytes: nobody was told that they are kept");
        assert_eq!(everything(&again), rows);
        assert_eq!(again.stats().unwrap(), LakeStats::default());
    }
}

#[test]
fn a_length_gone_bad_is_damage_and_not_a_torn_entry() {
    let folder = tempfile::tempdir().unwrap();
    lake(&folder).append(&[row("a", "s", "2026-11-20T00:00:00Z")], now()).unwrap();
    let spool = only_spool(&folder);
    let mut bytes = fs::read(&spool).unwrap();
    bytes[2] ^= 1;
    fs::write(&spool, &bytes).unwrap();
    assert!(matches!(lake(&folder).flush(), Err(LakeError::Damaged { whole: 0, .. })));
}

#[test]
fn a_damaged_spool_gives_what_is_whole_and_is_kept_and_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let first = lake(&folder);
    let rows = ["a", "b", "c"].map(|name| row(name, "s", "2026-11-20T00:00:00Z"));
    rows.iter().for_each(|row| first.append(std::slice::from_ref(row), now()).unwrap());
    let spool = only_spool(&folder);
    let mut bytes = fs::read(&spool).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&spool, &bytes).unwrap();
    let error = first.flush().unwrap_err();
    let LakeError::Damaged { path, whole, length } = &error else { panic!("{error}") };
    assert_eq!((*whole, *length), (bytes.len() as u64 / 3, bytes.len() as u64));
    assert_eq!(fs::read(path).unwrap(), bytes, "kept as it was");
    assert_eq!(everything(&first), rows[..1]);
    assert_eq!(first.flush().unwrap(), 0, "told once");
    let again = lake(&folder);
    assert_eq!(again.stats().unwrap(), LakeStats { damaged_spools: 1, ..LakeStats::default() });
}

#[test]
fn a_conversion_cut_short_is_done_again_and_replaces_itself() {
    let folder = tempfile::tempdir().unwrap();
    let rows = [row("a", "s", "2026-11-20T00:00:00Z")];
    let first = lake(&folder);
    first.append(&rows, now()).unwrap();
    let spool = fs::read_dir(folder.path().join("spool")).unwrap().next().unwrap().unwrap().path();
    let kept = fs::read(&spool).unwrap();
    first.flush().unwrap();
    fs::write(&spool, kept).unwrap();
    let again = lake(&folder);
    again.flush().unwrap();
    let day = folder.path().join("events/source=s/day=2026-11-20");
    assert_eq!(fs::read_dir(day).unwrap().count(), 1);
    assert_eq!(everything(&again), rows);
}

#[test]
fn a_spool_is_sealed_by_size_and_by_age_and_a_full_yard_converts_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let options = LakeOptions { spool_bytes: 1, roll_ms: 1000, sealed_spools_max: 2 };
    let lake = Lake::open(folder.path(), options).unwrap();
    for name in ["a", "b", "c", "d"] {
        lake.append(&[row(name, "s", "2026-11-20T00:00:00Z")], now()).unwrap();
        assert!(lake.stats().unwrap().sealed_spools <= 2);
    }
    assert_eq!(everything(&lake).len(), 4);

    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path(), LakeOptions { spool_bytes: u64::MAX, ..options }).unwrap();
    lake.append(&[row("a", "s", "2026-11-20T00:00:00Z")], now()).unwrap();
    assert!(!lake.roll(now().plus_millis(999)));
    assert!(lake.roll(now().plus_millis(1000)));
    assert_eq!(lake.stats().unwrap().sealed_spools, 1);
}

/// A spool with rows of `source`, whose folder in the lake cannot be made.
fn fail(folder: &tempfile::TempDir, source: &str) {
    fs::create_dir_all(folder.path().join("events")).unwrap();
    fs::write(folder.path().join(format!("events/source={source}")), "a file stands in the way").unwrap();
}

#[test]
fn a_spool_that_cannot_be_converted_does_not_block_the_others() {
    let folder = tempfile::tempdir().unwrap();
    fail(&folder, "bad");
    let options = LakeOptions { spool_bytes: 1, ..LakeOptions::default() };
    let lake = Lake::open(folder.path(), options).unwrap();
    for source in ["bad", "good"] {
        lake.append(&[row(source, source, "2026-11-20T00:00:00Z")], now()).unwrap();
    }
    assert!(matches!(lake.convert(), Err(LakeError::Io { .. })));
    let expected = LakeStats { sealed_spools: 1, failing_spools: 1, ..LakeStats::default() };
    assert_eq!(lake.stats().unwrap(), expected);
    assert_eq!(everything(&lake).len(), 2);
}

#[test]
fn an_append_that_fails_has_kept_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fail(&folder, "bad");
    let options = LakeOptions { spool_bytes: 1, sealed_spools_max: 2, ..LakeOptions::default() };
    let lake = Lake::open(folder.path(), options).unwrap();
    let append = |name: &str| lake.append(&[row(name, "bad", "2026-11-20T00:00:00Z")], now());
    append("a").unwrap();
    append("b").unwrap();
    assert!(append("c").is_err(), "two wait that cannot be converted");
    assert_eq!(everything(&lake).len(), 2, "the refused row is not there");
    fs::remove_file(folder.path().join("events/source=bad")).unwrap();
    append("c").unwrap();
    assert_eq!(everything(&lake).len(), 3);
}

#[test]
fn every_folder_made_is_synced_into_its_parent() {
    let folder = tempfile::tempdir().unwrap();
    crate::folder::SYNCED.take();
    let lake = Lake::open(&folder.path().join("lake"), LakeOptions::default()).unwrap();
    lake.append(&[row("a", "s", "2026-11-20T00:00:00Z")], now()).unwrap();
    lake.flush().unwrap();
    let synced = crate::folder::SYNCED.take();
    for parent in
        ["", "lake", "lake/spool", "lake/events", "lake/events/source=s", "lake/events/source=s/day=2026-11-20"]
    {
        let parent = folder.path().join(parent);
        assert!(synced.iter().any(|path| path.components().eq(parent.components())), "{}", parent.display());
    }
}

#[test]
fn a_source_cannot_lead_out_of_the_lake() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake(&folder);
    lake.append(&[row("a", "../../etc", "2026-11-20T00:00:00Z")], now()).unwrap();
    lake.flush().unwrap();
    assert!(folder.path().join("events/source=______etc").is_dir());
    assert_eq!(everything(&lake)[0].source.as_str(), "../../etc");
}

proptest! {
    #[test]
    fn a_row_round_trips(raw in ".*", key in ".*", value in ".*", micros in 0i64..4_000_000_000_000_000) {
        let mut row = row("a", "s", "2026-11-20T00:00:00Z");
        row.raw = raw;
        row.time = Time::from_micros(micros);
        row.columns.insert(key, value);
        let mut bytes = Vec::new();
        row.encode(&mut bytes);
        let mut rest = bytes.as_slice();
        prop_assert_eq!(Row::decode(&mut rest), Some(row));
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Row::decode(&mut bytes.as_slice());
    }
}
