//! All groups of all correlations: slots in small chunks, each of which is copied before it changes while a snapshot still holds it, and an
//! index by key that no snapshot needs.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use foldhash::quality::FixedState;
use hashbrown::HashTable;
use model::Lane;

use super::any::AnyState;
use super::group::Group;
use super::still::Still;

/// So few slots that copying the chunks that one batch touches is quick.
const CHUNK: usize = 64;

/// Where a group stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct GroupRef(u32);

/// A group with its key, in use.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The correlation.
    pub of: u32,
    pub lane: Lane,
    /// The values of the group, as [`super::read::push_text`] writes each.
    pub key: Box<[u8]>,
    pub group: Group<AnyState>,
    /// The second for which its timer is set.
    pub armed: Option<i64>,
    /// Does it stand on the list of those to judge?
    pub is_listed: bool,
    /// Bytes, as they were counted last.
    pub bytes: usize,
}

/// A place for a group.
#[derive(Clone, Debug, Default)]
pub(super) enum Slot {
    #[default]
    Free,
    /// In use.
    Live(Arc<Entry>),
    /// Written down until something of it changes: most groups are small and rarely looked at.
    Still(Still),
}

impl Slot {
    fn is_of(&self, of: u32, lane: Lane, key: &[u8]) -> bool {
        match self {
            Slot::Free => false,
            Slot::Live(entry) => entry.of == of && entry.lane == lane && *entry.key == *key,
            Slot::Still(still) => still.of_correlation() == of && still.lane() == lane && still.key() == key,
        }
    }

    /// The correlation, if there is a group.
    pub fn of(&self) -> Option<u32> {
        match self {
            Slot::Free => None,
            Slot::Live(entry) => Some(entry.of),
            Slot::Still(still) => Some(still.of_correlation()),
        }
    }

    /// How many facts the group was given.
    pub fn seen(&self) -> u32 {
        match self {
            Slot::Free => 0,
            Slot::Live(entry) => entry.group.seen,
            Slot::Still(still) => still.seen(),
        }
    }

    /// The second for which the timer of the group is set.
    pub fn armed(&self) -> Option<i64> {
        match self {
            Slot::Free => None,
            Slot::Live(entry) => entry.armed,
            Slot::Still(still) => still.armed(),
        }
    }
}

/// What the index has of a group.
#[derive(Clone, Copy, Debug)]
struct Known {
    hash: u32,
    slot: u32,
}

impl Known {
    /// The bits of half a hash, spread again, since the index looks at the ends of it.
    fn spread(hash: u32) -> u64 {
        u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// The table.
#[derive(Debug)]
pub(super) struct Table {
    slots: Slots,
    index: HashTable<Known>,
    free: Vec<u32>,
    state: FixedState,
    /// Room to write groups down.
    written: Vec<u8>,
}

/// The slots alone, as a snapshot has them.
#[derive(Clone, Debug, Default)]
pub(super) struct Slots {
    chunks: Vec<Arc<[Slot; CHUNK]>>,
    /// Slots that were ever used.
    len: u32,
}

impl Slots {
    fn get(&self, slot: u32) -> Option<&Slot> {
        self.chunks.get(slot as usize / CHUNK)?.get(slot as usize % CHUNK)
    }

    fn get_mut(&mut self, slot: u32) -> Option<&mut Slot> {
        Arc::make_mut(self.chunks.get_mut(slot as usize / CHUNK)?).get_mut(slot as usize % CHUNK)
    }

    /// Adds an empty slot at the end.
    fn grow(&mut self) -> u32 {
        if self.len as usize == self.chunks.len() * CHUNK {
            self.chunks.push(Arc::new([const { Slot::Free }; CHUNK]));
        }
        self.len += 1;
        self.len - 1
    }

    /// Every slot, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }
}

impl Table {
    pub fn new(seed: u64) -> Table {
        Table {
            slots: Slots::default(),
            index: HashTable::new(),
            free: Vec::new(),
            state: FixedState::with_seed(seed),
            written: Vec::new(),
        }
    }

    fn hash(&self, of: u32, lane: Lane, key: &[u8]) -> u32 {
        let mut hasher = self.state.build_hasher();
        hasher.write_u32(of);
        hasher.write_u8(lane as u8);
        hasher.write(key);
        hasher.finish() as u32
    }

    fn look_up(&self, hash: u32, of: u32, lane: Lane, key: &[u8]) -> Option<GroupRef> {
        let is_it = |known: &Known| {
            known.hash == hash && self.slots.get(known.slot).is_some_and(|slot| slot.is_of(of, lane, key))
        };
        self.index.find(Known::spread(hash), is_it).map(|known| GroupRef(known.slot))
    }

    /// The group of a key, if there is one.
    pub fn find(&self, of: u32, lane: Lane, key: &[u8]) -> Option<GroupRef> {
        self.look_up(self.hash(of, lane, key), of, lane, key)
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
        if let Some(at) = self.look_up(hash, of, lane, key) {
            return (at, false);
        }
        let entry = Entry { of, lane, key: key.into(), group: make(), armed: None, is_listed: false, bytes: 0 };
        (self.insert(hash, Slot::Live(Arc::new(entry))), true)
    }

    fn insert(&mut self, hash: u32, content: Slot) -> GroupRef {
        let slot = self.free.pop().unwrap_or_else(|| self.slots.grow());
        if let Some(empty) = self.slots.get_mut(slot) {
            *empty = content;
        }
        self.index.insert_unique(Known::spread(hash), Known { hash, slot }, |known| Known::spread(known.hash));
        GroupRef(slot)
    }

    /// Puts a group that was written down back. One of which something is told stays in use.
    pub fn restore(&mut self, still: Still, entry: Entry) -> GroupRef {
        let is_open = entry.group.open().next().is_some();
        let hash = self.hash(entry.of, entry.lane, &entry.key);
        self.insert(hash, if is_open { Slot::Live(Arc::new(entry)) } else { Slot::Still(still) })
    }

    /// What stands at a place.
    pub fn slot(&self, at: GroupRef) -> &Slot {
        self.slots.get(at.0).unwrap_or(&Slot::Free)
    }

    /// A group to be changed. One that was written down is read first; `thawed` is told of it.
    pub fn get_mut(&mut self, at: GroupRef, thawed: &mut dyn FnMut(&Entry)) -> Option<&mut Entry> {
        let slot = self.slots.get_mut(at.0)?;
        if let Slot::Still(still) = slot {
            let entry = still.read();
            thawed(&entry);
            *slot = Slot::Live(Arc::new(entry));
        }
        match slot {
            Slot::Live(entry) => Some(Arc::make_mut(entry)),
            _ => None,
        }
    }

    /// Looks at what the groups in use are judged by, so that it is at hand; the number stands for what was seen.
    pub fn look_at(&self, groups: &[GroupRef]) -> usize {
        let live = groups.iter().filter_map(|group| match self.slot(*group) {
            Slot::Live(entry) => Some(entry.group.look_at()),
            _ => None,
        });
        live.fold(0, usize::wrapping_add)
    }

    /// Writes a group down until something of it changes.
    pub fn still(&mut self, at: GroupRef) {
        if let Some(slot) = self.slots.get_mut(at.0)
            && let Slot::Live(entry) = slot
        {
            *slot = Slot::Still(Still::of(entry, &mut self.written));
        }
    }

    /// Forgets a group.
    pub fn remove(&mut self, at: GroupRef) -> Slot {
        let hash = match self.slot(at) {
            Slot::Free => return Slot::Free,
            Slot::Live(entry) => self.hash(entry.of, entry.lane, &entry.key),
            Slot::Still(still) => self.hash(still.of_correlation(), still.lane(), still.key()),
        };
        if let Ok(known) = self.index.find_entry(Known::spread(hash), |known| known.slot == at.0) {
            known.remove();
        }
        self.free.push(at.0);
        self.slots.get_mut(at.0).map(std::mem::take).unwrap_or_default()
    }

    /// Of up to `sample` groups of a correlation near `at`, the one that was given the fewest facts; never `at` itself.
    pub fn least(&self, at: GroupRef, of: u32, sample: usize) -> Option<GroupRef> {
        let count = self.slots.len as usize;
        let near = (1..count).map(|step| ((at.0 as usize + step) % count) as u32);
        let known = near.filter_map(|slot| self.slots.get(slot).map(|content| (slot, content)));
        let own = known.filter(|(_, content)| content.of() == Some(of));
        let least = own.take(sample).min_by_key(|(_, content)| content.seen());
        least.map(|(slot, _)| GroupRef(slot))
    }

    /// The places of all groups of a correlation, in no particular order.
    pub fn places_of(&self, of: u32) -> Vec<GroupRef> {
        let slots = self.slots.iter().zip(0..);
        slots.filter(|(slot, _)| slot.of() == Some(of)).map(|(_, at)| GroupRef(at)).collect()
    }

    /// The groups in use, in no particular order.
    pub fn live(&self) -> impl Iterator<Item = (GroupRef, &Entry)> {
        self.slots.iter().zip(0..).filter_map(|(slot, at)| match slot {
            Slot::Live(entry) => Some((GroupRef(at), &**entry)),
            _ => None,
        })
    }

    /// Every slot.
    pub fn slots(&self) -> &Slots {
        &self.slots
    }
}
