use std::io::Write;

use proptest::prelude::*;
use serde_json::Value;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::super::{Packing, open};
use super::*;

fn packed_by(method: zip::CompressionMethod, files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        archive.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
    packed_by(zip::CompressionMethod::Deflated, files)
}

/// What comes out, and why it ended if it broke.
fn read(archive: &[u8]) -> (String, Option<String>) {
    let (packing, mut stream) = open(archive).unwrap();
    assert_eq!(packing, Packing::Zip);
    let (mut out, mut piece) = (Vec::new(), [0; 7]);
    let broken = loop {
        match stream.read(&mut piece) {
            Ok(0) => break None,
            Ok(n) => out.extend_from_slice(&piece[..n]),
            Err(error) => break Some(Break::of(&error).expect("a break").reason.clone()),
        }
    };
    assert_eq!(stream.read(&mut piece).unwrap(), 0, "it has ended");
    (String::from_utf8_lossy(&out).into_owned(), broken)
}

const START: &str = r#"{"version":2,"eval":{"run_id":"r","task":"t","model":"m","created":"2026-05-07T20:00:00Z","dataset":{"sample_ids":[1,2]}},"plan":{}}"#;
const HEADER: &str = "{\n \"version\":2,\n \"status\":\"success\",\n \"eval\":{\"run_id\":\"r\",\"task\":\"t\"},\n \"results\":{\"accuracy\":NaN}\n}";

#[test]
fn the_files_of_an_archive_come_one_after_another_whatever_their_packing() {
    let gz = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(b"{\"c\":3}\n").unwrap();
        encoder.finish().unwrap()
    };
    let files: [(&str, &[u8]); 4] =
        [("a.json", b"{\"a\":1}"), ("folder/", b""), ("b.log", b"one\ntwo\n"), ("c.json.gz", &gz)];
    for method in [zip::CompressionMethod::Stored, zip::CompressionMethod::Deflated, zip::CompressionMethod::Zstd] {
        assert_eq!(read(&packed_by(method, &files)), ("{\"a\":1}\none\ntwo\n\n{\"c\":3}\n\n".into(), None));
    }
    assert_eq!(read(&packed(&[("empty", b"")])), ("\n".into(), None));
}

#[test]
fn an_inspect_archive_gives_its_header_and_each_sample_with_its_run() {
    let archive = packed(&[
        ("_journal/start.json", START.as_bytes()),
        ("samples/1_epoch_1.json", b"{\"id\":1,\"epoch\":1}"),
        ("_journal/summaries/1.json", b"[{\"id\":1}]"),
        ("summaries.json", b"[{\"id\":1}]"),
        ("reductions.json", b"[]"),
        ("header.json", HEADER.as_bytes()),
    ]);
    let sample = r#"{"version":2,"eval":{"run_id":"r","task":"t"},"samples":[{"id":1,"epoch":1}]}"#;
    assert_eq!(read(&archive), (format!("{sample}\n{HEADER}\n"), None));
}

#[test]
fn a_run_that_has_not_ended_is_told_as_started() {
    let archive = packed(&[("_journal/start.json", START.as_bytes()), ("samples/1_epoch_1.json", b"{\"id\":1}")]);
    let (out, broken) = read(&archive);
    let records: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((records.len(), broken), (2, None));
    assert_eq!((&records[0]["status"], &records[0]["eval"]["run_id"]), (&"started".into(), &"r".into()));
    assert_eq!(records[1]["eval"]["dataset"], Value::Null, "a sample is told plain values alone");
    assert_eq!(records[1]["eval"]["model"], "m");
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_keeps_nothing_from_the_others() {
    let mut archive = packed(&[("a", b"first\n"), ("b", &[b'x'; 4000]), ("c", b"last\n")]);
    let data = memchr::memmem::find(&archive, b"b").unwrap() + 1;
    archive[data..data + 3].fill(0xff);
    let (out, broken) = read(&archive);
    assert!(out.starts_with("first\n") && out.ends_with("last\n\n"), "{out}");
    let broken = broken.expect("it is said");
    assert!(broken.starts_with("1 of its files cannot be read: `b`: "), "{broken}");
    let (out, broken) =
        read(&packed(&[("in.zip", &packed(&[("a", b"a")])), ("log.evtx", b"ElfFile\0 and more"), ("c", b"last")]));
    assert_eq!(out, "last\n");
    assert!(broken.unwrap().contains("2 of its files"));
}

#[test]
fn an_archive_that_ends_early_is_broken() {
    let archive = packed(&[("a", b"first")]);
    let (out, broken) = read(&archive[..archive.len() - 30]);
    assert!(out.is_empty() && broken.is_some());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_or_give_without_end(at in 0_usize..300, byte: u8, cut in 0_usize..40) {
        let mut archive = packed(&[("_journal/start.json", START.as_bytes()), ("samples/1.json", b"{\"id\":1}"), ("header.json", HEADER.as_bytes())]);
        let at = at % archive.len();
        archive[at] = byte;
        archive.truncate(archive.len() - cut);
        let (_, mut stream) = open(archive.as_slice()).unwrap();
        let mut out = Vec::new();
        let _ = stream.by_ref().take(1 << 20).read_to_end(&mut out);
        prop_assert!(out.len() < 1 << 20);
    }
}
