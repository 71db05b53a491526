//! How fast it is. `cargo test -p watchkeep-store --release scale -- --ignored --nocapture` prints the numbers.

use std::time::{Duration, Instant};

use model::AlertState;

use super::*;
use crate::journal::{Batch, Journal, JournalOptions, Position};
use crate::{AlertQuery, AlertSort};

const SOURCES: [&str; 5] =
    ["aws_cloudtrail", "aws_guardduty", "aws_s3_access_log", "kubernetes_audit", "aws_bedrock_invocation"];

fn nth(i: usize) -> Finding {
    let mut made = finding(&format!("rule-{:04}", i % 300), &format!("person-{i}"), (i / 60) as i64);
    made.level = Level::ALL[i % 5];
    made.source = SourceId::from(SOURCES[i % 5]);
    made.message = format!(
        "arn:aws:sts::{:012}:assumed-role/eval-{}/s-{i} read s3://lab-weights/m{}/shard-{i}.safetensors from 203.0.113.{}",
        i,
        i % 97,
        i % 13,
        i % 255
    );
    made
}

fn fill(store: &Store, alerts: usize) {
    for batch in (0..alerts).collect::<Vec<_>>().chunks(5_000) {
        settle(store, batch.iter().map(|i| nth(*i)).collect(), at(2_000));
    }
    let moved = store.write::<_, rusqlite::Error>(|db| {
        db.execute("UPDATE alerts SET state = 'acknowledged' WHERE n % 10 = 0", [])?;
        db.execute("UPDATE alerts SET state = 'closed' WHERE n % 20 = 0", [])
    });
    moved.unwrap();
}

fn best_of<T>(times: usize, mut work: impl FnMut() -> T) -> Duration {
    (0..times)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .min()
        .unwrap()
}

fn queries() -> Vec<(&'static str, AlertQuery)> {
    let open = vec![AlertState::Open, AlertState::Delivered, AlertState::Received];
    let text = |text: &str| AlertQuery { text: Some(text.into()), ..Default::default() };
    vec![
        ("the queue", AlertQuery::default()),
        ("unacknowledged", AlertQuery { states: open.clone(), ..Default::default() }),
        (
            "closed, oldest first",
            AlertQuery { states: vec![AlertState::Closed], sort: AlertSort::Oldest, ..Default::default() },
        ),
        (
            "two levels, by event",
            AlertQuery { levels: vec![Level::Low, Level::High], sort: AlertSort::LastEvent, ..Default::default() },
        ),
        ("one rule", AlertQuery { rule: Some("rule-0123".into()), ..Default::default() }),
        ("nothing", AlertQuery { rule: Some("none".into()), states: open, ..Default::default() }),
        ("one source, deep page", AlertQuery { source: Some(SOURCES[3].into()), offset: 15_000, ..Default::default() }),
        ("the last page", AlertQuery { offset: 99_950, ..Default::default() }),
        ("a rare word", text("shard-77777")),
        ("two words", text("person-4242 weights")),
        ("a common word", text("m12/shard")),
        ("a word in all", text("weights")),
        ("a short word", text("zz")),
    ]
}

#[test]
fn every_order_of_the_queue_stays_in_its_index() {
    let (dir, store) = store();
    fill(&store, 40);
    let db = db(dir.path());
    for (index, order) in [
        ("alerts_by_level", "level DESC, last_event DESC, n DESC"),
        ("alerts_by_event", "last_event DESC, n DESC"),
        ("alerts_by_detected", "detected DESC, n DESC"),
        ("alerts_by_detected", "detected, n"),
    ] {
        let filter = "state = 'open' AND +level IN (1, 5) AND source = 's' AND rule_id = 'r' AND lane = 'live'";
        let sql = format!(
            "EXPLAIN QUERY PLAN SELECT n FROM alerts INDEXED BY {index} WHERE {filter} ORDER BY {order} LIMIT 50"
        );
        let mut plan = db.prepare(&sql).unwrap();
        let steps: Vec<String> = plan.query_map([], |row| row.get(3)).unwrap().map(Result::unwrap).collect();
        assert_eq!(steps, [format!("SCAN alerts USING COVERING INDEX {index}")]);
    }
}

#[test]
#[ignore = "a measurement: run in release"]
fn pages_and_counts_at_100_000_alerts() {
    let (dir, store) = store();
    let start = Instant::now();
    fill(&store, 100_000);
    let bytes = std::fs::metadata(dir.path().join("state.db")).unwrap().len();
    eprintln!("filled in {:?}, {} MB", start.elapsed(), bytes >> 20);
    let mut slow = Vec::new();
    for (name, query) in queries() {
        let mut total = 0;
        let took = best_of(5, || total = store.alerts(&query).unwrap().total);
        eprintln!("{name:>24}: {took:>10.2?} of {total}");
        // Nothing indexes one or two characters: they are looked for in every alert.
        if took > Duration::from_millis(20) && name != "a short word" {
            slow.push(name);
        }
    }
    let numbers = best_of(5, || store.stats(at(2_010)).unwrap());
    let due = best_of(5, || store.outbox_due(at(3_000), 100).unwrap());
    let detail = best_of(5, || store.alert(Alert::id_of(&nth(7))).unwrap());
    let balance = best_of(3, || store.imbalances(at(2_010)).unwrap());
    let rules = best_of(3, || store.rule_counts(at(2_010)).unwrap());
    eprintln!("stats {numbers:?}, due {due:?}, alert {detail:?}, imbalances {balance:?}, rule counts {rules:?}");
    assert!(slow.is_empty(), "over 20 ms: {slow:?}");
}

#[test]
#[ignore = "a measurement: run in release"]
fn settling_a_second() {
    let (_dir, store) = store();
    let counts = |i: i64| {
        let mut ledger = Ledger::default();
        ledger.add(Entry { hour: at(i).hour(), ..entry(Step::Received) }, 1_000);
        ledger.add(Entry { hour: at(i).hour(), ..entry(Step::Evaluated) }, 1_000);
        Settlement { input: "http".into(), ledger, now: at(i), ..Settlement::default() }
    };
    let start = Instant::now();
    (0..200).for_each(|i| drop(store.settle(counts(i), &[]).unwrap()));
    eprintln!("{:>10.0} evaluated records/s in batches of 1,000", 200_000.0 / start.elapsed().as_secs_f64());
    let opening: Vec<Finding> = (0..10_000).map(nth).collect();
    let start = Instant::now();
    opening.chunks(500).for_each(|chunk| drop(settle(&store, chunk.to_vec(), at(3_000))));
    eprintln!("{:>10.0} findings/s that open an alert", 10_000.0 / start.elapsed().as_secs_f64());
    let folding: Vec<Finding> =
        (0..20_000).map(|i| Finding { event_time: at(i % 50), ..finding("noisy", "ana", i) }).collect();
    let start = Instant::now();
    folding.chunks(500).for_each(|chunk| drop(settle(&store, chunk.to_vec(), at(3_000))));
    eprintln!("{:>10.0} findings/s that fold", 20_000.0 / start.elapsed().as_secs_f64());
}

#[test]
#[ignore = "a measurement: run in release"]
fn journaling_a_second() {
    for (callers, records) in [(1, 100), (1, 1_000), (8, 100), (8, 1_000)] {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path(), JournalOptions::default()).unwrap();
        let batch = Batch {
            input: "http".into(),
            source: None,
            format: 0,
            lane: Lane::Live,
            received: at(0),
            records,
            bytes: vec![b'x'; records as usize * 1_200],
        };
        let rounds = 400 / callers;
        let start = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..callers {
                scope.spawn(|| {
                    (0..rounds).for_each(|_| {
                        journal.append(&batch).unwrap();
                    })
                });
            }
        });
        let rate = (rounds * callers * records as usize) as f64 / start.elapsed().as_secs_f64();
        eprintln!("{rate:>10.0} records/s of 1.2 kB, {callers} callers, batches of {records}");
        let start = Instant::now();
        let read: u64 = journal.read_from(Position::START).map(|entry| entry.unwrap().1.records).sum();
        eprintln!("{:>10.0} records/s read back", read as f64 / start.elapsed().as_secs_f64());
    }
}
