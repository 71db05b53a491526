use std::collections::BTreeSet;

use model::{AlertState, Move, Step, Verdict};
use serde_json::Value;

use super::*;
use crate::{OutboxQuery, OutboxState, StoreError};

#[test]
fn routes_take_what_their_filter_takes() {
    let (_dir, store) = store();
    let routes = [
        RouteRule { min_level: Level::Critical, ..route("page") },
        RouteRule { lanes: vec![Lane::Sample], ..route("demo") },
        RouteRule { rules: vec!["r".into()], min_level: Level::High, ..route("soc") },
        route("all"),
    ];
    let settled = store.settle(settlement(vec![finding("r", "ana", 0)], vec![], at(1)), &routes).unwrap();
    assert_eq!(settled.queued.keys().collect::<Vec<_>>(), ["all", "soc"]);
}

#[test]
fn messages_of_one_alert_go_in_order_and_others_do_not_wait() {
    let (_dir, store) = store();
    let ids = settle(&store, vec![finding("r", "ana", 0), finding("r", "ben", 0)], at(1)).opened;
    store.act(ids[0], Move::Acknowledge, "eve", None, at(2)).unwrap();
    store.act(ids[0], Move::Close(Verdict::FpLogic), "eve", None, at(3)).unwrap();
    let mut sent = Vec::new();
    let mut now = at(4);
    while let Some(row) = due(&store, now).into_iter().find(|row| row.alert_id == ids[0]) {
        store.outbox_settle(row.id, OutboxOutcome::Retry { at: now.plus_millis(5), error: "503".into() }, now).unwrap();
        assert!(due(&store, now).iter().all(|other| other.alert_id == ids[1]), "what follows waits for the retry");
        now = now.plus_millis(5);
        let again = due(&store, now).into_iter().find(|other| other.id == row.id).unwrap();
        assert_eq!((&again.key, again.attempts, again.error.as_deref()), (&row.key, 1, Some("503")));
        store.outbox_settle(row.id, delivered(), now).unwrap();
        sent.push((row.seq, row.kind));
    }
    let expected = ["alert.opened", "alert.acknowledged", "alert.closed"].map(str::to_owned);
    assert_eq!(sent, (0u32..).zip(expected).collect::<Vec<_>>());
    assert_eq!(due(&store, now).len(), 1);
    assert_eq!(store.outbox_due_on("soc", now, 9).unwrap().len(), 1);
    assert_eq!(store.outbox_due_on("other", now, 9).unwrap(), []);
}

#[test]
fn a_delivery_moves_the_alert_and_a_later_confirmation_moves_it_on() {
    let (_dir, store) = store();
    settle(&store, vec![finding("r", "ana", 0)], at(1));
    let row = due(&store, at(2)).remove(0);
    store.outbox_settle(row.id, delivered(), at(2)).unwrap();
    let alert = only_alert(&store);
    assert_eq!((alert.state, alert.clocks.delivered), (AlertState::Delivered, Some(at(2))));
    let confirmed = OutboxOutcome::Delivered { receipt: Some("ack 7".into()), confirmed: true };
    store.outbox_settle(row.id, confirmed.clone(), at(3)).unwrap();
    store.outbox_settle(row.id, confirmed, at(4)).unwrap();
    let detail = store.alert(alert.alert_id).unwrap().unwrap();
    assert_eq!((detail.alert.state, detail.alert.clocks.delivered), (AlertState::Received, Some(at(2))));
    let delivery = &detail.deliveries[0];
    assert_eq!((delivery.receipt.as_deref(), delivery.confirmed, delivery.attempts), (Some("ack 7"), true, 1));
    let kinds: Vec<&str> = detail.history.iter().map(|row| row.kind.as_str()).collect();
    assert_eq!(kinds, ["opened", "delivered", "received"], "a repeated confirmation says nothing new");
    let error = store.outbox_settle(row.id, OutboxOutcome::Dead { error: "x".into() }, at(5)).unwrap_err();
    assert!(matches!(error, StoreError::Outbox { expected: "waiting", .. }), "{error}");
    assert_eq!(store.imbalances(at(5)).unwrap(), []);
}

#[test]
fn a_dead_letter_holds_back_what_follows_and_is_replayed_with_its_key() {
    let (_dir, store) = store();
    let id = settle(&store, vec![finding("r", "ana", 0)], at(1)).opened[0];
    store.act(id, Move::Acknowledge, "eve", None, at(2)).unwrap();
    let row = due(&store, at(3)).remove(0);
    store.outbox_settle(row.id, OutboxOutcome::Dead { error: "400 bad token".into() }, at(3)).unwrap();
    assert_eq!(due(&store, at(90)), []);
    assert_eq!(store.outbox_next_due().unwrap(), None);
    let dead = store.dead_letters().unwrap();
    assert_eq!((dead.len(), dead[0].error.as_deref()), (1, Some("400 bad token")));
    assert_eq!(store.ledger(at(-60), at(60)).unwrap().total(Step::Dead), 1);
    assert_eq!(store.imbalances(at(4)).unwrap(), []);
    store.replay_dead(row.id, "eve", at(5)).unwrap();
    assert!(store.replay_dead(row.id, "eve", at(5)).is_err(), "it is no dead letter any more");
    let again = due(&store, at(5)).remove(0);
    assert_eq!((again.id, &again.key, &again.payload), (row.id, &row.key, &row.payload));
    assert_eq!(store.ledger(at(-60), at(60)).unwrap().total(Step::Dead), 0);
    assert_eq!(store.imbalances(at(6)).unwrap(), []);
    assert_eq!(store.outbox_next_due().unwrap(), Some(at(5)));
}

#[test]
fn a_message_is_due_since_it_may_go_not_since_it_was_queued() {
    let (_dir, store) = store();
    let id = settle(&store, vec![finding("r", "ana", 0)], at(1)).opened[0];
    store.act(id, Move::Acknowledge, "eve", None, at(2)).unwrap();
    let first = due(&store, at(100)).remove(0);
    assert_eq!(first.due_since, at(1));
    store.outbox_settle(first.id, OutboxOutcome::Retry { at: at(101), error: "503".into() }, at(100)).unwrap();
    assert_eq!(due(&store, at(101))[0].due_since, at(1), "a retry does not begin anew");
    store.outbox_settle(first.id, delivered(), at(101)).unwrap();
    let second = due(&store, at(101)).remove(0);
    assert_eq!((second.created, second.due_since), (at(2), at(101)));
    store.outbox_settle(second.id, OutboxOutcome::Dead { error: "400".into() }, at(102)).unwrap();
    store.replay_dead(second.id, "eve", at(500)).unwrap();
    assert_eq!(due(&store, at(500))[0].due_since, at(500));
}

#[test]
fn the_message_is_thin_and_holds_the_alert_its_finding_and_a_link() {
    let (_dir, store) = store();
    settle(&store, vec![finding("r", "ana", 0)], at(1));
    let row = due(&store, at(2)).remove(0);
    let message: Value = serde_json::from_str(&row.payload).unwrap();
    assert_eq!(message["type"], "alert.opened");
    assert_eq!(message["timestamp"], "2026-11-22T10:01:00.000Z");
    let data = &message["data"];
    assert_eq!(data["alert"]["alert_id"], row.alert_id.to_string());
    assert_eq!(data["findings"][0]["finding_id"], finding("r", "ana", 0).finding_id.to_string());
    assert_eq!(data["link"], format!("/alerts/{}", row.alert_id));
    assert_eq!(data.get("trimmed"), None);
}

#[test]
fn a_message_that_would_be_long_is_trimmed_and_says_so() {
    for n in [100usize, 500, 3_000] {
        let mut long = finding("r", "ana", 0);
        long.columns = (0..n).map(|i| (format!("column{i}"), "x".repeat(40))).collect();
        long.entities =
            (0..n).map(|i| Entity { kind: EntityKind::Resource, key: "é".repeat(200) + &i.to_string() }).collect();
        long.techniques = vec!["T1".repeat(400); 80];
        long.message = "東".repeat(n);
        let (_dir, store) = store();
        settle(&store, vec![long], at(1));
        let row = due(&store, at(2)).remove(0);
        assert!(row.payload.len() <= 20_000, "{}", row.payload.len());
        let message: Value = serde_json::from_str(&row.payload).unwrap();
        assert_eq!(message["data"]["trimmed"], true);
        assert_eq!(message["data"]["alert"]["alert_id"], row.alert_id.to_string());
    }
}

#[test]
fn keys_are_unique_and_rows_can_be_listed() {
    let (_dir, store) = store();
    let routes = [route("a"), route("b")];
    let findings = (0..5).map(|i| finding("r", &format!("p{i}"), 0)).collect();
    store.settle(settlement(findings, vec![], at(1)), &routes).unwrap();
    let all = store.outbox(&OutboxQuery::default()).unwrap();
    assert_eq!(all.len(), 10);
    assert_eq!(all.iter().map(|row| &row.key).collect::<BTreeSet<_>>().len(), 10);
    let of = |query| store.outbox(&query).unwrap().len();
    assert_eq!(of(OutboxQuery { route: Some("a".into()), limit: 3, ..Default::default() }), 3);
    assert_eq!(of(OutboxQuery { alert_id: Some(all[0].alert_id), ..Default::default() }), 2);
    assert_eq!(of(OutboxQuery { state: Some(OutboxState::Dead), ..Default::default() }), 0);
    assert_eq!(of(OutboxQuery { offset: 8, ..Default::default() }), 2);
}

#[test]
fn a_lost_outbox_row_is_an_imbalance_and_raises_one_alert_about_ourselves() {
    let (dir, store) = store();
    settle(&store, vec![finding("r", "ana", 0)], at(1));
    assert_eq!(store.check_balance(at(2)).unwrap(), []);
    db(dir.path()).execute("DELETE FROM outbox", []).unwrap();
    let broken = store.check_balance(at(3)).unwrap();
    assert_eq!((broken.len(), broken[0].input.as_str(), broken[0].left, broken[0].right), (1, "route:soc", 1, 0));
    store.check_balance(at(4)).unwrap();
    let ours = crate::AlertQuery { source: Some("watchkeep".into()), ..Default::default() };
    let page = store.alerts(&ours).unwrap();
    assert_eq!((page.total, page.alerts[0].findings), (1, 2), "the second check folds");
    assert!(
        page.alerts[0].message.contains("queued = delivered + dead + waiting is 1 = 0"),
        "{}",
        page.alerts[0].message
    );
    assert_eq!(due(&store, at(5))[0].alert_id, page.alerts[0].alert_id, "it goes where other alerts go");
}
