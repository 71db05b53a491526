//! What a settled window comes to.

use serde::{Deserialize, Serialize};

use super::super::{Fact, Members, Out};
use super::distinct::{Distinct, digest};
use super::gauge::{Reading, greatest, id_value, numbers, smallest, total};
use super::limits::{Limits, ONE};
use super::order::{Count, Paths};
use super::rules::{members, occurring};
use super::shares::Shares;
use crate::sigma::Condition;

/// Values that one window keeps, where it keeps values.
pub(super) const NUMBERS_MAX: usize = 100_000;

/// What is judged when a window is over.
#[derive(Clone, Debug)]
pub(super) enum Judge {
    /// How many events.
    Events(Limits),
    /// How many findings beneath or events, by their ids; at most so many are told apart.
    Ids(Limits, usize),
    /// How many different values; at most so many are told apart.
    Texts(Limits, usize),
    /// The sum of the numbers.
    Sum(Limits),
    /// The greatest number.
    Greatest(Limits),
    /// The least number.
    Smallest(Limits),
    /// The mean of the numbers.
    Average(Limits),
    /// The number at a rank: which percentile, in millionths of a percent.
    Rank(Limits, i128),
    /// The share of each value.
    Shares(Limits),
    /// How many rules occur.
    Rules(Limits),
    /// Which rules occur.
    Expression(Condition),
    /// How many rules occur in order.
    InOrder(Limits, Count),
    /// Which rules occur in order, and which do not at all.
    Paths(Paths),
}

/// What is known of a window.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Tally {
    /// The sum of numbers, and how many they are.
    Total(i128, u64),
    /// Different values.
    Distinct(Distinct),
    /// The greatest or the least number.
    Extreme(Option<i128>),
    /// All numbers.
    Numbers(Vec<i128>),
    /// All values.
    Shares(Box<Shares>),
    /// The rules that occur.
    Rules(Members),
    /// The latest start of each chain, and the rules that occur.
    Order(Box<[i64]>, Members),
}

impl Judge {
    /// Nothing has occurred.
    pub(super) fn start(&self) -> Tally {
        match self {
            Judge::Events(_) | Judge::Sum(_) | Judge::Average(_) => Tally::Total(0, 0),
            Judge::Ids(..) | Judge::Texts(..) => Tally::Distinct(Distinct::default()),
            Judge::Greatest(_) | Judge::Smallest(_) => Tally::Extreme(None),
            Judge::Rank(..) => Tally::Numbers(Vec::new()),
            Judge::Shares(_) => Tally::Shares(Box::default()),
            Judge::Rules(_) | Judge::Expression(_) => Tally::Rules(Members::default()),
            Judge::InOrder(_, count) => Tally::Order(count.start(), Members::default()),
            Judge::Paths(paths) => Tally::Order(paths.start(), Members::default()),
        }
    }

    /// A window that begins at `from` with what was read while it was looked for: `recent` facts.
    pub(super) fn start_from(&self, reading: Reading, recent: u64, from: i64) -> Tally {
        match (reading, self) {
            (Reading::None, _) => Tally::Total(0, recent),
            (Reading::Sums(sums), _) => Tally::Total(sums.total(), 0),
            (Reading::Distinct(distinct), _) => Tally::Distinct(distinct),
            // Whatever kept the bound before now would have begun the window.
            (Reading::Last(_, best), _) => Tally::Extreme(Some(best)),
            (Reading::Rules(last), _) => Tally::Rules(occurring(&last, from)),
            (Reading::Order(starts, last), _) => Tally::Order(starts, occurring(&last, from)),
        }
    }

    /// Adds the facts of an instant.
    pub(super) fn add(&self, tally: &mut Tally, at: i64, facts: &[Fact], out: &mut Out) {
        match (self, tally) {
            (Judge::Events(_), Tally::Total(_, count)) => *count += facts.len() as u64,
            (Judge::Sum(_) | Judge::Average(_), Tally::Total(sum, count)) => {
                *sum = sum.saturating_add(total(facts));
                *count += numbers(facts).count() as u64;
            }
            (Judge::Ids(limits, most), Tally::Distinct(distinct)) => {
                facts.iter().for_each(|fact| see(distinct, at, id_value(fact), limits, *most, out));
            }
            (Judge::Texts(limits, most), Tally::Distinct(distinct)) => {
                let texts = facts.iter().flat_map(|fact| fact.values.texts());
                texts.for_each(|text| see(distinct, at, digest(text), limits, *most, out));
            }
            (Judge::Greatest(_), Tally::Extreme(best)) => *best = (*best).max(greatest(facts)),
            (Judge::Smallest(_), Tally::Extreme(best)) => *best = best.iter().copied().chain(smallest(facts)).min(),
            (Judge::Rank(..), Tally::Numbers(all)) => {
                let room = NUMBERS_MAX.saturating_sub(all.len());
                all.extend(numbers(facts).take(room));
                out.shed += numbers(facts).skip(room).count() as u64;
            }
            (Judge::Shares(_), Tally::Shares(shares)) => shares.add(facts, out),
            (Judge::Rules(_) | Judge::Expression(_), Tally::Rules(held)) => *held = held.with(members(facts)),
            (Judge::InOrder(_, count), Tally::Order(starts, _)) => count.add(starts, at, facts),
            (Judge::Paths(paths), Tally::Order(starts, held)) => {
                paths.add(starts, at, facts);
                *held = held.with(members(facts));
            }
            _ => {}
        }
    }

    /// How many different values are told apart: one more than the bounds allow, or as many as there is room for.
    pub(super) fn most_values(limits: &Limits) -> usize {
        match limits.most_count() {
            Some(most) if most < super::distinct::VALUES_MAX => most + 1,
            _ => NUMBERS_MAX.max(limits.least_count().min(super::distinct::VALUES_MAX)),
        }
    }
}

/// A value was seen. One for which there is no room is let go of, unless the window has too many of them in any case.
fn see(distinct: &mut Distinct, at: i64, value: u64, limits: &Limits, most: usize, out: &mut Out) {
    if distinct.has(value) {
        return;
    }
    if distinct.len() < most {
        distinct.see(at, value);
    } else if limits.keep(distinct.len() as i128 * ONE, 1) {
        out.shed += 1;
    }
}

/// The least of the numbers that at least `percentile` of them do not exceed.
pub(super) fn nearest_rank(numbers: &mut [i128], percentile: i128) -> Option<i128> {
    let share = percentile * numbers.len() as i128;
    let rank = (share + 100 * ONE - 1) / (100 * ONE);
    let place = usize::try_from(rank.max(1) - 1).ok().filter(|place| *place < numbers.len())?;
    Some(*numbers.select_nth_unstable(place).1)
}

impl Tally {
    /// Bytes on the heap, roughly.
    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Tally::Total(..) | Tally::Extreme(_) | Tally::Rules(_) => 0,
            Tally::Distinct(distinct) => distinct.heap_bytes(),
            Tally::Numbers(all) => all.capacity() * size_of::<i128>(),
            Tally::Shares(shares) => shares.heap_bytes(),
            Tally::Order(starts, _) => size_of_val(&**starts),
        }
    }
}
