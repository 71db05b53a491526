//! A rule over time against records: where each of its groups stands, and what was found.
//!
//! In: files of records. Out: for each group its events in order, the value, what is expected, the threshold, and what was told.
//! The records are taken in by the same runtime as those of a scan. Bound: `--limit` groups, the latest `EVENTS_SHOWN` events of each.

use std::collections::BTreeMap;
use std::io::Write;

use content::Catalogue;
use engine::correlate::{Batch, Claim, Fact, Live, Matched, Options};
use engine::identity::Link;
use engine::sigma::Correlation;
use engine::{Engine, Event, Format as StreamFormat, Given, Limits, Sink};
use model::{Finding, FindingId, Lane, Reject, RuleId, SourceId, WindowEvent};
use serde::Serialize;

use super::{ExplainArgs, known_source, read};
use crate::clock;
use crate::context::{Context, stdout, write_json, write_ndjson};
use crate::globals::Format;
use crate::status::{Failure, Outcome, Status};
use crate::style::Paint;
use crate::windows;

/// Events of a group that are shown, the latest.
const EVENTS_SHOWN: usize = 50;
/// All records are one partition: nothing is settled before all of them have come.
const PARTITION: &str = "explain";

/// One group, as it stands after all records.
#[derive(Debug, Serialize)]
struct Standing {
    rule: RuleId,
    title: String,
    /// The fields with their values.
    group: BTreeMap<String, String>,
    /// What is measured, where something is.
    reading: Option<Reading>,
    /// The members of which the group has no event.
    unseen: Vec<String>,
    event_count: usize,
    events: Vec<WindowEvent>,
    /// What was told, with its standing.
    told: Vec<Finding>,
}

#[derive(Debug, Serialize)]
struct Reading {
    measured: String,
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<f64>,
    threshold: String,
    values: Vec<String>,
    history: Vec<f64>,
}

/// The correlation that a person means: by id, title, or name.
pub(super) fn find<'c>(catalogue: &'c Catalogue, wanted: &str) -> Option<&'c Correlation> {
    catalogue.correlations.iter().find(|correlation| {
        correlation.id.as_ref().is_some_and(|id| id.eq_ignore_ascii_case(wanted))
            || correlation.title.eq_ignore_ascii_case(wanted)
            || correlation.name.as_deref() == Some(wanted)
    })
}

/// Explains a rule over time.
pub(super) fn explain(
    context: &Context,
    catalogue: &Catalogue,
    limits: Limits,
    correlation: &Correlation,
    args: &ExplainArgs,
    source: Option<&str>,
) -> Outcome {
    let wanted = wanted(&args.group)?;
    let (engine, wrong) = catalogue.compile(limits);
    let is_it = |known: &Correlation| (&known.id, &known.title) == (&correlation.id, &correlation.title);
    let place = engine.correlations().iter().position(|linked| is_it(&linked.correlation));
    let (Some(place), Some(over_time)) = (place, engine.over_time(Options { is_whole: true, ..Options::default() }))
    else {
        context.tell(&wrong)?;
        return Err(Failure::author(format!("rule `{}` cannot be compiled", correlation.title)));
    };
    let given = Given { source: known_source(&engine, source)?, received: clock::now(), lane: Lane::Test };
    let mut over_time = over_time.hearing_all();
    let mut told: BTreeMap<FindingId, Finding> = BTreeMap::new();
    for file in &args.events {
        let said = over_time.batch(&evaluate(&engine, &read(file)?, &given));
        told.extend(said.into_iter().map(|finding| (finding.finding_id, finding)));
    }
    let is_wanted = |group: &[(String, String)]| wanted.iter().all(|pair| group.contains(pair));
    let live = over_time.live(place, &is_wanted, args.limit);
    told.extend(over_time.finish().into_iter().map(|finding| (finding.finding_id, finding)));
    let linked = &engine.correlations()[place];
    let told: Vec<Finding> = told.into_values().filter(|finding| finding.rule_id == linked.rule_id()).collect();
    let title = &linked.correlation.title;
    let standings: Vec<Standing> =
        live.iter().map(|live| standing(linked.rule_id(), title, live, over_time.parts(place), &told)).collect();
    if standings.is_empty() {
        let which = if wanted.is_empty() { String::new() } else { format!(" with {}", args.group.join(" and ")) };
        return Err(Failure::author(format!("no record belongs to a group of `{title}`{which}")));
    }
    print(context, &standings)?;
    Ok(Status::Fine)
}

/// Fields with the values that are asked for.
fn wanted(group: &[String]) -> Result<Vec<(String, String)>, Failure> {
    let pair = |text: &String| match text.split_once('=') {
        Some((field, value)) if !field.is_empty() => Ok((field.to_owned(), value.to_owned())),
        _ => Err(Failure::author(format!("`--group {text}` is not a field and its value, as in `--group user=ana`"))),
    };
    group.iter().map(pair).collect()
}

/// Takes what evaluation hands to correlations.
#[derive(Default)]
struct Collector(Batch);

impl Sink for Collector {
    fn rejected(&mut self, _: &[u8], _: Option<&SourceId>, _: Reject) {}

    fn evaluated(&mut self, event: &Event<'_>) {
        self.0.note(event, PARTITION);
    }

    fn finding(&mut self, _: Finding, _: &Event<'_>) {}

    fn matched(&mut self, matched: Matched) {
        self.0.matched.push(matched);
    }

    fn linked(&mut self, links: Vec<Link>) {
        self.0.links.extend(links);
    }
}

fn evaluate(engine: &Engine, bytes: &[u8], given: &Given) -> Batch {
    let (mut worker, mut collector) = (engine.worker(), Collector::default());
    let mut each = |frame: engine::Frame<'_>| {
        if frame.outcome.is_ok() {
            engine.evaluate(&mut worker, frame.bytes, given, &mut collector);
        }
    };
    let mut framer = engine.framer(StreamFormat::Auto);
    framer.push(bytes, &mut each);
    framer.finish(&mut each);
    collector.0
}

fn standing(rule: RuleId, title: &str, live: &Live, parts: &[String], told: &[Finding]) -> Standing {
    let claims = claims_in_order(&live.pending);
    let seen = live.pending.iter().fold(0, |seen, fact| seen | fact.members.0);
    let event = |claim: &Claim| WindowEvent {
        event_id: claim.id,
        time: claim.time,
        source: claim.detail.as_ref().map_or_else(|| SourceId::from("unknown"), |detail| detail.source.clone()),
        parts: claim.members.iter().filter_map(|member| parts.get(member)).cloned().collect(),
        brief: claim.detail.as_ref().map(|detail| detail.brief.to_string()).unwrap_or_default(),
    };
    let reading = live.reading.clone().map(|measure| Reading {
        measured: measure.of,
        value: measure.value,
        expected: measure.expected,
        threshold: measure.threshold,
        values: measure.values,
        history: measure.history,
    });
    let is_of_group = |finding: &&Finding| finding.window.as_ref().is_some_and(|window| window.group == live.group);
    Standing {
        rule,
        title: title.to_owned(),
        group: live.group.iter().cloned().collect(),
        reading,
        unseen: parts
            .iter()
            .enumerate()
            .filter(|(at, _)| seen & (1 << at) == 0)
            .map(|(_, part)| part.clone())
            .collect(),
        event_count: claims.len(),
        events: claims[claims.len().saturating_sub(EVENTS_SHOWN)..].iter().map(event).collect(),
        told: told.iter().filter(is_of_group).cloned().collect(),
    }
}

/// The events, each once: those of findings beneath stand between the others, and an event may be both.
fn claims_in_order(facts: &[Fact]) -> Vec<Claim> {
    let mut claims: Vec<Claim> = facts.iter().flat_map(Fact::claims).collect();
    claims.sort_by_key(|claim| (claim.time, claim.id));
    claims.dedup_by(|next, kept| {
        let is_same = next.id == kept.id;
        if is_same {
            kept.members = kept.members.with(next.members);
        }
        is_same
    });
    claims
}

fn print(context: &Context, standings: &[Standing]) -> Result<(), Failure> {
    match context.format_or_text() {
        Format::Json => write_json(&standings),
        Format::Ndjson => write_ndjson(standings),
        Format::Ocsf | Format::Yaml => {
            Err(Failure::author("that format is for other verbs; use table, json or ndjson here"))
        }
        Format::Table => {
            let mut out = stdout();
            for (i, standing) in standings.iter().enumerate() {
                if i > 0 {
                    writeln!(out)?;
                }
                write!(out, "{}", render(standing, context.paint))?;
            }
            Ok(out.flush()?)
        }
    }
}

fn render(standing: &Standing, paint: Paint) -> String {
    let group: Vec<String> =
        standing.group.iter().map(|(name, value)| format!("{name} = {}", windows::plain(value))).collect();
    let mut out = format!("{}: {}\n", paint.bold(&standing.title), group.join(", "));
    let mut line = |name: &str, text: String| out.push_str(&format!("  {name:<10} {text}\n"));
    match &standing.reading {
        Some(reading) => {
            line("now", format!("{} {}", windows::number(reading.value), reading.measured));
            line("asks for", reading.threshold.clone());
            if let Some(expected) = reading.expected {
                line("expected", windows::number(expected));
            }
            reading.values.iter().for_each(|value| line("", windows::plain(value)));
        }
        None => line("now", "nothing is measured".to_owned()),
    }
    if !standing.unseen.is_empty() {
        line("not seen", standing.unseen.join(", "));
    }
    let more = standing.event_count - standing.events.len();
    let earlier = if more > 0 { format!(", the latest {}", standing.events.len()) } else { String::new() };
    line("events", format!("{}{earlier}", standing.event_count));
    out.push_str(&windows::events(&standing.events, paint));
    if standing.told.is_empty() {
        out.push_str("  told       nothing\n");
    }
    for finding in &standing.told {
        let word = finding.window.as_ref().map_or("final", |window| window.standing.as_str());
        out.push_str(&format!("  told       {}: {}\n", paint.bold(word), finding.message));
    }
    out
}
