//! `POST /v1/logs` and `POST /v1/traces`: OTLP over HTTP, protobuf or JSON, plain or packed.
//!
//! Answers are OTLP's: the export response in the request's encoding once everything is durable, with `partialSuccess` where records were left
//! out; else a `google.rpc.Status` with the HTTP status that tells the exporter whether to try again (503 with `Retry-After`: yes).

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use engine::Format;
use otlp::{Bounds, Encoding, Signal, content_type};
use serde_json::json;
use tonic_types::pb::Status;

use super::answer::{Refusal, blocking};
use super::body::{self, Taken};
use super::grpc::code_of;
use super::records::authorization;
use super::{HttpInput, Serves, Shared, State, intake};

pub(super) async fn logs(state: Shared, headers: HeaderMap, body: Body) -> Response {
    take(&state, Signal::Logs, &headers, body).await
}

pub(super) async fn traces(state: Shared, headers: HeaderMap, body: Body) -> Response {
    take(&state, Signal::Traces, &headers, body).await
}

async fn take(state: &Arc<State>, signal: Signal, headers: &HeaderMap, body: Body) -> Response {
    let encoding = encoding_of(headers);
    let outcome = accept(state, signal, encoding, headers, body).await;
    let encoding = encoding.unwrap_or(Encoding::Json);
    let in_words =
        |bytes: Vec<u8>| [(header::CONTENT_TYPE, content_type(encoding))].into_response().map(|_| bytes.into());
    match outcome {
        Ok(left_out) => in_words(otlp::answer(signal, encoding, left_out)),
        Err(refusal) => {
            let refusal = refusal.note(&state.parts.signals);
            let mut response: Response = in_words(failure(&refusal, encoding));
            *response.status_mut() = refusal.status();
            refusal.with_headers(response)
        }
    }
}

async fn accept(
    state: &Arc<State>,
    signal: Signal,
    encoding: Option<Encoding>,
    headers: &HeaderMap,
    body: Body,
) -> Result<u64, Refusal> {
    let input = intake::admit(state, Serves::Otlp, authorization(headers).as_deref())?;
    let encoding = encoding.ok_or_else(|| {
        Refusal::BadEncoding("send `Content-Type: application/x-protobuf` or `application/json`".to_owned())
    })?;
    let taken = body::take(state, headers, body).await?;
    journal(state, input, signal, encoding, taken).await
}

/// Takes a request apart and journals its records; says how many were left out, once the others are durable.
pub(super) async fn journal(
    state: &Arc<State>,
    input: &HttpInput,
    signal: Signal,
    encoding: Encoding,
    taken: Taken,
) -> Result<u64, Refusal> {
    let lines_bytes = state.options.body_bytes_max;
    let record_bytes = state.parts.engine.limits().record_bytes;
    let splitting = blocking(move || {
        let Taken { bytes: body, mut leave } = taken;
        let mut has_room = |bytes: usize| leave.cover(body.len() + bytes);
        let bounds = Bounds { lines_bytes, record_bytes, has_room: &mut has_room };
        let split = otlp::records(signal, encoding, &body, bounds)?;
        Ok::<_, Refusal>((Taken { bytes: split.lines, leave }, split.left_out))
    });
    let (lines, left_out) = splitting.await??;
    // A request without records is legal, and there is nothing to keep of it.
    if !lines.bytes.is_empty() {
        intake::journal(state, input, Format::Auto, lines).await?;
    }
    Ok(left_out)
}

fn encoding_of(headers: &HeaderMap) -> Option<Encoding> {
    let said = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let kind = said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    [Encoding::Protobuf, Encoding::Json].into_iter().find(|encoding| content_type(*encoding) == kind)
}

/// The body of a refusal: a `google.rpc.Status`.
fn failure(refusal: &Refusal, encoding: Encoding) -> Vec<u8> {
    let (code, message) = (code_of(refusal) as i32, refusal.message());
    match encoding {
        Encoding::Json => json!({"code": code, "message": message}).to_string().into_bytes(),
        Encoding::Protobuf => prost::Message::encode_to_vec(&Status { code, message, details: Vec::new() }),
    }
}
