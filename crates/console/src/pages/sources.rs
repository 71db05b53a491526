//! Sources: what speaks, what is silent, how late it comes, how much.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use model::{Ledger, Step, Time};
use store::SourceHealth;

use super::Choice;
use crate::view::format;
use crate::web::chrome::{Chrome, Nav, Visit};
use crate::web::params::Params;
use crate::web::problem::Problem;
use crate::web::{App, page, params};
use crate::{Catalogue, SourceView};

const HOUR_MS: i64 = 3_600_000;

#[derive(Template)]
#[template(path = "sources.html")]
struct SourcesPage {
    chrome: Chrome,
    sources: Vec<Shown>,
    windows: Vec<Choice>,
    hours: i64,
    now: Time,
}

/// How a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Health {
    Silent,
    Late,
    Speaking,
    Sample,
    Never,
}

impl Health {
    fn word(self) -> &'static str {
        match self {
            Health::Silent => "Silent",
            Health::Late => "Late",
            Health::Speaking => "Speaking",
            Health::Sample => "Samples only",
            Health::Never => "Never heard",
        }
    }

    fn class(self) -> &'static str {
        match self {
            Health::Silent => "silent",
            Health::Late => "late",
            Health::Speaking => "speaking",
            Health::Sample => "sample",
            Health::Never => "never",
        }
    }
}

/// A source with everything that was heard of it.
struct Shown {
    id: String,
    view: Option<SourceView>,
    health: Health,
    why: String,
    inputs: Vec<SourceHealth>,
    last_event: Option<Time>,
    last_received: Option<Time>,
    lag: Option<String>,
    volume: Volume,
    rejected: Vec<Rejected>,
    rejected_total: u64,
}

struct Rejected {
    reason: String,
    count: u64,
    url: String,
}

/// Records by hour, for the drawing and for those who do not see it.
struct Volume {
    start_s: i64,
    values: String,
    total: u64,
    peak: u64,
    told: String,
}

/// `GET /sources`.
pub(crate) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let params = Params::parse(&query.unwrap_or_default());
    let hours: i64 = if params.get("hours") == Some("72") { 72 } else { 24 };
    let now = app.now();
    let (since, until) = (now.hour().plus_millis(-(hours - 1) * HOUR_MS), now.hour().plus_millis(HOUR_MS));
    let ask = move |store: &store::Store| Ok((store.source_health(now)?, store.ledger(since, until)?));
    let ((health, ledger), pulse) = app.store_and_pulse(ask).await?;
    let chrome = Chrome::new(&app, &visit, "Sources", Nav::Sources, pulse);
    let gathering = Gathering {
        catalogue: &app.state.catalogue,
        sample_inputs: &app.state.config.sample_inputs,
        since,
        hours,
        now,
    };
    let sources = gathering.gather(health, &ledger);
    let windows = [24, 72].map(|offered: i64| Choice {
        value: offered.to_string(),
        label: format!("{offered} h"),
        chosen: offered == hours,
        url: format!("/sources?hours={offered}"),
        count: None,
    });
    page(&SourcesPage { chrome, sources, windows: windows.into(), hours, now })
}

/// What is asked: the sources known, the inputs that play samples, the hours drawn.
struct Gathering<'a> {
    catalogue: &'a Catalogue,
    sample_inputs: &'a [String],
    since: Time,
    hours: i64,
    now: Time,
}

impl Gathering<'_> {
    fn gather(&self, health: Vec<SourceHealth>, ledger: &Ledger) -> Vec<Shown> {
        let mut heard: BTreeMap<String, Vec<SourceHealth>> = BTreeMap::new();
        for one in health {
            let id = one.source.as_ref().map_or(String::new(), |source| source.to_string());
            heard.entry(id).or_default().push(one);
        }
        let known = self.catalogue.sources.iter().map(|source| source.id.to_string());
        let ids: BTreeSet<String> = known.chain(heard.keys().cloned()).collect();
        let mut volumes = volumes(ledger, self.since, self.hours);
        let mut shown: Vec<Shown> = Vec::new();
        for id in ids {
            let volume = volume(volumes.remove(&id).unwrap_or_default(), self.since, self.hours);
            shown.push(self.one(heard.remove(&id).unwrap_or_default(), id, volume));
        }
        shown.retain(|one| !one.id.is_empty() || one.rejected_total > 0);
        shown.sort_by_key(|one| one.health);
        shown
    }

    fn one(&self, inputs: Vec<SourceHealth>, id: String, volume: Volume) -> Shown {
        let view = self.catalogue.source(&id).cloned();
        let is_sample = |input: &&SourceHealth| self.sample_inputs.contains(&input.input);
        // Samples are old by nature: a source is judged by its other inputs while it has any.
        let all_samples = inputs.iter().all(|input| is_sample(&input));
        let judged: Vec<&SourceHealth> = inputs.iter().filter(|input| all_samples || !is_sample(input)).collect();
        let last_event = judged.iter().filter_map(|input| input.last_event).max();
        let last_received = judged.iter().filter_map(|input| input.last_received).max();
        let lag_ms = judged.iter().max_by_key(|input| input.last_received).and_then(|input| input.lag_ms);
        let (mut health, mut why) = judge(view.as_ref(), last_received, lag_ms, self.now);
        if all_samples && !inputs.is_empty() {
            (health, why) = (Health::Sample, "nothing of your estate yet; only shipped samples".to_owned());
        }
        let rejected = rejected_of(&id, &inputs);
        Shown {
            rejected_total: rejected.iter().map(|one| one.count).sum(),
            rejected,
            lag: lag_ms.map(format::gap),
            id,
            view,
            health,
            why,
            inputs,
            last_event,
            last_received,
            volume,
        }
    }
}

fn rejected_of(id: &str, inputs: &[SourceHealth]) -> Vec<Rejected> {
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    for (reason, n) in inputs.iter().flat_map(|input| &input.rejected_24h) {
        *reasons.entry(reason.clone()).or_default() += n;
    }
    reasons.into_iter().map(|(reason, count)| rejected(id, reason, count)).collect()
}

fn rejected(source: &str, reason: String, count: u64) -> Rejected {
    let source = if source.is_empty() { String::new() } else { format!("&source={}", params::encode(source)) };
    Rejected { url: format!("/rejects?reason={}{source}", params::encode(&reason)), reason, count }
}

fn judge(view: Option<&SourceView>, received: Option<Time>, lag_ms: Option<i64>, now: Time) -> (Health, String) {
    let Some(received) = received else { return (Health::Never, "no record yet".to_owned()) };
    let quiet_ms = now.millis_since(received);
    match (view.and_then(|view| view.silent_after_ms), view.and_then(|view| view.lag_ms), lag_ms) {
        (Some(after), ..) if quiet_ms > after => {
            (Health::Silent, format!("nothing for {}; expected within {}", format::gap(quiet_ms), format::gap(after)))
        }
        (_, Some(expected), Some(lag)) if lag > expected => {
            (Health::Late, format!("records come {} late; expected {}", format::gap(lag), format::gap(expected)))
        }
        _ => (Health::Speaking, format!("last record {} ago", format::gap(quiet_ms.max(0)))),
    }
}

/// Records by source and hour: evaluated, and rejected where the source was known.
fn volumes(ledger: &Ledger, since: Time, hours: i64) -> BTreeMap<String, Vec<u64>> {
    let mut volumes: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (entry, n) in ledger.iter().filter(|(entry, _)| matches!(entry.step, Step::Evaluated | Step::Rejected)) {
        let at = entry.hour.millis_since(since) / HOUR_MS;
        let id = entry.source.as_ref().map_or(String::new(), |source| source.to_string());
        let line = volumes.entry(id).or_insert_with(|| vec![0; hours as usize]);
        if let Some(slot) = usize::try_from(at).ok().and_then(|at| line.get_mut(at)) {
            *slot += n;
        }
    }
    volumes
}

fn volume(mut line: Vec<u64>, since: Time, hours: i64) -> Volume {
    line.resize(hours as usize, 0);
    let (total, peak) = (line.iter().sum::<u64>(), line.iter().max().copied().unwrap_or(0));
    let told = format!("{} in {hours} hours, at most {} in one", format::of(total, "record"), format::count(peak));
    let values = line.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
    Volume { start_s: since.millis() / 1000, values, total, peak, told }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_comes_before_lateness() {
        let view = SourceView {
            id: "s".into(),
            title: String::new(),
            description: String::new(),
            silent_after_ms: Some(60_000),
            lag_ms: Some(1_000),
            enable: String::new(),
            blind_spots: vec![],
        };
        let now = Time::from_millis(10_000_000);
        let heard = |ago_ms: i64, lag_ms: i64| judge(Some(&view), Some(now.plus_millis(-ago_ms)), Some(lag_ms), now).0;
        assert_eq!(heard(10, 10), Health::Speaking);
        assert_eq!(heard(10, 2_000), Health::Late);
        assert_eq!(heard(70_000, 2_000), Health::Silent);
        assert_eq!(judge(Some(&view), None, None, now).0, Health::Never);
        assert_eq!(judge(None, Some(now), None, now).0, Health::Speaking, "a source without expectations is believed");
    }
}
