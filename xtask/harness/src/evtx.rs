//! Windows event log files: framing does not depend on pieces, damage is told, and what is a record is one line of JSON.

use engine::{Format, Frame, Heads, Limits};
use framing::Framing;
use model::Reject;

/// What must not depend on how the file was cut.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    offset: u64,
    outcome: Result<(), Reject>,
    bytes: Vec<u8>,
}

const MAGIC: &[u8] = b"ElfFile\0";
const FILE_HEADER_BYTES: usize = 4096;

/// The bytes are a file, or else the first chunk of one.
pub fn evtx(bytes: &[u8]) {
    let mut file = bytes.to_vec();
    if !bytes.starts_with(MAGIC) {
        file = MAGIC.to_vec();
        file.resize(FILE_HEADER_BYTES, 0);
        file.extend_from_slice(bytes);
    }
    let whole = frames(&file, file.len());
    let piece = 1000 + file.len() % 5000;
    assert_eq!(whole, frames(&file, piece), "framing depends on pieces of {piece} bytes");
    let mut before = 0;
    for seen in &whole {
        assert!(seen.offset >= before && seen.offset < file.len() as u64, "a frame stands at byte {}", seen.offset);
        before = seen.offset;
        match seen.outcome {
            Ok(()) => assert!(is_line_of_json(&seen.bytes), "a record is no line of JSON: {seen:?}"),
            Err(reason) => assert!(is_of_files(reason) && !seen.bytes.is_empty(), "{seen:?}"),
        }
    }
    let has_content = file.iter().skip(FILE_HEADER_BYTES).any(|byte| *byte != 0);
    assert!(!(has_content && whole.is_empty()) || is_empty_chunk(&file), "bytes went missing without a frame");
}

/// A chunk without records holds nothing that could be missed.
fn is_empty_chunk(file: &[u8]) -> bool {
    file.get(FILE_HEADER_BYTES..).is_some_and(|chunk| chunk.starts_with(b"ElfChnk\0"))
}

fn is_line_of_json(bytes: &[u8]) -> bool {
    let is_json = serde_json::from_slice::<serde_json::Value>(bytes).is_ok_and(|value| value.is_object());
    is_json && !bytes.contains(&b'\n')
}

fn is_of_files(reason: Reject) -> bool {
    matches!(reason, Reject::Damaged | Reject::Truncated | Reject::TooLarge)
}

fn frames(file: &[u8], piece: usize) -> Vec<Seen> {
    let mut seen = Vec::new();
    // A record of the event log is larger than the small limits of the other targets.
    let mut framing =
        Framing::new(Format::Auto, Limits { record_bytes: 64 << 10, ..crate::limits() }, Heads::default());
    let mut each = |frame: Frame<'_>| {
        seen.push(Seen { offset: frame.offset, outcome: frame.outcome, bytes: frame.bytes.to_vec() });
    };
    for piece in file.chunks(piece.max(1)) {
        framing.push(piece, &mut each);
    }
    framing.finish(&mut each);
    seen
}
