//! One alert: the reason, the rule beside what matched, and everything a decision needs on one page.

use std::collections::BTreeSet;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use model::{Alert, AlertId, AlertState, Finding, MatchedTerm, Standing, Verdict};
use store::{AlertDetail, EvidenceRow, OutboxState};

use crate::RuleView;
use crate::view::{clocks, format, highlight, raw, window};
use crate::web::chrome::{Chrome, Nav, Visit};
use crate::web::params::Params;
use crate::web::problem::Problem;
use crate::web::{App, page};

#[derive(Template)]
#[template(path = "alert.html")]
struct AlertPage {
    chrome: Chrome,
    detail: AlertDetail,
    lane: &'static str,
    clocks: Vec<clocks::Clock>,
    headline: String,
    rule: Option<RuleView>,
    source_lines: Vec<highlight::SourceLine>,
    chosen: Option<Finding>,
    /// The chosen finding's window, where it is about many events.
    over_time: Option<window::WindowView>,
    /// Is one of the findings about many events?
    has_standings: bool,
    records: Vec<Record>,
    records_missing: usize,
    verdicts: Vec<Verdict>,
    can_acknowledge: bool,
    can_close: bool,
    entities: Vec<(&'static str, Vec<String>)>,
    silence: super::silences::Draft,
    closing: super::act::Closing,
}

/// A record behind the chosen finding.
struct Record {
    row: EvidenceRow,
    layout: raw::Layout,
    cut: bool,
    url: String,
}

/// `GET /alerts/{id}`; a unique beginning of an id leads to the whole one.
pub(crate) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let params = Params::parse(&query.unwrap_or_default());
    let Some(alert_id) = AlertId::parse(&id) else { return by_prefix(&app, id).await };
    let ask = move |store: &store::Store| Ok(store.alert(alert_id)?);
    let (detail, pulse) = app.store_and_pulse(ask).await?;
    let detail = detail.ok_or_else(|| Problem::missing(format!("There is no alert {id}.")))?;
    let title = format!("{}: {}", format::level(&detail.alert.level), detail.alert.title);
    let chrome = Chrome::new(&app, &visit, title, Nav::Queue, pulse);
    page(&compose(&app, chrome, detail, params.get("finding")))
}

async fn by_prefix(app: &App, prefix: String) -> Result<Response, Problem> {
    let missing = Problem::missing(format!("There is no alert whose id begins with {prefix}."));
    if prefix.len() < 4 || !prefix.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(missing);
    }
    let ids = app.store(move |store| Ok(store.alert_ids(&prefix, 2)?)).await?;
    match ids.as_slice() {
        [one] => Ok(Redirect::to(&format!("/alerts/{one}")).into_response()),
        [] => Err(missing),
        _ => Err(Problem::missing("Several alerts have ids that begin so; give more of it.")),
    }
}

fn compose(app: &App, chrome: Chrome, detail: AlertDetail, wanted: Option<&str>) -> AlertPage {
    let now = app.now();
    let alert = &detail.alert;
    let whole = || detail.findings.iter().filter_map(|row| row.finding.as_ref());
    let chosen = whole()
        .find(|finding| Some(finding.finding_id.to_string().as_str()) == wanted)
        .or_else(|| whole().next())
        .cloned();
    let rule = app.state.catalogue.rule(alert.rule_id.as_str()).cloned();
    let matched: &[MatchedTerm] = chosen.as_ref().map_or(&[], |finding| &finding.matched);
    let (records, records_missing) = records(&detail, chosen.as_ref());
    AlertPage {
        lane: format::lane(&alert.lane),
        clocks: clocks::six(alert),
        headline: clocks::headline(alert, now),
        source_lines: rule.as_ref().map(|rule| highlight::detection(&rule.yaml, matched)).unwrap_or_default(),
        rule,
        over_time: chosen.as_ref().and_then(|finding| finding.window.as_deref()).map(window::lay),
        has_standings: detail.findings.iter().any(|row| row.standing.is_some()),
        records,
        records_missing,
        verdicts: Verdict::ALL.to_vec(),
        can_acknowledge: alert.state < AlertState::Acknowledged,
        can_close: alert.state != AlertState::Closed,
        entities: grouped(alert),
        silence: super::silences::Draft::of(alert, &chrome.user, &chrome.here),
        closing: super::act::Closing::one(alert, &chrome.here),
        chosen,
        chrome,
        detail,
    }
}

fn records(detail: &AlertDetail, chosen: Option<&Finding>) -> (Vec<Record>, usize) {
    let Some(finding) = chosen else { return (vec![], 0) };
    let values: BTreeSet<String> = finding.matched.iter().map(|term| term.value.clone()).collect();
    let mut records = Vec::new();
    for event in &finding.event_ids {
        let Some(row) = detail.evidence.iter().find(|row| row.event_id == *event) else { continue };
        records.push(Record {
            layout: raw::layout(&row.raw, &values),
            cut: (row.raw.len() as u64) < row.bytes,
            url: format!("/alerts/{}/records/{}", detail.alert.alert_id, row.event_id),
            row: row.clone(),
        });
    }
    let missing = finding.event_ids.len() - records.len();
    (records, missing)
}

fn grouped(alert: &Alert) -> Vec<(&'static str, Vec<String>)> {
    let mut groups: Vec<(&'static str, Vec<String>)> = Vec::new();
    for entity in &alert.entities {
        let kind = entity.kind.as_str();
        match groups.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, keys)) => keys.push(entity.key.clone()),
            None => groups.push((kind, vec![entity.key.clone()])),
        }
    }
    groups
}

/// `GET /alerts/{id}/records/{event}`: a record as it is kept, as plain text.
pub(crate) async fn record(
    State(app): State<App>,
    Path((id, event)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let alert_id = AlertId::parse(&id).ok_or_else(|| Problem::missing(format!("There is no alert {id}.")))?;
    let detail = app.store(move |store| Ok(store.alert(alert_id)?)).await?;
    let found = detail.and_then(|detail| detail.evidence.into_iter().find(|row| row.event_id.to_string() == event));
    let row = found.ok_or_else(|| Problem::missing("That record is not kept with this alert."))?;
    let about = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}.txt\"", row.event_id)),
    ];
    Ok((about, row.raw).into_response())
}
