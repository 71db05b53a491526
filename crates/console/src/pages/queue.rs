//! The queue: alerts in the order of need, filtered by the address, refreshed in place.

use std::collections::BTreeSet;

use askama::Template;
use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use model::{Alert, AlertState, Entity, Lane, Level, Time, Verdict};
use store::{AlertPage, AlertQuery, AlertSort};

use super::act::Closing;
use super::{Choice, Pager, page_number};
use crate::view::{clocks, format};
use crate::web::chrome::{Chrome, Nav, Visit};
use crate::web::params::Params;
use crate::web::problem::Problem;
use crate::web::pulse::Pulse;
use crate::web::{App, page};

const PAGE_ALERTS: u64 = 50;
const ENTITIES_SHOWN: usize = 3;
/// Names that a queue's address may carry; anything else is dropped.
const NAMES: [&str; 8] = ["state", "level", "source", "lane", "rule", "text", "sort", "page"];

#[derive(Template)]
#[template(path = "queue.html")]
struct QueuePage {
    chrome: Chrome,
    list: List,
    filters: Filters,
    closing: Closing,
    verdicts: Vec<Verdict>,
}

#[derive(Template)]
#[template(path = "queue_fragment.html")]
struct QueueFragment {
    list: List,
    filters: Filters,
}

/// The rows and what stands around them.
struct List {
    rows: Vec<Row>,
    pager: Pager,
    /// Where a form on this page leads back to.
    here: String,
    /// Where the list itself is fetched again.
    refresh: String,
    filtered: bool,
    now: Time,
    unacknowledged: u64,
    heads: Vec<Head>,
}

/// A column's head that sorts.
struct Head {
    label: &'static str,
    class: &'static str,
    /// The address that sorts by it, and whether it does so already.
    sort: Option<(String, bool)>,
}

/// One alert as the queue shows it.
struct Row {
    alert: Alert,
    lane: &'static str,
    entities: Vec<(String, String, String)>,
    entities_more: usize,
    marks: [bool; 6],
    six: String,
    headline: String,
    age: String,
}

struct Filters {
    states: Vec<Choice>,
    levels: Vec<Choice>,
    sources: Vec<Choice>,
    lanes: Vec<Choice>,
    sorts: Vec<Choice>,
    /// What the search form carries along.
    carried: Vec<(&'static str, String)>,
    text: String,
    rule: Option<(String, String)>,
    any: bool,
}

/// `GET /`.
pub(crate) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let params = Params::parse(&query.unwrap_or_default()).only(&NAMES);
    let (found, pulse) = ask(&app, &params).await?;
    let filters = filters(&app, &params, &pulse);
    let list = list(&app, &params, found, &pulse);
    let chrome = Chrome::new(&app, &visit, "Queue", Nav::Queue, pulse);
    let closing = Closing::none(&list.here);
    page(&QueuePage { chrome, list, filters, closing, verdicts: Verdict::ALL.to_vec() })
}

/// `GET /queue`: the rows, and the numbers that stand elsewhere on the page, for refreshing in place.
pub(crate) async fn fragment(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    let params = Params::parse(&query.unwrap_or_default()).only(&NAMES);
    let (found, pulse) = ask(&app, &params).await?;
    let list = list(&app, &params, found, &pulse);
    page(&QueueFragment { list, filters: filters(&app, &params, &pulse) })
}

async fn ask(app: &App, params: &Params) -> Result<(AlertPage, std::sync::Arc<Pulse>), Problem> {
    let query = query_of(params);
    app.store_and_pulse(move |store| Ok(store.alerts(&query)?)).await
}

fn query_of(params: &Params) -> AlertQuery {
    let states: Vec<AlertState> = params.all("state").filter_map(AlertState::parse).collect();
    let active = AlertState::ALL.into_iter().filter(|state| *state != AlertState::Closed);
    AlertQuery {
        states: if states.is_empty() { active.collect() } else { states },
        levels: params.all("level").filter_map(|level| level.parse().ok()).collect(),
        source: params.get("source").map(str::to_owned),
        rule: params.get("rule").map(str::to_owned),
        text: params.get("text").map(str::to_owned),
        lane: params.get("lane").and_then(Lane::parse),
        sort: SORTS
            .iter()
            .find(|(name, ..)| Some(*name) == params.get("sort"))
            .map_or(AlertSort::Level, |(_, _, sort)| *sort),
        offset: (page_number(params) - 1) * PAGE_ALERTS,
        limit: PAGE_ALERTS,
    }
}

const SORTS: [(&str, &str, AlertSort); 4] = [
    ("level", "Gravest first", AlertSort::Level),
    ("event", "Latest event first", AlertSort::LastEvent),
    ("raised", "Latest raised first", AlertSort::Detected),
    ("waiting", "Longest waiting first", AlertSort::Oldest),
];

fn list(app: &App, params: &Params, found: AlertPage, pulse: &Pulse) -> List {
    let now = app.now();
    let sorted = params.get("sort").unwrap_or("level");
    let by = |label, class, sort: &str| Head {
        label,
        class,
        sort: Some((
            params.with("page", "").with("sort", if sort == "level" { "" } else { sort }).on("/"),
            sort == sorted,
        )),
    };
    let plain = |label, class| Head { label, class, sort: None };
    let shown = found.alerts.len() as u64;
    let pager = Pager::new("/", params, found.total, PAGE_ALERTS);
    let pager = if found.total_is_least { pager.uncounted("/", params, shown, PAGE_ALERTS) } else { pager };
    List {
        rows: found.alerts.into_iter().map(|alert| row(alert, now)).collect(),
        pager,
        here: params.on("/"),
        refresh: params.on("/queue"),
        filtered: !params.only(&["state", "level", "source", "lane", "rule", "text"]).is_empty(),
        now,
        unacknowledged: pulse.stats.unacknowledged,
        heads: vec![
            by("Severity", "c-sev", "level"),
            plain("State", "c-state"),
            plain("Alert", "c-alert"),
            plain("Entities", "c-entities"),
            plain("Source", "c-source"),
            plain("Findings", "c-fold"),
            by("Last event", "c-last", "event"),
            by("Six times", "c-six", "waiting"),
            by("Raised", "c-age", "raised"),
        ],
    }
}

fn row(alert: Alert, now: Time) -> Row {
    let all = alert.entities.len();
    // The line that says how many more there are takes the place of one of them.
    let shown = if all > ENTITIES_SHOWN { ENTITIES_SHOWN - 1 } else { all };
    let told = |e: &Entity| (e.kind.as_str().to_owned(), format::short_key(&e.kind, &e.key), e.key.clone());
    let entities = alert.entities.iter().take(shown).map(told).collect();
    Row {
        lane: format::lane(&alert.lane),
        entities,
        entities_more: all - shown,
        marks: clocks::marks(&alert),
        six: clocks::sentence(&alert),
        headline: clocks::headline(&alert, now),
        age: format::age(&now, &alert.clocks.detected),
        alert,
    }
}

fn filters(app: &App, params: &Params, pulse: &Pulse) -> Filters {
    let stats = &pulse.stats;
    let base = params.with("page", "");
    let switch = |name: &str, value: &str, label: &str, count: Option<u64>| Choice {
        value: value.to_owned(),
        label: label.to_owned(),
        chosen: params.all(name).any(|held| held == value),
        url: base.toggled(name, value).on("/"),
        count,
    };
    let states = AlertState::ALL.into_iter();
    let levels = Level::ALL.into_iter().rev();
    let known = app.state.catalogue.sources.iter().map(|source| source.id.as_str().to_owned());
    let sources: BTreeSet<String> = known.chain(stats.open_by_source.keys().cloned()).collect();
    let carried = ["state", "level", "rule"].into_iter();
    let rule = params.get("rule").map(|id| {
        let title = app.state.catalogue.rule(id).map_or(id, |rule| rule.title.as_str());
        (title.to_owned(), base.with("rule", "").on("/"))
    });
    Filters {
        states: states
            .map(|s| switch("state", s.as_str(), format::state(&s), stats.by_state.get(&s).copied().or(Some(0))))
            .collect(),
        levels: levels
            .map(|l| switch("level", l.as_str(), format::level(&l), stats.open_by_level.get(&l).copied().or(Some(0))))
            .collect(),
        sources: sources.iter().map(|id| switch("source", id, id, stats.open_by_source.get(id).copied())).collect(),
        lanes: Lane::ALL.into_iter().map(|l| switch("lane", l.as_str(), l.as_str(), None)).collect(),
        sorts: SORTS.iter().map(|(name, label, _)| switch("sort", name, label, None)).collect(),
        carried: carried.flat_map(|name| params.all(name).map(move |value| (name, value.to_owned()))).collect(),
        text: params.get("text").unwrap_or_default().to_owned(),
        rule,
        any: !params.only(&["state", "level", "source", "lane", "rule", "text"]).is_empty(),
    }
}
