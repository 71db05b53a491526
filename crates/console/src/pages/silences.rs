//! Silences: what nobody is told of for a while, who answers for it, and until when.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use model::{Alert, AlertId, Silence, SilenceMatch, Time};
use store::SilenceRow;

use super::act::answer;
use crate::auth::Flash;
use crate::view::format;
use crate::web::App;
use crate::web::chrome::{Chrome, Nav, Visit};
use crate::web::form::Form;
use crate::web::page;
use crate::web::params::Params;
use crate::web::problem::Problem;

/// Lengths that the form offers, in hours.
const HOURS: [(i64, &str); 6] =
    [(1, "1 hour"), (4, "4 hours"), (24, "1 day"), (72, "3 days"), (168, "1 week"), (720, "30 days")];

/// A silence that is being written.
#[derive(Default)]
pub(crate) struct Draft {
    pub rule_id: String,
    pub rule_title: String,
    pub source: String,
    /// Kinds and keys to choose one from.
    pub entities: Vec<(String, String)>,
    pub owner: String,
    pub next: String,
    pub hours: Vec<(i64, &'static str)>,
}

impl Draft {
    /// A silence of what `alert` is about.
    pub(crate) fn of(alert: &Alert, owner: &str, next: &str) -> Draft {
        Draft {
            rule_id: alert.rule_id.to_string(),
            rule_title: alert.title.clone(),
            source: alert.source.to_string(),
            entities: alert.entities.iter().map(|entity| (entity.kind.to_string(), entity.key.clone())).collect(),
            ..Draft::empty(owner, next)
        }
    }

    fn empty(owner: &str, next: &str) -> Draft {
        Draft { owner: owner.to_owned(), next: next.to_owned(), hours: HOURS.to_vec(), ..Draft::default() }
    }
}

#[derive(Template)]
#[template(path = "silences.html")]
struct SilencesPage {
    chrome: Chrome,
    running: Vec<Shown>,
    ended: Vec<Shown>,
    with_ended: bool,
    draft: Draft,
    rules: Vec<(String, String)>,
    sources: Vec<String>,
}

struct Shown {
    row: SilenceRow,
    rule_title: Option<String>,
    left: String,
}

#[derive(Template)]
#[template(path = "silence.html")]
struct SilencePage {
    chrome: Chrome,
    silence: Draft,
}

/// `GET /silences`.
pub(crate) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let params = Params::parse(&query.unwrap_or_default());
    let (now, with_ended) = (app.now(), params.get("ended").is_some());
    let (rows, pulse) = app.store_and_pulse(move |store| Ok(store.silences(now, with_ended)?)).await?;
    let shown = rows.into_iter().map(|row| Shown {
        rule_title: row
            .silence
            .matches
            .rule_id
            .as_deref()
            .and_then(|id| app.state.catalogue.rule(id))
            .map(|rule| rule.title.clone()),
        left: format::gap(row.silence.expires.millis_since(now).max(0)),
        row,
    });
    let (running, ended) = shown.partition(|one: &Shown| one.row.ended.is_none() && now < one.row.silence.expires);
    let chrome = Chrome::new(&app, &visit, "Silences", Nav::Silences, pulse);
    let catalogue = &app.state.catalogue;
    let mut rules: Vec<_> = catalogue.rules.iter().map(|rule| (rule.title.clone(), rule.id.to_string())).collect();
    rules.sort();
    page(&SilencesPage {
        draft: Draft::empty(&chrome.user, "/silences"),
        chrome,
        running,
        ended,
        with_ended,
        rules,
        sources: catalogue.sources.iter().map(|source| source.id.to_string()).collect(),
    })
}

/// `GET /alerts/{id}/silence`: the form on a page of its own.
pub(crate) async fn of_alert(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let params = Params::parse(&query.unwrap_or_default());
    let missing = || Problem::missing(format!("There is no alert {id}."));
    let alert_id = AlertId::parse(&id).ok_or_else(missing)?;
    let (detail, pulse) = app.store_and_pulse(move |store| Ok(store.alert(alert_id)?)).await?;
    let alert = detail.ok_or_else(missing)?.alert;
    let chrome = Chrome::new(&app, &visit, "Silence", Nav::Silences, pulse);
    let silence = Draft::of(&alert, &chrome.user, params.get("next").unwrap_or("/silences"));
    page(&SilencePage { chrome, silence })
}

/// `POST /silences`.
pub(crate) async fn add(State(app): State<App>, headers: HeaderMap, form: Form) -> Result<Response, Problem> {
    let now = app.now();
    let silence = silence_of(&form.params, now)?;
    let who = form.visit.session.user.clone();
    let added = app.store(move |store| Ok(store.add_silence(silence, now)?)).await?;
    tracing::info!(silence = %added.silence_id, by = %who, "silence added");
    let text = format!("Silenced until {} UTC; findings are kept and counted.", format::stamp(&added.expires));
    Ok(answer(&app, &headers, &form, Flash { text, wrong: false }))
}

/// `POST /silences/end`.
pub(crate) async fn end(State(app): State<App>, headers: HeaderMap, form: Form) -> Result<Response, Problem> {
    let id = form.params.get("silence_id").ok_or_else(|| Problem::bad("No silence was named."))?.to_owned();
    let (who, now) = (form.visit.session.user.clone(), app.now());
    app.store(move |store| Ok(store.end_silence(&id, &who, now)?)).await?;
    Ok(answer(&app, &headers, &form, Flash { text: "Silence ended.".to_owned(), wrong: false }))
}

fn silence_of(params: &Params, now: Time) -> Result<Silence, Problem> {
    let hours = params.number("hours").and_then(|hours| i64::try_from(hours).ok()).unwrap_or(0);
    let one = |name| params.get(name).map(str::to_owned);
    Ok(Silence {
        silence_id: String::new(),
        matches: SilenceMatch { rule_id: one("rule_id"), source: one("source"), entity: one("entity") },
        owner: one("owner").ok_or_else(|| Problem::bad("A silence needs an owner who answers for it."))?,
        reason: one("reason").ok_or_else(|| Problem::bad("A silence needs a reason."))?,
        created: now,
        expires: now.plus_millis(hours.saturating_mul(3_600_000)),
    })
}
