use super::*;

/// Twelve records of three things, each in a piece of work of its own.
const TEXTS: [&str; 12] = [
    "{\"a\":1}",
    "{\"a\":2}",
    "{\"b\":1}",
    "{\"a\":3}",
    "{\"b\":2}",
    "{\"c\":1}",
    "{\"b\":3}",
    "{\"a\":4}",
    "{\"a\":5}",
    "{\"a\":6}",
    "{\"c\":2}",
    "{\"c\":3}",
];
const FOUND: [&str; 4] = ["a 3", "a 6", "b 3", "c 3"];

fn files(house: &House) -> Vec<String> {
    let folder = std::fs::read_dir(house.folder.path().join("correlations"));
    let names = folder.unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// What a kill at this moment leaves: the file as it is, with what the disk has of it.
fn killed(house: &House) -> House {
    let folder = tempfile::tempdir().unwrap();
    copy(house.folder.path(), folder.path());
    House { folder, clock: house.clock.clone(), shown: Arc::default(), next: house.next }
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, to) = { entry.map(|entry| (entry.path(), to.join(entry.file_name()))) }.unwrap();
        if path.is_dir() {
            std::fs::create_dir(&to).unwrap();
            copy(&path, &to);
        } else {
            std::fs::copy(&path, &to).unwrap();
        }
    }
}

fn wait_until_saved(house: &House) {
    let store = house.store();
    let last = store.facts_span().unwrap().last;
    for _ in 0..2000 {
        let snapshots = store.snapshots().unwrap();
        if snapshots[..].first().is_some_and(|row| row.seq == last) && files(house).len() == snapshots.len() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("row {last} is in no snapshot after ten seconds");
}

#[test]
fn what_correlations_find_is_settled_once_and_the_books_balance() {
    let mut house = house();
    house.run(lazy(), &TEXTS);
    house.assert_found(&FOUND);
    let ledger = house.store().ledger(Time::EPOCH, Time::from_millis(1 << 40)).unwrap();
    let raised: u64 = ledger
        .iter()
        .filter(|(entry, _)| entry.step == model::Step::Raised && entry.input == INPUT)
        .map(|(_, n)| n)
        .sum();
    assert_eq!(raised, 4);
    assert_eq!(house.store().facts_span().unwrap().last, 12);
}

#[test]
fn a_restart_goes_on_where_the_last_run_ended_without_showing_anything_again() {
    let mut house = house();
    for texts in TEXTS.chunks(5) {
        house.run(lazy(), texts);
    }
    house.assert_found(&FOUND);
    assert_eq!(house.shown.load(Ordering::SeqCst), 12, "each batch once: snapshots at the end of each run");
    assert_eq!(files(&house), ["10.snapshot", "12.snapshot"]);
    assert_eq!(house.store().facts_span().unwrap().deleted, 10, "rows that both snapshots hold are gone");
}

#[test]
fn after_a_kill_behind_any_settlement_nothing_is_lost_or_doubled() {
    for (options, is_eager) in [(lazy(), false), (eager(), true)] {
        let mut first = house();
        let line = first.line(options.clone());
        let mut left = Vec::new();
        for text in TEXTS {
            left.push(killed(&first));
            first.feed(&line, &[text]);
            // Files cannot be copied all at one moment while another thread writes them.
            is_eager.then(|| wait_until_saved(&first));
        }
        assert!(line.close(Duration::from_secs(20)));
        for (at, mut house) in left.into_iter().enumerate() {
            house.run(options.clone(), &TEXTS[at..]);
            house.assert_found(&FOUND);
        }
    }
}

#[test]
fn what_was_said_early_is_not_said_again_when_rows_are_shown_again() {
    let mut house = house();
    let line = house.line(lazy());
    house.feed(&line, &TEXTS[..10]);
    let mut house = killed(&house);
    house.run(lazy(), &TEXTS[10..]);
    house.assert_found(&FOUND);
    assert_eq!(house.shown.load(Ordering::SeqCst), 12, "ten rows again, and two");
    let repeated = house.store().ledger(Time::EPOCH, Time::from_millis(1 << 40)).unwrap().total(model::Step::Repeated);
    assert_eq!(repeated, 0, "what replaying says is thrown away, not settled again");
    assert!(line.close(Duration::from_secs(20)));
}

#[test]
fn a_torn_or_missing_snapshot_is_said_and_the_one_before_it_goes_on() {
    let tear = |path: &std::path::Path| {
        let bytes = std::fs::read(path).unwrap();
        std::fs::write(path, &bytes[..bytes.len() - 1]).unwrap();
    };
    let remove = |path: &std::path::Path| std::fs::remove_file(path).unwrap();
    let foreign = |path: &std::path::Path| std::fs::write(path, "something else").unwrap();
    let harms: [&dyn Fn(&std::path::Path); 3] = [&tear, &remove, &foreign];
    for harm in harms {
        let mut house = house();
        house.run(lazy(), &TEXTS[..5]);
        house.run(lazy(), &TEXTS[5..8]);
        harm(&house.folder.path().join("correlations/8.snapshot"));
        house.run(lazy(), &TEXTS[8..]);
        let (titles, found) = house.told();
        assert_eq!(titles, ["A snapshot of correlations was unusable"]);
        assert_eq!(found, FOUND, "the rows behind the one before were still there");
    }
}

#[test]
fn a_state_that_is_lost_is_said_and_what_rows_are_left_are_shown() {
    let mut house = house();
    house.run(lazy(), &TEXTS[..2]);
    house.run(lazy(), &TEXTS[2..4]);
    house.run(lazy(), &TEXTS[4..6]);
    assert_eq!(files(&house), ["4.snapshot", "6.snapshot"]);
    std::fs::remove_dir_all(house.folder.path().join("correlations")).unwrap();
    house.run(lazy(), &["{\"c\":2}", "{\"c\":3}"]);
    let (titles, found) = house.told();
    assert_eq!(titles, ["A snapshot of correlations was unusable", "The state of correlations was lost"]);
    assert_eq!(found, ["a 3", "c 3"], "`c` was in a row behind the older snapshot");
}

#[test]
fn a_snapshot_from_after_the_store_was_set_back_is_not_used() {
    let mut house = house();
    house.run(lazy(), &TEXTS[..4]);
    let mut back = killed(&house);
    house.run(lazy(), &TEXTS[4..]);
    // The store of before, the files of now.
    std::fs::remove_dir_all(back.folder.path().join("correlations")).unwrap();
    std::fs::create_dir(back.folder.path().join("correlations")).unwrap();
    copy(&house.folder.path().join("correlations"), &back.folder.path().join("correlations"));
    back.run(lazy(), &TEXTS[4..]);
    back.assert_found(&FOUND);
}

#[test]
fn snapshots_while_the_line_runs_keep_the_log_short_and_leave_no_other_files() {
    let mut house = house();
    std::fs::create_dir(house.folder.path().join("correlations")).unwrap();
    std::fs::write(house.folder.path().join("correlations/99.draft"), "left by a kill").unwrap();
    let texts: Vec<String> = (0..300).map(|n| format!("{{\"t{}\":{n}}}", n % 100)).collect();
    house.run(eager(), &texts.iter().map(String::as_str).collect::<Vec<_>>());
    let span = house.store().facts_span().unwrap();
    let snapshots = house.store().snapshots().unwrap();
    assert_eq!((span.last, snapshots.len(), snapshots[0].seq), (300, 2, 300));
    assert_eq!(span.deleted, snapshots[1].seq);
    let mut noted: Vec<String> = snapshots.iter().map(|row| format!("{}.snapshot", row.seq)).collect();
    noted.sort();
    assert_eq!(files(&house), noted);
    assert_eq!(house.told().1.len(), 100);
}

#[test]
fn time_that_passes_without_records_is_settled_and_logged() {
    let mut house = house();
    let ticking = || {
        let options = lazy();
        let correlate = CorrelateOptions { tick_every: Duration::from_millis(10), ..options.correlate };
        LineOptions { correlate, ..options }
    };
    let line = house.line(ticking());
    house.feed(&line, &["{\"wait\":1}"]);
    for _ in 0..1000 {
        if house.told().1 == ["wait 1"] {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    house.assert_found(&["wait 1"]);
    let mut killed = killed(&house);
    assert!(line.close(Duration::from_secs(20)));
    killed.run(ticking(), &["{\"a\":1}"]);
    killed.assert_found(&["wait 1"]);
    assert_eq!(killed.store().facts_span().unwrap().last, 3, "two records, and the tick between them");
}
