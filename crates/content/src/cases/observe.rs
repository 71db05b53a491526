//! What the engine makes of a case's records.

use std::collections::BTreeMap;

use engine::correlate::{Batch, Matched, Options};
use engine::identity::Link;
use engine::sigma::LogSource;
use engine::{Engine, Event, Format, Given, Sink, Worker};
use model::{Finding, Lane, Reject, RuleId, SourceId, Standing, Time};

use super::subject::Subject;
use super::{Case, CaseKind};

/// When a case's records are received, unless it says so: a fixed time, since tests know no clock.
const RECEIVED: Time = Time::EPOCH;
/// The records of a case are one partition.
const PARTITION: &str = "case";

/// A rule or correlation that an engine holds.
pub(super) struct Tested<'e> {
    engine: &'e Engine,
    pub title: &'e str,
    kind: Kind,
    /// The log sources of its rules.
    logsources: Vec<&'e LogSource>,
}

enum Kind {
    /// A rule, by its id; where it speaks only through correlations, also by its place among those that feed them.
    Rule(RuleId, Option<u32>),
    /// A correlation, by the id that its findings carry.
    Correlation(RuleId),
}

impl<'e> Tested<'e> {
    /// `None` if the engine has set it aside.
    pub fn of(engine: &'e Engine, subject: Subject<'_>) -> Option<Tested<'e>> {
        let ids = subject.rules(engine);
        let rules = engine.rules().iter().filter(|compiled| ids.contains(&compiled.rule.id));
        let (logsources, titles): (Vec<_>, Vec<_>) =
            rules.map(|compiled| (&compiled.rule.logsource, compiled.rule.title.as_str())).unzip();
        let (kind, title) = match subject {
            Subject::Rule(entry) => {
                let feeds = engine.feeds();
                let place = feeds.rule(&entry.rule.id).filter(|place| !feeds.speaks[*place]);
                let place = place.and_then(|place| u32::try_from(place).ok());
                (Kind::Rule(entry.rule.id.clone(), place), *titles.first()?)
            }
            Subject::Correlation(_) => {
                let linked = &engine.correlations()[subject.place(engine)?];
                (Kind::Correlation(linked.rule_id()), linked.correlation.title.as_str())
            }
        };
        Some(Tested { engine, title, kind, logsources })
    }

    /// What becomes of the case's records. For a correlation they are a set: their order means nothing.
    pub fn observe(&self, case: &Case) -> Observed {
        let mut observed = Observed::default();
        let mut worker = self.engine.worker();
        let batch = self.batch(case, &case.records, &mut worker, &mut observed);
        let whole = Options { is_whole: true, ..Options::default() };
        if let (Kind::Correlation(id), Some(over_time)) = (&self.kind, self.engine.over_time(whole)) {
            let mut over_time = over_time.hearing_all();
            over_time.take(&batch);
            observed.findings = settled(over_time.finish(), id).count() as u64;
        }
        observed
    }

    /// A late case of a correlation says the same when its records come one by one in the order in which they stand, the last of them
    /// late, and says that it was late.
    pub fn judge_late(&self, case: &Case, whole: &Observed) -> Result<(), String> {
        let (Kind::Correlation(id), CaseKind::Late) = (&self.kind, case.kind) else { return Ok(()) };
        let Some(over_time) = self.engine.over_time(Options::default()) else { return Ok(()) };
        let mut over_time = over_time.hearing_all();
        let mut worker = self.engine.worker();
        let mut now = Time::EPOCH;
        let mut told = Vec::new();
        for record in &case.records {
            let mut batch = self.batch(case, std::slice::from_ref(record), &mut worker, &mut Observed::default());
            now = batch.progress.iter().map(|progress| progress.time).fold(now, Time::max);
            // Each record comes when the latest event so far happened: the clock goes by the events.
            for progress in &mut batch.progress {
                (progress.time, progress.received) = (now, now);
            }
            told.extend(over_time.batch(&batch));
        }
        told.extend(over_time.finish());
        let is_late = |finding: &Finding| finding.window.as_ref().is_some_and(|window| window.late_ms.is_some());
        let settled: Vec<Finding> = settled(told, id).collect();
        if settled.len() as u64 != whole.findings {
            let (all, got) = (super::run::counted(whole.findings), super::run::counted(settled.len() as u64));
            return Err(format!("of all records together {all}, of the records as they come {got}: one is too late"));
        }
        if settled.iter().any(is_late) {
            Ok(())
        } else {
            Err("no record came late: the order is that of time".to_owned())
        }
    }

    /// Evaluates records, and gives what they mean for correlations.
    fn batch(&self, case: &Case, records: &[String], worker: &mut Worker, observed: &mut Observed) -> Batch {
        let received = case.received.unwrap_or(RECEIVED);
        let given = Given { source: case.source.clone(), received, lane: Lane::Test };
        let mut sink = Collector { tested: self, observed, batch: Batch::default(), latest: Time::EPOCH };
        for record in records {
            let mut framer = self.engine.framer(Format::Auto);
            let mut each = |frame: engine::Frame<'_>| match frame.outcome {
                Ok(()) => self.engine.evaluate(worker, frame.bytes, &given, &mut sink),
                Err(reason) => sink.rejected(frame.bytes, None, reason),
            };
            framer.push(record.as_bytes(), &mut each);
            framer.finish(&mut each);
        }
        let Collector { mut batch, latest, .. } = sink;
        if case.received.is_none() {
            // They come at once, as soon as the last of them has happened.
            batch.progress.iter_mut().for_each(|progress| (progress.time, progress.received) = (latest, latest));
        }
        batch
    }
}

/// The findings that can no longer change.
fn settled<'i>(told: Vec<Finding>, id: &'i RuleId) -> impl Iterator<Item = Finding> + 'i {
    let is_final = |finding: &Finding| finding.window.as_ref().is_some_and(|window| window.standing == Standing::Final);
    told.into_iter().filter(move |finding| finding.rule_id == *id && is_final(finding))
}

/// What the engine made of a case's records.
#[derive(Debug, Default)]
pub(super) struct Observed {
    pub findings: u64,
    pub evaluated: u64,
    pub rejects: BTreeMap<&'static str, u64>,
    /// A source that no rule looks at, if a record was of one.
    pub other_source: Option<SourceId>,
}

struct Collector<'t, 'o> {
    tested: &'t Tested<'t>,
    observed: &'o mut Observed,
    batch: Batch,
    /// The latest time of an event.
    latest: Time,
}

impl Sink for Collector<'_, '_> {
    fn rejected(&mut self, _raw: &[u8], _source: Option<&SourceId>, reason: Reject) {
        *self.observed.rejects.entry(reason.as_str()).or_default() += 1;
    }

    fn evaluated(&mut self, event: &Event<'_>) {
        self.observed.evaluated += 1;
        self.batch.note(event, PARTITION);
        self.latest = self.latest.max(event.time());
        let source = event.source();
        let looks_at = |theirs| self.tested.logsources.iter().any(|mine| mine.applies_to(theirs));
        if !source.logsources.iter().any(looks_at) {
            self.observed.other_source = Some(source.id.clone());
        }
    }

    fn finding(&mut self, finding: Finding, _event: &Event<'_>) {
        let is_its = matches!(&self.tested.kind, Kind::Rule(id, _) if *id == finding.rule_id);
        self.observed.findings += u64::from(is_its);
    }

    fn matched(&mut self, matched: Matched) {
        let is_its = matches!(&self.tested.kind, Kind::Rule(_, Some(place)) if matched.rules.contains(place));
        self.observed.findings += u64::from(is_its);
        self.batch.matched.push(matched);
    }

    fn linked(&mut self, links: Vec<Link>) {
        self.batch.links.extend(links);
    }
}
