//! Answers: JSON with a code, a sentence and what to do.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use store::journal::JournalError;

use super::State;
use crate::panics::contain;
use crate::signals::Signals;
use framing::decompress::BodyError;

/// What is said of a panic. Its own message may quote a record and goes nowhere.
pub(crate) const INSIDE: &str = "its evaluation failed";

/// Why a request is refused.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// No token, and one is needed.
    NoToken,
    /// The `Authorization` header cannot be read.
    BadAuthorization,
    /// A token, and it is not known.
    WrongToken,
    /// Who is said to send it is not who is listened to, or did not sign it.
    Untrusted(String),
    /// Nothing in the body.
    NoData,
    /// The body is too long.
    TooLarge(usize),
    /// The body did not come in time.
    Slow,
    /// The body broke off or cannot be unpacked.
    BadBody(String),
    /// The content encoding is not known.
    BadEncoding(String),
    /// There is no room now: requests, bytes, journal or disk.
    Busy { code: &'static str, message: String, after_s: u32 },
    /// The fault is ours.
    Internal(String),
}

impl Refusal {
    pub fn status(&self) -> StatusCode {
        match self {
            Refusal::NoToken | Refusal::BadAuthorization => StatusCode::UNAUTHORIZED,
            Refusal::WrongToken | Refusal::Untrusted(_) => StatusCode::FORBIDDEN,
            Refusal::NoData | Refusal::BadBody(_) => StatusCode::BAD_REQUEST,
            Refusal::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::Slow => StatusCode::REQUEST_TIMEOUT,
            Refusal::BadEncoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Refusal::Busy { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub fn code(&self) -> &'static str {
        match self {
            Refusal::NoToken => "no_token",
            Refusal::BadAuthorization => "bad_authorization",
            Refusal::WrongToken => "wrong_token",
            Refusal::Untrusted(_) => "untrusted",
            Refusal::NoData => "no_data",
            Refusal::TooLarge(_) => "too_large",
            Refusal::Slow => "slow",
            Refusal::BadBody(_) => "bad_body",
            Refusal::BadEncoding(_) => "bad_encoding",
            Refusal::Busy { code, .. } => code,
            Refusal::Internal(_) => "internal",
        }
    }

    pub fn message(&self) -> String {
        match self {
            Refusal::NoToken => "the request has no token; send `Authorization: Bearer …`".into(),
            Refusal::BadAuthorization => "the authorization header cannot be read".into(),
            Refusal::WrongToken => "the token is not known here".into(),
            Refusal::NoData => "the body holds no record".into(),
            Refusal::TooLarge(bytes) => format!("the body is longer than {bytes} bytes; send it in parts"),
            Refusal::Slow => "the body did not come in time; nothing of it was kept".into(),
            Refusal::Untrusted(why) | Refusal::BadBody(why) | Refusal::BadEncoding(why) => why.clone(),
            Refusal::Busy { message, .. } => message.clone(),
            Refusal::Internal(why) => format!("the request failed inside Watchkeep: {why}"),
        }
    }

    /// Counts the refusal.
    pub fn note(self, signals: &Signals) -> Refusal {
        let counter = if self.status().is_server_error() { &signals.busy } else { &signals.turned_away };
        Signals::add(counter, 1);
        self
    }

    /// The answer of Watchkeep's own paths.
    pub fn answer(&self) -> Response {
        let body = json!({"error": {"code": self.code(), "message": self.message()}});
        self.with_headers(json_answer(self.status(), &body))
    }

    pub fn with_headers(&self, mut response: Response) -> Response {
        if let Refusal::Busy { after_s, .. } = self {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(*after_s));
        }
        if self.status() == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }

    pub fn busy(state: &State) -> Refusal {
        let message = format!("more than {} requests, or too many bytes, at once", state.options.requests_max);
        Refusal::Busy { code: "busy", message, after_s: 1 }
    }
}

impl From<JournalError> for Refusal {
    fn from(error: JournalError) -> Refusal {
        let message = format!("{}; nothing of this request was kept, send it again", crate::line::chain(&error));
        match error {
            JournalError::Full { .. } => Refusal::Busy { code: "journal_full", message, after_s: 10 },
            JournalError::NoSpace { .. } => Refusal::Busy { code: "disk_full", message, after_s: 30 },
            JournalError::TooLarge { bytes_max, .. } => {
                Refusal::TooLarge(usize::try_from(bytes_max).unwrap_or(usize::MAX))
            }
            _ => Refusal::Busy { code: "journal_failed", message, after_s: 30 },
        }
    }
}

impl From<otlp::OtlpError> for Refusal {
    fn from(error: otlp::OtlpError) -> Refusal {
        match error {
            otlp::OtlpError::Malformed(_) => Refusal::BadBody(error.to_string()),
            otlp::OtlpError::TooLarge(bytes) => Refusal::TooLarge(bytes),
            otlp::OtlpError::NoRoom => Refusal::Busy { code: "busy", message: error.to_string(), after_s: 1 },
        }
    }
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Refusal {
        match error {
            BodyError::TooLarge(bytes) => Refusal::TooLarge(bytes),
            BodyError::Broken(_) => Refusal::BadBody(error.to_string()),
            BodyError::NoRoom => Refusal::Busy { code: "busy", message: error.to_string(), after_s: 1 },
            BodyError::Unsupported(_) => Refusal::BadEncoding(error.to_string()),
        }
    }
}

/// Runs a handler's work on a thread that may wait. When it panics, where is logged, and the request is refused.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    let outcome = tokio::task::spawn_blocking(move || contain(work)).await;
    match outcome {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(place)) => tracing::error!(place, "a request panicked"),
        Err(_) => tracing::error!("a request was cut off"),
    }
    Err(Refusal::Internal(INSIDE.to_owned()))
}

pub(crate) fn json_answer(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
