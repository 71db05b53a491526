//! Events whose facts may still change: each is one event however often its record comes.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use foldhash::quality::FixedState;
use hashbrown::HashTable;
use model::{EventId, Lane, Time};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::table::GroupRef;
use super::timers::Timers;

/// So few events that copying the chunks that one batch touches is quick.
const CHUNK: usize = 256;

/// The groups of one event: nearly always one.
pub(super) type Groups = SmallVec<[GroupRef; 4]>;

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

/// An event with half of the hash of its id.
#[derive(Clone, Debug)]
struct Kept {
    hash: u32,
    id: Id,
    known: Known,
}

/// Events in chunks that a snapshot shares; none where there is room.
type Chunks = Vec<Arc<[Option<Kept>; CHUNK]>>;

/// What the index has of an event: half of its hash, and its place.
#[derive(Clone, Copy, Debug)]
struct Place {
    hash: u32,
    at: u32,
}

impl Place {
    fn spread(hash: u32) -> u64 {
        u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// The events above the frontier.
#[derive(Debug)]
pub(super) struct Recent {
    chunks: Chunks,
    index: HashTable<Place>,
    free: Vec<u32>,
    /// The places of events by the second of their time.
    seconds: BTreeMap<i64, Vec<u32>>,
    state: FixedState,
}

/// The events alone, as a snapshot has them.
#[derive(Debug)]
pub(super) struct Events(Chunks);

impl Recent {
    pub fn new(seed: u64) -> Recent {
        Recent {
            chunks: Vec::new(),
            index: HashTable::new(),
            free: Vec::new(),
            seconds: BTreeMap::new(),
            state: FixedState::with_seed(seed),
        }
    }

    fn hash(&self, (lane, id): Id) -> u32 {
        let mut hasher = self.state.build_hasher();
        hasher.write_u8(lane as u8);
        hasher.write(id.as_bytes());
        hasher.finish() as u32
    }

    fn at(&self, at: u32) -> Option<&Kept> {
        self.chunks.get(at as usize / CHUNK)?.get(at as usize % CHUNK)?.as_ref()
    }

    fn find(&self, hash: u32, id: Id) -> Option<u32> {
        let is_it = |place: &Place| place.hash == hash && self.at(place.at).is_some_and(|kept| kept.id == id);
        self.index.find(Place::spread(hash), is_it).map(|place| place.at)
    }

    pub fn get(&self, id: Id) -> Option<&Known> {
        self.at(self.find(self.hash(id), id)?).map(|kept| &kept.known)
    }

    /// How many of these events it knows. To ask for all of a batch at once costs less than one after the other: what each reads of memory does not wait
    /// for what the one before does, and is at hand when they are asked for alone.
    pub fn count(&self, ids: impl Iterator<Item = Id>) -> usize {
        ids.filter(|id| self.find(self.hash(*id), *id).is_some()).count()
    }

    /// Notes what is known of an event from now on.
    pub fn set(&mut self, id: Id, known: Known) {
        let Some(at) = self.find(self.hash(id), id) else { return self.add(id, known) };
        let second = Timers::second(known.copy.time);
        let Some(Kept { hash, known: before, .. }) = self.at(at) else { return };
        let hash = *hash;
        if Timers::second(before.copy.time) != second {
            self.seconds.entry(second).or_default().push(at);
        }
        self.put(at, Some(Kept { hash, id, known }));
    }

    /// Notes what is known of an event that is not there.
    pub fn add(&mut self, id: Id, known: Known) {
        let (hash, second) = (self.hash(id), Timers::second(known.copy.time));
        let at = self.free.pop().unwrap_or_else(|| self.grow());
        self.put(at, Some(Kept { hash, id, known }));
        self.index.insert_unique(Place::spread(hash), Place { hash, at }, |place| Place::spread(place.hash));
        self.seconds.entry(second).or_default().push(at);
    }

    fn put(&mut self, at: u32, content: Option<Kept>) {
        if let Some(chunk) = self.chunks.get_mut(at as usize / CHUNK) {
            Arc::make_mut(chunk)[at as usize % CHUNK] = content;
        }
    }

    /// Adds a chunk, and gives the first place of it.
    fn grow(&mut self) -> u32 {
        let first = (self.chunks.len() * CHUNK) as u32;
        self.chunks.push(Arc::new([const { None }; CHUNK]));
        self.free.extend((first + 1..first + CHUNK as u32).rev());
        first
    }

    /// Forgets the events up to the frontier, microseconds.
    pub fn forget(&mut self, frontier: i64) {
        let edge = frontier.saturating_add(1).div_euclid(1_000_000);
        if self.seconds.first_key_value().is_none_or(|(second, _)| *second >= edge) {
            return;
        }
        let later = self.seconds.split_off(&edge);
        for (second, mut places) in std::mem::replace(&mut self.seconds, later) {
            // A place may have been given to another event since, or the event may count by an earlier record.
            places.retain(|at| self.at(*at).is_some_and(|kept| Timers::second(kept.known.copy.time) == second));
            for at in &places {
                let hash = self.at(*at).map(|kept| kept.hash);
                let found = self.index.find_entry(Place::spread(hash.unwrap_or_default()), |place| place.at == *at);
                found.map(|place| place.remove()).ok();
            }
            // Events that came one after the other stand in one chunk, which is made ready to be changed once.
            for near in places.chunk_by(|a, b| *a as usize / CHUNK == *b as usize / CHUNK) {
                let Some(chunk) = self.chunks.get_mut(near[0] as usize / CHUNK).map(Arc::make_mut) else { continue };
                // One that went to another second and came back stands there twice.
                self.free.extend(near.iter().filter(|at| chunk[**at as usize % CHUNK].take().is_some()));
            }
        }
    }

    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// The events for a snapshot.
    pub fn events(&self) -> Events {
        Events(self.chunks.clone())
    }
}

impl Events {
    /// Every event, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (Id, Copy)> {
        let all = self.0.iter().flat_map(|chunk| chunk.iter().flatten());
        all.map(|kept| (kept.id, kept.known.copy))
    }
}
