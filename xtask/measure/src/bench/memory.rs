//! Resident memory of a scan, for a small file and one ten times as large.

use std::process::Command;

use crate::bench::Row;
use crate::bench::corpus::Corpus;
use crate::bench::process::{binary, measured};
use crate::data::Data;

const SIZES: [u64; 2] = [50_000_000, 500_000_000];

/// The peak of `watchkeep scan` for each size.
pub fn rows() -> anyhow::Result<Vec<Row>> {
    let data = Data::find(None)?;
    let mut rows = Vec::new();
    for size in SIZES {
        let corpus = Corpus::of(&data, size)?;
        let mut command = Command::new(binary()?);
        command.args(["scan", "--format", "ndjson"]).arg(corpus.path());
        let (peak, seconds) = measured(command)?;
        let (megabytes, thousands) = (corpus.bytes() / 1_000_000, corpus.records() / 1_000);
        let what = format!("peak resident memory of `watchkeep scan`, {megabytes} MB file, {thousands} k records");
        rows.push(Row::of(what, format!("{peak:.0} MB in {seconds:.1} s"), "< 300 MB", Some(peak < 300.0)));
    }
    Ok(rows)
}
