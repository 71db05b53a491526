//! What has to rise before an episode begins: measured over a window that slides.

use serde::{Deserialize, Serialize};

use super::super::{Fact, Members, Out};
use super::distinct::{Distinct, VALUES_MAX, digest};
use super::limits::readable;
use super::order::{Count, Paths};
use super::recent::Recent;
use super::rules::{Asked, NEVER, members, occur, occurring};
use super::sums::Sums;

/// What is measured, and how much of it is asked for.
#[derive(Clone, Debug)]
pub(super) enum Gauge {
    /// Nothing: the first event will do.
    Any,
    /// So many events, each of which is shown once.
    Events(usize),
    /// So many findings beneath or events, known by their ids.
    Ids(usize),
    /// So many different values.
    Texts(usize),
    /// A sum, in millionths.
    Sum(i128),
    /// A number that is at least this, in millionths.
    AtLeast(i128),
    /// A number that is at most this, in millionths.
    AtMost(i128),
    /// Rules that occur; and how many rules there are.
    Rules(Asked, usize),
    /// Rules that occur in given orders; and how many rules there are.
    Paths(Paths, usize),
    /// So many rules that occur in order.
    InOrder(Count, usize),
}

/// What is known of one group.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) enum Reading {
    /// Nothing yet, or nothing but the facts themselves.
    #[default]
    None,
    /// Amounts by time.
    Sums(Sums),
    /// Values by time.
    Distinct(Distinct),
    /// When a number last kept the bound, and the one that keeps it best of those of that time.
    Last(i64, i128),
    /// When each rule last occurred.
    Rules(Box<[i64]>),
    /// The latest start of each chain; when each rule last occurred.
    Order(Box<[i64]>, Box<[i64]>),
}

impl Gauge {
    /// Does the first event begin an episode, whatever it is?
    pub(super) fn is_any(&self) -> bool {
        matches!(self, Gauge::Any)
    }

    /// A reading to which the facts of an instant can be added.
    fn start(&self) -> Reading {
        match self {
            Gauge::Any | Gauge::Events(_) => Reading::None,
            Gauge::Ids(_) | Gauge::Texts(_) => Reading::Distinct(Distinct::default()),
            Gauge::Sum(_) => Reading::Sums(Sums::default()),
            Gauge::AtLeast(_) | Gauge::AtMost(_) => Reading::Last(NEVER, 0),
            Gauge::Rules(_, rules) => Reading::Rules(vec![NEVER; *rules].into()),
            Gauge::Paths(paths, rules) => Reading::Order(paths.start(), vec![NEVER; *rules].into()),
            Gauge::InOrder(count, _) => Reading::Order(count.start(), Box::default()),
        }
    }

    /// Adds the facts of an instant, and forgets what is earlier than `from`.
    pub(super) fn add(&self, reading: &mut Reading, at: i64, from: i64, facts: &[Fact], out: &mut Out) {
        if matches!(reading, Reading::None) {
            *reading = self.start();
        }
        match (self, reading) {
            (Gauge::Events(_), Reading::Sums(sums)) => {
                sums.forget_before(from);
                sums.add(at, facts.len() as i128, at - from, out);
            }
            (Gauge::Sum(_), Reading::Sums(sums)) => {
                sums.forget_before(from);
                sums.add(at, total(facts), at - from, out);
            }
            (Gauge::Ids(_), Reading::Distinct(distinct)) => {
                distinct.forget_before(from);
                facts.iter().for_each(|fact| distinct.see(at, id_value(fact)));
            }
            (Gauge::Texts(_), Reading::Distinct(distinct)) => {
                distinct.forget_before(from);
                facts.iter().flat_map(|fact| fact.values.texts()).for_each(|text| distinct.see(at, digest(text)));
            }
            (Gauge::AtLeast(least), Reading::Last(last, best)) => {
                if let Some(number) = greatest(facts).filter(|number| number >= least) {
                    (*last, *best) = (at, number);
                }
            }
            (Gauge::AtMost(most), Reading::Last(last, best)) => {
                if let Some(number) = smallest(facts).filter(|number| number <= most) {
                    (*last, *best) = (at, number);
                }
            }
            (Gauge::Rules(..), Reading::Rules(last)) => occur(last, at, members(facts)),
            (Gauge::Paths(paths, _), Reading::Order(starts, last)) => {
                paths.add(starts, at, facts);
                occur(last, at, members(facts));
            }
            (Gauge::InOrder(count, _), Reading::Order(starts, _)) => count.add(starts, at, facts),
            _ => {}
        }
    }

    /// Is there enough, over what occurred at `from` or later? The facts themselves are `recent` while an episode is looked for.
    pub(super) fn holds(&self, reading: &Reading, recent: u64, from: i64) -> bool {
        match (self, reading) {
            (Gauge::Any, _) => true,
            (Gauge::Events(least), Reading::Sums(sums)) => sums.total() >= *least as i128,
            (Gauge::Events(least), _) => recent >= *least as u64,
            (Gauge::Sum(least), Reading::Sums(sums)) => sums.total() >= *least,
            (Gauge::Ids(least) | Gauge::Texts(least), Reading::Distinct(distinct)) => distinct.len() >= *least,
            (Gauge::AtLeast(_) | Gauge::AtMost(_), Reading::Last(last, _)) => *last >= from,
            (Gauge::Rules(asked, _), Reading::Rules(last)) => asked.holds(occurring(last, from)),
            (Gauge::Paths(paths, _), Reading::Order(starts, _)) => paths.holds(starts, from, Members::default()),
            (Gauge::InOrder(count, least), Reading::Order(starts, _)) => count.count(starts, from) >= *least,
            _ => false,
        }
    }

    /// What was measured, of what occurred at `from` or later.
    pub(super) fn value(&self, reading: &Reading, recent: u64, from: i64) -> f64 {
        match reading {
            Reading::None => recent as f64,
            Reading::Sums(sums) if matches!(self, Gauge::Sum(_)) => readable(sums.total(), 1),
            Reading::Sums(sums) => sums.total() as f64,
            Reading::Distinct(distinct) => distinct.len() as f64,
            Reading::Last(_, best) => readable(*best, 1),
            Reading::Rules(last) => f64::from(occurring(last, from).0.count_ones()),
            Reading::Order(starts, last) => match self {
                Gauge::InOrder(count, _) => count.count(starts, from) as f64,
                _ => f64::from(occurring(last, from).0.count_ones()),
            },
        }
    }

    /// A burst began with these facts: what counted them counts by itself from now on.
    pub(super) fn begin(&self, reading: &mut Reading, recent: &Recent, span: i64, out: &mut Out) {
        if matches!(self, Gauge::Events(_)) {
            let mut sums = Sums::default();
            for seen in recent.iter() {
                sums.add(seen.time.micros(), 1 + i128::from(seen.more), span, out);
            }
            *reading = Reading::Sums(sums);
        }
        self.trim(reading, out);
    }

    /// Lets go of what is beyond the bound, which no later window needs.
    pub(super) fn trim(&self, reading: &mut Reading, out: &mut Out) {
        match (self, reading) {
            (Gauge::Events(least), Reading::Sums(sums)) => sums.keep(*least as i128),
            (Gauge::Sum(least), Reading::Sums(sums)) => sums.keep((*least).max(0)),
            (Gauge::Ids(least) | Gauge::Texts(least), Reading::Distinct(distinct)) => {
                let unneeded = distinct.keep((*least).min(VALUES_MAX));
                out.shed += if *least > VALUES_MAX { unneeded } else { 0 };
            }
            _ => {}
        }
    }

    /// Facts that are kept while an episode is looked for: as many as are counted, within reason.
    pub(super) fn recent_max(&self) -> usize {
        match self {
            Gauge::Events(least) => (*least).clamp(RECENT_MAX, super::sums::INSTANTS_MAX),
            _ => RECENT_MAX,
        }
    }
}

/// Facts that a group keeps while it looks for an episode, where it does not count them.
const RECENT_MAX: usize = 16_384;

impl Reading {
    /// Bytes on the heap, roughly.
    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Reading::None | Reading::Last(..) => 0,
            Reading::Sums(sums) => sums.heap_bytes(),
            Reading::Distinct(distinct) => distinct.heap_bytes(),
            Reading::Rules(last) => size_of_val(&**last),
            Reading::Order(starts, last) => size_of_val(&**starts) + size_of_val(&**last),
        }
    }
}

/// What stands for a fact's id: the first half of it, which is a digest.
pub(super) fn id_value(fact: &Fact) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *fact.id.as_bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// The sum of the numbers, in millionths.
pub(super) fn total(facts: &[Fact]) -> i128 {
    numbers(facts).fold(0, i128::saturating_add)
}

/// The numbers, in millionths.
pub(super) fn numbers(facts: &[Fact]) -> impl Iterator<Item = i128> + '_ {
    facts.iter().flat_map(|fact| fact.values.numbers().iter().copied())
}

/// The greatest of the numbers.
pub(super) fn greatest(facts: &[Fact]) -> Option<i128> {
    numbers(facts).max()
}

/// The smallest of the numbers.
pub(super) fn smallest(facts: &[Fact]) -> Option<i128> {
    numbers(facts).min()
}
