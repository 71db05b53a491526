//! The settler: outcomes in, in order; one transaction of the store out. While the store or the lake refuses, it waits and tries
//! the same settlement again; the line fills up behind it and inputs stop reading.

use model::{Level, Time};
use store::{Cursor, Retry, Settled, Settlement};

use super::correlate::{INPUT as CORRELATIONS, Keeper};
use super::monitor::RejectRate;
use super::outcome::{Outcome, Panicked};
use super::queue::{Evaluated, Queue, Taken};
use super::work::{After, Work};
use super::{LineOptions, LineParts};
use crate::panics::contain;

/// Findings and rejects beyond which outcomes are not joined into one settlement.
const JOINED_ROWS_MAX: usize = 4096;
/// Batches that one settlement joins at most.
const JOINED_BATCHES_MAX: usize = 64;

pub(super) fn run(queue: &Queue, parts: &LineParts, options: &LineOptions) {
    let keeper = match &parts.correlate {
        Some(with) => match Keeper::open(queue, parts, options, with.clone()) {
            Some(keeper) => Some(keeper),
            None => return,
        },
        None => None,
    };
    let mut settler = Settler { queue, parts, options, rate: RejectRate::new(options.reject_rate), keeper };
    loop {
        match settler.step() {
            Next::On => {}
            Next::Ended => break,
            // What was given up is in the state of correlations, and must not be in a snapshot: it was not settled.
            Next::GivenUp => return,
        }
    }
    if let Some(keeper) = settler.keeper {
        keeper.close();
    }
}

/// What a step of the settler leads to.
enum Next {
    On,
    /// Everything is settled.
    Ended,
    /// The line was abandoned before a settlement succeeded.
    GivenUp,
}

struct Settler<'a> {
    queue: &'a Queue,
    parts: &'a LineParts,
    options: &'a LineOptions,
    rate: RejectRate,
    keeper: Option<Keeper<'a>>,
}

/// A settlement that waits until the store takes it.
struct Pending<'a> {
    input: &'a str,
    cursor: Option<Cursor>,
    outcome: &'a Outcome,
}

impl Settler<'_> {
    fn step(&mut self) -> Next {
        let patience = self.keeper.as_ref().map(Keeper::patience);
        let done = match self.queue.take_outcomes(&joins, patience) {
            Taken::Outcomes(taken) => self.take(taken),
            Taken::Nothing => self.pass_time(),
            Taken::Ended => return Next::Ended,
        };
        if done.is_some() { Next::On } else { Next::GivenUp }
    }

    /// Settles outcomes together; `None` when the line was abandoned before.
    fn take(&mut self, taken: Vec<Evaluated>) -> Option<()> {
        let batches = taken.len();
        let bytes = taken.iter().map(|(work, _)| work.bytes()).sum();
        let (last, mut outcome) = join(taken);
        if let Some(keeper) = &mut self.keeper {
            keeper.show(&mut outcome)?;
        }
        let cursor = last.cursor(&self.parts.journal_key);
        let settled = self.settle(&Pending { input: &last.input, cursor, outcome: &outcome })?;
        // What is settled is not settled again, whatever happens now.
        if let Err(place) = contain(|| after(self.parts, &mut self.rate, &last, &outcome, &settled)) {
            tell_broken(self.parts, &place);
        }
        self.queue.settled(batches, bytes);
        if let Some(keeper) = &mut self.keeper {
            keeper.settled(&settled);
        }
        Some(())
    }

    /// Nothing came: correlations are told the time, and what they then say is settled.
    fn pass_time(&mut self) -> Option<()> {
        let Some(keeper) = &mut self.keeper else { return Some(()) };
        let Some(outcome) = keeper.tick()? else {
            keeper.look_after();
            return Some(());
        };
        let settled = self.settle(&Pending { input: CORRELATIONS, cursor: None, outcome: &outcome })?;
        if let Err(place) = contain(|| tell_settled(self.parts, &outcome, &settled)) {
            tell_broken(self.parts, &place);
        }
        if let Some(keeper) = &mut self.keeper {
            keeper.settled(&settled);
        }
        Some(())
    }

    /// Settles, however often it takes; `None` when the line was abandoned before it could.
    fn settle(&self, pending: &Pending<'_>) -> Option<Settled> {
        let Settler { queue, parts, options, .. } = self;
        let mut pause = options.store_pause;
        let mut is_in_lake = false;
        loop {
            let refused = match contain(|| attempt(parts, pending, &mut is_in_lake)) {
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
            tracing::error!(input = pending.input, error = %refused.error, "the line waits: a settlement was refused");
            let wait = if refused.soon { options.store_pause } else { pause };
            if queue.pause(wait) {
                return None;
            }
            pause = (pause * 2).min(options.store_pause_max);
        }
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

struct Refused {
    error: String,
    soon: bool,
}

/// The lake first: what is settled is not read again, so its events must be durable before.
fn attempt(parts: &LineParts, pending: &Pending<'_>, is_in_lake: &mut bool) -> Result<Settled, Refused> {
    let now = parts.clock.now();
    let outcome = pending.outcome;
    if let Some(lake) = parts.lake.as_ref().filter(|_| !*is_in_lake) {
        lake.append(&outcome.rows, now).map_err(|error| {
            // After a failed sync the open spool refuses; a fresh one takes the rows on the next attempt.
            lake.reopen();
            Refused { error: chain(&error), soon: false }
        })?;
        *is_in_lake = true;
    }
    if let Some(kept) = parts.kept.as_ref().filter(|_| !outcome.kept.is_empty()) {
        // As with the lake: it may be kept twice, and is then there once.
        kept.keep(&outcome.kept, now)
            .map_err(|error| Refused { soon: error.retry() == Retry::Soon, error: chain(&error) })?;
    }
    let settlement = Settlement {
        input: pending.input.to_owned(),
        cursor: pending.cursor.clone(),
        ledger: outcome.ledger.clone(),
        findings: outcome.findings.clone(),
        rejects: outcome.rejects.clone(),
        sightings: outcome.sightings.clone(),
        measured: outcome.measured.clone(),
        discovered: outcome.discovered.clone(),
        facts: outcome.facts.clone(),
        now,
    };
    let settled = parts.store.settle(settlement, &parts.routes);
    settled.map_err(|error| Refused { soon: error.retry() == Retry::Soon, error: chain(&error) })
}

/// What follows a settlement and may fail without harm: the router is woken, the journal is let go, and we tell about
/// ourselves.
fn after(parts: &LineParts, rate: &mut RejectRate, last: &Work, outcome: &Outcome, settled: &Settled) {
    let now = parts.clock.now();
    tell_settled(parts, outcome, settled);
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

/// Counts a settlement, and wakes the router if there is something to send.
fn tell_settled(parts: &LineParts, outcome: &Outcome, settled: &Settled) {
    parts.signals.settled(outcome.counted(), settled);
    if !settled.queued.is_empty() {
        (parts.queued)();
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
