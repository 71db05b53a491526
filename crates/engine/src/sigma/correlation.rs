//! What a Sigma correlation says (Sigma 2.1, "Correlation rules"). `docs/reference/correlation-semantics.md` says what it means.

use model::Level;
use serde::Serialize;

use super::detection::Condition;
use super::rule::Status;

/// What a correlation counts or orders (Sigma 2.1, `correlation.type`).
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
}

impl CorrelationKind {
    /// Every kind with its Sigma word.
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

    /// The kind's Sigma word.
    pub fn as_str(self) -> &'static str {
        CorrelationKind::WORDS.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }

    /// Does it ask which of several rules occur?
    pub fn is_temporal(self) -> bool {
        matches!(self, CorrelationKind::Temporal | CorrelationKind::TemporalOrdered)
    }

    /// Does it read a field?
    pub fn has_field(self) -> bool {
        !self.is_temporal() && self != CorrelationKind::EventCount
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
}

/// A Sigma correlation, checked as far as it can be without the rules that it refers to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Correlation {
    /// The file that the correlation was read from; empty until its loader says so.
    pub file: String,
    /// The line at which its document starts.
    pub line: usize,
    /// Its UUID, if it has one.
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
            _ => &[],
        }
    }

    /// The fields that its condition reads.
    pub fn fields(&self) -> &[String] {
        match &self.condition {
            CorrelationCondition::Compare { fields, .. } => fields,
            _ => &[],
        }
    }

    /// Once its condition holds, do further events leave it so? Such a correlation answers at once; another waits until the window
    /// is over.
    pub fn is_rising(&self) -> bool {
        match &self.condition {
            CorrelationCondition::Every => true,
            CorrelationCondition::Compare { bounds, .. } => {
                bounds.iter().all(|bound| self.kind.rises_with(bound.comparison))
            }
            CorrelationCondition::Expression(condition) => !has_not(condition),
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
