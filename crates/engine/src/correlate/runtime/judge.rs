//! Judges the groups in which something changed or is due, from the correlations beneath to those above.

use model::Lane;

use super::correlator::{Correlator, Statement};
use super::group::{Said, Verdict};
use super::plan::Correlations;
use super::table::{Entry, GroupRef, Slot};
use super::timers::Timers;

/// A group that holds more bytes stays as it is: writing it down and reading it again would cost more than it saves.
const STILL_MAX: usize = 4096;
/// Facts of one group after which its bytes are counted anew.
const COUNT_EVERY: u32 = 32;

impl Correlator {
    /// Judges what changed or is due in the groups of one correlation.
    pub(super) fn judge_one(&mut self, of: usize) {
        self.at_work = Some(of);
        let plans = self.plans.clone();
        for lane in Lane::ALL {
            let at = self.place(lane, of);
            for (second, group) in self.timers[at].due(self.frontiers[at]) {
                self.ring(of, group, second);
            }
        }
        let mut listed = std::mem::take(&mut self.listed[of]);
        // What each is judged by is fetched for all at once: one alone would be waited for.
        std::hint::black_box(self.table.look_at(&listed));
        for group in listed.drain(..) {
            self.judge(&plans, of, group, false);
        }
        // What occurs in groups feeds correlations above, never this one: the room is used again.
        if self.listed[of].is_empty() {
            self.listed[of] = listed;
        }
    }

    /// A timer has run out: the group is listed, unless the timer was that of another.
    fn ring(&mut self, of: usize, at: GroupRef, second: i64) {
        let slot = self.table.slot(at);
        if slot.of() != Some(of as u32) || slot.armed() != Some(second) {
            return;
        }
        let Some(entry) = self.group_mut(at) else { return };
        entry.armed = None;
        if !std::mem::replace(&mut entry.is_listed, true) {
            self.listed[of].push(at);
        }
    }

    /// A group to be changed.
    pub(super) fn group_mut(&mut self, at: GroupRef) -> Option<&mut Entry> {
        let pending = &mut self.pending;
        self.table.get_mut(at, &mut |entry| *pending += entry.group.pending().len())
    }

    /// Judges one group; where `is_all`, it takes the steps that the frontier has passed whether or not there is a need to.
    pub(super) fn judge(&mut self, plans: &Correlations, of: usize, at: GroupRef, is_all: bool) {
        let plan = &plans.plans[of];
        let waiting = &mut self.pending;
        let entry = self.table.get_mut(at, &mut |entry| *waiting += entry.group.pending().len());
        let Some(entry) = entry.filter(|entry| entry.of as usize == of) else { return };
        entry.is_listed = false;
        let place = entry.lane as usize * plans.plans.len() + of;
        let (frontier, before) = (self.frontiers[place], entry.group.pending().len());
        let verdict = match is_all {
            true => entry.group.catch_up(&plan.operator, frontier, plan.wants_held()),
            false => entry.group.judge(&plan.operator, frontier, plan.wants_held()),
        };
        *waiting = *waiting + entry.group.pending().len() - before;
        let counts = &mut self.counts.correlations[of];
        counts.shed += verdict.shed;
        if verdict.is_settled || entry.group.seen.is_multiple_of(COUNT_EVERY) || entry.bytes == 0 {
            let bytes = size_of::<Entry>() + entry.key.len() + entry.group.heap_bytes(&plan.operator);
            counts.bytes = (counts.bytes + bytes as u64).saturating_sub(entry.bytes as u64);
            entry.bytes = bytes;
        }
        let due = entry.group.due(&plan.operator).map(Timers::second);
        if let Some(second) = due.filter(|second| entry.armed.is_none_or(|armed| *second < armed)) {
            entry.armed = Some(second);
            self.timers[place].arm(second, at);
        }
        let is_idle = entry.group.is_idle(&plan.operator);
        let is_still = !is_idle && entry.bytes <= STILL_MAX && entry.group.is_still(frontier);
        if !verdict.said.is_empty() || !verdict.new.is_empty() || !verdict.gone.is_empty() {
            let (lane, key) = (entry.lane, entry.key.clone());
            self.tell(of, lane, &key, verdict);
        }
        if is_idle {
            self.forget_group(of, at);
        } else if is_still {
            self.write_down(of, at);
        }
    }

    /// Writes a group down until something of it changes. What waits in it counts with its bytes from then on.
    fn write_down(&mut self, of: usize, at: GroupRef) {
        let Slot::Live(entry) = self.table.slot(at) else { return };
        if entry.is_listed {
            return;
        }
        let before = entry.bytes;
        self.pending -= entry.group.pending().len();
        self.table.still(at);
        if let Slot::Still(still) = self.table.slot(at) {
            let counts = &mut self.counts.correlations[of];
            counts.bytes = (counts.bytes + still.heap_bytes() as u64).saturating_sub(before as u64);
        }
    }

    /// Nothing more comes: what a correlation told of what did not happen is closed.
    pub(super) fn stop_one(&mut self, of: usize) {
        let plans = self.plans.clone();
        let plan = &plans.plans[of];
        let open =
            self.table.live().filter(|(_, entry)| entry.of as usize == of && entry.group.open().next().is_some());
        let mut groups: Vec<(Lane, Box<[u8]>, GroupRef)> =
            open.map(|(at, entry)| (entry.lane, entry.key.clone(), at)).collect();
        groups.sort();
        for (lane, key, at) in groups {
            let Some(end) = self.clock.latest(lane) else { continue };
            self.judge(&plans, of, at, true);
            let Some(entry) = self.group_mut(at) else { continue };
            let verdict = entry.group.stop(&plan.operator, end, plan.wants_held());
            self.tell(of, lane, &key, verdict);
        }
    }

    fn forget_group(&mut self, of: usize, at: GroupRef) {
        let bytes = match self.table.remove(at) {
            Slot::Free => return,
            Slot::Live(entry) => {
                self.pending -= entry.group.pending().len();
                entry.bytes
            }
            Slot::Still(still) => still.heap_bytes(),
        };
        let counts = &mut self.counts.correlations[of];
        counts.groups -= 1;
        counts.bytes = counts.bytes.saturating_sub(bytes as u64);
    }

    /// Forgets a group with all that it has.
    pub(super) fn let_go(&mut self, at: GroupRef) {
        let slot = self.table.slot(at);
        let Some(of) = slot.of() else { return };
        self.counts.correlations[of as usize].lost += u64::from(slot.seen());
        self.forget_group(of as usize, at);
    }

    fn tell(&mut self, of: usize, lane: Lane, key: &[u8], verdict: Verdict) {
        let group = self.group_of(of, key);
        let Verdict { said, gone, new, shed: _, late_ms, is_settled: _ } = verdict;
        for occurred in &gone {
            self.undo(of, lane, key, &group, occurred);
        }
        for occurred in &new {
            self.occur((of, lane, key), &group, occurred, late_ms);
        }
        for Said { episode, standing, late_ms } in said {
            self.said.push(Statement { correlation: of, lane, group: group.clone(), episode, standing, late_ms });
        }
    }
}
