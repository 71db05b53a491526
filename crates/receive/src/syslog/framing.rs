//! Messages in a stream: octet counting and trailers, told apart at the start of each message. Source: RFC 6587, 3.4.
//!
//! In: the bytes of one connection, in pieces of any size. Out: messages without trailer. Bound: one message; of a longer one its first bytes
//! go out as [`Whole::TooLong`], and the rest is passed over.

/// Is a message whole?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whole {
    Yes,
    /// It is longer than the bound.
    TooLong,
    /// The connection ended inside of it.
    Cut,
}

/// Digits of a length that could still be one; more is text.
const DIGITS_MAX: usize = 9;

#[derive(Debug)]
pub(super) struct Framing {
    bytes_max: usize,
    state: State,
    held: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// At the start of a message, or inside of its length, which is held.
    Start,
    /// So many bytes of the message are still to come; how many of it are there in all.
    Counted { left: usize, length: usize },
    /// Inside of a message that ends with a trailer.
    Line { is_too_long: bool },
}

impl Framing {
    pub fn new(bytes_max: usize) -> Framing {
        Framing { bytes_max: bytes_max.max(1), state: State::Start, held: Vec::new() }
    }

    /// Takes the connection's next bytes; calls `each` for every message that they complete.
    pub fn push(&mut self, mut bytes: &[u8], each: &mut dyn FnMut(&[u8], Whole)) {
        while !bytes.is_empty() {
            bytes = match self.state {
                State::Start => self.start(bytes, each),
                State::Counted { left, length } => self.counted(bytes, left, length, each),
                State::Line { is_too_long } => self.line(bytes, is_too_long, each),
            };
        }
    }

    /// Ends the connection; calls `each` for what is left. Where the sender closed it, a last message needs no trailer.
    pub fn finish(mut self, is_closed: bool, each: &mut dyn FnMut(&[u8], Whole)) {
        let last = if is_closed { Whole::Yes } else { Whole::Cut };
        match self.state {
            State::Counted { length, .. } => {
                let whole = if length > self.bytes_max && self.held.len() == self.bytes_max {
                    Whole::TooLong
                } else {
                    Whole::Cut
                };
                each(&self.held, whole);
            }
            State::Start => self.end_line(last, each),
            State::Line { is_too_long } => self.end_line(if is_too_long { Whole::TooLong } else { last }, each),
        }
    }

    /// Reads a length, byte by byte, as long as it could be one.
    fn start<'b>(&mut self, bytes: &'b [u8], each: &mut dyn FnMut(&[u8], Whole)) -> &'b [u8] {
        let byte = bytes[0];
        let is_first = self.held.is_empty();
        if is_first && is_trailer(byte) {
            return &bytes[1..];
        }
        if byte == b' ' && !is_first {
            let length = std::str::from_utf8(&self.held).ok().and_then(|digits| digits.parse().ok());
            let length: usize = length.expect("at most nine digits are held");
            self.held.clear();
            self.state = State::Counted { left: length, length };
            return &bytes[1..];
        }
        let is_length = if is_first { (b'1'..=b'9').contains(&byte) } else { byte.is_ascii_digit() };
        if is_length && self.held.len() < DIGITS_MAX {
            self.held.push(byte);
            return &bytes[1..];
        }
        self.state = State::Line { is_too_long: false };
        self.line(bytes, false, each)
    }

    fn counted<'b>(
        &mut self,
        bytes: &'b [u8],
        left: usize,
        length: usize,
        each: &mut dyn FnMut(&[u8], Whole),
    ) -> &'b [u8] {
        let (own, rest) = bytes.split_at(left.min(bytes.len()));
        self.hold(own);
        let left = left - own.len();
        self.state = State::Counted { left, length };
        if left == 0 {
            let whole = if length > self.bytes_max { Whole::TooLong } else { Whole::Yes };
            self.end_line(whole, each);
        }
        rest
    }

    fn line<'b>(&mut self, bytes: &'b [u8], was_too_long: bool, each: &mut dyn FnMut(&[u8], Whole)) -> &'b [u8] {
        let end = bytes.iter().position(|byte| is_trailer(*byte));
        let (own, rest) =
            (&bytes[..end.unwrap_or(bytes.len())], end.map_or(&bytes[bytes.len()..], |end| &bytes[end + 1..]));
        let is_too_long = !self.hold(own) || was_too_long;
        self.state = State::Line { is_too_long };
        if end.is_some() {
            self.end_line(if is_too_long { Whole::TooLong } else { Whole::Yes }, each);
        }
        rest
    }

    /// Holds as much as the bound allows; was that all?
    fn hold(&mut self, bytes: &[u8]) -> bool {
        let room = self.bytes_max.saturating_sub(self.held.len()).min(bytes.len());
        self.held.extend_from_slice(&bytes[..room]);
        room == bytes.len()
    }

    fn end_line(&mut self, whole: Whole, each: &mut dyn FnMut(&[u8], Whole)) {
        let text = self.held.trim_ascii_end();
        let text = &text[..text.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)];
        if !text.is_empty() {
            each(text, whole);
        }
        self.held.clear();
        self.state = State::Start;
    }
}

/// RFC 6587, 3.4.2: most senders end a message with LF, some with NUL.
fn is_trailer(byte: u8) -> bool {
    matches!(byte, b'\n' | 0)
}

/// A message as one line: a line feed inside of it is written as rsyslog writes it.
pub(super) fn one_line(message: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(message.len());
    for byte in message {
        match byte {
            b'\n' => line.extend_from_slice(b"#012"),
            byte => line.push(*byte),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frames(pieces: &[&[u8]], bytes_max: usize) -> Vec<(String, Whole)> {
        let mut framing = Framing::new(bytes_max);
        let mut all = Vec::new();
        let mut each = |bytes: &[u8], whole: Whole| all.push((String::from_utf8_lossy(bytes).into_owned(), whole));
        for piece in pieces {
            framing.push(piece, &mut each);
        }
        framing.finish(true, &mut each);
        all
    }

    fn whole(texts: &[&str]) -> Vec<(String, Whole)> {
        texts.iter().map(|text| ((*text).to_owned(), Whole::Yes)).collect()
    }

    #[test]
    fn both_framings_may_follow_each_other_on_one_connection() {
        let stream = b"<13>a\n5 <13>b<13>c\r\n6 <13>de\n\n<13>f\0<13>g";
        assert_eq!(frames(&[stream], 100), whole(&["<13>a", "<13>b", "<13>c", "<13>de", "<13>f", "<13>g"]));
    }

    #[test]
    fn a_counted_message_may_hold_line_feeds() {
        assert_eq!(frames(&[b"9 <13>a\nb\nc<13>d\n"], 100), whole(&["<13>a\nb\nc", "<13>d"]));
        assert_eq!(one_line(b"a\nb"), b"a#012b");
    }

    #[test]
    fn a_line_that_begins_with_digits_is_a_line() {
        assert_eq!(
            frames(&[b"2026-11-22 x\n0 y\n12345678901 z\n42\n"], 100),
            whole(&["2026-11-22 x", "0 y", "12345678901 z", "42"])
        );
    }

    #[test]
    fn what_is_too_long_or_cut_says_so_and_the_next_message_is_whole() {
        let stream = b"10 0123456789abcdefgh\nok\n";
        assert_eq!(
            frames(&[stream], 4),
            [("0123".to_owned(), Whole::TooLong), ("abcd".to_owned(), Whole::TooLong), ("ok".to_owned(), Whole::Yes)]
        );
        assert_eq!(frames(&[b"10 half"], 100), [("half".to_owned(), Whole::Cut)]);
        assert_eq!(frames(&[b"10 "], 100), [(String::new(), Whole::Cut)]);
    }

    proptest! {
        #[test]
        fn messages_are_the_same_however_the_stream_is_cut(
            stream in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b' '), b'0'..=b'9', any::<u8>()], 0..200),
            cuts in proptest::collection::vec(0usize..200, 0..6),
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(stream.len())).chain([0, stream.len()]).collect();
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
            prop_assert_eq!(frames(&pieces, 16), frames(&[&stream], 16));
        }

        #[test]
        fn what_is_counted_comes_back(messages in proptest::collection::vec("<[0-9]{1,3}>[ -~\n]{0,40}x", 1..6)) {
            let stream: String = messages.iter().map(|message| format!("{} {message}", message.len())).collect();
            let told: Vec<String> = frames(&[stream.as_bytes()], 100).into_iter().map(|(text, _)| text).collect();
            prop_assert_eq!(told, messages);
        }
    }
}
