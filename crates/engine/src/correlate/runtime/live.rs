//! Where a correlation stands right now, for a person who asks.

use std::borrow::Cow;

use model::Lane;

use super::correlator::Correlator;
use super::table::Slot;
use crate::correlate::{Episode, Fact, Measure};

/// Is a group with these fields and values asked for?
pub type Wanted<'a> = dyn Fn(&[(String, String)]) -> bool + 'a;

/// One group, as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Live {
    /// Why its events are on the line.
    pub lane: Lane,
    /// Its fields with their values.
    pub group: Vec<(String, String)>,
    /// How many facts it was given since it began.
    pub seen: u32,
    /// What is measured now, with all facts that have come.
    pub reading: Option<Measure>,
    /// Episodes that were told and are not over.
    pub open: Vec<Episode>,
    /// Facts that a late one may still change, in order of time.
    pub pending: Vec<Fact>,
}

impl Correlator {
    /// The groups of a correlation that `is_wanted` takes, in order, at most `most` of them.
    pub fn live(&self, of: usize, is_wanted: &Wanted<'_>, most: usize) -> Vec<Live> {
        let operator = &self.plans.plans[of].operator;
        let mut found: Vec<Live> = Vec::new();
        for slot in self.table.slots().iter().filter(|slot| slot.of() == Some(of as u32)) {
            let entry = match slot {
                Slot::Free => continue,
                Slot::Live(entry) => Cow::Borrowed(&**entry),
                Slot::Still(still) => Cow::Owned(still.read()),
            };
            let group = self.group_of(of, &entry.key);
            if !is_wanted(&group) {
                continue;
            }
            let frontier = self.frontiers[self.place(entry.lane, of)];
            let pending = entry.group.pending().iter().filter(|fact| fact.time.micros() > frontier);
            found.push(Live {
                lane: entry.lane,
                group,
                seen: entry.group.seen,
                reading: entry.group.reading(operator),
                open: entry.group.open().cloned().collect(),
                pending: pending.cloned().collect(),
            });
            // Those that come first are kept, whatever the order of the table.
            if found.len() > 2 * most {
                sort_and_cut(&mut found, most);
            }
        }
        sort_and_cut(&mut found, most);
        found
    }
}

fn sort_and_cut(found: &mut Vec<Live>, most: usize) {
    found.sort_by(|a, b| (a.lane, &a.group).cmp(&(b.lane, &b.group)));
    found.truncate(most);
}
