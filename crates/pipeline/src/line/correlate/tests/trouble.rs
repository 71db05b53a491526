use super::*;

fn db(house: &House) -> rusqlite::Connection {
    rusqlite::Connection::open(house.folder.path().join("state.db")).unwrap()
}

#[test]
fn a_settlement_that_is_refused_is_shown_to_correlations_once() {
    let mut house = house();
    let line = house.line(lazy());
    house.feed(&line, &["{\"a\":1}", "{\"a\":2}"]);
    db(&house)
        .execute_batch("CREATE TRIGGER fault BEFORE INSERT ON facts BEGIN SELECT raise(ABORT, 'cut'); END")
        .unwrap();
    line.sender().submit(work(2, "{\"a\":3}")).unwrap();
    assert!(!line.sender().wait_idle(Duration::from_millis(200)), "the line waits");
    house.assert_found(&[]);
    db(&house).execute_batch("DROP TRIGGER fault").unwrap();
    assert!(line.sender().wait_idle(Duration::from_secs(20)));
    house.next = 3;
    house.feed(&line, &["{\"a\":4}", "{\"a\":5}"]);
    assert!(line.close(Duration::from_secs(20)));
    house.assert_found(&["a 3"]);
    assert_eq!(house.shown.load(Ordering::SeqCst), 5);
}

#[test]
fn what_was_shown_and_never_settled_is_in_no_snapshot() {
    let mut house = house();
    let line = house.line(lazy());
    house.feed(&line, &["{\"a\":1}", "{\"a\":2}"]);
    db(&house)
        .execute_batch("CREATE TRIGGER fault BEFORE INSERT ON facts BEGIN SELECT raise(ABORT, 'cut'); END")
        .unwrap();
    line.sender().submit(work(2, "{\"a\":3}")).unwrap();
    assert!(!line.close(Duration::from_millis(200)), "it was given up");
    db(&house).execute_batch("DROP TRIGGER fault").unwrap();
    house.next = 2;
    house.run(lazy(), &["{\"a\":3}"]);
    house.assert_found(&["a 3"]);
}

#[test]
fn a_correlation_that_panics_is_set_aside_and_the_others_go_on() {
    let mut house = house();
    house.run(lazy(), &["{\"a\":1}", "{\"a\":2}", "{\"boom\":1}\n{\"a\":3}", "{\"boom\":2}", "{\"b\":1}"]);
    let (titles, found) = house.told();
    assert_eq!(titles, ["A correlation was set aside", "A rule failed and was set aside"]);
    assert_eq!(found, ["a 3"], "what came with the record that panicked was shown to the others");
    let alerts = house.store().alerts(&AlertQuery { limit: 100, ..AlertQuery::default() }).unwrap();
    let told = format!("{alerts:?}");
    assert!(told.contains("correlate/tests.rs:") && !told.contains("secret"), "where, and not what: {told}");
    let counts = house.store().correlation_counts().unwrap();
    assert_eq!((counts[0].rule_id.as_str(), counts[0].counts["set_aside"]), ("r1", 1));
    assert_eq!(house.store().imbalances(house.clock_now()).unwrap(), []);
}

#[test]
fn a_panic_that_is_nobodys_costs_one_batch_and_is_said() {
    let mut house = house();
    house.run(lazy(), &["{\"a\":1}", "{\"bang\":1}\n{\"a\":2}", "{\"a\":2}", "{\"a\":3}"]);
    let (titles, found) = house.told();
    assert_eq!((titles, found), (vec!["Correlations failed".to_owned()], vec!["a 3".to_owned()]));
    assert_eq!(house.store().facts_span().unwrap().last, 3, "the batch is not in the log, where it would panic again");
    assert_eq!(house.store().cursor("test", "file").unwrap().as_deref(), Some("3"), "its records are settled");
    assert_eq!(house.store().imbalances(house.clock_now()).unwrap(), []);
}

#[test]
fn a_row_that_cannot_be_read_is_said_and_left_out() {
    let mut house = house();
    house.run(lazy(), &["{\"a\":1}"]);
    db(&house).execute_batch("INSERT INTO facts (bytes) VALUES (x'09')").unwrap();
    house.run(lazy(), &["{\"a\":2}", "{\"a\":3}"]);
    let (titles, found) = house.told();
    assert_eq!((titles, found), (vec!["Facts for correlations were lost".to_owned()], vec!["a 3".to_owned()]));
}

#[test]
fn rows_that_panic_when_shown_again_do_not_keep_the_line_from_starting() {
    let mut house = house();
    house.run(lazy(), &["{\"a\":1}"]);
    let names = Names { rules: vec!["m1@1".into()], fields: vec![] };
    for texts in [["{\"bang\":1}", "{\"x\":1}"], ["{\"boom\":1}", "{\"a\":2}"]] {
        let matched = texts.into_iter().map(matched).collect();
        let bytes = crate::line::correlate::log::encode(&names, None, &Batch { matched, ..Batch::default() });
        db(&house).execute("INSERT INTO facts (bytes) VALUES (?1)", [bytes]).unwrap();
    }
    house.run(lazy(), &["{\"a\":3}"]);
    let (titles, found) = house.told();
    assert_eq!(titles, ["A rule failed and was set aside", "Facts for correlations were lost"]);
    assert_eq!(found, ["a 3"]);
}

#[test]
fn a_snapshot_that_cannot_be_written_is_said_and_the_log_is_kept() {
    let mut house = house();
    std::fs::write(house.folder.path().join("correlations"), "no folder").unwrap();
    house.run(lazy(), &["{\"a\":1}", "{\"a\":2}"]);
    assert_eq!(house.told().0, ["Correlations cannot be saved"]);
    std::fs::remove_file(house.folder.path().join("correlations")).unwrap();
    house.run(lazy(), &["{\"a\":3}"]);
    assert_eq!(house.told().1, ["a 3"]);
}

#[test]
fn a_store_that_refuses_at_the_start_is_waited_for() {
    let mut house = house();
    house.run(lazy(), &["{\"a\":1}", "{\"a\":2}"]);
    db(&house).execute_batch("ALTER TABLE snapshots RENAME TO away").unwrap();
    let line = house.line(lazy());
    line.sender().submit(work(2, "{\"a\":3}")).unwrap();
    assert!(!line.sender().wait_idle(Duration::from_millis(100)));
    db(&house).execute_batch("ALTER TABLE away RENAME TO snapshots").unwrap();
    assert!(line.sender().wait_idle(Duration::from_secs(20)));
    assert!(line.close(Duration::from_secs(20)));
    house.assert_found(&["a 3"]);
}
