//! A correlator as bytes, and back.
//!
//! Shape: a magic word with a version, then blocks, each with its length: first what is one for all, then one for each group. Taking the copy
//! is quick: chunks of groups are shared, and copied when they change before they are written. Most groups stand there as they are written.

use std::io::{self, Read, Write};
use std::sync::Arc;

use model::Lane;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::clock::Clock;
use super::counts::AllCounts;
use super::plan::Correlations;
use super::recent::{Copy, Events, Groups, Id, Known};
use super::still::{self, Still};
use super::table::{Entry, Slot, Slots};
use super::who::Who;
use super::{Correlator, Options};
use crate::correlate::Matched;
use crate::identity::Graph;

const MAGIC: &[u8; 8] = b"WKCORR02";
/// A block is one group with its facts, or the head.
const BLOCK_MAX: usize = 1 << 30;

/// Why bytes are not a correlator.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// They cannot be read.
    #[error("the snapshot of correlations cannot be read: {0}")]
    Read(#[from] io::Error),
    /// They are no snapshot, or one of another version, or damaged.
    #[error("this is no snapshot of correlations that this program reads: {0}")]
    Unreadable(String),
}

/// A copy of a correlator at one moment, to be written down elsewhere.
#[derive(Debug)]
pub struct Snapshot {
    head: Head,
    slots: Slots,
    events: Events,
    graph: Option<Arc<Graph>>,
    waiting: Vec<Matched>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    /// Id and revision of each correlation.
    correlations: Vec<(String, String)>,
    clock: Clock,
    frontiers: Vec<i64>,
    counts: AllCounts,
    groups: u64,
    events: u64,
    /// Events that wait to learn who is behind them.
    waiting: u64,
    has_graph: bool,
}

/// A correlator from a snapshot, and what of it could not be kept.
#[derive(Debug)]
pub struct Restored {
    /// The correlator.
    pub correlator: Correlator,
    /// Correlations whose state was dropped, because they changed or are gone: by id.
    pub dropped: Vec<String>,
}

impl Correlator {
    /// A copy of this moment. Costs little; what changes before it is written is copied first.
    pub fn snapshot(&self) -> Snapshot {
        let graph = self.who.as_ref().map(|who| who.graph.clone());
        let waiting: Vec<Matched> = self.who.iter().flat_map(Who::waiting).cloned().collect();
        let head = Head {
            correlations: self.plans.identities(),
            clock: self.clock.clone(),
            frontiers: self.frontiers.clone(),
            counts: self.counts.clone(),
            groups: self.counts.correlations.iter().map(|counts| counts.groups).sum(),
            events: self.recent.len() as u64,
            waiting: waiting.len() as u64,
            has_graph: graph.is_some(),
        };
        Snapshot { head, slots: self.table.slots().clone(), events: self.recent.events(), graph, waiting }
    }

    /// The correlator that a snapshot was taken of, for correlations that may have changed since.
    ///
    /// Errors: the bytes are none, or damaged. Nothing of them is used then.
    pub fn restore(plans: Arc<Correlations>, options: Options, from: &mut dyn Read) -> Result<Restored, RestoreError> {
        let mut magic = [0; 8];
        from.read_exact(&mut magic)?;
        if magic != *MAGIC {
            return Err(RestoreError::Unreadable("it begins with other bytes".to_owned()));
        }
        let head: Head = read_block(from)?;
        let places = Places::new(&head, &plans);
        let mut correlator = Correlator::new(plans, options);
        correlator.clock = head.clock.clone();
        places.take_counts(&head, &mut correlator);
        correlator.restore_who(&head, from)?;
        for _ in 0..head.events {
            let (id, copy): (Id, Copy) = read_block(from)?;
            correlator.recent.set(id, Known { copy, groups: Groups::new() });
        }
        for _ in 0..head.groups {
            let group = Still::from_bytes(&read_bytes(from)?, |of| places.of(of)).map_err(RestoreError::Unreadable)?;
            if let Some((still, entry)) = group {
                correlator.put_back(still, entry);
            }
        }
        Ok(Restored { correlator, dropped: places.dropped })
    }

    fn restore_who(&mut self, head: &Head, from: &mut dyn Read) -> Result<(), RestoreError> {
        let bounds = self.options.identity;
        if head.has_graph {
            let bytes: Vec<u8> = read_block(from)?;
            let graph = Graph::restore(&bytes, bounds).map_err(|error| RestoreError::Unreadable(error.to_string()))?;
            if let Some(who) = &mut self.who {
                who.put_graph_back(graph);
            }
        }
        for _ in 0..head.waiting {
            let matched: Matched = read_block(from)?;
            if let Some(who) = &mut self.who {
                who.put_back(matched);
            }
        }
        Ok(())
    }

    fn put_back(&mut self, still: Still, entry: Entry) {
        let counts = &mut self.counts.correlations[entry.of as usize];
        counts.groups += 1;
        counts.bytes += entry.bytes as u64;
        let (place, armed, lane) = (self.place(entry.lane, entry.of as usize), entry.armed, entry.lane);
        let events = entry.group.pending().iter().filter(|fact| fact.beneath.is_none());
        let events: Vec<Id> = events.map(|fact| (lane, fact.id)).collect();
        let at = self.table.restore(still, entry);
        if let Slot::Live(entry) = self.table.slot(at) {
            self.pending += entry.group.pending().len();
        }
        if let Some(second) = armed {
            self.timers[place].arm(second, at);
        }
        for id in events {
            if let Some(known) = self.recent.get(id) {
                let mut known = known.clone();
                known.groups.push(at);
                self.recent.set(id, known);
            }
        }
    }
}

/// Where the correlations of a snapshot stand now.
struct Places {
    now: Vec<Option<u32>>,
    dropped: Vec<String>,
}

impl Places {
    fn new(head: &Head, plans: &Correlations) -> Places {
        let identities = plans.identities();
        let find = |before: &(String, String)| identities.iter().position(|now| now == before).map(|at| at as u32);
        let now: Vec<Option<u32>> = head.correlations.iter().map(find).collect();
        let gone = head.correlations.iter().zip(&now).filter(|(_, now)| now.is_none());
        Places { dropped: gone.map(|((id, _), _)| id.clone()).collect(), now }
    }

    fn of(&self, before: u32) -> Option<u32> {
        *self.now.get(before as usize)?
    }

    /// Frontiers and counts, each to where its correlation stands now; how many groups there are is counted anew.
    fn take_counts(&self, head: &Head, correlator: &mut Correlator) {
        let (before, now) = (head.correlations.len(), correlator.plans.plans.len());
        (correlator.counts.events, correlator.counts.duplicates) = (head.counts.events, head.counts.duplicates);
        correlator.counts.forced = head.counts.forced;
        for (from, to) in self.now.iter().enumerate() {
            let Some(to) = to.map(|to| to as usize) else { continue };
            let counts = head.counts.correlations[from];
            correlator.counts.correlations[to] = super::Counts { groups: 0, bytes: 0, ..counts };
            for lane in Lane::ALL {
                correlator.frontiers[lane as usize * now + to] = head.frontiers[lane as usize * before + from];
            }
        }
    }
}

impl Snapshot {
    /// Writes it down.
    pub fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        let mut buffer = Vec::new();
        to.write_all(MAGIC)?;
        write_block(&self.head, &mut buffer, to)?;
        if let Some(graph) = &self.graph {
            write_block(&graph.snapshot(), &mut buffer, to)?;
        }
        for matched in &self.waiting {
            write_block(matched, &mut buffer, to)?;
        }
        for event in self.events.iter() {
            write_block(&event, &mut buffer, to)?;
        }
        for slot in self.slots.iter() {
            match slot {
                Slot::Free => {}
                Slot::Live(entry) => {
                    buffer.clear();
                    still::write(entry, &mut buffer);
                    write_bytes(&buffer, to)?;
                }
                Slot::Still(still) => write_bytes(still.bytes(), to)?,
            }
        }
        Ok(())
    }
}

fn write_block<T: Serialize>(block: &T, buffer: &mut Vec<u8>, to: &mut dyn Write) -> io::Result<()> {
    buffer.clear();
    *buffer = postcard::to_extend(block, std::mem::take(buffer)).map_err(io::Error::other)?;
    write_bytes(buffer, to)
}

fn write_bytes(bytes: &[u8], to: &mut dyn Write) -> io::Result<()> {
    to.write_all(&(bytes.len() as u32).to_le_bytes())?;
    to.write_all(bytes)
}

fn read_block<T: DeserializeOwned>(from: &mut dyn Read) -> Result<T, RestoreError> {
    postcard::from_bytes(&read_bytes(from)?).map_err(|error| RestoreError::Unreadable(error.to_string()))
}

fn read_bytes(from: &mut dyn Read) -> Result<Vec<u8>, RestoreError> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > BLOCK_MAX {
        return Err(RestoreError::Unreadable(format!("a block says that it has {length} bytes")));
    }
    let mut bytes = Vec::new();
    from.take(length as u64).read_to_end(&mut bytes)?;
    if bytes.len() < length {
        return Err(RestoreError::Unreadable("it ends within a block".to_owned()));
    }
    Ok(bytes)
}
