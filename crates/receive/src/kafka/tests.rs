use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::Start;
use super::partition::{Failure, Log, Message, Pauses, Reading};
use crate::backoff::Backoff;
use crate::memory::Memory;
use crate::trouble::Trouble;

/// A partition in memory. Offsets without a message are marks of transactions, or were compacted away.
struct Fake {
    kept: Range<i64>,
    messages: BTreeMap<i64, Option<&'static str>>,
    /// Answers that are given first.
    failures: Mutex<Vec<Failure>>,
    /// Set once nothing more is to be read.
    end: CancellationToken,
    fetched: Mutex<Vec<i64>>,
}

impl Fake {
    fn new(kept: Range<i64>, messages: &[(i64, Option<&'static str>)]) -> Fake {
        Fake {
            kept,
            messages: messages.iter().copied().collect(),
            failures: Mutex::default(),
            end: CancellationToken::new(),
            fetched: Mutex::default(),
        }
    }
}

impl Log for Arc<Fake> {
    async fn fetch(&self, offset: i64) -> Result<Vec<Message>, Failure> {
        self.fetched.lock().unwrap().push(offset);
        if let Some(failure) = self.failures.lock().unwrap().pop() {
            return Err(failure);
        }
        if offset < self.kept.start || offset > self.kept.end {
            return Err(Failure::OutOfRange);
        }
        if offset == self.kept.end {
            self.end.cancel();
            tokio::task::yield_now().await;
            return Ok(Vec::new());
        }
        // Brokers hand out whole batches: here, messages without a gap.
        let batch = (offset..self.kept.end).map_while(|n| self.messages.get(&n).map(|value| (n, *value)));
        Ok(batch.map(|(n, value)| Message { offset: n, value: value.map(Bytes::from) }).collect())
    }

    async fn earliest(&self) -> Result<i64, Failure> {
        Ok(self.kept.start)
    }

    async fn latest(&self) -> Result<i64, Failure> {
        Ok(self.kept.end)
    }
}

/// Reads partition 3 of `audit`, and does not wait long.
fn reading(memory: &Arc<Memory>, start: Start, stop: CancellationToken) -> Reading {
    let moment = Duration::from_millis(1);
    Reading {
        topic: "audit".to_owned(),
        partition: 3,
        start,
        intake: memory.clone(),
        trouble: Trouble::of(memory.clone()),
        stop,
        has_read: Arc::default(),
        pauses: Pauses { failed: Backoff { first: moment, longest: moment }, refused: moment },
    }
}

/// Reads the partition to its end.
async fn read(fake: Fake, start: Start, position: Option<i64>) -> (Arc<Memory>, Arc<Fake>, Result<(), String>) {
    let (memory, fake) = (Arc::new(Memory::default()), Arc::new(fake));
    let reading = reading(&memory, start, fake.end.clone());
    let outcome = reading.run(fake.clone(), position).await;
    (memory, fake, outcome)
}

fn position(memory: &Memory) -> Option<String> {
    memory.positions.lock().unwrap().get("kafka:audit:3").cloned()
}

#[tokio::test]
async fn messages_are_taken_and_the_offset_behind_them_is_remembered() {
    let fake = Fake::new(0..4, &[(0, Some("a")), (1, None), (2, Some("")), (3, Some("b"))]);
    let (memory, _, outcome) = read(fake, Start::Earliest, None).await;
    assert_eq!((outcome, memory.texts()), (Ok(()), vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(position(&memory).as_deref(), Some("4"));
    assert!(memory.troubles().is_empty());
}

#[tokio::test]
async fn a_partition_without_a_position_may_begin_at_its_end() {
    let (memory, _, _) = read(Fake::new(0..2, &[(0, Some("a")), (1, Some("b"))]), Start::Latest, None).await;
    assert_eq!((memory.texts().len(), position(&memory).as_deref()), (0, Some("2")));
}

#[tokio::test]
async fn a_position_is_read_on_from_whatever_the_start_is() {
    let (memory, _, _) = read(Fake::new(0..2, &[(0, Some("a")), (1, Some("b"))]), Start::Latest, Some(1)).await;
    assert_eq!(memory.texts(), ["b"]);
}

#[tokio::test]
async fn marks_of_transactions_and_what_compaction_left_are_stepped_over() {
    let fake = Fake::new(0..7, &[(0, Some("a")), (3, Some("b")), (5, Some("c"))]);
    let (memory, _, outcome) = read(fake, Start::Earliest, None).await;
    assert_eq!((outcome, memory.texts().concat()), (Ok(()), "abc".to_owned()));
    assert_eq!(position(&memory).as_deref(), Some("7"));
}

#[tokio::test]
async fn messages_that_are_gone_are_counted_aloud_and_reading_goes_on() {
    let fake = Fake::new(40..42, &[(40, Some("a")), (41, Some("b"))]);
    let (memory, _, _) = read(fake, Start::Earliest, Some(7)).await;
    assert_eq!(memory.texts(), ["a", "b"]);
    let troubles = memory.troubles();
    assert_eq!(troubles.len(), 1, "{troubles:?}");
    assert!(troubles[0].contains("33 messages from offset 7 on are gone"), "{troubles:?}");
}

#[tokio::test]
async fn a_topic_that_was_made_anew_is_read_from_its_start() {
    let (memory, _, _) = read(Fake::new(0..1, &[(0, Some("a"))]), Start::Latest, Some(900)).await;
    assert_eq!((memory.texts(), position(&memory).as_deref()), (vec!["a".to_owned()], Some("1")));
    assert!(memory.troubles()[0].contains("it was made anew"), "{:?}", memory.troubles());
}

#[tokio::test]
async fn brokers_that_do_not_answer_end_the_session() {
    let fake = Fake::new(0..1, &[(0, Some("a"))]);
    fake.failures.lock().unwrap().push(Failure::Brokers("refused".to_owned()));
    let (memory, _, outcome) = read(fake, Start::Earliest, None).await;
    assert_eq!((outcome, memory.texts().len()), (Err("refused".to_owned()), 0));
}

#[tokio::test]
async fn a_partition_that_fails_is_said_once_and_tried_again() {
    let fake = Fake::new(0..1, &[(0, Some("a"))]);
    *fake.failures.lock().unwrap() = vec![Failure::Partition("it moves".to_owned()); 3];
    let (memory, fake, _) = read(fake, Start::Earliest, None).await;
    assert_eq!((memory.texts(), memory.troubles().len()), (vec!["a".to_owned()], 1));
    assert_eq!(*fake.fetched.lock().unwrap(), [0, 0, 0, 0, 1]);
}

#[tokio::test]
async fn what_is_refused_is_not_remembered_and_comes_again() {
    let fake = Fake::new(0..1, &[(0, Some("a"))]);
    let memory = Arc::new(Memory::default());
    *memory.refusal.lock().unwrap() = Some("full".to_owned());
    let (fake, stop) = (Arc::new(fake), CancellationToken::new());
    let reading = reading(&memory, Start::Earliest, stop.clone());
    let running = tokio::spawn(reading.run(fake.clone(), Some(0)));
    while memory.troubles().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(position(&memory), None);
    *memory.refusal.lock().unwrap() = None;
    fake.end.cancelled().await;
    stop.cancel();
    running.await.unwrap().unwrap();
    assert_eq!((memory.texts(), position(&memory).as_deref()), (vec!["a".to_owned()], Some("1")));
}
