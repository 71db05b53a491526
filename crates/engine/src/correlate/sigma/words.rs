//! What is measured and what is asked for, in words.

use super::limits::Limits;
use crate::sigma::{Condition, Correlation, CorrelationCondition, CorrelationKind};

/// What is measured, such as `median of bytes`.
pub(super) fn measured(correlation: &Correlation) -> String {
    let fields = correlation.fields().join(", ");
    match (correlation.kind, &correlation.condition) {
        (CorrelationKind::EventCount, _) => "events".to_owned(),
        (CorrelationKind::ValueCount, _) => format!("different values of {fields}"),
        (CorrelationKind::ValueSum, _) => format!("sum of {fields}"),
        (CorrelationKind::ValueMax, _) => format!("greatest {fields}"),
        (CorrelationKind::ValueMin, _) => format!("least {fields}"),
        (CorrelationKind::ValueAvg, _) => format!("average of {fields}"),
        (CorrelationKind::ValueMedian, _) => format!("median of {fields}"),
        (CorrelationKind::ValuePercentile, CorrelationCondition::Compare { percentile: Some(percentile), .. }) => {
            format!("percentile {percentile} of {fields}")
        }
        (CorrelationKind::ValuePercentile, _) => format!("share of one {fields} in percent"),
        (CorrelationKind::Temporal, _) => "rules that occur".to_owned(),
        (CorrelationKind::TemporalOrdered, CorrelationCondition::Expression(_)) => "rules that occur".to_owned(),
        (CorrelationKind::TemporalOrdered, _) => "rules that occur in order".to_owned(),
        (kind, _) => kind.as_str().to_owned(),
    }
}

/// What is asked for, such as `at least 10`.
pub(super) fn threshold(correlation: &Correlation) -> String {
    let order = if correlation.kind == CorrelationKind::TemporalOrdered { " in order" } else { "" };
    match &correlation.condition {
        CorrelationCondition::Every => format!("all {}{order}", correlation.rules.len()),
        CorrelationCondition::Compare { bounds, .. } => Limits::of(bounds).words(),
        CorrelationCondition::Expression(condition) => format!("{}{order}", expression(correlation, condition, false)),
        CorrelationCondition::Stateful(_) => String::new(),
    }
}

fn expression(correlation: &Correlation, condition: &Condition, is_part: bool) -> String {
    let join = |parts: &[Condition], word: &str| {
        let parts: Vec<String> = parts.iter().map(|part| expression(correlation, part, true)).collect();
        let all = parts.join(word);
        if is_part && parts.len() > 1 { format!("({all})") } else { all }
    };
    match condition {
        Condition::Search(rule) => correlation.rules.get(*rule).map_or(String::new(), |rule| rule.name.clone()),
        Condition::Not(part) => format!("not {}", expression(correlation, part, true)),
        Condition::And(parts) => join(parts, " and "),
        Condition::Or(parts) => join(parts, " or "),
        Condition::Of(of) => {
            let least = of.least.map_or_else(|| "all".to_owned(), |least| least.to_string());
            format!("{least} of {}", of.pattern)
        }
    }
}
