//! What a source's records show about who is behind what, remembered.
//!
//! In: a record. Out: its links. Records of one session say the same about it again and again, and reading that takes patterns; so what the
//! paths of `actor:` and `links:` hold is the key of a memory, and what they come to is looked up. Nothing else counts of a record but its time and
//! its id, so the answer is the same as without. Bound: [`KNOWN_MAX`] answers a worker, [`KEY_MAX`] bytes a key; where there are more, all are forgotten.

use std::sync::Arc;

use model::{EventId, Time};
use rustc_hash::FxHashMap;

use super::links::{ActorReader, LinkReader, Shown};
use crate::field::{Field, FieldsBuilder};
use crate::identity::Link;
use crate::record::{Record, Scalar};
use crate::source::Source;

/// Answers that a worker remembers.
const KNOWN_MAX: usize = 8192;
/// The longest key; a record with more is read anew.
const KEY_MAX: usize = 4096;

/// What a worker remembers, of all sources.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    known: FxHashMap<Box<[u8]>, Arc<[Shown]>>,
    /// Room for a key.
    key: Vec<u8>,
}

/// The readers of a source, and all that they look at.
#[derive(Debug)]
pub(crate) struct LinksReader {
    links: Vec<LinkReader>,
    /// Every path that a link, or who acts, depends on.
    looks_at: Vec<Field>,
    /// Tells sources apart.
    source: Box<[u8]>,
}

impl LinksReader {
    pub fn compile(source: &Source, fields: &mut FieldsBuilder) -> LinksReader {
        let paths = source.links.iter().flat_map(super::LinkRule::looks_at);
        let actor = source.actor.iter().flat_map(|named| named.reading.looks_at());
        let mut looks_at: Vec<Field> = paths.chain(actor).map(|path| fields.intern(&path)).collect();
        looks_at.sort_unstable();
        looks_at.dedup();
        LinksReader {
            links: source.links.iter().map(|link| LinkReader::compile(link, fields)).collect(),
            looks_at,
            source: source.id.as_str().as_bytes().into(),
        }
    }

    /// The links that the record shows. `id` is asked for only where there is one.
    pub fn read(
        &self,
        record: &Record<'_>,
        actor: &ActorReader,
        (since, id): (Time, &dyn Fn() -> EventId),
        remembered: &mut Remembered,
    ) -> Vec<Link> {
        if self.links.is_empty() {
            return Vec::new();
        }
        let shown = self.shown(record, actor, remembered);
        if shown.is_empty() {
            return Vec::new();
        }
        let evidence = id();
        shown.iter().map(|shown| shown.link(since, evidence)).collect()
    }

    fn shown(&self, record: &Record<'_>, actor: &ActorReader, remembered: &mut Remembered) -> Arc<[Shown]> {
        let Remembered { known, key } = remembered;
        self.write_key(record, key);
        if let Some(shown) = known.get(&key[..]) {
            return shown.clone();
        }
        let mut shown = Vec::new();
        self.links.iter().for_each(|reader| reader.read(record, actor, &mut shown));
        let shown: Arc<[Shown]> = shown.into();
        if key.len() <= KEY_MAX {
            if known.len() >= KNOWN_MAX {
                known.clear();
            }
            known.insert(key[..].into(), shown.clone());
        }
        shown
    }

    /// All values of all paths, each with its kind and length, so that no two different records have one key.
    fn write_key(&self, record: &Record<'_>, key: &mut Vec<u8>) {
        key.clear();
        key.extend_from_slice(&self.source);
        for field in &self.looks_at {
            key.push(b'|');
            for value in record.values(*field) {
                let kind = match value {
                    Scalar::Null => b'n',
                    _ if value.scalar_text().is_some() => b's',
                    _ => b'o',
                };
                key.push(kind);
                key.extend_from_slice(&(value.text().len() as u32).to_le_bytes());
                key.extend_from_slice(value.text().as_bytes());
            }
        }
    }
}
