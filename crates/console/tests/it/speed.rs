//! How long the server takes for a page with a hundred thousand alerts in the store.
//!
//! Making the store takes longer than reading it, so this runs only when asked, and with SQLite compiled as a release has it:
//! `cargo test --config 'profile.dev.package.libsqlite3-sys.opt-level=3' -p watchkeep-console --test it speed -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use axum::http::StatusCode;

use crate::seed;
use crate::visitor::{Console, Visitor};

#[tokio::test]
#[ignore = "makes a store of a hundred thousand alerts first"]
async fn every_page_takes_less_than_a_tenth_of_a_second_with_a_hundred_thousand_alerts() {
    let console = Console::evening();
    let started = Instant::now();
    seed::many(&console.store, &console.catalogue, 100_000);
    eprintln!("made the store in {:?}", started.elapsed());
    let visitor = console.visitor().await;
    let alert = console.store.alerts(&Default::default()).unwrap().alerts[0].alert_id;
    let rule = console.catalogue.rules[0].id.clone();
    let paths = [
        "/".to_owned(),
        "/queue?sort=event".to_owned(),
        "/?sort=raised&page=400".to_owned(),
        "/?sort=waiting&level=high&source=aws_cloudtrail".to_owned(),
        "/?state=open&level=critical&lane=sample".to_owned(),
        "/?text=role-77123".to_owned(),
        "/?text=lab-weights%20outside&page=3".to_owned(),
        "/?state=closed".to_owned(),
        format!("/?rule={rule}"),
        format!("/alerts/{alert}"),
        "/sources?hours=72".to_owned(),
        "/ledger?hours=168".to_owned(),
        "/outbox".to_owned(),
        "/silences?ended=1".to_owned(),
        "/rules?sort=findings".to_owned(),
        format!("/rules/{rule}"),
        "/rejects".to_owned(),
    ];
    let mut slow = Vec::new();
    for path in &paths {
        let median = median(&visitor, path).await;
        if median > Duration::from_millis(100) {
            slow.push((path, median));
        }
    }
    assert!(slow.is_empty(), "slower than 100 ms: {slow:?}");
}

async fn median(visitor: &Visitor<'_>, path: &str) -> Duration {
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..5 {
        let started = Instant::now();
        assert_eq!(visitor.get(path).await.status, StatusCode::OK, "{path}");
        times.push(started.elapsed());
    }
    times.sort();
    eprintln!("{path:60} median {:>8.1?}  worst {:>8.1?}", times[2], times[4]);
    times[2]
}
