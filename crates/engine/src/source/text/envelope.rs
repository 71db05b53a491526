//! Syslog (RFC 3164 and 5424) as an envelope: what it says beside its message, and where the message stands.
//!
//! In: a line, and when it was received, since RFC 3164 has no year. Out: an [`Envelope`], or `None` where the line is none. A time
//! without an offset is UTC. A priority alone, as some devices write it, is an envelope too.

use chrono::{DateTime, FixedOffset, Utc};
use model::Time;
use syslog_loose::{IncompleteDate, Message, ProcId, SyslogFacility, SyslogSeverity, Variant, decompose_pri};

use super::out::{Out, Piece};
use crate::field::Fields;
use crate::record::Scratch;

/// The field of the message.
const MESSAGE: &str = "syslog.message";

const DAY_SECONDS: i64 = 86_400;

/// A syslog line, opened.
#[derive(Debug)]
pub(crate) struct Envelope<'t> {
    raw: &'t str,
    /// Where the message stands.
    pub start: usize,
    /// When it was written, if it says so.
    pub time: Option<Time>,
    /// The program that wrote it, if it says so.
    pub program: Option<&'t str>,
    host: Option<&'t str>,
    facility: Option<SyslogFacility>,
    severity: Option<SyslogSeverity>,
    rest: Option<Message<&'t str>>,
}

impl<'t> Envelope<'t> {
    /// Opens a line.
    pub fn open(raw: &'t str, received: Time) -> Option<Envelope<'t>> {
        let first = *raw.as_bytes().first()?;
        if first == b'<' {
            return Envelope::whole(raw, received).or_else(|| Envelope::priority_alone(raw));
        }
        let may_be_time = first.is_ascii_digit() || first.is_ascii_uppercase();
        // Without a priority, a time and a tag with its colon tell a syslog line from prose that starts with a date.
        let envelope = Envelope::whole(raw, received).filter(|_| may_be_time)?;
        let program = envelope.program?;
        let tag = place(raw, program)?;
        let is_tagged = raw[tag.1..envelope.start].contains(':');
        (envelope.time.is_some() && is_tagged).then_some(envelope)
    }

    fn whole(raw: &'t str, received: Time) -> Option<Envelope<'t>> {
        // Cheap, and rules most lines out: the parser's own way to a refusal is long.
        if !starts_like_syslog(raw) {
            return None;
        }
        let today = received.micros().div_euclid(1_000_000);
        let year = move |date: IncompleteDate| year_of(date, today);
        let message = syslog_loose::parse_message_with_year_exact_tz(raw, year, Some(Utc), Variant::Either).ok()?;
        let (mut host, mut program) = (message.hostname, message.appname);
        // A tag behind the time, without a host before it, is read as one.
        if program.is_none()
            && let Some(tag) = host.filter(|tag| place(raw, tag).is_some_and(|(_, end)| raw[end..].starts_with(':')))
        {
            (host, program) = (None, Some(tag));
        }
        let start = place(raw, message.msg)?.0;
        let start = start + raw[start..].len() - raw[start..].trim_start_matches([':', ' ']).len();
        Some(Envelope {
            raw,
            start,
            time: message.timestamp.and_then(time),
            program,
            host,
            facility: message.facility,
            severity: message.severity,
            rest: Some(message),
        })
    }

    /// `<134>CEF:0|…`: a priority and nothing else.
    fn priority_alone(raw: &'t str) -> Option<Envelope<'t>> {
        let (digits, message) = raw.strip_prefix('<')?.split_once('>')?;
        let priority: u8 = digits.parse().ok().filter(|priority| *priority < 192)?;
        let (facility, severity) = decompose_pri(priority);
        let start = raw.len() - message.trim_start().len();
        Some(Envelope { raw, start, time: None, program: None, host: None, facility, severity, rest: None })
    }

    /// The message.
    pub fn message(&self) -> &'t str {
        &self.raw[self.start..]
    }

    /// Puts what the envelope says into fields below `syslog`. A parameter of structured data that stands twice keeps its first value.
    pub fn put(&self, fields: &Fields, scratch: &mut Scratch) {
        let mut out = Out::at(fields, scratch, 0);
        let mut slice = |name: &str, text: Option<&str>| {
            if let (Some(field), Some((start, end))) = (fields.named(name), text.and_then(|text| place(self.raw, text)))
            {
                out.put(field, &Piece::plain(self.raw, start, end));
            }
        };
        slice("syslog.hostname", self.host);
        slice("syslog.appname", self.program);
        slice(MESSAGE, Some(self.message()));
        slice("syslog.msgid", self.rest.as_ref().and_then(|rest| rest.msgid));
        let said = |name: &str, says: Option<String>, out: &mut Out<'_>| {
            if let (Some(field), Some(says)) = (fields.named(name), says) {
                out.put(field, &Piece::other(0, self.start, says));
            }
        };
        let process = self.rest.as_ref().and_then(|rest| rest.procid.as_ref()).map(ProcId::to_string);
        said("syslog.procid", process, &mut out);
        said("syslog.facility", self.facility.map(|facility| facility.as_str().to_owned()), &mut out);
        said("syslog.severity", self.severity.map(|severity| severity.as_str().to_owned()), &mut out);
        said("syslog.timestamp", self.time.map(|time| time.to_string()), &mut out);
        for element in self.rest.iter().flat_map(|rest| &rest.structured_data) {
            for (name, says) in element.params() {
                let _ = out
                    .once(&format!("syslog.structured_data.{}.{name}", element.id), &Piece::other(0, self.start, says));
            }
        }
    }
}

/// `<34>`, `Nov 22 `, `2026-11-22T`.
fn starts_like_syslog(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    match bytes.first() {
        Some(b'<') => bytes.get(1).is_some_and(u8::is_ascii_digit),
        Some(b'A'..=b'Z') => bytes.get(3) == Some(&b' ') && bytes[..3].is_ascii(),
        Some(b'0'..=b'9') => bytes.get(10) == Some(&b'T') && bytes.get(13) == Some(&b':'),
        _ => false,
    }
}

/// Where a part of `raw` stands in it.
fn place(raw: &str, part: &str) -> Option<(usize, usize)> {
    let start = (part.as_ptr() as usize).checked_sub(raw.as_ptr() as usize)?;
    let end = start.checked_add(part.len())?;
    (raw.get(start..end)? == part).then_some((start, end))
}

fn time(stamp: DateTime<FixedOffset>) -> Option<Time> {
    let micros = stamp.timestamp_micros();
    Some(Time::from_micros(micros)).filter(|time| time.micros() == micros)
}

/// The year of a date without one: the last in which it is not more than a day after the receipt.
fn year_of((month, day, hour, minute, second): IncompleteDate, received: i64) -> i32 {
    let Some(now) = DateTime::from_timestamp(received, 0) else { return 1970 };
    let this: i32 = now.format("%Y").to_string().parse().unwrap_or(1970);
    let in_year = |year: &i32| {
        let date = chrono::NaiveDate::from_ymd_opt(*year, month, day)?.and_hms_opt(hour, minute, second)?;
        Some(date.and_utc().timestamp())
    };
    let is_past = |year: &i32| in_year(year).is_some_and(|seconds| seconds <= received + DAY_SECONDS);
    [this + 1, this, this - 1].into_iter().find(is_past).unwrap_or(this)
}
