//! The inventory's things: assets, changes and who is on call.

use std::collections::BTreeMap;

use model::{EntityKind, Time};

/// What kind of thing an asset is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AssetKind {
    /// A cloud account, project or tenant.
    Account,
    /// An agent.
    Agent,
    /// A storage bucket.
    Bucket,
    /// A cluster.
    Cluster,
    /// A dataset.
    Dataset,
    /// An endpoint: of inference, or of a network.
    Endpoint,
    /// A gate of releases.
    Gate,
    /// A machine.
    Host,
    /// A cryptographic key.
    Key,
    /// A server of the Model Context Protocol.
    McpServer,
    /// A model, by name, digest or place.
    Model,
    /// A namespace of a cluster.
    Namespace,
    /// A network, as addresses or CIDR blocks.
    Network,
    /// A human being.
    Person,
    /// A registry of models or images.
    Registry,
    /// A code or image repository.
    Repository,
    /// An identity that acts: a role, user or service account.
    Role,
}

/// Each kind with its word, and the kinds of entity by which telemetry shows it.
const KINDS: [(AssetKind, &str, &[EntityKind]); 17] = [
    (AssetKind::Account, "account", &[EntityKind::Account]),
    (AssetKind::Agent, "agent", &[EntityKind::Agent]),
    (AssetKind::Bucket, "bucket", &[EntityKind::Bucket]),
    (AssetKind::Cluster, "cluster", &[EntityKind::Cluster]),
    (AssetKind::Dataset, "dataset", &[EntityKind::Dataset]),
    (AssetKind::Endpoint, "endpoint", &[EntityKind::Endpoint]),
    (AssetKind::Gate, "gate", &[EntityKind::Job, EntityKind::Resource]),
    (AssetKind::Host, "host", &[EntityKind::Host]),
    (AssetKind::Key, "key", &[EntityKind::Key]),
    (AssetKind::McpServer, "mcp_server", &[EntityKind::Resource, EntityKind::Endpoint]),
    (AssetKind::Model, "model", &[EntityKind::Model, EntityKind::Checkpoint]),
    (AssetKind::Namespace, "namespace", &[EntityKind::Workload, EntityKind::Resource]),
    (AssetKind::Network, "network", &[EntityKind::Address]),
    (AssetKind::Person, "person", &[EntityKind::Person]),
    (AssetKind::Registry, "registry", &[EntityKind::Resource, EntityKind::Repository]),
    (AssetKind::Repository, "repository", &[EntityKind::Repository]),
    (AssetKind::Role, "role", &[EntityKind::Principal, EntityKind::Session]),
];

impl AssetKind {
    /// Every kind, in order of the words.
    pub fn all() -> impl Iterator<Item = AssetKind> {
        KINDS.iter().map(|(kind, ..)| *kind)
    }

    /// The kind's word, as inventory files have it.
    pub fn as_str(self) -> &'static str {
        KINDS[self as usize].1
    }

    /// Reads the kind's word.
    pub fn parse(word: &str) -> Option<AssetKind> {
        KINDS.iter().find(|(_, known, _)| *known == word).map(|(kind, ..)| *kind)
    }

    /// The kinds of entity by which telemetry shows it.
    pub fn entities(self) -> &'static [EntityKind] {
        KINDS[self as usize].2
    }

    /// The kind whose things always are this kind of entity: what is seen of it, and not known, is missing in the inventory.
    pub fn of_entity(entity: EntityKind) -> Option<AssetKind> {
        match entity {
            EntityKind::Principal => Some(AssetKind::Role),
            // Sessions come and go; machines make workloads, checkpoints and resources of many kinds.
            EntityKind::Session | EntityKind::Workload | EntityKind::Checkpoint | EntityKind::Resource => None,
            EntityKind::Credential | EntityKind::Job | EntityKind::Address => None,
            other => AssetKind::parse(other.as_str()),
        }
    }
}

/// Where something of the inventory is written, who answers for it, and how old it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// The file.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// Who keeps it true.
    pub owner: Option<String>,
    /// When somebody last made sure of it.
    pub reviewed: Option<Time>,
    /// How long that is good for, milliseconds; `None` for ever.
    pub review_every_ms: Option<i64>,
}

impl Kept {
    /// Milliseconds since it was reviewed.
    pub fn age_ms(&self, at: Time) -> Option<i64> {
        Some(at.millis_since(self.reviewed?))
    }

    /// Is its review too long ago at `at`?
    pub fn is_stale(&self, at: Time) -> bool {
        matches!((self.age_ms(at), self.review_every_ms), (Some(age), Some(every)) if age > every)
    }
}

/// A thing of the lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Its name among those of its kind.
    pub id: String,
    /// What kind of thing it is.
    pub kind: AssetKind,
    /// What it is for: `weights`, `release`, `sandbox`.
    pub classes: Vec<String>,
    /// How telemetry shows it: Sigma strings, or CIDR blocks of a network.
    pub names: Vec<String>,
    /// What it is.
    pub description: Option<String>,
    /// What else is worth knowing.
    pub attributes: BTreeMap<String, String>,
    /// It counts for events that are older than this.
    pub until: Option<Time>,
    /// Where it is written, its owner and age.
    pub kept: Kept,
}

impl Asset {
    /// Does it count for an event of `at`?
    pub fn counts_at(&self, at: Time) -> bool {
        self.until.is_none_or(|until| at < until)
    }
}

/// A change that was announced: what it covers, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its number where it was announced.
    pub id: String,
    /// What is done.
    pub summary: String,
    /// Ids of assets, or names as telemetry shows them.
    pub covers: Vec<String>,
    /// Who does it.
    pub by: Option<String>,
    /// When it starts.
    pub from: Time,
    /// When it is over.
    pub until: Time,
    /// Where it is written, its owner and age.
    pub kept: Kept,
}

/// A turn on call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnCall {
    /// The owner for whom.
    pub owner: String,
    /// Who is called.
    pub who: String,
    /// When the turn starts; `None` for always.
    pub from: Option<Time>,
    /// When the turn is over; `None` for never.
    pub until: Option<Time>,
    /// Where it is written.
    pub kept: Kept,
}

impl OnCall {
    /// Is it this one's turn at `at`?
    pub fn is_at(&self, at: Time) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }
}

/// All things of an inventory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Things {
    /// The assets, in order of kind and id.
    pub assets: Vec<Asset>,
    /// The changes.
    pub changes: Vec<Change>,
    /// The turns on call.
    pub on_call: Vec<OnCall>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_one_word_at_its_place() {
        for kind in AssetKind::all() {
            assert_eq!(AssetKind::parse(kind.as_str()), Some(kind));
            assert!(!kind.entities().is_empty());
        }
        let words: Vec<&str> = AssetKind::all().map(AssetKind::as_str).collect();
        assert!(words.is_sorted(), "{words:?}");
    }
}
