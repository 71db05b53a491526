//! The sum of amounts over a sliding window.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::super::Out;
use super::recent::Room;

/// Instants that one group keeps.
pub(super) const INSTANTS_MAX: usize = 65_536;

/// Amounts that are not negative, one for each instant, in order of time.
///
/// Where there are more than [`INSTANTS_MAX`], those of each small part of the time span become one of the latest time, so that a sum is at worst
/// too great by what is just leaving the window.
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

    /// Adds the amount of an instant that is no earlier than any other; `span` is the time span, microseconds.
    pub(super) fn add(&mut self, at: i64, amount: i128, span: i64, out: &mut Out) {
        if amount == 0 {
            return;
        }
        self.total = self.total.saturating_add(amount);
        if let Some((_, last)) = self.amounts.back_mut().filter(|(time, _)| *time == at) {
            *last = last.saturating_add(amount);
            return;
        }
        if self.amounts.len() >= INSTANTS_MAX {
            self.coarsen(Room { most: INSTANTS_MAX, span }, out);
        }
        if self.amounts.is_empty() {
            self.amounts.reserve_exact(1);
        }
        self.amounts.push_back((at, amount));
    }

    fn coarsen(&mut self, room: Room, out: &mut Out) {
        let before = self.amounts.len();
        let mut coarse: VecDeque<(i64, i128)> = VecDeque::with_capacity(before);
        for (time, amount) in self.amounts.drain(..) {
            match coarse.back_mut().filter(|(last, _)| room.part(*last) == room.part(time)) {
                Some(last) => *last = (time, last.1.saturating_add(amount)),
                None => coarse.push_back((time, amount)),
            }
        }
        out.shed += (before - coarse.len()) as u64;
        self.amounts = coarse;
    }

    /// Bytes on the heap, roughly.
    pub(super) fn heap_bytes(&self) -> usize {
        self.amounts.capacity() * size_of::<(i64, i128)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_left_the_window_counts_no_more_and_what_is_not_needed_is_not_kept() {
        let (mut sums, mut out) = (Sums::default(), Out::default());
        for at in 0..10 {
            sums.add(at, 2, 10, &mut out);
            sums.add(at, 1, 10, &mut out);
        }
        assert_eq!((sums.total(), sums.amounts.len()), (30, 10));
        sums.forget_before(4);
        assert_eq!(sums.total(), 18);
        sums.keep(7);
        assert_eq!((sums.total(), sums.amounts.len()), (9, 3));
        sums.add(10, 0, 10, &mut out);
        assert_eq!((sums.amounts.len(), out.shed), (3, 0));
    }

    #[test]
    fn too_many_instants_become_coarser_and_lose_nothing_that_is_in_the_window() {
        let (mut sums, mut out) = (Sums::default(), Out::default());
        let span = 4 * INSTANTS_MAX as i64;
        for at in 0..3 * span {
            sums.forget_before(at - span);
            sums.add(at, 1, span, &mut out);
            assert!(sums.amounts.len() <= INSTANTS_MAX);
            // A part is sixteen moments long.
            let too_many = sums.total() - i128::from((at + 1).min(span + 1));
            assert!((0..16).contains(&too_many), "{too_many} at {at}");
        }
        assert!(out.shed > 0);
    }
}
