//! Sources: what a feed's records look like, as content says.
//!
//! In: the text of a `source.yml`. Out: a [`Source`] that recognises, unwraps, dates, names and maps records, with every mistake of
//! its author at once. Bound: one file; nothing here looks at a record, see `plan`.

pub(crate) mod links;
mod parse;
pub(crate) mod plan;
pub(crate) mod reading;
mod remap;
pub(crate) mod routing;
pub(crate) mod shape;
pub(crate) mod shown;
pub(crate) mod text;
pub(crate) mod time;

use std::collections::BTreeMap;

use model::{Diagnostic, EntityKind, SourceId};

use crate::sigma::LogSource;

pub use links::{LinkEnd, LinkRule, Named};
pub use reading::Reading;
pub(crate) use reading::{Reader, holes};
pub use remap::{Remap, RemapText};
pub use routing::Route;
pub use text::{Delimited, Heads, KeyValue, Layout, Product, Quotes, Separator, TextFormat};
pub use time::Unit;

/// How records of a source are written.
#[derive(Clone, Debug, PartialEq)]
pub enum SourceFormat {
    /// JSON objects.
    Json,
    /// Lines of text.
    Text(TextFormat),
}

/// The OCSF class that a source's records become.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OcsfClass {
    /// `class_uid`, such as 6003.
    pub class_uid: u32,
    /// `class_name`, such as `API Activity`.
    pub class_name: String,
    /// `category_uid`, such as 6.
    pub category_uid: u32,
    /// `category_name`, such as `Application Activity`.
    pub category_name: String,
    /// Profiles that its events carry, such as `cloud`.
    pub profiles: Vec<String>,
    /// `activity_id`.
    pub activity: Choice,
    /// `severity_id`.
    pub severity: Choice,
}

/// A number of OCSF that follows from a value of the record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choice {
    /// Where the value is.
    pub from: Option<Reading>,
    /// The number for a value.
    pub values: BTreeMap<String, u32>,
    /// The number for values that start like this; the longest start counts.
    pub prefixes: BTreeMap<String, u32>,
    /// The number for values from this one upwards, where the value is a number.
    pub at_least: Vec<(f64, u32)>,
    /// The number for all else.
    pub other: u32,
}

/// What makes a record one of the source: every part must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recognise {
    /// Each of these paths is there.
    pub has: Vec<String>,
    /// None of these paths is there.
    pub lacks: Vec<String>,
    /// Each path has one of these values.
    pub equals: BTreeMap<String, Vec<String>>,
    /// Each path has a value that starts with one of these.
    pub prefix: BTreeMap<String, Vec<String>>,
}

/// A record that holds several of a source's: an evaluation log its samples, a sample its events.
///
/// Shape: each element of the innermost list becomes a record of its own, which is told what stands around it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Within {
    /// What makes a record one that holds them.
    pub of: Recognise,
    /// The keys of the lists, from the outside in.
    pub at: Vec<String>,
    /// What an element is told: the key that it gets, and where its value stands. A path that starts with the keys of lists is read from the
    /// element of that list which is around it; any other from the whole.
    pub with: BTreeMap<String, String>,
    /// Keys of elements that their records do without.
    pub without: Vec<String>,
    /// How texts of elements stand for longer ones.
    pub references: Option<References>,
    /// Do the elements stand in place of the whole? It is a record too, where they do not.
    pub instead: bool,
}

/// Texts that stand for others: `attachment://<name>`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    /// How such a text starts; what follows is the name.
    pub prefix: String,
    /// The object that has each text under its name, as paths of [`Within::with`] are written.
    pub from: String,
}

/// A list of name/value pairs, which are read as if each name were a key where the record's fields are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs {
    /// Where the pairs are.
    pub list: String,
    /// Where a pair has its name; the first that is there counts.
    pub name: Vec<String>,
    /// Where a pair has its value; the first that is there counts.
    pub value: Vec<String>,
    /// The key below which the pairs are read, so that what somebody else names cannot pass for a field of the record.
    pub under: Option<String>,
}

/// Where a record says when it happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimePath {
    /// The path.
    pub path: String,
    /// In place of the path: text with `{path}` in it, for a time that stands in several places.
    pub template: Option<String>,
    /// What a number there counts.
    pub unit: Unit,
}

/// How often a source's records come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cadence {
    /// Without a record for so long, the source is silent; milliseconds.
    pub silent_after_ms: Option<i64>,
    /// How long after the event its record usually comes; milliseconds.
    pub lag_ms: Option<i64>,
}

/// What a source's records must hold, so that rules can find something in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Required {
    /// What must be there: for each, paths of which one must have a value. At most [`REQUIRED_MAX`].
    pub fields: Vec<Vec<String>>,
    /// The share of records that must have each, in thousandths.
    pub at_least: u32,
}

/// Fields that a source may require at most.
pub const REQUIRED_MAX: usize = 32;

/// How many records come at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Volume {
    /// So many records.
    pub at_least: u64,
    /// In so many hours.
    pub hours: u32,
}

/// A feed that Watchkeep understands: `content/sources/<id>/source.yml`.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// The folder's name.
    pub id: SourceId,
    /// A name for people.
    pub title: String,
    /// What the feed is.
    pub description: String,
    /// How its records are written; JSON where nothing is said.
    pub formats: Vec<SourceFormat>,
    /// Values of its JSON records that are text of a format of their own, by path.
    pub inside: Vec<(String, Vec<TextFormat>)>,
    /// The Sigma log sources that it carries, on every record or on some.
    pub logsources: Vec<LogSource>,
    /// On which records it carries each of them.
    pub routes: Vec<Route>,
    /// What makes a record one of this source: any of these.
    pub recognise: Vec<Recognise>,
    /// Paths under which the record may stand inside of another, as an object or as text.
    pub unwrap: Vec<String>,
    /// Records that hold several of this source's.
    pub within: Vec<Within>,
    /// Are `NaN` and `Infinity`, which JSON has no words for, read as texts of that name? A record that has them is rejected otherwise.
    pub reads_nan: bool,
    /// The program that makes what is read here of a record, for records that no mapping can read as they come.
    pub remap: Option<RemapText>,
    /// Places whose contents count as standing at the top of the record, for all readers of fields.
    pub transparent: Vec<String>,
    /// Lists of name/value pairs that are read as fields.
    pub pairs: Vec<Pairs>,
    /// Names that rules use, and where a record that lacks them has their value: the first path that has one.
    pub fields: BTreeMap<String, Vec<String>>,
    /// Where a record says when it happened; the first that can be read counts.
    pub time: Vec<TimePath>,
    /// What makes a record itself: for each part, the first path with a value.
    pub identity: Vec<Vec<String>>,
    /// The OCSF class of its events.
    pub ocsf: OcsfClass,
    /// Template of the start of a reason sentence, over columns and paths.
    pub sentence: Option<String>,
    /// Columns: OCSF path to where it is read from, as text for people.
    pub columns: BTreeMap<String, Vec<String>>,
    /// Columns: OCSF path to readings, of which the first that reads something counts.
    pub column_readings: BTreeMap<String, Vec<Reading>>,
    /// Entities: kind to where their keys are read from, as text for people.
    pub entities: BTreeMap<EntityKind, Vec<String>>,
    /// Entities: kind to readings, all of which count.
    pub entity_readings: BTreeMap<EntityKind, Vec<Reading>>,
    /// Fields of the Elastic Common Schema that are not read from columns as they are of other sources.
    pub ecs: BTreeMap<String, Vec<Reading>>,
    /// Who acts: the first that reads something counts.
    pub actor: Vec<Named>,
    /// What its records show about who is behind what.
    pub links: Vec<LinkRule>,
    /// Paths whose values must not leave the building as they are.
    pub sensitive: Vec<String>,
    /// Paths of texts that were given to a model, which detectors look at.
    pub prompts: Vec<String>,
    /// How often records come.
    pub cadence: Cadence,
    /// How many come at least, whatever the past says.
    pub volume: Option<Volume>,
    /// What its records must hold.
    pub required: Required,
    /// How to switch the feed on.
    pub enable: String,
    /// What the feed cannot see.
    pub blind_spots: Vec<String>,
}

impl Source {
    /// Reads a `source.yml`: the source, if it can be used, and every mistake.
    pub fn parse(text: &str) -> (Option<Source>, Vec<Diagnostic>) {
        parse::parse(text)
    }

    /// The formats of its lines, in the order in which they are tried.
    pub fn text_formats(&self) -> impl Iterator<Item = &TextFormat> {
        self.formats.iter().filter_map(|format| match format {
            SourceFormat::Json => None,
            SourceFormat::Text(format) => Some(format),
        })
    }
}

#[cfg(test)]
mod tests;
