//! The bytes of one row of the log of facts.
//!
//! Shape: a version byte, then postcard, packed with zstd where that pays. Rules and fields stand in a batch as places; a row names those that it
//! uses, so that it can be read after the content has changed. What is not known any more is left out.

use std::collections::{BTreeMap, BTreeSet};

use engine::correlate::{Batch, Matched};
use model::Time;
use serde::{Deserialize, Serialize};

use super::Names;

const PLAIN: u8 = 1;
const PACKED: u8 = 2;
/// Bytes from which on packing pays.
const PACKED_FROM: usize = 512;
/// Speed counts: the settler packs.
const LEVEL: i32 = 1;

/// What one settlement said.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Said {
    /// First, what time it was.
    pub tick: Option<Time>,
    /// Then, what the records said.
    pub batch: Batch,
}

#[derive(Serialize)]
struct Written<'a> {
    rules: Vec<(u32, &'a str)>,
    fields: Vec<(u32, &'a str)>,
    tick: Option<Time>,
    batch: &'a Batch,
}

#[derive(Deserialize)]
struct Read {
    rules: Vec<(u32, String)>,
    fields: Vec<(u32, String)>,
    tick: Option<Time>,
    batch: Batch,
}

/// The row of what was said.
pub(super) fn encode(names: &Names, tick: Option<Time>, batch: &Batch) -> Vec<u8> {
    let rules: BTreeSet<u32> = batch.matched.iter().flat_map(|matched| matched.rules.iter().copied()).collect();
    let fields = batch.matched.iter().flat_map(|matched| matched.fields.iter().map(|(field, _)| *field));
    let fields: BTreeSet<u32> = fields.collect();
    let written = Written { rules: named(rules, &names.rules), fields: named(fields, &names.fields), tick, batch };
    let plain = postcard::to_extend(&written, vec![PLAIN]).expect("a list takes what it is given");
    if plain.len() < PACKED_FROM {
        return plain;
    }
    match zstd::bulk::compress(&plain[1..], LEVEL) {
        Ok(packed) if packed.len() < plain.len() => {
            let mut bytes = vec![PACKED];
            bytes.extend(packed);
            bytes
        }
        _ => plain,
    }
}

fn named(places: BTreeSet<u32>, names: &[String]) -> Vec<(u32, &str)> {
    places.into_iter().filter_map(|place| Some((place, names.get(place as usize)?.as_str()))).collect()
}

/// What a row says, in the places of `names`. Errors: why it cannot be read.
pub(super) fn decode(names: &Names, bytes: &[u8]) -> Result<Said, String> {
    let unpacked;
    let plain = match bytes.split_first() {
        Some((&PLAIN, plain)) => plain,
        Some((&PACKED, packed)) => {
            unpacked = zstd::stream::decode_all(packed).map_err(|error| error.to_string())?;
            &unpacked
        }
        Some((version, _)) => return Err(format!("version {version} is not known")),
        None => return Err("it is empty".to_owned()),
    };
    let read: Read = postcard::from_bytes(plain).map_err(|error| error.to_string())?;
    let (rules, fields) = (places(&read.rules, &names.rules), places(&read.fields, &names.fields));
    let mut batch = read.batch;
    let is_as_written = |places: &BTreeMap<u32, Option<u32>>| places.iter().all(|(was, now)| Some(*was) == *now);
    if !is_as_written(&rules) || !is_as_written(&fields) {
        batch.matched = batch.matched.into_iter().filter_map(|one| moved(one, &rules, &fields)).collect();
    }
    Ok(Said { tick: read.tick, batch })
}

/// Where each place stands now.
fn places(written: &[(u32, String)], names: &[String]) -> BTreeMap<u32, Option<u32>> {
    let now = |name: &String| names.iter().position(|known| known == name).map(|place| place as u32);
    written.iter().map(|(was, name)| (*was, now(name))).collect()
}

/// A fact with its rules and fields where they stand now; `None` if no rule of it is left.
fn moved(matched: Matched, rules: &BTreeMap<u32, Option<u32>>, fields: &BTreeMap<u32, Option<u32>>) -> Option<Matched> {
    let now = |places: &BTreeMap<u32, Option<u32>>, was: &u32| places.get(was).copied().flatten();
    let mut places: Vec<u32> = matched.rules.iter().filter_map(|was| now(rules, was)).collect();
    if places.is_empty() {
        return None;
    }
    places.sort_unstable();
    let values = matched.fields.into_iter();
    let mut values: Vec<_> = values.filter_map(|(was, values)| Some((now(fields, &was)?, values))).collect();
    values.sort_unstable_by_key(|(place, _)| *place);
    Some(Matched { rules: places.into(), fields: values.into(), ..matched })
}
