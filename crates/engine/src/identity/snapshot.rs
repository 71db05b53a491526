//! A graph as bytes, and back.
//!
//! Shape: JSON with a version. Entities stand once, links name them by their place; equal graphs give equal bytes.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{Entity, EventId, Time};
use serde::{Deserialize, Serialize};

use super::graph::Held;
use super::{Bounds, Counts, Graph, Means};

const VERSION: u32 = 1;

/// Why bytes are not a graph.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// They are no snapshot, or damaged.
    #[error("this is no snapshot of identities: {0}")]
    Unreadable(String),
    /// They are one of another version.
    #[error("this snapshot of identities has version {0}; this program reads version {VERSION}")]
    Version(u32),
}

#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
}

#[derive(Serialize, Deserialize)]
struct Snapshot {
    version: u32,
    counts: [u64; 5],
    horizon: Option<i64>,
    entities: Vec<Entity>,
    links: Vec<LinkRow>,
    /// Entity, and until when links held that it has lost.
    lost: Vec<(usize, i64)>,
}

/// From, means, to, since and until in microseconds, evidence.
#[derive(Serialize, Deserialize)]
struct LinkRow(usize, String, usize, i64, i64, EventId);

impl Graph {
    /// The graph as bytes.
    pub fn snapshot(&self) -> Vec<u8> {
        let mut entities: BTreeSet<&Entity> = BTreeSet::new();
        for (from, node) in &self.nodes {
            entities.insert(from);
            entities.extend(node.links.iter().map(|held| &*held.to));
        }
        let entities: Vec<&Entity> = entities.into_iter().collect();
        let place = |entity: &Entity| entities.binary_search(&entity).expect("every entity was collected above");
        let (mut links, mut lost) = (Vec::new(), Vec::new());
        for (at, entity) in entities.iter().enumerate() {
            let Some(node) = self.nodes.get(*entity) else { continue };
            lost.extend(node.lost_until.map(|until| (at, until.micros())));
            links.extend(node.links.iter().map(|held| {
                let times = (held.since.micros(), held.until.micros());
                LinkRow(at, held.means.as_str().to_owned(), place(&held.to), times.0, times.1, held.evidence)
            }));
        }
        let Counts { learned, repeated, evicted, forgotten, refused } = self.counts;
        let snapshot = Snapshot {
            version: VERSION,
            counts: [learned, repeated, evicted, forgotten, refused],
            horizon: self.horizon.map(Time::micros),
            entities: entities.iter().map(|entity| (*entity).clone()).collect(),
            links,
            lost,
        };
        serde_json::to_vec(&snapshot).expect("text, numbers and lists can be written")
    }

    /// A graph from bytes. Where it has more links than the bounds allow, it lets go of those that end first.
    ///
    /// Errors: bytes that are no snapshot, or one of another version.
    pub fn restore(bytes: &[u8], bounds: Bounds) -> Result<Graph, RestoreError> {
        let unreadable = |error: serde_json::Error| RestoreError::Unreadable(error.to_string());
        let Header { version } = serde_json::from_slice(bytes).map_err(unreadable)?;
        if version != VERSION {
            return Err(RestoreError::Version(version));
        }
        let snapshot: Snapshot = serde_json::from_slice(bytes).map_err(unreadable)?;
        let entities: Vec<Arc<Entity>> = snapshot.entities.into_iter().map(Arc::new).collect();
        let entity = |at: usize| {
            let missing = || RestoreError::Unreadable(format!("there is no entity {at}"));
            entities.get(at).cloned().ok_or_else(missing)
        };
        let mut graph = Graph::new(bounds);
        let [learned, repeated, evicted, forgotten, refused] = snapshot.counts;
        graph.counts = Counts { learned, repeated, evicted, forgotten, refused };
        for LinkRow(from, means, to, since, until, evidence) in snapshot.links {
            let unknown = || RestoreError::Unreadable(format!("`{means}` is no means"));
            let means = Means::parse(&means).ok_or_else(unknown)?;
            let (since, until) = (Time::from_micros(since), Time::from_micros(until));
            graph.hold(entity(from)?, Held { means, to: entity(to)?, since, until, evidence });
        }
        for (at, until) in snapshot.lost {
            let node = graph.nodes.entry(entity(at)?).or_default();
            node.lost_until = node.lost_until.max(Some(Time::from_micros(until)));
        }
        graph.horizon = snapshot.horizon.map(Time::from_micros);
        graph.keep_within_bounds();
        Ok(graph)
    }
}
