use std::collections::BTreeMap;

use model::Level;
use serde::Serialize;

use super::detection::Detection;
use super::rule::{LogSource, Rule};

/// One document of a Sigma file.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::large_enum_variant, reason = "nearly every document is a rule, and each is moved out at once")]
pub enum Document {
    /// A detection rule.
    Rule(Rule),
    /// A filter, to be applied to the rules that it names.
    Filter(Filter),
    /// A correlation: kept whole, not yet evaluated.
    Correlation(Correlation),
}

/// Which rules a filter narrows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FilterTarget {
    /// Every rule that the filter's log source takes.
    Any,
    /// The rules with these ids or names.
    Rules(Vec<String>),
}

/// A Sigma filter: a condition that is joined by AND to the conditions of the rules that it names.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Filter {
    /// The file that the filter was read from; empty until its loader says so.
    pub file: String,
    /// The line at which its document starts.
    pub line: usize,
    /// Its UUID, if it has one.
    pub id: Option<String>,
    /// One line that says what it takes out.
    pub title: String,
    /// What it takes out, at length.
    pub description: Option<String>,
    /// Which rules it may narrow: each part that it gives must equal the rule's.
    pub logsource: LogSource,
    /// Which rules it narrows.
    pub target: FilterTarget,
    /// The condition that must hold as well.
    pub detection: Detection,
    /// 16 hexadecimal digits of a digest over the filter's meaning.
    pub revision: String,
}

impl Filter {
    /// Does the filter narrow `rule`?
    pub fn takes(&self, rule: &Rule) -> bool {
        self.logsource.applies_to(&rule.logsource) && self.names(rule)
    }

    /// Does the filter name `rule`, whatever their log sources?
    pub fn names(&self, rule: &Rule) -> bool {
        match &self.target {
            FilterTarget::Any => true,
            FilterTarget::Rules(rules) => rules
                .iter()
                .any(|wanted| wanted.eq_ignore_ascii_case(rule.id.as_str()) || rule.name.as_ref() == Some(wanted)),
        }
    }
}

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
    /// The mean of a field.
    ValueAvg,
    /// A percentile of a field.
    ValuePercentile,
    /// The median of a field.
    ValueMedian,
    /// All rules within the time span.
    Temporal,
    /// All rules within the time span, in order.
    TemporalOrdered,
    /// As `Temporal`, by a condition over the rules.
    ExtendedTemporal,
    /// As `TemporalOrdered`, by a condition over the rules.
    ExtendedTemporalOrdered,
}

impl CorrelationKind {
    /// Every kind with its Sigma word.
    pub const WORDS: [(&'static str, CorrelationKind); 10] = [
        ("event_count", CorrelationKind::EventCount),
        ("value_count", CorrelationKind::ValueCount),
        ("value_sum", CorrelationKind::ValueSum),
        ("value_avg", CorrelationKind::ValueAvg),
        ("value_percentile", CorrelationKind::ValuePercentile),
        ("value_median", CorrelationKind::ValueMedian),
        ("temporal", CorrelationKind::Temporal),
        ("temporal_ordered", CorrelationKind::TemporalOrdered),
        ("extended_temporal", CorrelationKind::ExtendedTemporal),
        ("extended_temporal_ordered", CorrelationKind::ExtendedTemporalOrdered),
    ];
}

/// When a correlation holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CorrelationCondition {
    /// Comparisons (`gte: 100`) of the count, all of which must hold, and the fields whose values are counted.
    Compare {
        /// `gt`, `gte`, `lt`, `lte`, `eq` or `neq`, with the number.
        bounds: Vec<(String, f64)>,
        /// The fields whose values are counted.
        fields: Vec<String>,
        /// Which percentile.
        percentile: Option<f64>,
    },
    /// A condition over rule names.
    Expression(String),
}

/// A Sigma correlation, kept whole.
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
    /// How grave what it finds is.
    pub level: Option<Level>,
    /// What it counts or orders.
    pub kind: CorrelationKind,
    /// The rules that it joins, by id or name, in order.
    pub rules: Vec<String>,
    /// The fields whose values keep events apart.
    pub group_by: Vec<String>,
    /// How long it looks, milliseconds.
    pub timespan_ms: i64,
    /// When it holds; temporal correlations may do without.
    pub condition: Option<CorrelationCondition>,
    /// Alias to rule name to field.
    pub aliases: BTreeMap<String, BTreeMap<String, String>>,
    /// Do the rules that it joins also raise findings of their own?
    pub generate: bool,
}
