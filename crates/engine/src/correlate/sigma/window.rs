//! A settled window: judged when it is over.

use model::{EventId, Time};
use serde::{Deserialize, Serialize};

use super::super::{Claim, Episode, Fact, Measure, Out, Told};
use super::SigmaOperator;
use super::claims::Claims;
use super::limits::{Limits, ONE, readable};
use super::recent::Seen;
use super::rules::is_true;
use super::search::Search;
use super::shares::Odd;
use super::tally::{Judge, Tally, nearest_rank};

/// A window that lasts one time span from its start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Window {
    first: EventId,
    start: Time,
    last: Time,
    claims: Claims,
    tally: Tally,
}

/// What a window came to that keeps its bounds.
struct Kept {
    value: f64,
    values: Vec<String>,
    /// The facts that are claimed, where that is not all of them.
    facts: Option<Vec<Seen>>,
}

impl Window {
    /// The window that begins with what was looked at, at `at` with these facts.
    pub(super) fn open(
        of: &SigmaOperator,
        judge: &Judge,
        search: Search,
        at: Time,
        facts: &[Fact],
        out: &mut Out,
    ) -> Option<Window> {
        let Search { recent, reading, .. } = search;
        let first = recent.first()?;
        let (first, start) = (first.id, first.time);
        let tally = if of.gauge.is_any() {
            let mut tally = judge.start();
            judge.add(&mut tally, at.micros(), facts, out);
            tally
        } else {
            judge.start_from(reading, recent.count(), start.micros())
        };
        // Of a share, it is known at the end only what is claimed.
        let claims = if matches!(judge, Judge::Shares(_)) { Claims::default() } else { of.opening(&recent, out) };
        Some(Window { first, start, last: at, claims, tally })
    }

    /// When it began.
    pub(super) fn start(&self) -> Time {
        self.start
    }

    /// What it comes to so far, whether or not that keeps the bounds; `None` where nothing was measured yet.
    pub(super) fn value(&self, judge: &Judge) -> Option<f64> {
        judge.value(&self.tally, self.start.micros())
    }

    /// The last moment that belongs to it.
    pub(super) fn due(&self, of: &SigmaOperator) -> Time {
        Time::from_micros(self.start.micros().saturating_add(of.span))
    }

    /// Adds the facts of an instant that belongs to it.
    pub(super) fn add(&mut self, of: &SigmaOperator, judge: &Judge, at: Time, facts: &[Fact], out: &mut Out) {
        self.last = at;
        judge.add(&mut self.tally, at.micros(), facts, out);
        if !matches!(judge, Judge::Shares(_)) {
            facts.iter().for_each(|fact| of.claim(&mut self.claims, &Seen::of(fact), out));
        }
    }

    /// It is over: says what it came to, if that keeps the bounds.
    pub(super) fn close(mut self, of: &SigmaOperator, judge: &Judge, out: &mut Out) {
        let Some(kept) = judge.kept(self.tally, self.start.micros()) else { return };
        if let Some(facts) = &kept.facts {
            let (Some(first), Some(last)) = (facts.first(), facts.last()) else { return };
            (self.first, self.start, self.last) = (first.id, first.time, last.time);
            self.claims = Claims::new(of.has_beneath);
            facts.iter().for_each(|seen| of.claim(&mut self.claims, seen, out));
        }
        out.told.push(Told::Closed(Episode {
            first: self.first,
            start: self.start,
            held: self.last,
            last_held: self.last,
            opened: self.claims.opened,
            opened_count: self.claims.opened_count,
            prolonged: Vec::<Claim>::new(),
            prolonged_count: 0,
            measure: Measure { value: kept.value, values: kept.values, ..of.measure() },
        }));
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.claims.heap_bytes() + self.tally.heap_bytes()
    }
}

impl Judge {
    /// What a window that began at `from` comes to; of shares, the greatest.
    fn value(&self, tally: &Tally, from: i64) -> Option<f64> {
        Some(match (self, tally) {
            (Judge::Events(_), Tally::Total(_, events)) => *events as f64,
            (Judge::Sum(_), Tally::Total(sum, _)) => readable(*sum, 1),
            (Judge::Average(_), Tally::Total(sum, count)) => readable(*sum, i128::from((*count).max(1))),
            (_, Tally::Total(..)) => return None,
            (_, Tally::Distinct(all)) => all.len() as f64,
            (_, Tally::Extreme(best)) => readable((*best)?, 1),
            (Judge::Rank(_, percentile), Tally::Numbers(all)) => {
                readable(nearest_rank(&mut all.clone(), *percentile)?, 1)
            }
            (_, Tally::Numbers(_)) => return None,
            (_, Tally::Shares(shares)) => shares.greatest()?,
            (Judge::InOrder(_, order), Tally::Order(starts, _)) => order.count(starts, from) as f64,
            (_, Tally::Rules(held) | Tally::Order(_, held)) => f64::from(held.0.count_ones()),
        })
    }

    /// What a window comes to that began at `from`, if it keeps the bounds.
    fn kept(&self, tally: Tally, from: i64) -> Option<Kept> {
        let number = |limits: &Limits, number: i128, of: i128| {
            let value = readable(number, of);
            limits.keep(number, of).then_some(Kept { value, values: Vec::new(), facts: None })
        };
        let count = |limits: &Limits, count: u64| number(limits, i128::from(count) * ONE, 1);
        let truth = |is_kept: bool, rules: u32| {
            is_kept.then(|| Kept { value: f64::from(rules), values: Vec::new(), facts: None })
        };
        match (self, tally) {
            (Judge::Events(limits), Tally::Total(_, events)) => count(limits, events),
            (Judge::Ids(limits, _) | Judge::Texts(limits, _), Tally::Distinct(all)) => count(limits, all.len() as u64),
            (Judge::Sum(limits), Tally::Total(sum, _)) => number(limits, sum, 1),
            (Judge::Average(limits), Tally::Total(sum, count)) => number(limits, sum, i128::from(count.max(1))),
            (Judge::Greatest(limits) | Judge::Smallest(limits), Tally::Extreme(best)) => number(limits, best?, 1),
            (Judge::Rank(limits, percentile), Tally::Numbers(mut all)) => {
                number(limits, nearest_rank(&mut all, *percentile)?, 1)
            }
            (Judge::Shares(limits), Tally::Shares(shares)) => {
                let Odd { facts, share, values } = shares.odd(limits)?;
                Some(Kept { value: share, values, facts: Some(facts) })
            }
            (Judge::Rules(limits), Tally::Rules(held)) => count(limits, u64::from(held.0.count_ones())),
            (Judge::Expression(condition), Tally::Rules(held)) => {
                truth(is_true(condition, held, held), held.0.count_ones())
            }
            (Judge::InOrder(limits, order), Tally::Order(starts, _)) => {
                count(limits, order.count(&starts, from) as u64)
            }
            (Judge::Paths(paths), Tally::Order(starts, held)) => {
                truth(paths.holds(&starts, from, held), held.0.count_ones())
            }
            _ => None,
        }
    }
}
