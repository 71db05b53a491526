//! From a correlation to its operator.

use super::super::Members;
use super::SigmaOperator;
use super::gauge::Gauge;
use super::limits::{Limits, millionths};
use super::order::{Count, Paths};
use super::rules::Asked;
use super::tally::Judge;
use super::words;
use crate::sigma::ways::ways;
use crate::sigma::{Condition, CorrelationCondition, CorrelationKind, Linked, Member};

impl SigmaOperator {
    /// The operator of a Sigma correlation; `None` for the types that Sigma lacks.
    pub fn compile(linked: &Linked) -> Option<SigmaOperator> {
        let correlation = &linked.correlation;
        let plan = Plan {
            kind: correlation.kind,
            rules: linked.members.len(),
            has_beneath: linked.members.iter().any(|member| matches!(member, Member::Correlation(_))),
        };
        let (gauge, judge) = match &correlation.condition {
            CorrelationCondition::Every => (plan.every(), None),
            CorrelationCondition::Compare { bounds, percentile, .. } => {
                let limits = Limits::of(bounds);
                let rising = limits.rising(plan.kind);
                let gauge = rising.as_ref().map_or(Gauge::Any, |rising| plan.gauge(rising));
                let judge = (!correlation.is_rising()).then(|| plan.judge(limits, *percentile));
                (gauge, judge)
            }
            CorrelationCondition::Expression(condition) => plan.expression(condition, correlation.is_rising()),
            CorrelationCondition::Stateful(_) => return None,
        };
        Some(SigmaOperator {
            span: correlation.timespan_ms.saturating_mul(1000),
            has_beneath: plan.has_beneath,
            recent_max: gauge.recent_max(),
            gauge,
            judge,
            of: words::measured(correlation),
            threshold: words::threshold(correlation),
        })
    }
}

struct Plan {
    kind: CorrelationKind,
    rules: usize,
    has_beneath: bool,
}

impl Plan {
    /// All rules, in order where that is asked.
    fn every(&self) -> Gauge {
        let all = (0..self.rules).fold(Members::default(), |all, rule| all.with(Members::one(rule)));
        match self.kind {
            CorrelationKind::TemporalOrdered => Gauge::Paths(Paths::of(&[(all, Members::default())]), self.rules),
            _ => Gauge::Rules(Asked::AtLeast(self.rules), self.rules),
        }
    }

    /// What bounds that rise ask for.
    fn gauge(&self, rising: &Limits) -> Gauge {
        let least = rising.least_count();
        match self.kind {
            CorrelationKind::EventCount if self.has_beneath => Gauge::Ids(least),
            CorrelationKind::EventCount => Gauge::Events(least),
            CorrelationKind::ValueCount => Gauge::Texts(least),
            CorrelationKind::ValueSum => Gauge::Sum(rising.least()),
            CorrelationKind::ValueMax => Gauge::AtLeast(rising.least()),
            CorrelationKind::ValueMin => Gauge::AtMost(rising.most()),
            CorrelationKind::Temporal => Gauge::Rules(Asked::AtLeast(least), self.rules),
            CorrelationKind::TemporalOrdered => Gauge::InOrder(self.count(), least),
            _ => Gauge::Any,
        }
    }

    fn count(&self) -> Count {
        Count::of(self.rules)
    }

    /// What all bounds ask of a window.
    fn judge(&self, limits: Limits, percentile: Option<f64>) -> Judge {
        let most = Judge::most_values(&limits);
        match self.kind {
            CorrelationKind::EventCount if self.has_beneath => Judge::Ids(limits, most),
            CorrelationKind::EventCount => Judge::Events(limits),
            CorrelationKind::ValueCount => Judge::Texts(limits, most),
            CorrelationKind::ValueSum => Judge::Sum(limits),
            CorrelationKind::ValueMax => Judge::Greatest(limits),
            CorrelationKind::ValueMin => Judge::Smallest(limits),
            CorrelationKind::ValueAvg => Judge::Average(limits),
            CorrelationKind::ValueMedian => Judge::Rank(limits, millionths(50.0)),
            CorrelationKind::ValuePercentile => match percentile {
                Some(percentile) => Judge::Rank(limits, millionths(percentile)),
                None => Judge::Shares(limits),
            },
            CorrelationKind::TemporalOrdered => Judge::InOrder(limits, self.count()),
            _ => Judge::Rules(limits),
        }
    }

    fn expression(&self, condition: &Condition, is_rising: bool) -> (Gauge, Option<Judge>) {
        if self.kind != CorrelationKind::TemporalOrdered {
            let judge = (!is_rising).then(|| Judge::Expression(condition.clone()));
            return (Gauge::Rules(Asked::Expression(condition.clone()), self.rules), judge);
        }
        let ways = ways(condition).expect("a condition of more ways is refused when it is read");
        let chains: Vec<_> = ways.iter().map(|way| (Members(way.with), Members(way.without))).collect();
        let paths = Paths::of(&chains);
        (Gauge::Paths(paths.clone(), self.rules), (!is_rising).then_some(Judge::Paths(paths)))
    }
}
