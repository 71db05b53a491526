use std::collections::BTreeMap;

use model::Digest;

use super::*;
use crate::{AlertQuery, CorrelationCount, FactsSpan, SnapshotRow, StoreError};

fn telling(bytes: &[u8]) -> Settlement {
    Settlement { facts: Some(bytes.to_vec()), ..settlement(vec![], vec![], at(0)) }
}

fn told(store: &Store, count: u8) {
    for n in 0..count {
        store.settle(telling(&[n; 10]), &[]).unwrap();
    }
}

fn snapshot(seq: u64) -> SnapshotRow {
    SnapshotRow { seq, digest: Digest::of(&seq.to_be_bytes()), bytes: 7, written: at(1) }
}

fn places(store: &Store, after: u64) -> Vec<u64> {
    store.facts_after(after, usize::MAX).unwrap().into_iter().map(|row| row.seq).collect()
}

#[test]
fn facts_are_numbered_without_gaps_and_given_in_order() {
    let (_dir, store) = store();
    assert_eq!(store.facts_span().unwrap(), FactsSpan { deleted: 0, last: 0 });
    assert_eq!(store.settle(settlement(vec![], vec![], at(0)), &[]).unwrap().facts, None);
    assert_eq!(store.settle(telling(b"one"), &[]).unwrap().facts, Some(1));
    store
        .write::<(), StoreError>(|db| {
            store.settle_in(db, &telling(b"undone"), &[])?;
            Err(StoreError::decode("a", "fault"))
        })
        .unwrap_err();
    assert_eq!(store.settle(telling(b"two"), &[]).unwrap().facts, Some(2));
    let rows = store.facts_after(0, usize::MAX).unwrap();
    assert_eq!(
        rows.iter().map(|row| (row.seq, row.bytes.as_slice())).collect::<Vec<_>>(),
        [(1, &b"one"[..]), (2, &b"two"[..])]
    );
    assert_eq!(store.facts_span().unwrap(), FactsSpan { deleted: 0, last: 2 });
}

#[test]
fn a_page_of_facts_holds_no_more_than_was_asked_and_one_row_at_least() {
    let (_dir, store) = store();
    told(&store, 5);
    let page = |after, bytes| store.facts_after(after, bytes).unwrap().iter().map(|row| row.seq).collect::<Vec<_>>();
    assert_eq!(page(0, 25), [1, 2]);
    assert_eq!(page(2, 1), [3]);
    assert!(page(5, 100).is_empty());
}

#[test]
fn rows_go_only_when_two_snapshots_stand_for_them() {
    let (_dir, store) = store();
    told(&store, 8);
    store.note_snapshot(&snapshot(3)).unwrap();
    assert_eq!(store.trim_facts(100).unwrap(), 0, "one file may be torn");
    store.note_snapshot(&snapshot(5)).unwrap();
    assert_eq!(store.trim_facts(2).unwrap(), 2);
    assert_eq!((places(&store, 0), store.facts_span().unwrap().deleted), (vec![3, 4, 5, 6, 7, 8], 2));
    assert_eq!((store.trim_facts(2).unwrap(), store.trim_facts(2).unwrap()), (1, 0));
    assert_eq!(places(&store, 0), [4, 5, 6, 7, 8]);
    store.note_snapshot(&snapshot(8)).unwrap();
    assert_eq!(store.snapshots().unwrap(), [snapshot(8), snapshot(5)], "the oldest is forgotten");
    assert_eq!(store.trim_facts(100).unwrap(), 2);
    store.forget_snapshot(8).unwrap();
    assert_eq!(store.snapshots().unwrap(), [snapshot(5)]);
    assert_eq!(places(&store, 5), [6, 7, 8], "all that the one before it needs is there");
    assert_eq!(store.trim_facts(100).unwrap(), 0);
}

#[test]
fn a_place_is_never_given_twice() {
    let (dir, store) = store();
    told(&store, 3);
    store.note_snapshot(&snapshot(2)).unwrap();
    store.note_snapshot(&SnapshotRow { seq: 3, ..snapshot(3) }).unwrap();
    store.write::<_, StoreError>(|db| Ok(db.execute_batch("DELETE FROM facts")?)).unwrap();
    assert_eq!(store.facts_span().unwrap(), FactsSpan { deleted: 3, last: 3 });
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.settle(telling(b"four"), &[]).unwrap().facts, Some(4));
    assert_eq!(store.facts_span().unwrap(), FactsSpan { deleted: 3, last: 4 });
}

#[test]
fn facts_cursor_and_findings_are_there_together_or_not_at_all() {
    let (dir, store) = store();
    let whole = || Settlement {
        facts: Some(b"facts".to_vec()),
        cursor: Some(crate::Cursor { key: "journal".into(), value: "7".into() }),
        ..settlement(vec![finding("r", "ana", 0)], vec![], at(2))
    };
    for table in ["facts", "cursors", "ledger", "findings", "sightings"] {
        let fault = format!("CREATE TRIGGER fault BEFORE INSERT ON {table} BEGIN SELECT raise(ABORT, 'cut'); END");
        db(dir.path()).execute_batch(&fault).unwrap();
        store.settle(whole(), &[route("soc")]).unwrap_err();
        db(dir.path()).execute_batch("DROP TRIGGER fault").unwrap();
        assert_eq!(store.facts_span().unwrap().last, 0, "cut at {table}");
        assert_eq!(store.cursor("http", "journal").unwrap(), None, "cut at {table}");
        assert_eq!(store.alerts(&AlertQuery::default()).unwrap().total, 0, "cut at {table}");
    }
    assert_eq!(store.settle(whole(), &[route("soc")]).unwrap().facts, Some(1));
}

#[test]
fn a_store_from_before_correlations_is_brought_forward_with_what_it_holds() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.db");
    let mut old = db(dir.path());
    crate::migrations::migrate(&mut old, &path, &crate::migrations::MIGRATIONS[..1]).unwrap();
    let kept = "INSERT INTO cursors VALUES ('http', 'journal', '1:64')";
    old.execute_batch(kept).unwrap();
    drop(old);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.cursor("http", "journal").unwrap().as_deref(), Some("1:64"));
    assert_eq!(store.settle(telling(b"one"), &[]).unwrap().facts, Some(1));
}

#[test]
fn the_counts_of_correlations_are_replaced_as_a_whole() {
    let (_dir, store) = store();
    let of = |rule: &str, n, minutes| CorrelationCount {
        rule_id: rule.into(),
        counts: BTreeMap::from([("facts".to_owned(), n), ("late".to_owned(), 1)]),
        at: at(minutes),
    };
    store.tell_correlations(&[of("a", 1, 0), of("b", 2, 0)]).unwrap();
    assert_eq!(store.correlation_counts().unwrap(), [of("a", 1, 0), of("b", 2, 0)]);
    store.tell_correlations(&[of("b", 9, 1)]).unwrap();
    assert_eq!(store.correlation_counts().unwrap(), [of("b", 9, 1)]);
}
