//! Reads from an event, or from the events of a finding beneath, to which groups it belongs and what counts of it.

use std::sync::Arc;

use smallvec::SmallVec;

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

/// The values of a group, one after the other.
pub(super) type Key = SmallVec<[u8; 96]>;

/// A group with the members as which an event belongs to it, and what counts of it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub key: Key,
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
        let (mut count, mut values) = (0, Given { values: Some(values), to: 0 });
        for event in events {
            reader.keys(event, &mut |key| {
                let known = places.iter().position(|place| *place.key == *key);
                match known {
                    Some(at) if places[at].members.has(member) => return true,
                    Some(at) => {
                        places[at].members = places[at].members.with(Members::one(member));
                        if places[at].values == Values::None {
                            places[at].values = values.give(at, places);
                        }
                    }
                    None => {
                        let (key, members) = (Key::from_slice(key), Members::one(member));
                        let values = values.give(places.len(), places);
                        places.push(Place { key, members, values });
                    }
                }
                count += 1;
                count < GROUPS_MAX
            });
        }
    }
}

/// Values that are handed over to the first place that asks, and copied from there for others.
struct Given {
    values: Option<Values>,
    to: usize,
}

impl Given {
    fn give(&mut self, to: usize, places: &[Place]) -> Values {
        match self.values.take() {
            Some(values) => {
                self.to = to;
                values
            }
            None => places[self.to].values.clone(),
        }
    }
}

impl Reader {
    /// Every combination of the values of the group, the first changing slowest, until `each` has enough.
    fn keys<R: Readable>(&self, event: &R, each: &mut dyn FnMut(&[u8]) -> bool) {
        let mut key = Key::new();
        self.keys_from(event, 0, &mut key, each);
    }

    fn keys_from<R: Readable>(&self, event: &R, at: usize, key: &mut Key, each: &mut dyn FnMut(&[u8]) -> bool) -> bool {
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
        if let ([event], [field]) = (events, &self.fields[..]) {
            return self.counted_of(event.values(field));
        }
        let mut texts: Vec<Arc<str>> = Vec::new();
        events.iter().for_each(|event| tuples(event, &self.fields, &mut texts));
        self.counted_of(&texts)
    }

    fn counted_of(&self, texts: &[Arc<str>]) -> Values {
        if self.what == What::Texts {
            return if texts.is_empty() { Values::None } else { Values::Texts(texts.into()) };
        }
        let is_usable = |number: &i128| self.what == What::Numbers || *number >= 0;
        let numbers: SmallVec<[i128; 4]> = texts.iter().filter_map(|text| millionths(text)).filter(is_usable).collect();
        match numbers[..] {
            [] => Values::None,
            [number] => Values::Number(number),
            _ => Values::Numbers(numbers.to_vec().into()),
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
pub(super) fn push_text(key: &mut Key, text: &str) {
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
