use model::Reject;

use super::*;

/// A frame without its lifetime.
type Seen = (u64, Result<(), Reject>, Vec<u8>);

fn frames(format: Format, bytes: &[u8], piece: usize) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut framing = Framing::new(format, Limits::default(), Heads::default());
    let mut each = |frame: Frame<'_>| seen.push((frame.offset, frame.outcome, frame.bytes.to_vec()));
    bytes.chunks(piece).for_each(|piece| framing.push(piece, &mut each));
    framing.finish(&mut each);
    seen
}

#[test]
fn text_is_framed_as_the_engine_frames_it_however_it_comes() {
    for text in ["", "E", "ElfFil", "ElfFile", "ElfFile is a word\nand this a line", "{\"a\":1}\n{\"a\":2}", "Elf\n{}"]
    {
        let mut expected = Vec::new();
        let mut framer = Framer::new(Format::Auto, Limits::default());
        let mut each = |frame: Frame<'_>| expected.push((frame.offset, frame.outcome, frame.bytes.to_vec()));
        framer.push(text.as_bytes(), &mut each);
        framer.finish(&mut each);
        for piece in [1, 3, 100] {
            assert_eq!(frames(Format::Auto, text.as_bytes(), piece), expected, "{text} in pieces of {piece}");
        }
    }
}

#[test]
fn a_format_that_was_named_is_not_guessed() {
    let seen = frames(Format::Lines, b"ElfFile\0\nx", 100);
    assert_eq!(seen.iter().map(|seen| seen.2.as_slice()).collect::<Vec<_>>(), [b"ElfFile\0".as_slice(), b"x"]);
}

#[test]
fn a_log_that_ends_in_its_header_is_cut_off() {
    assert_eq!(frames(Format::Auto, b"ElfFile\0", 3), [(0, Err(Reject::Truncated), b"ElfFile\0".to_vec())]);
    let mut header = b"ElfFile\0".to_vec();
    header.resize(4096, 0);
    assert_eq!(frames(Format::Auto, &header, 100), [], "a log without records");
}

#[test]
fn a_chunk_that_is_none_is_kept_and_one_that_was_never_used_is_passed_over() {
    let mut log = b"ElfFile\0".to_vec();
    log.resize(4096 + (64 << 10), 0);
    assert_eq!(frames(Format::Auto, &log, 1000), []);
    log.resize(log.len() + (64 << 10), b'x');
    let seen = frames(Format::Auto, &log, 1000);
    assert_eq!(
        seen.iter().map(|seen| (seen.0, seen.1, seen.2.len())).collect::<Vec<_>>(),
        [(4096 + (64 << 10), Err(Reject::Damaged), 64 << 10)]
    );
}
