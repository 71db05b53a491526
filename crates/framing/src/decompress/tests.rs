use std::io::{Read, Write};

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd_of(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

/// Everything before the break, and the break: the same from a stream and from a file.
fn read(packed: &[u8]) -> (Vec<u8>, Option<Break>) {
    let of_stream = drain(open(packed).unwrap().1);
    assert_eq!(drain(open_file(packed).unwrap().1), of_stream);
    of_stream
}

fn drain(mut stream: impl Read) -> (Vec<u8>, Option<Break>) {
    let mut plain = Vec::new();
    let mut buffer = [0; 1000];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return (plain, None),
            Ok(n) => plain.extend_from_slice(&buffer[..n]),
            Err(error) => return (plain, Some(Break::of(&error).expect("a break").clone())),
        }
    }
}

fn text(lines: usize) -> Vec<u8> {
    (0..lines).flat_map(|n| format!("line {n} {}\n", n * 7919 % 1013).into_bytes()).collect()
}

#[test]
fn plain_gzip_and_zstd_are_told_apart_by_their_bytes() {
    let plain = text(5000);
    assert_eq!(read(&plain), (plain.clone(), None));
    assert_eq!(read(&gzip(&plain)), (plain.clone(), None));
    assert_eq!(read(&zstd_of(&plain)), (plain.clone(), None));
    assert_eq!(read(b""), (Vec::new(), None));
    assert_eq!(read(b"\x1f"), (b"\x1f".to_vec(), None));
}

#[test]
fn many_members_and_frames_are_one_stream() {
    let (a, b) = (text(100), text(300));
    let both = [a.clone(), b.clone()].concat();
    assert_eq!(read(&[gzip(&a), gzip(b""), gzip(&b)].concat()), (both.clone(), None));
    assert_eq!(read(&[zstd_of(&a), zstd_of(&b)].concat()), (both.clone(), None));
    assert_eq!(read(&[gzip(&a), gzip(&b), vec![0; 700]].concat()), (both, None), "zero padding is allowed");
}

#[test]
fn a_member_behind_one_that_looks_the_same_is_not_lost() {
    let (a, b) = (text(100), text(300));
    let twice = [gzip(&a), gzip(&b), gzip(&a)].concat();
    assert_eq!(read(&twice), ([&a[..], &b, &a].concat(), None));
    assert_eq!(read(&[gzip(&a), gzip(&a)].concat()), ([&a[..], &a].concat(), None));
}

#[test]
fn a_file_too_large_to_be_held_is_read_as_a_stream() {
    let long_packed: Vec<u8> = (0..600_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    assert!(gzip(&long_packed).len() > 1 << 20);
    assert_eq!(read(&gzip(&long_packed)), (long_packed, None));
    let long_plain = vec![b' '; (16 << 20) + 1];
    assert_eq!(read(&gzip(&long_plain)), (long_plain, None));
}

#[test]
fn an_error_of_the_file_comes_after_the_bytes_before_it() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let (plain, packed) = (text(20_000), gzip(&text(20_000)));
    let (_, mut stream) = open_file(packed[..packed.len() / 2].chain(Failing)).unwrap();
    let mut before = Vec::new();
    let error = stream.read_to_end(&mut before).unwrap_err();
    assert_eq!(error.to_string(), "the disk is gone");
    assert!(before.len() > plain.len() / 3 && plain.starts_with(&before), "{}", before.len());
}

#[test]
fn a_truncated_stream_gives_what_came_before_and_then_the_break() {
    let plain = text(20_000);
    for packed in [gzip(&plain), zstd_of(&plain)] {
        for cut in [packed.len() / 2, packed.len() - 1, packed.len() - 9] {
            let (before, found) = read(&packed[..cut]);
            assert!(found.is_some(), "cut at {cut}");
            assert!(plain.starts_with(&before));
        }
    }
    let packed = gzip(&plain);
    let (before, found) = read(&packed[..packed.len() - 4]);
    assert_eq!(before, plain, "all records are there, only the checksum is not");
    assert_eq!(found.unwrap().to_string(), "the gzip stream is broken: it ends early");
    let (before, _) = read(&packed[..packed.len() / 2]);
    assert!(before.len() > plain.len() / 3, "{} of {}", before.len(), plain.len());
}

#[test]
fn a_flipped_bit_is_a_break_not_a_wrong_record() {
    let plain = text(20_000);
    let mut packed = gzip(&plain);
    let at = packed.len() - 6;
    packed[at] ^= 1;
    let (before, found) = read(&packed);
    assert_eq!(before, plain);
    assert!(found.unwrap().reason.contains("checksum"));
    let mut trailing = gzip(&plain);
    trailing.extend_from_slice(b"garbage after the member");
    let (before, found) = read(&trailing);
    assert_eq!(before, plain);
    assert!(found.unwrap().reason.contains("not gzip"));
}

#[test]
fn names_and_comments_in_the_head_are_skipped() {
    let mut encoder = flate2::GzBuilder::new()
        .filename("events.json")
        .comment("x")
        .extra(vec![1, 2, 3])
        .write(Vec::new(), flate2::Compression::fast());
    encoder.write_all(b"hello").unwrap();
    assert_eq!(read(&encoder.finish().unwrap()), (b"hello".to_vec(), None));
}

#[test]
fn a_body_is_unpacked_by_its_encoding_and_bounded() {
    let plain = vec![b'a'; 1 << 20];
    let body = |packed, encoding, max| super::body(packed, encoding, max, &mut |_| true);
    assert_eq!(body(gzip(&plain), Some("gzip"), 1 << 20), Ok(plain.clone()));
    assert_eq!(body(zstd_of(&plain), Some("ZSTD"), 1 << 20), Ok(plain.clone()));
    assert_eq!(body(plain.clone(), None, 1 << 20), Ok(plain.clone()));
    assert_eq!(body(gzip(&plain), Some("gzip"), (1 << 20) - 1), Err(BodyError::TooLarge((1 << 20) - 1)));
    assert_eq!(body(zstd_of(&plain), Some("zstd"), 10), Err(BodyError::TooLarge(10)));
    assert_eq!(body(plain, Some("identity"), 10), Err(BodyError::TooLarge(10)));
    assert_eq!(body(b"x".to_vec(), Some("br"), 10), Err(BodyError::Unsupported("br".into())));
    assert!(matches!(body(b"not gzip at all".to_vec(), Some("gzip"), 100), Err(BodyError::Broken(_))));
    let bomb = gzip(&vec![b' '; 16 << 20]);
    let mut most = 0;
    let mut has_room = |bytes: usize| {
        most = bytes;
        bytes <= 1 << 20
    };
    assert_eq!(super::body(bomb, Some("gzip"), 64 << 20, &mut has_room), Err(BodyError::NoRoom));
    assert!(most <= 2 << 20, "no more is unpacked than there is room for: {most}");
}
