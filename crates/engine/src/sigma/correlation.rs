//! What a Sigma correlation says (Sigma 2.1, "Correlation rules"). `docs/reference/correlation-semantics.md` says what it means,
//! `docs/reference/stateful.md` what the types mean that Sigma lacks.

use model::{Level, RuleId};
use serde::Serialize;

use super::detection::Condition;
use super::rule::{Status, Watchkeep};
use super::stateful::{Stateful, WHO};

/// What a correlation counts or orders (Sigma 2.1, `correlation.type`; the types from [`CorrelationKind::FirstSeen`] on are
/// Watchkeep's own, `watchkeep.stateful.type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CorrelationKind {
    /// How many events.
    EventCount,
    /// How many distinct values of a field.
    ValueCount,
    /// The sum of a field.
    ValueSum,
    /// The greatest value of a field.
    ValueMax,
    /// The least value of a field.
    ValueMin,
    /// The mean of a field.
    ValueAvg,
    /// A percentile of a field, or, without `percentile`, the share of each of its values.
    ValuePercentile,
    /// The median of a field.
    ValueMedian,
    /// All rules within the time span.
    Temporal,
    /// All rules within the time span, in order.
    TemporalOrdered,
    /// A value that is new to its group.
    FirstSeen,
    /// A value that is rare in its group.
    Rarity,
    /// A group's measure against its own past.
    Volume,
    /// Some members against others.
    Ratio,
    /// An entity against its peers.
    PeerGroup,
    /// What should have happened and did not.
    Absence,
    /// The share of a known set that was touched.
    Coverage,
    /// Two members beside each other.
    Join,
    /// Steps in order.
    Sequence,
    /// Points that add up.
    Risk,
}

impl CorrelationKind {
    /// Every kind of `correlation.type` with its Sigma word.
    pub const WORDS: [(&'static str, CorrelationKind); 10] = [
        ("event_count", CorrelationKind::EventCount),
        ("value_count", CorrelationKind::ValueCount),
        ("value_sum", CorrelationKind::ValueSum),
        ("value_max", CorrelationKind::ValueMax),
        ("value_min", CorrelationKind::ValueMin),
        ("value_avg", CorrelationKind::ValueAvg),
        ("value_percentile", CorrelationKind::ValuePercentile),
        ("value_median", CorrelationKind::ValueMedian),
        ("temporal", CorrelationKind::Temporal),
        ("temporal_ordered", CorrelationKind::TemporalOrdered),
    ];

    /// Every kind of `watchkeep.stateful.type` with its word.
    pub const STATEFUL: [(&'static str, CorrelationKind); 10] = [
        ("first_seen", CorrelationKind::FirstSeen),
        ("rarity", CorrelationKind::Rarity),
        ("volume", CorrelationKind::Volume),
        ("ratio", CorrelationKind::Ratio),
        ("peer_group", CorrelationKind::PeerGroup),
        ("absence", CorrelationKind::Absence),
        ("coverage", CorrelationKind::Coverage),
        ("join", CorrelationKind::Join),
        ("sequence", CorrelationKind::Sequence),
        ("risk", CorrelationKind::Risk),
    ];

    /// The kind's word.
    pub fn as_str(self) -> &'static str {
        let mut words = CorrelationKind::WORDS.iter().chain(&CorrelationKind::STATEFUL);
        words.find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }

    /// Is it one of Watchkeep's own, which Sigma lacks? Its correlation's condition is a [`CorrelationCondition::Stateful`].
    pub fn is_stateful(self) -> bool {
        self >= CorrelationKind::FirstSeen
    }

    /// Does it ask which of several rules occur?
    pub fn is_temporal(self) -> bool {
        matches!(self, CorrelationKind::Temporal | CorrelationKind::TemporalOrdered)
    }

    /// Does a Sigma correlation of this kind read a field?
    pub fn has_field(self) -> bool {
        !self.is_temporal() && !self.is_stateful() && self != CorrelationKind::EventCount
    }

    /// Does it count, so that its bounds are whole numbers of at least one?
    pub fn is_count(self) -> bool {
        self.is_temporal() || matches!(self, CorrelationKind::EventCount | CorrelationKind::ValueCount)
    }

    /// Once a bound of this comparison holds, do further events leave it so?
    pub fn rises_with(self, comparison: Comparison) -> bool {
        let is_lower = matches!(comparison, Comparison::Gt | Comparison::Gte);
        let is_upper = matches!(comparison, Comparison::Lt | Comparison::Lte);
        match self {
            CorrelationKind::ValueSum | CorrelationKind::ValueMax => is_lower,
            CorrelationKind::ValueMin => is_upper,
            CorrelationKind::ValueAvg | CorrelationKind::ValuePercentile | CorrelationKind::ValueMedian => false,
            _ => is_lower,
        }
    }
}

/// How a number is compared with a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Comparison {
    /// Greater than the bound.
    Gt,
    /// The bound or greater.
    Gte,
    /// Less than the bound.
    Lt,
    /// The bound or less.
    Lte,
    /// The bound.
    Eq,
    /// Anything but the bound.
    Neq,
}

impl Comparison {
    /// Every comparison with its Sigma word.
    pub const WORDS: [(&'static str, Comparison); 6] = [
        ("gt", Comparison::Gt),
        ("gte", Comparison::Gte),
        ("lt", Comparison::Lt),
        ("lte", Comparison::Lte),
        ("eq", Comparison::Eq),
        ("neq", Comparison::Neq),
    ];
}

/// One comparison of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bound {
    /// How.
    pub comparison: Comparison,
    /// With what; finite.
    pub value: f64,
}

/// A rule that a correlation refers to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reference {
    /// Its id or name, as the author wrote it.
    pub name: String,
    /// The line at which it stands.
    pub line: usize,
    /// The column at which it stands; 0 where that is not known.
    pub column: usize,
}

/// A name of the correlation's own for fields that its rules call differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alias {
    /// The name, for `group-by` and `field`.
    pub name: String,
    /// Rule and field, in the author's order.
    pub fields: Vec<(Reference, String)>,
}

/// When a correlation holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CorrelationCondition {
    /// Every rule occurs: what a temporal correlation without a condition asks for.
    Every,
    /// Comparisons of a number, all of which must hold.
    Compare {
        /// What it is compared with; never empty.
        bounds: Vec<Bound>,
        /// The fields that are read.
        fields: Vec<String>,
        /// Which percentile, 0 to 100.
        percentile: Option<f64>,
    },
    /// A condition over the rules; its leaves are places in `rules`.
    Expression(Condition),
    /// What a stateful type asks for.
    Stateful(Stateful),
}

/// A correlation, of Sigma or of `watchkeep.stateful`, checked as far as it can be without the rules that it refers to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Correlation {
    /// The file that the correlation was read from; empty until its loader says so.
    pub file: String,
    /// The line at which its document starts.
    pub line: usize,
    /// Its UUID, if it has one. One that speaks for a rule has that rule's.
    pub id: Option<String>,
    /// A short name that other documents may use.
    pub name: Option<String>,
    /// One line that says what it finds.
    pub title: String,
    /// What it finds, at length.
    pub description: Option<String>,
    /// How settled it is.
    pub status: Option<Status>,
    /// How grave what it finds is.
    pub level: Option<Level>,
    /// ATT&CK, ATLAS and other tags, as `namespace.name`.
    pub tags: Vec<String>,
    /// What else could look like it.
    pub falsepositives: Vec<String>,
    /// What it counts or orders.
    pub kind: CorrelationKind,
    /// The rules that it joins, in order.
    pub rules: Vec<Reference>,
    /// The fields whose values keep events apart; without any, all events are one group.
    pub group_by: Vec<String>,
    /// How long it looks, milliseconds.
    pub timespan_ms: i64,
    /// When it holds.
    pub condition: CorrelationCondition,
    /// Names for fields that its rules call differently.
    pub aliases: Vec<Alias>,
    /// Do the rules that it joins also raise findings of their own?
    pub generate: bool,
    /// The rule that it speaks for: the one that stands in the same document, whose events it judges over time. It has that rule's
    /// id, name, title, level and tags; whoever refers to the rule refers to it.
    pub voice_of: Option<RuleId>,
    /// What Watchkeep adds.
    pub watchkeep: Watchkeep,
}

impl Correlation {
    /// What the correlation calls itself: its id, its name, or its title.
    pub fn label(&self) -> &str {
        self.id.as_deref().or(self.name.as_deref()).unwrap_or(&self.title)
    }

    /// The alias called `name`.
    pub fn alias(&self, name: &str) -> Option<&Alias> {
        self.aliases.iter().find(|alias| alias.name == name)
    }

    /// The bounds of its condition; empty where it has none.
    pub fn bounds(&self) -> &[Bound] {
        match &self.condition {
            CorrelationCondition::Compare { bounds, .. } => bounds,
            CorrelationCondition::Stateful(Stateful::Ratio(ratio)) => &ratio.bounds,
            CorrelationCondition::Stateful(Stateful::Coverage(coverage)) => &coverage.bounds,
            CorrelationCondition::Stateful(Stateful::Risk(risk)) => &risk.bounds,
            _ => &[],
        }
    }

    /// The fields that its condition reads, in the order in which their values are asked for.
    pub fn fields(&self) -> Vec<&str> {
        match &self.condition {
            CorrelationCondition::Compare { fields, .. } => fields.iter().map(String::as_str).collect(),
            CorrelationCondition::Stateful(stateful) => stateful.fields(),
            _ => Vec::new(),
        }
    }

    /// What a stateful type asks for.
    pub fn stateful(&self) -> Option<&Stateful> {
        match &self.condition {
            CorrelationCondition::Stateful(stateful) => Some(stateful),
            _ => None,
        }
    }

    /// Does it group by who is behind an event?
    pub fn groups_by_who(&self) -> bool {
        self.group_by.iter().any(|field| field == WHO)
    }

    /// How late its records may come, milliseconds, where its author says so.
    pub fn late_data_ms(&self) -> Option<i64> {
        self.watchkeep.expect.as_ref()?.late_data_ms
    }

    /// Once its condition holds, do further events leave it so? Such a correlation answers at once; another waits until the window
    /// is over. A stateful type decides for itself, and counts as one that waits.
    pub fn is_rising(&self) -> bool {
        match &self.condition {
            CorrelationCondition::Every => true,
            CorrelationCondition::Compare { bounds, .. } => {
                bounds.iter().all(|bound| self.kind.rises_with(bound.comparison))
            }
            CorrelationCondition::Expression(condition) => !has_not(condition),
            CorrelationCondition::Stateful(_) => false,
        }
    }
}

fn has_not(condition: &Condition) -> bool {
    match condition {
        Condition::Not(_) => true,
        Condition::And(parts) | Condition::Or(parts) => parts.iter().any(has_not),
        Condition::Search(_) | Condition::Of(_) => false,
    }
}
