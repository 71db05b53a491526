//! `watchkeep sources health`: how each source is, and which rules lean on those that are not well.

use std::collections::BTreeMap;
use std::io::Write;

use comfy_table::{Cell, CellAlignment, Color};
use content::Catalogue;
use content::config::Config;
use engine::health::{Degraded, Verdict, degraded, expectation, percent, span};
use model::{RuleId, Time};
use serde_json::{Value, json};
use store::{CANARY_SOURCE, CanaryReport, Contracts, Feed, HealthReport, SourceHealth, SourceReport};

use crate::clock;
use crate::context::Context;
use crate::globals::Format;
use crate::status::{Blame, Failure, Outcome, Status};
use crate::table::{counted, group, number, print_list};

const HOUR_MS: i64 = 3_600_000;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const HEADERS: [&str; 11] = [
    "source",
    "input",
    "verdict",
    "last event",
    "lag p50/p95",
    "last hour",
    "24 h",
    "filled",
    "drift",
    "rejected",
    "repeats",
];

/// What is asked of the sources of this site.
///
/// Errors: a source that the configuration expects or keeps values of, and no content declares; an input that polls and does not fit its
/// feed.
pub fn contracts(config: &Config, catalogue: &Catalogue) -> Result<Contracts, Failure> {
    for id in &config.health.expect {
        if catalogue.source(id.as_str()).is_none() {
            let message =
                format!("`health.expect` names `{id}`, and no such source is loaded; see `watchkeep sources`");
            return Err(Failure::author(message));
        }
    }
    for keep in &config.keep {
        let source = catalogue.source(keep.source.as_str());
        let trouble = match source {
            None => "no such source is loaded; see `watchkeep sources`",
            Some(source) if source.sensitive.is_empty() => {
                "the source calls nothing sensitive, so its records are kept whole"
            }
            Some(_) => continue,
        };
        return Err(Failure::author(format!("`[[keep]]` names `{}`: {trouble}", keep.source)));
    }
    feeds(config, catalogue)?;
    Ok(pipeline::run::contracts(&catalogue.sources, config))
}

/// Every input that polls has its feed, and says what that asks for.
fn feeds(config: &Config, catalogue: &Catalogue) -> Result<(), Failure> {
    let wrong = content::feeds::lint(config, catalogue);
    if wrong.is_empty() { Ok(()) } else { Err(Failure::author(wrong.join("\n"))) }
}

/// Shows the health of every source that was heard or must be there; of `all`, if asked.
pub fn show(context: &Context, config: &Config, catalogue: &Catalogue, all: bool) -> Outcome {
    let asked = contracts(config, catalogue)?;
    let (store, now) = (context.store(config)?, clock::now());
    let report = store.health_report(&asked, now).environment()?;
    let strangers = store.source_health(report.as_of).environment()?;
    let weak = weak_rules(catalogue, &report);
    let mut rows = Vec::new();
    for one in &report.sources {
        match &one.feeds[..] {
            [] if all || one.is_expected => rows.push(source_row(one, &weak)),
            feeds => rows.extend(feeds.iter().map(|feed| feed_row(one, feed, &report, &weak))),
        }
    }
    rows.extend(report.canary.map(canary_row));
    rows.extend(strangers.iter().filter(|row| row.source.is_none()).map(stranger_row));
    tell_stopped(context, &report, now)?;
    print_list(context, &rows, &HEADERS, table_row, "nothing has arrived yet")?;
    tell_troubles(context, &report, &weak)?;
    let is_any = report.sources.iter().any(|one| one.is_alarming);
    Ok(if is_any { Status::Findings } else { Status::Fine })
}

/// The rules that no source feeds as it should, and the sources on which each leans.
type Weak = BTreeMap<RuleId, (Degraded, Vec<model::SourceId>)>;

fn weak_rules(catalogue: &Catalogue, report: &HealthReport) -> Weak {
    let standings = report.standings();
    let one = |entry: &content::CatalogueRule| {
        let sources = catalogue.sources_of(&entry.rule);
        let weak = degraded(&sources, |id| standings.get(id)).filter(|weak| !weak.is_blind)?;
        Some((entry.rule.id.clone(), (weak, sources)))
    };
    catalogue.rules.iter().filter_map(one).collect()
}

fn source_row(one: &SourceReport, weak: &Weak) -> Value {
    let leans = |(id, (_, sources)): (&RuleId, &(Degraded, Vec<model::SourceId>))| {
        sources.contains(&one.source).then(|| id.clone())
    };
    json!({
        "source": one.source,
        "input": null,
        "lane": null,
        "verdict": one.standing.verdict,
        "since": one.standing.since,
        "sentence": one.standing.sentence,
        "troubles": one.troubles,
        "new_keys": one.drift.new,
        "gone_keys": one.drift.gone,
        "expected_here": one.is_expected,
        "degraded_rules": weak.iter().filter_map(leans).collect::<Vec<_>>(),
    })
}

fn feed_row(one: &SourceReport, feed: &Feed, report: &HealthReport, weak: &Weak) -> Value {
    let day = feed.last_day();
    let last_hour = report.as_of.hour().plus_millis(-HOUR_MS);
    let expected = expectation(&feed.hours, feed.first_received, last_hour);
    let fills: BTreeMap<&str, f64> =
        day.filled.iter().map(|(name, fill)| (name.as_str(), f64::from(fill.thousandths()) / 1000.0)).collect();
    let more = json!({
        "input": feed.input,
        "lane": feed.lane,
        "last_event": feed.last_event,
        "last_received": feed.last_received,
        "lag_p50_ms": day.lag_ms(500),
        "lag_p95_ms": day.lag_ms(950),
        "lag_max_ms": (day.lags.count() > 0).then_some(day.lag_max_ms),
        "ahead_24h": day.ahead,
        "ahead_max_ms": day.ahead_max_ms,
        "last_hour": {
            "hour": last_hour,
            "records": feed.hours.get(&last_hour).copied().unwrap_or(0),
            "expected": expected,
        },
        "hours": hours_of(feed, report.as_of),
        "records_24h": day.records,
        "filled": fills,
        "rejected_24h": feed.rejected_24h,
        "repeated_24h": feed.repeated_24h,
    });
    let mut row = source_row(one, weak);
    if let (Some(row), Some(more)) = (row.as_object_mut(), more.as_object()) {
        row.extend(more.clone());
    }
    row
}

/// Records of each of the last 24 whole hours and of the one that runs, the earliest first.
fn hours_of(feed: &Feed, as_of: Time) -> Vec<u64> {
    let at = |ago: i64| as_of.hour().plus_millis(-ago * HOUR_MS);
    (0..=24).rev().map(|ago| feed.hours.get(&at(ago)).copied().unwrap_or(0)).collect()
}

/// The last record that the platform sent itself.
fn canary_row(canary: CanaryReport) -> Value {
    json!({
        "source": CANARY_SOURCE,
        "lane": "canary",
        "last_event": canary.sent,
        "settled": canary.settled,
        "travel_ms": canary.travel_ms,
    })
}

/// What an input received without a source being known.
fn stranger_row(row: &SourceHealth) -> Value {
    json!({
        "source": null,
        "input": row.input,
        "verdict": null,
        "last_received": row.last_received,
        "rejected_24h": row.rejected_24h,
    })
}

fn table_row(row: &Value) -> Vec<Cell> {
    let text = |value: &Value, otherwise: &str| value.as_str().unwrap_or(otherwise).to_owned();
    let verdict = row["verdict"].as_str().unwrap_or_default();
    let is_live_lane = row["lane"].as_str().is_none_or(|lane| lane == "live");
    let verdict = if is_live_lane { verdict } else { row["lane"].as_str().unwrap_or_default() };
    let color = match Verdict::parse(verdict) {
        Some(Verdict::Live) => Color::Green,
        Some(Verdict::Silent) => Color::Red,
        Some(verdict) if verdict.is_trouble() => Color::Yellow,
        _ => Color::Grey,
    };
    let lag = |key: &str| row[key].as_i64().map(span);
    let travel = lag("travel_ms").map(|travel| format!("{travel} in all"));
    let lags = lag("lag_p50_ms").zip(lag("lag_p95_ms")).map_or_else(String::new, |(p50, p95)| format!("{p50} / {p95}"));
    let lags = travel.unwrap_or(lags);
    let rejected: u64 = row["rejected_24h"].as_object().map_or(0, |map| map.values().filter_map(Value::as_u64).sum());
    vec![
        Cell::new(text(&row["source"], "(not known)")),
        Cell::new(text(&row["input"], "")),
        Cell::new(verdict).fg(color),
        Cell::new(stamp(&row["last_event"])),
        Cell::new(lags),
        Cell::new(volume_words(&row["last_hour"])).set_alignment(CellAlignment::Right),
        Cell::new(sparkline(&row["hours"])),
        Cell::new(least_filled(&row["filled"])),
        Cell::new(drift_words(row)),
        number(rejected),
        number(row["repeated_24h"].as_u64().unwrap_or_default()),
    ]
}

/// A time to the second: `2026-11-22 02:51:07`.
fn stamp(time: &Value) -> String {
    time.as_str().map_or_else(|| "never".to_owned(), |time| time.chars().take(19).collect::<String>().replace('T', " "))
}

/// `40 of 400`: what the last whole hour brought, and what is usual where that is known.
fn volume_words(last_hour: &Value) -> String {
    let Some(records) = last_hour["records"].as_u64() else { return String::new() };
    match last_hour["expected"]["median"].as_f64() {
        Some(median) => format!("{} of {}", group(records), group(median.round() as u64)),
        None => group(records),
    }
}

fn sparkline(hours: &Value) -> String {
    let values: Vec<u64> = hours.as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
    let most = values.iter().copied().max().unwrap_or(0);
    let bar = |n: &u64| match (*n, most) {
        (0, _) => ' ',
        (n, most) => BARS[(n * 8).div_ceil(most).clamp(1, 8) as usize - 1],
    };
    if most == 0 { String::new() } else { values.iter().map(bar).collect() }
}

/// `+2 -1`: keys that are new, and keys that are gone.
fn drift_words(row: &Value) -> String {
    let count = |key: &str| row[key].as_array().map_or(0, Vec::len);
    match (count("new_keys"), count("gone_keys")) {
        (0, 0) => String::new(),
        (new, gone) => format!("+{new} -{gone}"),
    }
}

fn least_filled(filled: &Value) -> String {
    let shares = filled.as_object().into_iter().flatten();
    let shares = shares.filter_map(|(_, share)| share.as_f64().map(|share| (share * 1000.0).floor() as u32));
    shares.min().map_or_else(String::new, percent)
}

fn tell_stopped(context: &Context, report: &HealthReport, now: Time) -> Result<(), Failure> {
    if !report.is_running && report.as_of < now {
        let paint = context.paint_errors;
        let ago = span(now.millis_since(report.as_of));
        writeln!(
            std::io::stderr(),
            "{}: no platform has run here for {ago}; this is how it was then",
            paint.warn("note")
        )?;
    }
    Ok(())
}

/// For people: each trouble as a sentence, and the rules that suffer.
fn tell_troubles(context: &Context, report: &HealthReport, weak: &Weak) -> Result<(), Failure> {
    if context.format_or(Format::Ndjson) != Format::Table {
        return Ok(());
    }
    let mut errors = std::io::stderr();
    for one in report.sources.iter().filter(|one| one.is_alarming) {
        let paint = context.paint_errors;
        let verdict = paint.bad(one.standing.verdict.as_str());
        let trouble = one.troubles.iter().map(|trouble| trouble.sentence.as_str()).collect::<Vec<_>>();
        let says = if trouble.is_empty() { one.standing.sentence.clone() } else { trouble.join("; ") };
        writeln!(errors, "{} is {verdict}: {says}", one.source)?;
    }
    if !weak.is_empty() {
        let rules = counted(weak.len() as u64, "rule");
        let says = if weak.len() == 1 {
            "is degraded: none of its sources is"
        } else {
            "are degraded: none of their sources is"
        };
        writeln!(errors, "{rules} {says} well")?;
    }
    Ok(())
}
