//! What `watchkeep: {stateful: …}` says: the types of rule over time that Sigma lacks. `docs/reference/stateful.md` says what they mean.
//!
//! A member is named by its place among the correlation's `rules`. The span of [`Correlation::timespan_ms`](super::Correlation) is for
//! each type what is said there.

use serde::Serialize;

use super::correlation::Bound;

/// The field that stands for the person or workload behind an event's actor, in `group-by`.
pub const WHO: &str = "watchkeep.who";

/// What a stateful type asks for, beside group and time span.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stateful {
    /// A value is new to its group: not seen within the time span before.
    FirstSeen(FirstSeen),
    /// A value is rare among those of its group within the time span.
    Rarity(Rarity),
    /// More, or less, in a bucket of one time span than the group's own past lets expect.
    Volume(Volume),
    /// Some members' events set against others', within the time span.
    Ratio(Ratio),
    /// One entity does more in a bucket of one time span than the other entities of its group.
    PeerGroup(PeerGroup),
    /// What should have happened within the time span did not.
    Absence(Absence),
    /// So much of a known set was touched within the time span.
    Coverage(Coverage),
    /// Two members within the time span, whichever comes first.
    Join(Join),
    /// Steps in order, all within the time span.
    Sequence(Sequence),
    /// Points of signals add up within the time span.
    Risk(Risk),
}

/// What is measured of some events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measured {
    /// How many there are.
    Count,
    /// The sum of the numbers in a field.
    Sum(String),
    /// How many different values fields have; of several, how many different tuples.
    Distinct(Vec<String>),
}

impl Measured {
    /// The fields that are read.
    pub fn fields(&self) -> &[String] {
        match self {
            Measured::Count => &[],
            Measured::Sum(field) => std::slice::from_ref(field),
            Measured::Distinct(fields) => fields,
        }
    }
}

/// How long a group is only learned: until both are over. Both zero: not at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Learn {
    /// Since the group's first event, milliseconds.
    pub span_ms: i64,
    /// So many events of the group.
    pub events: u64,
}

/// A value is new to its group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FirstSeen {
    /// The fields whose values count; of several, the tuple. Never empty.
    pub fields: Vec<String>,
    /// While this lasts, new values are learned and not told.
    pub learn: Learn,
    /// How many values of one group are remembered.
    pub values_max: usize,
}

/// A value is rare in its group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rarity {
    /// The fields whose values count; of several, the tuple. Never empty.
    pub fields: Vec<String>,
    /// The share below which a value is rare: above 0 and below 1.
    pub share: f64,
    /// The least number of events of the group within the time span, before any value is rare.
    pub least_events: u64,
    /// How many values of one group are remembered.
    pub values_max: usize,
}

/// What is to be expected, from a list of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Expectation {
    /// So many median absolute deviations from the median.
    Mad {
        /// How many; above 0.
        k: f64,
    },
    /// A quantile times a factor.
    Quantile {
        /// Which, 0 to 1.
        quantile: f64,
        /// The factor; above 0.
        factor: f64,
    },
}

/// Which buckets of the past are like the present one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Season {
    /// All.
    #[default]
    None,
    /// Those of the same hour of the day, UTC.
    HourOfDay,
    /// Those of the same hour of the week, UTC.
    HourOfWeek,
}

impl Season {
    /// Every season with its word.
    pub const WORDS: [(&'static str, Season); 3] =
        [("none", Season::None), ("hour_of_day", Season::HourOfDay), ("hour_of_week", Season::HourOfWeek)];

    /// How many seasons there are: 1, 24 or 168.
    pub fn slots(self) -> usize {
        match self {
            Season::None => 1,
            Season::HourOfDay => 24,
            Season::HourOfWeek => 168,
        }
    }
}

/// On which side of the expectation a value is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Beyond {
    /// More than is to be expected.
    #[default]
    Above,
    /// Less than is to be expected.
    Below,
}

impl Beyond {
    /// Each side with its word.
    pub const WORDS: [(&'static str, Beyond); 2] = [("above", Beyond::Above), ("below", Beyond::Below)];
}

/// A group against its own past.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Volume {
    /// What is measured in each bucket.
    pub measured: Measured,
    /// What is to be expected.
    pub expectation: Expectation,
    /// Which buckets of the past count.
    pub season: Season,
    /// So many full buckets of the group's past, of any season, before anything is told; at least 1.
    pub learn: usize,
    /// At most so many buckets of each season are remembered, the latest.
    pub history: usize,
    /// Above: a value below this is not told. Below: an expected middle below this tells nothing.
    pub at_least: f64,
    /// Which side.
    pub beyond: Beyond,
}

/// Some members against others.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ratio {
    /// The members above the line; never empty, in order.
    pub of: Vec<usize>,
    /// The members below the line, in order; `None`: all events of the group, those of `of` included.
    pub to: Option<Vec<usize>>,
    /// What is measured on both sides.
    pub measured: Measured,
    /// What the quotient is compared with; never empty.
    pub bounds: Vec<Bound>,
    /// The least measure below the line; above 0.
    pub at_least: f64,
}

/// An entity against its peers: the others of its group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PeerGroup {
    /// The fields that say which entity an event is of; of several, the tuple. Never empty.
    pub entity: Vec<String>,
    /// What is measured of each entity in each bucket.
    pub measured: Measured,
    /// What is to be expected, from the measures of the peers.
    pub expectation: Expectation,
    /// The least number of peers with events in the bucket, the entity itself not counted.
    pub least_peers: usize,
    /// A value below this is not told.
    pub at_least: f64,
}

/// When what is missing should have come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// At most one time span after the event.
    #[default]
    After,
    /// At most one time span before it.
    Before,
    /// Either.
    Either,
}

impl Side {
    /// Each side with its word.
    pub const WORDS: [(&'static str, Side); 3] =
        [("after", Side::After), ("before", Side::Before), ("either", Side::Either)];
}

/// Something did not happen.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Absence {
    /// An event of any other member, and none of `missing` within the time span.
    Unfollowed {
        /// The members that should have come, in order; never empty and never all.
        missing: Vec<usize>,
        /// On which side of the event.
        side: Side,
    },
    /// A group that was seen, and then no event of any member for one time span.
    Silent {
        /// So many events of the group before one is expected; at least 1.
        least_events: u64,
        /// After so long without an event, none is expected any more, milliseconds; at least the time span.
        forget_ms: i64,
    },
}

/// How large a known set is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KnownSet {
    /// So many; at least 1.
    Size(u64),
    /// The values of an inventory list; a value that is not in it does not count.
    List(String),
    /// A field of the events says how many; the latest that says so counts.
    Field(String),
}

/// A share of a known set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Coverage {
    /// The fields whose different values are counted; of several, the tuples. Never empty.
    pub fields: Vec<String>,
    /// The set.
    pub of: KnownSet,
    /// What the share is compared with: `gt` or `gte` of 0 to 1.
    pub bounds: Vec<Bound>,
    /// The least number of different values.
    pub at_least: u64,
}

/// Two members, one beside the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Join {
    /// `None`: told when both are there. Otherwise the member that is missing beside an event of the other.
    pub missing: Option<usize>,
}

/// One step of a sequence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its members, any of which will do, in order; never empty.
    pub members: Vec<usize>,
    /// The greatest time since the step before was complete, milliseconds; none for the first step.
    pub within_ms: Option<i64>,
    /// How many events it needs; at least 1.
    pub at_least: u64,
}

/// Steps in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sequence {
    /// The steps; at least one.
    pub steps: Vec<Step>,
    /// Members that break a sequence that has begun, in order; none of them is in a step.
    pub unless: Vec<usize>,
}

/// What the events of members are worth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Points {
    /// What the member's level is worth: [`level_points`].
    Level,
    /// For each member, in the order of `rules`; `None` where its level decides.
    Given(Vec<Option<u64>>),
}

/// Points add up.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Risk {
    /// What an event of each member is worth. [`Linked::weights`](super::Linked::weights) has the numbers.
    pub points: Points,
    /// What the sum is compared with: `gt` or `gte`.
    pub bounds: Vec<Bound>,
    /// The least number of different ATT&CK tactics among the members that occur; 0 for none.
    pub least_tactics: usize,
    /// The least number of different members that occur; 0 for none.
    pub least_rules: usize,
}

/// What an event of a member of a level is worth, unless the author says otherwise.
pub fn level_points(level: model::Level) -> u64 {
    match level {
        model::Level::Informational => 1,
        model::Level::Low => 5,
        model::Level::Medium => 20,
        model::Level::High => 50,
        model::Level::Critical => 100,
    }
}

impl Stateful {
    /// The fields that are read of events, beside those of `group-by`: first those whose values are compared or that name the entity,
    /// then those that are measured or say a size.
    pub fn fields(&self) -> Vec<&str> {
        let (first, second): (&[String], &[String]) = match self {
            Stateful::FirstSeen(it) => (&it.fields, &[]),
            Stateful::Rarity(it) => (&it.fields, &[]),
            Stateful::Volume(it) => (it.measured.fields(), &[]),
            Stateful::Ratio(it) => (it.measured.fields(), &[]),
            Stateful::PeerGroup(it) => (&it.entity, it.measured.fields()),
            Stateful::Coverage(it) => match &it.of {
                KnownSet::Field(size) => (&it.fields, std::slice::from_ref(size)),
                _ => (&it.fields, &[]),
            },
            Stateful::Absence(_) | Stateful::Join(_) | Stateful::Sequence(_) | Stateful::Risk(_) => (&[], &[]),
        };
        first.iter().chain(second).map(String::as_str).collect()
    }
}
