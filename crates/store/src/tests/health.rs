use std::collections::BTreeSet;

use engine::health::{Contract, Fill, Lags, Sums, Verdict};

use super::*;
use crate::{Contracts, Measured};

const HOUR: i64 = 60;

fn okta() -> SourceId {
    SourceId::from("okta_system_log")
}

fn asked() -> Contracts {
    let contract =
        Contract { silent_after_ms: Some(3_600_000), lag_ms: Some(60_000), volume: None, filled_at_least: 950 };
    Contracts { declared: [(okta(), contract)].into(), ..Contracts::default() }
}

/// So many events received at a minute, each so many seconds after it happened.
fn measured(records: u64, minute: i64, lag_s: i64) -> Measured {
    let mut lags = Lags::default();
    (0..records).for_each(|_| lags.add(lag_s * 1000));
    let filled = [("uuid".to_owned(), Fill { n: records, of: records })].into();
    let (last_event, last_received) = (Some(at(minute).plus_millis(-lag_s * 1000)), Some(at(minute)));
    let sums = Sums { records, lags, lag_max_ms: lag_s * 1000, filled, last_event, last_received, ..Sums::default() };
    Measured { source: okta(), lane: Lane::Live, hour: at(minute).hour(), sums }
}

fn hear(store: &Store, records: u64, minute: i64, lag_s: i64) {
    let measured = vec![measured(records, minute, lag_s)];
    let settlement = Settlement { input: "http".into(), measured, now: at(minute), ..Settlement::default() };
    store.settle(settlement, &[route("soc")]).unwrap();
}

/// What a check at a minute tells, of a platform that runs from the start.
fn told(store: &Store, minute: i64) -> Vec<(Verdict, bool)> {
    let changes = store.check_sources(&asked(), at(0), at(minute)).unwrap();
    changes.into_iter().map(|change| (change.verdict, change.is_raised)).collect()
}

#[test]
fn what_batches_show_adds_up_by_hour() {
    let (_dir, store) = store();
    hear(&store, 10, 1, 5);
    hear(&store, 20, 59, 50);
    hear(&store, 1, 61, 5);
    let feeds = store.feeds(at(70)).unwrap();
    let [feed] = &feeds[..] else { panic!("{feeds:?}") };
    assert_eq!((feed.source.clone(), feed.input.as_str(), feed.lane), (okta(), "http", Lane::Live));
    assert_eq!(
        (feed.first_received, feed.last_received, feed.last_event),
        (at(1), at(61), Some(at(61).plus_millis(-5000)))
    );
    let hours: Vec<u64> = feed.hours.values().copied().collect();
    assert_eq!(hours, [30, 1]);
    let first = &feed.day[0].1;
    assert_eq!((first.records, first.lags.count(), first.lag_max_ms), (30, 30, 50_000));
    assert_eq!(first.filled["uuid"], Fill { n: 30, of: 30 });
    assert_eq!(feed.last_day().records, 31);
}

#[test]
fn the_same_settlement_that_failed_leaves_no_figures() {
    let (_dir, store) = store();
    let broken = finding("r", "ana", 1);
    let work = |db: &rusqlite::Transaction<'_>| -> Result<(), crate::StoreError> {
        let settlement = Settlement {
            input: "http".into(),
            measured: vec![measured(10, 1, 5)],
            findings: vec![raised(broken.clone())],
            now: at(1),
            ..Settlement::default()
        };
        store.settle_in(db, &settlement, &[])?;
        Err(rusqlite::Error::QueryReturnedNoRows.into())
    };
    assert!(store.write(work).is_err());
    assert_eq!(store.feeds(at(2)).unwrap(), []);
}

#[test]
fn figures_outlive_a_restart_and_old_hours_are_forgotten() {
    let (dir, store) = store();
    hear(&store, 10, 1, 5);
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.feeds(at(2)).unwrap()[0].hours.len(), 1);
    let later = 40 * 24 * HOUR;
    store.check_sources(&asked(), at(0), at(later)).unwrap();
    let left: i64 = db(dir.path()).query_row("SELECT count(*) FROM feed_hours", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
    assert_eq!(store.feeds(at(later)).unwrap()[0].last_received, at(1), "when it was last heard is kept");
}

#[test]
fn silence_is_told_once_and_taken_back_once() {
    let (_dir, store) = store();
    hear(&store, 10, 1, 5);
    assert_eq!(told(&store, 2), []);
    assert_eq!(told(&store, 62), [(Verdict::Silent, true)]);
    assert_eq!(told(&store, 63), []);
    let alert = only_alert(&store);
    assert_eq!((alert.source.as_str(), alert.level, alert.findings), ("watchkeep", Level::High, 1));
    let says =
        "source `okta_system_log` is silent: no record for 1h 1m, since 2026-11-22 10:01 UTC; expected within 1h";
    assert_eq!(alert.message, says);
    let standing = store.standings().unwrap().remove(&okta()).unwrap();
    assert_eq!((standing.verdict, standing.since), (Verdict::Silent, Some(at(1))));

    hear(&store, 10, 70, 5);
    assert_eq!(told(&store, 71), [(Verdict::Live, false)]);
    assert_eq!(told(&store, 72), []);
    let detail = store.alert(alert.alert_id).unwrap().unwrap();
    let history: Vec<&str> = detail.history.iter().map(|row| row.kind.as_str()).collect();
    assert_eq!(history, ["opened", "recovered"]);
    let sent: Vec<&str> = detail.deliveries.iter().map(|sent| sent.kind.as_str()).collect();
    assert_eq!(sent, ["alert.opened", "alert.recovered"]);
    assert_eq!(store.standings().unwrap()[&okta()].since, None);
    assert!(store.imbalances(at(73)).unwrap().is_empty());
}

#[test]
fn a_second_silence_joins_the_alert_while_nobody_closed_it() {
    let (_dir, store) = store();
    hear(&store, 10, 1, 5);
    told(&store, 62);
    hear(&store, 10, 70, 5);
    told(&store, 71);
    assert_eq!(told(&store, 140), [(Verdict::Silent, true)]);
    assert_eq!(only_alert(&store).findings, 2);
}

#[test]
fn lateness_stays_since_it_was_first_seen() {
    let (_dir, store) = store();
    hear(&store, 30, 1, 600);
    assert_eq!(told(&store, 2), [(Verdict::Late, true)]);
    assert_eq!(only_alert(&store).level, Level::Medium);
    for hour in 1..5 {
        hear(&store, 30, 1 + hour * HOUR, 600);
        assert_eq!(told(&store, 2 + hour * HOUR), []);
    }
    assert_eq!(store.standings().unwrap()[&okta()].since, Some(at(0)), "the hour in which it began");
    hear(&store, 30, 301, 1);
    assert_eq!(told(&store, 302), [(Verdict::Live, false)]);
}

#[test]
fn what_is_played_or_read_once_says_nothing_of_the_estate() {
    let (_dir, store) = store();
    let sample = Measured { lane: Lane::Sample, ..measured(10, 1, 86_400) };
    let settlement =
        Settlement { input: "samples".into(), measured: vec![sample], now: at(1), ..Settlement::default() };
    store.settle(settlement, &[]).unwrap();
    hear(&store, 10, 1, 86_400);
    let once = Contracts { once: BTreeSet::from(["http".to_owned()]), ..asked() };
    assert_eq!(store.check_sources(&once, at(0), at(900)).unwrap(), []);
    assert_eq!(store.standings().unwrap()[&okta()].verdict, Verdict::Unheard);
    assert_eq!(store.health_report(&once, at(901)).unwrap().sources[0].feeds.len(), 2, "and yet it is shown");
}

#[test]
fn only_a_source_that_must_be_there_is_missed() {
    let (_dir, store) = store();
    assert_eq!(told(&store, 600), []);
    let must = Contracts { expected: BTreeSet::from([okta()]), ..asked() };
    let changes = store.check_sources(&must, at(0), at(601)).unwrap();
    assert_eq!((changes[0].verdict, changes[0].is_raised), (Verdict::Unheard, true));
    let says = "source `okta_system_log` is unheard: no record in 10h 1m; one is expected within 1h";
    assert_eq!(only_alert(&store).message, says);
    assert_eq!(store.check_sources(&must, at(0), at(602)).unwrap(), []);
    hear(&store, 1, 603, 5);
    let changes = store.check_sources(&must, at(0), at(604)).unwrap();
    assert_eq!((changes[0].verdict, changes[0].is_raised), (Verdict::Live, false));
}

#[test]
fn a_key_that_appears_after_a_week_is_drift() {
    let (_dir, store) = store();
    let day = 24 * HOUR;
    let sampled = |minute: i64, keys: &[&str]| {
        let mut measured = measured(100, minute, 5);
        measured.sums.sampled = 100;
        measured.sums.paths = keys.iter().map(|key| ((*key).to_owned(), 100)).collect();
        let settlement =
            Settlement { input: "http".into(), measured: vec![measured], now: at(minute), ..Settlement::default() };
        store.settle(settlement, &[route("soc")]).unwrap();
    };
    for n in 0..9 {
        sampled(n * day + 1, &["uuid", "actor"]);
        assert_eq!(told(&store, n * day + 2), []);
    }
    sampled(9 * day + 1, &["uuid", "debugData"]);
    assert_eq!(told(&store, 9 * day + 2), [(Verdict::Drifting, true)]);
    assert!(
        only_alert(&store).message.ends_with("is drifting: new keys: `debugData`"),
        "{}",
        only_alert(&store).message
    );
    sampled(10 * day + 2, &["uuid", "debugData"]);
    assert_eq!(told(&store, 10 * day + 3), [], "it drifts still");
    let report = store.health_report(&asked(), at(10 * day + 3)).unwrap();
    let drift = &report.sources[0].drift;
    assert_eq!((&drift.new[..], &drift.gone[..]), (&[][..], &["actor".to_owned()][..]));
}

#[test]
fn the_keys_of_a_source_are_bounded() {
    let (dir, store) = store();
    for round in 0..3 {
        let mut measured = measured(1, 1, 5);
        measured.sums.sampled = 1;
        measured.sums.paths = (0..200).map(|n| (format!("key{}", round * 200 + n), 1)).collect();
        let settlement =
            Settlement { input: "http".into(), measured: vec![measured], now: at(1), ..Settlement::default() };
        store.settle(settlement, &[]).unwrap();
    }
    let rows: i64 = db(dir.path()).query_row("SELECT count(*) FROM source_paths", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 257, "256 keys and the row that counts samples");
}

#[test]
fn a_report_is_of_the_time_when_somebody_last_listened() {
    let (_dir, store) = store();
    hear(&store, 10, 1, 5);
    told(&store, 30);
    let running = store.health_report(&asked(), at(33)).unwrap();
    assert_eq!((running.as_of, running.is_running), (at(33), true));
    let stopped = store.health_report(&asked(), at(30 * 24 * HOUR)).unwrap();
    assert_eq!((stopped.as_of, stopped.is_running), (at(30), false));
    assert_eq!(stopped.sources[0].standing.verdict, Verdict::Live);
}

#[test]
fn a_source_that_is_no_longer_loaded_is_no_longer_judged() {
    let (_dir, store) = store();
    hear(&store, 10, 1, 5);
    told(&store, 62);
    assert_eq!(store.check_sources(&Contracts::default(), at(0), at(63)).unwrap(), []);
    assert!(store.standings().unwrap().is_empty());
}
