//! Sources: what is live, what is silent, late, thin or incomplete, and since when.

use std::collections::BTreeMap;

use askama::Template;
use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use model::{Lane, SourceId, Time};
use store::figures::{Hours, Standing, Sums, Verdict, degraded, percent};
use store::{CanaryReport, Feed, HealthReport, SourceHealth, SourceReport};

use super::Choice;
use crate::view::multiples::{self, Drawing};
use crate::view::{format, multiples::hours_to};
use crate::web::chrome::{Chrome, Nav, Visit};
use crate::web::params::Params;
use crate::web::problem::Problem;
use crate::web::{App, page, params};
use crate::{Catalogue, SourceView};

const DAY_HOURS: i64 = 24;

#[derive(Template)]
#[template(path = "sources.html")]
struct SourcesPage {
    chrome: Chrome,
    sources: Vec<Shown>,
    /// Those of which nothing was ever heard.
    unheard: Vec<Shown>,
    strangers: Vec<Stranger>,
    windows: Vec<Choice>,
    hours: i64,
    now: Time,
    canary: Option<CanaryReport>,
    /// When somebody last listened, if nobody does now.
    stopped: Option<Time>,
}

/// A source with everything that was heard of it.
struct Shown {
    id: String,
    view: Option<SourceView>,
    word: &'static str,
    class: &'static str,
    rank: u8,
    standing: Standing,
    sentences: Vec<String>,
    is_expected: bool,
    inputs: Vec<String>,
    last_event: Option<Time>,
    last_received: Option<Time>,
    volume: Drawing,
    volume_words: String,
    lag: Option<Drawing>,
    lag_words: String,
    ahead: Option<String>,
    fields: Option<Drawing>,
    fields_words: String,
    rejected: Vec<Rejected>,
    rejected_total: u64,
    repeated: u64,
    /// Rules that it and nothing else feeds as it should not.
    weak_rules: u64,
    rules_url: String,
}

struct Rejected {
    reason: String,
    count: u64,
    url: String,
}

/// Records of an input that no source knows as its own.
struct Stranger {
    input: String,
    last_received: Option<Time>,
    rejected: Vec<Rejected>,
}

/// `GET /sources`.
pub(crate) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let params = Params::parse(&query.unwrap_or_default());
    let hours: i64 = if params.get("hours") == Some("72") { 72 } else { DAY_HOURS };
    let now = app.now();
    let asked = app.state.catalogue.asked.clone();
    let ask = move |store: &store::Store| {
        let report = store.health_report(&asked, now)?;
        Ok((store.source_health(report.as_of)?, report))
    };
    let ((heard, report), pulse) = app.store_and_pulse(ask).await?;
    let chrome = Chrome::new(&app, &visit, "Sources", Nav::Sources, pulse);
    let gathering = Gathering::new(&app.state.catalogue, &report, hours);
    let mut sources: Vec<Shown> = report.sources.iter().map(|one| gathering.one(one)).collect();
    sources.sort_by_key(|one| one.rank);
    let unheard = sources.extract_if(.., |one| one.inputs.is_empty() && !one.is_expected).collect();
    let windows = [24, 72].map(|offered: i64| Choice {
        value: offered.to_string(),
        label: format!("{offered} h"),
        chosen: offered == hours,
        url: format!("/sources?hours={offered}"),
        count: None,
    });
    page(&SourcesPage {
        chrome,
        sources,
        unheard,
        strangers: heard.iter().filter_map(stranger).collect(),
        windows: windows.into(),
        hours,
        now: report.as_of,
        canary: report.canary,
        stopped: (!report.is_running && report.as_of < now).then_some(report.as_of),
    })
}

/// What is asked: the sources known, the hours drawn, the rules that suffer.
struct Gathering<'a> {
    catalogue: &'a Catalogue,
    drawn: Vec<Time>,
    day: Vec<Time>,
    weak: BTreeMap<SourceId, u64>,
}

impl Gathering<'_> {
    fn new<'a>(catalogue: &'a Catalogue, report: &HealthReport, hours: i64) -> Gathering<'a> {
        let standings = report.standings();
        let mut weak: BTreeMap<SourceId, u64> = BTreeMap::new();
        for rule in &catalogue.rules {
            if degraded(&rule.sources, |id| standings.get(id)).is_some_and(|weak| !weak.is_blind) {
                rule.sources.iter().for_each(|source| *weak.entry(source.clone()).or_default() += 1);
            }
        }
        Gathering { catalogue, drawn: hours_to(report.as_of, hours), day: hours_to(report.as_of, DAY_HOURS), weak }
    }

    fn one(&self, report: &SourceReport) -> Shown {
        let id = report.source.to_string();
        let view = self.catalogue.source(&id).cloned();
        let asked = &self.catalogue.asked;
        let is_judged = |feed: &&Feed| feed.lane == Lane::Live && !asked.once.contains(&feed.input);
        // What samples brought is drawn while there is nothing else.
        let only_once = !report.feeds.iter().any(|feed| is_judged(&feed));
        let feeds: Vec<&Feed> = report.feeds.iter().filter(|feed| only_once || is_judged(feed)).collect();
        let (hours, day) = joined(&feeds);
        let last_day = merged(&day);
        let at_least = asked.declared.get(&report.source).map_or(0, |contract| contract.filled_at_least);
        let lag_ms = view.as_ref().and_then(|view| view.lag_ms);
        let (word, class, rank) = head(report, only_once && !feeds.is_empty());
        let rejected = rejected_of(&id, &report.feeds);
        Shown {
            word,
            class,
            rank,
            standing: report.standing.clone(),
            sentences: sentences(report, only_once && !feeds.is_empty()),
            is_expected: report.is_expected,
            inputs: report.feeds.iter().map(|feed| feed.input.clone()).collect(),
            last_event: feeds.iter().filter_map(|feed| feed.last_event).max(),
            last_received: feeds.iter().map(|feed| feed.last_received).max(),
            volume: multiples::volume(&hours, feeds.iter().map(|feed| feed.first_received).min(), &self.drawn),
            volume_words: volume_words(report),
            lag: multiples::lags(&day, lag_ms, &self.day),
            lag_words: lag_words(&last_day, lag_ms),
            ahead: (last_day.ahead > 0).then(|| {
                let (events, farthest) = (format::of(last_day.ahead, "event"), format::gap(last_day.ahead_max_ms));
                format!("{events} from the future, up to {farthest}")
            }),
            fields: multiples::fields(&last_day, at_least),
            fields_words: fields_words(&last_day),
            rejected_total: rejected.iter().map(|one| one.count).sum(),
            rejected,
            repeated: report.feeds.iter().map(|feed| feed.repeated_24h).sum(),
            weak_rules: self.weak.get(&report.source).copied().unwrap_or(0),
            rules_url: format!("/rules?source={}", params::encode(&id)),
            id,
            view,
        }
    }
}

/// Hours and figures of several feeds in one.
fn joined(feeds: &[&Feed]) -> (Hours, Vec<(Time, Sums)>) {
    let (mut hours, mut day) = (Hours::new(), BTreeMap::<Time, Sums>::new());
    for feed in feeds {
        feed.hours.iter().for_each(|(hour, n)| *hours.entry(*hour).or_default() += n);
        feed.day.iter().for_each(|(hour, sums)| day.entry(*hour).or_default().merge(sums));
    }
    (hours, day.into_iter().collect())
}

fn merged(day: &[(Time, Sums)]) -> Sums {
    let mut all = Sums::default();
    day.iter().for_each(|(_, sums)| all.merge(sums));
    all
}

/// Its word, its mark, and its place: the gravest first.
fn head(report: &SourceReport, only_samples: bool) -> (&'static str, &'static str, u8) {
    match report.standing.verdict {
        Verdict::Silent => ("Silent", "silent", 0),
        Verdict::Unheard if report.is_alarming => ("Missing", "silent", 1),
        Verdict::Late => ("Late", "late", 2),
        Verdict::Thin => ("Thin", "late", 3),
        Verdict::Incomplete => ("Incomplete", "late", 4),
        Verdict::Drifting => ("Drifting", "late", 5),
        Verdict::Live => ("Live", "speaking", 6),
        Verdict::Unheard if only_samples => ("Samples only", "sample", 7),
        Verdict::Unheard => ("Never heard", "never", 8),
    }
}

fn sentences(report: &SourceReport, only_samples: bool) -> Vec<String> {
    if only_samples && report.standing.verdict == Verdict::Unheard {
        return vec!["nothing of your estate yet; only what is read once".to_owned()];
    }
    match report.troubles.is_empty() {
        true => vec![report.standing.sentence.clone()],
        false => report.troubles.iter().map(|trouble| trouble.sentence.clone()).collect(),
    }
}

fn volume_words(report: &SourceReport) -> String {
    let Some(volume) = report.volume else { return String::new() };
    let records = format::count(volume.records);
    match volume.expected {
        Some(expected) => {
            format!("last hour {records}, {} usual", format::count(expected.median.round() as u64))
        }
        None => format!("last hour {records}"),
    }
}

fn lag_words(day: &Sums, expected_ms: Option<i64>) -> String {
    let Some((half, most)) = day.lag_ms(500).zip(day.lag_ms(950)) else { return String::new() };
    let says = format!("half within {}, 95 % within {}", format::gap(half), format::gap(most));
    match expected_ms {
        Some(expected) => format!("{says}; expected {}", format::gap(expected)),
        None => says,
    }
}

fn fields_words(day: &Sums) -> String {
    let Some((name, fill)) = day.least_filled() else { return String::new() };
    match fill.thousandths() {
        1000 => "all there".to_owned(),
        share => format!("{name} in {}", percent(share)),
    }
}

fn rejected_of(id: &str, feeds: &[Feed]) -> Vec<Rejected> {
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    for (reason, n) in feeds.iter().flat_map(|feed| &feed.rejected_24h) {
        *reasons.entry(reason.clone()).or_default() += n;
    }
    reasons.into_iter().map(|(reason, count)| rejected(id, reason, count)).collect()
}

fn rejected(source: &str, reason: String, count: u64) -> Rejected {
    let source = if source.is_empty() { String::new() } else { format!("&source={}", params::encode(source)) };
    Rejected { url: format!("/rejects?reason={}{source}", params::encode(&reason)), reason, count }
}

fn stranger(health: &SourceHealth) -> Option<Stranger> {
    let is_stranger = health.source.is_none() && !health.rejected_24h.is_empty();
    let rejected = |(reason, n): (&String, &u64)| rejected("", reason.clone(), *n);
    is_stranger.then(|| Stranger {
        input: health.input.clone(),
        last_received: health.last_received,
        rejected: health.rejected_24h.iter().map(rejected).collect(),
    })
}
