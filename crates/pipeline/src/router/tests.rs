use model::AlertId;
use store::OutboxState;

use super::*;
use crate::outputs::NdjsonFile;

fn route() -> Route {
    Route {
        name: "soc".into(),
        output: Arc::new(NdjsonFile::new(std::path::Path::new("/dev/null"))),
        backoff: Backoff::default(),
        dead_after: Duration::from_secs(86_400),
    }
}

fn row(attempts: u32) -> OutboxRow {
    OutboxRow {
        id: 1,
        route: "soc".into(),
        alert_id: AlertId::of(&[b"a"]),
        seq: 0,
        key: "k".into(),
        kind: "alert.opened".into(),
        payload: "{}".into(),
        attempts,
        state: OutboxState::Waiting,
        created: Time::EPOCH,
        next: Time::EPOCH,
        due_since: Time::EPOCH,
        error: None,
        receipt: None,
        confirmed: false,
        settled: None,
    }
}

fn retry(after: Option<u64>) -> Sent {
    Sent::Retry { after: after.map(Duration::from_secs), error: "away".into() }
}

#[test]
fn failures_wait_longer_each_time() {
    let at = |attempts, after| match outcome_of(&route(), &row(attempts), retry(after), Time::EPOCH, 0.0) {
        OutboxOutcome::Retry { at, .. } => at.millis() / 1000,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        [at(0, None), at(1, None), at(2, None), at(3, None), at(4, None), at(50, None)],
        [5, 15, 30, 60, 120, 120]
    );
    assert_eq!(at(0, Some(77)), 77, "the receiver's wish counts");
}

#[test]
fn a_row_is_dead_after_a_day_and_not_before() {
    let after =
        |hours: i64| outcome_of(&route(), &row(9), retry(None), Time::EPOCH.plus_millis(hours * 3_600_000), 0.0);
    assert!(matches!(after(23), OutboxOutcome::Retry { .. }));
    let OutboxOutcome::Dead { error } = after(24) else { panic!("a day is over") };
    assert_eq!(error, "given up 1440 minutes after it could first go; last: away");
}

/// Counts its sends.
#[derive(Default)]
struct Counting(std::sync::atomic::AtomicU32);

impl Output for Counting {
    fn send<'a>(&'a self, _message: &'a Message) -> crate::outputs::Sending<'a> {
        self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Box::pin(async { Sent::Confirmed { receipt: None } })
    }
}

#[tokio::test]
async fn a_send_that_cannot_be_settled_is_not_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    store.set_routes(&[store::RouteRule { name: "soc".into(), min_level: Level::Low, lanes: vec![], rules: vec![] }]);
    store.raise_self("Title", "message", Level::High, "key", Time::EPOCH).unwrap();
    let disk = rusqlite::Connection::open(folder.path().join("state.db")).unwrap();
    disk.execute_batch("CREATE TRIGGER full BEFORE UPDATE ON outbox BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        .unwrap();
    let output = Arc::new(Counting::default());
    let route = Route { output: output.clone(), ..route() };
    let router = Router::new(store.clone(), vec![route], Arc::new(crate::SystemClock), Arc::default());
    let (running, stop) = (router.clone(), Arc::new(Notify::new()));
    let stopping = stop.clone();
    let task = tokio::spawn(async move { running.run(stopping.notified(), Duration::from_secs(1)).await });
    for _ in 0..20 {
        router.wake();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(output.0.load(std::sync::atomic::Ordering::SeqCst), 1, "sent once while settling fails");
    disk.execute_batch("DROP TRIGGER full").unwrap();
    let rows = || store.outbox(&store::OutboxQuery { limit: 10, ..Default::default() }).unwrap();
    for _ in 0..200 {
        if rows()[0].state == OutboxState::Delivered {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.notify_one();
    task.await.unwrap();
    assert_eq!(rows()[0].state, OutboxState::Delivered);
    assert_eq!(output.0.load(std::sync::atomic::Ordering::SeqCst), 1);
}

/// A row that is settled while the outbox is read must not be sent from what was read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_messages_that_are_settled_while_the_outbox_is_read_go_once_each() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    store.set_routes(&[store::RouteRule { name: "soc".into(), min_level: Level::Low, lanes: vec![], rules: vec![] }]);
    for n in 0..200 {
        store.raise_self("Title", "message", Level::High, &format!("key {n}"), Time::EPOCH).unwrap();
    }
    let output = Arc::new(Counting::default());
    let route = Route { output: output.clone(), ..route() };
    let router = Router::new(store.clone(), vec![route], Arc::new(crate::SystemClock), Arc::default());
    let (running, stop) = (router.clone(), Arc::new(Notify::new()));
    let stopping = stop.clone();
    let task = tokio::spawn(async move { running.run(stopping.notified(), Duration::from_secs(1)).await });
    let rows = || store.outbox(&store::OutboxQuery { limit: 500, ..Default::default() }).unwrap();
    for _ in 0..2000 {
        router.wake();
        tokio::time::sleep(Duration::from_millis(5)).await;
        if rows().iter().all(|row| row.state == OutboxState::Delivered) {
            break;
        }
    }
    stop.notify_one();
    task.await.unwrap();
    assert_eq!(rows().len(), 200);
    assert_eq!(output.0.load(std::sync::atomic::Ordering::SeqCst), 200);
}
