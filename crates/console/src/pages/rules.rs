//! Rules: what is looked for, where it came from, what it has found.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use model::{Level, Time};
use store::figures::{Degraded, degraded};
use store::{AlertQuery, CorrelationCount};

use super::{Choice, Pager, page_number};
use crate::view::format;
use crate::web::chrome::{Chrome, Nav, Visit};
use crate::web::params::{Params, encode};
use crate::web::problem::Problem;
use crate::web::{App, page};
use crate::{Catalogue, RuleView};

const PAGE_RULES: u64 = 100;
const NAMES: [&str; 7] = ["text", "level", "kind", "source", "health", "sort", "page"];

#[derive(Template)]
#[template(path = "rules.html")]
struct RulesPage {
    chrome: Chrome,
    rows: Vec<Row>,
    pager: Pager,
    levels: Vec<Choice>,
    kinds: Vec<Choice>,
    healths: Vec<Choice>,
    sources: Vec<Choice>,
    carried: Vec<(&'static str, String)>,
    text: String,
    filtered: bool,
    total: u64,
}

struct Row {
    rule: RuleView,
    url: String,
    findings_24h: u64,
    findings: u64,
    alerts: u64,
    degraded: Option<Degraded>,
}

#[derive(Template)]
#[template(path = "rule.html")]
struct RulePage {
    chrome: Chrome,
    rule: RuleView,
    lines: Vec<String>,
    findings_24h: u64,
    findings: u64,
    alerts: u64,
    latest: Vec<model::Alert>,
    over_time: Option<OverTime>,
    degraded: Option<Degraded>,
}

/// What a rule over time counts about itself.
struct OverTime {
    /// How many, in words of a person, and whether that is something that should not be.
    counts: Vec<(&'static str, u64, bool)>,
    is_aside: bool,
    at: Time,
}

impl OverTime {
    fn of(told: &CorrelationCount) -> OverTime {
        let count = |name: &str| told.counts.get(name).copied().unwrap_or(0);
        let all = [
            ("Groups kept", "groups", false),
            ("Bytes that they hold", "bytes", false),
            ("Events taken in", "taken", false),
            ("Of these, late but in time", "late", false),
            ("Too late to take part", "too_late", true),
            ("Values let go of for want of room", "shed", true),
            ("Groups let go of, of too many", "evicted", true),
            ("Events let go of with them", "lost", true),
        ];
        OverTime {
            counts: all.iter().map(|(says, name, is_bad)| (*says, count(name), *is_bad && count(name) > 0)).collect(),
            is_aside: count("set_aside") > 0,
            at: told.at,
        }
    }
}

/// `GET /rules`.
pub(crate) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let params = Params::parse(&query.unwrap_or_default()).only(&NAMES);
    let now = app.now();
    let cache = Arc::clone(&app.pulse);
    let catalogue = Arc::clone(&app.state.catalogue);
    let asked = Arc::clone(&catalogue);
    let ask =
        move |store: &store::Store| Ok((cache.rule_counts(store, now)?, cache.standings(store, &asked.asked, now)?));
    let ((counts, standings), pulse) = app.store_and_pulse(ask).await?;
    let weak = |rule: &RuleView| degraded(&rule.sources, |id| standings.get(id));
    let mut found: Vec<&RuleView> =
        catalogue.rules.iter().filter(|rule| meets(rule, &params) && is_so(weak(rule), &params)).collect();
    let alerts = |rule: &RuleView| pulse.stats.open_by_rule.get(rule.id.as_str()).copied().unwrap_or(0);
    let count = |rule: &RuleView| counts.get(rule.id.as_str()).copied().unwrap_or_default();
    found.sort_by(|a, b| (b.level, &a.title).cmp(&(a.level, &b.title)));
    if params.get("sort") == Some("findings") {
        found.sort_by_key(|rule| std::cmp::Reverse(count(rule).total));
    }
    let total = found.len() as u64;
    let start = (page_number(&params) - 1) * PAGE_RULES;
    let rows = found.into_iter().skip(start as usize).take(PAGE_RULES as usize);
    let rows = rows.map(|rule| Row {
        rule: rule.clone(),
        url: format!("/rules/{}", encode(rule.id.as_str())),
        findings_24h: count(rule).last_24h,
        findings: count(rule).total,
        alerts: alerts(rule),
        degraded: weak(rule),
    });
    page(&RulesPage {
        rows: rows.collect(),
        pager: Pager::new("/rules", &params, total, PAGE_RULES),
        levels: choices(
            &params,
            "level",
            Level::ALL.iter().rev().map(|l| (l.as_str().to_owned(), format::level(l).to_owned())),
        ),
        kinds: choices(&params, "kind", ["alert", "signal", "hunt"].into_iter().map(|k| (k.to_owned(), k.to_owned()))),
        healths: choices(&params, "health", ["degraded", "blind"].into_iter().map(|h| (h.to_owned(), h.to_owned()))),
        sources: choices(&params, "source", sources(&catalogue).into_iter().map(|s| (s.clone(), s))),
        carried: ["level", "kind", "health"]
            .into_iter()
            .flat_map(|n| params.all(n).map(move |v| (n, v.to_owned())))
            .collect(),
        text: params.get("text").unwrap_or_default().to_owned(),
        filtered: !params.only(&["text", "level", "kind", "source", "health"]).is_empty(),
        total: catalogue.rules.len() as u64,
        chrome: Chrome::new(&app, &visit, "Rules", Nav::Rules, pulse),
    })
}

fn sources(catalogue: &Catalogue) -> BTreeSet<String> {
    catalogue.rules.iter().flat_map(|rule| rule.sources.iter().map(|source| source.to_string())).collect()
}

fn choices(params: &Params, name: &str, offered: impl Iterator<Item = (String, String)>) -> Vec<Choice> {
    let base = params.with("page", "");
    let choice = |(value, label): (String, String)| Choice {
        chosen: params.all(name).any(|held| held == value),
        url: base.toggled(name, &value).on("/rules"),
        value,
        label,
        count: None,
    };
    offered.map(choice).collect()
}

fn meets(rule: &RuleView, params: &Params) -> bool {
    let one_of = |name: &str, value: &str| params.get(name).is_none() || params.all(name).any(|held| held == value);
    let source = params.get("source").is_none_or(|id| rule.sources.iter().any(|source| source.as_str() == id));
    let text = || {
        format!("{} {} {} {} {}", rule.title, rule.id, rule.file, rule.techniques.join(" "), rule.provenance)
            .to_lowercase()
    };
    let words = params.get("text").map(str::to_lowercase).unwrap_or_default();
    let held = words.is_empty() || {
        let text = text();
        words.split_whitespace().all(|word| text.contains(word))
    };
    one_of("level", rule.level.as_str()) && one_of("kind", &rule.kind) && source && held
}

/// Is a rule's health one of those that are asked for?
fn is_so(weak: Option<Degraded>, params: &Params) -> bool {
    let word = weak.map(|weak| if weak.is_blind { "blind" } else { "degraded" });
    params.get("health").is_none() || params.all("health").any(|asked| word == Some(asked))
}

/// `GET /rules/{id}`.
pub(crate) async fn one(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let rule = app
        .state
        .catalogue
        .rule(&id)
        .cloned()
        .ok_or_else(|| Problem::missing(format!("No loaded rule has the id {id}.")))?;
    let now = app.now();
    let query =
        AlertQuery { rule: Some(id.clone()), sort: store::AlertSort::Detected, limit: 10, ..AlertQuery::default() };
    let cache = Arc::clone(&app.pulse);
    let catalogue = Arc::clone(&app.state.catalogue);
    let ask = move |store: &store::Store| {
        let standings = cache.standings(store, &catalogue.asked, now)?;
        Ok((cache.rule_counts(store, now)?, store.alerts(&query)?, store.correlation_counts()?, standings))
    };
    let ((counts, alerts, over_time, standings), pulse) = app.store_and_pulse(ask).await?;
    let count = counts.get(rule.id.as_str()).copied().unwrap_or_default();
    page(&RulePage {
        lines: rule.yaml.lines().map(str::to_owned).collect(),
        findings_24h: count.last_24h,
        findings: count.total,
        alerts: alerts.total,
        latest: alerts.alerts,
        degraded: degraded(&rule.sources, |id| standings.get(id)),
        over_time: over_time.iter().find(|told| told.rule_id == rule.id).map(OverTime::of),
        chrome: Chrome::new(&app, &visit, rule.title.clone(), Nav::Rules, pulse),
        rule,
    })
}
