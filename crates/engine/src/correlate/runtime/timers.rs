//! When groups must be looked at again, by the second.

use std::collections::BTreeMap;

use model::Time;

use super::table::GroupRef;

const WIDTH: i64 = 1_000_000;

/// Groups by the second at which something of theirs is due.
#[derive(Clone, Debug, Default)]
pub(super) struct Timers {
    seconds: BTreeMap<i64, Vec<GroupRef>>,
}

impl Timers {
    /// The second of a time.
    pub fn second(time: Time) -> i64 {
        time.micros().div_euclid(WIDTH)
    }

    pub fn arm(&mut self, second: i64, group: GroupRef) {
        self.seconds.entry(second).or_default().push(group);
    }

    /// The groups of which something may be due up to `frontier` (microseconds), with the second for which each was armed.
    pub fn due(&mut self, frontier: i64) -> Vec<(i64, GroupRef)> {
        let later = self.seconds.split_off(&(frontier.div_euclid(WIDTH) + 1));
        let due = std::mem::replace(&mut self.seconds, later);
        due.into_iter().flat_map(|(second, groups)| groups.into_iter().map(move |group| (second, group))).collect()
    }
}
