//! Events in any order, in batches, with repeats and restarts, come to what the plain evaluator finds over all of them at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::correlate::{Batch, Correlations, Correlator, Detail, Feeds, Matched, Options, Progress, Statement};
use engine::sigma::{Inventory, Linked};
use model::{EventId, Lane, SourceId, Standing, Time};
use proptest::prelude::*;
use serde_json::Value;

use crate::fields::lookup;
use crate::laws::{any_correlation, events};
use crate::plain::{Event, Finding, correlate};
use crate::sentences::scene;

/// How late events may come, seconds.
const LATENESS: i64 = 30;

/// An id of sixteen bytes that sorts as the text does.
fn event_id(name: &str) -> EventId {
    let mut bytes = [0; 16];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    // Halves of ids stand for them in places, so both halves tell them apart.
    bytes[8..8 + name.len()].copy_from_slice(name.as_bytes());
    EventId::parse(&bytes.map(|byte| format!("{byte:02x}")).concat()).expect("an id")
}

fn name_of(id: EventId) -> String {
    String::from_utf8(id.as_bytes()[..8].iter().copied().filter(|byte| *byte != 0).collect()).expect("a name")
}

/// What evaluation would hand over.
pub fn matched(feeds: &Feeds, event: &Event) -> Matched {
    let record: Value = serde_json::from_str(&event.text).expect("JSON");
    let rules: Vec<u32> = (0..feeds.rules.len())
        .filter(|at| event.rules.iter().any(|id| id == feeds.rules[*at].as_str()))
        .map(|at| at as u32)
        .collect();
    let read = |(at, field): (usize, &String)| {
        let mut values = Vec::new();
        lookup(&record, field, &mut values);
        (!values.is_empty()).then(|| (at as u32, values.into_iter().map(Arc::from).collect()))
    };
    Matched {
        time: Time::from_micros(event.time),
        id: event_id(&event.id),
        rules: rules.into(),
        fields: feeds.fields.iter().enumerate().filter_map(read).collect(),
        actor: None,
        lane: Lane::Live,
        detail: Arc::new(Detail {
            source: SourceId::new("made"),
            received: Time::from_micros(event.time),
            brief: event.id.clone().into(),
            entities: Arc::default(),
            fields: Box::default(),
        }),
    }
}

/// The one partition has come to a time, microseconds.
pub fn progress(reached: i64) -> Progress {
    Progress {
        source: SourceId::new("made"),
        partition: "one".into(),
        lane: Lane::Live,
        time: Time::from_micros(reached),
        received: Time::from_micros(reached),
    }
}

/// Correlation, group and first event.
type EpisodeId = (usize, Vec<(String, String)>, EventId);

pub struct Stream {
    linked: Vec<Linked>,
    feeds: Feeds,
    plans: Arc<Correlations>,
    pub correlator: Correlator,
    told: BTreeMap<EpisodeId, Statement>,
    finals: Vec<Statement>,
    reached: i64,
}

impl Stream {
    pub fn new(linked: &[Linked], options: Options) -> Stream {
        let feeds = Feeds::of(linked);
        let plans =
            Arc::new(Correlations::compile(linked, &feeds, &Inventory::new(), &|_| vec![SourceId::new("made")]));
        let correlator = Correlator::new(plans.clone(), options);
        Stream {
            linked: linked.to_vec(),
            feeds,
            plans,
            correlator,
            told: BTreeMap::new(),
            finals: Vec::new(),
            reached: -1,
        }
    }

    /// One batch.
    pub fn batch(&mut self, events: &[Event]) {
        let matched = events.iter().map(|event| matched(&self.feeds, event)).collect();
        self.reached = events.iter().map(|event| event.time).max().unwrap_or(0).max(self.reached);
        let said = self.correlator.batch(&Batch { matched, links: Vec::new(), progress: vec![progress(self.reached)] });
        self.hear(said);
    }

    pub fn finish(&mut self) {
        let said = self.correlator.finish();
        self.hear(said);
        let open: Vec<_> = self.told.values().collect();
        assert!(open.is_empty(), "told early, and neither final nor withdrawn: {open:?}");
    }

    fn hear(&mut self, said: Vec<Statement>) {
        for statement in said {
            let first = statement.episode.first;
            let key = (statement.correlation, statement.group.clone(), first);
            match statement.standing {
                Standing::Early => {
                    assert!(self.told.insert(key, statement.clone()).is_none(), "told twice: {statement:?}")
                }
                Standing::Withdrawn => {
                    self.told.remove(&key).unwrap_or_else(|| panic!("withdrawn and never told: {statement:?}"));
                }
                Standing::Final => {
                    self.told.remove(&key);
                    self.finals.push(statement);
                }
            }
        }
    }

    /// Writes the correlator down, and goes on with what is read back.
    pub fn restart(&mut self, options: Options) {
        let mut bytes = Vec::new();
        self.correlator.snapshot().write(&mut bytes).expect("memory");
        let restored = Correlator::restore(self.plans.clone(), options, &mut &bytes[..]).expect("a snapshot");
        assert!(restored.dropped.is_empty());
        self.correlator = restored.correlator;
    }

    /// The final findings, as the plain evaluator writes them.
    pub fn found(&self) -> Vec<Finding> {
        let ids = |claims: &[engine::correlate::Claim]| claims.iter().map(|claim| name_of(claim.id)).collect();
        let finding = |said: &Statement| Finding {
            of: said.correlation,
            group: said.group.clone(),
            opened: ids(&said.episode.opened),
            prolonged: ids(&said.episode.prolonged),
            held: said.episode.held.micros(),
            last_held: said.episode.last_held.micros(),
        };
        let mut found: Vec<Finding> = self.finals.iter().map(finding).collect();
        found.sort();
        found
    }

    pub fn expected(&self, events: &[Event]) -> Vec<Finding> {
        let mut found = correlate(&self.linked, events);
        found.sort();
        found
    }
}

fn options() -> Options {
    Options { lateness_ms: LATENESS * 1000, ..Options::default() }
}

/// How the events of a scene reach us: in what order, in which batches, after which of them the machine restarts.
#[derive(Clone, Debug)]
struct Arrival {
    /// How late each event comes, seconds, at most [`LATENESS`].
    delays: Vec<i64>,
    repeats: Vec<(usize, i64)>,
    batches: Vec<usize>,
    restarts: Vec<bool>,
}

fn arrivals() -> impl Strategy<Value = Arrival> {
    let delays = proptest::collection::vec(prop_oneof![3 => Just(0), 1 => 0..=LATENESS], 24);
    let repeats = proptest::collection::vec((0..24_usize, 0..=LATENESS), 0..8);
    let batches = proptest::collection::vec(1..6_usize, 40);
    let restarts = proptest::collection::vec(prop::bool::weighted(0.2), 40);
    (delays, repeats, batches, restarts).prop_map(|(delays, repeats, batches, restarts)| Arrival {
        delays,
        repeats,
        batches,
        restarts,
    })
}

impl Arrival {
    fn batches(&self, events: &[Event]) -> Vec<(Vec<Event>, bool)> {
        let mut all: Vec<(i64, Event)> = events
            .iter()
            .zip(&self.delays)
            .map(|(event, delay)| (event.time + delay * 1_000_000, event.clone()))
            .collect();
        for (nth, delay) in &self.repeats {
            all.extend(events.get(*nth).map(|event| (event.time + delay * 1_000_000, event.clone())));
        }
        all.sort_by_key(|(at, _)| *at);
        let mut rest = &all.into_iter().map(|(_, event)| event).collect::<Vec<_>>()[..];
        let mut batches = Vec::new();
        for (size, restart) in self.batches.iter().zip(&self.restarts) {
            let (batch, left) = rest.split_at((*size).min(rest.len()));
            batches.push((batch.to_vec(), *restart));
            rest = left;
        }
        batches.push((rest.to_vec(), false));
        batches
    }
}

/// Two correlations, the second built on the first, or on it and a rule.
fn any_chain() -> impl Strategy<Value = String> {
    let above = prop::sample::select(vec![
        "type: event_count\n  rules: [t]\n  group-by: [u]\n  timespan: 40s\n  condition: {gte: 2}",
        "type: event_count\n  rules: [t]\n  timespan: 30s\n  condition: {gte: 2, lte: 3}",
        "type: temporal\n  rules: [t, c]\n  group-by: [u]\n  timespan: 15s",
        "type: temporal_ordered\n  rules: [t, b]\n  timespan: 15s",
        "type: value_count\n  rules: [t]\n  timespan: 60s\n  condition: {field: u, gte: 2}",
        "type: value_sum\n  rules: [t, a]\n  group-by: [u]\n  timespan: 20s\n  condition: {field: n, gte: 4}",
    ]);
    (any_correlation(), above)
        .prop_map(|(beneath, above)| format!("{beneath}---\ntitle: s\nname: s\ncorrelation:\n  {above}\n"))
}

fn equals(text: &str, events: &[Event], arrival: &Arrival, options: &Options) -> Result<(), TestCaseError> {
    let scene = scene(text);
    let mut stream = Stream::new(&scene.linked, options.clone());
    for (batch, restarts) in arrival.batches(events) {
        stream.batch(&batch);
        if restarts {
            stream.restart(options.clone());
        }
    }
    stream.finish();
    prop_assert_eq!(stream.found(), stream.expected(events));
    let counts = stream.correlator.counts();
    prop_assert!(
        counts.correlations.iter().all(|counts| counts.too_late + counts.evicted + counts.lost == 0),
        "{:?}",
        counts
    );
    prop_assert!(counts.correlations.iter().all(|counts| counts.groups == 0), "something is left: {:?}", counts);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_order_the_batches_and_the_restarts_the_findings_are_those_of_the_plain_evaluator(
        text in any_correlation(), events in events(), arrival in arrivals(),
    ) {
        equals(&text, &events, &arrival, &options())?;
    }

    #[test]
    fn so_are_those_of_correlations_of_correlations(text in any_chain(), events in events(), arrival in arrivals()) {
        equals(&text, &events, &arrival, &options())?;
    }

    #[test]
    fn what_is_handed_over_whole_may_come_in_any_order(
        text in any_chain(), events in events(), arrival in arrivals(), delays in proptest::collection::vec(0..500_i64, 24),
    ) {
        let arrival = Arrival { delays, ..arrival };
        equals(&text, &events, &arrival, &Options { is_whole: true, ..options() })?;
    }
}

/// Every type that Sigma lacks, small enough for a scene of 45 seconds.
fn any_stateful() -> impl Strategy<Value = String> {
    let all = vec![
        "type: first_seen\n    rules: [a, b]\n    group-by: [u]\n    condition: {field: n}\n    timespan: 20s\n    learn: 5s",
        "type: rarity\n    rules: [a, b, c]\n    group-by: [u]\n    condition: {field: n, lt: 40%}\n    timespan: 40s\n    least_events: 3",
        "type: volume\n    rules: [a, b, c]\n    group-by: [u]\n    timespan: 5s\n    baseline: {k: 2, learn: 2, history: 8}",
        "type: volume\n    rules: [a, b]\n    group-by: [u]\n    timespan: 5s\n    beyond: below\n    baseline: {k: 1, learn: 2, history: 8}",
        "type: ratio\n    of: a\n    to: [b, c]\n    group-by: [u]\n    timespan: 15s\n    condition: {gte: 50%}\n    at_least: 1",
        "type: peer_group\n    rules: [a, b]\n    entity: [n]\n    timespan: 20s\n    baseline: {k: 1}\n    least_peers: 2\n    at_least: 2",
        "type: absence\n    rules: [a, b]\n    missing: b\n    group-by: [u]\n    timespan: 8s",
        "type: absence\n    rules: [a, b]\n    missing: b\n    side: before\n    group-by: [u]\n    timespan: 8s",
        "type: absence\n    rules: [a]\n    group-by: [u]\n    timespan: 6s\n    least_events: 2",
        "type: coverage\n    rules: [a, b, c]\n    group-by: [u]\n    condition: {field: n, gte: 40%}\n    of: 6\n    timespan: 15s",
        "type: join\n    rules: [a, b]\n    group-by: [u]\n    timespan: 5s",
        "type: join\n    rules: [a, b]\n    missing: b\n    group-by: [u]\n    timespan: 5s",
        "type: sequence\n    steps: [a, {rule: b, within: 10s}]\n    unless: [c]\n    group-by: [u]\n    timespan: 20s",
        "type: risk\n    rules: [a, b, c]\n    points: {a: 10, b: 20, c: 30}\n    group-by: [u]\n    condition: {gte: 60}\n    timespan: 15s",
    ];
    let document = |body: &str| format!("title: t\nname: t\nlevel: high\nwatchkeep:\n  stateful:\n    {body}\n");
    prop::sample::select(all).prop_map(document)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn types_that_sigma_lacks_find_the_same_whatever_the_order_the_batches_and_the_restarts(
        text in any_stateful(), events in events(), arrival in arrivals(),
    ) {
        let linked = scene(&text).linked;
        // All at once, in order, each once: the operators alone are held against plain evaluators elsewhere.
        let mut whole = Stream::new(&linked, Options { is_whole: true, ..options() });
        whole.batch(&events);
        whole.finish();
        let mut stream = Stream::new(&linked, options());
        for (batch, restarts) in arrival.batches(&events) {
            stream.batch(&batch);
            if restarts {
                stream.restart(options());
            }
        }
        stream.finish();
        prop_assert_eq!(stream.found(), whole.found());
    }
}
