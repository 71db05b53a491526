//! Findings to standard output, one at a time, counted as they pass.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, StdoutLock, Write};
use std::ops::ControlFlow;
use std::path::Path;

use indicatif::ProgressBar;
use model::{Finding, Level, RuleId};
use pipeline::scan::ScanSink;

use crate::context::stdout;
use crate::globals::Format;
use crate::status::Failure;
use crate::style::Paint;

/// What was found, in numbers.
#[derive(Debug, Default)]
pub struct FindingTally {
    /// The gravest level.
    pub gravest: Option<Level>,
    /// How many of each level.
    pub levels: BTreeMap<Level, u64>,
    /// How many of each rule, with its title and level.
    pub rules: BTreeMap<RuleId, (String, Level, u64)>,
}

/// Writes findings.
pub struct Printer {
    format: Format,
    paint: Paint,
    bar: ProgressBar,
    out: BufWriter<StdoutLock<'static>>,
    written: u64,
    /// Are findings counted alone?
    is_silent: bool,
    tally: FindingTally,
    error: Option<io::Error>,
}

impl Printer {
    /// A printer to standard output; `bar` makes room for what is written.
    pub fn new(format: Format, paint: Paint, bar: ProgressBar) -> Printer {
        let tally = FindingTally::default();
        Printer { format, paint, bar, out: stdout(), written: 0, is_silent: false, tally, error: None }
    }

    /// A printer that only counts: standard output is for something else.
    pub fn silent(paint: Paint, bar: ProgressBar) -> Printer {
        Printer { is_silent: true, ..Printer::new(Format::Ndjson, paint, bar) }
    }

    /// Ends the output.
    pub fn finish(mut self) -> Result<FindingTally, Failure> {
        if let Some(error) = self.error.take() {
            return Err(error.into());
        }
        if self.format == Format::Json {
            writeln!(self.out, "{}", if self.written == 0 { "[]" } else { "\n]" })?;
        }
        self.out.flush()?;
        Ok(self.tally)
    }

    fn write(&mut self, finding: &Finding) -> io::Result<()> {
        match self.format {
            Format::Table => {
                let line = line(finding, self.paint);
                let out = &mut self.out;
                self.bar.suspend(|| {
                    writeln!(out, "{line}")?;
                    out.flush()
                })?;
            }
            Format::Json => {
                write!(self.out, "{}", if self.written == 0 { "[\n" } else { ",\n" })?;
                serde_json::to_writer(&mut self.out, &engine::ocsf::finding_wire(finding))?;
            }
            Format::Ndjson | Format::Yaml => {
                serde_json::to_writer(&mut self.out, &engine::ocsf::finding_wire(finding))?;
                self.out.write_all(b"\n")?;
            }
            Format::Ocsf => {
                serde_json::to_writer(&mut self.out, &engine::ocsf::detection_finding(finding))?;
                self.out.write_all(b"\n")?;
            }
        }
        self.written += 1;
        Ok(())
    }
}

/// A finding on a terminal: level, event time, rule, reason.
fn line(finding: &Finding, paint: Paint) -> String {
    let time: String = finding.event_time.to_string().chars().take(19).collect();
    let level = paint.level(finding.level, 13);
    format!("{level} {}  {}  {}", paint.dim(time), paint.bold(&finding.rule_title), finding.message)
}

impl FindingTally {
    fn add(&mut self, finding: &Finding) {
        self.gravest = self.gravest.max(Some(finding.level));
        *self.levels.entry(finding.level).or_default() += 1;
        match self.rules.get_mut(&finding.rule_id) {
            Some((_, _, count)) => *count += 1,
            None => {
                let entry = (finding.rule_title.clone(), finding.level, 1);
                self.rules.insert(finding.rule_id.clone(), entry);
            }
        }
    }
}

impl ScanSink for Printer {
    fn finding(&mut self, _file: &Path, _offset: u64, finding: Finding) -> ControlFlow<()> {
        self.tally.add(&finding);
        if self.is_silent {
            return ControlFlow::Continue(());
        }
        match self.write(&finding) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.error = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}
