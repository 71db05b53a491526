use model::Reject;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::fake_aws::FakeAws;
use super::*;
use crate::memory::Memory;

struct Bench {
    aws: FakeAws,
    memory: Arc<Memory>,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl Bench {
    async fn start(change: impl FnOnce(&mut S3SqsOptions)) -> Bench {
        let (aws, memory, stop) = (FakeAws::start().await, Arc::new(Memory::default()), CancellationToken::new());
        let counting = memory.clone();
        aws.state().taken = Some(Arc::new(move || counting.texts().len()));
        let mut options = S3SqsOptions {
            queue: format!("{}/111122223333/trail", aws.address),
            region: None,
            endpoint: Some(aws.address.clone()),
            buckets: Vec::new(),
            objects: 4,
            visibility: Duration::from_secs(300),
            receives_max: 5,
        };
        change(&mut options);
        let config = clients::config_of_tests(&aws.address).await;
        let running = tokio::spawn(run_with(config, options, memory.clone(), stop.clone()));
        Bench { aws, memory, stop, running }
    }

    /// Ends the input; it must end by itself.
    async fn end(self) {
        self.stop.cancel();
        self.running.await.unwrap();
    }

    async fn until_deleted(&self, count: usize) -> Vec<(String, usize)> {
        self.aws.until(|state| state.deleted.len() >= count).await;
        self.aws.state().deleted.clone()
    }
}

/// A notification of S3 about some objects of bucket `b`.
fn told(keys: &[&str]) -> Value {
    let records: Vec<Value> = keys
        .iter()
        .map(|key| {
            json!({"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "awsRegion": "eu-west-1",
                   "s3": {"bucket": {"name": "b"}, "object": {"key": key, "sequencer": format!("seq-{key}")}}})
        })
        .collect();
    json!({"Records": records})
}

#[tokio::test]
async fn a_message_is_deleted_once_all_that_it_names_is_durable() {
    let bench = Bench::start(|_| {}).await;
    bench.aws.put("/b/one", 200, "first");
    bench.aws.put("/b/two%20words", 200, "second");
    bench.aws.send("m1", told(&["one", "two+words"]), 1);
    assert_eq!(bench.until_deleted(1).await, [("m1".to_owned(), 2)]);
    assert_eq!(bench.memory.texts(), ["first", "second"]);
    assert_eq!(bench.memory.troubles(), [""; 0]);
    bench.end().await;
}

#[tokio::test]
async fn a_message_that_comes_twice_is_fetched_once() {
    let bench = Bench::start(|_| {}).await;
    bench.aws.put("/b/one", 200, "first");
    bench.aws.send("m1", told(&["one"]), 1);
    bench.until_deleted(1).await;
    bench.aws.send("m1-again", told(&["one"]), 2);
    bench.until_deleted(2).await;
    assert_eq!(bench.aws.state().fetched, ["/b/one"]);
    bench.end().await;
}

#[tokio::test]
async fn an_object_that_is_gone_is_kept_by_name_and_the_message_is_handled() {
    let bench = Bench::start(|_| {}).await;
    bench.aws.put("/b/here", 200, "here");
    bench.aws.send("m1", told(&["gone", "here"]), 1);
    bench.until_deleted(1).await;
    assert_eq!(*bench.memory.kept.lock().unwrap(), [("s3://b/gone".to_owned(), Reject::Unfetched)]);
    assert_eq!(bench.memory.texts(), ["here"], "the others of the message are read");
    let troubles = bench.memory.troubles();
    assert!(
        troubles.len() == 1 && troubles[0].contains("s3://b/gone") && troubles[0].contains("NoSuchKey"),
        "{troubles:?}"
    );
    bench.end().await;
}

#[tokio::test]
async fn an_object_that_may_not_be_read_is_left_for_later_and_said_once() {
    let bench = Bench::start(|_| {}).await;
    bench.aws.put("/b/secret", 403, "<Error><Code>AccessDenied</Code><Message>kms:Decrypt</Message></Error>");
    bench.aws.send("m1", told(&["secret"]), 1);
    bench.aws.send("m2", told(&["secret"]), 3);
    bench.aws.until(|state| state.hidden.len() == 2).await;
    let mut hidden = bench.aws.state().hidden.clone();
    hidden.sort();
    // Whichever comes second may find the first at work, and waits for it.
    assert!(hidden.iter().all(|(_, seconds)| *seconds == 30 || *seconds == 120), "{hidden:?}");
    assert!(bench.aws.state().deleted.is_empty());
    let troubles = bench.memory.troubles();
    assert!(
        troubles.len() == 1 && troubles[0].contains("kms:Decrypt") && troubles[0].contains("tried again"),
        "{troubles:?}"
    );
    bench.end().await;
}

#[tokio::test]
async fn after_the_last_attempt_a_message_is_kept_as_a_reject() {
    let bench = Bench::start(|_| {}).await;
    bench.aws.put("/b/secret", 403, "<Error><Code>AccessDenied</Code></Error>");
    let message = told(&["secret"]);
    bench.aws.send("m1", &message, 5);
    bench.until_deleted(1).await;
    assert_eq!(*bench.memory.kept.lock().unwrap(), [(message.to_string(), Reject::Unfetched)]);
    assert!(bench.memory.troubles().iter().any(|said| said.starts_with("A message was given up")));
    bench.end().await;
}

#[tokio::test]
async fn what_the_journal_refuses_is_not_deleted() {
    let bench = Bench::start(|_| {}).await;
    *bench.memory.refusal.lock().unwrap() = Some("too large".to_owned());
    bench.aws.put("/b/one", 200, "first");
    bench.aws.send("m1", told(&["one"]), 1);
    bench.aws.until(|state| !state.hidden.is_empty()).await;
    assert_eq!(bench.aws.state().hidden, [("m1".to_owned(), 30)]);
    assert!(bench.aws.state().deleted.is_empty());
    bench.end().await;
}

#[tokio::test]
async fn half_of_an_object_does_not_pass_for_the_whole() {
    let bench = Bench::start(|_| {}).await;
    bench.aws.state().objects.insert("/b/one".to_owned(), (200, b"half".to_vec(), 100));
    bench.aws.send("m1", told(&["one"]), 1);
    bench.aws.until(|state| !state.hidden.is_empty()).await;
    assert!(bench.aws.state().deleted.is_empty());
    assert!(bench.memory.texts().is_empty());
    bench.end().await;
}

#[tokio::test]
async fn a_message_stays_hidden_while_it_is_handled() {
    let bench = Bench::start(|options| options.visibility = Duration::from_secs(3)).await;
    let (aws, runtime) = (bench.aws.clone(), tokio::runtime::Handle::current());
    // The journal has no room until the message was hidden again.
    *bench.memory.before.lock().unwrap() =
        Some(Arc::new(move || runtime.block_on(aws.until(|state| !state.hidden.is_empty()))));
    bench.aws.put("/b/one", 200, "first");
    bench.aws.send("m1", told(&["one"]), 1);
    bench.until_deleted(1).await;
    assert_eq!(bench.aws.state().hidden[0], ("m1".to_owned(), 3));
    bench.end().await;
}

#[tokio::test]
async fn told_to_end_it_gives_back_what_it_has_at_hand() {
    let bench = Bench::start(|_| {}).await;
    bench.aws.state().objects.insert("/b/one".to_owned(), (200, b"half".to_vec(), usize::MAX >> 1));
    bench.aws.send("m1", told(&["one"]), 1);
    bench.aws.until(|state| !state.fetched.is_empty()).await;
    let aws = bench.aws.clone();
    bench.end().await;
    assert_eq!(aws.state().hidden, [("m1".to_owned(), 0)]);
    assert!(aws.state().deleted.is_empty());
}

#[tokio::test]
async fn a_test_of_s3_is_deleted_and_what_is_no_notification_is_kept() {
    let bench = Bench::start(|options| options.buckets = vec!["other".to_owned()]).await;
    bench.aws.send("test", json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}), 1);
    bench.aws.send("strange", "hello", 1);
    bench.aws.send("elsewhere", told(&["one"]), 1);
    bench.until_deleted(3).await;
    let mut kept = bench.memory.kept.lock().unwrap().clone();
    kept.sort();
    assert_eq!(kept, [("hello".to_owned(), Reject::Unfetched), ("s3://b/one".to_owned(), Reject::Unfetched)]);
    assert!(bench.aws.state().fetched.is_empty(), "a bucket that is not the input's is not asked");
    bench.end().await;
}

#[tokio::test]
async fn a_queue_that_is_away_is_said_once() {
    let bench = Bench::start(|_| {}).await;
    bench.aws.state().is_away = true;
    for _ in 0..2000 {
        if !bench.memory.troubles().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let troubles = bench.memory.troubles();
    assert!(troubles.len() == 1 && troubles[0].starts_with("A queue cannot be read"), "{troubles:?}");
    assert!(troubles[0].contains("AccessDenied") && troubles[0].contains("tried again"), "{troubles:?}");
    bench.end().await;
}
