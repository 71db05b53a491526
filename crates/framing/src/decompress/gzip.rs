//! A gzip reader (RFC 1952) that hands out every byte before a break, reads any number of members, and checks each
//! member's checksum and length. Zero padding after the last member is allowed, as `gzip` itself allows it.

use std::io::{self, BufRead, Read};

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::Break;

const HEAD_BYTES: usize = 10;
const FLAG_CRC: u8 = 2;
const FLAG_EXTRA: u8 = 4;
const FLAG_NAME: u8 = 8;
const FLAG_COMMENT: u8 = 16;

enum State {
    /// Before a member; `first` until one was read.
    Head {
        first: bool,
    },
    Body,
    End,
    /// The break was reported or must be, once the bytes before it are out.
    Broken(String),
}

/// The plain bytes of a gzip stream.
pub struct GzipReader<R> {
    stream: R,
    state: State,
    inflate: Decompress,
    crc: Crc,
}

impl<R: BufRead> GzipReader<R> {
    /// Reads members from `stream`.
    pub fn new(stream: R) -> GzipReader<R> {
        GzipReader { stream, state: State::Head { first: true }, inflate: Decompress::new(false), crc: Crc::new() }
    }

    fn read_some(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            match &self.state {
                State::Broken(reason) => return Err(Break::error("gzip", reason.clone())),
                State::End => return Ok(0),
                State::Head { first } => {
                    let first = *first;
                    self.state = self.read_head(first)?;
                }
                State::Body => {
                    let written = self.read_body(out)?;
                    if written > 0 {
                        return Ok(written);
                    }
                }
            }
        }
    }

    fn read_head(&mut self, first: bool) -> io::Result<State> {
        let mut head = [0; HEAD_BYTES];
        if !first && !self.skip_padding()? {
            return Ok(State::End);
        }
        self.fill(&mut head)?;
        if head[..2] != super::GZIP {
            return Ok(State::Broken("bytes that are not gzip follow a member".to_owned()));
        }
        if head[2] != 8 {
            return Ok(State::Broken(format!("the compression method {} is unknown", head[2])));
        }
        let flags = head[3];
        if flags & FLAG_EXTRA != 0 {
            let mut length = [0; 2];
            self.fill(&mut length)?;
            self.skip(usize::from(u16::from_le_bytes(length)))?;
        }
        if flags & FLAG_NAME != 0 {
            self.skip_text()?;
        }
        if flags & FLAG_COMMENT != 0 {
            self.skip_text()?;
        }
        if flags & FLAG_CRC != 0 {
            self.skip(2)?;
        }
        self.inflate.reset(false);
        self.crc.reset();
        Ok(State::Body)
    }

    /// Inflates into `out`. What was written before an error is still handed out; the error comes with the next read.
    fn read_body(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let input = fill_buf(&mut self.stream)?;
        let is_end = input.is_empty();
        let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
        let outcome = self.inflate.decompress(input, out, FlushDecompress::None);
        let consumed = self.inflate.total_in() - before_in;
        let written = usize::try_from(self.inflate.total_out() - before_out).expect("no more than `out` holds");
        self.stream.consume(usize::try_from(consumed).expect("no more than the buffer holds"));
        self.crc.update(&out[..written]);
        match outcome {
            Ok(Status::StreamEnd) => self.state = self.read_tail()?,
            Ok(_) if written == 0 && is_end => self.state = State::Broken("it ends early".to_owned()),
            Ok(_) => {}
            Err(error) => self.state = State::Broken(error.to_string()),
        }
        Ok(written)
    }

    fn read_tail(&mut self) -> io::Result<State> {
        let mut tail = [0; 8];
        if let Err(error) = self.fill(&mut tail) {
            return if Break::of(&error).is_some() {
                Ok(State::Broken("it ends early".to_owned()))
            } else {
                Err(error)
            };
        }
        let crc = u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]);
        let length = u32::from_le_bytes([tail[4], tail[5], tail[6], tail[7]]);
        if crc != self.crc.sum() || length != self.crc.amount() {
            return Ok(State::Broken("a member's checksum does not match its bytes".to_owned()));
        }
        Ok(State::Head { first: false })
    }

    /// Skips zero bytes between members; false at the end of the stream.
    fn skip_padding(&mut self) -> io::Result<bool> {
        loop {
            let buffer = fill_buf(&mut self.stream)?;
            if buffer.is_empty() {
                return Ok(false);
            }
            let zeros = buffer.iter().take_while(|byte| **byte == 0).count();
            let is_more = zeros < buffer.len();
            self.stream.consume(zeros);
            if is_more {
                return Ok(true);
            }
        }
    }

    fn fill(&mut self, out: &mut [u8]) -> io::Result<()> {
        self.stream.read_exact(out).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Break::error("gzip", "it ends early"),
            _ => error,
        })
    }

    fn skip(&mut self, bytes: usize) -> io::Result<()> {
        let mut rest = bytes;
        while rest > 0 {
            let held = fill_buf(&mut self.stream)?.len().min(rest);
            if held == 0 {
                return Err(Break::error("gzip", "it ends early"));
            }
            self.stream.consume(held);
            rest -= held;
        }
        Ok(())
    }

    fn skip_text(&mut self) -> io::Result<()> {
        loop {
            let buffer = fill_buf(&mut self.stream)?;
            if buffer.is_empty() {
                return Err(Break::error("gzip", "it ends early"));
            }
            let end = buffer.iter().position(|byte| *byte == 0);
            let consumed = end.map_or(buffer.len(), |at| at + 1);
            self.stream.consume(consumed);
            if end.is_some() {
                return Ok(());
            }
        }
    }
}

impl<R: BufRead> Read for GzipReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        self.read_some(out).inspect_err(|error| {
            if let Some(found) = Break::of(error) {
                self.state = State::Broken(found.reason.clone());
            }
        })
    }
}

fn fill_buf(stream: &mut impl BufRead) -> io::Result<&[u8]> {
    loop {
        match stream.fill_buf() {
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    stream.fill_buf()
}
