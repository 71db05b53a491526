use std::collections::BTreeMap;

use model::{EventId, Lane, SourceId, Time};

/// One event of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The event's id.
    pub event_id: EventId,
    /// Its source.
    pub source: SourceId,
    /// When it happened.
    pub time: Time,
    /// When its record reached us.
    pub received: Time,
    /// Why the record was on the line.
    pub lane: Lane,
    /// OCSF class; 0 where the source maps to none.
    pub class_uid: u32,
    /// OCSF columns, such as `api.operation`.
    pub columns: BTreeMap<String, String>,
    /// The record, with the source's sensitive fields replaced.
    pub raw: String,
}

impl Row {
    /// Appends the row to `out` as the spool writes it: fixed numbers, then texts preceded by their length.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.event_id.as_bytes());
        out.extend_from_slice(&self.time.micros().to_le_bytes());
        out.extend_from_slice(&self.received.micros().to_le_bytes());
        out.extend_from_slice(&self.class_uid.to_le_bytes());
        encode_text(self.source.as_str(), out);
        encode_text(self.lane.as_str(), out);
        encode_text(&self.raw, out);
        out.extend_from_slice(&length(self.columns.len()).to_le_bytes());
        for (name, value) in &self.columns {
            encode_text(name, out);
            encode_text(value, out);
        }
    }

    /// Reads one row from the front of `bytes`; `None` when they are not a row.
    pub(crate) fn decode(bytes: &mut &[u8]) -> Option<Row> {
        let event_id = EventId::parse(&hex(take(bytes, 16)?))?;
        let time = Time::from_micros(i64::from_le_bytes(take(bytes, 8)?.try_into().ok()?));
        let received = Time::from_micros(i64::from_le_bytes(take(bytes, 8)?.try_into().ok()?));
        let class_uid = decode_u32(bytes)?;
        let source = SourceId::from(decode_text(bytes)?);
        let lane = Lane::parse(decode_text(bytes)?)?;
        let raw = decode_text(bytes)?.to_owned();
        let mut columns = BTreeMap::new();
        for _ in 0..decode_u32(bytes)? {
            let name = decode_text(bytes)?.to_owned();
            columns.insert(name, decode_text(bytes)?.to_owned());
        }
        Some(Row { event_id, source, time, received, lane, class_uid, columns, raw })
    }
}

/// Lower-case hexadecimal, as ids are written.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string never fails");
        text
    })
}

fn length(n: usize) -> u32 {
    u32::try_from(n).expect("a row is shorter than 4 GiB, because records are bounded")
}

fn encode_text(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(&length(text.len()).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn take<'a>(bytes: &mut &'a [u8], n: usize) -> Option<&'a [u8]> {
    let (head, rest) = bytes.split_at_checked(n)?;
    *bytes = rest;
    Some(head)
}

fn decode_u32(bytes: &mut &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(take(bytes, 4)?.try_into().ok()?))
}

fn decode_text<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let n = decode_u32(bytes)?;
    std::str::from_utf8(take(bytes, n as usize)?).ok()
}
