//! What a source's records show about who acts, and who is behind what.
//!
//! In: `actor:` and `links:` of a `source.yml`. Out: of each record, the entity that acts, and dated links for the graph of
//! identities. Bound: what is declared; a record on which no condition holds costs the conditions.

use model::{Entity, EntityKind, EventId, Time};

use super::time::{self, Unit};
use super::{Reader, Reading};
use crate::field::FieldsBuilder;
use crate::identity::{Link, Means};
use crate::record::Record;

/// How long a link holds that does not say: the longest session of a role.
pub(crate) const LASTS_MS: i64 = 12 * 3_600_000;
/// How long a link holds at most, whatever its record says.
pub(crate) const LASTS_MS_MAX: i64 = 400 * 86_400_000;

/// A reading of entities of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    /// Their kind.
    pub kind: EntityKind,
    /// Where their keys are read from.
    pub reading: Reading,
}

/// One end of a declared link.
#[derive(Clone, Debug, PartialEq)]
pub enum LinkEnd {
    /// Who acts in the record.
    Actor,
    /// What is read from it.
    Read(Vec<Named>),
}

/// A link that a source's records show.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkRule {
    /// In what sense `to` is behind `from`.
    pub means: Means,
    /// On which records: its conditions alone count.
    pub when: Reading,
    /// What was used: all that is read.
    pub from: LinkEnd,
    /// Who is behind it: the first that is read.
    pub to: LinkEnd,
    /// Until when, if the record says.
    pub until: Option<Reading>,
    /// For how long, if it does not; milliseconds.
    pub lasts_ms: i64,
}

impl LinkRule {
    /// Every path that is read of a record for which it holds, where `actor` is how who acts is read.
    pub(crate) fn reads(&self, actor: &[Named]) -> Vec<String> {
        let end = |end: &LinkEnd| match end {
            LinkEnd::Actor => actor.to_vec(),
            LinkEnd::Read(named) => named.clone(),
        };
        let ends = [end(&self.from), end(&self.to)].concat().into_iter().map(|named| named.reading);
        ends.chain(self.until.clone()).flat_map(|reading| reading.looks_at()).collect()
    }
}

/// Who acts, with fields numbered.
#[derive(Debug)]
pub(crate) struct ActorReader(Vec<(EntityKind, Reader)>);

impl ActorReader {
    pub fn compile(actor: &[Named], fields: &mut FieldsBuilder) -> ActorReader {
        ActorReader(actor.iter().map(|named| (named.kind, named.reading.compile(fields))).collect())
    }

    /// The first entity that is read.
    pub fn read(&self, record: &Record<'_>) -> Option<Entity> {
        self.0.iter().find_map(|(kind, reader)| Some(Entity { kind: *kind, key: reader.first(record)? }))
    }

    fn each(&self, record: &Record<'_>, f: &mut dyn FnMut(Entity)) {
        self.0.iter().for_each(|(kind, reader)| reader.each(record, &mut |key| f(Entity { kind: *kind, key })));
    }
}

/// One end of a link, with fields numbered; `None` is who acts.
type EndReader = Option<ActorReader>;

/// A link that records show, with fields numbered.
#[derive(Debug)]
pub(crate) struct LinkReader {
    means: Means,
    when: Reader,
    from: EndReader,
    to: EndReader,
    until: Option<Reader>,
    lasts_ms: i64,
}

impl LinkReader {
    pub fn compile(rule: &LinkRule, fields: &mut FieldsBuilder) -> LinkReader {
        let end = |end: &LinkEnd, fields: &mut FieldsBuilder| match end {
            LinkEnd::Actor => None,
            LinkEnd::Read(named) => Some(ActorReader::compile(named, fields)),
        };
        LinkReader {
            means: rule.means,
            when: rule.when.compile(fields),
            from: end(&rule.from, fields),
            to: end(&rule.to, fields),
            until: rule.until.as_ref().map(|reading| reading.compile(fields)),
            lasts_ms: rule.lasts_ms,
        }
    }

    /// Does the record show it, if it has what is read?
    pub fn holds(&self, record: &Record<'_>) -> bool {
        self.when.holds(record)
    }

    /// Adds what a record shows for which it holds.
    pub fn read(&self, record: &Record<'_>, actor: &ActorReader, shown: &mut Vec<Shown>) {
        let mut used: Vec<Entity> = Vec::new();
        match &self.from {
            None => used.extend(actor.read(record)),
            Some(from) => from.each(record, &mut |entity| used.push(entity)),
        }
        if used.is_empty() {
            return;
        }
        let Some(behind) = self.to.as_ref().unwrap_or(actor).read(record) else { return };
        used.retain(|entity| *entity != behind);
        let told = self.until.as_ref().and_then(|reader| reader.first(record));
        let until = told.and_then(|text| time::parse(text.trim(), Unit::Auto));
        let (means, lasts_ms) = (self.means, self.lasts_ms);
        shown.extend(used.into_iter().map(|from| Shown { from, to: behind.clone(), means, until, lasts_ms }));
    }
}

/// A link that a record shows, whenever it happened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shown {
    from: Entity,
    to: Entity,
    means: Means,
    /// The end that the record tells.
    until: Option<Time>,
    lasts_ms: i64,
}

impl Shown {
    /// The link of a record of that time. An end that is told counts if it can be one: after the beginning, and no more than [`LASTS_MS_MAX`]
    /// later.
    pub fn link(&self, since: Time, evidence: EventId) -> Link {
        let told = self.until.filter(|until| *until > since);
        let until = told.unwrap_or(since.plus_millis(self.lasts_ms)).min(since.plus_millis(LASTS_MS_MAX));
        Link { from: self.from.clone(), to: self.to.clone(), means: self.means, since, until, evidence }
    }
}
