//! Correlations, compiled: what each reads, which operator judges it, who stands above it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use model::{RuleId, SourceId};

use super::any::AnyOperator;
use super::read::{Part, Reader, What};
use crate::correlate::Feeds;
use crate::sigma::stateful::{Absence, Beyond, KnownSet, Measured, Side, Stateful, WHO};
use crate::sigma::{Correlation, CorrelationCondition, CorrelationKind, Inventory, Linked, Member};

/// One correlation.
#[derive(Debug)]
pub(super) struct Plan {
    pub linked: Linked,
    pub operator: AnyOperator,
    /// How each member is read.
    pub readers: Vec<Reader>,
    /// The correlations above, with the member that this one is of each.
    pub above: Vec<(usize, usize)>,
    /// The correlations beneath, with how much later than its time a finding of theirs may be told, milliseconds.
    pub beneath: Vec<(usize, i64)>,
    /// The sources of its rules.
    pub sources: Vec<SourceId>,
    /// How late its facts may come, milliseconds; `None` is what the options say.
    pub lateness_ms: Option<i64>,
}

/// Correlations, compiled; shared by all that run them.
#[derive(Debug)]
pub struct Correlations {
    pub(super) plans: Vec<Plan>,
    /// For each feeding rule, the correlations that it feeds, with the member that it is of each.
    pub(super) feeds: Vec<Vec<(usize, usize)>>,
    /// The names of the fields that evaluation hands over.
    pub(super) names: Vec<Arc<str>>,
    pub(super) wants_identity: bool,
    /// For each feeding rule: does a correlation above another read fields of its events?
    pub(super) is_read_above: Vec<bool>,
}

impl Correlations {
    /// Compiles linked correlations.
    ///
    /// `feeds` is what evaluation hands over, by [`Feeds::of`] the same correlations; `inventory` has the lists of which a share may be
    /// asked; `sources` says which sources a rule looks at.
    pub fn compile(
        linked: &[Linked],
        feeds: &Feeds,
        inventory: &Inventory,
        sources: &dyn Fn(&RuleId) -> Vec<SourceId>,
    ) -> Correlations {
        let rule_places: BTreeMap<&RuleId, usize> = feeds.rules.iter().enumerate().map(|(at, id)| (id, at)).collect();
        let mut fed = vec![Vec::new(); feeds.rules.len()];
        let mut plans: Vec<Plan> = Vec::with_capacity(linked.len());
        for (at, one) in linked.iter().enumerate() {
            let mut plan = Plan::new(one, feeds, inventory);
            for (member, what) in one.members.iter().enumerate() {
                match what {
                    Member::Rule(rule) => {
                        plan.sources.extend(sources(rule));
                        if let Some(rule) = rule_places.get(rule) {
                            fed[*rule].push((at, member));
                        }
                    }
                    Member::Correlation(beneath) => {
                        plans[*beneath].above.push((at, member));
                        plan.beneath.push((*beneath, plans[*beneath].delay_ms()));
                    }
                }
            }
            plan.sources.sort();
            plan.sources.dedup();
            plans.push(plan);
        }
        let names = feeds.fields.iter().map(|name| Arc::from(name.as_str())).collect();
        let is_read_above =
            fed.iter().map(|fed: &Vec<(usize, usize)>| fed.iter().any(|(of, _)| plans[*of].wants_held())).collect();
        Correlations { plans, feeds: fed, names, wants_identity: feeds.wants_identity, is_read_above }
    }

    /// The correlations that events of these rules feed, each with the member that the event is, in order.
    pub(super) fn fed_by(&self, rules: &[u32]) -> Cow<'_, [(usize, usize)]> {
        let of_rule = |rule: &u32| self.feeds.get(*rule as usize).map_or(&[][..], Vec::as_slice);
        if let [rule] = rules {
            return Cow::Borrowed(of_rule(rule));
        }
        let mut fed: Vec<(usize, usize)> = rules.iter().flat_map(of_rule).copied().collect();
        fed.sort_unstable();
        Cow::Owned(fed)
    }

    /// Id and revision of each correlation: what it finds is the same if and only if both are.
    pub(super) fn identities(&self) -> Vec<(String, String)> {
        let identity = |plan: &Plan| (plan.linked.correlation.label().to_owned(), plan.linked.revision.clone());
        self.plans.iter().map(identity).collect()
    }

    /// The correlations, in order.
    pub fn linked(&self) -> impl Iterator<Item = &Linked> {
        self.plans.iter().map(|plan| &plan.linked)
    }
}

impl Plan {
    fn new(linked: &Linked, feeds: &Feeds, inventory: &Inventory) -> Plan {
        let part = |name: &str| {
            let place = feeds.fields.iter().position(|field| field == name);
            match place {
                _ if name == WHO => Part::Who,
                // A field that only findings beneath have is read by its name.
                place => Part::Field(place.map_or(u32::MAX, |place| place as u32), Arc::from(name)),
            }
        };
        let reading = Reading::of(&linked.correlation);
        let reader = |member: usize| {
            let parts = |names: &[String]| names.iter().map(|name| part(linked.field(name, member))).collect();
            Reader {
                group: parts(&linked.correlation.group_by),
                things: parts(reading.things),
                fields: parts(reading.fields),
                what: reading.what,
                is_optional: reading.is_optional,
            }
        };
        Plan {
            operator: AnyOperator::compile(linked, inventory),
            readers: (0..linked.members.len()).map(reader).collect(),
            above: Vec::new(),
            beneath: Vec::new(),
            sources: Vec::new(),
            lateness_ms: linked.correlation.late_data_ms(),
            linked: linked.clone(),
        }
    }

    /// How much later than its time a finding may be told, beyond the allowed lateness.
    fn delay_ms(&self) -> i64 {
        let correlation = &self.linked.correlation;
        let is_told_at_once = match correlation.stateful() {
            Some(Stateful::FirstSeen(_) | Stateful::Rarity(_) | Stateful::Coverage(_)) => true,
            Some(Stateful::Sequence(_) | Stateful::Risk(_)) => true,
            Some(Stateful::Volume(volume)) => volume.beyond == Beyond::Above,
            Some(Stateful::Absence(Absence::Unfollowed { side, .. })) => *side == Side::Before,
            Some(Stateful::Join(join)) => join.missing.is_none(),
            Some(_) => false,
            None => correlation.is_rising(),
        };
        if is_told_at_once { 0 } else { correlation.timespan_ms }
    }

    /// Does it judge what happened, so that the end of the data ends its windows? What did not happen is not known behind that end.
    pub fn ends_with_data(&self) -> bool {
        match self.linked.correlation.stateful() {
            Some(Stateful::Absence(_)) => false,
            Some(Stateful::Join(join)) => join.missing.is_none(),
            Some(Stateful::Volume(volume)) => volume.beyond == Beyond::Above,
            _ => true,
        }
    }

    /// Does somebody above want to know of each time at which an episode held?
    pub fn wants_held(&self) -> bool {
        !self.above.is_empty()
    }
}

/// What a type of correlation reads of an event.
struct Reading<'a> {
    things: &'a [String],
    fields: &'a [String],
    what: What,
    is_optional: bool,
}

impl<'a> Reading<'a> {
    fn of(correlation: &'a Correlation) -> Reading<'a> {
        match &correlation.condition {
            CorrelationCondition::Compare { fields, percentile, .. } => {
                Reading::fields(fields, of_sigma(correlation.kind, percentile.is_some()))
            }
            CorrelationCondition::Stateful(stateful) => Reading::of_stateful(stateful),
            _ => Reading::fields(&[], What::Nothing),
        }
    }

    fn fields(fields: &'a [String], what: What) -> Reading<'a> {
        Reading { things: &[], fields, what, is_optional: false }
    }

    fn measured(measured: &'a Measured) -> Reading<'a> {
        match measured {
            Measured::Count => Reading::fields(&[], What::Nothing),
            Measured::Sum(field) => Reading::fields(std::slice::from_ref(field), What::Amounts),
            Measured::Distinct(fields) => Reading::fields(fields, What::Texts),
        }
    }

    fn of_stateful(stateful: &'a Stateful) -> Reading<'a> {
        match stateful {
            Stateful::FirstSeen(it) => Reading::fields(&it.fields, What::Texts),
            Stateful::Rarity(it) => Reading::fields(&it.fields, What::Texts),
            Stateful::Volume(it) => Reading::measured(&it.measured),
            Stateful::Ratio(it) => Reading::measured(&it.measured),
            Stateful::PeerGroup(it) => match &it.measured {
                Measured::Count => Reading::fields(&it.entity, What::Texts),
                measured => Reading { things: &it.entity, ..Reading::measured(measured) },
            },
            Stateful::Coverage(it) => match &it.of {
                KnownSet::Field(size) => Reading {
                    things: &it.fields,
                    fields: std::slice::from_ref(size),
                    what: What::Amounts,
                    is_optional: true,
                },
                _ => Reading::fields(&it.fields, What::Texts),
            },
            Stateful::Absence(_) | Stateful::Join(_) | Stateful::Sequence(_) | Stateful::Risk(_) => {
                Reading::fields(&[], What::Nothing)
            }
        }
    }
}

fn of_sigma(kind: CorrelationKind, has_percentile: bool) -> What {
    match kind {
        CorrelationKind::ValueCount => What::Texts,
        CorrelationKind::ValuePercentile if !has_percentile => What::Texts,
        CorrelationKind::ValueSum => What::Amounts,
        kind if kind.has_field() => What::Numbers,
        _ => What::Nothing,
    }
}
