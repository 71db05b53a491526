//! The sum of amounts over a sliding window.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::super::Out;

/// Instants that one group keeps.
pub(super) const INSTANTS_MAX: usize = 65_536;

/// Amounts that are not negative, one for each instant, in order of time.
///
/// Where there are more than [`INSTANTS_MAX`], two that are neighbours become one of the later time, so that a sum is at worst too great by
/// what is just leaving the window.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Sums {
    amounts: VecDeque<(i64, i128)>,
    total: i128,
}

impl Sums {
    /// The sum of all amounts.
    pub(super) fn total(&self) -> i128 {
        self.total
    }

    /// Forgets what is earlier than `from`, microseconds.
    pub(super) fn forget_before(&mut self, from: i64) {
        while let Some((_, amount)) = self.amounts.front().filter(|(time, _)| *time < from) {
            self.total -= amount;
            self.amounts.pop_front();
        }
    }

    /// Forgets the earliest amounts without which the sum is still `enough`: no window that slides will need them.
    pub(super) fn keep(&mut self, enough: i128) {
        while let Some((_, amount)) = self.amounts.front().filter(|(_, amount)| self.total - amount >= enough) {
            self.total -= amount;
            self.amounts.pop_front();
        }
    }

    /// Adds the amount of an instant that is no earlier than any other.
    pub(super) fn add(&mut self, at: i64, amount: i128, out: &mut Out) {
        if amount == 0 {
            return;
        }
        self.total = self.total.saturating_add(amount);
        if let Some((_, last)) = self.amounts.back_mut().filter(|(time, _)| *time == at) {
            *last = last.saturating_add(amount);
            return;
        }
        if self.amounts.len() >= INSTANTS_MAX {
            self.coarsen(out);
        }
        if self.amounts.is_empty() {
            self.amounts.reserve_exact(1);
        }
        self.amounts.push_back((at, amount));
    }

    fn coarsen(&mut self, out: &mut Out) {
        let before = self.amounts.len();
        let all: Vec<(i64, i128)> = self.amounts.drain(..).collect();
        let join = |pair: &[(i64, i128)]| (pair[pair.len() - 1].0, pair.iter().map(|(_, amount)| amount).sum());
        self.amounts.extend(all.chunks(2).map(join));
        out.shed += (before - self.amounts.len()) as u64;
    }

    /// Bytes on the heap, roughly.
    pub(super) fn heap_bytes(&self) -> usize {
        self.amounts.capacity() * size_of::<(i64, i128)>()
    }
}
