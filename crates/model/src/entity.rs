use std::fmt;

use serde::{Deserialize, Serialize};

/// What kind of thing an entity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntityKind {
    /// A human being.
    Person,
    /// An identity that acts: a user, role or service account.
    Principal,
    /// A time-limited use of an identity.
    Session,
    /// A running program: pod, task, function.
    Workload,
    /// A machine or instance.
    Host,
    /// An IP address.
    Address,
    /// A cloud account, project or tenant.
    Account,
    /// A long-lived credential, such as an access key id.
    Credential,
    /// A cryptographic key.
    Key,
    /// A storage bucket.
    Bucket,
    /// A model or model package.
    Model,
    /// A saved state of a model, or any stored object of it.
    Checkpoint,
    /// A dataset.
    Dataset,
    /// An inference endpoint.
    Endpoint,
    /// A batch or training job.
    Job,
    /// An agent.
    Agent,
    /// A code or image repository.
    Repository,
    /// A cluster.
    Cluster,
    /// Another resource, by its own identifier.
    Resource,
}

impl EntityKind {
    /// Every kind.
    pub const ALL: [EntityKind; 19] = [
        EntityKind::Person,
        EntityKind::Principal,
        EntityKind::Session,
        EntityKind::Workload,
        EntityKind::Host,
        EntityKind::Address,
        EntityKind::Account,
        EntityKind::Credential,
        EntityKind::Key,
        EntityKind::Bucket,
        EntityKind::Model,
        EntityKind::Checkpoint,
        EntityKind::Dataset,
        EntityKind::Endpoint,
        EntityKind::Job,
        EntityKind::Agent,
        EntityKind::Repository,
        EntityKind::Cluster,
        EntityKind::Resource,
    ];

    /// The kind's word, as used in `source.yml` and in findings.
    pub fn as_str(self) -> &'static str {
        match self {
            EntityKind::Person => "person",
            EntityKind::Principal => "principal",
            EntityKind::Session => "session",
            EntityKind::Workload => "workload",
            EntityKind::Host => "host",
            EntityKind::Address => "address",
            EntityKind::Account => "account",
            EntityKind::Credential => "credential",
            EntityKind::Key => "key",
            EntityKind::Bucket => "bucket",
            EntityKind::Model => "model",
            EntityKind::Checkpoint => "checkpoint",
            EntityKind::Dataset => "dataset",
            EntityKind::Endpoint => "endpoint",
            EntityKind::Job => "job",
            EntityKind::Agent => "agent",
            EntityKind::Repository => "repository",
            EntityKind::Cluster => "cluster",
            EntityKind::Resource => "resource",
        }
    }

    /// Reads the kind's word.
    pub fn parse(text: &str) -> Option<EntityKind> {
        EntityKind::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl fmt::Display for EntityKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A thing that an event is about. Equal kind and key mean the same thing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Entity {
    /// What kind of thing.
    pub kind: EntityKind,
    /// Its canonical key: an ARN, an address, a digest, ….
    pub key: String,
}
