use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use engine::{Engine, Format, Given, Limits, Sink};
use model::{Lane, Reject, Step, Time};
use store::{AlertQuery, Cursor, RejectQuery, Store};

use super::*;
use crate::ManualClock;

/// An engine without sources, whose evaluation panics on records that say so. Records are rejected as unknown, or for what they say.
struct Moody {
    engine: Engine,
    aside: Mutex<Option<SetAside>>,
    /// Does cutting a batch into records panic?
    is_unframed: bool,
}

struct MoodyWorker<'a>(&'a Moody, Box<dyn DetectWorker + 'a>);

impl Detect for Moody {
    fn worker(&self) -> Box<dyn DetectWorker + '_> {
        Box::new(MoodyWorker(self, Detect::worker(&self.engine)))
    }

    fn limits(&self) -> Limits {
        assert!(!self.is_unframed, "framing panics");
        Detect::limits(&self.engine)
    }
}

impl DetectWorker for MoodyWorker<'_> {
    fn count(&mut self, frame: &[u8], given: &Given) -> u64 {
        assert!(!frame.starts_with(b"{\"count\""), "counting panics");
        self.1.count(frame, given)
    }

    fn evaluate(&mut self, frame: &[u8], given: &Given, sink: &mut dyn Sink) {
        self.1.evaluate(frame, given, sink);
        let is_aside = self.0.aside.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        assert!(is_aside || !frame.starts_with(b"{\"boom\""), "the rule stumbles on secret {}", frame.len());
        assert!(!frame.starts_with(b"{\"count\""), "evaluation panics");
    }

    fn set_aside(&mut self, frame: &[u8], _given: &Given) -> Option<SetAside> {
        if !frame.starts_with(b"{\"boom\"") {
            return None;
        }
        let rule = SetAside { rule_id: "r1".into(), title: "Clumsy".into() };
        *self.0.aside.lock().unwrap_or_else(PoisonError::into_inner) = Some(rule.clone());
        Some(rule)
    }
}

struct Bench {
    line: Option<Line>,
    store: Store,
    _folder: tempfile::TempDir,
}

fn bench(options: LineOptions) -> Bench {
    bench_of(options, false, Arc::new(|| {}))
}

fn bench_of(options: LineOptions, is_unframed: bool, queued: Arc<dyn Fn() + Send + Sync>) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let (engine, _) =
        Engine::compile(vec![], Vec::<engine::sigma::Rule>::new(), vec![], &Default::default(), Limits::default());
    let parts = LineParts {
        detect: Arc::new(Moody { engine, aside: Mutex::default(), is_unframed }),
        correlate: None,
        store: store.clone(),
        lake: None,
        kept: None,
        journal: None,
        journal_key: "journal:test".into(),
        routes: Arc::new([]),
        clock: Arc::new(ManualClock::at(Time::EPOCH.plus_millis(1000))),
        signals: Arc::default(),
        queued,
    };
    Bench { line: Some(Line::start(parts, options)), store, _folder: folder }
}

fn work(number: u64, text: &str) -> Work {
    Work {
        input: "test".into(),
        source: None,
        lane: Lane::Test,
        received: Time::EPOCH,
        records: None,
        body: Body::Stream { format: Format::Auto, bytes: text.as_bytes().to_vec() },
        after: After::Cursor(Cursor { key: "file".into(), value: number.to_string() }),
    }
}

impl Bench {
    fn run(&mut self, texts: &[&str]) {
        let line = self.line.take().unwrap();
        for (number, text) in texts.iter().enumerate() {
            line.sender().submit(work(number as u64, text)).unwrap();
        }
        assert!(line.close(Duration::from_secs(20)));
    }

    fn count(&self, step: Step) -> u64 {
        self.store.ledger(Time::EPOCH, Time::from_millis(i64::MAX)).unwrap().total(step)
    }

    fn reasons(&self) -> Vec<Reject> {
        let query = RejectQuery { limit: 1000, ..RejectQuery::default() };
        let mut reasons: Vec<Reject> = self.store.rejects(&query).unwrap().into_iter().map(|row| row.reason).collect();
        reasons.sort();
        reasons
    }

    fn titles(&self) -> Vec<String> {
        let page = self.store.alerts(&AlertQuery { limit: 100, ..AlertQuery::default() }).unwrap();
        page.alerts.into_iter().map(|alert| alert.title).collect()
    }
}

#[test]
fn every_record_is_counted_in_and_out_and_the_cursor_moves_with_them() {
    let mut bench = bench(LineOptions::default());
    let texts: Vec<String> = (0..200).map(|n| format!("{{\"n\":{n}}}\n{{\"m\":{n}}}\n")).collect();
    bench.run(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!((bench.count(Step::Received), bench.count(Step::Rejected)), (400, 400));
    assert_eq!(bench.store.cursor("test", "file").unwrap().as_deref(), Some("199"));
    assert_eq!(bench.store.imbalances(Time::EPOCH).unwrap(), []);
}

#[test]
fn a_rule_that_panics_is_set_aside_and_its_record_is_held_against_the_others() {
    let mut bench = bench(LineOptions { threads: 1, ..LineOptions::default() });
    bench.run(&["{\"a\":1}\n{\"boom\":1}\n{\"b\":2}\n", "{\"boom\":2}\n"]);
    assert_eq!((bench.count(Step::Received), bench.count(Step::Rejected)), (4, 4));
    assert_eq!(
        bench.reasons(),
        [Reject::UnknownSource, Reject::UnknownSource, Reject::UnknownSource, Reject::UnknownSource],
        "no record is given up because of one rule"
    );
    let page = bench.store.alerts(&AlertQuery { limit: 100, ..AlertQuery::default() }).unwrap();
    let told = format!("{page:?}");
    assert!(told.contains("line/tests.rs:") && !told.contains("secret"), "where, and not what: {told}");
    assert!(bench.titles().contains(&"A rule failed and was set aside".to_owned()), "{:?}", bench.titles());
    assert_eq!(bench.store.imbalances(Time::EPOCH).unwrap(), []);
}

#[test]
fn a_record_that_panics_everywhere_is_kept_and_told() {
    let mut bench = bench(LineOptions::default());
    bench.run(&["{\"count\":1}\n{\"b\":2}\n"]);
    assert_eq!((bench.count(Step::Received), bench.count(Step::Rejected)), (2, 2));
    assert_eq!(bench.reasons(), [Reject::UnknownSource, Reject::Internal]);
    assert!(bench.titles().contains(&"Evaluation failed on a record".to_owned()));
}

#[test]
fn a_closed_line_takes_nothing_and_a_full_one_waits() {
    let bench = bench(LineOptions { queue_batches: 1, ..LineOptions::default() });
    let line = bench.line.unwrap();
    let sender = line.sender();
    for number in 0..50 {
        sender.submit(work(number, "{\"a\":1}")).unwrap();
    }
    assert!(line.close(Duration::from_secs(20)));
    assert_eq!(sender.submit(work(50, "{}")), Err(Closed));
    assert!(sender.wait_idle(Duration::ZERO));
}

#[test]
fn a_jump_of_rejects_is_told() {
    let mut bench = bench(LineOptions::default());
    let text: String = (0..100).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    bench.run(&[&text]);
    assert_eq!(bench.titles(), ["Rejected records jumped"]);
}

#[test]
fn signals_count_what_was_settled() {
    let signals = Signals::default();
    let counted = crate::signals::Counted { received: 3, rejected: 1, raised: 2, panicked: 0 };
    signals.settled(counted, &store::Settled::default());
    assert_eq!(signals.received.load(Ordering::Relaxed), 3);
    assert_eq!(signals.values().len(), crate::signals::SIGNALS.len());
    assert_eq!(crate::signals::SIGNALS[0], ("line_received_records_total", "Records counted by inputs."));
}

#[test]
fn work_that_cannot_be_cut_into_records_is_a_reject_and_hangs_nothing() {
    let mut bench = bench_of(LineOptions { threads: 1, ..LineOptions::default() }, true, Arc::new(|| {}));
    bench.run(&["{\"a\":1}\n", "{\"a\":2}\n"]);
    assert_eq!(bench.reasons(), [Reject::Internal, Reject::Internal]);
    assert_eq!((bench.count(Step::Received), bench.count(Step::Rejected)), (2, 2));
    assert!(bench.titles().contains(&"Evaluation failed on a record".to_owned()));
}

#[test]
fn a_panic_of_the_settler_is_told_and_the_line_goes_on() {
    let panics = std::sync::atomic::AtomicBool::new(true);
    let queued = Arc::new(move || assert!(!panics.swap(false, Ordering::SeqCst), "waking panics"));
    let mut bench = bench_of(LineOptions { threads: 1, ..LineOptions::default() }, false, queued);
    bench.run(&["{\"count\":1}\n", "{\"a\":2}\n"]);
    assert_eq!((bench.count(Step::Received), bench.count(Step::Rejected)), (2, 2), "each is settled once");
    assert!(bench.titles().contains(&"Settling failed".to_owned()), "{:?}", bench.titles());
}
