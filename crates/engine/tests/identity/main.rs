//! Who is behind a session: the sources' own declarations, over real logs and over made ones.
#![allow(missing_docs, clippy::disallowed_methods)] // Tests read files; the crate does not.

#[path = "../common/mod.rs"]
mod common;
mod kubernetes;
mod lab;
#[path = "../common/packed.rs"]
mod packed;
mod real;
mod scenes;

use engine::identity::{Bounds, Certainty, Graph, Link, Resolution};
use engine::{Engine, Event, Reject, Sink};
use model::{Entity, EntityKind, EventId, Finding, SourceId, Time};
use serde_json::Value;

/// What an event says of identities.
#[derive(Clone, Debug)]
pub struct Seen {
    pub id: EventId,
    pub time: Time,
    pub operation: String,
    pub actor: Option<Entity>,
    pub links: Vec<Link>,
}

#[derive(Default)]
struct Collector(Vec<Seen>);

impl Sink for Collector {
    fn rejected(&mut self, raw: &[u8], _source: Option<&SourceId>, reason: Reject) {
        panic!("{reason}: {}", String::from_utf8_lossy(raw));
    }

    fn evaluated(&mut self, event: &Event<'_>) {
        let operation = event.columns().remove("api.operation").unwrap_or_default();
        self.0.push(Seen { id: event.id(), time: event.time(), operation, actor: event.actor(), links: event.links() });
    }

    fn finding(&mut self, _finding: Finding, _event: &Event<'_>) {}
}

/// The records as events, in their order.
pub fn events<'v>(engine: &Engine, records: impl IntoIterator<Item = &'v Value>) -> Vec<Seen> {
    let (mut collector, mut worker) = (Collector::default(), engine.worker());
    for record in records {
        engine.evaluate(&mut worker, record.to_string().as_bytes(), &common::given(None), &mut collector);
    }
    collector.0
}

/// What all the events teach.
pub fn graph<'s>(seen: impl IntoIterator<Item = &'s Seen>) -> Graph {
    let mut graph = Graph::new(Bounds::default());
    for link in seen.into_iter().flat_map(|seen| &seen.links) {
        graph.learn(link);
    }
    graph
}

pub fn entity(kind: EntityKind, key: &str) -> Entity {
    Entity { kind, key: key.to_owned() }
}

pub fn at(text: &str) -> Time {
    Time::parse(text).expect("a time")
}

/// The answer in one line: how certain, and who.
pub fn says(resolution: &Resolution) -> String {
    let is_someone = matches!(resolution.certainty, Certainty::Known | Certainty::Claimed);
    assert_eq!(
        resolution.behind.is_some(),
        is_someone,
        "an answer names somebody if and only if one is known or claimed"
    );
    resolution.brief()
}
