//! What a batch came to, counted as the engine tells it.

use std::sync::Arc;

use engine::context::Discovered;
use engine::correlate::{Batch, Matched, Progress};
use engine::health::Tally;
use engine::identity::Link;
use engine::{Event, Sink};
use lake::Row;
use model::{Entry, Finding, Lane, Ledger, Reject, SourceId, Step, Time};
use store::{Evidence, KeptValue, Measured, Raised, Rejected, Sighting};

use super::SetAside;
use crate::signals::Counted;

/// What a batch, or several, came to.
#[derive(Default)]
pub(crate) struct Outcome {
    pub ledger: Ledger,
    pub findings: Vec<Raised>,
    pub rejects: Vec<Rejected>,
    pub sightings: Vec<Sighting>,
    /// What was measured of each source.
    pub measured: Vec<Measured>,
    /// Things that the inventory does not know.
    pub discovered: Discovered,
    pub rows: Vec<Row>,
    /// Sensitive values of sources that keep them.
    pub kept: Vec<KeptValue>,
    /// What the records say to correlations, until they were told.
    pub said: Batch,
    /// The row of the log of facts, once correlations were told.
    pub facts: Option<Vec<u8>>,
    pub panics: Vec<Panicked>,
    pub received: u64,
    pub rejected: u64,
}

/// A record whose evaluation panicked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Panicked {
    /// Where in the program. What the panic said may quote the record, and is not kept.
    pub place: String,
    pub set_aside: Option<SetAside>,
}

impl Outcome {
    pub fn counted(&self) -> Counted {
        Counted {
            received: self.received,
            rejected: self.rejected,
            raised: self.findings.len() as u64,
            panicked: self.panics.len() as u64,
        }
    }

    /// Adds what a later batch came to.
    pub fn merge(&mut self, later: Outcome) {
        self.ledger.merge(&later.ledger);
        self.findings.extend(later.findings);
        self.rejects.extend(later.rejects);
        later.sightings.into_iter().for_each(|sighting| self.sight(sighting));
        later.measured.into_iter().for_each(|measured| self.measure(measured));
        self.discovered.merge(later.discovered);
        self.rows.extend(later.rows);
        self.kept.extend(later.kept);
        self.said.matched.extend(later.said.matched);
        self.said.link(later.said.links);
        later.said.progress.into_iter().for_each(|progress| self.advance(progress));
        self.panics.extend(later.panics);
        self.received += later.received;
        self.rejected += later.rejected;
    }

    /// Of one partition the latest time counts, and the latest receipt.
    fn advance(&mut self, new: Progress) {
        let key = |progress: &Progress| (progress.lane, progress.source.clone(), progress.partition.clone());
        let of = key(&new);
        match self.said.progress.iter_mut().find(|known| key(known) == of) {
            Some(known) => {
                known.time = known.time.max(new.time);
                known.received = known.received.max(new.received);
            }
            None => self.said.progress.push(new),
        }
    }

    fn measure(&mut self, new: Measured) {
        let key = |one: &Measured| (one.hour, one.lane, one.source.clone());
        let of = key(&new);
        match self.measured.iter_mut().find(|known| key(known) == of) {
            Some(known) => known.sums.merge(&new.sums),
            None => self.measured.push(new),
        }
    }

    fn sight(&mut self, new: Sighting) {
        match self.sightings.iter_mut().find(|known| known.source == new.source) {
            Some(known) if known.last_event < new.last_event => *known = new,
            Some(_) => {}
            None => self.sightings.push(new),
        }
    }
}

/// Counts of one source within a batch.
#[derive(Default)]
struct Counts {
    raised: u64,
    lane: Lane,
    tally: Tally,
}

/// What is gathered besides findings, rejects and counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wants {
    /// Rows of the lake.
    pub rows: bool,
    /// What correlations are told.
    pub said: bool,
    /// Sensitive values of these sources.
    pub kept: Arc<[SourceId]>,
}

/// Takes what the engine says about the frames of one batch.
pub(crate) struct Collector {
    input: Arc<str>,
    received: Time,
    wants: Wants,
    /// Few sources a batch: looked up by walking, so that no event costs a tree.
    counts: Vec<(SourceId, Counts)>,
    outcome: Outcome,
}

impl Collector {
    pub fn new(input: Arc<str>, received: Time, wants: &Wants) -> Collector {
        Collector { input, received, wants: wants.clone(), counts: Vec::new(), outcome: Outcome::default() }
    }

    /// Counts records on the receiving side.
    pub fn receive(&mut self, records: u64) {
        self.outcome.received += records;
        self.count(None, Step::Received, "", records);
    }

    /// Keeps bytes with a reason, standing for `records` records.
    pub fn reject(&mut self, raw: &[u8], source: Option<&SourceId>, reason: Reject, records: u64) {
        self.outcome.rejected += records;
        self.count(source.cloned(), Step::Rejected, reason.as_str(), records);
        self.outcome.rejects.push(Rejected {
            input: self.input.to_string(),
            source: source.cloned(),
            reason,
            received: self.received,
            raw: raw.to_vec(),
        });
    }

    pub fn panicked(&mut self, panicked: Panicked) {
        self.outcome.panics.push(panicked);
    }

    /// The whole outcome.
    pub fn finish(mut self) -> Outcome {
        for (source, counts) in std::mem::take(&mut self.counts) {
            let (sums, hour) = (counts.tally.finish(), self.received.hour());
            self.count(Some(source.clone()), Step::Evaluated, "", sums.records);
            self.count(Some(source.clone()), Step::Raised, "", counts.raised);
            self.outcome.measured.push(Measured { source, lane: counts.lane, hour, sums });
        }
        self.outcome
    }

    fn count(&mut self, source: Option<SourceId>, step: Step, reason: &str, records: u64) {
        let entry = Entry {
            input: self.input.to_string(),
            source,
            hour: self.received.hour(),
            step,
            reason: reason.to_owned(),
        };
        self.outcome.ledger.add(entry, records);
    }

    /// Notes how far the event's source has come on this input. A time behind its receipt, from a wrong clock, must not make all others late.
    fn advance(&mut self, event: &Event<'_>) {
        let (source, lane, received) = (&event.source().id, event.lane(), event.received());
        let time = event.time().min(received);
        let is_same = |known: &&mut Progress| known.source == *source && known.lane == lane;
        match self.outcome.said.progress.iter_mut().find(is_same) {
            Some(known) => (known.time, known.received) = (known.time.max(time), known.received.max(received)),
            None => {
                let (source, partition) = (source.clone(), self.input.clone());
                self.outcome.said.progress.push(Progress { source, partition, lane, time, received });
            }
        }
    }

    fn counts_of(&mut self, source: &SourceId) -> &mut Counts {
        let at = self.counts.iter().position(|(known, _)| known == source).unwrap_or_else(|| {
            self.counts.push((source.clone(), Counts::default()));
            self.counts.len() - 1
        });
        &mut self.counts[at].1
    }
}

impl Sink for Collector {
    fn rejected(&mut self, raw: &[u8], source: Option<&SourceId>, reason: Reject) {
        self.reject(raw, source, reason, 1);
    }

    fn evaluated(&mut self, event: &Event<'_>) {
        let source = &event.source().id;
        let counts = self.counts_of(source);
        counts.lane = event.lane();
        counts.tally.add(event);
        let known = self.outcome.sightings.iter().find(|known| known.source == *source);
        if known.is_none_or(|known| known.last_event < event.time()) {
            let (last_event, last_received) = (event.time(), event.received());
            self.outcome.sight(Sighting { source: source.clone(), last_event, last_received });
        }
        if self.wants.rows {
            self.outcome.rows.push(row_of(event));
        }
        if self.wants.kept.contains(source) {
            let values = event.sensitive();
            let value = |(digest, text): (_, &str)| KeptValue { source: source.clone(), digest, text: text.to_owned() };
            self.outcome.kept.extend(values.map(value));
        }
        if self.wants.said {
            self.advance(event);
        }
    }

    fn finding(&mut self, finding: Finding, event: &Event<'_>) {
        self.counts_of(&event.source().id).raised += 1;
        let evidence = Evidence { event_id: event.id(), source: event.source().id.clone(), raw: event.redacted() };
        let input = self.input.to_string();
        self.outcome.findings.push(Raised { finding, evidence: vec![evidence], input });
    }

    fn matched(&mut self, matched: Matched) {
        if self.wants.said {
            self.outcome.said.matched.push(matched);
        }
    }

    fn linked(&mut self, links: Vec<Link>) {
        if self.wants.said {
            self.outcome.said.link(links);
        }
    }
}

fn row_of(event: &Event<'_>) -> Row {
    let source = event.source();
    Row {
        event_id: event.id(),
        source: source.id.clone(),
        time: event.time(),
        received: event.received(),
        lane: event.lane(),
        class_uid: source.ocsf.class_uid,
        columns: event.columns(),
        raw: event.redacted(),
    }
}
