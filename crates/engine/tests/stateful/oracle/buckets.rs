//! `volume`, `peer_group` and `ratio`: what is measured in buckets and windows.

use std::collections::BTreeSet;

use engine::correlate::stateful::{Beyond, Bound, Expectation, Measured, Peers, Ratio, Volume};
use engine::correlate::{Fact, Values};
use engine::sigma::Comparison;
use model::EventId;

use super::{Found, ids, micros, ordered, times};

const ONE: i128 = 1_000_000;
const HOUR: i64 = 3_600_000_000;

fn takes(measured: &Measured, values: &Values) -> bool {
    match measured {
        Measured::Count => true,
        Measured::Sum(_) => values.numbers().iter().any(|number| *number >= 0),
        Measured::Distinct(_) => !values.texts().is_empty(),
    }
}

fn measure<'a>(measured: &Measured, all: impl Iterator<Item = &'a Values>) -> i128 {
    let all: Vec<&Values> = all.collect();
    match measured {
        Measured::Count => all.len() as i128 * ONE,
        Measured::Sum(_) => all.iter().flat_map(|values| values.numbers()).filter(|number| **number >= 0).sum(),
        Measured::Distinct(_) => {
            all.iter().flat_map(|values| values.texts()).collect::<BTreeSet<_>>().len() as i128 * ONE
        }
    }
}

fn rank(numbers: &[i128], share: i128) -> i128 {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    let is_enough = |at: &usize| (*at as i128 + 1) * ONE >= share * sorted.len() as i128;
    sorted[(0..sorted.len()).find(is_enough).expect("all of them are enough")]
}

/// Middle, and the limit times ten millions.
fn limit(expectation: Expectation, measured: &Measured, numbers: &[i128], beyond: Beyond) -> (i128, i128) {
    match expectation {
        Expectation::Mad(factor) => {
            let middle = rank(numbers, ONE / 2);
            let apart: Vec<i128> = numbers.iter().map(|number| (number - middle).abs()).collect();
            let least = if matches!(measured, Measured::Sum(_)) { 0 } else { 10 * ONE };
            let tenfold = [10 * rank(&apart, ONE / 2), middle, least].into_iter().max().expect("three");
            let away = if beyond == Beyond::Above { tenfold * factor } else { -tenfold * factor };
            (middle, middle * 10 * ONE + away)
        }
        Expectation::Quantile { quantile, factor } => {
            let middle = rank(numbers, quantile);
            (middle, middle * factor * 10)
        }
    }
}

struct Past<'a> {
    rule: &'a Volume,
    /// The events that take part, in order.
    facts: Vec<Fact>,
    span: i64,
    reach: i64,
}

impl Past<'_> {
    fn bucket(&self, fact: &Fact) -> i64 {
        micros(fact) / self.span
    }

    fn inside(&self, bucket: i64) -> Vec<Fact> {
        self.facts.iter().filter(|fact| self.bucket(fact) == bucket).cloned().collect()
    }

    fn value(&self, facts: &[Fact]) -> i128 {
        measure(&self.rule.measured, facts.iter().map(|fact| &fact.values))
    }

    /// The limit for a bucket of a life that began in the bucket `first`.
    fn limit(&self, bucket: i64, first: i64) -> Option<(i128, i128)> {
        if bucket - first < self.rule.learn.max(1) {
            return None;
        }
        let season = |bucket: i64| (bucket * self.span / HOUR).rem_euclid(self.rule.calendar.season_hours);
        let past = (first.max(bucket - self.reach)..bucket).rev().filter(|other| season(*other) == season(bucket));
        let past: Vec<i128> =
            past.take(self.rule.calendar.history).map(|other| self.value(&self.inside(other))).collect();
        (!past.is_empty()).then(|| limit(self.rule.expectation, &self.rule.measured, &past, self.rule.beyond))
    }

    /// When a bucket is told, by which events, with which value: for each time at which it is so.
    fn told(&self, bucket: i64, first: i64) -> Vec<(i64, Vec<Fact>, i128)> {
        let Some((middle, limit)) = self.limit(bucket, first) else { return Vec::new() };
        let facts = self.inside(bucket);
        if self.rule.beyond == Beyond::Below {
            let value = self.value(&facts);
            let is_told = value * 10 * ONE < limit && middle >= self.rule.at_least;
            return if is_told { vec![((bucket + 1) * self.span - 1, facts, value)] } else { Vec::new() };
        }
        let mut told: Vec<(i64, Vec<Fact>, i128)> = Vec::new();
        for time in times(&facts) {
            let until: Vec<Fact> = facts.iter().filter(|fact| micros(fact) <= time).cloned().collect();
            let value = self.value(&until);
            if value * 10 * ONE > limit && value >= self.rule.at_least {
                let is_first = told.is_empty();
                let new = until.into_iter().filter(|fact| is_first || micros(fact) == time).collect();
                told.push((time, new, value));
            }
        }
        told
    }

    fn first_of(&self, bucket: i64, opened: &[Fact]) -> (EventId, i64, Vec<EventId>) {
        if let Some(first) = opened.first() {
            return (first.id, micros(first), ids(opened));
        }
        let start = bucket * self.span;
        let last = self.facts.iter().rev().find(|fact| micros(fact) < start).expect("a life has an event");
        (EventId::of(&[last.id.as_bytes(), &start.to_be_bytes()]), start, vec![last.id])
    }
}

pub fn volume(rule: &Volume, facts: &[Fact]) -> Vec<Found> {
    let taking = facts.iter().filter(|fact| takes(&rule.measured, &fact.values)).cloned().collect();
    let span = rule.calendar.span_ms * 1000;
    let periods = match rule.calendar.season_hours {
        1 => 1,
        hours => (hours * HOUR + span - 1) / span,
    };
    let reach = rule.calendar.history as i64 * periods;
    let past = Past { rule, facts: ordered(taking), span, reach };
    let mut buckets: Vec<i64> = past.facts.iter().map(|fact| past.bucket(fact)).collect();
    buckets.dedup();
    let mut found = Vec::new();
    while let Some(&first) = buckets.first() {
        let beyond = (1..buckets.len()).find(|at| buckets[*at] - buckets[at - 1] > reach).unwrap_or(buckets.len());
        let life: Vec<i64> = buckets.drain(..beyond).collect();
        found.extend(runs(&past, first, life[life.len() - 1]));
    }
    found
}

/// Buckets that follow each other, all of them told, are one finding of at most a day.
fn runs(past: &Past, first: i64, last: i64) -> Vec<Found> {
    let longest = (24 * HOUR / past.span).max(1);
    let mut found: Vec<Found> = Vec::new();
    let mut run: Option<(i64, i64)> = None;
    for bucket in first..=last + past.reach {
        for (at, facts, value) in past.told(bucket, first) {
            let value = value as f64 / ONE as f64;
            let goes_on = run.is_some_and(|(begun, last)| bucket - last <= 1 && bucket - begun < longest);
            if !goes_on {
                let (first, start, opened) = past.first_of(bucket, &facts);
                found.push(Found {
                    first,
                    start,
                    held: at,
                    last_held: at,
                    opened,
                    prolonged: Vec::new(),
                    value,
                    again: 0,
                });
                run = Some((bucket, bucket));
                continue;
            }
            let finding = found.last_mut().expect("a run has a finding");
            finding.last_held = at;
            finding.prolonged.extend(ids(&facts));
            let is_above = past.rule.beyond == Beyond::Above;
            finding.value = if is_above { finding.value.max(value) } else { finding.value.min(value) };
            run = run.map(|(begun, _)| (begun, bucket));
        }
    }
    found
}

pub fn peers(rule: &Peers, facts: &[Fact]) -> Vec<Found> {
    let is_taking = |fact: &&Fact| !fact.values.things().is_empty() && takes(&rule.measured, fact.values.measured());
    let facts = ordered(facts.iter().filter(is_taking).cloned().collect());
    let span = rule.span_ms * 1000;
    let buckets: BTreeSet<i64> = facts.iter().map(|fact| micros(fact) / span).collect();
    let mut found = Vec::new();
    for bucket in buckets {
        let inside: Vec<&Fact> = facts.iter().filter(|fact| micros(fact) / span == bucket).collect();
        let names: BTreeSet<String> =
            inside.iter().flat_map(|fact| fact.values.things()).map(ToString::to_string).collect();
        let is_of = |fact: &Fact, name: &String| fact.values.things().iter().any(|thing| **thing == **name);
        let value = |name: &String| {
            let own = inside.iter().filter(|fact| is_of(fact, name));
            measure(&rule.measured, own.map(|fact| fact.values.measured()))
        };
        let is_outstanding = |name: &&String| {
            let others: Vec<i128> = names.iter().filter(|other| other != name).map(value).collect();
            if others.is_empty() || others.len() < rule.least_peers {
                return false;
            }
            let (_, limit) = limit(rule.expectation, &rule.measured, &others, Beyond::Above);
            value(name) * 10 * ONE > limit && value(name) >= rule.at_least
        };
        let out: Vec<&String> = names.iter().filter(is_outstanding).collect();
        let Some(most) = out.iter().map(|name| value(name)).max() else { continue };
        let claimed = inside.iter().filter(|fact| out.iter().any(|name| is_of(fact, name)));
        let claimed: Vec<Fact> = claimed.map(|fact| (*fact).clone()).collect();
        let times = |name: &&String| inside.iter().filter(|fact| is_of(fact, name)).count();
        let again = out.iter().map(times).sum::<usize>() - claimed.len();
        let last = micros(&claimed[claimed.len() - 1]);
        let (first, start, opened) = (claimed[0].id, micros(&claimed[0]), ids(&claimed));
        let value = most as f64 / ONE as f64;
        found.push(Found { first, start, held: last, last_held: last, opened, prolonged: Vec::new(), value, again });
    }
    found
}

pub fn keeps(bounds: &[Bound], of: i128, to: i128) -> bool {
    bounds.iter().all(|bound| {
        let (left, right) = (of * ONE, bound.value * to);
        match bound.comparison {
            Comparison::Gt => left > right,
            Comparison::Gte => left >= right,
            Comparison::Lt => left < right,
            Comparison::Lte => left <= right,
            Comparison::Eq => left == right,
            Comparison::Neq => left != right,
        }
    })
}

pub fn ratio(rule: &Ratio, facts: &[Fact]) -> Vec<Found> {
    let is_of = |fact: &Fact| fact.members.iter().any(|member| rule.of.has(member));
    let is_to = |fact: &Fact| fact.members.iter().any(|member| rule.to.has(member));
    let taking = |fact: &&Fact| (is_of(fact) || is_to(fact)) && takes(&rule.measured, &fact.values);
    let mut left = ordered(facts.iter().filter(taking).cloned().collect());
    let mut found = Vec::new();
    while let Some(first) = left.first() {
        let end = micros(first) + rule.span_ms * 1000;
        let window: Vec<Fact> = left.iter().filter(|fact| micros(fact) <= end).cloned().collect();
        left.drain(..window.len());
        let of = measure(&rule.measured, window.iter().filter(|fact| is_of(fact)).map(|fact| &fact.values));
        let to = measure(&rule.measured, window.iter().filter(|fact| is_to(fact)).map(|fact| &fact.values));
        if to > 0 && to >= rule.at_least && keeps(&rule.bounds, of, to) {
            let (first, start, opened) = (window[0].id, micros(&window[0]), ids(&window));
            let last = micros(&window[window.len() - 1]);
            let value = of as f64 / to as f64;
            found.push(Found {
                first,
                start,
                held: last,
                last_held: last,
                opened,
                prolonged: Vec::new(),
                value,
                again: 0,
            });
        }
    }
    found
}
