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
    assert_eq!(error, "given up 1440 minutes after it was queued; last: away");
}
