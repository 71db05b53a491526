//! The settler: outcomes in, in order; one transaction of the store out. While the store or the lake refuses, it waits and tries
//! the same settlement again; the line fills up behind it and inputs stop reading.

use model::{Level, Time};
use store::{Retry, Settled, Settlement};

use super::monitor::RejectRate;
use super::outcome::{Outcome, Panicked};
use super::queue::{Evaluated, Queue};
use super::work::{After, Work};
use super::{LineOptions, LineParts};
use crate::panics::contain;

/// Findings and rejects beyond which outcomes are not joined into one settlement.
const JOINED_ROWS_MAX: usize = 4096;
/// Batches that one settlement joins at most.
const JOINED_BATCHES_MAX: usize = 64;

pub(super) fn run(queue: &Queue, parts: &LineParts, options: &LineOptions) {
    let mut rate = RejectRate::new(options.reject_rate);
    while let Some(taken) = queue.take_outcomes(&joins) {
        let batches = taken.len();
        let bytes = taken.iter().map(|(work, _)| work.bytes()).sum();
        let (last, outcome) = join(taken);
        let Some(settled) = settle(queue, parts, options, &last, &outcome) else { return };
        // What is settled is not settled again, whatever happens now.
        if let Err(place) = contain(|| after(parts, &mut rate, &last, &outcome, &settled)) {
            tell_broken(parts, &place);
        }
        queue.settled(batches, bytes);
    }
}

/// May the outcome of `next` join those in `taken`? Only of the same input and cursor, and while the sum stays small.
fn joins(taken: &[Evaluated], next: &Work) -> bool {
    let (last, _) = taken.last().expect("a join begins with one");
    let is_same_cursor = match (&last.after, &next.after) {
        (After::Journal(_), After::Journal(_)) | (After::Nothing, After::Nothing) => true,
        (After::Cursor(a), After::Cursor(b)) => a.key == b.key,
        _ => false,
    };
    let rows: usize = taken.iter().map(|(_, outcome)| outcome.findings.len() + outcome.rejects.len()).sum();
    is_same_cursor && last.input == next.input && rows < JOINED_ROWS_MAX && taken.len() < JOINED_BATCHES_MAX
}

fn join(taken: Vec<Evaluated>) -> Evaluated {
    let mut all = taken.into_iter();
    let (mut last, mut total) = all.next().expect("a join begins with one");
    for (work, outcome) in all {
        total.merge(outcome);
        last = work;
    }
    (last, total)
}

/// Settles, however often it takes; `None` when the line was abandoned before it could.
fn settle(queue: &Queue, parts: &LineParts, options: &LineOptions, last: &Work, outcome: &Outcome) -> Option<Settled> {
    let mut pause = options.store_pause;
    let mut is_in_lake = false;
    loop {
        let refused = match contain(|| attempt(parts, last, outcome, &mut is_in_lake)) {
            Ok(Ok(settled)) => {
                parts.signals.store_recovered();
                return Some(settled);
            }
            Ok(Err(refused)) => refused,
            Err(place) => {
                tell_broken(parts, &place);
                Refused { error: format!("settling panicked at {place}"), soon: false }
            }
        };
        parts.signals.store_refused(&refused.error);
        tracing::error!(input = %last.input, error = %refused.error, "the line waits: a settlement was refused");
        let wait = if refused.soon { options.store_pause } else { pause };
        if queue.pause(wait) {
            return None;
        }
        pause = (pause * 2).min(options.store_pause_max);
    }
}

struct Refused {
    error: String,
    soon: bool,
}

/// The lake first: what is settled is not read again, so its events must be durable before.
fn attempt(parts: &LineParts, last: &Work, outcome: &Outcome, is_in_lake: &mut bool) -> Result<Settled, Refused> {
    let now = parts.clock.now();
    if let Some(lake) = parts.lake.as_ref().filter(|_| !*is_in_lake) {
        lake.append(&outcome.rows, now).map_err(|error| {
            // After a failed sync the open spool refuses; a fresh one takes the rows on the next attempt.
            lake.reopen();
            Refused { error: chain(&error), soon: false }
        })?;
        *is_in_lake = true;
    }
    let settlement = Settlement {
        input: last.input.to_string(),
        cursor: last.cursor(&parts.journal_key),
        ledger: outcome.ledger.clone(),
        findings: outcome.findings.clone(),
        rejects: outcome.rejects.clone(),
        sightings: outcome.sightings.clone(),
        facts: None,
        now,
    };
    let settled = parts.store.settle(settlement, &parts.routes);
    settled.map_err(|error| Refused { soon: error.retry() == Retry::Soon, error: chain(&error) })
}

/// What follows a settlement and may fail without harm: the router is woken, the journal is let go, and we tell about
/// ourselves.
fn after(parts: &LineParts, rate: &mut RejectRate, last: &Work, outcome: &Outcome, settled: &Settled) {
    let now = parts.clock.now();
    parts.signals.settled(outcome.counted(), settled);
    if !settled.queued.is_empty() {
        (parts.queued)();
    }
    if let (After::Journal(position), Some(journal)) = (&last.after, &parts.journal)
        && let Err(error) = journal.release(*position)
    {
        tracing::warn!(%error, "a settled journal segment could not be deleted; it is tried again with the next");
    }
    if let Some(sentence) = rate.observe(&last.input, outcome.received, outcome.rejected, now) {
        tell(parts, "Rejected records jumped", &sentence, Level::High, &format!("reject_rate:{}", last.input), now);
    }
    for panicked in &outcome.panics {
        tell_panic(parts, panicked, &last.input, now);
    }
}

fn tell_panic(parts: &LineParts, panicked: &Panicked, input: &str, now: Time) {
    let place = &panicked.place;
    match &panicked.set_aside {
        Some(rule) => tell(
            parts,
            "A rule failed and was set aside",
            &format!("rule `{}` ({}) panicked at {place} on a record of input `{input}`", rule.title, rule.rule_id),
            Level::High,
            &format!("rule_panic:{}", rule.rule_id),
            now,
        ),
        None => tell(
            parts,
            "Evaluation failed on a record",
            &format!("a record of input `{input}` made evaluation panic at {place}; it is kept as a reject"),
            Level::High,
            &format!("panic:{input}"),
            now,
        ),
    }
}

/// Says that the settler itself failed. Saying so may fail too; the line goes on.
fn tell_broken(parts: &LineParts, place: &str) {
    let message = format!("the line panicked at {place}; what was not settled is tried again");
    let told = contain(|| tell(parts, "Settling failed", &message, Level::High, "panic:settler", parts.clock.now()));
    if told.is_err() {
        tracing::error!(place, "an alert about ourselves could not be stored");
    }
}

/// Raises an alert about ourselves, and says so in the log when even that fails.
pub(crate) fn tell(parts: &LineParts, title: &str, message: &str, level: Level, key: &str, now: Time) {
    tracing::warn!(title, message);
    match parts.store.raise_self(title, message, level, key, now) {
        Ok(_) => (parts.queued)(),
        Err(error) => tracing::error!(%error, title, "an alert about ourselves could not be stored"),
    }
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
