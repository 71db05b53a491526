//! Framing in pieces of any size gives the frames that framing at once gives.

use engine::{Format, Framer};
use model::Reject;

use crate::limits;

/// What must not depend on how the stream was cut.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    offset: u64,
    outcome: Result<(), Reject>,
    bytes: Vec<u8>,
}

/// The first byte chooses the format, the second the size of the pieces.
pub fn frame(bytes: &[u8]) {
    let [format, piece, stream @ ..] = bytes else { return };
    let format = [Format::Auto, Format::Hec, Format::Lines][usize::from(*format) % 3];
    let piece = usize::from(*piece) % 61 + 1;
    let whole = frames(format, std::iter::once(stream));
    let pieces = frames(format, stream.chunks(piece));
    assert_eq!(whole, pieces, "framing depends on pieces of {piece} bytes");
    let mut end = 0;
    for seen in &whole {
        assert!(seen.offset >= end || seen.outcome.is_err(), "frames overlap at byte {}", seen.offset);
        assert!(seen.bytes.len() <= limits().record_bytes, "a frame is longer than the limit");
        end = end.max(seen.offset);
    }
    // Without brackets and quotes every word is a record of its own or part of one; none may vanish.
    let is_plain = !stream.iter().any(|byte| b"[]{}\",".contains(byte));
    let has_word = stream.iter().any(u8::is_ascii_alphanumeric);
    assert!(!(is_plain && has_word && whole.is_empty()), "bytes went missing without a frame");
}

fn frames<'a>(format: Format, pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut framer = Framer::new(format, limits());
    let mut each = |frame: engine::Frame<'_>| {
        seen.push(Seen { offset: frame.offset, outcome: frame.outcome, bytes: frame.bytes.to_vec() });
    };
    for piece in pieces {
        framer.push(piece, &mut each);
    }
    framer.finish(&mut each);
    seen
}
