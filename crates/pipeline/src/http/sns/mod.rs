//! `POST /v1/sns`: what Amazon SNS delivers over HTTP(S).
//!
//! In: notifications of topics that the configuration lists, signed by AWS (signature versions 1 and 2), or raw where a token tells the sender. Out: the
//! message inside, journalled before the answer. A subscription is confirmed for a listed topic alone, at the address that its region has: nothing
//! that a sender writes chooses where Watchkeep connects to.

mod certificates;
mod message;
mod verify;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use engine::Format;
use serde_json::{Value, json};

use super::answer::{Refusal, blocking, json_answer};
use super::body::{self, Taken};
use super::records::authorization;
use super::{HttpInput, Serves, Shared, State, intake};

pub(crate) use certificates::Certificates;
pub use certificates::{Fetch, Fetcher};
use message::{Kind, Message};

const RAW: &str = "x-amz-sns-rawdelivery";
const TOPIC: &str = "x-amz-sns-topic-arn";

pub(super) async fn take(state: Shared, headers: HeaderMap, body: Body) -> Response {
    match accept(&state, &headers, body).await {
        Ok(answer) => json_answer(StatusCode::OK, &answer),
        Err(refusal) => {
            let mut response = refusal.note(&state.parts.signals).answer();
            if response.status() == StatusCode::UNAUTHORIZED {
                // SNS presents what stands in the address of its subscription only when it is asked for in this way.
                let basic = HeaderValue::from_static("Basic realm=\"watchkeep\"");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, basic);
            }
            response
        }
    }
}

async fn accept(state: &Arc<State>, headers: &HeaderMap, body: Body) -> Result<Value, Refusal> {
    let input = intake::admit(state, Serves::Sns, authorization(headers).as_deref())?;
    let taken = body::take(state, headers, body).await?;
    if headers.contains_key(RAW) {
        let topic = headers.get(TOPIC).and_then(|value| value.to_str().ok()).unwrap_or_default();
        known(input, topic)?;
        // Raw deliveries carry no signature: only the token says who sends.
        if input.token.is_none() {
            return Err(Refusal::Untrusted("a raw delivery has no signature, and this input has no token".to_owned()));
        }
        return journal(state, input, taken).await;
    }
    let Taken { bytes, leave } = taken;
    let read = blocking(move || Message::parse(&bytes)).await?;
    let message = read.map_err(|why| Refusal::BadBody(format!("it is no message of SNS: {why}")))?;
    known(input, &message.topic_arn)?;
    check(state, &message).await?;
    match message.kind {
        Kind::Notification => journal(state, input, Taken { bytes: message.message.into_bytes(), leave }).await,
        Kind::SubscriptionConfirmation => confirm(state, &message).await,
        Kind::UnsubscribeConfirmation => {
            tracing::warn!(topic = message.topic_arn, "SNS was told to deliver this topic here no more");
            Ok(json!({"accepted": 0}))
        }
    }
}

/// Refuses topics that the configuration does not list.
fn known(input: &HttpInput, topic: &str) -> Result<(), Refusal> {
    if input.topics.iter().any(|known| known == topic) {
        return Ok(());
    }
    Err(Refusal::Untrusted("the topic is not one of this input's `topics`".to_owned()))
}

/// Refuses what AWS did not sign.
async fn check(state: &State, message: &Message) -> Result<(), Refusal> {
    let url = message.certificate().map_err(Refusal::Untrusted)?;
    let certificate = state.certificates.get(&*state.parts.fetch, &url).await.map_err(busy)?;
    verify::verify(message, &certificate).map_err(|why| Refusal::Untrusted(why.to_owned()))
}

async fn confirm(state: &State, message: &Message) -> Result<Value, Refusal> {
    let url = message.confirmation().map_err(Refusal::Untrusted)?;
    state.parts.fetch.get(&url).await.map_err(busy)?;
    tracing::info!(topic = message.topic_arn, "SNS delivers this topic here from now on");
    Ok(json!({"confirmed": message.topic_arn}))
}

/// AWS cannot be asked now; SNS delivers again.
fn busy(why: String) -> Refusal {
    tracing::warn!(why, "SNS cannot be asked");
    Refusal::Busy { code: "unreachable", message: format!("AWS cannot be asked: {why}; send it again"), after_s: 10 }
}

async fn journal(state: &Arc<State>, input: &HttpInput, taken: Taken) -> Result<Value, Refusal> {
    let records = intake::journal(state, input, Format::Auto, taken).await?;
    Ok(json!({"accepted": records}))
}
