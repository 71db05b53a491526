//! A burst: an episode of a correlation that is open ended.

use model::{EventId, Time};
use serde::{Deserialize, Serialize};

use super::super::{Episode, Fact, Measure, Out, Told};
use super::SigmaOperator;
use super::claims::Claims;
use super::gauge::Reading;
use super::recent::Seen;
use super::search::{Search, TEXT_MAX};

/// A burst is cut after so long, microseconds, or after one time span where that is longer.
const BURST_MAX: i64 = 24 * 3_600_000_000;

/// A burst that lasts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Burst {
    first: EventId,
    start: Time,
    held: Time,
    last_held: Time,
    claims: Claims,
    reading: Reading,
    value: f64,
    values: Vec<String>,
}

impl Burst {
    /// The burst that begins at `at` with what was looked at.
    pub(super) fn open(of: &SigmaOperator, search: Search, at: Time, out: &mut Out) -> Option<Burst> {
        let Search { recent, mut reading, sample } = search;
        let first = recent.first()?;
        let (first, start) = (first.id, first.time);
        let value = of.gauge.value(&reading, recent.count(), start.micros());
        let values = sample.values(&reading);
        of.gauge.begin(&mut reading, &recent, of.span, out);
        let claims = of.opening(&recent, out);
        let burst = Burst { first, start, held: at, last_held: at, claims, reading, value, values };
        out.told.push(Told::Opened(burst.episode(of)));
        Some(burst)
    }

    /// When it is over if nothing prolongs it.
    pub(super) fn due(&self, of: &SigmaOperator) -> Time {
        let lasting = self.last_held.micros().saturating_add(of.span);
        Time::from_micros(lasting.min(self.start.micros().saturating_add(of.span.max(BURST_MAX))))
    }

    /// Does it hold with the facts of `at`, which is not after it is due?
    pub(super) fn goes_on(&mut self, of: &SigmaOperator, at: Time, facts: &[Fact], out: &mut Out) -> bool {
        let micros = at.micros();
        let from = self.start.micros().max(micros.saturating_sub(of.span));
        of.gauge.add(&mut self.reading, micros, from, facts, out);
        if !of.gauge.holds(&self.reading, 0, from) {
            return false;
        }
        of.gauge.trim(&mut self.reading, out);
        self.last_held = at;
        if self.claims.is_full() {
            self.claims.prolong_uncounted(facts.len() as u64);
        } else {
            self.claims.prolong(facts.iter().flat_map(Fact::claims).collect(), out);
        }
        if out.wants_held {
            out.told.push(Told::Held { first: self.first, at, facts: facts.to_vec() });
        }
        true
    }

    /// All of it.
    pub(super) fn episode(&self, of: &SigmaOperator) -> Episode {
        Episode {
            first: self.first,
            start: self.start,
            held: self.held,
            last_held: self.last_held,
            opened: self.claims.opened.clone(),
            opened_count: self.claims.opened_count,
            prolonged: self.claims.prolonged.clone(),
            prolonged_count: self.claims.prolonged_count,
            measure: Measure { value: self.value, values: self.values.clone(), ..of.measure() },
        }
    }

    /// What was measured when it began, and since when it holds.
    pub(super) fn reading(&self, of: &SigmaOperator) -> Measure {
        let mut values = self.values.clone();
        values.push(format!("holds since {}, last at {}", self.held, self.last_held));
        Measure { value: self.value, values, ..of.measure() }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.claims.heap_bytes() + self.reading.heap_bytes() + self.values.len() * TEXT_MAX
    }
}

impl SigmaOperator {
    /// The claims of what opens an episode.
    pub(super) fn opening(&self, recent: &super::recent::Recent, out: &mut Out) -> Claims {
        let mut claims = Claims::new(self.has_beneath);
        for seen in recent.iter() {
            self.claim(&mut claims, seen, out);
        }
        claims
    }

    pub(super) fn claim(&self, claims: &mut Claims, seen: &Seen, out: &mut Out) {
        seen.claims().for_each(|claim| claims.open(claim, out));
        claims.open_uncounted(seen.more);
    }
}
