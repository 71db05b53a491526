//! Requests of OTLP: whatever the bytes, every record that is counted is one line of JSON, and no bound is passed.

use otlp::{Bounds, Encoding, OtlpError, Signal};

const LINES_BYTES: usize = 64 << 10;
const RECORD_BYTES: usize = 8 << 10;

/// The first byte says which signal and which encoding the others are.
pub fn otlp(bytes: &[u8]) {
    let Some((kind, body)) = bytes.split_first() else { return };
    let signal = if kind & 1 == 0 { Signal::Logs } else { Signal::Traces };
    let encoding = if kind & 2 == 0 { Encoding::Protobuf } else { Encoding::Json };
    let mut held = 0;
    let mut has_room = |bytes: usize| {
        assert!(bytes > held && bytes <= LINES_BYTES, "{bytes} bytes after {held}");
        held = bytes;
        true
    };
    let bounds = Bounds { lines_bytes: LINES_BYTES, record_bytes: RECORD_BYTES, has_room: &mut has_room };
    match otlp::records(signal, encoding, body, bounds) {
        Ok(taken) => check(&taken),
        Err(error) => assert_ne!(error, OtlpError::NoRoom, "there was room"),
    }
}

fn check(taken: &otlp::Taken) {
    let lines: Vec<&[u8]> = taken.lines.split_inclusive(|byte| *byte == b'\n').collect();
    assert_eq!(lines.len() as u64, taken.records, "a record is a line");
    for line in lines {
        assert!(line.len() <= RECORD_BYTES + 1, "a record of {} bytes", line.len());
        let record: Result<serde::de::IgnoredAny, _> = serde_json::from_slice(line);
        // What is nested deeper than a reader goes is the line's to refuse; the framing holds all the same.
        assert!(record.is_ok_and(|_| line.starts_with(b"{")), "a line is not an object of JSON");
    }
}
