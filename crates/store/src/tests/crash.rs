use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::*;
use crate::{AlertQuery, Cursor, Retry, StoreError};

/// A settlement of two findings, a reject, facts and a cursor; `n` makes it unlike others.
fn nth(n: i64) -> Settlement {
    let (a, b) = (format!("a{n}"), format!("b{n}"));
    let cursor = Some(Cursor { key: "journal".into(), value: n.to_string() });
    let whole = settlement(vec![finding("r", &a, 0), finding("r", &b, 1)], vec![rejected(a.as_bytes())], at(2));
    Settlement { cursor, facts: Some(a.into_bytes()), ..whole }
}

fn counts(store: &Store) -> (u64, u64, usize, Option<String>) {
    let alerts = store.alerts(&AlertQuery { limit: 1, ..Default::default() }).unwrap().total;
    let rejects = store.reject_totals().unwrap().iter().map(|total| total.total).sum();
    (alerts, rejects, due(store, at(9)).len(), store.cursor("http", "journal").unwrap())
}

fn copy(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.path().join(entry.file_name())).unwrap();
    }
    to
}

#[test]
fn a_transaction_killed_midway_leaves_nothing() {
    let (dir, store) = store();
    store.settle(nth(1), &[route("soc")]).unwrap();
    let before = counts(&store);
    let midway = store
        .write::<_, StoreError>(|db| {
            store.settle_in(db, &nth(2), &[route("soc")])?;
            db.execute_batch("PRAGMA cache_spill = 1; PRAGMA cache_size = 1")?;
            store.settle_in(db, &nth(3), &[route("soc")])?;
            Ok(copy(dir.path()))
        })
        .unwrap();
    let found = Store::open(midway.path()).unwrap();
    assert_eq!(counts(&found), before);
    assert_eq!(found.imbalances(at(9)).unwrap(), []);
    found.settle(nth(2), &[route("soc")]).unwrap();
    assert_eq!(counts(&found), (4, 2, 4, Some("2".into())));
}

#[test]
fn a_failed_settlement_leaves_nothing_and_can_be_tried_again() {
    let (dir, store) = store();
    store.settle(nth(1), &[route("soc")]).unwrap();
    let before = counts(&store);
    let statements = ["ledger", "rejects", "cursors", "outbox", "findings", "audit"];
    for table in statements {
        let fault = format!("CREATE TRIGGER fault BEFORE INSERT ON {table} BEGIN SELECT raise(ABORT, 'cut'); END");
        db(dir.path()).execute_batch(&fault).unwrap();
        store.settle(nth(2), &[route("soc")]).unwrap_err();
        assert_eq!(counts(&store), before, "cut at {table}");
        db(dir.path()).execute_batch("DROP TRIGGER fault").unwrap();
    }
    store.settle(nth(2), &[route("soc")]).unwrap();
    assert_eq!(counts(&store).0, before.0 + 2);
    assert_eq!(store.imbalances(at(9)).unwrap(), []);
}

#[test]
fn a_full_disk_is_an_error_that_passes() {
    let (_dir, store) = store();
    store.settle(nth(1), &[route("soc")]).unwrap();
    let before = counts(&store);
    let limit =
        |pages: i64| store.write::<_, StoreError>(|db| Ok(db.pragma_update(None, "max_page_count", pages)?)).unwrap();
    limit(1);
    let mut huge = nth(2);
    huge.rejects = (0..50).map(|_| rejected(&[7; 60_000])).collect();
    let error = store.settle(huge.clone(), &[route("soc")]).unwrap_err();
    assert!(matches!(error, StoreError::Full(_)) && error.retry() == Retry::AfterRepair, "{error}");
    assert_eq!(counts(&store), before);
    limit(1 << 30);
    store.settle(huge, &[route("soc")]).unwrap();
    assert_eq!(counts(&store).0, before.0 + 2);
}

#[test]
fn another_process_that_holds_the_file_is_waited_for_then_reported() {
    let dir = tempfile::tempdir().unwrap();
    let options = crate::StoreOptions { busy_timeout_ms: 50, ..Default::default() };
    let store = Store::open_with(dir.path(), options).unwrap();
    let other = db(dir.path());
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = store.settle(nth(1), &[]).unwrap_err();
    assert!(matches!(error, StoreError::Busy(_)) && error.retry() == Retry::Soon, "{error}");
    assert_eq!(counts(&store).0, 0, "readers do not wait");
    other.execute_batch("COMMIT").unwrap();
    store.settle(nth(1), &[]).unwrap();
}

#[test]
fn a_panic_while_settling_leaves_the_store_usable() {
    let (_dir, store) = store();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        store.write::<(), StoreError>(|db| {
            store.settle_in(db, &nth(1), &[])?;
            panic!("a bug")
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(counts(&store), (0, 0, 0, None));
    store.settle(nth(1), &[]).unwrap();
}

const DIR: &str = "WATCHKEEP_TEST_STORE";

#[test]
#[ignore = "the child of `a_killed_process_loses_and_doubles_nothing`"]
fn child() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let store = Store::open(dir.as_ref()).unwrap();
    let first = store.cursor("http", "journal").unwrap().map_or(0, |n| n.parse::<i64>().unwrap() + 1);
    for n in first.. {
        store.settle(nth(n), &[route("soc")]).unwrap();
        eprintln!("settled {n}");
    }
}

#[test]
fn a_killed_process_loses_and_doubles_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for round in 1..=4 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tests::crash::child", "--ignored", "--nocapture"])
            .env(DIR, dir.path())
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let pid = child.id();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(170 * round));
            drop(Command::new("kill").args(["-9", &pid.to_string()]).status());
        });
        let settled = lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("settled ")?.parse::<i64>().ok());
        let last = settled.last();
        child.wait().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let (alerts, rejects, _, cursor) = counts(&store);
        let cursor = cursor.map_or(-1, |n| n.parse::<i64>().unwrap());
        assert!(last.is_none_or(|last| last <= cursor), "{last:?} was settled, the cursor is at {cursor}");
        assert_eq!((alerts, rejects), ((cursor + 1) as u64 * 2, (cursor + 1) as u64));
        let facts = store.facts_after(0, usize::MAX).unwrap();
        assert!(facts.iter().map(|row| row.bytes.clone()).eq((0..=cursor).map(|n| format!("a{n}").into_bytes())));
        assert_eq!(store.imbalances(at(9)).unwrap(), []);
        assert_eq!(store.verify_audit().unwrap().broken, None);
    }
}
