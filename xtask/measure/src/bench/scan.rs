//! Scan of CloudTrail against a bare parse of the same bytes, turn by turn, so that both meet the same weather.

use std::io::BufRead;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use engine::{Engine, Limits};
use model::{Finding, Time};
use pipeline::scan::{ScanInput, ScanOptions, scan};

use crate::bench::corpus::Corpus;
use crate::bench::{Row, median};
use crate::data::{Data, catalogue};

const BYTES: u64 = 200_000_000;
const ROUNDS: usize = 5;
const RULES: [&str; 1] = ["rules/cloud/aws"];

/// Fires on nine in ten records of the corpus, since every service assumes a role: with it the scan measures how findings are written.
const NOISY: &str = "AWS STS AssumeRole Misuse";

/// Bare parse, scan with the AWS rules, and their ratio; with and without the rule that fires on nearly everything.
pub fn rows() -> anyhow::Result<Vec<Row>> {
    let data = Data::find(None)?;
    let sigma = data.sigma(&RULES)?;
    let all = catalogue(Some(sigma.path()));
    let quiet = all.with_rules(|entry| entry.rule.title != NOISY).compile(Limits::default()).0;
    let noisy = all.compile(Limits::default()).0;
    let corpus = Corpus::of(&data, BYTES)?;
    let mut bare = Vec::new();
    let mut scans = [Scans::of(&quiet), Scans::of(&noisy)];
    for _ in 0..ROUNDS {
        let parse = speed(corpus.bytes(), || bare_parse(&corpus.path()))?;
        for scans in &mut scans {
            scans.round(&corpus, parse)?;
        }
        bare.push(parse);
    }
    let [quiet, noisy] = scans;
    let size = corpus.bytes() / 1_000_000;
    let mut rows = vec![Row::of(
        format!("bare sonic-rs parse of {size} MB CloudTrail NDJSON, line by line, to values, 1 thread"),
        format!("{:.0} MB/s", median(bare)),
        "",
        None,
    )];
    // The goal is for every AWS rule: leaving the noisiest out would only flatter it.
    rows.extend(noisy.rows(&corpus, &format!("with `{NOISY}`, which fires on nine records in ten"), "≥ 15 %"));
    rows.extend(quiet.rows(&corpus, &format!("without `{NOISY}`"), ""));
    Ok(rows)
}

/// Scans with one set of rules.
struct Scans<'a> {
    engine: &'a Engine,
    speeds: Vec<f64>,
    ratios: Vec<f64>,
    findings: u64,
}

impl<'a> Scans<'a> {
    fn of(engine: &'a Engine) -> Scans<'a> {
        Scans { engine, speeds: Vec::new(), ratios: Vec::new(), findings: 0 }
    }

    fn round(&mut self, corpus: &Corpus, parse: f64) -> anyhow::Result<()> {
        let scanned = speed(corpus.bytes(), || {
            self.findings = scan_once(self.engine, &corpus.path())?;
            Ok(())
        })?;
        self.speeds.push(scanned);
        self.ratios.push(scanned / parse);
        Ok(())
    }

    fn rows(self, corpus: &Corpus, which: &str, goal: &'static str) -> [Row; 2] {
        let (speed, ratio) = (median(self.speeds), median(self.ratios));
        let rate = speed * 1000.0 * corpus.records() as f64 / corpus.bytes() as f64;
        let rules = self.engine.rules().len();
        let value = format!("{speed:.0} MB/s, {rate:.0} k records/s, {} findings", self.findings);
        let is_kept = (!goal.is_empty()).then_some(ratio >= 0.15);
        [
            Row::of(format!("scan of the same file, {rules} rules, 1 thread, {which}"), value, "", None),
            Row::of(
                format!("scan ÷ bare parse (median of each round's ratio), {which}"),
                format!("{:.1} %", ratio * 100.0),
                goal,
                is_kept,
            ),
        ]
    }
}

/// Megabytes a second of `work` over `bytes`.
fn speed(bytes: u64, work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let began = Instant::now();
    work()?;
    Ok(bytes as f64 / 1e6 / began.elapsed().as_secs_f64())
}

fn bare_parse(path: &Path) -> anyhow::Result<()> {
    let mut reader = std::io::BufReader::with_capacity(1 << 20, std::fs::File::open(path)?);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        std::hint::black_box(sonic_rs::from_slice::<sonic_rs::Value>(&line)?);
        line.clear();
    }
    Ok(())
}

/// How many findings one scan gives.
fn scan_once(engine: &Engine, path: &Path) -> anyhow::Result<u64> {
    let mut findings = 0;
    let mut sink = |_: &Path, _: u64, finding: Finding| {
        std::hint::black_box(finding);
        findings += 1;
        ControlFlow::Continue(())
    };
    let options = ScanOptions::at(Time::from_millis(1_795_305_600_000));
    scan(&[ScanInput::Path(path.to_owned())], engine, &options, &mut sink, &|_| {})?;
    Ok(findings)
}
