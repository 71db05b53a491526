//! All groups of all correlations: one table in many shards, each of which is copied before it changes while a snapshot still holds it.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use foldhash::quality::FixedState;
use hashbrown::HashTable;
use model::Lane;
use serde::{Deserialize, Serialize};

use super::any::AnyState;
use super::group::Group;

/// So many shards that copying those that one batch touches is quick, with a million groups.
const SHARD_BITS: u32 = 16;

/// Where a group stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct GroupRef {
    shard: u16,
    slot: u32,
}

/// A group with its key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The correlation.
    pub of: u32,
    pub lane: Lane,
    /// The values of the group, as [`super::read::push_text`] writes each.
    pub key: Box<[u8]>,
    pub group: Group<AnyState>,
    /// The second for which its timer is set.
    #[serde(skip)]
    pub armed: Option<i64>,
    /// Does it stand on the list of those to judge?
    #[serde(skip)]
    pub is_listed: bool,
    /// Bytes, as they were counted last.
    #[serde(skip)]
    pub bytes: usize,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Shard {
    index: HashTable<u32>,
    entries: Vec<Option<Entry>>,
    free: Vec<u32>,
}

/// The table.
#[derive(Clone, Debug)]
pub(super) struct Table {
    shards: Vec<Arc<Shard>>,
    state: FixedState,
}

impl Table {
    pub fn new(seed: u64) -> Table {
        let empty = Arc::new(Shard::default());
        Table { shards: vec![empty; 1 << SHARD_BITS], state: FixedState::with_seed(seed) }
    }

    fn hash(&self, of: u32, lane: Lane, key: &[u8]) -> u64 {
        let mut hasher = self.state.build_hasher();
        hasher.write_u32(of);
        hasher.write_u8(lane as u8);
        hasher.write(key);
        hasher.finish()
    }

    /// The group of a key, if there is one.
    pub fn find(&self, of: u32, lane: Lane, key: &[u8]) -> Option<GroupRef> {
        let hash = self.hash(of, lane, key);
        let shard = (hash >> (64 - SHARD_BITS)) as u16;
        let slot = self.shards[usize::from(shard)].find(hash, of, lane, key)?;
        Some(GroupRef { shard, slot })
    }

    /// The group of a key, made by `make` if it is new; says whether it is.
    pub fn entry(
        &mut self,
        of: u32,
        lane: Lane,
        key: &[u8],
        make: impl FnOnce() -> Group<AnyState>,
    ) -> (GroupRef, bool) {
        let hash = self.hash(of, lane, key);
        let shard = (hash >> (64 - SHARD_BITS)) as u16;
        if let Some(slot) = self.shards[usize::from(shard)].find(hash, of, lane, key) {
            return (GroupRef { shard, slot }, false);
        }
        let entry = Entry { of, lane, key: key.into(), group: make(), armed: None, is_listed: false, bytes: 0 };
        let state = self.state.clone();
        let rehash = |entry: &Entry| hash_of(&state, entry);
        let slot = Arc::make_mut(&mut self.shards[usize::from(shard)]).insert(hash, entry, &rehash);
        (GroupRef { shard, slot }, true)
    }

    pub fn get(&self, at: GroupRef) -> Option<&Entry> {
        self.shards[usize::from(at.shard)].entries.get(at.slot as usize)?.as_ref()
    }

    pub fn get_mut(&mut self, at: GroupRef) -> Option<&mut Entry> {
        let shard = &mut self.shards[usize::from(at.shard)];
        shard.entries.get(at.slot as usize)?.as_ref()?;
        Arc::make_mut(shard).entries[at.slot as usize].as_mut()
    }

    /// Forgets a group.
    pub fn remove(&mut self, at: GroupRef) -> Option<Entry> {
        self.get(at)?;
        let state = self.state.clone();
        Arc::make_mut(&mut self.shards[usize::from(at.shard)]).remove(at.slot, &|entry| hash_of(&state, entry))
    }

    /// Of up to `sample` groups of a correlation near `at`, the one that was given the fewest facts; never `at` itself.
    pub fn least(&self, at: GroupRef, of: u32, sample: usize) -> Option<GroupRef> {
        let shards = (0..self.shards.len()).map(|step| (usize::from(at.shard) + step) % self.shards.len());
        let groups = shards.flat_map(|shard| {
            let entries = self.shards[shard].entries.iter().enumerate();
            entries.filter_map(move |(slot, entry)| {
                let entry = entry.as_ref().filter(|entry| entry.of == of)?;
                Some((GroupRef { shard: shard as u16, slot: slot as u32 }, entry.group.seen))
            })
        });
        groups.filter(|(group, _)| *group != at).take(sample).min_by_key(|(_, seen)| *seen).map(|(group, _)| group)
    }

    /// Every group, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (GroupRef, &Entry)> {
        self.shards.iter().enumerate().flat_map(|(shard, content)| {
            let entries = content.entries.iter().enumerate();
            entries.filter_map(move |(slot, entry)| {
                Some((GroupRef { shard: shard as u16, slot: slot as u32 }, entry.as_ref()?))
            })
        })
    }

    /// Puts a group that was written down back.
    pub fn restore(&mut self, entry: Entry) -> GroupRef {
        let hash = hash_of(&self.state, &entry);
        let shard = (hash >> (64 - SHARD_BITS)) as u16;
        let state = self.state.clone();
        let slot =
            Arc::make_mut(&mut self.shards[usize::from(shard)]).insert(hash, entry, &|entry| hash_of(&state, entry));
        GroupRef { shard, slot }
    }
}

fn hash_of(state: &FixedState, entry: &Entry) -> u64 {
    let mut hasher = state.build_hasher();
    hasher.write_u32(entry.of);
    hasher.write_u8(entry.lane as u8);
    hasher.write(&entry.key);
    hasher.finish()
}

impl Shard {
    fn find(&self, hash: u64, of: u32, lane: Lane, key: &[u8]) -> Option<u32> {
        let is_it = |slot: &u32| {
            let entry = self.entries[*slot as usize].as_ref();
            entry.is_some_and(|entry| entry.of == of && entry.lane == lane && *entry.key == *key)
        };
        self.index.find(hash, is_it).copied()
    }

    fn insert(&mut self, hash: u64, entry: Entry, rehash: &dyn Fn(&Entry) -> u64) -> u32 {
        let slot = self.free.pop().unwrap_or(self.entries.len() as u32);
        match self.entries.get_mut(slot as usize) {
            Some(empty) => *empty = Some(entry),
            None => self.entries.push(Some(entry)),
        }
        let entries = &self.entries;
        let of_slot = |slot: &u32| entries[*slot as usize].as_ref().map_or(0, rehash);
        self.index.insert_unique(hash, slot, of_slot);
        slot
    }

    fn remove(&mut self, slot: u32, rehash: &dyn Fn(&Entry) -> u64) -> Option<Entry> {
        let entry = self.entries.get_mut(slot as usize)?.take()?;
        if let Ok(known) = self.index.find_entry(rehash(&entry), |known| *known == slot) {
            known.remove();
        }
        self.free.push(slot);
        Some(entry)
    }
}
