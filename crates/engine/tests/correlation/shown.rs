//! Shows events to the operators of correlations as whoever runs them does, and brings what they say into the plain evaluator's words.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use engine::correlate::{Claim, Episode, Fact, Members, Operator, Out, SigmaOperator, SigmaState, Told, Values};
use engine::sigma::{CorrelationCondition, CorrelationKind, Linked, Member};
use model::{EventId, Time};

use crate::fields::{self, number, tuples};
use crate::plain::{Event, Finding, once};
use crate::scene::Scene;

/// Facts of one group, by instant.
type Instants = BTreeMap<Time, BTreeMap<EventId, Fact>>;
type Group = Vec<(String, String)>;

/// What stands between the instants: how long after each (a share of the way to the next) time passes, and whether the state is written and
/// read again.
pub type Between = Vec<(u8, bool)>;

/// Ids in the order of the texts that they stand for.
struct Ids(Vec<String>);

impl Ids {
    fn of(&self, text: &str) -> EventId {
        let place = self.0.iter().position(|id| id == text).expect("an event of the scene");
        EventId::parse(&format!("{place:016x}{:016x}", 0)).expect("an id")
    }

    fn text(&self, id: &EventId) -> String {
        let place = usize::from_str_radix(&id.to_string()[..16], 16).expect("a place");
        self.0[place].clone()
    }
}

/// One correlation with what it told.
struct Shown<'a> {
    linked: &'a Linked,
    ids: Ids,
}

/// What is kept of a finding: the first of its events, and how many there are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kept {
    pub finding: Finding,
    pub opened: u64,
    pub prolonged: u64,
}

impl Kept {
    /// Of a finding with all its events, what an operator keeps.
    pub fn of(mut finding: Finding) -> Kept {
        let (opened, prolonged) = (finding.opened.len() as u64, finding.prolonged.len() as u64);
        finding.opened.truncate(100);
        finding.prolonged.truncate(32);
        Kept { finding, opened, prolonged }
    }
}

/// The findings of the correlation at `of`, and the occurrences of them that one above it sees.
fn findings_of(
    scene: &Scene,
    of: usize,
    instants: &BTreeMap<Group, Instants>,
    ids: &Ids,
    between: &Between,
) -> (Vec<Kept>, Vec<(Group, Fact)>) {
    let operator = SigmaOperator::compile(&scene.linked[of]).expect("one of Sigma's types");
    let (mut findings, mut occurrences) = (Vec::new(), Vec::new());
    for (group, instants) in instants {
        let told = run(&operator, instants, between);
        occurrences.extend(occurrences_of(of, group, &told).into_iter().map(|fact| (group.clone(), fact)));
        let is_plain = instants.values().flat_map(BTreeMap::values).all(|fact| fact.beneath.is_none());
        let kept = |episode: Episode| {
            // By this it is known: of events of its own, the earliest, and of those of one time the first by id.
            let opened = &episode.opened[0];
            assert!(!is_plain || (episode.first, episode.start) == (opened.id, opened.time));
            assert!(
                episode.start <= episode.held
                    && !episode.measure.threshold.is_empty()
                    && episode.measure.value.is_finite()
            );
            Kept {
                finding: Finding {
                    of,
                    group: group.clone(),
                    opened: texts(ids, &episode.opened),
                    prolonged: texts(ids, &episode.prolonged),
                    held: episode.held.micros(),
                    last_held: episode.last_held.micros(),
                },
                opened: episode.opened_count,
                prolonged: episode.prolonged_count,
            }
        };
        findings.extend(episodes(&told, scene.linked[of].correlation.is_rising()).into_iter().map(kept));
    }
    (findings, occurrences)
}

fn texts(ids: &Ids, claims: &[Claim]) -> Vec<String> {
    claims.iter().map(|claim| ids.text(&claim.id)).collect()
}

/// Every finding of a scene of correlations, by correlation and group, as its operators have it. Those above others group by what these
/// group by, and read no field.
pub fn findings(scene: &Scene, events: &[Event], between: &Between) -> Vec<Kept> {
    let events = &once(events);
    let mut texts: Vec<String> = events.iter().map(|event| event.id.clone()).collect();
    texts.sort();
    let mut below: Vec<Vec<(Group, Fact)>> = Vec::new();
    let mut all = Vec::new();
    for (of, linked) in scene.linked.iter().enumerate() {
        let shown = Shown { linked, ids: Ids(texts.clone()) };
        let mut instants = shown.instants(events);
        for (member, beneath) in linked.members.iter().enumerate() {
            let Member::Correlation(at) = beneath else { continue };
            for (group, fact) in &below[*at] {
                let fact = Fact { members: Members::one(member), ..fact.clone() };
                instants.entry(group.clone()).or_default().entry(fact.time).or_default().insert(fact.id, fact);
            }
        }
        let (findings, occurrences) = findings_of(scene, of, &instants, &shown.ids, between);
        all.extend(findings.into_iter().filter(|_| linked.is_raised));
        below.push(occurrences);
    }
    all
}

impl Shown<'_> {
    /// The facts of each group.
    fn instants(&self, events: &[Event]) -> BTreeMap<Group, Instants> {
        let mut all: BTreeMap<Group, Instants> = BTreeMap::new();
        for event in events {
            for (member, rule) in self.linked.members.iter().enumerate() {
                let is_of = |id: &String| matches!(rule, Member::Rule(rule) if id == rule.as_str());
                if event.rules.iter().any(is_of) {
                    self.add(&mut all, event, member);
                }
            }
        }
        all
    }

    fn add(&self, all: &mut BTreeMap<Group, Instants>, event: &Event, member: usize) {
        let value = Rc::new(serde_json::from_str(&event.text).expect("an event is JSON"));
        let found = fields::Fact { id: event.id.clone(), time: event.time, value, fixed: BTreeMap::new() };
        let correlation = &self.linked.correlation;
        let values = self.values(tuples(self.linked, &correlation.fields(), member, &found));
        if correlation.kind.has_field() && values == Values::None {
            return;
        }
        let mut groups = tuples(self.linked, &correlation.group_by, member, &found);
        let mut known = BTreeSet::new();
        groups.retain(|group| known.insert(group.clone()));
        for group in groups.into_iter().take(64) {
            let group: Group = correlation.group_by.iter().cloned().zip(group).collect();
            let (time, id) = (Time::from_micros(event.time), self.ids.of(&event.id));
            let members = Members::default();
            let new = Fact { time, id, members, values: values.clone(), detail: None, beneath: None };
            let facts = all.entry(group).or_default().entry(time).or_default();
            let fact = facts.entry(id).or_insert(new);
            fact.members = fact.members.with(Members::one(member));
        }
    }

    /// The values that the type of the correlation uses.
    fn values(&self, tuples: Vec<Vec<String>>) -> Values {
        let correlation = &self.linked.correlation;
        let is_share = matches!(correlation.condition, CorrelationCondition::Compare { percentile: None, .. })
            && correlation.kind == CorrelationKind::ValuePercentile;
        if correlation.kind == CorrelationKind::ValueCount || is_share {
            let text = |tuple: Vec<String>| match &tuple[..] {
                [one] => Arc::from(one.as_str()),
                all => Arc::from(serde_json::to_string(all).expect("texts are JSON")),
            };
            let texts: Box<[Arc<str>]> = tuples.into_iter().map(text).collect();
            return if texts.is_empty() { Values::None } else { Values::Texts(texts) };
        }
        let is_sum = correlation.kind == CorrelationKind::ValueSum;
        let numbers = tuples.iter().filter_map(|tuple| number(tuple.first()?));
        let numbers: Box<[i128]> = numbers.filter(|number| !is_sum || *number >= 0).collect();
        match &numbers[..] {
            [] => Values::None,
            [one] => Values::Number(*one),
            _ => Values::Numbers(numbers),
        }
    }
}

fn written_and_read(state: &SigmaState) -> SigmaState {
    let bytes = postcard::to_allocvec(state).expect("states can be written");
    postcard::from_bytes(&bytes).expect("what was written can be read")
}

/// What the operator says of a group. After each instant, some time passes short of the next; and some states are written and read.
fn run(operator: &SigmaOperator, instants: &Instants, between: &Between) -> Vec<Told> {
    let mut state = SigmaState::default();
    let mut out = Out { wants_held: true, ..Out::default() };
    let mut passes = between.iter().cycle();
    let mut last: Option<Time> = None;
    for (time, facts) in instants {
        if let (Some(last), Some((share, is_written))) = (last, passes.next()) {
            let way = time.micros() - 1 - last.micros();
            if *share > 0 && way > 0 {
                operator.pass(&mut state, Time::from_micros(last.micros() + way * i64::from(*share) / 255), &mut out);
            }
            if *is_written {
                state = written_and_read(&state);
            }
        }
        let facts: Vec<Fact> = facts.values().cloned().collect();
        operator.step(&mut state, *time, &facts, &mut out);
        let _ = operator.heap_bytes(&state);
        last = Some(*time);
    }
    // The end is told when it is due, and leaves nothing.
    while let Some(due) = operator.due(&state) {
        let (before, told) = (Time::from_micros(due.micros() - 1), out.told.len());
        operator.pass(&mut state, before, &mut out);
        assert_eq!((out.told.len(), operator.due(&state)), (told, Some(due)), "nothing happens before it is due");
        operator.pass(&mut state, due, &mut out);
    }
    assert!(operator.is_idle(&state) && out.shed == 0);
    assert_eq!(operator.heap_bytes(&state), 0);
    out.told
}

/// The episodes that were closed. Each burst was opened before, as it then was, and each time at which it held was told.
fn episodes(told: &[Told], is_rising: bool) -> Vec<Episode> {
    let mut open: Option<(Episode, Vec<EventId>)> = None;
    let mut closed = Vec::new();
    for told in told {
        match told {
            Told::Opened(episode) => {
                assert!(
                    is_rising && open.is_none() && episode.prolonged.is_empty() && episode.held == episode.last_held
                );
                open = Some((episode.clone(), Vec::new()));
            }
            Told::Held { first, at, facts } => {
                let (episode, prolonged) = open.as_mut().expect("only what was opened holds");
                assert!(*first == episode.first && *at > episode.last_held);
                episode.last_held = *at;
                prolonged.extend(facts.iter().flat_map(Fact::claims).map(|claim| claim.id));
            }
            Told::Closed(episode) => {
                if let Some((opened, mut prolonged)) = open.take() {
                    let (all, count) = (episode.prolonged.clone(), episode.prolonged_count);
                    prolonged.retain(|id| all.iter().any(|claim| claim.id == *id));
                    assert!(prolonged.len() >= all.len());
                    assert_eq!(Episode { prolonged: all, prolonged_count: count, ..opened }, *episode);
                } else {
                    assert!(!is_rising, "a burst is told when it begins");
                }
                closed.push(episode.clone());
            }
        }
    }
    assert!(open.is_none());
    closed
}

/// The facts that a correlation above is shown.
fn occurrences_of(of: usize, group: &Group, told: &[Told]) -> Vec<Fact> {
    let known = |first: &EventId| EventId::of(&[&[of as u8], format!("{group:?}").as_bytes(), first.as_bytes()]);
    let fact = |first: &EventId, time: Time, claims: Vec<Claim>| Fact {
        time,
        id: known(first),
        members: Members::default(),
        values: Values::None,
        detail: None,
        beneath: Some(claims.into()),
    };
    let is_burst = told.iter().any(|told| matches!(told, Told::Opened(_)));
    let each = |told: &Told| match told {
        Told::Opened(episode) => Some(fact(&episode.first, episode.held, episode.opened.clone())),
        Told::Closed(episode) if !is_burst => Some(fact(&episode.first, episode.held, episode.opened.clone())),
        Told::Closed(_) => None,
        Told::Held { first, at, facts } => Some(fact(first, *at, facts.iter().flat_map(Fact::claims).collect())),
    };
    told.iter().filter_map(each).collect()
}
