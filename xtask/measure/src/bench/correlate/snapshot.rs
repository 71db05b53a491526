//! A million groups: what they hold, and what it costs to write them down while the line goes on.

use std::time::Instant;

use engine::correlate::{Batch, Correlator};

use super::made::{self, Made};
use super::{COUNT, options};
use crate::bench::process::resident_bytes;
use crate::bench::{Row, Scope};

/// The rows.
pub fn rows(scope: &Scope) -> anyhow::Result<Vec<Row>> {
    let keys: u64 = if scope.quick { 100_000 } else { 1_000_000 };
    let long = COUNT.replace("1m", "24h");
    let (plans, feeds) = made::correlations(&long)?;
    let stream = Made::groups(u64::MAX);
    let more: Vec<Batch> = stream.batches(keys..keys + keys / 4, &feeds).collect();
    let before = resident_bytes();
    let mut correlator = Correlator::new(plans, options());
    // Made and let go of piece by piece, so that what is held is what the correlator holds.
    for from in (0..keys).step_by(10_000) {
        let piece: Vec<Batch> = stream.batches(from..(from + 10_000).min(keys), &feeds).collect();
        piece.iter().for_each(|batch| drop(correlator.batch(batch)));
    }
    let held = (resident_bytes() - before) / 1e6;
    let groups = correlator.counts().correlations[0].groups;
    anyhow::ensure!(groups == keys, "{groups} groups of {keys}");
    let quiet = longest(&mut correlator, more.iter().take(more.len() / 5));
    let copied = Instant::now();
    let snapshot = correlator.snapshot();
    let copied = copied.elapsed().as_secs_f64() * 1e3;
    let (seconds, bytes, busy) = std::thread::scope(|scope| -> anyhow::Result<_> {
        let writer = scope.spawn(move || {
            let began = Instant::now();
            let mut bytes = Vec::new();
            snapshot.write(&mut bytes).map(|()| (began.elapsed().as_secs_f64(), bytes.len()))
        });
        let mut busy: f64 = 0.0;
        let mut left = more.iter().skip(more.len() / 5);
        while !writer.is_finished() {
            let Some(batch) = left.next() else { break };
            busy = busy.max(longest(&mut correlator, std::iter::once(batch)));
        }
        let (seconds, bytes) = writer.join().expect("a writer does not panic")?;
        Ok((seconds, bytes, busy))
    })?;
    let stall = (busy - quiet).max(copied);
    Ok(vec![
        Row::of(
            format!("{keys} live groups of `event_count`"),
            format!("{held:.0} MB"),
            "≤ 300 MB",
            Some(held <= 300.0),
        ),
        Row::of(
            format!("snapshot of {keys} groups, {} MB", bytes / 1_000_000),
            format!("{seconds:.2} s"),
            "≤ 1 s",
            Some(seconds <= 1.0),
        ),
        Row::of(
            "longest stop of the line for it: the copy, or a batch beyond the longest without one",
            format!("{stall:.0} ms"),
            "≤ 50 ms",
            Some(stall <= 50.0),
        ),
    ])
}

/// The longest time that a batch takes, milliseconds.
fn longest<'b>(correlator: &mut Correlator, batches: impl Iterator<Item = &'b Batch>) -> f64 {
    let time = |batch| {
        let began = Instant::now();
        drop(correlator.batch(batch));
        began.elapsed().as_secs_f64() * 1e3
    };
    batches.map(time).fold(0.0, f64::max)
}
