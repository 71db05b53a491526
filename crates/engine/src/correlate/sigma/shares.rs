//! The share of each value of a settled window, and the facts that have a value.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::super::{Fact, Out};
use super::distinct::digest;
use super::limits::{Limits, ONE, readable};
use super::recent::Seen;
use super::tally::NUMBERS_MAX;

/// Values that a measure shows.
const SHOWN_MAX: usize = 16;

/// The values of a window, by their digests, with how often each occurs; and which values each fact has.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Shares {
    values: BTreeMap<u64, (Arc<str>, u64)>,
    facts: Vec<(Seen, Box<[u64]>)>,
    total: u64,
    /// Bytes of the texts.
    bytes: usize,
}

/// What the shares of a window come to.
pub(super) struct Odd {
    /// The facts that have a value whose share keeps the bounds; at least one.
    pub(super) facts: Vec<Seen>,
    /// The share that stands out most, in percent.
    pub(super) share: f64,
    /// Values whose share keeps the bounds, the first of them in order.
    pub(super) values: Vec<String>,
}

impl Shares {
    /// Adds facts; those for which there is no room are let go of.
    pub(super) fn add(&mut self, facts: &[Fact], out: &mut Out) {
        for fact in facts {
            let texts = fact.values.texts();
            if self.total as usize + texts.len() > NUMBERS_MAX {
                out.shed += texts.len() as u64;
                continue;
            }
            self.total += texts.len() as u64;
            let count = |text: &Arc<str>| {
                let value = digest(text);
                let known = self.values.entry(value).or_insert_with(|| {
                    self.bytes += text.len() + 64;
                    (text.clone(), 0)
                });
                known.1 += 1;
                value
            };
            let values = texts.iter().map(count).collect();
            self.facts.push((Seen::of(fact), values));
        }
    }

    /// The facts with a value whose share keeps the bounds, if there are any.
    pub(super) fn odd(self, limits: &Limits) -> Option<Odd> {
        let Shares { mut values, facts, total, .. } = self;
        values.retain(|_, (_, count)| limits.keep(i128::from(*count) * 100 * ONE, i128::from(total)));
        let counts = values.values().map(|(_, count)| *count);
        let count = if limits.is_from_below() { counts.max()? } else { counts.min()? };
        let is_odd =
            |(seen, own): (Seen, Box<[u64]>)| own.iter().any(|value| values.contains_key(value)).then_some(seen);
        let facts = facts.into_iter().filter_map(is_odd).collect();
        let mut shown: Vec<String> = values.values().map(|(text, _)| text.to_string()).collect();
        shown.sort_unstable();
        shown.truncate(SHOWN_MAX);
        Some(Odd { facts, share: readable(i128::from(count) * 100 * ONE, i128::from(total)), values: shown })
    }

    /// The greatest share of one value, in percent.
    pub(super) fn greatest(&self) -> Option<f64> {
        let count = self.values.values().map(|(_, count)| *count).max()?;
        Some(readable(i128::from(count) * 100 * ONE, i128::from(self.total)))
    }

    /// Bytes on the heap, roughly.
    pub(super) fn heap_bytes(&self) -> usize {
        self.bytes + self.facts.capacity() * (size_of::<Seen>() + 16) + self.total as usize * 8
    }
}
