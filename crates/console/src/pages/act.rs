//! What people do to alerts: acknowledge, close with a verdict. One alert or many, by key or by form.

use askama::Template;
use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::{Alert, AlertId, AlertState, Move, Time, Verdict};
use store::{ActError, Store};

use crate::auth::Flash;
use crate::view::format;
use crate::web::chrome::{Chrome, Nav, Visit};
use crate::web::form::Form;
use crate::web::params::Params;
use crate::web::problem::{Problem, sentence};
use crate::web::{App, local, page, redirect};

/// Alerts that one form may move.
const ALERTS_MAX: usize = 200;

/// What the closing form is about.
pub(crate) struct Closing {
    pub ids: Vec<String>,
    pub titles: Vec<String>,
    /// How many of them nobody has acknowledged: closing does that first.
    pub unacknowledged: usize,
    pub next: String,
}

impl Closing {
    /// The closing form of one alert.
    pub(crate) fn one(alert: &Alert, next: &str) -> Closing {
        Closing::many(std::slice::from_ref(alert), next)
    }

    /// A closing form that our script fills.
    pub(crate) fn none(next: &str) -> Closing {
        Closing::many(&[], next)
    }

    fn many(alerts: &[Alert], next: &str) -> Closing {
        Closing {
            ids: alerts.iter().map(|alert| alert.alert_id.to_string()).collect(),
            titles: alerts.iter().map(|alert| alert.title.clone()).collect(),
            unacknowledged: alerts.iter().filter(|alert| alert.state < AlertState::Acknowledged).count(),
            next: next.to_owned(),
        }
    }
}

#[derive(Template)]
#[template(path = "close.html")]
struct ClosePage {
    chrome: Chrome,
    closing: Closing,
    verdicts: Vec<Verdict>,
}

/// `GET /alerts/close?id=…`: the closing form on a page of its own, for work without scripts.
pub(crate) async fn close_form(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let params = Params::parse(&query.unwrap_or_default());
    let ids = ids_of(&params)?;
    let ask = move |store: &Store| {
        let details = ids.iter().map(|id| store.alert(*id)).collect::<Result<Vec<_>, _>>()?;
        Ok(details.into_iter().flatten().map(|detail| detail.alert).collect::<Vec<Alert>>())
    };
    let (alerts, pulse) = app.store_and_pulse(ask).await?;
    if alerts.is_empty() {
        return Err(Problem::missing("None of these alerts exists."));
    }
    let closing = Closing::many(&alerts, params.get("next").and_then(local).unwrap_or("/"));
    let chrome = Chrome::new(&app, &visit, "Close", Nav::Queue, pulse);
    page(&ClosePage { chrome, closing, verdicts: Verdict::ALL.to_vec() })
}

/// `POST /alerts/acknowledge`.
pub(crate) async fn acknowledge(State(app): State<App>, headers: HeaderMap, form: Form) -> Result<Response, Problem> {
    let ids = ids_of(&form.params)?;
    let (who, now) = (form.visit.session.user.clone(), app.now());
    let done =
        app.store(move |store| tally(ids, |id| store.act(id, Move::Acknowledge, &who, None, now).map(|_| ()))).await?;
    Ok(answer(&app, &headers, &form, done.told("Acknowledged")))
}

/// `POST /alerts/close`: a verdict and its reason; what nobody has acknowledged is acknowledged first, by the same person.
pub(crate) async fn close(State(app): State<App>, headers: HeaderMap, form: Form) -> Result<Response, Problem> {
    let ids = ids_of(&form.params)?;
    let verdict =
        form.params.get("verdict").and_then(Verdict::parse).ok_or_else(|| Problem::bad("Closing needs a verdict."))?;
    let reason = form.params.get("reason").ok_or_else(|| Problem::bad("Closing needs a reason."))?.to_owned();
    let (who, now) = (form.visit.session.user.clone(), app.now());
    let done = app.store(move |store| tally(ids, |id| close_one(store, id, verdict, &who, &reason, now))).await?;
    Ok(answer(&app, &headers, &form, done.told(&format!("Closed as “{}”:", verdict.label()))))
}

fn close_one(store: &Store, id: AlertId, verdict: Verdict, who: &str, reason: &str, now: Time) -> Result<(), ActError> {
    let detail = store.alert(id)?.ok_or(ActError::NoAlert(id))?;
    if detail.alert.state < AlertState::Acknowledged {
        store.act(id, Move::Acknowledge, who, None, now)?;
    }
    store.act(id, Move::Close(verdict), who, Some(reason), now).map(|_| ())
}

/// What came of a form that moves several alerts.
struct Tally {
    done: u64,
    refused: Vec<String>,
}

impl Tally {
    fn told(&self, verb: &str) -> Flash {
        let mut text =
            if self.done > 0 { format!("{verb} {}.", format::of(self.done, "alert")) } else { String::new() };
        if let Some(first) = self.refused.first() {
            let refused = format!(" {} refused: {first}", format::count(self.refused.len() as u64));
            text.push_str(&refused);
        }
        Flash { text: text.trim().to_owned(), wrong: !self.refused.is_empty() }
    }
}

/// Moves each alert; an illegal move of one does not hold up the others, a failing store does.
fn tally(ids: Vec<AlertId>, mut step: impl FnMut(AlertId) -> Result<(), ActError>) -> Result<Tally, Problem> {
    let mut tally = Tally { done: 0, refused: vec![] };
    for id in ids {
        match step(id) {
            Ok(()) => tally.done += 1,
            Err(ActError::Store(error)) => return Err(Problem::from(error)),
            Err(error) => tally.refused.push(sentence(&error)),
        }
    }
    Ok(tally)
}

fn ids_of(params: &Params) -> Result<Vec<AlertId>, Problem> {
    let ids: Option<Vec<AlertId>> = params.all("id").map(AlertId::parse).collect();
    match ids {
        Some(ids) if ids.is_empty() => Err(Problem::bad("Choose at least one alert.")),
        Some(ids) if ids.len() > ALERTS_MAX => Err(Problem::bad(format!("At most {ALERTS_MAX} alerts go at once."))),
        Some(ids) => Ok(ids),
        None => Err(Problem::bad("One of the alert ids is not an id.")),
    }
}

/// Our script gets the sentence; a browser's own form gets the page it came from, with the sentence on it.
pub(crate) fn answer(app: &App, headers: &HeaderMap, form: &Form, flash: Flash) -> Response {
    app.pulse.forget();
    let plain = headers.get(header::ACCEPT).is_some_and(|accept| accept.as_bytes() == b"text/plain");
    if plain {
        let status = if flash.wrong { StatusCode::CONFLICT } else { StatusCode::OK };
        return (status, flash.text).into_response();
    }
    app.state.auth.set_flash(&form.visit.session, flash);
    redirect(form.params.get("next").unwrap_or("/"))
}
