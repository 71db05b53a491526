use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ::engine::correlate::{Detail, Matched, Progress};
use ::engine::{Engine, Format, Given, Limits, Sink};
use model::{EventId, FoldKey, Lane, RuleKind, SourceId};
use serde::{Deserialize, Serialize};
use store::{AlertQuery, Cursor, Store};

use super::super::{After, Body, Detect, DetectWorker, Line, LineOptions, LineParts, Work};
use super::*;
use crate::ManualClock;

mod durable;
mod rows;
mod trouble;

/// Each record is the name of a thing: it feeds correlations, and nothing else.
struct Teller(Engine);

struct TellerWorker<'a>(Box<dyn DetectWorker + 'a>);

impl Detect for Teller {
    fn worker(&self) -> Box<dyn DetectWorker + '_> {
        Box::new(TellerWorker(Detect::worker(&self.0)))
    }

    fn limits(&self) -> Limits {
        Detect::limits(&self.0)
    }
}

impl DetectWorker for TellerWorker<'_> {
    fn count(&mut self, frame: &[u8], given: &Given) -> u64 {
        self.0.count(frame, given)
    }

    fn evaluate(&mut self, frame: &[u8], given: &Given, sink: &mut dyn Sink) {
        // No source knows it: it is counted as a reject.
        self.0.evaluate(frame, given, sink);
        sink.matched(matched(std::str::from_utf8(frame).unwrap()));
    }

    fn set_aside(&mut self, _frame: &[u8], _given: &Given) -> Option<SetAside> {
        None
    }
}

fn matched(text: &str) -> Matched {
    Matched {
        time: Time::EPOCH,
        id: EventId::of(&[text.as_bytes()]),
        rules: Box::new([0]),
        fields: Box::new([]),
        actor: None,
        lane: Lane::Test,
        detail: Arc::new(Detail {
            source: SourceId::from("things"),
            received: Time::EPOCH,
            brief: text.into(),
            entities: Arc::from([]),
            fields: Box::default(),
        }),
    }
}

/// Counts the records of each thing, `{"<thing>":<number>}`, and finds every third. `boom` panics and is the fault of `r1` until that is
/// set aside; `bang` panics and is nobody's. `wait` is found at the next tick.
struct Counting {
    names: Names,
    /// Batches that were ever shown, to any state.
    shown: Arc<AtomicU64>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct Counted {
    things: BTreeMap<String, u64>,
    waiting: BTreeSet<String>,
    events: u64,
}

struct Running {
    counted: Counted,
    aside: Vec<String>,
    suspect: Mutex<Option<SetAside>>,
    shown: Arc<AtomicU64>,
}

struct Copied(Counted);

impl Correlate for Counting {
    fn names(&self) -> &Names {
        &self.names
    }

    fn begin(&self) -> Box<dyn Correlating> {
        Box::new(self.with(Counted::default()))
    }

    fn restore(&self, from: &mut dyn Read) -> Result<Restored, String> {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        let counted = postcard::from_bytes(&bytes).map_err(|error| error.to_string())?;
        Ok(Restored { state: Box::new(self.with(counted)), dropped: vec!["gone".into()] })
    }
}

impl Counting {
    fn with(&self, counted: Counted) -> Running {
        Running { counted, aside: Vec::new(), suspect: Mutex::default(), shown: self.shown.clone() }
    }
}

impl Correlating for Running {
    fn batch(&mut self, batch: &Batch) -> Vec<Finding> {
        self.shown.fetch_add(1, Ordering::SeqCst);
        let mut findings = Vec::new();
        for matched in &batch.matched {
            let thing = matched.detail.brief.trim_start_matches("{\"").split('"').next().unwrap().to_owned();
            if thing == "boom" {
                let rule = SetAside { rule_id: "r1".into(), title: "Clumsy".into() };
                *self.suspect.lock().unwrap_or_else(PoisonError::into_inner) = Some(rule);
                assert!(self.aside.contains(&"r1".to_owned()), "the operator stumbles on secret");
                continue;
            }
            assert!(thing != "bang", "the table stumbles");
            self.counted.events += 1;
            if thing == "wait" {
                self.counted.waiting.insert(thing);
                continue;
            }
            let count = self.counted.things.entry(thing.clone()).or_default();
            *count += 1;
            if count.is_multiple_of(3) {
                findings.push(finding(&thing, *count));
            }
        }
        findings
    }

    fn tick(&mut self, _now: Time) -> Vec<Finding> {
        std::mem::take(&mut self.counted.waiting).iter().map(|thing| finding(thing, 1)).collect()
    }

    fn snapshot(&self) -> Box<dyn Frozen> {
        Box::new(Copied(self.counted.clone()))
    }

    fn counts(&self) -> Vec<RuleCounts> {
        let is_aside = !self.aside.is_empty();
        let taken = self.counted.events;
        vec![RuleCounts { rule_id: "r1".into(), title: "Clumsy".into(), taken, is_aside, ..RuleCounts::default() }]
    }

    fn suspect(&self) -> Option<SetAside> {
        self.suspect.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_aside(&mut self, rule_id: &str) {
        self.aside.push(rule_id.to_owned());
    }
}

impl Frozen for Copied {
    fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(&postcard::to_stdvec(&self.0).map_err(io::Error::other)?)
    }
}

fn finding(thing: &str, count: u64) -> Finding {
    let event = EventId::of(&[thing.as_bytes(), &count.to_be_bytes()]);
    Finding {
        finding_id: Finding::id_of(&"r1".into(), "1", &[event]),
        rule_id: "r1".into(),
        rule_title: "Every third".into(),
        rule_revision: "1".into(),
        level: model::Level::High,
        kind: RuleKind::Alert,
        source: SourceId::from("things"),
        event_time: Time::EPOCH,
        received: Time::EPOCH,
        event_ids: vec![event],
        entities: vec![],
        techniques: vec![],
        message: format!("{thing} {count}"),
        lane: Lane::Test,
        fold: FoldKey { by: vec![("thing".into(), format!("{thing} {count}"))], window_ms: 1000 },
        matched: vec![],
        columns: BTreeMap::default(),
        window: None,
        context: Vec::new(),
    }
}

/// A data folder on which lines are started again and again.
struct House {
    folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    shown: Arc<AtomicU64>,
    /// Number of the next piece of work.
    next: u64,
}

fn house() -> House {
    let clock = Arc::new(ManualClock::at(Time::EPOCH.plus_millis(1000)));
    House { folder: tempfile::tempdir().unwrap(), clock, shown: Arc::default(), next: 0 }
}

/// A snapshot whenever the last one is written.
fn eager() -> LineOptions {
    with(CorrelateOptions { snapshot_rows: 1, tick_every: Duration::from_millis(10), ..CorrelateOptions::default() })
}

/// No snapshot before the end, and no tick.
fn lazy() -> LineOptions {
    with(CorrelateOptions { tick_every: Duration::from_secs(3600), ..CorrelateOptions::default() })
}

fn with(correlate: CorrelateOptions) -> LineOptions {
    let correlate = CorrelateOptions { tell_every: Duration::ZERO, ..correlate };
    LineOptions { correlate, store_pause: Duration::from_millis(5), ..LineOptions::default() }
}

impl House {
    fn store(&self) -> Store {
        Store::open(self.folder.path()).unwrap()
    }

    fn line(&self, options: LineOptions) -> Line {
        let (engine, _) = Engine::compile(
            vec![],
            Vec::<::engine::sigma::Rule>::new(),
            vec![],
            &Default::default(),
            Limits::default(),
        );
        let names = Names { rules: vec!["m1@1".into()], fields: vec![] };
        let with = Arc::new(Counting { names, shown: self.shown.clone() });
        let parts = LineParts {
            detect: Arc::new(Teller(engine)),
            correlate: Some(CorrelateParts { with, folder: self.folder.path().join("correlations") }),
            store: self.store(),
            lake: None,
            kept: None,
            journal: None,
            journal_key: "journal:test".into(),
            routes: Arc::new([]),
            clock: self.clock.clone(),
            signals: Arc::default(),
            queued: Arc::new(|| {}),
        };
        Line::start(parts, options)
    }

    /// One piece of work for each text, settled one by one.
    fn feed(&mut self, line: &Line, texts: &[&str]) {
        for text in texts {
            line.sender().submit(work(self.next, text)).unwrap();
            self.next += 1;
            assert!(line.sender().wait_idle(Duration::from_secs(20)));
        }
    }

    /// A line that settles the texts and ends in order.
    fn run(&mut self, options: LineOptions, texts: &[&str]) {
        let line = self.line(options);
        self.feed(&line, texts);
        assert!(line.close(Duration::from_secs(20)));
    }

    /// The titles of alerts about ourselves, and the messages of those of correlations, in order.
    fn told(&self) -> (Vec<String>, Vec<String>) {
        let page = self.store().alerts(&AlertQuery { limit: 1000, ..AlertQuery::default() }).unwrap();
        let (own, found): (Vec<_>, Vec<_>) =
            page.alerts.into_iter().partition(|alert| alert.source.as_str() == "watchkeep");
        let mut titles: Vec<String> = own.into_iter().map(|alert| alert.title).collect();
        // All records of these tests are rejects.
        titles.retain(|title| title != "Rejected records jumped");
        let mut messages: Vec<String> = found.into_iter().map(|alert| alert.message).collect();
        titles.sort();
        messages.sort();
        (titles, messages)
    }

    fn assert_found(&self, messages: &[&str]) {
        let (titles, found) = self.told();
        assert_eq!((titles, found), (vec![], messages.iter().map(|text| (*text).to_owned()).collect()));
        assert_eq!(self.store().imbalances(self.clock_now()).unwrap(), []);
    }

    fn clock_now(&self) -> Time {
        use crate::Clock as _;
        self.clock.now()
    }
}

fn work(number: u64, text: &str) -> Work {
    Work {
        input: "test".into(),
        source: None,
        lane: Lane::Test,
        received: Time::EPOCH,
        records: None,
        body: Body::Stream { format: Format::Auto, bytes: format!("{text}\n").into_bytes() },
        after: After::Cursor(Cursor { key: "file".into(), value: number.to_string() }),
    }
}
