use model::{Disposition, Move, RuleKind, Standing, Step, Verdict, Window};

use super::*;
use crate::{AlertDetail, StoreOptions};

/// What a correlation says of `events` events that began at ten o'clock: always the same finding.
fn said(standing: Standing, events: u64) -> Finding {
    let window = Window {
        group: vec![("user".into(), "ana".into())],
        start: at(0),
        held: at(5),
        last_held: at(events as i64),
        events: vec![],
        event_count: events,
        measured: "events".into(),
        value: events as f64,
        expected: None,
        threshold: "at least 5".into(),
        values: vec![],
        history: vec![],
        standing,
        late_ms: None,
    };
    let message = format!("ana read {events} weights");
    Finding { window: Some(Box::new(window)), event_time: at(events as i64), message, ..finding("burst", "ana", 0) }
}

fn say(store: &Store, standing: Standing, events: u64, minutes: i64) -> Disposition {
    settle(store, vec![said(standing, events)], at(minutes)).findings[0].1
}

fn detail(store: &Store) -> AlertDetail {
    store.alert(only_alert(store).alert_id).unwrap().unwrap()
}

fn stored(store: &Store) -> (Standing, u64, String) {
    let detail = detail(store);
    let row = &detail.findings[0];
    let finding = row.finding.as_ref().unwrap();
    assert_eq!((detail.findings.len(), row.standing), (1, Some(finding.window.as_ref().unwrap().standing)));
    assert_eq!(row.event_time, finding.event_time);
    (row.standing.unwrap(), finding.window.as_ref().unwrap().event_count, detail.alert.message)
}

fn assert_balanced(store: &Store, repeated: u64) {
    let ledger = store.ledger(at(-600), at(600)).unwrap();
    assert_eq!(ledger.total(Step::Repeated), repeated);
    assert_eq!(store.imbalances(at(600)).unwrap(), []);
    assert_eq!(store.verify_audit().unwrap().broken, None);
}

#[test]
fn what_is_final_replaces_what_was_told_early() {
    let (_dir, store) = store();
    assert_eq!(say(&store, Standing::Early, 5, 6), Disposition::Opened);
    let mut last = said(Standing::Final, 9);
    last.entities.push(Entity { kind: EntityKind::Address, key: "203.0.113.7".into() });
    let again = settle(&store, vec![last], at(10));
    assert_eq!(again.findings[0].1, Disposition::Repeated);
    assert_eq!(again.findings[0].2, Some(only_alert(&store).alert_id));
    assert_eq!(stored(&store), (Standing::Final, 9, "ana read 9 weights".into()));
    let detail = detail(&store);
    assert_eq!((detail.alert.findings, detail.alert.last_event, detail.alert.entities.len()), (1, at(9), 2));
    assert_eq!(detail.history.len(), 1, "what was to be expected is no news");
    for word in ["203.0.113", "9 weights"] {
        let found = crate::AlertQuery { text: Some(word.into()), ..Default::default() };
        assert_eq!(store.alerts(&found).unwrap().total, 1, "what is new in it can be found: {word}");
    }
    assert_eq!(due(&store, at(11)).len(), 1, "nobody is told twice");
    assert_balanced(&store, 1);
}

#[test]
fn nothing_changes_what_is_final() {
    let (_dir, store) = store();
    say(&store, Standing::Final, 9, 10);
    for standing in [Standing::Early, Standing::Final, Standing::Withdrawn] {
        assert_eq!(say(&store, standing, 7, 11), Disposition::Repeated);
        assert_eq!(stored(&store), (Standing::Final, 9, "ana read 9 weights".into()));
    }
    assert_eq!(detail(&store).history.len(), 1);
    assert_balanced(&store, 3);
}

#[test]
fn an_early_finding_grows_until_it_is_final() {
    let (_dir, store) = store();
    settle(&store, vec![said(Standing::Early, 5), said(Standing::Early, 6)], at(7));
    assert_eq!(stored(&store), (Standing::Early, 6, "ana read 6 weights".into()));
    settle(&store, vec![said(Standing::Early, 7), said(Standing::Final, 8)], at(8));
    assert_eq!(stored(&store), (Standing::Final, 8, "ana read 8 weights".into()));
    assert_balanced(&store, 3);
}

#[test]
fn a_withdrawn_finding_is_marked_and_its_alert_says_so_and_stays() {
    let (_dir, store) = store();
    say(&store, Standing::Early, 5, 6);
    let before = only_alert(&store);
    let withdrawn = Finding { message: "a late event undid it".into(), ..said(Standing::Withdrawn, 5) };
    assert_eq!(settle(&store, vec![withdrawn], at(7)).findings[0].1, Disposition::Repeated);
    assert_eq!(stored(&store), (Standing::Withdrawn, 5, before.message.clone()));
    assert_eq!(only_alert(&store), before, "neither closed nor gone");
    let note = detail(&store).history.pop().unwrap();
    assert_eq!((note.kind.as_str(), note.who.as_str(), note.at), ("withdrawn", "watchkeep", at(7)));
    assert_eq!(note.why.as_deref(), Some("a late event undid it"));
    say(&store, Standing::Withdrawn, 5, 8);
    assert_eq!(detail(&store).history.len(), 2, "it is said once");
    assert!(store.audit(0, 9).unwrap().iter().any(|entry| entry.action == "finding.withdrawn"));
    say(&store, Standing::Early, 6, 9);
    assert_eq!(stored(&store), (Standing::Early, 6, "ana read 6 weights".into()), "a later event made it so again");
    assert_eq!(detail(&store).history.pop().unwrap().kind, "restored");
    assert_balanced(&store, 3);
}

#[test]
fn a_finding_that_is_withdrawn_before_anybody_knew_it_opens_nothing() {
    let (_dir, store) = store();
    assert_eq!(say(&store, Standing::Withdrawn, 5, 6), Disposition::Kept);
    assert_eq!(store.alerts(&Default::default()).unwrap().total, 0);
    assert_balanced(&store, 0);
}

#[test]
fn a_folded_finding_changes_without_giving_the_reason() {
    let (_dir, store) = store();
    settle(&store, vec![finding("burst", "ana", 1), said(Standing::Early, 5)], at(6));
    let message = only_alert(&store).message;
    say(&store, Standing::Final, 9, 10);
    let detail = detail(&store);
    assert_eq!((detail.alert.message, detail.alert.findings, detail.alert.last_event), (message, 2, at(9)));
    let row = detail.findings.iter().find(|row| row.standing.is_some()).unwrap();
    assert_eq!((row.disposition, row.standing), (Disposition::Folded, Some(Standing::Final)));
    let folds: Vec<u64> = detail.history.iter().filter(|row| row.kind == "folded").map(|row| row.count).collect();
    assert_eq!(folds, [1], "a change is no fold");
    assert_balanced(&store, 1);
}

#[test]
fn a_closed_alert_stays_closed_whatever_is_said_of_its_finding() {
    let (_dir, store) = store();
    say(&store, Standing::Early, 5, 6);
    let id = only_alert(&store).alert_id;
    store.act(id, Move::Acknowledge, "eve", None, at(7)).unwrap();
    store.act(id, Move::Close(Verdict::FpLogic), "eve", Some("a test"), at(8)).unwrap();
    say(&store, Standing::Withdrawn, 5, 9);
    let alert = only_alert(&store);
    assert_eq!(
        (alert.state, alert.verdict, alert.verdict_reason),
        (model::AlertState::Closed, Some(Verdict::FpLogic), Some("a test".into()))
    );
    assert_balanced(&store, 1);
}

#[test]
fn findings_without_an_alert_and_beyond_the_bodies_change_too() {
    let dir = tempfile::tempdir().unwrap();
    let options = StoreOptions { findings_per_hour_max: 1, ..Default::default() };
    let store = Store::open_with(dir.path(), options).unwrap();
    let signal = |who: &str, standing| {
        let id = finding("burst", who, 0).finding_id;
        Finding { finding_id: id, kind: RuleKind::Signal, ..said(standing, 5) }
    };
    for standing in [Standing::Early, Standing::Final] {
        settle(&store, vec![signal("ana", standing), signal("ben", standing)], at(6));
    }
    let db = db(dir.path());
    let count = |sql: &str| -> i64 { db.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(count("SELECT count(*) FROM finding_standings WHERE standing = 'final'"), 2);
    assert_eq!(count("SELECT count(*) FROM findings WHERE body IS NULL"), 1, "what was left out stays out");
    assert_eq!(count("SELECT count(*) FROM findings WHERE body LIKE '%\"final\"%'"), 1);
    assert_balanced(&store, 2);
}

#[test]
fn a_finding_of_one_event_never_changes() {
    let (_dir, store) = store();
    settle(&store, vec![finding("r", "ana", 0)], at(1));
    let other = Finding { message: "something else".into(), ..finding("r", "ana", 0) };
    let id = other.finding_id;
    let windowed = Finding { finding_id: id, ..said(Standing::Final, 9) };
    settle(&store, vec![other, windowed], at(2));
    let detail = detail(&store);
    assert_eq!(detail.findings[0].finding, Some(finding("r", "ana", 0)));
    assert_eq!((detail.findings[0].standing, detail.alert.message.as_str()), (None, "ana read weights"));
}

#[test]
fn a_finding_about_many_events_says_nothing_about_the_input_that_made_it_known() {
    let (_dir, store) = store();
    let mut from_another = settlement(vec![said(Standing::Final, 9)], vec![], at(10));
    from_another.ledger = Default::default();
    from_another.ledger.add(Entry { source: Some(SourceId::from("aws_cloudtrail")), ..entry(Step::Raised) }, 1);
    store.settle(from_another, &[]).unwrap();
    assert_eq!(store.source_health(at(11)).unwrap(), []);
    assert_balanced(&store, 0);
}
