//! A request's body: read within its bounds, unpacked within its bounds.

use axum::body::Body;
use axum::http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::State;
use super::answer::Refusal;
use super::gate::Leave;
use crate::decompress;

/// A body in memory, and the leave to hold it.
pub(crate) struct Taken {
    pub bytes: Vec<u8>,
    pub leave: Leave,
}

/// Reads and unpacks the body. The gate is asked before the first byte is read.
pub(crate) async fn take(state: &State, headers: &HeaderMap, body: Body) -> Result<Taken, Refusal> {
    let bytes_max = state.options.body_bytes_max;
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|bytes| bytes > bytes_max) {
        return Err(Refusal::TooLarge(bytes_max));
    }
    let encoding = headers.get(header::CONTENT_ENCODING).map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
    let is_packed = encoding.as_deref().is_some_and(|e| !e.trim().is_empty() && !e.eq_ignore_ascii_case("identity"));
    // What a packed body becomes is not known before it is unpacked: it is counted as eight times its length.
    let expected = announced.map_or(bytes_max, |bytes| if is_packed { bytes.saturating_mul(8) } else { bytes });
    let leave = state.gate.enter(expected.min(bytes_max)).ok_or_else(|| Refusal::busy(state))?;
    let reading = Limited::new(body, bytes_max).collect();
    let collected = tokio::time::timeout(state.options.body_timeout, reading).await.map_err(|_| Refusal::Slow)?;
    let packed = collected.map_err(|error| match error.downcast_ref::<LengthLimitError>() {
        Some(_) => Refusal::TooLarge(bytes_max),
        None => Refusal::BadBody(format!("the body broke off: {error}")),
    })?;
    let packed: Vec<u8> = packed.to_bytes().into();
    let bytes = if is_packed {
        let unpack = move || decompress::body(packed, encoding.as_deref(), bytes_max);
        tokio::task::spawn_blocking(unpack).await.map_err(|error| Refusal::Internal(error.to_string()))??
    } else {
        packed
    };
    Ok(Taken { bytes, leave })
}
