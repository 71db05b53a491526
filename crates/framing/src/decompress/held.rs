//! A gzip file that is small enough to be held whole, as the services of a cloud write them by the million: unpacked in one piece,
//! which takes half the time of a stream.

use std::io::{self, BufRead, Cursor, Read};

use libdeflater::Decompressor;
use memchr::memmem;

use super::GzipReader;

/// The largest packed file that is held.
const PACKED_BYTES_MAX: usize = 1 << 20;
/// The largest plain file that is held.
const PLAIN_BYTES_MAX: usize = 16 << 20;
/// How every member begins (RFC 1952 §2.3.1): the two magic bytes and the only method there is.
const MEMBER: [u8; 3] = [0x1f, 0x8b, 8];
/// Checksum and length of the plain bytes, at the end of a member.
const TAIL_BYTES: usize = 8;

/// The plain bytes of a gzip file: at once if it is small, sound and has one member, and otherwise, or if it cannot be read to its
/// end, as [`GzipReader`] gives them.
pub fn reader<'a>(mut stream: impl BufRead + Send + 'a) -> Box<dyn Read + Send + 'a> {
    let mut packed = Vec::new();
    let read = stream.by_ref().take(PACKED_BYTES_MAX as u64 + 1).read_to_end(&mut packed);
    let is_whole = read.is_ok() && packed.len() <= PACKED_BYTES_MAX;
    if is_whole && let Some(plain) = unpack(&packed) {
        return Box::new(Cursor::new(plain));
    }
    let rest = Rest { stream, error: read.err() };
    Box::new(GzipReader::new(Cursor::new(packed).chain(io::BufReader::new(rest))))
}

/// One sound member, or nothing. libdeflate ends at a member's end and does not say where that was, so a file in which another
/// member could begin is left to the reader, and so is one whose last bytes are not the tail of what was unpacked.
fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let (rest, tail) = packed.split_last_chunk::<TAIL_BYTES>()?;
    let [checksum, length] =
        [&tail[..4], &tail[4..]].map(|part| u32::from_le_bytes(part.try_into().expect("four bytes")));
    let length = usize::try_from(length).ok().filter(|length| *length <= PLAIN_BYTES_MAX)?;
    if memmem::find(rest.get(MEMBER.len()..)?, &MEMBER).is_some() {
        return None;
    }
    let mut plain = vec![0; length];
    let written = Decompressor::new().gzip_decompress(packed, &mut plain).ok()?;
    (written == length && libdeflater::crc32(&plain) == checksum).then_some(plain)
}

/// What is left of a stream: after an error, that error once more.
struct Rest<R> {
    stream: R,
    error: Option<io::Error>,
}

impl<R: Read> Read for Rest<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.error.take() {
            Some(error) => Err(error),
            None => self.stream.read(out),
        }
    }
}
