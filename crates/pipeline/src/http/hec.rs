//! The Splunk HTTP Event Collector's paths, so that every shipper that speaks it works.
//!
//! Answers are Splunk's: `{"text", "code"}` with its codes and statuses, `ackId` when the request named a channel, and
//! `invalid-event-number` (from 0) for a body that is wrong from some event on. As with Splunk, the events before it are taken;
//! the answer says 400, and its number says from where to send again.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Query;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use engine::Format;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Value, json};

use super::answer::{Refusal, blocking, json_answer};
use super::body::{self, Taken};
use super::channels::is_channel;
use super::records::authorization;
use super::{HttpInput, Serves, Shared, State, intake};
use crate::signals::Signals;

/// Splunk's answers, by code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HecCode {
    /// 0
    Success,
    /// 2
    TokenRequired,
    /// 3
    InvalidAuthorization,
    /// 4
    InvalidToken,
    /// 5
    NoData,
    /// 6
    InvalidDataFormat,
    /// 8
    InternalError,
    /// 9
    Busy,
    /// 10
    ChannelMissing,
    /// 11
    InvalidChannel,
    /// 12
    EventRequired,
    /// 13
    EventBlank,
    /// 17
    Healthy,
    /// 18
    Unhealthy,
}

impl HecCode {
    /// The code's number, text and HTTP status.
    pub fn parts(self) -> (u8, &'static str, u16) {
        match self {
            HecCode::Success => (0, "Success", 200),
            HecCode::TokenRequired => (2, "Token is required", 401),
            HecCode::InvalidAuthorization => (3, "Invalid authorization", 401),
            HecCode::InvalidToken => (4, "Invalid token", 403),
            HecCode::NoData => (5, "No data", 400),
            HecCode::InvalidDataFormat => (6, "Invalid data format", 400),
            HecCode::InternalError => (8, "Internal server error", 500),
            HecCode::Busy => (9, "Server is busy", 503),
            HecCode::ChannelMissing => (10, "Data channel is missing", 400),
            HecCode::InvalidChannel => (11, "Invalid data channel", 400),
            HecCode::EventRequired => (12, "Event field is required", 400),
            HecCode::EventBlank => (13, "Event field cannot be blank", 400),
            HecCode::Healthy => (17, "HEC is healthy", 200),
            HecCode::Unhealthy => (18, "HEC is unhealthy, queues are full", 503),
        }
    }
}

/// What a body of HEC envelopes holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HecBody {
    /// Whole events, from the start.
    pub events: u64,
    /// Where the last of them ends.
    pub end: usize,
    /// What is wrong with the event after them.
    pub wrong: Option<HecCode>,
}

/// Reads a body of HEC envelopes, one after another with or without space between them. Pure, and safe for any bytes.
pub fn parse_body(body: &[u8]) -> HecBody {
    let mut stream = serde_json::Deserializer::from_slice(body).into_iter::<Envelope>();
    let mut read = HecBody { events: 0, end: 0, wrong: None };
    while let Some(envelope) = stream.next() {
        read.wrong = match envelope {
            Err(_) => Some(HecCode::InvalidDataFormat),
            Ok(Envelope { event: EventField::Missing }) => Some(HecCode::EventRequired),
            Ok(Envelope { event: EventField::Blank }) => Some(HecCode::EventBlank),
            Ok(Envelope { event: EventField::Present }) => None,
        };
        if read.wrong.is_some() {
            return read;
        }
        read.events += 1;
        read.end = stream.byte_offset();
    }
    read
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    event: EventField,
}

#[derive(Clone, Copy, Default)]
enum EventField {
    #[default]
    Missing,
    Blank,
    Present,
}

impl EventField {
    fn present_if(is: bool) -> EventField {
        if is { EventField::Present } else { EventField::Blank }
    }
}

impl<'de> Deserialize<'de> for EventField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<EventField, D::Error> {
        deserializer.deserialize_any(EventVisitor)
    }
}

struct EventVisitor;

impl<'de> Visitor<'de> for EventVisitor {
    type Value = EventField;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an event")
    }

    fn visit_unit<E>(self) -> Result<EventField, E> {
        Ok(EventField::Missing)
    }

    fn visit_str<E>(self, text: &str) -> Result<EventField, E> {
        Ok(EventField::present_if(!text.trim().is_empty()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<EventField, E> {
        Ok(EventField::Present)
    }

    fn visit_i64<E>(self, _: i64) -> Result<EventField, E> {
        Ok(EventField::Present)
    }

    fn visit_u64<E>(self, _: u64) -> Result<EventField, E> {
        Ok(EventField::Present)
    }

    fn visit_f64<E>(self, _: f64) -> Result<EventField, E> {
        Ok(EventField::Present)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<EventField, A::Error> {
        let mut any = false;
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            any = true;
        }
        Ok(EventField::present_if(any))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<EventField, A::Error> {
        let mut any = false;
        while list.next_element::<IgnoredAny>()?.is_some() {
            any = true;
        }
        Ok(EventField::present_if(any))
    }
}

/// Why a HEC request is refused.
enum Failure {
    Hec { code: HecCode, number: Option<u64> },
    Other(Refusal),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        Failure::Other(refusal)
    }
}

impl From<HecCode> for Failure {
    fn from(code: HecCode) -> Failure {
        Failure::Hec { code, number: None }
    }
}

#[derive(Deserialize)]
pub(super) struct ChannelQuery {
    channel: Option<String>,
}

type Channel = Query<ChannelQuery>;

pub(super) async fn event(state: Shared, query: Channel, headers: HeaderMap, body: Body) -> Response {
    respond(&state, take_events(&state, query, &headers, body).await)
}

pub(super) async fn raw(state: Shared, query: Channel, headers: HeaderMap, body: Body) -> Response {
    respond(&state, take_raw(&state, query, &headers, body).await)
}

async fn take_events(state: &Shared, query: Channel, headers: &HeaderMap, body: Body) -> Result<Value, Failure> {
    let (input, channel) = enter(state, query, headers)?;
    let Taken { bytes, leave } = body::take(state, headers, body).await?;
    let (read, mut bytes) = blocking(move || (parse_body(&bytes), bytes)).await?;
    let wrong = read.wrong.map(|code| Failure::Hec { code, number: Some(read.events) });
    if read.events == 0 {
        return Err(wrong.unwrap_or(HecCode::NoData.into()));
    }
    bytes.truncate(read.end);
    intake::journal(state, input, Format::Hec, Taken { bytes, leave }).await?;
    match wrong {
        Some(failure) => Err(failure),
        None => Ok(success(state, input, channel.as_deref())),
    }
}

async fn take_raw(state: &Shared, query: Channel, headers: &HeaderMap, body: Body) -> Result<Value, Failure> {
    let (input, channel) = enter(state, query, headers)?;
    let taken = body::take(state, headers, body).await?;
    intake::journal(state, input, Format::Auto, taken).await?;
    Ok(success(state, input, channel.as_deref()))
}

/// The answer to durable events; with an acknowledgement id when the sender named a channel to ask on.
fn success(state: &State, input: &HttpInput, channel: Option<&str>) -> Value {
    let mut answer = json!({"text": "Success", "code": 0});
    if let Some(channel) = channel {
        answer["ackId"] = Value::from(state.channels.give(&input.name, channel));
    }
    answer
}

/// The input and the channel of a request.
fn enter<'s>(
    state: &'s Shared,
    query: Channel,
    headers: &HeaderMap,
) -> Result<(&'s HttpInput, Option<String>), Failure> {
    let input = intake::admit(state, Serves::Records, authorization(headers).as_deref())?;
    let header = headers.get("x-splunk-request-channel");
    let named = header.map(|value| value.to_str().unwrap_or_default().to_owned());
    let channel = named.or(query.0.channel).filter(|channel| !channel.is_empty());
    match channel {
        Some(channel) if !is_channel(&channel) => Err(HecCode::InvalidChannel.into()),
        channel => Ok((input, channel)),
    }
}

#[derive(Deserialize)]
struct Question {
    acks: Vec<u64>,
}

pub(super) async fn ack(state: Shared, query: Channel, headers: HeaderMap, body: Body) -> Response {
    respond(&state, answer_question(&state, query, &headers, body).await)
}

async fn answer_question(state: &Shared, query: Channel, headers: &HeaderMap, body: Body) -> Result<Value, Failure> {
    let (input, channel) = enter(state, query, headers)?;
    let channel = channel.ok_or(HecCode::ChannelMissing)?;
    let taken = body::take(state, headers, body).await?;
    if taken.bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(HecCode::NoData.into());
    }
    let question: Question = serde_json::from_slice(&taken.bytes).map_err(|_| HecCode::InvalidDataFormat)?;
    Ok(json!({"acks": state.channels.ask(&input.name, &channel, &question.acks)}))
}

pub(super) async fn health(state: Shared) -> Response {
    // The journal may be locked for as long as it is checked again after a failure.
    let shared = state.0.clone();
    let looking = tokio::task::spawn_blocking(move || shared.parts.journal.bytes() >= shared.options.journal_bytes_max);
    let is_full = looking.await.unwrap_or(true);
    let (code, text, status) = if is_full { HecCode::Unhealthy } else { HecCode::Healthy }.parts();
    json_answer(status_of(status), &json!({"text": text, "code": code}))
}

fn respond(state: &Arc<State>, outcome: Result<Value, Failure>) -> Response {
    let failure = match outcome {
        Ok(answer) => return json_answer(StatusCode::OK, &answer),
        Err(failure) => failure,
    };
    match failure {
        Failure::Hec { code, number } => {
            Signals::add(&state.parts.signals.turned_away, 1);
            let (code, text, status) = code.parts();
            let mut answer = json!({"text": text, "code": code});
            if let Some(number) = number {
                answer["invalid-event-number"] = Value::from(number);
            }
            json_answer(status_of(status), &answer)
        }
        Failure::Other(refusal) => {
            let refusal = refusal.note(&state.parts.signals);
            let (code, text, _) = code_of(&refusal).parts();
            let answer = json!({"text": text, "code": code, "message": refusal.message()});
            refusal.with_headers(json_answer(refusal.status(), &answer))
        }
    }
}

/// Splunk's code for a refusal; the status stays the refusal's own (413 and 408 have no code of their own).
fn code_of(refusal: &Refusal) -> HecCode {
    match refusal {
        Refusal::NoToken => HecCode::TokenRequired,
        Refusal::BadAuthorization => HecCode::InvalidAuthorization,
        Refusal::WrongToken | Refusal::Untrusted(_) => HecCode::InvalidToken,
        Refusal::NoData => HecCode::NoData,
        Refusal::Busy { .. } => HecCode::Busy,
        Refusal::Internal(_) => HecCode::InternalError,
        Refusal::TooLarge(_) | Refusal::Slow | Refusal::BadBody(_) | Refusal::BadEncoding(_) => {
            HecCode::InvalidDataFormat
        }
    }
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).expect("the table holds valid statuses")
}
