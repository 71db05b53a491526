//! ZIP archives: whatever the bytes, reading ends, and what is given does not depend on how much is asked for at once.

use std::io::Read;

use framing::decompress::{Break, open};

/// What one archive may give here: a small bomb is no finding.
const GIVEN_MAX: u64 = 8 << 20;

/// The bytes are an archive, or else what follows the mark of one.
pub fn archive(bytes: &[u8]) {
    let mut archive = bytes.to_vec();
    if !bytes.starts_with(b"PK\x03\x04") {
        archive.splice(0..0, *b"PK\x03\x04");
    }
    assert_eq!(given(&archive, 1 << 16), given(&archive, 1 + bytes.len() % 700));
}

/// Everything before the end or the break, and the break.
fn given(archive: &[u8], piece: usize) -> (Vec<u8>, Option<Break>) {
    let (_, stream) = open(archive).expect("bytes in memory can be read");
    let (mut stream, mut out, mut buffer) = (stream.take(GIVEN_MAX), Vec::new(), vec![0; piece]);
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return (out, None),
            Ok(n) => out.extend_from_slice(&buffer[..n]),
            Err(error) => return (out, Some(Break::of(&error).expect("only breaks end it").clone())),
        }
    }
}
