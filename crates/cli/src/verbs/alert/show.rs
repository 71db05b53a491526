//! One alert, whole.

use std::io::Write;

use model::{Alert, AlertId, Time};
use store::{AlertDetail, Store};

use crate::context::{Context, stdout, write_json};
use crate::globals::Format;
use crate::status::{Blame, Failure, Outcome, Status};
use crate::style::Paint;
use crate::windows;

/// Characters of a raw record on a terminal.
const RAW_CHARS_MAX: usize = 2000;

/// Shows an alert.
pub fn show(context: &Context, store: &Store, id: AlertId) -> Outcome {
    let Some(detail) = store.alert(id).environment()? else {
        return Err(Failure::author(format!("no alert has the id `{id}`")));
    };
    match context.format_or(Format::Json) {
        Format::Table => show_text(context, &detail)?,
        _ => write_json(&detail)?,
    }
    Ok(Status::Fine)
}

fn show_text(context: &Context, detail: &AlertDetail) -> Result<(), Failure> {
    let paint = context.paint;
    let alert = &detail.alert;
    let mut out = stdout();
    writeln!(out, "{} {}", paint.level(alert.level, 0), paint.bold(&alert.title))?;
    writeln!(out, "{}\n", alert.message)?;
    for (name, value) in facts(alert) {
        writeln!(out, "{:<14} {value}", name)?;
    }
    for entity in &alert.entities {
        writeln!(out, "{:<14} {}", entity.kind.as_str(), entity.key)?;
    }
    show_context(&mut out, detail, paint)?;
    show_findings(&mut out, detail, paint)?;
    writeln!(out, "\n{}", paint.bold("history"))?;
    for row in &detail.history {
        let why = row.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
        writeln!(out, "  {}  {} by {}{why}", row.at, row.kind, row.who)?;
    }
    if !detail.deliveries.is_empty() {
        writeln!(out, "\n{}", paint.bold("deliveries"))?;
        for row in &detail.deliveries {
            let error = row.error.as_deref().map(|error| format!(": {error}")).unwrap_or_default();
            writeln!(
                out,
                "  {:<16} {:<20} {} after {} attempts{error}",
                row.route,
                row.kind,
                row.state.as_str(),
                row.attempts
            )?;
        }
    }
    if let Some(evidence) = detail.evidence.first() {
        writeln!(out, "\n{}", paint.bold("raw record"))?;
        let text: String = evidence.raw.chars().take(RAW_CHARS_MAX).collect();
        writeln!(out, "{text}")?;
    }
    Ok(out.flush()?)
}

/// What is known about the entities of the first finding that is kept whole.
fn show_context(out: &mut impl Write, detail: &AlertDetail, paint: Paint) -> std::io::Result<()> {
    let Some(finding) = detail.findings.iter().find_map(|row| row.finding.as_ref()) else { return Ok(()) };
    if !finding.context.is_empty() {
        writeln!(out, "\n{} {}", paint.bold("context"), paint.dim(format!("as of {}", finding.event_time)))?;
    }
    for one in &finding.context {
        writeln!(out, "  {} {}", one.entity.kind, one.entity.key)?;
        writeln!(out, "    {}: {}", one.provider.as_str(), one.summary())?;
    }
    Ok(())
}

/// What held: the terms of a finding about one event, the windows of those about many.
fn show_findings(out: &mut impl Write, detail: &AlertDetail, paint: Paint) -> std::io::Result<()> {
    let whole = || detail.findings.iter().filter_map(|row| row.finding.as_ref());
    for finding in whole() {
        let Some(window) = &finding.window else { continue };
        writeln!(out, "\n{}\n  {}", paint.bold("over time"), finding.message)?;
        write!(out, "{}", windows::show(window, paint))?;
    }
    if let Some(finding) = whole().find(|finding| finding.window.is_none()) {
        writeln!(out, "\n{}", paint.bold("what held"))?;
        for term in &finding.matched {
            let field = if term.field.is_empty() { "(anywhere)" } else { &term.field };
            writeln!(out, "  {} {field} {} {}", paint.good("✓"), term.test, paint.dim(format!("← {}", term.value)))?;
        }
    }
    Ok(())
}

fn facts(alert: &Alert) -> Vec<(&'static str, String)> {
    let clocks = &alert.clocks;
    let time = |time: Option<Time>| time.map_or_else(|| "not yet".to_owned(), |time| time.to_string());
    let by = |who: &Option<String>| who.as_deref().map(|who| format!(" by {who}")).unwrap_or_default();
    let mut facts = vec![
        ("alert", alert.alert_id.to_string()),
        ("state", alert.state.to_string()),
        ("lane", alert.lane.to_string()),
        ("source", alert.source.to_string()),
        ("rule", alert.rule_id.to_string()),
        ("findings", alert.findings.to_string()),
        ("techniques", alert.techniques.join(", ")),
        ("event", clocks.event.to_string()),
        ("received", clocks.received.to_string()),
        ("detected", clocks.detected.to_string()),
        ("delivered", time(clocks.delivered)),
        ("acknowledged", format!("{}{}", time(clocks.acknowledged), by(&alert.acknowledged_by))),
        ("verdict at", format!("{}{}", time(clocks.verdict), by(&alert.verdict_by))),
    ];
    if let Some(verdict) = alert.verdict {
        facts.push(("verdict", verdict.label().to_owned()));
    }
    if let Some(reason) = &alert.verdict_reason {
        facts.push(("because", reason.clone()));
    }
    facts
}
