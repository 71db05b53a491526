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

/// Bare parse, scan with the AWS rules, and their ratio.
pub fn rows() -> anyhow::Result<Vec<Row>> {
    let data = Data::find(None)?;
    let sigma = data.sigma(&RULES)?;
    let (engine, _) = catalogue(Some(sigma.path())).compile(Limits::default());
    let corpus = Corpus::of(&data, BYTES)?;
    let path = corpus.path();
    let (mut bare, mut scanned, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let mut findings = 0;
    for _ in 0..ROUNDS {
        let parse = speed(corpus.bytes(), || bare_parse(&path))?;
        let match_speed = speed(corpus.bytes(), || {
            findings = scan_once(&engine, &path)?;
            Ok(())
        })?;
        ratios.push(match_speed / parse);
        bare.push(parse);
        scanned.push(match_speed);
    }
    let (ratio, scanned) = (median(ratios), median(scanned));
    let what = format!(
        "scan of {} MB CloudTrail NDJSON, {} rules, 1 thread",
        corpus.bytes() / 1_000_000,
        engine.rules().len()
    );
    let rate = scanned * corpus.records() as f64 / corpus.bytes() as f64;
    Ok(vec![
        Row::of(
            "bare sonic-rs parse of the same lines to values, 1 thread",
            format!("{:.0} MB/s", median(bare)),
            "",
            None,
        ),
        Row::of(what, format!("{scanned:.0} MB/s, {:.0} k records/s, {findings} findings", rate * 1000.0), "", None),
        Row::of(
            "scan ÷ bare parse (median of each round's ratio)",
            format!("{:.0} %", ratio * 100.0),
            "≥ 15 %",
            Some(ratio >= 0.15),
        ),
    ])
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
