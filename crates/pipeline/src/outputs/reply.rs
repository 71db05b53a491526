//! What an HTTP answer means for a message. Pure.

use std::time::Duration;

use super::Sent;
use model::Time;
use receive::backoff::retry_after;

/// What a status means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Accepted.
    Accepted,
    /// Try again.
    Retry,
    /// Never try again.
    Dead,
}

/// What `status` means: 2xx accepted; 408, 425, 429, 3xx and 5xx are worth another try (a redirect is not followed, but an operator may
/// mend it); every other 4xx, 410 above all, is final.
pub fn judge(status: u16) -> Verdict {
    match status {
        200..=299 => Verdict::Accepted,
        408 | 425 | 429 => Verdict::Retry,
        400..=499 => Verdict::Dead,
        _ => Verdict::Retry,
    }
}

/// An answer that is not acceptance, as [`Sent`]; the body's beginning goes into the error, so that a person sees why.
pub(super) fn refusal(status: u16, after: Option<Duration>, body: &str) -> Sent {
    let excerpt: String = body.chars().filter(|c| !c.is_control()).take(200).collect();
    let error = match status {
        300..=399 => format!("the receiver answered {status}, a redirect, which is not followed; correct the url"),
        410 => "the receiver answered 410: it is gone and wants no more".to_owned(),
        _ if excerpt.is_empty() => format!("the receiver answered {status}"),
        _ => format!("the receiver answered {status}: {excerpt}"),
    };
    match judge(status) {
        Verdict::Dead => Sent::Dead { error },
        _ => Sent::Retry { after, error },
    }
}

/// A failure of the transport, as [`Sent`]: always worth another try. The url, which may hold a secret, is left out.
pub(super) fn unreachable(error: reqwest::Error) -> Sent {
    let is_timeout = error.is_timeout();
    let text = crate::line::chain(&error.without_url());
    let error =
        if is_timeout { format!("no answer in time: {text}") } else { format!("cannot reach the receiver: {text}") };
    Sent::Retry { after: None, error }
}

/// Reads an answer: status, `Retry-After`, and at most 64 KiB of the body.
pub(super) async fn read(mut response: reqwest::Response, now: Time) -> (u16, Option<Duration>, String) {
    const BODY_BYTES_MAX: usize = 64 << 10;
    let status = response.status().as_u16();
    let header = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
    let after = header.and_then(|value| retry_after(value, now));
    let mut body = Vec::new();
    while let Ok(Some(part)) = response.chunk().await {
        body.extend_from_slice(&part[..part.len().min(BODY_BYTES_MAX - body.len())]);
        if body.len() == BODY_BYTES_MAX {
            break;
        }
    }
    (status, after, String::from_utf8_lossy(&body).into_owned())
}
