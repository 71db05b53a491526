use model::{AlertState, Disposition, EntityKind, Lane, RuleKind, Silence, SilenceMatch, Step};

use super::*;
use crate::{Cursor, RejectQuery, SilenceError, StoreOptions};

fn dispositions(settled: &Settled) -> Vec<Disposition> {
    settled.findings.iter().map(|(_, disposition, _)| *disposition).collect()
}

#[test]
fn a_finding_opens_an_alert_with_its_evidence_history_and_outbox_row() {
    let (_dir, store) = store();
    let settled = settle(&store, vec![finding("r", "ana", 0)], at(1));
    let alert = only_alert(&store);
    assert_eq!(alert, Alert::open(&finding("r", "ana", 0), at(1)));
    assert_eq!(settled.opened, [alert.alert_id]);
    assert_eq!(settled.queued["soc"], 1);
    let detail = store.alert(alert.alert_id).unwrap().unwrap();
    assert_eq!(detail.findings[0].finding, Some(finding("r", "ana", 0)));
    assert_eq!(detail.evidence[0].event_id, finding("r", "ana", 0).event_ids[0]);
    assert_eq!((detail.history[0].kind.as_str(), detail.history[0].at), ("opened", at(1)));
    assert_eq!(detail.deliveries[0].kind, "alert.opened");
    assert_eq!(store.alert(model::AlertId::of(&[b"none"])).unwrap(), None);
}

#[test]
fn the_same_settlement_twice_changes_nothing_but_the_count_of_repetitions() {
    let (_dir, store) = store();
    let findings = vec![finding("r", "ana", 0), finding("r", "ana", 5), finding("q", "ana", 0)];
    settle(&store, findings.clone(), at(6));
    let before = store.alerts(&Default::default()).unwrap();
    let again = settle(&store, findings, at(7));
    assert_eq!(dispositions(&again), [Disposition::Repeated; 3]);
    assert!(again.findings.iter().all(|(_, _, alert)| alert.is_some()), "a repetition names its alert");
    assert_eq!(store.alerts(&Default::default()).unwrap(), before);
    assert_eq!(due(&store, at(9)).len(), 2);
    assert_eq!(store.imbalances(at(9)).unwrap(), []);
    let ledger = store.ledger(at(-600), at(600)).unwrap();
    assert_eq!((ledger.total(Step::Repeated), ledger.total(Step::Raised)), (3, 6));
}

#[test]
fn findings_fold_within_a_batch_and_across_batches() {
    let (_dir, store) = store();
    let first = settle(&store, vec![finding("r", "ana", 0), finding("r", "ana", 5), finding("r", "ben", 5)], at(6));
    assert_eq!(dispositions(&first), [Disposition::Opened, Disposition::Folded, Disposition::Opened]);
    let mut late = finding("r", "ana", -10);
    late.entities.push(Entity { kind: EntityKind::Address, key: "203.0.113.7".into() });
    assert_eq!(dispositions(&settle(&store, vec![late], at(7))), [Disposition::Folded]);
    let id = first.opened[0];
    let detail = store.alert(id).unwrap().unwrap();
    assert_eq!((detail.alert.findings, detail.alert.last_event, detail.alert.clocks.event), (3, at(5), at(0)));
    assert_eq!(detail.alert.entities.len(), 2);
    let folded = detail.history.iter().find(|row| row.kind == "folded").unwrap();
    assert_eq!((folded.count, folded.at), (2, at(7)));
    assert_eq!(detail.findings.len(), 3);
    assert_eq!(detail.findings[0].disposition, Disposition::Opened);
    let found = crate::AlertQuery { text: Some("203.0.113".into()), ..Default::default() };
    assert_eq!(store.alerts(&found).unwrap().total, 1, "what folding adds can be found");
    assert_eq!(due(&store, at(9)).len(), 2, "folding tells nobody");
}

#[test]
fn another_lane_a_later_window_or_a_closed_alert_opens_anew() {
    let (_dir, store) = store();
    let first = settle(&store, vec![finding("r", "ana", 0)], at(1)).opened[0];
    let sample = Finding { lane: Lane::Sample, ..finding("r", "ana", 1) };
    assert_eq!(dispositions(&settle(&store, vec![sample], at(2))), [Disposition::Opened]);
    assert_eq!(dispositions(&settle(&store, vec![finding("r", "ana", 61)], at(62))), [Disposition::Opened]);
    let nearest = settle(&store, vec![finding("r", "ana", 50)], at(62)).findings[0].2;
    assert_ne!(nearest, Some(first), "of two that would take it, the nearest in time does");
    store.act(first, model::Move::Acknowledge, "eve", None, at(63)).unwrap();
    store.act(first, model::Move::Close(model::Verdict::FpLogic), "eve", None, at(64)).unwrap();
    let reopened = settle(&store, vec![finding("r", "ana", -20)], at(65));
    assert_eq!(dispositions(&reopened), [Disposition::Opened]);
    assert_eq!(store.alert(first).unwrap().unwrap().alert.state, AlertState::Closed);
}

#[test]
fn signals_are_kept_and_open_nothing() {
    let (_dir, store) = store();
    let signal = Finding { kind: RuleKind::Signal, ..finding("r", "ana", 0) };
    let settled = settle(&store, vec![signal], at(1));
    assert_eq!(settled.findings[0].1, Disposition::Kept);
    assert_eq!(store.alerts(&Default::default()).unwrap().total, 0);
    assert_eq!(store.rule_counts(at(1)).unwrap()["r"].total, 1);
    assert_eq!(store.imbalances(at(1)).unwrap(), []);
}

fn silence(entity: &str, expires: Time) -> Silence {
    Silence {
        silence_id: String::new(),
        matches: SilenceMatch { entity: Some(format!("arn:aws:iam::1:user/{entity}")), ..Default::default() },
        owner: "detection".into(),
        reason: "planned restore".into(),
        created: at(0),
        expires,
    }
}

#[test]
fn a_silence_takes_findings_until_it_ends_and_says_how_many() {
    let (_dir, store) = store();
    let added = store.add_silence(silence("ana", at(30)), at(0)).unwrap();
    let settled = settle(&store, vec![finding("r", "ana", 1), finding("r", "ana", 2), finding("r", "ben", 1)], at(5));
    assert_eq!(dispositions(&settled), [Disposition::Silenced, Disposition::Silenced, Disposition::Opened]);
    assert_eq!(store.silences(at(5), false).unwrap()[0].taken, 2);
    assert_eq!(dispositions(&settle(&store, vec![finding("r", "ana", 3)], at(30))), [Disposition::Opened]);
    assert_eq!(store.silences(at(30), false).unwrap(), []);
    assert_eq!(store.silences(at(30), true).unwrap()[0].silence, added, "an ended silence stays listed");
    let error = store.end_silence(&added.silence_id, "eve", at(31)).unwrap_err();
    assert!(matches!(error, SilenceError::NotRunning(_)), "{error}");
}

#[test]
fn a_silence_can_be_ended_early() {
    let (_dir, store) = store();
    let id = store.add_silence(silence("ana", at(30)), at(0)).unwrap().silence_id;
    store.end_silence(&id, "eve", at(1)).unwrap();
    assert_eq!(dispositions(&settle(&store, vec![finding("r", "ana", 1)], at(2))), [Disposition::Opened]);
    let row = &store.silences(at(2), true).unwrap()[0];
    assert_eq!((row.ended, row.ended_by.as_deref()), (Some(at(1)), Some("eve")));
    let audit = store.audit(0, 10).unwrap();
    assert!(audit.iter().any(|entry| entry.action == "silence.ended" && entry.who == "eve"));
}

#[test]
fn a_silence_needs_a_condition_an_owner_a_reason_and_a_near_end() {
    let (_dir, store) = store();
    let refusal = |change: fn(&mut Silence)| {
        let mut asked = silence("ana", at(30));
        change(&mut asked);
        store.add_silence(asked, at(10)).unwrap_err().to_string()
    };
    assert_eq!(
        refusal(|s| s.matches = SilenceMatch::default()),
        "a silence needs at least one of rule_id, source or entity; one without takes everything"
    );
    assert_eq!(refusal(|s| s.owner = " ".into()), "a silence needs an owner");
    assert_eq!(refusal(|s| s.reason.clear()), "a silence needs a reason");
    assert_eq!(
        refusal(|s| s.expires = at(10)),
        "the silence's end 2026-11-22T10:10:00.000Z is not after now, 2026-11-22T10:10:00.000Z"
    );
    assert_eq!(
        refusal(|s| s.expires = Time::parse("9000-12-31T00:00:00Z").unwrap()),
        "the silence's end 9000-12-31T00:00:00.000Z is more than 366 days away; a silence must end, and can be renewed"
    );
    let named = Silence { silence_id: "x".into(), ..silence("ana", at(30)) };
    store.add_silence(named.clone(), at(1)).unwrap();
    assert!(matches!(store.add_silence(named, at(1)), Err(SilenceError::Taken(_))));
}

#[test]
fn a_noisy_rule_keeps_counts_for_all_and_bodies_for_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let options = StoreOptions { findings_per_alert_max: 3, evidence_bytes_max: 10, ..Default::default() };
    let store = Store::open_with(dir.path(), options).unwrap();
    let many = (0..10).map(|i| Finding { event_time: at(i), ..finding("r", "ana", i) }).collect();
    settle(&store, many, at(20));
    let detail = store.alert(only_alert(&store).alert_id).unwrap().unwrap();
    assert_eq!((detail.alert.findings, detail.findings.len(), detail.evidence.len()), (10, 10, 3));
    assert_eq!(detail.findings.iter().filter(|row| row.finding.is_some()).count(), 3);
    let evidence = &detail.evidence[0];
    assert_eq!((evidence.raw.len(), evidence.bytes), (10, 41), "cut, with the whole length and digest");
    let again = settle(&store, vec![finding("r", "ana", 9)], at(21));
    assert_eq!(dispositions(&again), [Disposition::Repeated], "beyond the bodies, ids are still known");
}

#[test]
fn findings_without_an_alert_are_kept_whole_up_to_a_bound_each_hour() {
    let dir = tempfile::tempdir().unwrap();
    let options = StoreOptions { findings_per_hour_max: 2, ..Default::default() };
    let store = Store::open_with(dir.path(), options).unwrap();
    store.add_silence(silence("ben", at(300)), at(0)).unwrap();
    let signal = |i| Finding { kind: RuleKind::Signal, ..finding("r", "ana", i) };
    let of = |who: fn(i64) -> Finding, n: std::ops::Range<i64>| n.map(who).collect::<Vec<_>>();
    settle(&store, (0..5).map(signal).collect(), at(5));
    settle(&store, of(|i| finding("r", "ben", i), 0..4), at(6));
    settle(&store, (5..8).map(signal).collect(), at(61));
    let db = db(dir.path());
    let count = |sql: &str| -> i64 { db.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(count("SELECT count(*) FROM findings"), 12, "none is lost");
    assert_eq!(count("SELECT count(*) FROM findings WHERE disposition = 'kept' AND body IS NOT NULL"), 4);
    assert_eq!(count("SELECT count(*) FROM findings WHERE disposition = 'silenced' AND body IS NOT NULL"), 2);
    assert_eq!(count("SELECT count(*) FROM evidence"), 6);
    let ledger = store.ledger(at(-600), at(600)).unwrap();
    assert_eq!((ledger.total(Step::Kept), ledger.total(Step::Silenced)), (8, 4));
    assert_eq!(store.imbalances(at(62)).unwrap(), []);
}

#[test]
fn the_cursor_moves_with_what_it_stands_for() {
    let (_dir, store) = store();
    assert_eq!(store.cursor("http", "journal").unwrap(), None);
    for value in ["1:32", "1:64"] {
        let cursor = Some(Cursor { key: "journal".into(), value: value.into() });
        store.settle(Settlement { cursor, ..settlement(vec![], vec![], at(0)) }, &[]).unwrap();
        assert_eq!(store.cursor("http", "journal").unwrap().as_deref(), Some(value));
    }
    assert_eq!(store.cursor("other", "journal").unwrap(), None);
    assert_eq!(store.cursors("http").unwrap().len(), 1);
}

#[test]
fn a_position_that_an_input_remembers_is_there_when_the_store_is_opened_again() {
    let (dir, store) = store();
    store.remember("bus", "position:audit", "7").unwrap();
    store.remember("bus", "position:audit", "9").unwrap();
    drop(store);
    let again = Store::open(dir.path()).unwrap();
    assert_eq!(again.cursor("bus", "position:audit").unwrap().as_deref(), Some("9"));
    assert_eq!(again.cursor("other", "position:audit").unwrap(), None);
}

#[test]
fn rejects_are_kept_then_digested_then_counted() {
    let dir = tempfile::tempdir().unwrap();
    let options =
        StoreOptions { rejects_kept_max: 2, reject_digests_max: 2, reject_bytes_max: 4, ..Default::default() };
    let store = Store::open_with(dir.path(), options).unwrap();
    let all: Vec<Rejected> = (0..7u8).map(|i| rejected(&[b'a' + i; 9])).collect();
    store.settle(settlement(vec![], all[..3].to_vec(), at(0)), &[]).unwrap();
    store.settle(settlement(vec![], all[3..].to_vec(), at(0)), &[]).unwrap();
    let kept = store.rejects(&RejectQuery { reason: Some(Reject::NotJson), ..Default::default() }).unwrap();
    let raws: Vec<Option<&[u8]>> = kept.iter().map(|row| row.raw.as_deref()).collect();
    assert_eq!(raws, [None, None, Some(&b"bbbb"[..]), Some(&b"aaaa"[..])]);
    assert_eq!((kept[3].bytes, kept[3].sha256.as_str()), (9, model::Digest::of(b"aaaaaaaaa").hex().as_str()));
    let total = &store.reject_totals().unwrap()[0];
    assert_eq!((total.total, total.with_raw, total.with_digest), (7, 2, 2));
    assert!(total.rolled_sha256.is_some());
    assert_eq!(store.clear_rejects("http", Reject::NotJson, "eve", at(1)).unwrap(), 4);
    store.settle(settlement(vec![], vec![rejected(b"new")], at(1)), &[]).unwrap();
    assert_eq!(store.rejects(&RejectQuery::default()).unwrap()[0].raw.as_deref(), Some(&b"new"[..]));
    assert_eq!(store.reject_totals().unwrap()[0].total, 8, "the count is never cleared");
    assert_eq!(store.imbalances(at(1)).unwrap(), []);
}
