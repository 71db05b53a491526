//! Discovery: things that telemetry shows and the inventory does not know.
//!
//! In: events. Out: what was seen of each such thing, added up ([`Discovered`]). Nothing is accepted: a person puts it into the inventory, or
//! dismisses it. Only kinds of which the inventory has things are looked for, and of a source only the fields that its entities of these
//! kinds are read from. What these fields said once is remembered, so a value that was seen before costs one look-up.
//! Bound: [`KNOWN_MAX`] remembered values and [`SLOTS_MAX`] things a thread, [`DISCOVERED_MAX`] things together; what has no room is counted.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use model::{Entity, EntityKind, EventId, SourceId, Time};
use rustc_hash::FxHashMap;

use super::asset::AssetKind;
use super::enrich::Context;
use crate::event::Event;
use crate::record::Record;
use crate::source::reading::Reader;

/// Values that a thread remembers; where there are more, all are forgotten.
const KNOWN_MAX: usize = 8192;
/// The longest remembered value, bytes.
const KEY_MAX: usize = 1024;
/// Unknown things that a thread counts until it is asked.
const SLOTS_MAX: usize = 8192;
/// Unknown things that are kept together.
pub const DISCOVERED_MAX: usize = 10_000;
/// Bytes of a thing's name; longer ones are left out.
pub const NAME_BYTES_MAX: usize = 512;
/// Sources that are told of one thing.
pub const SOURCES_MAX: usize = 8;
/// How a source that taps servers of the Model Context Protocol names them.
const MCP_PREFIX: &str = "mcp/";

/// What was seen of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Event time of the first sighting.
    pub first: Time,
    /// Event time of the latest.
    pub last: Time,
    /// In how many events.
    pub count: u64,
    /// Sources that showed it, [`SOURCES_MAX`] at most.
    pub sources: BTreeSet<SourceId>,
    /// One event that shows it.
    pub example: EventId,
}

/// Things that were seen and are not known, by kind and name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discovered {
    /// What was seen of each.
    pub things: BTreeMap<(AssetKind, String), Seen>,
    /// Sightings of things that there was no room for.
    pub left_out: u64,
}

impl Discovered {
    /// Was nothing seen?
    pub fn is_empty(&self) -> bool {
        self.things.is_empty() && self.left_out == 0
    }

    /// Adds what was seen elsewhere.
    pub fn merge(&mut self, other: Discovered) {
        self.left_out += other.left_out;
        for ((kind, name), seen) in other.things {
            self.add(kind, name, seen);
        }
    }

    fn add(&mut self, kind: AssetKind, name: String, seen: Seen) {
        let has_room = self.things.len() < DISCOVERED_MAX;
        match self.things.entry((kind, name)) {
            Entry::Occupied(mut known) => known.get_mut().merge(seen),
            Entry::Vacant(place) if has_room => {
                place.insert(seen);
            }
            Entry::Vacant(_) => self.left_out += seen.count,
        }
    }
}

impl Seen {
    /// Adds later, or earlier, sightings of the same thing; the example stays.
    pub fn merge(&mut self, other: Seen) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.count += other.count;
        self.sources.extend(other.sources);
        while self.sources.len() > SOURCES_MAX {
            self.sources.pop_last();
        }
    }
}

impl AssetKind {
    /// The kind as which an entity of telemetry is proposed; `None` for what comes and goes, or may be many kinds of thing.
    pub fn proposed(entity: EntityKind, key: &str) -> Option<AssetKind> {
        match entity {
            EntityKind::Endpoint if key.starts_with(MCP_PREFIX) => Some(AssetKind::McpServer),
            other => AssetKind::of_entity(other),
        }
    }
}

/// How a source's records show things of the kinds that the inventory keeps.
#[derive(Debug, Default)]
pub(crate) struct Finder {
    /// Tells sources apart.
    source: Box<[u8]>,
    readers: Vec<(EntityKind, Vec<Reader>)>,
}

impl Finder {
    /// Of these readers those whose kinds `context` keeps.
    pub(crate) fn new(source: &SourceId, readers: &[(EntityKind, Vec<Reader>)], context: &Context) -> Finder {
        let kept = |kind: EntityKind| {
            let is_mcp = kind == EntityKind::Endpoint && context.kept().contains(&AssetKind::McpServer);
            is_mcp || AssetKind::of_entity(kind).is_some_and(|kind| context.kept().contains(&kind))
        };
        let readers = readers.iter().filter(|(kind, _)| kept(*kind)).cloned().collect();
        Finder { source: source.as_str().as_bytes().into(), readers }
    }

    /// Is there nothing to look for?
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.readers.is_empty()
    }
}

/// What a thread saw until it is asked.
#[derive(Debug, Default)]
pub(crate) struct Discovery {
    /// What fields said, with the slots of the things that they name and the inventory does not know.
    known: FxHashMap<Box<[u8]>, Box<[u32]>>,
    places: FxHashMap<(AssetKind, Box<[u8]>, String), u32>,
    slots: Vec<Slot>,
    /// Slots with sightings that were not handed out.
    touched: Vec<u32>,
    left_out: u64,
    key: Vec<u8>,
}

#[derive(Debug)]
struct Slot {
    kind: AssetKind,
    name: String,
    seen: Seen,
}

/// In place of a slot where there was no room.
const NO_ROOM: u32 = u32::MAX;

impl Discovery {
    /// Notes what the event shows and `context` does not know.
    pub(crate) fn note(&mut self, finder: &Finder, context: &Context, event: &Event<'_>) {
        for (kind, readers) in &finder.readers {
            let record = event.record();
            self.key.clear();
            self.key.extend_from_slice(&finder.source);
            self.key.extend_from_slice(kind.as_str().as_bytes());
            let mut is_there = false;
            for (at, reader) in readers.iter().enumerate() {
                self.key.push(at as u8);
                is_there |= reader.mark(&record, &mut self.key);
            }
            if !is_there {
                continue;
            }
            if let Some(slots) = self.known.get(&self.key[..]) {
                if !slots.is_empty() {
                    let slots = slots.clone();
                    self.count(&slots, event);
                }
                continue;
            }
            let slots = self.read(finder, (*kind, readers), &record, context, event);
            self.count(&slots, event);
            self.remember(slots);
        }
    }

    fn remember(&mut self, slots: Box<[u32]>) {
        if self.key.len() > KEY_MAX {
            return;
        }
        if self.known.len() >= KNOWN_MAX {
            self.known.clear();
        }
        self.known.insert(self.key[..].into(), slots);
    }

    fn read(
        &mut self,
        finder: &Finder,
        (kind, readers): (EntityKind, &[Reader]),
        record: &Record<'_>,
        context: &Context,
        event: &Event<'_>,
    ) -> Box<[u32]> {
        let mut names = Vec::new();
        readers.iter().for_each(|reader| reader.each(record, &mut |name| names.push(name)));
        names.sort_unstable();
        names.dedup();
        let mut slots = Vec::new();
        for key in names {
            let Some(asset) = AssetKind::proposed(kind, &key).filter(|kind| context.kept().contains(kind)) else {
                continue;
            };
            let entity = Entity { kind, key };
            if !context.knows(&entity) {
                slots.push(self.slot(asset, &finder.source, entity.key, event));
            }
        }
        slots.into()
    }

    fn slot(&mut self, kind: AssetKind, source: &[u8], name: String, event: &Event<'_>) -> u32 {
        if name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
            return NO_ROOM;
        }
        let place = (kind, source.into(), name);
        if let Some(slot) = self.places.get(&place) {
            return *slot;
        }
        if self.slots.len() >= SLOTS_MAX {
            return NO_ROOM;
        }
        let slot = self.slots.len() as u32;
        let (at, sources) = (event.time().min(event.received()), [event.source().id.clone()].into());
        let seen = Seen { first: at, last: at, count: 0, sources, example: event.id() };
        self.slots.push(Slot { kind, name: place.2.clone(), seen });
        self.places.insert(place, slot);
        slot
    }

    fn count(&mut self, slots: &[u32], event: &Event<'_>) {
        // A time behind its receipt, from a wrong clock, must not be the latest for ever.
        let at = event.time().min(event.received());
        for slot in slots {
            let Some(Slot { seen, .. }) = self.slots.get_mut(*slot as usize) else {
                self.left_out += 1;
                continue;
            };
            if seen.count == 0 {
                (seen.first, seen.last, seen.example) = (at, at, event.id());
                self.touched.push(*slot);
            }
            seen.count += 1;
            (seen.first, seen.last) = (seen.first.min(at), seen.last.max(at));
        }
    }

    /// What was seen since it was last asked.
    pub(crate) fn take(&mut self) -> Discovered {
        let mut taken = Discovered { left_out: std::mem::take(&mut self.left_out), ..Discovered::default() };
        for slot in self.touched.drain(..) {
            let slot = &mut self.slots[slot as usize];
            taken.add(slot.kind, slot.name.clone(), slot.seen.clone());
            slot.seen.count = 0;
        }
        if self.slots.len() >= SLOTS_MAX / 2 {
            self.slots.clear();
            self.places.clear();
            self.known.clear();
        }
        taken
    }
}
