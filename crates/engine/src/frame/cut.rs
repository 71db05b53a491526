//! Cutting: the states of a stream, and the fast path for JSON lines.
//!
//! A line that starts with `{`, ends with `}`, holds no container and is not followed by a byte that would go on with it is a record,
//! and is found by searching for its line end alone. All else goes through [`Scan`]; both ways give the same frames.

use model::Reject;

use super::scan::{Met, Scan, may_hold_container, may_hold_several};
use super::{Format, Frame};
use crate::limits::Limits;

const BOM: &[u8] = b"\xEF\xBB\xBF";
/// What follows the records of a container is dropped beyond this size.
const TAIL_BYTES: usize = 64 << 10;

#[derive(Clone, Debug)]
enum State {
    /// Between records.
    Between,
    /// A line of text, searched for its end so far.
    Text { searched: usize },
    /// A JSON value outside of containers, with the end of its last bracket when that is known.
    Value { scan: Scan, closed: bool },
    /// The rest of a record that is too long: until a line end, or one after which a record can start.
    Skip { any_line: bool },
    /// Between the records of an array, which may stand in an object.
    Elements { in_object: bool },
    /// A record of an array; when it is too long, what is left of it is dropped.
    Element { scan: Scan, in_object: bool, dropped: bool },
    /// What follows an array of records in its object.
    Tail { scan: Scan },
}

/// What a step did.
enum Step {
    /// It took so many bytes.
    Used(usize),
    /// It cannot go on without more bytes.
    Wait(usize),
}

#[derive(Debug)]
pub(super) struct Cutter {
    format: Format,
    limits: Limits,
    /// Where the bytes that are next start in the stream.
    offset: u64,
    state: State,
    /// Up to here in the stream, no line ends.
    searched: u64,
    /// The last record was a line of its own, so a line that starts with `{` starts a record.
    in_lines: bool,
}

type Each<'e> = dyn FnMut(Frame<'_>) + 'e;

impl Cutter {
    pub(super) fn new(format: Format, limits: Limits) -> Cutter {
        Cutter { format, limits, offset: 0, state: State::Between, searched: 0, in_lines: false }
    }

    /// Cuts frames from the start of `bytes`; gives how many bytes are done with. `is_last`: no bytes follow.
    pub(super) fn cut(&mut self, bytes: &[u8], is_last: bool, each: &mut Each<'_>) -> usize {
        let mut at = 0;
        loop {
            let rest = &bytes[at..];
            let step = match std::mem::replace(&mut self.state, State::Between) {
                State::Between => self.between(rest, is_last, each),
                State::Text { searched } => self.text(rest, searched, is_last, each),
                State::Value { scan, closed } => self.value(rest, scan, closed, is_last, each),
                State::Skip { any_line } => self.skip(rest, any_line, is_last),
                State::Elements { in_object } => self.elements(rest, in_object, is_last, each),
                State::Element { scan, in_object, dropped } => {
                    self.element(rest, scan, in_object, dropped, is_last, each)
                }
                State::Tail { scan } => self.tail(rest, scan, is_last, each),
            };
            let (Step::Used(used) | Step::Wait(used)) = step;
            at += used;
            self.offset += used as u64;
            if matches!(step, Step::Wait(_)) {
                return at;
            }
        }
    }

    fn between(&mut self, rest: &[u8], is_last: bool, each: &mut Each<'_>) -> Step {
        let at = rest.iter().position(|byte| !is_space(*byte)).unwrap_or(rest.len());
        let rest = &rest[at..];
        if rest.starts_with(BOM) {
            return Step::Used(at + BOM.len());
        }
        if rest.is_empty() || (BOM.starts_with(rest) && !is_last) {
            return Step::Wait(at);
        }
        self.offset += at as u64;
        let step = self.start(rest, is_last, each);
        self.offset -= at as u64;
        match step {
            Step::Used(used) => Step::Used(at + used),
            Step::Wait(used) => Step::Wait(at + used),
        }
    }

    fn start(&mut self, rest: &[u8], is_last: bool, each: &mut Each<'_>) -> Step {
        self.state = match rest[0] {
            _ if self.format == Format::Lines => State::Text { searched: 0 },
            b'{' => {
                if let Some(used) = self.line(rest, each) {
                    return Step::Used(used);
                }
                State::Value { scan: Scan::of_object(), closed: false }
            }
            b'[' => match next_byte(&rest[1..]) {
                Some(b'{' | b'[' | b']' | b'"') => {
                    self.state = State::Elements { in_object: false };
                    return Step::Used(1);
                }
                None if !is_last && rest.len() <= self.limits.record_bytes => return Step::Wait(0),
                _ => State::Text { searched: 0 },
            },
            _ => State::Text { searched: 0 },
        };
        Step::Used(0)
    }

    /// The fast path: a whole record on one line.
    fn line(&mut self, rest: &[u8], each: &mut Each<'_>) -> Option<usize> {
        let end = self.next_line_end(rest)?;
        let line = rest[..end].trim_ascii_end();
        if end > self.limits.record_bytes || line.last() != Some(&b'}') || may_hold_several(line) {
            return None;
        }
        // Without a next byte the scan decides, so that a cut-off last line is told from a whole one.
        let goes_on = next_byte(&rest[end..]).is_none_or(follows);
        if goes_on || (self.format == Format::Auto && may_hold_container(line)) {
            return None;
        }
        self.in_lines = true;
        self.emit(line, Ok(()), each);
        Some(end)
    }

    /// Where the line ends. Many values on one line ask this again and again, so what was searched is not searched again.
    fn next_line_end(&mut self, rest: &[u8]) -> Option<usize> {
        let known = (self.searched.saturating_sub(self.offset) as usize).min(rest.len());
        let end = memchr::memchr(b'\n', &rest[known..]).map(|at| known + at);
        self.searched = self.offset + end.unwrap_or(rest.len()) as u64;
        end
    }

    fn text(&mut self, rest: &[u8], searched: usize, is_last: bool, each: &mut Each<'_>) -> Step {
        let end = memchr::memchr(b'\n', &rest[searched..]).map(|at| searched + at);
        let len = end.unwrap_or(rest.len());
        if len > self.limits.record_bytes {
            return self.too_large(rest, true, each);
        }
        if end.is_none() && !is_last {
            self.state = State::Text { searched: len };
            return Step::Wait(0);
        }
        self.emit(&rest[..len], Ok(()), each);
        Step::Used(len)
    }

    fn value(&mut self, rest: &[u8], mut scan: Scan, closed: bool, is_last: bool, each: &mut Each<'_>) -> Step {
        if closed {
            return self.closed(rest, scan, is_last, each);
        }
        loop {
            let met = scan.go(rest);
            if scan.len() > self.limits.record_bytes {
                return self.too_large(rest, false, each);
            }
            match met {
                Met::Closed => return self.closed(rest, scan, is_last, each),
                Met::Container if self.format == Format::Auto => {
                    self.state = State::Elements { in_object: true };
                    return Step::Used(scan.pos);
                }
                Met::Container | Met::Outside => {}
                Met::Broken => return self.line_end(rest, &scan, scan.pos, each),
                Met::LineEnd => match scan.next_byte(rest) {
                    None if !is_last => return self.wait(rest, scan, false, each),
                    Some(next) if self.is_broken(rest, &scan, next) => {
                        return self.line_end(rest, &scan, scan.pos, each);
                    }
                    _ => scan.pass_line_end(rest),
                },
                Met::End if is_last => {
                    self.emit(rest, Err(Reject::Truncated), each);
                    return Step::Used(rest.len());
                }
                Met::End => return self.wait(rest, scan, false, each),
            }
        }
    }

    /// The value's brackets are closed: what else is on its line?
    fn closed(&mut self, rest: &[u8], scan: Scan, is_last: bool, each: &mut Each<'_>) -> Step {
        let end = scan.pos;
        let next = rest[end..].iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r'));
        match next {
            None if !is_last => self.wait(rest, scan, true, each),
            Some(b'{' | b'[') => {
                self.in_lines = false;
                self.emit(&rest[..end], Ok(()), each);
                Step::Used(end)
            }
            None | Some(b'\n') => self.line_end(rest, &scan, end, each),
            Some(_) => match memchr::memchr(b'\n', &rest[end..]) {
                Some(more) if end + more > self.limits.record_bytes => self.too_large(rest, true, each),
                Some(more) => self.line_end(rest, &scan, end + more, each),
                None if rest.len() > self.limits.record_bytes => self.too_large(rest, true, each),
                None if is_last => self.line_end(rest, &scan, rest.len(), each),
                None => self.wait(rest, scan, true, each),
            },
        }
    }

    fn wait(&mut self, rest: &[u8], scan: Scan, closed: bool, each: &mut Each<'_>) -> Step {
        if rest.len() > self.limits.record_bytes.saturating_mul(2) {
            return self.too_large(rest, false, each);
        }
        self.state = State::Value { scan, closed };
        Step::Wait(0)
    }

    /// A record ends with its line.
    fn line_end(&mut self, rest: &[u8], scan: &Scan, end: usize, each: &mut Each<'_>) -> Step {
        self.in_lines = scan.lines == 0;
        self.emit(&rest[..end], Ok(()), each);
        Step::Used(end)
    }

    /// Can JSON not go on like this: the line that ends here, and then `next`?
    fn is_broken(&self, rest: &[u8], scan: &Scan, next: u8) -> bool {
        let last = rest[scan.last];
        let ends = match last {
            b'}' | b']' => !follows(next),
            b'"' => !follows(next) && next != b':',
            _ => matches!(next, b'{' | b'[') && !matches!(last, b'{' | b'[' | b':' | b','),
        };
        let opens = last == b'{' && matches!(next, b'{' | b'[');
        let is_new_line = self.in_lines && scan.lines == 0 && rest.get(scan.pos + 1) == Some(&b'{');
        ends || opens || is_new_line
    }

    fn too_large(&mut self, rest: &[u8], any_line: bool, each: &mut Each<'_>) -> Step {
        let limit = self.limits.record_bytes;
        self.emit(&rest[..limit.min(self.limits.reject_bytes)], Err(Reject::TooLarge), each);
        self.state = State::Skip { any_line };
        Step::Used(limit)
    }

    fn skip(&mut self, rest: &[u8], any_line: bool, is_last: bool) -> Step {
        let Some(end) = memchr::memchr(b'\n', rest) else {
            self.state = State::Skip { any_line };
            return Step::Wait(rest.len());
        };
        let starts = |byte: &u8| !is_space(*byte) && !follows(*byte) && !matches!(byte, b':' | b'"');
        match rest.get(end + 1) {
            _ if any_line => {}
            Some(next) if starts(next) => {}
            None if !is_last => {
                self.state = State::Skip { any_line };
                return Step::Wait(end);
            }
            _ => self.state = State::Skip { any_line },
        }
        Step::Used(end + 1)
    }

    fn elements(&mut self, rest: &[u8], in_object: bool, is_last: bool, each: &mut Each<'_>) -> Step {
        let at = rest.iter().position(|byte| !is_space(*byte) && *byte != b',').unwrap_or(rest.len());
        match rest.get(at) {
            None if is_last => {
                self.emit(b"", Err(Reject::Truncated), each);
                Step::Used(at)
            }
            None => {
                self.state = State::Elements { in_object };
                Step::Wait(at)
            }
            Some(b']') if in_object => {
                self.state = State::Tail { scan: Scan::after_array() };
                Step::Used(at)
            }
            Some(b']') => {
                self.in_lines = false;
                Step::Used(at + 1)
            }
            Some(_) => {
                self.state = State::Element { scan: Scan::default(), in_object, dropped: false };
                Step::Used(at)
            }
        }
    }

    fn element(
        &mut self,
        rest: &[u8],
        mut scan: Scan,
        in_object: bool,
        mut dropped: bool,
        is_last: bool,
        each: &mut Each<'_>,
    ) -> Step {
        loop {
            let met = scan.go(rest);
            if !dropped && scan.len() > self.limits.record_bytes {
                let kept = self.limits.record_bytes.min(self.limits.reject_bytes);
                self.emit(&rest[..kept], Err(Reject::TooLarge), each);
                dropped = true;
            }
            match met {
                Met::LineEnd => scan.pass_line_end(rest),
                Met::Closed | Met::Container => {}
                Met::Outside if rest[scan.pos] == b'}' => scan.pos += 1,
                Met::Outside | Met::Broken => {
                    if !dropped {
                        self.emit(&rest[..scan.pos], Ok(()), each);
                    }
                    self.state = State::Elements { in_object };
                    return Step::Used(scan.pos);
                }
                Met::End if is_last => {
                    if !dropped {
                        self.emit(rest, Err(Reject::Truncated), each);
                    }
                    return Step::Used(rest.len());
                }
                Met::End => {
                    let used = if dropped { scan.forget() } else { 0 };
                    self.state = State::Element { scan, in_object, dropped };
                    return Step::Wait(used);
                }
            }
        }
    }

    /// What follows the array in its object holds no records, unless another container starts.
    fn tail(&mut self, rest: &[u8], mut scan: Scan, is_last: bool, each: &mut Each<'_>) -> Step {
        loop {
            match scan.go(rest) {
                Met::Closed => {
                    self.in_lines = false;
                    return Step::Used(scan.pos);
                }
                Met::Container => {
                    self.state = State::Elements { in_object: true };
                    return Step::Used(scan.pos);
                }
                Met::Outside => scan.pos += 1,
                Met::Broken => {
                    self.emit(b"", Err(Reject::Truncated), each);
                    return Step::Used(scan.pos);
                }
                Met::LineEnd => match scan.next_byte(rest) {
                    None if !is_last => break,
                    Some(next) if self.is_broken(rest, &scan, next) => {
                        self.emit(b"", Err(Reject::Truncated), each);
                        return Step::Used(scan.pos);
                    }
                    _ => scan.pass_line_end(rest),
                },
                Met::End if is_last => {
                    self.emit(b"", Err(Reject::Truncated), each);
                    return Step::Used(rest.len());
                }
                Met::End => break,
            }
        }
        let used = if scan.pos > TAIL_BYTES { scan.forget() } else { 0 };
        self.state = State::Tail { scan };
        Step::Wait(used)
    }

    fn emit(&self, bytes: &[u8], outcome: Result<(), Reject>, each: &mut Each<'_>) {
        let offset = self.offset;
        each(Frame { bytes: bytes.trim_ascii(), offset, outcome, hec: None, head: 0 });
    }
}

/// Space between records: also the record separator of JSON text sequences (RFC 7464).
fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x1E
}

/// Can `byte` follow a value inside of another?
fn follows(byte: u8) -> bool {
    matches!(byte, b',' | b']' | b'}')
}

fn next_byte(bytes: &[u8]) -> Option<u8> {
    bytes.iter().copied().find(|byte| !byte.is_ascii_whitespace())
}
