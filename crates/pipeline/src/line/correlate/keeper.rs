//! Keeps the state of correlations in step with what is settled.
//!
//! In: outcomes before they are settled, and what became of them. Out: their findings and their row of the log. The state is shown each outcome
//! once, however often settling is tried; what it said waits with the outcome. A panic while it is shown leaves a state that nobody knows, so it is
//! built anew from snapshot and log, without the correlation at fault.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use engine::correlate::Batch;
use model::{Entry, Finding, Level, RuleId, Step, Time};
use store::{CorrelationCount, Raised, Settled};

use super::restore::{Complaint, Recovered, restore};
use super::watch::Watch;
use super::writer::Writer;
use super::{CorrelateOptions, CorrelateParts, Correlating, INPUT, log};
use crate::line::outcome::Outcome;
use crate::line::queue::Queue;
use crate::line::settle::{chain, tell};
use crate::line::{LineOptions, LineParts};
use crate::panics::contain;

/// Correlations that one outcome may cost.
const CULPRITS_MAX: usize = 16;

/// The state of correlations, and where it stands.
pub(in crate::line) struct Keeper<'a> {
    queue: &'a Queue,
    parts: &'a LineParts,
    line: &'a LineOptions,
    with: CorrelateParts,
    state: Box<dyn Correlating>,
    /// Correlations that are shown nothing more until the next start.
    aside: Vec<String>,
    /// Those that began anew at this start, since they changed.
    dropped: BTreeSet<String>,
    /// What time the state was told since the last row.
    tick: Option<Time>,
    /// The last row that is in the state.
    seq: u64,
    /// Rows and bytes since the last snapshot was taken.
    rows: u64,
    bytes: u64,
    /// Bytes of the row that is about to be settled.
    pending_bytes: u64,
    saved: Time,
    told: Time,
    watch: Watch,
    writer: Writer,
}

impl<'a> Keeper<'a> {
    /// The state as of the last settlement. Waits while store or disk refuse; `None` when the line was abandoned meanwhile.
    pub fn open(
        queue: &'a Queue,
        parts: &'a LineParts,
        line: &'a LineOptions,
        with: CorrelateParts,
    ) -> Option<Keeper<'a>> {
        let mut aside = Vec::new();
        let Recovered { state, seq, noted, rows, bytes, dropped, complaints } =
            recover(queue, parts, line, &with, &mut aside)?;
        let now = parts.clock.now();
        complaints.iter().for_each(|complaint| complain(parts, complaint, now));
        if !dropped.is_empty() {
            tracing::warn!(correlations = ?dropped, "correlations that changed, or are gone, begin anew: their state was dropped");
        }
        tracing::info!(snapshot = noted, rows, "the state of correlations was restored");
        let writer = Writer::start(parts, &with, noted);
        let mut keeper = Keeper {
            queue,
            parts,
            line,
            with,
            state,
            aside,
            dropped: dropped.into_iter().collect(),
            tick: None,
            seq,
            rows,
            bytes,
            pending_bytes: 0,
            saved: now,
            told: now,
            watch: Watch::default(),
            writer,
        };
        keeper.tell_counts(now);
        Some(keeper)
    }

    /// How long the line may have nothing to settle until [`Keeper::tick`] is due.
    pub fn patience(&self) -> Duration {
        self.options().tick_every
    }

    /// Shows the state what an outcome holds; the outcome then has its findings and its row. `None` when the line was abandoned meanwhile.
    pub fn show(&mut self, outcome: &mut Outcome) -> Option<()> {
        let batch = std::mem::take(&mut outcome.said);
        if batch == Batch::default() {
            return Some(());
        }
        if let Some(findings) = self.contained(|state| state.batch(&batch))? {
            self.say(outcome, findings, &batch);
        }
        Some(())
    }

    /// Tells the state the time, where there was nothing to settle; gives an outcome if it has something to say. The outer `None` when the line
    /// was abandoned meanwhile.
    pub fn tick(&mut self) -> Option<Option<Outcome>> {
        let now = self.parts.clock.now();
        let Some(findings) = self.contained(|state| state.tick(now))? else { return Some(None) };
        self.tick = Some(now);
        if findings.is_empty() {
            return Some(None);
        }
        let mut outcome = Outcome::default();
        self.say(&mut outcome, findings, &Batch::default());
        Some(Some(outcome))
    }

    /// The outcome that was shown last is settled.
    pub fn settled(&mut self, settled: &Settled) {
        if let Some(seq) = settled.facts {
            self.seq = seq;
            self.tick = None;
            self.rows += 1;
            self.bytes += std::mem::take(&mut self.pending_bytes);
        }
        self.look_after();
    }

    /// What is done now and then: counts are told, snapshots taken.
    pub fn look_after(&mut self) {
        let now = self.parts.clock.now();
        if now.millis_since(self.told) >= millis(self.options().tell_every) {
            self.told = now;
            self.tell_counts(now);
        }
        let options = self.options();
        let is_due = self.rows >= options.snapshot_rows
            || self.bytes >= options.snapshot_bytes
            || (self.rows > 0 && now.millis_since(self.saved) >= millis(options.snapshot_every));
        if is_due && !self.writer.is_busy() {
            self.save(now);
        }
    }

    /// The line has ended with everything settled that it took: a last snapshot, so that the next start has nothing to show again.
    pub fn close(mut self) {
        let now = self.parts.clock.now();
        self.tell_counts(now);
        if self.seq > self.writer.noted() {
            self.save(now);
        }
        self.writer.finish();
    }

    fn options(&self) -> &CorrelateOptions {
        &self.line.correlate
    }

    /// Takes a copy and has it written.
    fn save(&mut self, now: Time) {
        match contain(|| self.state.snapshot()) {
            Ok(frozen) => self.writer.write(self.seq, frozen),
            Err(place) => tracing::error!(place, "a snapshot of correlations panicked; the log of facts is kept"),
        }
        (self.rows, self.bytes, self.saved) = (0, 0, now);
    }

    /// Adds what was said to an outcome.
    fn say(&mut self, outcome: &mut Outcome, findings: Vec<Finding>, batch: &Batch) {
        for finding in findings {
            let (source, hour) = (Some(finding.source.clone()), finding.received.hour());
            let entry = Entry { input: INPUT.into(), source, hour, step: Step::Raised, reason: String::new() };
            outcome.ledger.add(entry, 1);
            outcome.findings.push(Raised { finding, evidence: Vec::new(), input: INPUT.into() });
        }
        let bytes = log::encode(self.with.with.names(), self.tick, batch);
        self.pending_bytes = bytes.len() as u64;
        outcome.facts = Some(bytes);
    }

    /// What the state says to `ask`; `None` inside if it panics each time, so that `ask` is given up.
    fn contained(&mut self, mut ask: impl FnMut(&mut dyn Correlating) -> Vec<Finding>) -> Option<Option<Vec<Finding>>> {
        for _ in 0..CULPRITS_MAX {
            let place = match contain(|| ask(&mut *self.state)) {
                Ok(findings) => return Some(Some(findings)),
                Err(place) => place,
            };
            let suspect = contain(|| self.state.suspect()).ok().flatten();
            let suspect = suspect.filter(|rule| !self.aside.contains(&rule.rule_id));
            let is_blamed = suspect.is_some();
            let now = self.parts.clock.now();
            match suspect {
                Some(rule) => {
                    self.aside.push(rule.rule_id.clone());
                    complain(self.parts, &Complaint::Aside { rule, place }, now);
                }
                None => {
                    let message = format!(
                        "correlations panicked at {place}; what they were shown then takes no part in them, and everything else goes on"
                    );
                    told(self.parts, "Correlations failed", &message, "panic:correlations", now);
                }
            }
            self.rebuild()?;
            if !is_blamed {
                break;
            }
        }
        Some(None)
    }

    /// The state as of the last settlement, once more.
    fn rebuild(&mut self) -> Option<()> {
        let recovered = recover(self.queue, self.parts, self.line, &self.with, &mut self.aside)?;
        let now = self.parts.clock.now();
        recovered.complaints.iter().for_each(|complaint| complain(self.parts, complaint, now));
        self.state = recovered.state;
        if let Some(now) = self.tick
            && contain(|| self.state.tick(now)).is_err()
        {
            // It will be told a later time.
            self.tick = None;
        }
        Some(())
    }

    /// Tells the store what correlations count, and everybody what they must know of it.
    fn tell_counts(&mut self, now: Time) {
        let Ok(counts) = contain(|| self.state.counts()) else { return };
        let mut all: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for one in &counts {
            all.insert(one.rule_id.clone(), one.by_name());
        }
        for rule in &self.dropped {
            all.entry(rule.clone()).or_default().insert("state_dropped".to_owned(), 1);
        }
        let of = |(rule_id, counts): (String, _)| CorrelationCount { rule_id: RuleId::new(rule_id), counts, at: now };
        let all: Vec<CorrelationCount> = all.into_iter().map(of).collect();
        if let Err(error) = self.parts.store.tell_correlations(&all) {
            tracing::warn!(error = chain(&error), "the counts of correlations were not told");
        }
        for notice in self.watch.look(&counts, now) {
            let raise = || tell(self.parts, notice.title, &notice.message, notice.level, &notice.key, now);
            if contain(raise).is_err() {
                tracing::error!(notice.title, "an alert about ourselves could not be stored");
            }
        }
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Restores, however often it takes.
fn recover(
    queue: &Queue,
    parts: &LineParts,
    line: &LineOptions,
    with: &CorrelateParts,
    aside: &mut Vec<String>,
) -> Option<Recovered> {
    let mut pause = line.store_pause;
    loop {
        let refused = match contain(|| restore(&parts.store, with, aside)) {
            Ok(Ok(recovered)) => {
                parts.signals.store_recovered();
                return Some(recovered);
            }
            Ok(Err(error)) => chain(&error),
            Err(place) => format!("restoring panicked at {place}"),
        };
        parts.signals.store_refused(&refused);
        tracing::error!(error = refused, "the line waits: the state of correlations cannot be restored");
        if queue.pause(pause) {
            return None;
        }
        pause = (pause * 2).min(line.store_pause_max);
    }
}

fn complain(parts: &LineParts, complaint: &Complaint, now: Time) {
    match complaint {
        Complaint::Snapshot { seq, why } => {
            let message = format!("snapshot {seq} of the state of correlations was not used: {why}");
            told(parts, "A snapshot of correlations was unusable", &message, "correlations:unusable", now);
        }
        Complaint::Lost { upto } => {
            let message = format!(
                "no snapshot stands for the first {upto} rows of the log of facts: correlations begin anew, and what spans this start may go unseen"
            );
            told(parts, "The state of correlations was lost", &message, "correlations:lost", now);
        }
        Complaint::Row { seq, why } => {
            let message = format!(
                "row {seq} of the log of facts was left out when the state of correlations was restored: {why}"
            );
            told(parts, "Facts for correlations were lost", &message, "correlations:row", now);
        }
        Complaint::Aside { rule, place } => {
            let (title, id) = (&rule.title, &rule.rule_id);
            let message = format!(
                "correlation `{title}` ({id}) panicked at {place}; it is shown nothing more until the next start"
            );
            told(parts, "A rule failed and was set aside", &message, &format!("rule_panic:{id}"), now);
        }
    }
}

/// Raises an alert about ourselves. Doing so may fail too; the line goes on.
fn told(parts: &LineParts, title: &str, message: &str, key: &str, now: Time) {
    if contain(|| tell(parts, title, message, Level::High, key, now)).is_err() {
        tracing::error!(title, message, "an alert about ourselves could not be stored");
    }
}
