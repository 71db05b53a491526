//! Headers: the line that names columns goes before each line that follows it, so that a frame tells by itself what it holds.

use super::Frame;
use crate::envelope::is_json;
use crate::source::Heads;

#[derive(Debug)]
pub(super) struct Header {
    heads: Heads,
    /// The header and a line end, and behind them the last line.
    held: Vec<u8>,
    /// How many bytes are the header and its line end; 0 where there is none.
    len: usize,
}

impl Header {
    pub fn new(heads: Heads) -> Header {
        Header { heads, held: Vec::new(), len: 0 }
    }

    /// Hands the frame on, below its header if it is a line of text.
    pub fn put(&mut self, frame: Frame<'_>, each: &mut dyn FnMut(Frame<'_>)) {
        if self.heads.is_empty() || frame.outcome.is_err() || starts_json(frame.bytes) {
            return each(frame);
        }
        if self.heads.is_head(frame.bytes) {
            self.held.clear();
            self.held.extend_from_slice(frame.bytes);
            self.held.push(b'\n');
            self.len = self.held.len();
            return each(Frame { head: frame.bytes.len(), ..frame });
        }
        if self.len == 0 {
            return each(frame);
        }
        self.held.truncate(self.len);
        self.held.extend_from_slice(frame.bytes);
        each(Frame { bytes: &self.held, head: self.len, ..frame });
    }
}

fn starts_json(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(256)];
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&start[..error.valid_up_to()]).unwrap_or_default(),
    };
    is_json(text)
}
