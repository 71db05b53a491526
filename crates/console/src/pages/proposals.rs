//! Proposals: things that telemetry showed and the inventory does not know.

use std::collections::BTreeMap;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use model::Time;
use store::{AssetKind, ProposalRow};

use super::act::answer;
use crate::auth::Flash;
use crate::view::format;
use crate::web::chrome::{Chrome, Nav, Visit};
use crate::web::form::Form;
use crate::web::problem::Problem;
use crate::web::{App, page};

/// Rows of one kind that are shown.
const ROWS_MAX: usize = 100;

#[derive(Template)]
#[template(path = "proposals.html")]
struct ProposalsPage {
    chrome: Chrome,
    kinds: Vec<Kind>,
    left_out: u64,
    now: Time,
}

/// What is proposed of one kind.
struct Kind {
    word: &'static str,
    total: u64,
    rows: Vec<ProposalRow>,
}

/// `GET /proposals`.
pub(crate) async fn show(State(app): State<App>, Extension(visit): Extension<Visit>) -> Result<Response, Problem> {
    let (proposals, pulse) = app.store_and_pulse(|store| Ok(store.proposals(false)?)).await?;
    let mut kinds: BTreeMap<&'static str, Vec<ProposalRow>> = BTreeMap::new();
    for row in proposals.rows {
        kinds.entry(row.kind).or_default().push(row);
    }
    let kinds = kinds.into_iter().map(|(word, mut rows)| {
        let total = rows.len() as u64;
        rows.truncate(ROWS_MAX);
        Kind { word, total, rows }
    });
    page(&ProposalsPage {
        kinds: kinds.collect(),
        left_out: proposals.left_out,
        now: app.now(),
        chrome: Chrome::new(&app, &visit, "Proposals", Nav::Sources, pulse),
    })
}

/// `POST /proposals/dismiss`.
pub(crate) async fn dismiss(State(app): State<App>, headers: HeaderMap, form: Form) -> Result<Response, Problem> {
    let of = |name| form.params.get(name).map(str::to_owned);
    let kind = of("kind").and_then(|word| AssetKind::parse(&word)).ok_or_else(|| Problem::bad("No kind was named."))?;
    let name = of("name").ok_or_else(|| Problem::bad("No thing was named."))?;
    let reason = of("reason").ok_or_else(|| Problem::bad("Dismissing a proposal needs a reason."))?;
    let (who, now) = (form.visit.session.user.clone(), app.now());
    let text = format!("Dismissed: the {} {name} is proposed no more.", kind.as_str());
    app.store(move |store| Ok(store.dismiss_proposal(kind, &name, (&who, &reason), now)?)).await?;
    Ok(answer(&app, &headers, &form, Flash { text, wrong: false }))
}
