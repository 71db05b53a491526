//! Facts for correlations: of an event that a member of one matches, what correlations read of it.
//!
//! In: the rules that hold for an event. Out: at most one [`Matched`]. An event that no such rule matches costs a look at each rule
//! that holds for it, and where there are no correlations nothing.

use std::sync::Arc;

use model::Entity;

use super::Feed;
use crate::correlate::{Detail, Feeds, Matched, Texts};
use crate::event::Event;
use crate::field::{Field, FieldsBuilder};
use crate::finding::Voice;
use crate::sigma::{Linked, Program, RuleIndex};

/// What correlations need of evaluation, with rules and fields numbered as the engine numbers them.
#[derive(Debug, Default)]
pub(super) struct Feeder {
    pub feeds: Feeds,
    /// For each rule of the program, its place among those that feed correlations; empty where none does.
    places: Vec<Option<u32>>,
    /// For each field that correlations read, its number.
    fields: Vec<Field>,
}

impl Feeder {
    pub fn compile(linked: &[Linked], program: &Program, fields: &mut FieldsBuilder) -> Feeder {
        let feeds = Feeds::of(linked);
        if feeds.is_empty() {
            return Feeder::default();
        }
        let place = |id| feeds.rule(id).and_then(|place| u32::try_from(place).ok());
        Feeder {
            places: program.rules().iter().map(|compiled| place(&compiled.rule.id)).collect(),
            fields: feeds.fields.iter().map(|path| fields.intern(path)).collect(),
            feeds,
        }
    }

    fn place(&self, rule: RuleIndex) -> Option<usize> {
        self.places.get(rule.index()).copied().flatten().map(|place| place as usize)
    }

    /// Does the rule speak only through the correlations above it?
    #[inline]
    pub fn is_silent(&self, rule: RuleIndex) -> bool {
        self.place(rule).is_some_and(|place| !self.feeds.speaks[place])
    }

    /// What the event is to correlations, if one of the rules that hold for it feeds some.
    #[inline]
    pub fn matched(&self, hits: &[RuleIndex], feed: &Feed, voices: &[Voice], event: &Event<'_>) -> Option<Matched> {
        if self.places.is_empty() || !hits.iter().any(|rule| self.place(*rule).is_some()) {
            return None;
        }
        Some(self.fact(hits, feed, voices, event))
    }

    fn fact(&self, hits: &[RuleIndex], feed: &Feed, voices: &[Voice], event: &Event<'_>) -> Matched {
        let mut rules: Vec<u32> = Vec::new();
        let mut entities = event.entities();
        for rule in hits {
            let Some(place) = self.places[rule.index()] else { continue };
            rules.push(place);
            voices[rule.index()].add_entities(event, &mut entities);
        }
        rules.sort_unstable();
        Matched {
            time: event.time(),
            id: event.id(),
            fields: self.values(&rules, event),
            rules: rules.into(),
            actor: self.feeds.wants_identity.then(|| event.actor()).flatten(),
            lane: event.lane(),
            detail: Arc::new(Detail {
                source: event.source().id.clone(),
                received: event.received(),
                brief: feed.sentence.brief(event).into(),
                entities: once(entities),
                fields: Box::default(),
            }),
        }
    }

    /// The values of the fields that are read of events of these rules, as far as the record has them.
    fn values(&self, rules: &[u32], event: &Event<'_>) -> Box<[(u32, Texts)]> {
        let reads = |rule: &u32| self.feeds.reads[*rule as usize].iter().copied();
        let mut wanted: Vec<u32> = rules.iter().flat_map(reads).collect();
        if rules.len() > 1 {
            wanted.sort_unstable();
            wanted.dedup();
        }
        let each = |place: u32| {
            let values: Texts = event.shown(self.fields[place as usize]).map(Arc::from).collect();
            (!values.is_empty()).then_some((place, values))
        };
        wanted.into_iter().filter_map(each).collect()
    }
}

fn once(mut entities: Vec<Entity>) -> Arc<[Entity]> {
    entities.sort_unstable();
    entities.dedup();
    entities.into()
}
