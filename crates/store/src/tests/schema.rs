use std::path::Path;

use rusqlite::Connection;

use super::*;
use crate::migrations::{MIGRATIONS, Migration, migrate};
use crate::{SCHEMA_VERSION, StoreError, schema_markdown};

#[test]
fn a_newer_store_is_refused_and_left_alone() {
    let (dir, store) = store();
    drop(store);
    db(dir.path()).pragma_update(None, "user_version", SCHEMA_VERSION + 1).unwrap();
    let error = Store::open(dir.path()).map(|_| ()).unwrap_err();
    assert!(matches!(error, StoreError::NewerSchema { found, known, .. } if found == known + 1), "{error}");
    assert!(error.to_string().contains("run the version that wrote it"), "{error}");
    let left: u32 = db(dir.path()).pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(left, SCHEMA_VERSION + 1);
}

#[test]
fn another_programs_database_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    db(dir.path()).execute_batch("CREATE TABLE recipes (name TEXT)").unwrap();
    assert!(matches!(Store::open(dir.path()), Err(StoreError::NotOurs { .. })));
    std::fs::write(dir.path().join("state.db"), "this is a letter, not a database, and it is long enough to tell")
        .unwrap();
    assert!(matches!(Store::open(dir.path()), Err(StoreError::Corrupt(_) | StoreError::Open { .. })));
}

#[test]
fn a_store_that_cannot_be_made_says_where() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = Store::open(&file.join("data")).map(|_| ()).unwrap_err();
    assert!(error.to_string().starts_with("cannot open the store `"), "{error}");
}

#[test]
fn every_directory_made_is_synced_into_its_parent() {
    let dir = tempfile::tempdir().unwrap();
    crate::open::SYNCED.take();
    crate::journal::Journal::open(&dir.path().join("data/journal"), Default::default()).unwrap();
    assert_eq!(crate::open::SYNCED.take(), [dir.path().to_owned(), dir.path().join("data")]);
}

#[test]
fn what_was_stored_is_there_after_reopening() {
    let (dir, store) = store();
    settle(&store, vec![finding("r", "ana", 0)], at(1));
    let before = only_alert(&store);
    drop(store);
    assert_eq!(only_alert(&Store::open(dir.path()).unwrap()), before);
}

#[test]
fn a_migration_is_applied_once_and_a_broken_one_not_at_all() {
    let first = Migration { name: "1", sql: "CREATE TABLE a (x)" };
    let second = Migration { name: "2", sql: "CREATE TABLE b (x)" };
    let broken = Migration { name: "2", sql: "CREATE TABLE c (x); CREATE TABLE a (x)" };
    let mut db = Connection::open_in_memory().unwrap();
    let tables =
        |db: &Connection| -> i64 { db.query_row("SELECT count(*) FROM sqlite_master", [], |r| r.get(0)).unwrap() };
    let path = Path::new("m");
    let one = [first];
    migrate(&mut db, path, &one).unwrap();
    migrate(&mut db, path, &one).unwrap();
    let [first] = one;
    assert!(migrate(&mut db, path, &[Migration { ..first }, broken]).is_err());
    assert_eq!(tables(&db), 1);
    migrate(&mut db, path, &[Migration { name: "1", sql: "" }, second]).unwrap();
    assert_eq!(tables(&db), 2);
}

#[test]
fn migrations_are_numbered_without_gaps() {
    for (number, migration) in (1..).zip(MIGRATIONS) {
        assert!(migration.name.starts_with(&format!("{number:04}_")), "{}", migration.name);
    }
}

/// Run with `WATCHKEEP_REGEN=1` to write the page anew.
#[test]
fn the_schema_page_is_made_from_the_migrations() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/store-schema.md");
    if std::env::var_os("WATCHKEEP_REGEN").is_some() {
        std::fs::write(&page, schema_markdown()).unwrap();
    }
    let written = std::fs::read_to_string(&page).unwrap_or_default();
    assert!(written == schema_markdown(), "{} is out of date: run this test with WATCHKEEP_REGEN=1", page.display());
}
