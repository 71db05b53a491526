//! Correlations as `docs/reference/correlation-semantics.md` has them: over all events at once, quadratic, and as plain as the page.
//! It shares no code with whatever is faster; only the correlations themselves are the parser's.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use engine::sigma::{Bound, Comparison, Condition, Correlation, CorrelationCondition, CorrelationKind, Linked, Member};

use crate::fields::{Fact, ONE, millionths, number, tuples};

/// Groups that one event may belong to.
const GROUPS_MAX: usize = 64;
/// A burst is cut after so long, microseconds, or after one time span where that is longer.
const BURST_MAX: i64 = 24 * 3_600_000_000;

/// A record and the rules that match it, by id. Times are microseconds since 1970.
#[derive(Clone, Debug)]
pub struct Event {
    pub id: String,
    pub time: i64,
    pub text: String,
    pub rules: Vec<String>,
}

/// What a finding claims.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The place of its correlation.
    pub of: usize,
    pub group: Vec<(String, String)>,
    pub opened: Vec<String>,
    pub prolonged: Vec<String>,
    pub held: i64,
    pub last_held: i64,
}

/// A member of a correlation at a time: an event, or a finding at one of the times at which it held.
#[derive(Clone, Debug)]
struct Occurrence {
    id: String,
    time: i64,
    member: usize,
    facts: Vec<Fact>,
}

/// A finding with the occurrences that correlations above it see.
struct Raised {
    finding: Finding,
    occurrences: Vec<(i64, Vec<Fact>)>,
}

/// Every finding of every correlation, those that are not raised included: by correlation, group and time.
pub fn correlate(linked: &[Linked], events: &[Event]) -> Vec<Finding> {
    let events = once(events);
    let mut raised: Vec<Vec<Raised>> = Vec::new();
    for (of, linked) in linked.iter().enumerate() {
        let mut groups: BTreeMap<Vec<String>, Vec<Occurrence>> = BTreeMap::new();
        for occurrence in occurrences(linked, &events, &raised) {
            for group in groups_of(linked, &occurrence) {
                groups.entry(group).or_default().push(occurrence.clone());
            }
        }
        let judge = Judge { linked };
        raised.push(groups.iter().flat_map(|(group, all)| judge.group(of, group, all)).collect());
    }
    raised.into_iter().flatten().map(|raised| raised.finding).collect()
}

/// Each id once: the record with the earlier time, or of two the one whose text sorts first.
pub fn once(events: &[Event]) -> Vec<Event> {
    let mut first: BTreeMap<&str, &Event> = BTreeMap::new();
    for event in events {
        let known = first.entry(&event.id).or_insert(event);
        if (event.time, &event.text) < (known.time, &known.text) {
            *known = event;
        }
    }
    first.into_values().cloned().collect()
}

fn groups_of(linked: &Linked, occurrence: &Occurrence) -> Vec<Vec<String>> {
    let mut groups: Vec<Vec<String>> = Vec::new();
    for fact in &occurrence.facts {
        for group in tuples(linked, &linked.correlation.group_by, occurrence.member, fact) {
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
    }
    groups.truncate(GROUPS_MAX);
    groups
}

fn occurrences(linked: &Linked, events: &[Event], raised: &[Vec<Raised>]) -> Vec<Occurrence> {
    let mut all = Vec::new();
    for (member, what) in linked.members.iter().enumerate() {
        match what {
            Member::Rule(rule) => {
                for event in events.iter().filter(|event| event.rules.iter().any(|id| id == rule.as_str())) {
                    let value = Rc::new(serde_json::from_str(&event.text).expect("an event is JSON"));
                    let fact = Fact { id: event.id.clone(), time: event.time, value, fixed: BTreeMap::new() };
                    all.push(Occurrence { id: event.id.clone(), time: event.time, member, facts: vec![fact] });
                }
            }
            Member::Correlation(at) => {
                for Raised { finding, occurrences } in &raised[*at] {
                    let id = format!("finding of {at} for {:?} from {}", finding.group, finding.opened[0]);
                    let seen = occurrences.iter().cloned();
                    all.extend(seen.map(|(time, facts)| Occurrence { id: id.clone(), time, member, facts }));
                }
            }
        }
    }
    all.sort_by(|a, b| (a.time, &a.id, a.member).cmp(&(b.time, &b.id, b.member)));
    all
}

// ---- one group ----

struct Judge<'a> {
    linked: &'a Linked,
}

impl Judge<'_> {
    fn correlation(&self) -> &Correlation {
        &self.linked.correlation
    }

    fn kind(&self) -> CorrelationKind {
        self.correlation().kind
    }

    /// The findings of a group, whose occurrences are in order of time.
    fn group(&self, of: usize, group: &[String], all: &[Occurrence]) -> Vec<Raised> {
        let all: Vec<&Occurrence> = all.iter().filter(|occurrence| self.takes_part(occurrence)).collect();
        let span = self.correlation().timespan_ms * 1000;
        let times: BTreeSet<i64> = all.iter().map(|occurrence| occurrence.time).collect();
        let between = |from: i64, to: i64| -> Vec<&Occurrence> {
            all.iter().copied().filter(|occurrence| (from..=to).contains(&occurrence.time)).collect()
        };
        let mut found = Vec::new();
        let mut free_from = i64::MIN;
        for &time in &times {
            let opening = between(free_from.max(time - span), time);
            if time < free_from || opening.is_empty() || !self.rising_holds(&opening) {
                continue;
            }
            let start = opening[0].time;
            if self.correlation().is_rising() {
                let mut held = vec![time];
                for &next in times.range(time + 1..) {
                    let last = held[held.len() - 1];
                    let is_near = next - last <= span && next - start <= span.max(BURST_MAX);
                    if !is_near || !self.whole_holds(&between(start.max(next - span), next)) {
                        break;
                    }
                    held.push(next);
                }
                free_from = held[held.len() - 1] + 1;
                let later = held[1..].iter().map(|time| (*time, between(*time, *time))).collect();
                found.push(self.raise(of, group, time, opening, later));
            } else {
                let window = between(start, start + span);
                free_from = start + span + 1;
                if self.whole_holds(&window) {
                    let claimed = self.claimed(&window);
                    let last = claimed[claimed.len() - 1].time;
                    found.push(self.raise(of, group, last, claimed, Vec::new()));
                }
            }
        }
        found
    }

    fn raise(
        &self,
        of: usize,
        group: &[String],
        held: i64,
        opening: Vec<&Occurrence>,
        later: Vec<(i64, Vec<&Occurrence>)>,
    ) -> Raised {
        let group: Vec<(String, String)> =
            self.correlation().group_by.iter().cloned().zip(group.iter().cloned()).collect();
        let facts = |occurrences: &[&Occurrence]| -> Vec<Fact> {
            let mut facts: Vec<Fact> = occurrences.iter().flat_map(|occurrence| occurrence.facts.clone()).collect();
            facts.sort_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)));
            // An event that takes part as several members is one event.
            facts.dedup_by(|a, b| a.id == b.id);
            facts.iter_mut().for_each(|fact| fact.fixed.extend(group.iter().cloned()));
            facts
        };
        let ids = |facts: &mut dyn Iterator<Item = &Fact>| -> Vec<String> {
            let mut seen = BTreeSet::new();
            facts.map(|fact| fact.id.clone()).filter(|id| seen.insert(id.clone())).collect()
        };
        let mut occurrences = vec![(held, facts(&opening))];
        occurrences.extend(later.iter().map(|(time, new)| (*time, facts(new))));
        let opened = ids(&mut occurrences[0].1.iter());
        let mut prolonged = ids(&mut occurrences[1..].iter().flat_map(|(_, facts)| facts));
        prolonged.retain(|id| !opened.contains(id));
        let last_held = occurrences[occurrences.len() - 1].0;
        Raised { finding: Finding { of, group: group.clone(), opened, prolonged, held, last_held }, occurrences }
    }

    // ---- what is measured ----

    fn takes_part(&self, occurrence: &Occurrence) -> bool {
        !self.kind().has_field() || !self.tuples(occurrence).is_empty()
    }

    /// The usable values of `field`: tuples for `value_count`, numbers for most.
    fn tuples(&self, occurrence: &Occurrence) -> Vec<Vec<String>> {
        let fields = self.correlation().fields();
        let each = |fact| tuples(self.linked, &fields, occurrence.member, fact);
        let mut tuples: Vec<Vec<String>> = occurrence.facts.iter().flat_map(each).collect();
        let is_usable = |text: &str| match self.kind() {
            CorrelationKind::ValueCount => true,
            CorrelationKind::ValuePercentile if self.percentile().is_none() => true,
            CorrelationKind::ValueSum => number(text).is_some_and(|number| number >= 0),
            _ => number(text).is_some(),
        };
        tuples.retain(|tuple| tuple.iter().all(|text| is_usable(text)));
        tuples
    }

    /// The values of a set: of an event that several rules match, those of the first of them.
    fn all_tuples(&self, set: &[&Occurrence]) -> Vec<Vec<String>> {
        let mut seen = BTreeSet::new();
        let first = set.iter().filter(|occurrence| seen.insert((occurrence.time, &occurrence.id)));
        first.flat_map(|occurrence| self.tuples(occurrence)).collect()
    }

    fn percentile(&self) -> Option<i128> {
        match &self.correlation().condition {
            CorrelationCondition::Compare { percentile, .. } => percentile.map(millionths),
            _ => None,
        }
    }

    /// What the bounds are compared with, as a fraction in millionths; one for each value where shares are asked for.
    fn measured(&self, set: &[&Occurrence]) -> Vec<(i128, i128)> {
        let numbers = || {
            let mut numbers: Vec<i128> = self.all_tuples(set).iter().filter_map(|tuple| number(&tuple[0])).collect();
            numbers.sort_unstable();
            numbers
        };
        let count = |count: usize| (count as i128 * ONE, 1);
        let measured = match self.kind() {
            CorrelationKind::EventCount => {
                count(set.iter().map(|occurrence| &occurrence.id).collect::<BTreeSet<_>>().len())
            }
            CorrelationKind::ValueCount => count(self.all_tuples(set).iter().collect::<BTreeSet<_>>().len()),
            CorrelationKind::ValueSum => (numbers().iter().sum(), 1),
            CorrelationKind::ValueMax => (numbers()[numbers().len() - 1], 1),
            CorrelationKind::ValueMin => (numbers()[0], 1),
            CorrelationKind::ValueAvg => (numbers().iter().sum(), numbers().len() as i128),
            CorrelationKind::ValueMedian => (nearest_rank(&numbers(), 50 * ONE), 1),
            CorrelationKind::ValuePercentile => match self.percentile() {
                Some(percentile) => (nearest_rank(&numbers(), percentile), 1),
                None => return self.shares(set).into_values().collect(),
            },
            CorrelationKind::Temporal => count(occurring(set).len()),
            CorrelationKind::TemporalOrdered => count(
                subsets(&occurring(set)).iter().filter(|rules| in_order(set, rules)).map(Vec::len).max().unwrap_or(0),
            ),
            kind => unreachable!("`{}` is no type of Sigma, and has an oracle of its own", kind.as_str()),
        };
        vec![measured]
    }

    fn shares(&self, set: &[&Occurrence]) -> BTreeMap<Vec<String>, (i128, i128)> {
        let all = self.all_tuples(set);
        let share = |value: &Vec<String>| all.iter().filter(|other| *other == value).count() as i128 * 100 * ONE;
        all.iter().map(|value| (value.clone(), (share(value), all.len() as i128))).collect()
    }

    /// The events of a settled window that its finding claims.
    fn claimed<'o>(&self, window: &[&'o Occurrence]) -> Vec<&'o Occurrence> {
        if self.kind() != CorrelationKind::ValuePercentile || self.percentile().is_some() {
            return window.to_vec();
        }
        let shares = self.shares(window);
        let is_odd = |value: &Vec<String>| self.correlation().bounds().iter().all(|bound| keeps(*bound, shares[value]));
        window.iter().copied().filter(|occurrence| self.tuples(occurrence).iter().any(is_odd)).collect()
    }

    // ---- when it holds ----

    /// The part of the condition that further events cannot undo.
    fn rising_holds(&self, set: &[&Occurrence]) -> bool {
        self.holds(set, &|bound| self.kind().rises_with(bound.comparison), &BTreeSet::new())
    }

    fn whole_holds(&self, set: &[&Occurrence]) -> bool {
        self.holds(set, &|_| true, &occurring(set))
    }

    fn holds(&self, set: &[&Occurrence], is_asked: &dyn Fn(&Bound) -> bool, denied: &BTreeSet<usize>) -> bool {
        let rules: BTreeSet<usize> = (0..self.linked.members.len()).collect();
        let is_ordered = self.kind() == CorrelationKind::TemporalOrdered;
        match &self.correlation().condition {
            CorrelationCondition::Every if is_ordered => in_order(set, &rules.into_iter().collect::<Vec<_>>()),
            CorrelationCondition::Every => occurring(set) == rules,
            CorrelationCondition::Compare { bounds, .. } => {
                let asked: Vec<Bound> = bounds.iter().copied().filter(is_asked).collect();
                asked.is_empty() || self.measured(set).iter().any(|it| asked.iter().all(|bound| keeps(*bound, *it)))
            }
            CorrelationCondition::Expression(condition) if is_ordered => subsets(&occurring(set))
                .iter()
                .any(|rules| in_order(set, rules) && truth(condition, &rules.iter().copied().collect(), denied)),
            CorrelationCondition::Expression(condition) => truth(condition, &occurring(set), denied),
            CorrelationCondition::Stateful(_) => unreachable!("a stateful type has an oracle of its own"),
        }
    }
}

fn keeps(bound: Bound, (count, of): (i128, i128)) -> bool {
    let wanted = millionths(bound.value) * of;
    match bound.comparison {
        Comparison::Gt => count > wanted,
        Comparison::Gte => count >= wanted,
        Comparison::Lt => count < wanted,
        Comparison::Lte => count <= wanted,
        Comparison::Eq => count == wanted,
        Comparison::Neq => count != wanted,
    }
}

/// The least of the sorted numbers that at least so many percent of them do not exceed.
fn nearest_rank(sorted: &[i128], percentile: i128) -> i128 {
    let share = percentile * sorted.len() as i128;
    let rank = (share + 100 * ONE - 1) / (100 * ONE);
    sorted[usize::try_from(rank.max(1) - 1).expect("at most as many as there are")]
}

/// Which rules occur.
fn occurring(set: &[&Occurrence]) -> BTreeSet<usize> {
    set.iter().map(|occurrence| occurrence.member).collect()
}

fn subsets(rules: &BTreeSet<usize>) -> Vec<Vec<usize>> {
    let mut subsets = vec![Vec::new()];
    for &rule in rules {
        let longer: Vec<Vec<usize>> = subsets.iter().map(|subset| [&subset[..], &[rule]].concat()).collect();
        subsets.extend(longer);
    }
    subsets
}

/// Do the rules occur one behind the other, each in an event of its own? At each time as many of them as possible are taken.
fn in_order(set: &[&Occurrence], rules: &[usize]) -> bool {
    let times: BTreeSet<i64> = set.iter().map(|occurrence| occurrence.time).collect();
    let mut done = 0;
    for time in times {
        let now: Vec<&Occurrence> = set.iter().copied().filter(|occurrence| occurrence.time == time).collect();
        let most = (done..=rules.len()).rev().find(|most| each_has_its_own(&now, &rules[done..*most], &mut Vec::new()));
        done = most.expect("no rule at all can always be taken");
    }
    done == rules.len()
}

fn each_has_its_own<'o>(now: &[&'o Occurrence], rules: &[usize], taken: &mut Vec<&'o str>) -> bool {
    let [first, rest @ ..] = rules else { return true };
    for occurrence in now.iter().filter(|occurrence| occurrence.member == *first) {
        if taken.contains(&occurrence.id.as_str()) {
            continue;
        }
        taken.push(&occurrence.id);
        if each_has_its_own(now, rest, taken) {
            return true;
        }
        taken.pop();
    }
    false
}

/// Does the condition hold where the names in `held` are true, and under `not` those in `denied`?
fn truth(condition: &Condition, held: &BTreeSet<usize>, denied: &BTreeSet<usize>) -> bool {
    match condition {
        Condition::Search(rule) => held.contains(rule),
        Condition::Not(part) => !truth(part, denied, held),
        Condition::And(parts) => parts.iter().all(|part| truth(part, held, denied)),
        Condition::Or(parts) => parts.iter().any(|part| truth(part, held, denied)),
        Condition::Of(of) => {
            let count = of.searches.iter().filter(|rule| held.contains(rule)).count();
            count >= of.least.unwrap_or(of.searches.len())
        }
    }
}
