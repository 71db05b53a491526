//! OTLP over gRPC: the `Export` calls of the logs and the trace service.
//!
//! Both are unary: one message in, one message out, and the status behind it. The message is read within the same bounds, by the same gate and
//! the same unpacking as every other body. A refusal that passes is `RESOURCE_EXHAUSTED` with `RetryInfo`, which exporters take as
//! "try again then"; one that does not pass has a code that they do not try again.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use axum::routing::post;
use http_body_util::{BodyExt, Full};
use otlp::{Encoding, Signal};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::answer::Refusal;
use super::body::{self, Taken};
use super::records::authorization;
use super::{Serves, Shared, State, intake, otlp as over_http};

/// Before each message: is it packed (one byte), and its length (four).
const PREFIX_BYTES: usize = 5;

/// The paths of the two services. Any other call is unimplemented.
pub(super) fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/opentelemetry.proto.collector.logs.v1.LogsService/Export", post(logs))
        .route("/opentelemetry.proto.collector.trace.v1.TraceService/Export", post(traces))
        .fallback(|| async { Status::unimplemented("only logs and traces are taken").into_http::<Body>() })
}

async fn logs(state: Shared, headers: HeaderMap, body: Body) -> Response {
    export(&state, Signal::Logs, &headers, body).await
}

async fn traces(state: Shared, headers: HeaderMap, body: Body) -> Response {
    export(&state, Signal::Traces, &headers, body).await
}

async fn export(state: &Arc<State>, signal: Signal, headers: &HeaderMap, body: Body) -> Response {
    match accept(state, signal, headers, body).await {
        Ok(left_out) => success(&otlp::answer(signal, Encoding::Protobuf, left_out)),
        Err(refusal) => status_of(&refusal.note(&state.parts.signals)).into_http(),
    }
}

async fn accept(state: &Arc<State>, signal: Signal, headers: &HeaderMap, body: Body) -> Result<u64, Refusal> {
    let input = intake::admit(state, Serves::OtlpGrpc, authorization(headers).as_deref())?;
    let held = body::hold(state, headers, body).await?;
    let (message, is_packed) = message_of(held)?;
    let packing = headers.get("grpc-encoding").and_then(|value| value.to_str().ok()).unwrap_or("identity");
    let taken = body::unpack(state, message, is_packed.then(|| packing.to_owned())).await?;
    over_http::journal(state, input, signal, Encoding::Protobuf, taken).await
}

/// The one message of a body, and whether it is packed.
fn message_of(mut held: Taken) -> Result<(Taken, bool), Refusal> {
    let broken = |why: &str| Refusal::BadBody(format!("the body is not one message of gRPC: {why}"));
    let Some((prefix, message)) = held.bytes.split_first_chunk::<PREFIX_BYTES>() else {
        return Err(broken("it is too short"));
    };
    let [flag, length @ ..] = *prefix;
    if u32::from_be_bytes(length) as usize != message.len() {
        return Err(broken("its length is not what it says"));
    }
    held.bytes.drain(..PREFIX_BYTES);
    match flag {
        0 => Ok((held, false)),
        1 => Ok((held, true)),
        _ => Err(broken("its first byte is neither 0 nor 1")),
    }
}

fn success(message: &[u8]) -> Response {
    let mut framed = vec![0];
    framed.extend(u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    framed.extend(message);
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let body = Full::new(Bytes::from(framed)).with_trailers(async { Some(Ok(trailers)) });
    let mut response = Response::new(Body::new(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

fn status_of(refusal: &Refusal) -> Status {
    let (code, message) = (code_of(refusal), refusal.message());
    match refusal {
        Refusal::Busy { after_s, .. } => {
            let after = Duration::from_secs(u64::from(*after_s));
            Status::with_error_details(code, message, ErrorDetails::with_retry_info(Some(after)))
        }
        _ => Status::new(code, message),
    }
}

/// The code of gRPC that says the same.
pub(super) fn code_of(refusal: &Refusal) -> Code {
    match refusal {
        Refusal::NoToken | Refusal::BadAuthorization => Code::Unauthenticated,
        Refusal::WrongToken | Refusal::Untrusted(_) => Code::PermissionDenied,
        Refusal::NoData | Refusal::BadBody(_) => Code::InvalidArgument,
        // Without `RetryInfo` this is not tried again; `OUT_OF_RANGE` would be.
        Refusal::TooLarge(_) | Refusal::Busy { .. } => Code::ResourceExhausted,
        Refusal::Slow => Code::DeadlineExceeded,
        Refusal::BadEncoding(_) => Code::Unimplemented,
        Refusal::Internal(_) => Code::Internal,
    }
}
