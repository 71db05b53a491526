//! What a source's records show about who is behind what, remembered.
//!
//! In: a record. Out: its links. Records of one session say the same about it again and again, and reading that takes patterns; so which links
//! hold for a record, and what stands at the paths that these read, is the key of a memory, and what they come to is looked up. Nothing else
//! counts of a record but its time and its id, so the answer is the same as without. Bound: [`KNOWN_MAX`] answers a worker, [`KEY_MAX`] bytes a key;
//! where there are more, all are forgotten.

use std::sync::Arc;

use model::{EventId, Time};
use rustc_hash::FxHashMap;

use super::links::{ActorReader, LinkReader, LinkRule, Shown};
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
    /// Each link, with every path that is read where it holds.
    links: Vec<(LinkReader, Vec<Field>)>,
    /// Tells sources apart.
    source: Box<[u8]>,
}

impl LinksReader {
    pub fn compile(source: &Source, fields: &mut FieldsBuilder) -> LinksReader {
        let link = |link: &LinkRule| {
            let mut reads: Vec<Field> = link.reads(&source.actor).iter().map(|path| fields.intern(path)).collect();
            reads.sort_unstable();
            reads.dedup();
            (LinkReader::compile(link, fields), reads)
        };
        LinksReader { links: source.links.iter().map(link).collect(), source: source.id.as_str().as_bytes().into() }
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
        let holding = self.links.iter().filter(|(link, _)| link.holds(record));
        holding.for_each(|(link, _)| link.read(record, actor, &mut shown));
        let shown: Arc<[Shown]> = shown.into();
        if key.len() <= KEY_MAX {
            if known.len() >= KNOWN_MAX {
                known.clear();
            }
            known.insert(key[..].into(), shown.clone());
        }
        shown
    }

    /// The links that hold, each with all values of its paths, and these with their kinds and lengths: no two different records have one key.
    fn write_key(&self, record: &Record<'_>, key: &mut Vec<u8>) {
        key.clear();
        key.extend_from_slice(&self.source);
        for (at, (_, reads)) in self.links.iter().enumerate().filter(|(_, (link, _))| link.holds(record)) {
            key.push(b'#');
            key.extend_from_slice(&(at as u32).to_le_bytes());
            for field in reads {
                key.push(b'|');
                record.values(*field).for_each(|value| push_value(value, key));
            }
        }
    }
}

fn push_value(value: Scalar<'_>, key: &mut Vec<u8>) {
    let kind = match value {
        Scalar::Null => b'n',
        _ if value.scalar_text().is_some() => b's',
        _ => b'o',
    };
    key.push(kind);
    key.extend_from_slice(&(value.text().len() as u32).to_le_bytes());
    key.extend_from_slice(value.text().as_bytes());
}
