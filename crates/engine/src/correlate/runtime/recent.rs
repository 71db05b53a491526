//! Events whose facts may still change: each is one event however often its record comes.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{EventId, Lane, Time};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::table::GroupRef;
use super::timers::Timers;

const SHARDS: usize = 256;

/// The groups of one event: nearly always one.
pub(super) type Groups = SmallVec<[GroupRef; 2]>;

/// An event on its lane.
pub(super) type Id = (Lane, EventId);

/// One record of an event: of several, the least counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Copy {
    /// When it says that it happened.
    pub time: Time,
    /// Stands for what it says.
    pub rank: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Known {
    pub copy: Copy,
    /// Groups with a fact of it.
    pub groups: Groups,
}

/// The events above the frontier.
#[derive(Clone, Debug)]
pub(super) struct Recent {
    shards: Vec<Arc<FxHashMap<Id, Known>>>,
    seconds: BTreeMap<i64, Vec<Id>>,
}

impl Default for Recent {
    fn default() -> Recent {
        Recent { shards: vec![Arc::default(); SHARDS], seconds: BTreeMap::new() }
    }
}

fn shard((_, id): Id) -> usize {
    usize::from(id.as_bytes()[0])
}

impl Recent {
    pub fn get(&self, id: Id) -> Option<&Known> {
        self.shards[shard(id)].get(&id)
    }

    /// Notes what is known of an event from now on.
    pub fn set(&mut self, id: Id, known: Known) {
        let second = Timers::second(known.copy.time);
        if self.get(id).is_none_or(|before| Timers::second(before.copy.time) != second) {
            self.seconds.entry(second).or_default().push(id);
        }
        Arc::make_mut(&mut self.shards[shard(id)]).insert(id, known);
    }

    /// Forgets the events up to the frontier, microseconds.
    pub fn forget(&mut self, frontier: i64) {
        let edge = frontier.saturating_add(1).div_euclid(1_000_000);
        let later = self.seconds.split_off(&edge);
        for (second, ids) in std::mem::replace(&mut self.seconds, later) {
            for id in ids {
                let shard = &mut self.shards[shard(id)];
                if shard.get(&id).is_some_and(|known| Timers::second(known.copy.time) == second) {
                    Arc::make_mut(shard).remove(&id);
                }
            }
        }
    }

    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.len()).sum()
    }

    /// Every event, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (Id, Copy)> {
        self.shards.iter().flat_map(|shard| shard.iter().map(|(id, known)| (*id, known.copy)))
    }
}
