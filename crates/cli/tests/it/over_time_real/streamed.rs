//! The same records as a stream: one by one, out of order within the allowed lateness, as they would come from a source.

use std::collections::BTreeSet;

use content::{Root, load};
use engine::correlate::{Batch, Matched, Options};
use engine::identity::Link;
use engine::{Event, Given, Limits, Sink};
use model::{Finding, Lane, Reject, SourceId, Standing, Time};

use crate::ran::repository;

/// How long before the latest record others still come, milliseconds: less than any rule allows.
const TURNED_MS: i64 = 10 * 60_000;

#[derive(Default)]
struct Collector {
    batch: Batch,
    latest: Time,
}

impl Sink for Collector {
    fn rejected(&mut self, raw: &[u8], _source: Option<&SourceId>, reason: Reject) {
        panic!("{reason:?}: {}", String::from_utf8_lossy(raw));
    }

    fn evaluated(&mut self, event: &Event<'_>) {
        self.batch.note(event, "stream");
        self.latest = self.latest.max(event.time());
    }

    fn finding(&mut self, _finding: Finding, _event: &Event<'_>) {}

    fn matched(&mut self, matched: Matched) {
        self.batch.matched.push(matched);
    }

    fn linked(&mut self, links: Vec<Link>) {
        self.batch.links.extend(links);
    }
}

fn time_of(line: &str) -> Time {
    let record: serde_json::Value = serde_json::from_str(line).expect("JSON");
    Time::parse(record["eventTime"].as_str().expect("text")).expect("a time")
}

/// The ids of what is final in the end: each ten minutes of records come backwards, and every fourth of them again.
pub fn finding_ids(lines: &[String]) -> BTreeSet<String> {
    let (catalogue, wrong) = load(&[Root::Dir(repository().join("content"))]);
    assert!(!wrong.iter().any(model::Diagnostic::is_error), "{wrong:?}");
    let (engine, _) = catalogue.compile(Limits::default());
    let mut over_time = engine.over_time(Options::default()).expect("correlations");
    let mut worker = engine.worker();
    let mut arriving: Vec<&String> = Vec::new();
    let mut rest = lines;
    while let Some(first) = rest.first() {
        let end = rest.partition_point(|line| time_of(line).millis_since(time_of(first)) <= TURNED_MS);
        arriving.extend(rest[..end].iter().rev());
        arriving.extend(rest[..end].iter().step_by(4));
        rest = &rest[end..];
    }
    let (mut now, mut told) = (Time::EPOCH, Vec::new());
    for line in arriving {
        let mut sink = Collector::default();
        let given = Given { source: None, received: now, lane: Lane::Live };
        engine.evaluate(&mut worker, line.as_bytes(), &given, &mut sink);
        now = now.max(sink.latest);
        for progress in &mut sink.batch.progress {
            (progress.time, progress.received) = (now, now);
        }
        told.extend(over_time.batch(&sink.batch));
    }
    told.extend(over_time.finish());
    let too_late: u64 = over_time.counts().correlations.iter().map(|counts| counts.too_late).sum();
    assert_eq!(too_late, 0, "all of them come within what is allowed");
    let is_final =
        |finding: &&Finding| finding.window.as_ref().is_some_and(|window| window.standing == Standing::Final);
    told.iter().filter(is_final).map(|finding| finding.finding_id.to_string()).collect()
}
