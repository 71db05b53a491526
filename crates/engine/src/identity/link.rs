//! Links: what one event says about who is behind what.

use std::fmt;

use model::{Entity, EventId, Time};
use serde::{Deserialize, Serialize};

/// In what sense somebody is behind an entity.
///
/// The order is that of authority: what stands first is asked first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Means {
    /// A name that was set when a chain of sessions began and that none of them can change, such as the source identity of AWS.
    DeclaredAs,
    /// A session or key that somebody else asked for. From here on, who it was is asked as of that moment.
    AssumedBy,
    /// A session that an identity provider vouches for.
    FederatedAs,
    /// A credential that a platform gave to what runs on it.
    RunsAs,
    /// What belongs to a pod, or a pod to what runs it.
    PodOf,
    /// A credential that belongs to an identity.
    IssuedTo,
    /// Two names of one and the same.
    SameAs,
    /// A name that its user chose freely. It is a claim, and nobody vouches for it.
    NamedAfter,
}

/// What a means is evidence of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// Of who acted.
    Who,
    /// Of what a credential belongs to; asked where nothing says who acted.
    What,
    /// Of another name.
    Name,
    /// Of nothing but what somebody wrote.
    Claim,
}

impl Means {
    /// Every means, in order of authority.
    pub const ALL: [Means; 8] = [
        Means::DeclaredAs,
        Means::AssumedBy,
        Means::FederatedAs,
        Means::RunsAs,
        Means::PodOf,
        Means::IssuedTo,
        Means::SameAs,
        Means::NamedAfter,
    ];

    /// The word that `source.yml` has for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Means::DeclaredAs => "declared_as",
            Means::AssumedBy => "assumed_by",
            Means::FederatedAs => "federated_as",
            Means::RunsAs => "runs_as",
            Means::PodOf => "pod_of",
            Means::IssuedTo => "issued_to",
            Means::SameAs => "same_as",
            Means::NamedAfter => "named_after",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Means> {
        Means::ALL.into_iter().find(|means| means.as_str() == text)
    }

    /// Does it hand over from one actor to another, so that the other is asked about as of that moment?
    pub(super) fn hands_over(self) -> bool {
        self == Means::AssumedBy
    }

    pub(super) fn weight(self) -> Weight {
        match self {
            Means::DeclaredAs | Means::AssumedBy | Means::FederatedAs => Weight::Who,
            Means::RunsAs | Means::PodOf | Means::IssuedTo => Weight::What,
            Means::SameAs => Weight::Name,
            Means::NamedAfter => Weight::Claim,
        }
    }
}

impl fmt::Display for Means {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What one event shows: `to` is behind `from`, in the sense of `means`, from `since` to `until`, both included.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Link {
    /// What was used.
    pub from: Entity,
    /// Who or what is behind it.
    pub to: Entity,
    /// In what sense.
    pub means: Means,
    /// The event's time.
    pub since: Time,
    /// The last moment at which it holds.
    pub until: Time,
    /// The event.
    pub evidence: EventId,
}

impl Link {
    /// Takes another in that says the same at times that meet, and says whether it did. The first of their events is the evidence. A graph
    /// that learns the one link answers as one that learns both.
    pub fn join(&mut self, other: &Link) -> bool {
        let is_alike = self.means == other.means && self.from == other.from && self.to == other.to;
        let are_whole = self.since <= self.until && other.since <= other.until;
        let do_meet = self.since <= other.until && other.since <= self.until;
        if !is_alike || self.means.hands_over() || !are_whole || !do_meet {
            return false;
        }
        (self.since, self.evidence) = (self.since, self.evidence).min((other.since, other.evidence));
        self.until = self.until.max(other.until);
        true
    }
}
