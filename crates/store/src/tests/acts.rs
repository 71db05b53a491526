use model::{AlertId, AlertState, Move, Verdict};

use super::*;
use crate::{ActError, Retry, StoreError};

fn opened(store: &Store) -> AlertId {
    settle(store, vec![finding("r", "ana", 0)], at(1)).opened[0]
}

#[test]
fn an_alert_goes_from_open_to_a_verdict_with_all_six_times() {
    let (_dir, store) = store();
    let id = opened(&store);
    store.act(id, Move::Deliver, "soc", Some("202"), at(2)).unwrap();
    store.act(id, Move::Receive, "soc", None, at(3)).unwrap();
    store.act(id, Move::Acknowledge, " eve ", Some("looking"), at(4)).unwrap();
    let closed = store.act(id, Move::Close(Verdict::TpPolicy), "eve", Some("owner told"), at(5)).unwrap();
    let c = closed.clocks;
    assert_eq!((c.event, c.received, c.detected), (at(0), at(0), at(1)));
    assert_eq!((c.delivered, c.acknowledged, c.verdict), (Some(at(2)), Some(at(4)), Some(at(5))));
    assert_eq!(closed.acknowledged_by.as_deref(), Some("eve"));
    assert_eq!((closed.verdict, closed.verdict_reason.as_deref()), (Some(Verdict::TpPolicy), Some("owner told")));
    let detail = store.alert(id).unwrap().unwrap();
    assert_eq!(detail.alert, closed);
    let kinds: Vec<&str> = detail.history.iter().map(|row| row.kind.as_str()).collect();
    assert_eq!(kinds, ["opened", "delivered", "received", "acknowledged", "closed"]);
    assert_eq!(detail.history[4].why.as_deref(), Some("True positive: against policy: owner told"));
    let sent: Vec<&str> = detail.deliveries.iter().map(|row| row.kind.as_str()).collect();
    assert_eq!(sent, ["alert.opened", "alert.acknowledged", "alert.closed"]);
}

#[test]
fn illegal_and_anonymous_acts_change_nothing() {
    let (_dir, store) = store();
    let id = opened(&store);
    let before = (store.alert(id).unwrap(), store.audit(0, 100).unwrap());
    let early = store.act(id, Move::Close(Verdict::FpData), "eve", None, at(2)).unwrap_err();
    assert_eq!(early.to_string(), "an alert that is open cannot be closed before someone acknowledges it");
    assert!(matches!(store.act(id, Move::Acknowledge, "  ", None, at(2)), Err(ActError::Nobody)));
    let nobody = AlertId::of(&[b"nothing"]);
    assert!(matches!(store.act(nobody, Move::Acknowledge, "eve", None, at(2)), Err(ActError::NoAlert(_))));
    assert_eq!((store.alert(id).unwrap(), store.audit(0, 100).unwrap()), before);
}

#[test]
fn two_people_cannot_both_acknowledge() {
    let (_dir, store) = store();
    let id = opened(&store);
    let results: Vec<bool> = std::thread::scope(|scope| {
        let acts: Vec<_> = (0..4)
            .map(|i| {
                let store = store.clone();
                scope.spawn(move || store.act(id, Move::Acknowledge, &format!("p{i}"), None, at(2)).is_ok())
            })
            .collect();
        acts.into_iter().map(|act| act.join().unwrap()).collect()
    });
    assert_eq!(results.iter().filter(|done| **done).count(), 1);
    assert_eq!(only_alert(&store).state, AlertState::Acknowledged);
}

#[test]
fn the_audit_log_holds_and_shows_every_forgery() {
    let (dir, store) = store();
    let id = opened(&store);
    store.act(id, Move::Acknowledge, "eve", Some("mine"), at(2)).unwrap();
    store.act(id, Move::Close(Verdict::TpMalicious), "eve", None, at(3)).unwrap();
    let whole = store.verify_audit().unwrap();
    assert_eq!((whole.entries, &whole.broken), (3, &None));
    assert_eq!(whole.head, store.audit(0, 1).unwrap()[0].digest);
    let forge = |sql: &str| {
        let copy = tempfile::tempdir().unwrap();
        db(dir.path()).execute("VACUUM INTO ?1", [copy.path().join("state.db").to_str().unwrap()]).unwrap();
        let refused = db(copy.path()).execute_batch(sql).unwrap_err();
        assert!(refused.to_string().contains("the audit log only grows"));
        db(copy.path())
            .execute_batch(&format!("DROP TRIGGER audit_unchanged; DROP TRIGGER audit_undeleted; {sql}"))
            .unwrap();
        Store::open(copy.path()).unwrap().verify_audit().unwrap().broken.unwrap().0
    };
    assert_eq!(forge("UPDATE audit SET who = 'mallory' WHERE seq = 2"), 2);
    assert_eq!(forge("UPDATE audit SET at = at + 1 WHERE seq = 3"), 3);
    assert_eq!(forge("DELETE FROM audit WHERE seq = 1"), 1);
}

#[test]
fn errors_say_whether_to_try_again() {
    use rusqlite::ffi;
    let of = |code| StoreError::from(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
    assert!(matches!(of(ffi::SQLITE_FULL), StoreError::Full(_)));
    assert_eq!(of(ffi::SQLITE_FULL).retry(), Retry::AfterRepair);
    assert_eq!(of(ffi::SQLITE_IOERR_FSYNC).retry(), Retry::AfterRepair);
    assert_eq!(of(ffi::SQLITE_BUSY).retry(), Retry::Soon);
    assert_eq!(of(ffi::SQLITE_CORRUPT).retry(), Retry::Never);
}
