//! Correlations over a whole scan: facts in the order of the input, findings when all of it has come.

use engine::correlate::{AllCounts, Batch, Options};
use engine::{Engine, OverTime};
use model::{Finding, Standing};

use super::ScanSink;
use super::report::{OverTimeSummary, ScanReport};

/// All that is scanned is one partition: nothing is settled before all of it has come, so the order of files does not matter.
pub(super) const PARTITION: &str = "scan";

/// The correlations of one scan.
pub(super) struct Correlating(Option<OverTime>);

impl Correlating {
    /// Of the engine's correlations; costs nothing where there are none.
    pub fn new(engine: &Engine) -> Correlating {
        Correlating(engine.over_time(Options { is_whole: true, ..Options::default() }))
    }

    /// Takes in what a stretch of the input means.
    pub fn take(&mut self, batch: &Batch) {
        if let Some(over_time) = &mut self.0 {
            over_time.take(batch);
        }
    }

    /// All has come: hands out what was found, and notes what became of the facts.
    pub fn finish(mut self, sink: &mut dyn ScanSink, report: &mut ScanReport) {
        let Some(over_time) = &mut self.0 else { return };
        let told = if report.stopped { Vec::new() } else { over_time.finish() };
        let mut summary = summary(over_time.counts());
        for finding in told.into_iter().filter(is_final) {
            summary.findings += 1;
            if sink.over_time(finding).is_break() {
                report.stopped = true;
                break;
            }
        }
        report.over_time = Some(summary);
    }
}

fn is_final(finding: &Finding) -> bool {
    finding.window.as_ref().is_some_and(|window| window.standing == Standing::Final)
}

fn summary(counts: &AllCounts) -> OverTimeSummary {
    let sum = |count: fn(&engine::correlate::Counts) -> u64| counts.correlations.iter().map(count).sum();
    OverTimeSummary {
        correlations: counts.correlations.len(),
        findings: 0,
        events: counts.events,
        duplicates: counts.duplicates,
        too_late: sum(|counts| counts.too_late),
        shed: sum(|counts| counts.shed),
        evicted: sum(|counts| counts.evicted),
        lost: sum(|counts| counts.lost),
        forced: counts.forced,
    }
}
