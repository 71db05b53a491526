//! The canary: a record of our own that travels the whole line every few minutes.
//!
//! In: the time. Out: a journal entry now and then; an alert about ourselves while one does not arrive, and a note on it when one does. Bound: one
//! record at a time. It is accepted as any other record is, so that what it proves holds for them: journal, decode, normalise, detect,
//! settle.

use std::time::Duration;

use engine::Format;
use model::{Lane, Level, SourceId, Time};
use store::journal::{Batch, Journal};
use store::{CANARY_SOURCE, Store};

use crate::inputs::Feed;
use crate::line::chain;

/// The input of canary records.
pub(super) const INPUT: &str = "canary";
const PAUSE: Duration = Duration::from_secs(1);
/// The first is sent so long after the start, unless they come more often.
const FIRST_MS: i64 = 30_000;
/// One that needs longer is missed, however often they are sent.
const PATIENCE_MIN_MS: i64 = 60_000;
const TITLE: &str = "The canary does not arrive";
const KEY: &str = "canary";

/// Sends canaries until told to end.
pub(super) fn fly(feed: &Feed, journal: &Journal, every: Duration, queued: &(dyn Fn() + Send + Sync)) {
    let every_ms = i64::try_from(every.as_millis()).unwrap_or(i64::MAX);
    let first = feed.clock.now().plus_millis(every_ms.min(FIRST_MS));
    let mut canary = Canary::new(&feed.store, journal, queued, every_ms, first);
    loop {
        canary.step(feed.clock.now());
        if feed.stop.wait(PAUSE) {
            return;
        }
    }
}

struct Canary<'a> {
    store: &'a Store,
    journal: &'a Journal,
    queued: &'a (dyn Fn() + Send + Sync),
    every_ms: i64,
    next: Time,
    /// When the first of those that have not arrived was sent.
    flying: Option<Time>,
    is_told: bool,
    /// Did one arrive since the start? An alert of the time before may still stand.
    has_come: bool,
}

impl<'a> Canary<'a> {
    fn new(
        store: &'a Store,
        journal: &'a Journal,
        queued: &'a (dyn Fn() + Send + Sync),
        every_ms: i64,
        next: Time,
    ) -> Canary<'a> {
        Canary { store, journal, queued, every_ms, next, flying: None, is_told: false, has_come: false }
    }

    fn step(&mut self, now: Time) {
        if let Some(sent) = self.flying {
            self.look(sent, now);
        }
        if now >= self.next {
            self.next = now.plus_millis(self.every_ms);
            self.send(now);
            self.flying.get_or_insert(now);
        }
    }

    fn send(&self, now: Time) {
        let record = format!("{{\"watchkeep_canary\":\"{}\",\"sent\":\"{now}\"}}\n", now.micros());
        let batch = Batch {
            input: INPUT.to_owned(),
            source: Some(SourceId::from(CANARY_SOURCE)),
            format: Format::Auto.to_wire(),
            lane: Lane::Canary,
            received: now,
            records: 1,
            bytes: record.into_bytes(),
        };
        if let Err(error) = self.journal.append(&batch) {
            tracing::warn!(error = chain(&error), "the journal refuses the canary");
        }
    }

    fn look(&mut self, sent: Time, now: Time) {
        let arrived = match self.store.canary() {
            Ok(last) => last.is_some_and(|last| last.sent >= sent),
            Err(error) => {
                tracing::error!(error = chain(&error), "the store does not say whether the canary arrived");
                false
            }
        };
        let waited_ms = now.millis_since(sent);
        if arrived {
            self.flying = None;
            if self.is_told || !self.has_come {
                self.tell(false, "the canary arrives again", now);
            }
            (self.is_told, self.has_come) = (false, true);
        } else if !self.is_told && waited_ms > self.every_ms.max(PATIENCE_MIN_MS) {
            let waited = engine::health::span(waited_ms);
            let message = format!("a record that Watchkeep sent itself {waited} ago did not come through the line");
            self.is_told = self.tell(true, &message, now);
        }
    }

    /// Raises the alert, or takes it back; says whether that was stored.
    fn tell(&self, is_raised: bool, message: &str, now: Time) -> bool {
        let told = match is_raised {
            true => self.store.raise_self(TITLE, message, Level::High, KEY, now).map(drop),
            false => self.store.recover_self(message, KEY, now),
        };
        match &told {
            Ok(()) => (self.queued)(),
            Err(error) => tracing::error!(error = chain(error), message, "what the canary shows could not be stored"),
        }
        told.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use engine::health::Sums;
    use store::{Measured, Settlement};

    use super::*;

    const EVERY_MS: i64 = 300_000;

    fn at(minute: i64) -> Time {
        Time::from_millis(1_763_779_867_000 + minute * 60_000)
    }

    /// What the line does with a canary.
    fn settle(store: &Store, sent: Time, now: Time) {
        let sums = Sums { records: 1, last_event: Some(sent), last_received: Some(sent), ..Sums::default() };
        let measured = Measured { source: CANARY_SOURCE.into(), lane: Lane::Canary, hour: sent.hour(), sums };
        let settlement = Settlement { input: INPUT.into(), measured: vec![measured], now, ..Settlement::default() };
        store.settle(settlement, &[]).unwrap();
    }

    fn history(store: &Store) -> Vec<String> {
        let alerts = store.alerts(&store::AlertQuery { limit: 10, ..Default::default() }).unwrap().alerts;
        assert!(alerts.len() <= 1, "{alerts:?}");
        let told = alerts.iter().flat_map(|alert| store.alert(alert.alert_id).unwrap().unwrap().history);
        told.map(|row| row.kind).collect()
    }

    #[test]
    fn a_canary_that_does_not_arrive_is_told_once_until_one_does() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let journal = Journal::open(&folder.path().join("journal"), Default::default()).unwrap();
        let mut canary = Canary::new(&store, &journal, &|| {}, EVERY_MS, at(0));
        canary.step(at(0));
        settle(&store, at(0), at(0).plus_millis(120));
        canary.step(at(1));
        assert_eq!(store.canary().unwrap().map(|last| last.travel_ms), Some(120));
        for minute in 2..=10 {
            canary.step(at(minute));
        }
        assert!(history(&store).is_empty(), "the second was sent five minutes ago, and no more");
        for minute in 11..=30 {
            canary.step(at(minute));
        }
        assert_eq!(history(&store), ["opened"]);
        settle(&store, at(5), at(30));
        canary.step(at(31));
        canary.step(at(32));
        assert_eq!(history(&store), ["opened", "recovered"]);
        assert!(journal.bytes() > 0, "they are journalled as any other record is");
    }
}
