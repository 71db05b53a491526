//! `bench engine`: matching alone, beside a bare parse of the same bytes.
//!
//! Events are in memory, one a line. A lane's time is processor time of its one thread; lanes run turn by turn, and a ratio is
//! the median of each round's. A short run for development: `cargo xtask bench engine --quick`, or one part of it,
//! `cargo xtask bench engine cloudtrail --quick`.

mod clock;
mod corpus;
mod ours;
mod race;
mod windows;

use std::collections::BTreeSet;

use content::Catalogue;
use engine::sigma::LogSource;
use engine::{Engine, Limits};

use crate::bench::engine::corpus::Corpus;
use crate::bench::engine::ours::Bare;
use crate::bench::engine::race::{Lane, race};
use crate::bench::{Row, Scope};
use crate::data::{Data, SIGMA_CURRENT, catalogue};

/// What all parts share.
struct Setting {
    data: Data,
    /// SigmaHQ's current rules, and our sources.
    rules: Catalogue,
    quick: bool,
}

impl Setting {
    fn new(scope: &Scope) -> anyhow::Result<Setting> {
        let data = Data::find(None)?;
        let folder = data.sigma(&SIGMA_CURRENT)?;
        let rules = catalogue(Some(folder.path())).with_rules(|entry| entry.provenance.root == 1);
        Ok(Setting { data, rules, quick: scope.quick })
    }

    fn rounds(&self) -> usize {
        if self.quick { 3 } else { 7 }
    }

    fn events(&self) -> usize {
        if self.quick { 6_000 } else { 30_000 }
    }
}

type Part = fn(&Setting) -> anyhow::Result<Vec<Row>>;

const PARTS: [(&str, Part); 3] = [("cloudtrail", cloudtrail), ("windows", windows_events), ("kubernetes", kubernetes)];

/// The parts that `scope` names, or each.
pub fn rows(scope: &Scope) -> anyhow::Result<Vec<Row>> {
    let known = PARTS.map(|(own, _)| own).join(", ");
    for part in &scope.parts {
        anyhow::ensure!(PARTS.iter().any(|(own, _)| own == part), "`engine` has no part `{part}`; known: {known}");
    }
    let setting = Setting::new(scope)?;
    let mut rows = Vec::new();
    for (own, part) in PARTS {
        if scope.parts.is_empty() || scope.parts.iter().any(|part| part == own) {
            eprintln!("  {own}");
            rows.extend(part(&setting)?);
        }
    }
    Ok(rows)
}

fn logsource(product: &str, category: Option<&str>, service: Option<&str>) -> LogSource {
    LogSource {
        product: Some(product.to_owned()),
        category: category.map(str::to_owned),
        service: service.map(str::to_owned),
        definition: None,
    }
}

fn cloudtrail(setting: &Setting) -> anyhow::Result<Vec<Row>> {
    let corpus = corpus::cloudtrail(&setting.data, setting.events())?;
    let engine = setting.rules.compile(Limits::default()).0;
    let routed = Bare::of(&setting.rules, &[logsource("aws", None, Some("cloudtrail"))]);
    let unrouted = Bare::of(&setting.rules, &[]);
    measure(setting, &corpus, Some(&engine), &routed, &unrouted)
}

fn kubernetes(setting: &Setting) -> anyhow::Result<Vec<Row>> {
    let corpus = corpus::kubernetes(&setting.data, setting.events())?;
    let engine = setting.rules.compile(Limits::default()).0;
    let routed = Bare::of(&setting.rules, &[logsource("kubernetes", Some("application"), Some("audit"))]);
    let unrouted = Bare::of(&setting.rules, &[]);
    measure(setting, &corpus, Some(&engine), &routed, &unrouted)
}

fn windows_events(setting: &Setting) -> anyhow::Result<Vec<Row>> {
    let corpus = corpus::windows(&setting.data, setting.events())?;
    let routed = Bare::windows(&setting.rules, &kinds(&corpus)?);
    let unrouted = Bare::of(&setting.rules, &[]);
    measure(setting, &corpus, None, &routed, &unrouted)
}

/// The channels and numbers of Windows events.
fn kinds(corpus: &Corpus) -> anyhow::Result<Vec<(String, String)>> {
    let mut kinds = BTreeSet::new();
    for line in corpus.lines() {
        let event: serde_json::Value = serde_json::from_slice(line)?;
        let channel = event["Channel"].as_str().unwrap_or_default().to_owned();
        kinds.insert((channel, event["EventID"].to_string().trim_matches('"').to_owned()));
    }
    Ok(kinds.into_iter().collect())
}

fn parse(corpus: &Corpus) -> anyhow::Result<u64> {
    for line in corpus.lines() {
        std::hint::black_box(sonic_rs::from_slice::<sonic_rs::Value>(line)?);
    }
    Ok(0)
}

/// All lanes over one corpus, and the rows that they come to.
fn measure(
    setting: &Setting,
    corpus: &Corpus,
    engine: Option<&Engine>,
    routed: &Bare,
    unrouted: &Bare,
) -> anyhow::Result<Vec<Row>> {
    let mut lanes = vec![
        Lane::new("sonic-rs parse", parse),
        Lane::new("extraction alone", |corpus| routed.extract(corpus)),
        Lane::new("extraction, rules of the log source", |corpus| routed.evaluate(corpus)),
        Lane::new("extraction, all rules", |corpus| unrouted.evaluate(corpus)).sampled(setting.events() / 15),
    ];
    if let Some(engine) = engine {
        lanes.push(Lane::new("Watchkeep, detection", |corpus| ours::detect(engine, corpus)));
        lanes.push(Lane::new("Watchkeep, findings in full", |corpus| ours::find(engine, corpus)));
    }
    race(corpus, setting.rounds(), &mut lanes)?;
    let bytes = corpus.event_bytes();
    let name = corpus.name;
    Ok(lanes
        .iter()
        .map(|lane| {
            let value = format!("{:.2} µs, {:.0} % of the parse", lane.micros(), 100.0 * lanes[0].over(lane));
            Row::of(format!("{name} ({bytes} B), {}", lane.name()), value, "", None)
        })
        .collect())
}
