//! `POST /v1/records`: NDJSON, a JSON array, `{"Records": […]}`, or lines of text.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use engine::Format;
use serde_json::json;

use super::answer::{Refusal, json_answer};
use super::{Serves, Shared, body, intake};

pub(super) async fn take(state: Shared, headers: HeaderMap, body: Body) -> Response {
    match accept(&state, &headers, body).await {
        Ok(records) => json_answer(StatusCode::OK, &json!({"accepted": records})),
        Err(refusal) => refusal.note(&state.parts.signals).answer(),
    }
}

async fn accept(state: &Shared, headers: &HeaderMap, body: Body) -> Result<u64, Refusal> {
    let input = intake::admit(state, Serves::Records, authorization(headers).as_deref())?;
    let taken = body::take(state, headers, body).await?;
    intake::journal(state, input, Format::Auto, taken).await
}

/// The `Authorization` header as text; what is not text is as good as a header that cannot be read. Senders that cannot say a scheme, as the API
/// destinations of EventBridge, present their token in `X-Api-Key`.
pub(super) fn authorization(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    fn text(value: &HeaderValue) -> &str {
        value.to_str().unwrap_or("?")
    }
    let key = || Some(Cow::Owned(format!("Bearer {}", text(headers.get("x-api-key")?))));
    headers.get(header::AUTHORIZATION).map(|value| Cow::Borrowed(text(value))).or_else(key)
}
