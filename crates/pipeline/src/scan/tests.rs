use std::path::PathBuf;
use std::sync::Mutex;

use engine::Limits;
use engine::sigma::Inventory;

use super::*;

/// No source recognises anything: every record is a reject, which is enough to see order, counts and places.
fn engine() -> Engine {
    Engine::compile(vec![], Vec::<engine::sigma::Rule>::new(), vec![], &Inventory::default(), Limits::default()).0
}

fn options(threads: usize) -> ScanOptions {
    ScanOptions { threads, ..ScanOptions::at(Time::EPOCH) }
}

fn scanned(paths: &[PathBuf], threads: usize) -> ScanReport {
    let inputs: Vec<ScanInput> = paths.iter().cloned().map(ScanInput::Path).collect();
    let mut sink = |_: &Path, _: u64, _: Finding| ControlFlow::Continue(());
    scan(&inputs, &engine(), &options(threads), &mut sink, &|_| {}).unwrap()
}

fn lines(count: usize) -> String {
    (0..count).map(|n| format!("{{\"n\":{n},\"pad\":\"{}\"}}\n", "x".repeat(n % 300))).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn any_number_of_threads_reports_the_same() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.json"), lines(30_000)).unwrap();
    std::fs::write(folder.path().join("b.json.gz"), gzip(lines(20_000).as_bytes())).unwrap();
    std::fs::write(folder.path().join("c.json.zst"), zstd::encode_all(lines(10).as_bytes(), 1).unwrap()).unwrap();
    std::fs::write(folder.path().join("d.json"), "").unwrap();
    let paths = [folder.path().to_owned()];
    let one = scanned(&paths, 1);
    assert_eq!(one.files.iter().map(|file| file.records).collect::<Vec<_>>(), [30_000, 20_000, 10, 0]);
    assert!(one.is_whole());
    assert_eq!(one.files[1].packing, Packing::Gzip);
    for threads in [2, 3, 7] {
        assert_eq!(scanned(&paths, threads), one);
    }
}

#[test]
fn a_truncated_gzip_keeps_the_records_before_the_break_and_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let packed = gzip(lines(20_000).as_bytes());
    let path = folder.path().join("cut.json.gz");
    std::fs::write(&path, &packed[..packed.len() / 2]).unwrap();
    for threads in [1, 2] {
        let report = scanned(std::slice::from_ref(&path), threads);
        let file = &report.files[0];
        assert_eq!(file.error.as_deref(), Some("the gzip stream is broken: it ends early"));
        assert_eq!(file.rejects[&Reject::BadCompression].count, 1);
        assert!(file.records > 5000, "{}", file.records);
        assert!(!report.is_whole());
    }
}

#[test]
fn rejects_are_shown_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.json");
    std::fs::write(&path, "{\"a\":1}\n{\"b\":NaN}\n{\"c\":3}\n").unwrap();
    let report = scanned(&[path], 1);
    let broken = &report.files[0].rejects[&Reject::NotJson];
    assert_eq!((broken.count, broken.first[0].offset), (1, 8));
    assert_eq!(broken.first[0].excerpt, "{\"b\":NaN}");
}

#[test]
fn a_missing_path_is_an_error_before_anything_is_read() {
    let mut sink = |_: &Path, _: u64, _: Finding| ControlFlow::Continue(());
    let inputs = [ScanInput::Path("/nowhere".into())];
    let error = scan(&inputs, &engine(), &options(1), &mut sink, &|_| {}).unwrap_err();
    assert!(error.to_string().starts_with("cannot read `/nowhere`"));
}

#[test]
fn progress_ends_at_the_total() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.json"), lines(30_000)).unwrap();
    let last = Mutex::new(Progress::default());
    let mut sink = |_: &Path, _: u64, _: Finding| ControlFlow::Continue(());
    let inputs = [ScanInput::Path(folder.path().to_owned())];
    let tell = |progress| *last.lock().unwrap() = progress;
    scan(&inputs, &engine(), &options(1), &mut sink, &tell).unwrap();
    let last = *last.lock().unwrap();
    assert_eq!(Some(last.bytes), last.bytes_total);
    assert_eq!((last.files, last.files_total), (1, 1));
}
