//! `POST /v1/acknowledgements` and `GET /v1/alerts/{id}`: receivers tell what became of an alert.
//!
//! In: `{"alert_id", "move": "received" | "acknowledged" | "closed", "verdict"?, "by"?, "reason"?}` with a bearer token. Out: the alert's state.
//! A repeat of what was done already changes nothing and is no error; a move that the state does not allow is a 409
//! with the reason.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use http_body_util::{BodyExt, Limited};
use model::{Alert, AlertId, AlertState, Move, Verdict};
use serde::Deserialize;
use serde_json::{Value, json};
use store::ActError;

use super::answer::{INSIDE, Refusal, json_answer};
use super::records::authorization;
use super::token::presented;
use super::{Shared, State};
use crate::line::chain;

const BODY_BYTES_MAX: usize = 64 << 10;

/// What a receiver says about an alert.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledgement {
    /// The alert.
    pub alert_id: String,
    /// `received`, `acknowledged` or `closed`.
    #[serde(rename = "move")]
    pub step: String,
    /// The verdict, for `closed`.
    pub verdict: Option<String>,
    /// Who says so; the token's name when absent.
    pub by: Option<String>,
    /// Why, in their words.
    pub reason: Option<String>,
}

impl Acknowledgement {
    /// Reads the body of a request. Pure.
    ///
    /// Errors: a sentence for the sender.
    pub fn parse(body: &[u8]) -> Result<(AlertId, Move, Acknowledgement), String> {
        let read: Acknowledgement = serde_json::from_slice(body).map_err(|error| format!("the body: {error}"))?;
        let id = AlertId::parse(&read.alert_id)
            .ok_or_else(|| format!("`{}` is not an alert id (32 hexadecimal digits)", cut(&read.alert_id)))?;
        let step = match (read.step.as_str(), read.verdict.as_deref()) {
            ("closed", None) => return Err(format!("`closed` needs a `verdict`: one of {}", verdicts())),
            ("closed", Some(word)) => Move::Close(
                Verdict::parse(word)
                    .ok_or_else(|| format!("the verdict `{}` is not one of {}", cut(word), verdicts()))?,
            ),
            (_, Some(_)) => return Err("a `verdict` goes with `closed` only".to_owned()),
            ("received", None) => Move::Receive,
            ("acknowledged", None) => Move::Acknowledge,
            (other, None) => return Err(format!("the move `{}` is not received, acknowledged or closed", cut(other))),
        };
        Ok((id, step, read))
    }
}

fn verdicts() -> String {
    Verdict::ALL.map(Verdict::as_str).join(", ")
}

fn cut(text: &str) -> String {
    text.chars().take(64).collect()
}

/// An answer that is not 200: status, code, sentence.
struct Failure(StatusCode, &'static str, String);

pub(super) async fn act(state: Shared, headers: HeaderMap, body: Body) -> Response {
    let name = match admit(&state, &headers) {
        Ok(name) => name,
        Err(refusal) => return refusal.note(&state.parts.signals).answer(),
    };
    let limited = Limited::new(body, BODY_BYTES_MAX).collect();
    let body = match tokio::time::timeout(state.options.body_timeout, limited).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => return Refusal::TooLarge(BODY_BYTES_MAX).note(&state.parts.signals).answer(),
        Err(_) => return Refusal::Slow.note(&state.parts.signals).answer(),
    };
    let shared = state.0.clone();
    let acting = tokio::task::spawn_blocking(move || apply(&shared, &name, &body));
    respond(acting.await.unwrap_or_else(|_| Err(internal(INSIDE))))
}

pub(super) async fn alert(state: Shared, headers: HeaderMap, Path(id): Path<String>) -> Response {
    if let Err(refusal) = admit(&state, &headers) {
        return refusal.note(&state.parts.signals).answer();
    }
    let shared = state.0.clone();
    let looking = tokio::task::spawn_blocking(move || look(&shared, &id));
    respond(looking.await.unwrap_or_else(|_| Err(internal(INSIDE))))
}

fn respond(outcome: Result<Value, Failure>) -> Response {
    match outcome {
        Ok(answer) => json_answer(StatusCode::OK, &answer),
        Err(Failure(status, code, message)) => {
            json_answer(status, &json!({"error": {"code": code, "message": message}}))
        }
    }
}

fn admit(state: &State, headers: &HeaderMap) -> Result<String, Refusal> {
    let header = authorization(headers).ok_or(Refusal::NoToken)?;
    let token = presented(&header).ok_or(Refusal::BadAuthorization)?;
    let known = &state.parts.acknowledgers;
    let found = known.iter().fold(None, |found, (name, known)| if known.is(&token) { Some(name) } else { found });
    found.cloned().ok_or(Refusal::WrongToken)
}

fn apply(state: &Arc<State>, name: &str, body: &[u8]) -> Result<Value, Failure> {
    let parsed = Acknowledgement::parse(body);
    let (id, step, read) = parsed.map_err(|why| Failure(StatusCode::BAD_REQUEST, "bad_acknowledgement", why))?;
    let who = read.by.as_deref().map(str::trim).filter(|by| !by.is_empty()).unwrap_or(name);
    let before = find(state, id)?;
    if is_repeat(&before, step, who) {
        return Ok(answer(&before, false));
    }
    let acted = state.parts.store.act(id, step, who, read.reason.as_deref(), state.parts.clock.now());
    let after = acted.map_err(|error| match error {
        ActError::NoAlert(_) => unknown(id),
        ActError::Illegal(_) | ActError::Nobody => Failure(StatusCode::CONFLICT, "illegal_move", error.to_string()),
        ActError::Store(error) => internal(&chain(&error)),
    })?;
    (state.parts.queued)();
    let is_changed = after.state != before.state || after.clocks != before.clocks;
    Ok(answer(&after, is_changed))
}

/// Was exactly this done before, by the same person? Then saying it again is no conflict.
fn is_repeat(alert: &Alert, step: Move, who: &str) -> bool {
    match step {
        Move::Acknowledge => alert.state == AlertState::Acknowledged && alert.acknowledged_by.as_deref() == Some(who),
        Move::Close(verdict) => alert.verdict == Some(verdict) && alert.verdict_by.as_deref() == Some(who),
        Move::Receive | Move::Deliver => alert.state >= AlertState::Received,
    }
}

fn answer(alert: &Alert, is_changed: bool) -> Value {
    json!({
        "alert_id": alert.alert_id,
        "state": alert.state,
        "changed": is_changed,
        "acknowledged_by": alert.acknowledged_by,
        "verdict": alert.verdict,
        "verdict_by": alert.verdict_by,
    })
}

fn look(state: &Arc<State>, id: &str) -> Result<Value, Failure> {
    let bad = || Failure(StatusCode::NOT_FOUND, "unknown_alert", format!("no alert has the id `{}`", cut(id)));
    let id = AlertId::parse(id).ok_or_else(bad)?;
    let detail = state.parts.store.alert(id).map_err(|error| internal(&chain(&error)))?.ok_or_else(bad)?;
    Ok(json!({"alert": detail.alert, "history": detail.history, "deliveries": detail.deliveries}))
}

fn find(state: &Arc<State>, id: AlertId) -> Result<Alert, Failure> {
    let alert = state.parts.store.alert_alone(id).map_err(|error| internal(&chain(&error)))?;
    alert.ok_or_else(|| unknown(id))
}

fn unknown(id: AlertId) -> Failure {
    Failure(StatusCode::NOT_FOUND, "unknown_alert", format!("no alert has the id `{id}`"))
}

fn internal(why: &str) -> Failure {
    tracing::error!(why, "an acknowledgement failed");
    Failure(StatusCode::SERVICE_UNAVAILABLE, "store_failed", format!("the store failed: {why}; send it again"))
}
