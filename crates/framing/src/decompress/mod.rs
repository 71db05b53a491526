//! Opens a stream: plain, gzip (also of many members), zstd (also of many frames) or a ZIP archive, told apart by its first bytes.
//!
//! Comes in: any `Read`. Goes out: the plain bytes through `Read`. Bound: a window of 8 MiB for zstd from the network, 128 MiB for
//! files, 17 MiB for a small gzip file, and fixed buffers. A stream that is broken or ends early gives every byte before the break and then a [`Break`].

mod archive;
mod gzip;
mod held;
mod inspect;

use std::io::{self, BufRead, BufReader, Read};

use crate::EVTX_MAGIC;

pub use gzip::GzipReader;

const BUFFER_BYTES: usize = 256 << 10;
const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZIP: [u8; 4] = *b"PK\x03\x04";
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// RFC 8878 §3.1.2: sixteen magic numbers of skippable frames, which may come first.
const ZSTD_SKIPPABLE: [u8; 3] = [0x2a, 0x4d, 0x18];

/// The largest zstd window that a file may ask for: 128 MiB, the default of the zstd tool.
const FILE_WINDOW_LOG: u32 = 27;
/// The largest zstd window that a body from the network may ask for: 8 MiB, as RFC 9659 asks.
const BODY_WINDOW_LOG: u32 = 23;

/// How a stream is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// A ZIP archive: its files one after another, see `archive`.
    Zip,
    /// Not at all, and not text either: a Windows event log, whose chunks change in place while it is written.
    Evtx,
}

/// The packed stream is broken or ends early. It travels inside an [`io::Error`] of kind `InvalidData`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {packing} stream is broken: {reason}")]
pub struct Break {
    /// `gzip`, `zstd` or `zip`.
    pub packing: &'static str,
    /// What is wrong.
    pub reason: String,
}

impl Break {
    /// The break inside an error, if it is one.
    pub fn of(error: &io::Error) -> Option<&Break> {
        error.get_ref().and_then(|inner| inner.downcast_ref::<Break>())
    }

    pub(crate) fn error(packing: &'static str, reason: impl Into<String>) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, Break { packing, reason: reason.into() })
    }
}

impl Packing {
    /// Tells the packing from the first bytes of a stream.
    pub fn of(head: &[u8]) -> Packing {
        if head.starts_with(&GZIP) {
            Packing::Gzip
        } else if head.starts_with(&ZSTD) || head.len() >= 4 && head[0] & 0xf0 == 0x50 && head[1..4] == ZSTD_SKIPPABLE {
            Packing::Zstd
        } else if head.starts_with(&ZIP) {
            Packing::Zip
        } else if head.starts_with(EVTX_MAGIC) {
            Packing::Evtx
        } else {
            Packing::Plain
        }
    }
}

/// The plain bytes of `stream`, whatever its packing.
pub fn open<'a>(stream: impl Read + Send + 'a) -> io::Result<(Packing, Box<dyn Read + Send + 'a>)> {
    let mut buffered = BufReader::with_capacity(BUFFER_BYTES, stream);
    let packing = Packing::of(first_bytes(&mut buffered)?);
    Ok((packing, unpack(packing, buffered, FILE_WINDOW_LOG)?))
}

/// As [`open`], for a file, which ends and waits for nobody: a small gzip file is unpacked in one piece, which takes half the time.
pub fn open_file<'a>(file: impl Read + Send + 'a) -> io::Result<(Packing, Box<dyn Read + Send + 'a>)> {
    let mut buffered = BufReader::with_capacity(BUFFER_BYTES, file);
    match Packing::of(first_bytes(&mut buffered)?) {
        Packing::Gzip => Ok((Packing::Gzip, held::reader(buffered))),
        packing => Ok((packing, unpack(packing, buffered, FILE_WINDOW_LOG)?)),
    }
}

/// The first bytes without consuming them. A short first read (a pipe) may show fewer than four; a file never does.
fn first_bytes(stream: &mut impl BufRead) -> io::Result<&[u8]> {
    loop {
        match stream.fill_buf() {
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    stream.fill_buf()
}

fn unpack<'a>(
    packing: Packing,
    stream: impl BufRead + Send + 'a,
    window_log: u32,
) -> io::Result<Box<dyn Read + Send + 'a>> {
    Ok(match packing {
        Packing::Plain | Packing::Evtx => Box::new(stream),
        Packing::Gzip => Box::new(GzipReader::new(stream)),
        Packing::Zip => Box::new(archive::ArchiveReader::new(stream)),
        Packing::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(stream)?;
            decoder.window_log_max(window_log)?;
            Box::new(ZstdReader(decoder))
        }
    })
}

struct ZstdReader<'a, R: BufRead>(zstd::stream::read::Decoder<'a, R>);

impl<R: BufRead> Read for ZstdReader<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Break::error("zstd", "it ends early"),
            // zstd's own errors are of kind Other; what the stream below says stays as it is.
            io::ErrorKind::Other => Break::error("zstd", error.to_string()),
            _ => error,
        })
    }
}

/// Why a body from the network was not unpacked.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is longer than allowed once unpacked.
    #[error("the body is longer than {0} bytes once unpacked")]
    TooLarge(usize),
    /// The packed stream is broken.
    #[error(transparent)]
    Broken(#[from] Break),
    /// There is no room now for what it becomes.
    #[error("there is no room now for the unpacked body; send it again")]
    NoRoom,
    /// The `Content-Encoding` is not one that we read.
    #[error("the content encoding `{0}` is not supported; send gzip, zstd or identity")]
    Unsupported(String),
}

/// Unpacks a whole HTTP body by its `Content-Encoding` (`gzip`, `x-gzip`, `zstd`, `identity` or none), up to `bytes_max`.
///
/// A bomb costs no more than `bytes_max` plus the decoder's window (8 MiB). Pure: takes and gives bytes.
/// `has_room` is told again and again how many unpacked bytes are held.
pub fn body(
    packed: Vec<u8>,
    encoding: Option<&str>,
    bytes_max: usize,
    has_room: &mut dyn FnMut(usize) -> bool,
) -> Result<Vec<u8>, BodyError> {
    let packing = match encoding.map(str::trim).map(str::to_ascii_lowercase).as_deref() {
        None | Some("" | "identity") => Packing::Plain,
        Some("gzip" | "x-gzip") => Packing::Gzip,
        Some("zstd") => Packing::Zstd,
        Some(other) => return Err(BodyError::Unsupported(other.chars().take(64).collect())),
    };
    if packing == Packing::Plain {
        return if packed.len() > bytes_max { Err(BodyError::TooLarge(bytes_max)) } else { Ok(packed) };
    }
    let broken = |error: io::Error| match Break::of(&error) {
        Some(found) => BodyError::Broken(found.clone()),
        None => BodyError::Broken(Break { packing: "packed", reason: error.to_string() }),
    };
    let mut stream = unpack(packing, packed.as_slice(), BODY_WINDOW_LOG).map_err(broken)?;
    let mut plain = Vec::new();
    loop {
        let read = stream.by_ref().take(BUFFER_BYTES as u64).read_to_end(&mut plain).map_err(broken)?;
        if plain.len() > bytes_max {
            return Err(BodyError::TooLarge(bytes_max));
        }
        if read == 0 {
            return Ok(plain);
        }
        if !has_room(plain.len()) {
            return Err(BodyError::NoRoom);
        }
    }
}

#[cfg(test)]
mod tests;
