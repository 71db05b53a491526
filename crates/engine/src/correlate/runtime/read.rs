//! Reads from an event, or from the events of a finding beneath, to which groups it belongs and what counts of it.

use std::sync::Arc;

use crate::correlate::{Claim, Matched, Members, Values};
use crate::sigma::{WHO, millionths};

/// Groups to which one event may belong.
const GROUPS_MAX: usize = 64;
/// Tuples of values that one event may give.
const TUPLES_MAX: usize = 4096;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A field that evaluation hands over, by its place among them, and by its name.
    Field(u32, Arc<str>),
    /// The person or workload behind the event.
    Who,
}

/// What counts of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// That it happened.
    Nothing,
    /// Texts; tuples of texts where there are several fields.
    Texts,
    /// Numbers.
    Numbers,
    /// Numbers that are not negative.
    Amounts,
}

/// How one member of a correlation is read.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    /// The values of the group.
    pub group: Vec<Part>,
    /// The fields that name the things of which something is measured; none where nothing is told apart.
    pub things: Vec<Part>,
    /// The fields that count.
    pub fields: Vec<Part>,
    pub what: What,
    /// Does an event that names things take part without a value that counts?
    pub is_optional: bool,
}

/// Something that has values: an event, or one beneath a finding.
pub(super) trait Readable {
    /// The values of a part, in the order of the record.
    fn values(&self, part: &Part) -> &[Arc<str>];
}

/// An event with the name of who is behind it.
pub(super) struct Event<'a> {
    pub matched: &'a Matched,
    pub who: &'a [Arc<str>],
}

impl Readable for Event<'_> {
    fn values(&self, part: &Part) -> &[Arc<str>] {
        match part {
            Part::Field(field, _) => {
                let at = self.matched.fields.binary_search_by_key(field, |(known, _)| *known);
                at.map_or(&[], |at| &self.matched.fields[at].1)
            }
            Part::Who => self.who,
        }
    }
}

impl Readable for Claim {
    fn values(&self, part: &Part) -> &[Arc<str>] {
        let Some(detail) = &self.detail else { return &[] };
        let name = match part {
            Part::Field(_, name) => name,
            Part::Who => WHO,
        };
        let at = detail.fields.binary_search_by(|(known, _)| (**known).cmp(name));
        at.map_or(&[], |at| &detail.fields[at].1)
    }
}

/// A group with the members as which an event belongs to it, and what counts of it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub key: Vec<u8>,
    pub members: Members,
    pub values: Values,
}

/// The places of events: of one event for each member that it is, or of all events beneath a finding.
///
/// Where an event is several members, the values of the first that gives any count.
pub(super) fn places<'r, R: Readable + 'r>(
    readers: impl Iterator<Item = (usize, &'r Reader)>,
    events: &[R],
    places: &mut Vec<Place>,
) {
    places.clear();
    for (member, reader) in readers {
        let Some(values) = reader.all_values(events) else { continue };
        let mut count = 0;
        for event in events {
            reader.keys(event, &mut |key| {
                let known = places.iter_mut().find(|place| place.key == *key);
                match known {
                    Some(place) if place.members.has(member) => return true,
                    Some(place) => {
                        place.members = place.members.with(Members::one(member));
                        if place.values == Values::None {
                            place.values = values.clone();
                        }
                    }
                    None => {
                        let (key, members) = (key.to_vec(), Members::one(member));
                        places.push(Place { key, members, values: values.clone() });
                    }
                }
                count += 1;
                count < GROUPS_MAX
            });
        }
    }
}

impl Reader {
    /// Every combination of the values of the group, the first changing slowest, until `each` has enough.
    fn keys<R: Readable>(&self, event: &R, each: &mut dyn FnMut(&[u8]) -> bool) {
        let mut key = Vec::new();
        self.keys_from(event, 0, &mut key, each);
    }

    fn keys_from<R: Readable>(
        &self,
        event: &R,
        at: usize,
        key: &mut Vec<u8>,
        each: &mut dyn FnMut(&[u8]) -> bool,
    ) -> bool {
        let Some(part) = self.group.get(at) else { return each(key) };
        let length = key.len();
        for value in event.values(part) {
            push_text(key, value);
            let goes_on = self.keys_from(event, at + 1, key, each);
            key.truncate(length);
            if !goes_on {
                return false;
            }
        }
        true
    }

    /// What counts of the events; `None` where nothing does and they take no part.
    fn all_values<R: Readable>(&self, events: &[R]) -> Option<Values> {
        let counted = self.counted(events);
        if self.things.is_empty() {
            return (self.what == What::Nothing || counted != Values::None).then_some(counted);
        }
        let mut things: Vec<Arc<str>> = Vec::new();
        events.iter().for_each(|event| tuples(event, &self.things, &mut things));
        match counted {
            _ if things.is_empty() => None,
            Values::None if self.is_optional => Some(Values::Texts(things.into())),
            Values::None => None,
            counted => Some(Values::Measured { of: things.into(), values: Box::new(counted) }),
        }
    }

    fn counted<R: Readable>(&self, events: &[R]) -> Values {
        if self.what == What::Nothing {
            return Values::None;
        }
        let mut texts: Vec<Arc<str>> = Vec::new();
        events.iter().for_each(|event| tuples(event, &self.fields, &mut texts));
        if self.what == What::Texts {
            return if texts.is_empty() { Values::None } else { Values::Texts(texts.into()) };
        }
        let is_usable = |number: &i128| self.what == What::Numbers || *number >= 0;
        let numbers: Vec<i128> = texts.iter().filter_map(|text| millionths(text)).filter(is_usable).collect();
        match numbers[..] {
            [] => Values::None,
            [number] => Values::Number(number),
            _ => Values::Numbers(numbers.into()),
        }
    }
}

/// Every tuple of the values of `fields`; of one field, its values.
fn tuples<R: Readable>(event: &R, fields: &[Part], texts: &mut Vec<Arc<str>>) {
    if let [field] = fields {
        return texts.extend(event.values(field).iter().cloned());
    }
    let mut tuples: Vec<Vec<&str>> = vec![Vec::new()];
    for field in fields {
        let mut next = Vec::new();
        for tuple in &tuples {
            for value in event.values(field) {
                next.push([&tuple[..], &[&**value]].concat());
            }
        }
        tuples = next;
        tuples.truncate(TUPLES_MAX);
    }
    texts.extend(tuples.iter().map(|tuple| Arc::from(serde_json::Value::from(tuple.clone()).to_string())));
}

/// Appends a value to a key.
pub(super) fn push_text(key: &mut Vec<u8>, text: &str) {
    key.extend_from_slice(&(text.len() as u32).to_le_bytes());
    key.extend_from_slice(text.as_bytes());
}

/// The values of a key.
pub(super) fn texts_of(mut key: &[u8]) -> Vec<String> {
    let mut texts = Vec::new();
    while let Some((length, rest)) = key.split_first_chunk::<4>() {
        let (text, rest) = rest.split_at((u32::from_le_bytes(*length) as usize).min(rest.len()));
        texts.push(String::from_utf8_lossy(text).into_owned());
        key = rest;
    }
    texts
}
