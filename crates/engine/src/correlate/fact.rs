//! Facts: what a correlation is told about one event.

use std::sync::Arc;

use model::{Entity, EventId, SourceId, Time};
use serde::{Deserialize, Serialize};

use super::Claim;

/// The values of one field, in the order of the record.
pub type Texts = Box<[Arc<str>]>;

/// A set of the members of a correlation, by their places; at most 64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Members(pub u64);

impl Members {
    /// One member alone.
    pub fn one(member: usize) -> Members {
        Members(1 << member)
    }

    /// Is the member in the set?
    pub fn has(self, member: usize) -> bool {
        self.0 & (1 << member) != 0
    }

    /// Both sets.
    #[must_use]
    pub fn with(self, other: Members) -> Members {
        Members(self.0 | other.0)
    }

    /// The members, in order.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        (0..64).filter(move |member| self.has(*member))
    }
}

/// What a correlation reads of an event besides that it happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Values {
    /// Nothing.
    #[default]
    None,
    /// One number, in millionths.
    Number(i128),
    /// Several numbers, in millionths, in the order of the record.
    Numbers(Box<[i128]>),
    /// Texts, in the order of the record. A tuple of several fields is one text: a JSON array of texts.
    Texts(Box<[Arc<str>]>),
    /// Things, such as the entities of a peer group, and what is measured of them or said about them.
    Measured {
        /// The things, as [`Values::Texts`] has texts.
        of: Box<[Arc<str>]>,
        /// Never itself `Measured`.
        values: Box<Values>,
    },
}

impl Values {
    /// The numbers, in millionths.
    pub fn numbers(&self) -> &[i128] {
        match self {
            Values::Number(number) => std::slice::from_ref(number),
            Values::Numbers(numbers) => numbers,
            _ => &[],
        }
    }

    /// The texts.
    pub fn texts(&self) -> &[Arc<str>] {
        match self {
            Values::Texts(texts) => texts,
            _ => &[],
        }
    }

    /// The things that something is measured of; texts where nothing is measured of them.
    pub fn things(&self) -> &[Arc<str>] {
        match self {
            Values::Measured { of, .. } => of,
            _ => self.texts(),
        }
    }

    /// What is measured of the things.
    pub fn measured(&self) -> &Values {
        match self {
            Values::Measured { values, .. } => values,
            _ => &Values::None,
        }
    }
}

/// What a finding says of an event that it claims, and what correlations above read of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Detail {
    /// The event's source.
    pub source: SourceId,
    /// When its record reached us.
    pub received: Time,
    /// The event in a few words.
    pub brief: Arc<str>,
    /// The things that it is about.
    pub entities: Arc<[Entity]>,
    /// Fields that correlations above read, by name, with the values; sorted by name.
    pub fields: Box<[(Arc<str>, Texts)]>,
}

/// One event of one group, or one occurrence of a finding beneath, as a correlation sees it.
///
/// Two facts of one id and one time are one event. A finding beneath has one id and occurs at several times.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fact {
    /// When.
    pub time: Time,
    /// The event, or a digest of the finding beneath.
    pub id: EventId,
    /// The members as which it takes part; never empty.
    pub members: Members,
    /// What is read of it.
    pub values: Values,
    /// What a finding says of it, where that is kept; not for a finding beneath.
    pub detail: Option<Arc<Detail>>,
    /// The events beneath, for a finding beneath; the event itself claims itself.
    pub beneath: Option<Arc<[Claim]>>,
}

impl Fact {
    /// The events that it stands for, in order of time and id.
    pub fn claims(&self) -> impl Iterator<Item = Claim> + '_ {
        let own = self.beneath.is_none().then(|| Claim {
            time: self.time,
            id: self.id,
            members: self.members,
            detail: self.detail.clone(),
        });
        let members = self.members;
        let beneath = self.beneath.iter().flat_map(|claims| claims.iter().cloned());
        own.into_iter().chain(beneath.map(move |claim| Claim { members, ..claim }))
    }
}
