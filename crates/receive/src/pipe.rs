//! From a body that comes in pieces, `async`, to a reader that blocks.
//!
//! Bound: [`PIECES`] pieces. When full, the writer waits and the sender is not read on. A writer that goes away without an end breaks
//! the stream off, so that half of an object never passes for the whole.

use std::io::{self, Read};

use bytes::{Buf, Bytes};
use tokio::sync::mpsc;

const PIECES: usize = 8;

enum Piece {
    Bytes(Bytes),
    Broken(io::Error),
    End,
}

pub(crate) struct Writer(mpsc::Sender<Piece>);

pub(crate) struct Reader {
    pieces: mpsc::Receiver<Piece>,
    held: Bytes,
    is_at_end: bool,
}

pub(crate) fn pipe() -> (Writer, Reader) {
    let (sender, pieces) = mpsc::channel(PIECES);
    (Writer(sender), Reader { pieces, held: Bytes::new(), is_at_end: false })
}

impl Writer {
    /// Hands on a piece; false when nobody reads any more.
    pub async fn write(&self, bytes: Bytes) -> bool {
        self.0.send(Piece::Bytes(bytes)).await.is_ok()
    }

    /// Ends the stream as a whole one.
    pub async fn end(self) {
        // A reader that went away has said why.
        let _ = self.0.send(Piece::End).await;
    }

    /// Breaks the stream off.
    pub async fn break_off(self, why: impl Into<Box<dyn std::error::Error + Send + Sync>>) {
        let _ = self.0.send(Piece::Broken(io::Error::new(io::ErrorKind::ConnectionAborted, why))).await;
    }
}

impl Read for Reader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.held.is_empty() && !self.is_at_end {
            match self.pieces.blocking_recv() {
                Some(Piece::Bytes(bytes)) => self.held = bytes,
                Some(Piece::End) => self.is_at_end = true,
                Some(Piece::Broken(error)) => return Err(error),
                None => return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "its reader was told to end")),
            }
        }
        let taken = self.held.len().min(out.len());
        self.held.copy_to_slice(&mut out[..taken]);
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read_to_end(mut reader: Reader) -> io::Result<Vec<u8>> {
        let reading = tokio::task::spawn_blocking(move || {
            let mut all = Vec::new();
            reader.read_to_end(&mut all).map(|_| all)
        });
        reading.await.unwrap()
    }

    #[tokio::test]
    async fn pieces_are_read_in_order_to_the_end() {
        let (writer, reader) = pipe();
        let reading = tokio::spawn(read_to_end(reader));
        for piece in ["a", "", "bc"] {
            assert!(writer.write(Bytes::from_static(piece.as_bytes())).await);
        }
        writer.end().await;
        assert_eq!(reading.await.unwrap().unwrap(), b"abc");
    }

    #[tokio::test]
    async fn a_stream_without_an_end_is_an_error() {
        let (writer, reader) = pipe();
        assert!(writer.write(Bytes::from_static(b"half")).await);
        drop(writer);
        assert!(read_to_end(reader).await.is_err());
        let (writer, reader) = pipe();
        writer.break_off("connection reset").await;
        assert_eq!(read_to_end(reader).await.unwrap_err().to_string(), "connection reset");
    }
}
