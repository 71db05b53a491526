//! What each rule cost: how often it was evaluated, how often it held, how long that took, and its share of the whole.
//!
//! A condition that several rules share is evaluated once an event, and its time is counted with the rule that asks first. The clock is
//! read before and after each rule, so a scan that keeps account is slower, and a rule that fails at once costs mostly that reading.

use std::io::Write;
use std::time::Duration;

use comfy_table::{Cell, CellAlignment};
use engine::Engine;
use engine::sigma::RuleCost;
use model::Level;
use pipeline::scan::ScanProfile;
use serde::Serialize;

use super::Timing;
use crate::context::{Context, stdout, write_json};
use crate::globals::Format;
use crate::status::Failure;
use crate::table::{counted, group, new_table, number, print_table};

/// Rules of the table, unless all are asked for by `-v`.
const RULES_MAX: usize = 20;

/// One rule's cost.
#[derive(Debug, Serialize)]
struct Row<'e> {
    rule: &'e str,
    title: &'e str,
    level: Level,
    file: &'e str,
    evaluations: u64,
    hits: u64,
    ns: u64,
    ns_per_evaluation: f64,
    /// Of the time of evaluation as a whole, 0 to 1.
    share: f64,
}

/// What all rules cost, and what is not any rule's.
#[derive(Debug, Serialize)]
struct Totals {
    events: u64,
    threads: usize,
    /// From the first byte to the last finding.
    scan_ns: u64,
    /// All threads: reading fields, finding candidates, rules, making findings.
    evaluation_ns: u64,
    /// Of it, finding the rules that an event can be about.
    candidates_ns: u64,
    /// Of it, those rules.
    rules_ns: u64,
    rules: usize,
    rules_evaluated: usize,
    evaluations: u64,
    hits: u64,
}

#[derive(Serialize)]
struct Document<'e> {
    totals: &'e Totals,
    rules: &'e [Row<'e>],
}

#[derive(Serialize)]
struct TotalsLine<'e> {
    totals: &'e Totals,
}

/// Writes what each step took to standard error, and the rules to standard output.
pub fn tell(
    context: &Context,
    engine: &Engine,
    profile: &ScanProfile,
    timing: Timing,
    threads: usize,
) -> Result<(), Failure> {
    let paint = context.paint_errors;
    let mut errors = std::io::stderr().lock();
    writeln!(errors, "{}", paint.bold("profile"))?;
    for (step, took) in [("read rules", timing.load), ("compile", timing.compile), ("scan", timing.scan)] {
        writeln!(errors, "  {:>10.1} ms  {step}", took.as_secs_f64() * 1e3)?;
    }
    let rows = rows(engine, profile);
    let totals = totals(engine, profile, timing.scan, threads);
    match context.format_or(Format::Ndjson) {
        Format::Json => write_json(&Document { totals: &totals, rules: &rows }),
        Format::Ndjson => lines(&rows, &totals),
        Format::Table | Format::Ocsf | Format::Yaml => table(context, &rows, &totals),
    }
}

/// The rules that were evaluated, costliest first.
fn rows<'e>(engine: &'e Engine, profile: &ScanProfile) -> Vec<Row<'e>> {
    let costs = engine.rules().iter().zip(&profile.rules).filter(|(_, cost)| cost.evaluations > 0);
    let mut rows: Vec<Row<'e>> = costs
        .map(|(compiled, cost)| Row {
            rule: compiled.rule.id.as_str(),
            title: &compiled.rule.title,
            level: compiled.rule.level,
            file: &compiled.rule.file,
            evaluations: cost.evaluations,
            hits: cost.hits,
            ns: cost.time,
            ns_per_evaluation: cost.time as f64 / cost.evaluations as f64,
            share: share(cost.time, profile.time),
        })
        .collect();
    rows.sort_by(|left, right| right.ns.cmp(&left.ns).then_with(|| left.title.cmp(right.title)));
    rows
}

fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn totals(engine: &Engine, profile: &ScanProfile, scan: Duration, threads: usize) -> Totals {
    let sum = |part: fn(&RuleCost) -> u64| profile.rules.iter().map(part).sum();
    Totals {
        events: profile.events,
        threads,
        scan_ns: u64::try_from(scan.as_nanos()).unwrap_or(u64::MAX),
        evaluation_ns: profile.time,
        candidates_ns: profile.witness_time,
        rules_ns: sum(|cost| cost.time),
        rules: engine.rules().len(),
        rules_evaluated: profile.rules.iter().filter(|cost| cost.evaluations > 0).count(),
        evaluations: sum(|cost| cost.evaluations),
        hits: sum(|cost| cost.hits),
    }
}

/// A line for each rule, and one for the totals.
fn lines(rows: &[Row<'_>], totals: &Totals) -> Result<(), Failure> {
    let mut out = stdout();
    for row in rows {
        serde_json::to_writer(&mut out, row)?;
        out.write_all(b"\n")?;
    }
    serde_json::to_writer(&mut out, &TotalsLine { totals })?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

fn table(context: &Context, rows: &[Row<'_>], totals: &Totals) -> Result<(), Failure> {
    let shown = if context.global.verbose > 0 { rows.len() } else { rows.len().min(RULES_MAX) };
    let mut table = new_table(context, &["rule", "evaluations", "hits", "time", "each", "share"]);
    for row in &rows[..shown] {
        table.add_row(vec![
            Cell::new(row.title),
            number(row.evaluations),
            number(row.hits),
            right(time(row.ns as f64)),
            right(time(row.ns_per_evaluation)),
            right(percent(row.share)),
        ]);
    }
    if shown < rows.len() {
        let rest = &rows[shown..];
        let sum = |part: fn(&Row<'_>) -> u64| rest.iter().map(part).sum::<u64>();
        let title = format!("… {}", counted(rest.len() as u64, "more rule"));
        let (evaluations, hits) = (sum(|row| row.evaluations), sum(|row| row.hits));
        table.add_row(part(&title, Some((evaluations, hits)), sum(|row| row.ns), totals.evaluation_ns));
    }
    let others = totals.evaluation_ns.saturating_sub(totals.candidates_ns + totals.rules_ns);
    let all = Some((totals.evaluations, totals.hits));
    table.add_row(part("all rules", all, totals.rules_ns, totals.evaluation_ns));
    table.add_row(part("finding the rules to look at", None, totals.candidates_ns, totals.evaluation_ns));
    table.add_row(part("reading records, making findings", None, others, totals.evaluation_ns));
    table.add_row(part("evaluation", None, totals.evaluation_ns, totals.evaluation_ns));
    print_table(&table)?;
    let mut out = stdout();
    writeln!(
        out,
        "\n{} of {} looked at, on {} · {} on {}",
        group(totals.rules_evaluated as u64),
        counted(totals.rules as u64, "rule"),
        counted(totals.events, "event"),
        time(totals.scan_ns as f64),
        counted(totals.threads as u64, "thread"),
    )?;
    Ok(out.flush()?)
}

/// A row that is no rule.
fn part(name: &str, counts: Option<(u64, u64)>, ns: u64, whole: u64) -> Vec<Cell> {
    let count = |value: Option<u64>| value.map_or_else(|| Cell::new(""), number);
    vec![
        Cell::new(name),
        count(counts.map(|(evaluations, _)| evaluations)),
        count(counts.map(|(_, hits)| hits)),
        right(time(ns as f64)),
        Cell::new(""),
        right(percent(share(ns, whole))),
    ]
}

fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

/// Nanoseconds for people: `812 ns`, `3.4 µs`, `12.5 ms`, `1.20 s`.
fn time(ns: f64) -> String {
    match ns {
        ns if ns < 1e3 => format!("{ns:.0} ns"),
        ns if ns < 1e6 => format!("{:.1} µs", ns / 1e3),
        ns if ns < 1e9 => format!("{:.1} ms", ns / 1e6),
        ns => format!("{:.2} s", ns / 1e9),
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
