//! A source with its fields numbered: what evaluation asks of every record.

use std::collections::BTreeMap;

use model::{Entity, EntityKind, EventId, Reject, SourceId, Time};

use super::links::ActorReader;
use super::reading::Template;
use super::shown::LinksReader;
use super::text::{self, Inside, TextReader};
use super::time::{self, Unit};
use super::{Choice, Reader, Recognise, Source, TimePath};
use crate::field::{Field, Fields, FieldsBuilder};
use crate::minimise::Guard;
use crate::record::{Record, Scalar};

/// A compiled [`Source`].
#[derive(Debug)]
pub(crate) struct Plan {
    tests: Vec<Test>,
    times: Vec<(When, Unit)>,
    identity: Vec<Vec<Field>>,
    columns: Vec<(String, Vec<Reader>)>,
    entities: Vec<(EntityKind, Vec<Reader>)>,
    ecs: Vec<(String, Vec<Reader>)>,
    pub(crate) actor: ActorReader,
    pub(crate) links: LinksReader,
    /// For each required field the paths, one of which must have a value.
    required: Vec<Vec<Field>>,
    pub(crate) guard: Guard,
    pub(crate) activity: Chooser,
    pub(crate) severity: Chooser,
    /// How its lines are read, once all fields are numbered.
    pub(crate) texts: Vec<TextReader>,
    /// Which values of its JSON records are text of a format of their own.
    pub(crate) inside: Inside,
}

/// Where a time is read.
#[derive(Debug)]
enum When {
    Field(Field),
    Template(Template),
}

/// A [`Recognise`] with its fields numbered.
#[derive(Debug)]
pub(crate) struct Test {
    has: Vec<Field>,
    lacks: Vec<Field>,
    equals: Vec<(Field, Vec<String>)>,
    prefix: Vec<(Field, Vec<String>)>,
}

#[derive(Debug)]
pub(crate) struct Chooser {
    from: Option<Reader>,
    choice: Choice,
}

impl Chooser {
    fn new(choice: &Choice, fields: &mut FieldsBuilder) -> Chooser {
        Chooser { from: choice.from.as_ref().map(|reading| reading.compile(fields)), choice: choice.clone() }
    }

    /// The number for the record.
    pub(crate) fn choose(&self, record: &Record<'_>) -> u32 {
        self.choose_with(record).0
    }

    /// The number for the record, and the value that it follows from.
    pub(crate) fn choose_with(&self, record: &Record<'_>) -> (u32, Option<String>) {
        let Some(value) = self.from.as_ref().and_then(|reader| reader.first(record)) else {
            return (self.choice.other, None);
        };
        (self.number_of(&value), Some(value))
    }

    fn number_of(&self, value: &str) -> u32 {
        let choice = &self.choice;
        if let Some(id) = choice.values.get(value) {
            return *id;
        }
        let starts = choice.prefixes.iter().filter(|(start, _)| value.starts_with(start.as_str()));
        if let Some((_, id)) = starts.max_by_key(|(start, _)| start.len()) {
            return *id;
        }
        let number: f64 = value.parse().unwrap_or(f64::NAN);
        choice.at_least.iter().find(|(from, _)| number >= *from).map_or(choice.other, |(_, id)| *id)
    }
}

impl Plan {
    pub(crate) fn compile(source: &Source, fields: &mut FieldsBuilder) -> Plan {
        let readers = |readings: &[super::Reading], fields: &mut FieldsBuilder| {
            readings.iter().map(|reading| reading.compile(fields)).collect::<Vec<Reader>>()
        };
        source.text_formats().for_each(|format| format.intern(fields));
        text::intern(&source.inside, fields);
        let mut all = |paths: &Vec<String>| paths.iter().map(|path| fields.intern(path)).collect::<Vec<Field>>();
        let identity = source.identity.iter().map(&mut all).collect();
        let required = source.required.fields.iter().map(&mut all).collect();
        Plan {
            identity,
            required,
            guard: Guard::compile(source, fields),
            tests: source.recognise.iter().map(|recognise| Test::new(recognise, fields)).collect(),
            times: source.time.iter().map(|time| (When::compile(time, fields), time.unit)).collect(),
            columns: source.column_readings.iter().map(|(name, list)| (name.clone(), readers(list, fields))).collect(),
            entities: source.entity_readings.iter().map(|(kind, list)| (*kind, readers(list, fields))).collect(),
            ecs: source.ecs.iter().map(|(name, list)| (name.clone(), readers(list, fields))).collect(),
            actor: ActorReader::compile(&source.actor, fields),
            links: LinksReader::compile(source, fields),
            activity: Chooser::new(&source.ocsf.activity, fields),
            severity: Chooser::new(&source.ocsf.severity, fields),
            texts: Vec::new(),
            inside: Inside::default(),
        }
    }

    /// Once all fields are numbered: how the source's lines are read.
    pub(crate) fn finish(&mut self, source: &Source, fields: &Fields) {
        self.texts = source.text_formats().map(|format| TextReader::new(format, fields)).collect();
        self.inside = Inside::new(&source.inside, fields);
    }

    /// Is the JSON record one of the source?
    pub(crate) fn recognises(&self, record: &Record<'_>) -> bool {
        self.tests.iter().any(|test| test.holds(record))
    }

    /// When the record says that it happened; `None` where it does not say.
    pub(crate) fn time(&self, record: &Record<'_>) -> Result<Option<Time>, Reject> {
        let mut is_unreadable = false;
        for (when, unit) in &self.times {
            let path = match when {
                When::Field(path) => path,
                When::Template(template) => match template.fill(record).map(|text| time::parse(&text, *unit)) {
                    Some(Some(time)) => return Ok(Some(time)),
                    Some(None) => {
                        is_unreadable = true;
                        continue;
                    }
                    None => continue,
                },
            };
            for value in record.values(*path) {
                if let Some(time) = time::read(value, *unit) {
                    return Ok(Some(time));
                }
                if value.scalar_text().is_some_and(|text| !matches!(text, "" | "0")) {
                    is_unreadable = true;
                }
            }
        }
        if is_unreadable { Err(Reject::BadTime) } else { Ok(None) }
    }

    /// The event's id. A record without what should make it itself is its bytes.
    pub(crate) fn event_id(&self, source: &SourceId, record: &Record<'_>) -> EventId {
        let part = |paths: &Vec<Field>| {
            let mut values = paths.iter().filter_map(|path| record.first_str(*path));
            values.find(|value| !value.is_empty()).unwrap_or_default()
        };
        let parts: Vec<&str> = self.identity.iter().map(part).collect();
        let mut digest: Vec<&[u8]> = vec![source.as_str().as_bytes()];
        match parts.first() {
            Some(first) if !first.is_empty() => digest.extend(parts.iter().map(|part| part.as_bytes())),
            _ => digest.push(record.raw().as_bytes()),
        }
        EventId::of(&digest)
    }

    /// Which required fields the record has: a bit for each, in their order.
    #[inline]
    pub(crate) fn filled(&self, record: &Record<'_>) -> u32 {
        let mut filled = 0;
        for (at, paths) in self.required.iter().enumerate() {
            if paths.iter().any(|path| record.has_value(*path)) {
                filled |= 1 << at;
            }
        }
        filled
    }

    /// One column alone.
    pub(crate) fn column(&self, name: &str, record: &Record<'_>) -> Option<String> {
        // They come from a map by name.
        let at = self.columns.binary_search_by(|(column, _)| column.as_str().cmp(name)).ok()?;
        self.columns[at].1.iter().find_map(|reader| reader.first(record))
    }

    /// Fields of ECS that the source says itself, with all values of all of their readings.
    pub(crate) fn ecs(&self, record: &Record<'_>) -> impl Iterator<Item = (&str, Vec<String>)> {
        self.ecs.iter().map(move |(name, readers)| {
            let mut values = Vec::new();
            readers.iter().for_each(|reader| reader.each(record, &mut |value| values.push(value)));
            (name.as_str(), values)
        })
    }

    /// Every value of a column: of the first reading that reads something.
    pub(crate) fn column_values(&self, name: &str, record: &Record<'_>) -> Vec<String> {
        let mut values = Vec::new();
        let Ok(at) = self.columns.binary_search_by(|(column, _)| column.as_str().cmp(name)) else { return values };
        for reader in &self.columns[at].1 {
            reader.each(record, &mut |value| values.push(value));
            if !values.is_empty() {
                break;
            }
        }
        values
    }

    pub(crate) fn columns(&self, record: &Record<'_>) -> BTreeMap<String, String> {
        let first = |readers: &Vec<Reader>| readers.iter().find_map(|reader| reader.first(record));
        self.columns.iter().filter_map(|(name, readers)| Some((name.clone(), first(readers)?))).collect()
    }

    /// How its entities are read.
    pub(crate) fn entity_readers(&self) -> &[(EntityKind, Vec<Reader>)] {
        &self.entities
    }

    pub(crate) fn entities(&self, record: &Record<'_>) -> Vec<Entity> {
        let mut entities = Vec::new();
        for (kind, readers) in &self.entities {
            for reader in readers {
                reader.each(record, &mut |key| entities.push(Entity { kind: *kind, key }));
            }
        }
        entities.sort();
        entities.dedup();
        entities
    }
}

impl When {
    fn compile(time: &TimePath, fields: &mut FieldsBuilder) -> When {
        match &time.template {
            Some(template) => When::Template(Template::compile(template, fields)),
            None => When::Field(fields.intern(&time.path)),
        }
    }
}

impl Test {
    pub(crate) fn new(recognise: &Recognise, fields: &mut FieldsBuilder) -> Test {
        let pairs = |map: &BTreeMap<String, Vec<String>>, fields: &mut FieldsBuilder| {
            map.iter().map(|(path, values)| (fields.intern(path), values.clone())).collect()
        };
        Test {
            has: recognise.has.iter().map(|path| fields.intern(path)).collect(),
            lacks: recognise.lacks.iter().map(|path| fields.intern(path)).collect(),
            equals: pairs(&recognise.equals, fields),
            prefix: pairs(&recognise.prefix, fields),
        }
    }

    pub(crate) fn holds(&self, record: &Record<'_>) -> bool {
        let any = |path: Field, test: &dyn Fn(&str) -> bool| {
            record.values(path).any(|value| match value {
                Scalar::Null | Scalar::Composite(_) => false,
                value => test(value.text()),
            })
        };
        self.has.iter().all(|path| record.is_present(*path))
            && !self.lacks.iter().any(|path| record.is_present(*path))
            && self.equals.iter().all(|(path, values)| any(*path, &|text| values.iter().any(|value| value == text)))
            && self.prefix.iter().all(|(path, starts)| any(*path, &|text| starts.iter().any(|s| text.starts_with(s))))
    }
}
