//! Digests of what streams past.

use std::io::{self, Read};

use model::Digest;
use sha2::{Digest as _, Sha256};

/// SHA-256 and length of everything that `reader` gives.
///
/// Shape: one pass, 64 KiB of memory whatever the length.
/// Errors: those of the reader.
pub fn of_reader(mut reader: impl Read) -> io::Result<(Digest, u64)> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut bytes = 0;
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok((Digest(hasher.finalize().into()), bytes)),
            Ok(n) => {
                hasher.update(&buffer[..n]);
                bytes += n as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Digests what is written or read through it, while it passes.
pub struct DigestReader<R> {
    reader: R,
    hasher: Sha256,
    bytes: u64,
}

impl<R: Read> DigestReader<R> {
    /// Around `reader`.
    pub fn new(reader: R) -> DigestReader<R> {
        DigestReader { reader, hasher: Sha256::new(), bytes: 0 }
    }

    /// Digest and length of what has passed.
    pub fn finish(self) -> (Digest, u64) {
        (Digest(self.hasher.finalize().into()), self.bytes)
    }
}

impl<R: Read> Read for DigestReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buffer)?;
        self.hasher.update(&buffer[..n]);
        self.bytes += n as u64;
        Ok(n)
    }
}
