//! Judges the groups in which something changed or is due, from the correlations beneath to those above.

use model::Lane;

use super::correlator::{Correlator, Statement};
use super::group::{Said, Verdict};
use super::table::GroupRef;
use super::timers::Timers;

impl Correlator {
    /// Judges what changed or is due in the groups of one correlation.
    pub(super) fn judge_one(&mut self, of: usize) {
        self.at_work = Some(of);
        for lane in Lane::ALL {
            let at = self.place(lane, of);
            for (second, group) in self.timers[at].due(self.frontiers[at]) {
                self.ring(of, group, second);
            }
        }
        for group in std::mem::take(&mut self.listed[of]) {
            self.judge(of, group);
        }
    }

    /// A timer has run out: the group is listed, unless the timer was that of another.
    fn ring(&mut self, of: usize, at: GroupRef, second: i64) {
        let is_its = |entry: &super::table::Entry| entry.of as usize == of && entry.armed == Some(second);
        if !self.table.get(at).is_some_and(is_its) {
            return;
        }
        let entry = self.table.get_mut(at).expect("it is there, by the line above");
        entry.armed = None;
        if !std::mem::replace(&mut entry.is_listed, true) {
            self.listed[of].push(at);
        }
    }

    fn judge(&mut self, of: usize, at: GroupRef) {
        let plans = self.plans.clone();
        let plan = &plans.plans[of];
        let Some(entry) = self.table.get_mut(at).filter(|entry| entry.of as usize == of) else { return };
        entry.is_listed = false;
        let place = entry.lane as usize * plans.plans.len() + of;
        let before = entry.group.pending().len();
        let verdict = entry.group.judge(&plan.operator, self.frontiers[place], plan.wants_held());
        self.pending -= before - entry.group.pending().len();
        let bytes = size_of::<super::table::Entry>() + entry.key.len() + entry.group.heap_bytes(&plan.operator);
        let counts = &mut self.counts.correlations[of];
        counts.bytes = (counts.bytes + bytes as u64).saturating_sub(entry.bytes as u64);
        counts.shed += verdict.shed;
        entry.bytes = bytes;
        let due = entry.group.due(&plan.operator, plan.is_told_ahead).map(Timers::second);
        if let Some(second) = due.filter(|second| entry.armed.is_none_or(|armed| *second < armed)) {
            entry.armed = Some(second);
            self.timers[place].arm(second, at);
        }
        let is_idle = entry.group.is_idle(&plan.operator);
        if !verdict.said.is_empty() || !verdict.new.is_empty() || !verdict.gone.is_empty() {
            let (lane, key) = (entry.lane, entry.key.clone());
            self.tell(of, lane, &key, verdict);
        }
        if is_idle {
            self.forget_group(of, at);
        }
    }

    /// Nothing more comes: what a correlation told of what did not happen is closed.
    pub(super) fn stop_one(&mut self, of: usize) {
        let plans = self.plans.clone();
        let plan = &plans.plans[of];
        let groups =
            self.table.iter().filter(|(_, entry)| entry.of as usize == of && entry.group.open().next().is_some());
        let mut groups: Vec<(Lane, Box<[u8]>, GroupRef)> =
            groups.map(|(at, entry)| (entry.lane, entry.key.clone(), at)).collect();
        groups.sort();
        for (lane, key, at) in groups {
            let Some(end) = self.clock.latest(lane) else { continue };
            let Some(entry) = self.table.get_mut(at) else { continue };
            let verdict = entry.group.stop(&plan.operator, end, plan.wants_held());
            self.tell(of, lane, &key, verdict);
        }
    }

    fn forget_group(&mut self, of: usize, at: GroupRef) {
        let Some(entry) = self.table.remove(at) else { return };
        let counts = &mut self.counts.correlations[of];
        counts.groups -= 1;
        counts.bytes = counts.bytes.saturating_sub(entry.bytes as u64);
    }

    fn tell(&mut self, of: usize, lane: Lane, key: &[u8], verdict: Verdict) {
        let group = self.group_of(of, key);
        let Verdict { said, gone, new, shed: _, late_ms } = verdict;
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
