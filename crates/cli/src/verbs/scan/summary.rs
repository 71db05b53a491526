//! What a scan came to, on standard error.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use indicatif::HumanBytes;
use model::Reject;
use pipeline::scan::{OverTimeSummary, RejectSample, ScanReport};

use super::printer::FindingTally;
use crate::context::Context;
use crate::status::Failure;
use crate::style::Paint;
use crate::table::{counted, group};

/// Rules of the summary at most.
const RULES_MAX: usize = 10;

/// Writes the summary.
pub fn tell(
    context: &Context,
    report: &ScanReport,
    tally: &FindingTally,
    took: Duration,
    threads: usize,
    rules: usize,
) -> Result<(), Failure> {
    let paint = context.paint_errors;
    let mut text = head(report, took, threads, rules);
    if let Some(summary) = &report.over_time {
        over_time(summary, paint, &mut text);
    }
    rejects(report, paint, &mut text);
    discovered(report, &mut text);
    findings(tally, paint, &mut text);
    unread(report, paint, &mut text);
    Ok(std::io::stderr().lock().write_all(text.as_bytes())?)
}

fn head(report: &ScanReport, took: Duration, threads: usize, rules: usize) -> String {
    let total = report.total();
    let speed = total.bytes as f64 / 1e6 / took.as_secs_f64().max(1e-6);
    let sources: Vec<String> = total.sources.iter().map(|(id, count)| format!("{id} {}", group(*count))).collect();
    let mut text = format!(
        "{}, {} in {:.2} s: {speed:.1} MB/s on {}, {}\n",
        counted(report.files.len() as u64, "file"),
        HumanBytes(total.bytes),
        took.as_secs_f64(),
        counted(threads as u64, "thread"),
        counted(rules as u64, "rule"),
    );
    let _ = writeln!(
        text,
        "{}: {} evaluated, {} rejected",
        counted(total.records, "record"),
        group(total.evaluated),
        group(total.rejected())
    );
    if !sources.is_empty() {
        let _ = writeln!(text, "sources: {}", sources.join(", "));
    }
    text
}

/// What the inventory does not know.
fn discovered(report: &ScanReport, text: &mut String) {
    let things = report.discovered.things.len() as u64;
    if things > 0 || report.discovered.left_out > 0 {
        let more = if report.discovered.left_out > 0 { ", and more than there was room for" } else { "" };
        let _ = writeln!(
            text,
            "inventory: {} of kinds that it keeps are not in it{more}; `watchkeep inventory discover` shows them",
            counted(things, "thing")
        );
    }
}

/// What became of the facts for correlations; what was left out is never silent.
fn over_time(summary: &OverTimeSummary, paint: Paint, text: &mut String) {
    let _ = writeln!(
        text,
        "{}: {} taken in, {} of them repeated, {}",
        counted(summary.correlations as u64, "correlation"),
        counted(summary.events, "event"),
        group(summary.duplicates),
        counted(summary.findings, "finding"),
    );
    let left_out = [
        (summary.too_late, "events came too late"),
        (summary.evicted, "groups were let go of, since there were too many"),
        (summary.lost, "facts went with them"),
        (summary.shed, "values and events were let go of by groups with too many"),
        (summary.forced, "times facts were settled before all had come, since too many waited"),
    ];
    for (count, what) in left_out.into_iter().filter(|(count, _)| *count > 0) {
        let _ = writeln!(text, "{} {} {what}: findings may be missing", paint.warn("left out"), group(count));
    }
}

/// Files that could not be read to their end, and why.
pub fn unread(report: &ScanReport, paint: Paint, text: &mut String) {
    for file in &report.files {
        if let Some(error) = &file.error {
            let _ = writeln!(text, "{} {}: {error}", paint.bad("not read to its end"), file.file.display());
        }
    }
}

/// Each reason with how often, the first place, and what to do.
pub fn rejects(report: &ScanReport, paint: Paint, text: &mut String) {
    let mut reasons: BTreeMap<Reject, (u64, Option<(PathBuf, RejectSample)>)> = BTreeMap::new();
    for file in &report.files {
        for (reason, summary) in &file.rejects {
            let entry = reasons.entry(*reason).or_default();
            entry.0 += summary.count;
            if entry.1.is_none() {
                entry.1 = summary.first.first().map(|sample| (file.file.clone(), sample.clone()));
            }
        }
    }
    for (reason, (count, sample)) in reasons {
        let _ = writeln!(text, "{} {} × {reason}: {}", paint.warn("rejected"), group(count), reason.explain());
        if let Some((file, sample)) = sample {
            let place = format!("{} at byte {}", file.display(), sample.offset);
            let _ = writeln!(text, "  first   {place}: {}", paint.dim(&sample.excerpt));
        }
        let _ = writeln!(text, "  remedy  {}", reason.remedy());
    }
}

fn findings(tally: &FindingTally, paint: Paint, text: &mut String) {
    let total: u64 = tally.levels.values().sum();
    if total == 0 {
        let _ = writeln!(text, "{}", paint.good("no findings"));
        return;
    }
    let levels: Vec<String> = tally
        .levels
        .iter()
        .rev()
        .map(|(level, count)| format!("{} {}", group(*count), paint.level(*level, 0)))
        .collect();
    let _ = writeln!(text, "{}: {}", counted(total, "finding"), levels.join(", "));
    let mut rules: Vec<_> = tally.rules.values().collect();
    rules.sort_by(|left, right| (right.2, right.1, &left.0).cmp(&(left.2, left.1, &right.0)));
    for (title, level, count) in rules.iter().take(RULES_MAX) {
        let _ = writeln!(text, "  {:>8}  {}  {title}", group(*count), paint.level(*level, 13));
    }
    if rules.len() > RULES_MAX {
        let _ = writeln!(text, "  … and {} more rules", rules.len() - RULES_MAX);
    }
}
