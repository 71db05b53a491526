//! Requests of the OpenTelemetry protocol (OTLP 1.x) for logs and traces, taken apart into records.
//!
//! In: the body of one request, protobuf or JSON. Out: lines of JSON, one for each log record or span, in the JSON encoding of OTLP with
//! `resource` and `scope` beside it; the body of a log record stands as plain JSON, so that a line or an object that a collector carries is
//! found where every shipper has it. Bound: what the caller allows for the lines and for one record. Pure, and safe for any bytes.

mod answer;
mod json;
mod protobuf;
mod value;

pub use answer::{answer, content_type};

/// What a request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Log records.
    Logs,
    /// Spans.
    Traces,
}

/// How a request is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// `application/x-protobuf`, and every request over gRPC.
    Protobuf,
    /// `application/json`.
    Json,
}

/// What a request came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// One line of JSON for each record.
    pub lines: Vec<u8>,
    /// How many lines.
    pub records: u64,
    /// How many records were left out, because they are too long or none of OTLP.
    pub left_out: u64,
}

/// Why nothing of a request can be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OtlpError {
    /// The body is no request of the protocol.
    #[error("the body is no request of OTLP: {0}")]
    Malformed(String),
    /// Its records, each with its resource, need more room than a request may.
    #[error("its records need more than {0} bytes; send it in parts")]
    TooLarge(usize),
    /// There is no room for it now.
    #[error("there is no room for it now")]
    NoRoom,
}

/// Bounds of one request.
pub struct Bounds<'a> {
    /// Bytes of all lines at most.
    pub lines_bytes: usize,
    /// Bytes of one record at most, before and after it is written anew.
    pub record_bytes: usize,
    /// Told again and again how many bytes of lines are held; false when there is no room for them.
    pub has_room: &'a mut dyn FnMut(usize) -> bool,
}

/// Takes the body of a request apart.
///
/// Errors: [`OtlpError`]; then nothing of it may be kept.
pub fn records(signal: Signal, encoding: Encoding, body: &[u8], bounds: Bounds<'_>) -> Result<Taken, OtlpError> {
    let mut writer = Writer { signal, bounds, taken: Taken::default() };
    match encoding {
        Encoding::Protobuf => protobuf::read(body, &mut writer)?,
        Encoding::Json => json::read(body, &mut writer)?,
    }
    Ok(writer.taken)
}

/// Writes records, within the bounds.
struct Writer<'a> {
    signal: Signal,
    bounds: Bounds<'a>,
    taken: Taken,
}

impl Writer<'_> {
    /// Writes a record that stands in `record` as JSON, with its resource and scope, which are JSON too.
    fn record(&mut self, record: &str, resource: &str, scope: &str) -> Result<(), OtlpError> {
        let (start, lines) = (self.taken.lines.len(), &mut self.taken.lines);
        let length = record.len() + resource.len() + scope.len();
        let is_written = length <= self.bounds.record_bytes && json::write(lines, self.signal, record, resource, scope);
        if !is_written || lines.len() - start > self.bounds.record_bytes {
            lines.truncate(start);
            self.taken.left_out += 1;
            return Ok(());
        }
        lines.push(b'\n');
        self.taken.records += 1;
        if lines.len() > self.bounds.lines_bytes {
            return Err(OtlpError::TooLarge(self.bounds.lines_bytes));
        }
        if !(self.bounds.has_room)(lines.len()) {
            return Err(OtlpError::NoRoom);
        }
        Ok(())
    }

    /// Counts a record that cannot be read.
    fn leave_out(&mut self) {
        self.taken.left_out += 1;
    }
}

#[cfg(test)]
mod tests;
