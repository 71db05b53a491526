//! OTLP's protobuf: the levels above the records are walked through as bytes, so that only one record at a time is held decoded, and what a
//! few bytes decode to stays small.

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde::Serialize;

use crate::{OtlpError, Signal, Writer};

/// What is said of all below, and the list below: in a request only the list, which is its field 1.
const ABOVE: u64 = 1;
const BELOW: u64 = 2;

pub(crate) fn read(body: &[u8], writer: &mut Writer<'_>) -> Result<(), OtlpError> {
    for group in fields(body, 1) {
        let group = group?;
        let resource = above::<Resource>(group, writer)?;
        for scoped in fields(group, BELOW) {
            let scoped = scoped?;
            let scope = above::<InstrumentationScope>(scoped, writer)?;
            for record in fields(scoped, BELOW) {
                one(record?, &resource, &scope, writer)?;
            }
        }
    }
    Ok(())
}

fn one(bytes: &[u8], resource: &str, scope: &str, writer: &mut Writer<'_>) -> Result<(), OtlpError> {
    if bytes.len() > writer.bounds.record_bytes {
        writer.leave_out();
        return Ok(());
    }
    let record = match writer.signal {
        Signal::Logs => json::<LogRecord>(bytes),
        Signal::Traces => json::<Span>(bytes),
    };
    match record {
        Some(record) => writer.record(&record, resource, scope),
        None => {
            writer.leave_out();
            Ok(())
        }
    }
}

/// The resource or the scope of a group as JSON.
fn above<M: Message + Default + Serialize>(group: &[u8], writer: &Writer<'_>) -> Result<String, OtlpError> {
    let Some(bytes) = fields(group, ABOVE).next().transpose()? else { return Ok("{}".to_owned()) };
    if bytes.len() > writer.bounds.record_bytes {
        return Err(OtlpError::TooLarge(writer.bounds.record_bytes));
    }
    json::<M>(bytes).ok_or_else(|| malformed("a resource or a scope cannot be read"))
}

fn json<M: Message + Default + Serialize>(bytes: &[u8]) -> Option<String> {
    serde_json::to_string(&M::decode(bytes).ok()?).ok()
}

fn malformed(why: &str) -> OtlpError {
    OtlpError::Malformed(why.to_owned())
}

/// The messages that stand in field `wanted` of a message.
fn fields(message: &[u8], wanted: u64) -> impl Iterator<Item = Result<&[u8], OtlpError>> {
    let mut rest = message;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            match next(&mut rest) {
                Some((number, Some(bytes))) if number == wanted => return Some(Ok(bytes)),
                Some(_) => {}
                None => {
                    rest = &[];
                    return Some(Err(malformed("a field breaks off")));
                }
            }
        }
        None
    })
}

/// The next field: its number, and its bytes where it has a length.
fn next<'a>(rest: &mut &'a [u8]) -> Option<(u64, Option<&'a [u8]>)> {
    let key = varint(rest)?;
    let (number, length) = (
        key >> 3,
        match key & 7 {
            0 => {
                varint(rest)?;
                return Some((key >> 3, None));
            }
            1 => 8,
            2 => usize::try_from(varint(rest)?).ok()?,
            5 => 4,
            // Groups are not in use.
            _ => return None,
        },
    );
    let (bytes, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some((number, (key & 7 == 2).then_some(bytes)))
}

/// A number of variable length, ten bytes at most.
fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for place in 0..10 {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}
