use model::{Move, Step};

use super::*;
use crate::Sighting;

#[test]
fn a_lost_record_is_an_imbalance() {
    let (_dir, store) = store();
    let mut lossy = settlement(vec![finding("r", "ana", 0)], vec![rejected(b"x")], at(1));
    lossy.ledger.add(entry(Step::Received), 1);
    store.settle(lossy, &[]).unwrap();
    let broken = store.imbalances(at(2)).unwrap();
    assert_eq!((broken.len(), broken[0].left, broken[0].right), (1, 3, 2));
    let ledger = store.ledger(at(0).hour(), at(60).hour()).unwrap();
    assert_eq!((ledger.total(Step::Received), ledger.total(Step::Opened)), (3, 1));
    assert!(store.ledger(at(60).hour(), at(600)).unwrap().is_empty());
}

#[test]
fn records_lost_inside_the_journal_are_an_imbalance_once() {
    use crate::journal::{Lost, Position};
    let (_dir, store) = store();
    let before = |offset| Position { segment: 3, offset };
    let cursor = Some(crate::Cursor { key: "journal:a".into(), value: before(500).to_string() });
    store.settle(Settlement { cursor, ..settlement(vec![], vec![rejected(b"x")], at(0)) }, &[]).unwrap();
    let read_in_time = Lost { from: 100, to: 120, before: before(400) };
    assert_eq!(store.book_lost("journal:a", &[read_in_time], at(1)).unwrap(), 0);
    assert_eq!(store.check_balance(at(1)).unwrap(), []);
    let lost = Lost { from: 200, to: 230, before: before(600) };
    assert_eq!(store.book_lost("journal:a", &[read_in_time, lost], at(2)).unwrap(), 30);
    assert_eq!(store.book_lost("journal:a", &[lost], at(90)).unwrap(), 0, "found again at every opening, booked once");
    assert_eq!(store.book_lost("journal:a", &[Lost { to: 240, ..lost }], at(2)).unwrap(), 10, "it grew");
    let broken = store.check_balance(at(91)).unwrap();
    assert_eq!((broken.len(), broken[0].input.as_str(), broken[0].left, broken[0].right), (1, "journal:lost", 40, 0));
    assert_eq!(only_alert(&store).rule_id.as_str(), "watchkeep-ledger-imbalance");
}

#[test]
fn alerts_about_ourselves_fold_by_key_and_balance() {
    let (_dir, store) = store();
    store.set_routes(&[route("soc")]);
    let first = store.raise_self("Disk full", "the journal's disk is full", Level::Critical, "disk", at(0)).unwrap();
    assert_eq!(store.raise_self("Disk full", "still", Level::Critical, "disk", at(90_000)).unwrap(), first);
    let other = store.raise_self("Rule set aside", "it panicked", Level::High, "rule-x", at(1)).unwrap();
    assert_ne!(first, other);
    let detail = store.alert(first).unwrap().unwrap();
    assert_eq!((detail.alert.findings, detail.alert.source.as_str()), (2, "watchkeep"));
    assert_eq!(detail.deliveries.len(), 1);
    store.act(first, Move::Acknowledge, "eve", None, at(3)).unwrap();
    store.act(first, Move::Close(model::Verdict::TpPolicy), "eve", None, at(4)).unwrap();
    assert_ne!(store.raise_self("Disk full", "again", Level::Critical, "disk", at(90_001)).unwrap(), first);
    assert_eq!(store.imbalances(at(90_002)).unwrap(), []);
}

#[test]
fn health_says_when_each_source_was_last_heard() {
    let (_dir, store) = store();
    let source = SourceId::from("aws_cloudtrail");
    let seen = |event, received| Sighting { source: source.clone(), last_event: event, last_received: received };
    let told = |sighting| Settlement { sightings: vec![sighting], ..settlement(vec![], vec![rejected(b"x")], at(9)) };
    store.settle(settlement(vec![finding("r", "ana", 0)], vec![], at(1)), &[]).unwrap();
    store.settle(told(seen(at(5), at(7))), &[]).unwrap();
    store.settle(told(seen(at(3), at(8))), &[]).unwrap();
    let health = store.source_health(at(10)).unwrap();
    assert_eq!(health.len(), 2);
    let (unknown, known) = (&health[0], &health[1]);
    assert_eq!((unknown.source.as_ref(), unknown.rejected_24h["not_json"]), (None, 2));
    assert_eq!((known.last_event, known.last_received, known.lag_ms), (Some(at(5)), Some(at(8)), Some(120_000)));
    assert_eq!((known.evaluated_24h, known.raised_24h), (1, 1));
    let later = store.source_health(at(60 * 48)).unwrap();
    assert_eq!((later[1].evaluated_24h, later[1].last_event), (0, Some(at(5))));
}

#[test]
fn a_record_from_the_future_does_not_hide_that_a_source_fell_silent() {
    let (_dir, store) = store();
    let told = |event, received| {
        let sighting = Sighting { source: SourceId::from("s"), last_event: event, last_received: received };
        store.settle(Settlement { sightings: vec![sighting], ..settlement(vec![], vec![], received) }, &[]).unwrap();
        let health = store.source_health(received).unwrap().remove(0);
        (health.last_event, health.lag_ms, health.ahead)
    };
    assert_eq!(told(at(5_000_000), at(10)), (Some(at(15)), Some(-300_000), 1));
    assert_eq!(told(at(19), at(20)), (Some(at(19)), Some(60_000), 1), "the next record's time counts");
    assert_eq!(told(at(25), at(20)), (Some(at(25)), Some(-300_000), 1), "a clock may be a little ahead");
}

#[test]
fn the_consoles_numbers_add_up() {
    let (_dir, store) = store();
    let findings = vec![finding("r", "ana", 0), finding("r", "ben", 0), finding("q", "ana", 0)];
    let ids = settle(&store, findings, at(1)).opened;
    store.act(ids[0], Move::Acknowledge, "eve", None, at(2)).unwrap();
    store.act(ids[0], Move::Close(model::Verdict::FpLogic), "eve", None, at(3)).unwrap();
    store.act(ids[1], Move::Acknowledge, "eve", None, at(4)).unwrap();
    let row = due(&store, at(5)).remove(0);
    store.outbox_settle(row.id, delivered(), at(5)).unwrap();
    let stats = store.stats(at(6)).unwrap();
    use model::AlertState::{Acknowledged, Closed, Open};
    assert_eq!(stats.by_state.into_iter().collect::<Vec<_>>(), [(Open, 1), (Acknowledged, 1), (Closed, 1)]);
    assert_eq!((stats.unacknowledged, stats.oldest_unacknowledged), (1, Some(at(1))));
    assert_eq!(stats.open_by_rule.into_iter().collect::<Vec<_>>(), [("q".to_owned(), 1), ("r".to_owned(), 1)]);
    let soc = &stats.routes["soc"];
    assert_eq!((soc.queued, soc.delivered, soc.dead, soc.waiting), (6, 1, 0, 5));
    assert_eq!(soc.oldest_waiting, Some(at(1)));
    assert_eq!((stats.hours.len(), stats.hours[23].hour), (24, at(6).hour()));
    assert_eq!((stats.hours[23].evaluated, stats.hours[23].opened, stats.hours[0].received), (3, 3, 0));
    assert_eq!((stats.last_24h.records_in, stats.last_24h.evaluated), (3, 3));
}
