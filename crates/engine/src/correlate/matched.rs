//! What evaluation hands to correlations.

use std::sync::Arc;

use model::{Entity, EventId, Lane, SourceId, Time};
use serde::{Deserialize, Serialize};

use super::{Detail, Texts};
use crate::event::Event;
use crate::identity::Link;

/// One event that is a member of correlations: which rules match it, and what correlations read of it.
///
/// Of two records of one event, the lesser counts: the earlier one, or else the one whose rules and values sort first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Matched {
    /// When it happened.
    pub time: Time,
    /// The event.
    pub id: EventId,
    /// The feeding rules that match, by their places among [`super::Feeds::rules`], in order.
    pub rules: Box<[u32]>,
    /// The values of the fields that correlations read, by their places among [`super::Feeds::fields`], in order; those that the
    /// record has.
    pub fields: Box<[(u32, Texts)]>,
    /// Who acted, where a correlation groups by who is behind it.
    pub actor: Option<Entity>,
    /// Why it is on the line; lanes never mix.
    pub lane: Lane,
    /// What a finding says of it. No fields: those stand above.
    pub detail: Arc<Detail>,
}

/// The rules and fields that feed correlations: what evaluation has to hand over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Feeds {
    /// Ids of the rules that are members of correlations, in order.
    pub rules: Vec<model::RuleId>,
    /// The fields that correlations read, in order. Paths, as in a rule.
    pub fields: Vec<String>,
    /// For each rule, the fields that are read of its events, by their places in `fields`, in order.
    pub reads: Vec<Vec<u32>>,
    /// For each rule, does it raise findings of its own?
    pub speaks: Vec<bool>,
    /// Does any correlation group by who is behind an event? Only then are actors and links handed over.
    pub wants_identity: bool,
}

/// Links of a batch among which one is looked for that says the same.
const JOINED_WITH: usize = 32;

/// How far one partition of a source has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The source.
    pub source: SourceId,
    /// What of it is in order of its own: an input, a file, a shard.
    pub partition: Arc<str>,
    /// Why its records are on the line.
    pub lane: Lane,
    /// The latest time of an event of it, never later than its receipt.
    pub time: Time,
    /// When that record reached us.
    pub received: Time,
}

/// What a batch of records means for correlations, in the order in which the line has settled on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// The events that are members.
    pub matched: Vec<Matched>,
    /// What the events show about who is behind what.
    pub links: Vec<Link>,
    /// How far the partitions have come with it.
    pub progress: Vec<Progress>,
}

impl Batch {
    /// Takes note of how far `partition` of the event's source has come with it.
    pub fn note(&mut self, event: &Event<'_>, partition: &str) {
        let (source, lane) = (&event.source().id, event.lane());
        let (time, received) = (event.time().min(event.received()), event.received());
        let is_same =
            |known: &&mut Progress| known.lane == lane && known.source == *source && *known.partition == *partition;
        match self.progress.iter_mut().find(is_same) {
            Some(known) => {
                known.time = known.time.max(time);
                known.received = known.received.max(received);
            }
            None => {
                let (source, partition) = (source.clone(), partition.into());
                self.progress.push(Progress { source, partition, lane, time, received });
            }
        }
    }

    /// Takes links in; those that say the same as one of the last few are joined with it, since a session says the same with each call.
    pub fn link(&mut self, links: Vec<Link>) {
        for link in links {
            let mut last = self.links.iter_mut().rev().take(JOINED_WITH);
            if !last.any(|known| known.join(&link)) {
                self.links.push(link);
            }
        }
    }

    /// Is there nothing in it?
    pub fn is_empty(&self) -> bool {
        self.matched.is_empty() && self.links.is_empty() && self.progress.is_empty()
    }
}
