//! The outbox: what is on its way to receivers, and what was given up and waits for a person.

use askama::Template;
use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use model::Time;
use store::{OutboxQuery, OutboxRow, OutboxState, RouteStats};

use super::act::answer;
use super::{Choice, page_number};
use crate::auth::Flash;
use crate::view::format;
use crate::web::chrome::{Chrome, Nav, Visit};
use crate::web::form::Form;
use crate::web::params::Params;
use crate::web::problem::Problem;
use crate::web::{App, page};

const PAGE_ROWS: u64 = 50;
/// Rows that one form may replay.
const REPLAY_MAX: usize = 1000;

#[derive(Template)]
#[template(path = "outbox.html")]
struct OutboxPage {
    chrome: Chrome,
    routes: Vec<(String, RouteStats)>,
    dead: Vec<OutboxRow>,
    rows: Vec<OutboxRow>,
    states: Vec<Choice>,
    filtered: bool,
    previous: Option<String>,
    next: Option<String>,
    now: Time,
}

/// `GET /outbox`.
pub(crate) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let params = Params::parse(&query.unwrap_or_default()).only(&["state", "route", "page"]);
    let asked = OutboxQuery {
        route: params.get("route").map(str::to_owned),
        state: params.get("state").and_then(OutboxState::parse),
        alert_id: None,
        offset: (page_number(&params) - 1) * PAGE_ROWS,
        limit: PAGE_ROWS + 1,
    };
    let ask = move |store: &store::Store| Ok((store.outbox(&asked)?, store.dead_letters()?));
    let ((mut rows, dead), pulse) = app.store_and_pulse(ask).await?;
    let more = rows.len() as u64 > PAGE_ROWS;
    rows.truncate(PAGE_ROWS as usize);
    let page_now = page_number(&params);
    let at = |page: u64| params.with("page", &page.to_string()).on("/outbox");
    let state = |state: OutboxState| Choice {
        value: state.as_str().to_owned(),
        label: state.as_str().to_owned(),
        chosen: params.get("state") == Some(state.as_str()),
        url: params.with("page", "").toggled("state", state.as_str()).only(&["route", "state"]).on("/outbox"),
        count: None,
    };
    page(&OutboxPage {
        routes: pulse.stats.routes.iter().map(|(name, stats)| (name.clone(), stats.clone())).collect(),
        dead,
        rows,
        states: [OutboxState::Waiting, OutboxState::Delivered, OutboxState::Dead].map(state).into(),
        filtered: !params.only(&["state", "route"]).is_empty(),
        previous: (page_now > 1).then(|| at(page_now - 1)),
        next: more.then(|| at(page_now + 1)),
        now: app.now(),
        chrome: Chrome::new(&app, &visit, "Outbox", Nav::Outbox, pulse),
    })
}

/// `POST /outbox/replay`: the named rows, or all that were given up.
pub(crate) async fn replay(State(app): State<App>, headers: HeaderMap, form: Form) -> Result<Response, Problem> {
    let named: Option<Vec<i64>> = form.params.all("id").map(|id| id.parse().ok()).collect();
    let named = named.ok_or_else(|| Problem::bad("One of the ids is not a number."))?;
    let all = form.params.get("all").is_some();
    let (who, now) = (form.visit.session.user.clone(), app.now());
    let work = move |store: &store::Store| {
        let ids = if all { store.dead_letters()?.iter().map(|row| row.id).collect() } else { named };
        for id in ids.iter().take(REPLAY_MAX) {
            store.replay_dead(*id, &who, now)?;
        }
        Ok(ids.len().min(REPLAY_MAX) as u64)
    };
    let n = app.store(work).await?;
    let text = format!("{} will be sent again, each with the key it had.", format::of(n, "message"));
    Ok(answer(&app, &headers, &form, Flash { text, wrong: n == 0 }))
}
