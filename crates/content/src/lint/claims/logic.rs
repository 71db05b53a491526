//! What a rule or correlation says, in the words of claims.

use std::collections::{BTreeMap, BTreeSet};

use engine::sigma::stateful::{Absence, Expectation, Side, WHO};
use engine::sigma::{
    Bound, Comparison, Correlation, CorrelationCondition, CorrelationKind, LogSource, Reference, Stateful,
};
use model::EntityKind;

use super::listed;
use crate::catalogue::{Catalogue, CatalogueRule};

/// The logic of a rule or correlation.
pub(super) struct Logic<'c> {
    /// What it is, for messages.
    pub(super) what: String,
    /// What it joins, as its author calls each, and every other name of it.
    pub(super) members: Vec<(&'c str, Vec<&'c str>)>,
    /// The members that come one behind the other.
    pub(super) order: Option<Vec<BTreeSet<usize>>>,
    pub(super) window_ms: Option<i64>,
    /// The fields or kinds of entity that keep events apart.
    entity: Vec<String>,
    /// The numbers with which it compares.
    pub(super) thresholds: Vec<f64>,
    /// The paths at which an entity of a kind stands.
    kinds: BTreeMap<EntityKind, BTreeSet<String>>,
}

impl<'c> Logic<'c> {
    /// A rule looks at one event, and keeps findings apart by what it folds by.
    pub(super) fn of_rule(catalogue: &'c Catalogue, entry: &'c CatalogueRule) -> Logic<'c> {
        Logic {
            what: "a rule without `stateful`".to_owned(),
            members: Vec::new(),
            order: None,
            window_ms: None,
            entity: entry.rule.watchkeep.fold.as_ref().map(|fold| fold.by.clone()).unwrap_or_default(),
            thresholds: Vec::new(),
            kinds: kinds(catalogue, &[&entry.rule.logsource], &entry.rule.watchkeep.entities),
        }
    }

    pub(super) fn of_correlation(catalogue: &'c Catalogue, correlation: &'c Correlation) -> Logic<'c> {
        let beneath: Vec<Option<&CatalogueRule>> =
            correlation.rules.iter().map(|reference| rule_of(catalogue, reference)).collect();
        let logsources: Vec<&LogSource> = beneath.iter().flatten().map(|entry| &entry.rule.logsource).collect();
        let member = |(reference, entry): (&'c Reference, &Option<&'c CatalogueRule>)| {
            let mut others = Vec::new();
            if let Some(entry) = entry {
                others.extend([entry.rule.id.as_str(), entry.rule.title.as_str()]);
                others.extend(entry.rule.name.as_deref());
            }
            (reference.name.as_str(), others)
        };
        let mut kinds = kinds(catalogue, &logsources, &correlation.watchkeep.entities);
        for alias in &correlation.aliases {
            for paths in kinds.values_mut() {
                if alias.fields.iter().any(|(_, field)| paths.contains(field)) {
                    paths.insert(alias.name.clone());
                }
            }
        }
        Logic {
            what: format!("a `{}`", correlation.kind.as_str()),
            members: correlation.rules.iter().zip(&beneath).map(member).collect(),
            order: order(correlation),
            window_ms: Some(correlation.timespan_ms),
            entity: entity(correlation),
            thresholds: thresholds(correlation),
            kinds,
        }
    }

    /// The member that somebody calls `name`.
    pub(super) fn member(&self, name: &str) -> Option<usize> {
        let by_reference = self.members.iter().position(|(own, _)| own.eq_ignore_ascii_case(name));
        by_reference.or_else(|| {
            self.members.iter().position(|(_, others)| others.iter().any(|other| other.eq_ignore_ascii_case(name)))
        })
    }

    /// What the author calls a member.
    pub(super) fn name(&self, member: usize) -> &str {
        self.members[member].0
    }

    /// Each claimed field or kind keeps events apart, and each of those that do is claimed.
    pub(super) fn entity_differs(&self, claimed: &[String]) -> Option<(String, String)> {
        let is_meant = |own: &String| claimed.iter().any(|claim| self.means(claim, own));
        let is_there = |claim: &String| self.entity.iter().any(|own| self.means(claim, own));
        let is_so = self.entity.iter().all(is_meant) && claimed.iter().all(is_there);
        (!is_so).then(|| (listed(claimed.iter().cloned()), listed(self.entity.iter().cloned())))
    }

    fn means(&self, claim: &str, own: &str) -> bool {
        if claim == own {
            return true;
        }
        let Some(kind) = EntityKind::parse(claim) else { return false };
        let is_who = own == WHO && matches!(kind, EntityKind::Person | EntityKind::Workload);
        is_who || self.kinds.get(&kind).is_some_and(|paths| paths.contains(own))
    }
}

/// The rule that a reference leads to; what stands beneath another correlation is called as its author calls it.
fn rule_of<'c>(catalogue: &'c Catalogue, reference: &Reference) -> Option<&'c CatalogueRule> {
    let is_id = |entry: &&CatalogueRule| entry.rule.id.as_str().eq_ignore_ascii_case(&reference.name);
    let is_name = |entry: &&CatalogueRule| entry.rule.name.as_deref() == Some(&reference.name);
    catalogue.rules.iter().find(is_id).or_else(|| catalogue.rules.iter().find(is_name))
}

/// Where the sources that carry any of the log sources, and the author, say that entities stand.
fn kinds(
    catalogue: &Catalogue,
    logsources: &[&LogSource],
    own: &BTreeMap<String, String>,
) -> BTreeMap<EntityKind, BTreeSet<String>> {
    let mut kinds: BTreeMap<EntityKind, BTreeSet<String>> = BTreeMap::new();
    let is_carried = |theirs: &LogSource| logsources.iter().any(|ours| ours.applies_to(theirs));
    for source in catalogue.sources.iter().filter(|source| source.logsources.iter().any(is_carried)) {
        for (kind, readings) in &source.entity_readings {
            let paths = readings.iter().flat_map(|reading| reading.paths.iter().cloned());
            kinds.entry(*kind).or_default().extend(paths);
        }
    }
    for (kind, path) in own {
        if let Some(kind) = EntityKind::parse(kind) {
            kinds.entry(kind).or_default().insert(path.clone());
        }
    }
    kinds
}

fn order(correlation: &Correlation) -> Option<Vec<BTreeSet<usize>>> {
    let all = 0..correlation.rules.len();
    match (correlation.kind, correlation.stateful()) {
        (CorrelationKind::TemporalOrdered, _) => Some(all.map(|member| BTreeSet::from([member])).collect()),
        (_, Some(Stateful::Sequence(sequence))) => {
            Some(sequence.steps.iter().map(|step| step.members.iter().copied().collect()).collect())
        }
        (_, Some(Stateful::Absence(Absence::Unfollowed { missing, side }))) => {
            let missing: BTreeSet<usize> = missing.iter().copied().collect();
            let others = all.filter(|member| !missing.contains(member)).collect();
            match side {
                Side::After => Some(vec![others, missing]),
                Side::Before => Some(vec![missing, others]),
                Side::Either => None,
            }
        }
        _ => None,
    }
}

/// The entities of a `peer_group` are what is compared; of any other, what it groups by.
fn entity(correlation: &Correlation) -> Vec<String> {
    match correlation.stateful() {
        Some(Stateful::PeerGroup(peers)) => peers.entity.clone(),
        _ => correlation.group_by.clone(),
    }
}

fn thresholds(correlation: &Correlation) -> Vec<f64> {
    let mut numbers: Vec<f64> = correlation.bounds().iter().flat_map(|bound| of_bound(correlation, bound)).collect();
    let expected = |expectation: &Expectation| match expectation {
        Expectation::Mad { k } => *k,
        Expectation::Quantile { factor, .. } => *factor,
    };
    match &correlation.condition {
        CorrelationCondition::Every => numbers.push(correlation.rules.len() as f64),
        CorrelationCondition::Stateful(stateful) => match stateful {
            Stateful::Rarity(rarity) => numbers.push(rarity.share),
            Stateful::Volume(volume) => numbers.extend([expected(&volume.expectation), volume.at_least]),
            Stateful::PeerGroup(peers) => numbers.extend([expected(&peers.expectation), peers.at_least]),
            Stateful::Sequence(sequence) => {
                numbers.extend(sequence.steps.iter().map(|step| step.at_least as f64).filter(|least| *least > 1.0));
            }
            _ => {}
        },
        _ => {}
    }
    numbers.retain(|number| *number != 0.0);
    numbers.dedup();
    numbers
}

/// The number of a bound; of whole numbers, more than nine is also ten at least.
fn of_bound(correlation: &Correlation, bound: &Bound) -> Vec<f64> {
    match bound.comparison {
        Comparison::Gt if correlation.kind.is_count() => vec![bound.value + 1.0, bound.value],
        Comparison::Lt if correlation.kind.is_count() => vec![bound.value - 1.0, bound.value],
        _ => vec![bound.value],
    }
}
