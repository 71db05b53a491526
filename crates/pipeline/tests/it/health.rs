use std::time::Duration;

use engine::health::Verdict;
use engine::sigma::{Inventory, Rule};
use engine::{Engine, Limits};
use model::{Lane, SourceId, Time};
use pipeline::Clock;

use crate::support::{HTTP, House, engine, ndjson, source};

/// Moves the clock until the platform has judged its sources, and something holds.
async fn until(house: &House, holds: impl Fn(&House) -> bool) {
    for _ in 0..1000 {
        if holds(house) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it never came to that: {:?}", house.store.standings());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_whose_records_come_late_is_told_by_the_platform_that_runs() {
    let mut house = House::start(HTTP).await;
    let source = SourceId::from("aws_cloudtrail");
    until(&house, |house| house.store.watch().unwrap().is_some()).await;
    // Its events are of a night long past.
    house.post("/v1/records", ndjson(1, 25)).await;
    house.until_received(25).await;
    house.clock.advance_ms(61_000);
    let is_late = |house: &House| {
        house.store.standings().unwrap().get(&source).is_some_and(|standing| standing.verdict == Verdict::Late)
    };
    until(&house, is_late).await;
    let told: Vec<String> = house
        .alerts()
        .into_iter()
        .filter(|alert| alert.source.as_str() == "watchkeep")
        .map(|alert| alert.message)
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("source `aws_cloudtrail` is late: 95 % of the latest 25 events came within"),
        "{told:?}"
    );
    house.stop().await;
    house.assert_balance();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_line_measures_is_settled_with_what_it_counts() {
    let mut house = House::start(HTTP).await;
    let before = house.clock.now();
    let torn = format!("{}{{\"eventName\":\n", ndjson(1, 40));
    house.post("/v1/records", torn).await;
    house.until_received(41).await;
    let feeds = house.store.feeds(house.clock.now()).unwrap();
    let [feed] = &feeds[..] else { panic!("{feeds:?}") };
    assert_eq!((feed.source.as_str(), feed.input.as_str(), feed.lane), ("aws_cloudtrail", "http", Lane::Live));
    let day = feed.last_day();
    assert_eq!((day.records, day.lags.count(), day.ahead), (40, 40, 0));
    let engine = engine();
    let required = &engine.sources().iter().find(|source| source.id == feed.source).unwrap().required;
    assert!(!required.fields.is_empty());
    assert!(day.filled.values().all(|fill| (fill.n, fill.of) == (40, 40)), "{:?}", day.filled);
    assert_eq!(feed.last_event, Some(Time::parse("2026-11-22T02:51:40Z").unwrap()));
    assert!(feed.last_received >= before && feed.settled >= feed.last_received);
    house.stop().await;
    house.assert_balance();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_travels_the_whole_line() {
    let canary = Engine::compile(
        vec![source("watchkeep_canary")],
        Vec::<Rule>::new(),
        vec![],
        &Inventory::default(),
        Limits::default(),
    )
    .0;
    let mut house = House::start_on(canary, HTTP).await;
    let started = house.clock.now();
    // The clock stands still otherwise: the first comes half a minute after the start.
    until(&house, |house| {
        if house.clock.now().millis_since(started) < 31_000 {
            house.clock.advance_ms(1_000);
        }
        house.store.canary().unwrap().is_some()
    })
    .await;
    let last = house.store.canary().unwrap().unwrap();
    assert!(last.sent > started && last.settled >= last.sent, "{last:?}");
    let feeds = house.store.feeds(house.clock.now()).unwrap();
    assert_eq!((feeds.len(), feeds[0].input.as_str(), feeds[0].lane), (1, "canary", Lane::Canary));
    assert_eq!((house.ledger().balance().evaluated, house.ledger().balance().raised), (1, 0));
    house.stop().await;
    house.assert_balance();
}
