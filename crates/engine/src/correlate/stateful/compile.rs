//! From what a rule says to its operator.

use std::sync::Arc;

use super::super::Members;
use super::number::millionths;
use super::{
    Beyond, Bound, Calendar, Coverage, Expectation, FirstSeen, Joined, KnownSet, Measured, Peers, Rarity, Ratio,
};
use super::{Risk, Sequence, Silence, StatefulOperator, Step, Unmatched, Volume, Weight};
use crate::sigma::stateful::{self as says, Season, Side, Stateful};
use crate::sigma::{self, Inventory, Linked};

impl StatefulOperator {
    /// The operator of a rule of a type that Sigma lacks; `None` for a correlation of Sigma's own.
    ///
    /// `inventory` has the lists of which `coverage` may ask for a share; one that it lacks is taken for empty, and never covered.
    pub fn compile(linked: &Linked, inventory: &Inventory) -> Option<StatefulOperator> {
        let stateful = linked.correlation.stateful()?;
        let span_ms = linked.correlation.timespan_ms.max(1);
        let all: Members = members(0..linked.members.len());
        Some(match stateful {
            Stateful::FirstSeen(it) => StatefulOperator::FirstSeen(FirstSeen {
                of: it.fields.join(", "),
                forget_ms: span_ms,
                learn_ms: it.learn.span_ms,
                learn_events: it.learn.events,
                values_max: it.values_max.max(1),
            }),
            Stateful::Rarity(it) => StatefulOperator::Rarity(Rarity {
                of: it.fields.join(", "),
                span_ms,
                share: millionths(it.share),
                least_events: it.least_events,
                values_max: it.values_max.max(1),
            }),
            Stateful::Volume(it) => StatefulOperator::Volume(volume(it, span_ms)),
            Stateful::Ratio(it) => StatefulOperator::Ratio(Ratio {
                of: members(it.of.iter().copied()),
                to: it.to.as_ref().map_or(all, |to| members(to.iter().copied())),
                measured: measured(&it.measured),
                span_ms,
                bounds: bounds(&it.bounds),
                at_least: millionths(it.at_least),
            }),
            Stateful::PeerGroup(it) => StatefulOperator::Peers(Peers {
                measured: measured(&it.measured),
                expectation: expectation(it.expectation),
                span_ms,
                least_peers: it.least_peers.max(1),
                at_least: millionths(it.at_least),
            }),
            Stateful::Absence(it) => absence(it, linked, all, span_ms),
            Stateful::Coverage(it) => StatefulOperator::Coverage(coverage(it, inventory, span_ms)),
            Stateful::Join(it) => join(*it, linked, all, span_ms),
            Stateful::Sequence(it) => StatefulOperator::Sequence(sequence(it, span_ms)),
            Stateful::Risk(it) => StatefulOperator::Risk(risk(it, linked, span_ms)),
        })
    }
}

fn members(places: impl IntoIterator<Item = usize>) -> Members {
    places.into_iter().fold(Members::default(), |all, place| all.with(Members::one(place)))
}

fn without(all: Members, some: Members) -> Members {
    Members(all.0 & !some.0)
}

fn names(linked: &Linked, of: Members) -> String {
    let rules = linked.correlation.rules.iter().enumerate().filter(|(place, _)| of.has(*place));
    rules.map(|(_, reference)| reference.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn bounds(bounds: &[sigma::Bound]) -> Vec<Bound> {
    bounds.iter().map(Bound::of).collect()
}

fn measured(measured: &says::Measured) -> Measured {
    match measured {
        says::Measured::Count => Measured::Count,
        says::Measured::Sum(field) => Measured::Sum(field.clone()),
        says::Measured::Distinct(fields) => Measured::Distinct(fields.join(", ")),
    }
}

fn expectation(expectation: says::Expectation) -> Expectation {
    match expectation {
        says::Expectation::Mad { k } => Expectation::Mad(millionths(k)),
        says::Expectation::Quantile { quantile, factor } => {
            Expectation::Quantile { quantile: millionths(quantile), factor: millionths(factor) }
        }
    }
}

fn volume(it: &says::Volume, span_ms: i64) -> Volume {
    let season_hours = match it.season {
        Season::None => 1,
        Season::HourOfDay => 24,
        Season::HourOfWeek => 168,
    };
    Volume {
        measured: measured(&it.measured),
        expectation: expectation(it.expectation),
        calendar: Calendar { span_ms, season_hours, history: it.history.max(1) },
        learn: i64::try_from(it.learn).unwrap_or(i64::MAX),
        at_least: millionths(it.at_least),
        beyond: match it.beyond {
            says::Beyond::Above => Beyond::Above,
            says::Beyond::Below => Beyond::Below,
        },
    }
}

fn absence(it: &says::Absence, linked: &Linked, all: Members, span_ms: i64) -> StatefulOperator {
    match it {
        says::Absence::Unfollowed { missing, side } => {
            let missing = members(missing.iter().copied());
            let (before_ms, after_ms) = match side {
                Side::After => (0, span_ms),
                Side::Before => (span_ms, 0),
                Side::Either => (span_ms, span_ms),
            };
            let (asking, what) = (without(all, missing), names(linked, missing));
            StatefulOperator::Unmatched(Unmatched { asking, missing, what, before_ms, after_ms })
        }
        says::Absence::Silent { least_events, forget_ms } => StatefulOperator::Silence(Silence {
            span_ms,
            least_events: (*least_events).max(1),
            forget_ms: (*forget_ms).max(span_ms),
        }),
    }
}

fn join(it: says::Join, linked: &Linked, all: Members, span_ms: i64) -> StatefulOperator {
    match it.missing {
        None => StatefulOperator::Joined(Joined { sides: [Members::one(0), without(all, Members::one(0))], span_ms }),
        Some(missing) => {
            let missing = Members::one(missing);
            let (asking, what) = (without(all, missing), names(linked, missing));
            StatefulOperator::Unmatched(Unmatched { asking, missing, what, before_ms: span_ms, after_ms: span_ms })
        }
    }
}

fn coverage(it: &says::Coverage, inventory: &Inventory, span_ms: i64) -> Coverage {
    let set = match &it.of {
        says::KnownSet::Size(size) => KnownSet::Size(*size),
        says::KnownSet::Field(_) => KnownSet::Said,
        says::KnownSet::List(name) => {
            let mut values: Vec<Arc<str>> =
                inventory.get(name).unwrap_or_default().iter().map(|value| value.as_str().into()).collect();
            values.sort();
            values.dedup();
            KnownSet::Values(values)
        }
    };
    Coverage { of: it.fields.join(", "), set, span_ms, bounds: bounds(&it.bounds), at_least: it.at_least }
}

fn sequence(it: &says::Sequence, span_ms: i64) -> Sequence {
    let step = |step: &says::Step| Step {
        members: members(step.members.iter().copied()),
        within_ms: step.within_ms,
        at_least: step.at_least.max(1),
    };
    Sequence { steps: it.steps.iter().map(step).collect(), unless: members(it.unless.iter().copied()), span_ms }
}

fn risk(it: &says::Risk, linked: &Linked, span_ms: i64) -> Risk {
    let rules = linked.correlation.rules.iter().zip(&linked.weights);
    let weight = |(reference, weight): (&sigma::Reference, &sigma::Weight)| Weight {
        name: reference.name.clone(),
        points: weight.points,
        tactics: weight.tactics.clone(),
    };
    Risk {
        weights: rules.map(weight).collect(),
        span_ms,
        bounds: bounds(&it.bounds),
        least_tactics: it.least_tactics,
        least_rules: it.least_rules,
    }
}
