//! A request's body: read within its bounds, unpacked within its bounds.

use axum::body::Body;
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt;

use super::State;
use super::answer::{Refusal, blocking};
use super::gate::Leave;
use framing::decompress;

/// A body in memory, and the leave to hold it.
pub(crate) struct Taken {
    pub bytes: Vec<u8>,
    pub leave: Leave,
}

/// Reads and unpacks the body.
pub(crate) async fn take(state: &State, headers: &HeaderMap, body: Body) -> Result<Taken, Refusal> {
    let encoding = headers.get(header::CONTENT_ENCODING).map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
    let packed = hold(state, headers, body).await?;
    unpack(state, packed, encoding).await
}

/// Reads the body as it comes. The gate is asked before the first byte is read.
pub(crate) async fn hold(state: &State, headers: &HeaderMap, body: Body) -> Result<Taken, Refusal> {
    let bytes_max = state.options.body_bytes_max;
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|bytes| bytes > bytes_max) {
        return Err(Refusal::TooLarge(bytes_max));
    }
    // A body that does not say its length, and what a packed one becomes, is covered as it grows.
    let mut leave = state.gate.enter(announced.unwrap_or(0)).ok_or_else(|| Refusal::busy(state))?;
    let reading = read(state, body, &mut leave);
    let bytes = tokio::time::timeout(state.options.body_timeout, reading).await.map_err(|_| Refusal::Slow)??;
    Ok(Taken { bytes, leave })
}

/// Unpacks what came with this content encoding.
pub(crate) async fn unpack(state: &State, packed: Taken, encoding: Option<String>) -> Result<Taken, Refusal> {
    if encoding.as_deref().is_none_or(|e| e.trim().is_empty() || e.eq_ignore_ascii_case("identity")) {
        return Ok(packed);
    }
    let bytes_max = state.options.body_bytes_max;
    let unpacking = blocking(move || {
        let Taken { bytes: packed, mut leave } = packed;
        let held = packed.len();
        let mut has_room = |bytes: usize| leave.cover(held + bytes);
        let bytes = decompress::body(packed, encoding.as_deref(), bytes_max, &mut has_room)?;
        Ok(Taken { bytes, leave })
    });
    unpacking.await?
}

async fn read(state: &State, mut body: Body, leave: &mut Leave) -> Result<Vec<u8>, Refusal> {
    let bytes_max = state.options.body_bytes_max;
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Refusal::BadBody(format!("the body broke off: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        let length = bytes.len() + data.len();
        if length > bytes_max {
            return Err(Refusal::TooLarge(bytes_max));
        }
        if !leave.cover(length) {
            return Err(Refusal::busy(state));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}
