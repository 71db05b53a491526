use std::sync::Arc;
use std::time::Duration;

use lake::{Lake, LakeOptions};
use model::Time;

use crate::support::{HTTP, House, ndjson, record};

#[tokio::test]
async fn what_was_accepted_before_a_stop_is_settled_before_it_ends() {
    let mut house = House::start(HTTP).await;
    for n in 0..50 {
        assert_eq!(house.post("/v1/records", ndjson(n * 20, 20)).await.0, 200);
    }
    house.stop().await;
    assert_eq!(house.ledger().balance().evaluated, 1000);
    house.assert_balance();
}

#[tokio::test]
async fn re_delivered_records_change_nothing() {
    let mut house = House::start(HTTP).await;
    for _ in 0..3 {
        house.post("/v1/records", ndjson(0, 50)).await;
    }
    house.stop().await;
    let ledger = house.ledger();
    assert_eq!((ledger.total(model::Step::Opened), ledger.total(model::Step::Repeated)), (5, 10));
    assert_eq!(house.alerts().len(), 5);
    house.assert_balance();
}

#[tokio::test]
async fn events_reach_the_lake_once_whatever_happens_in_between() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let config = HTTP.replace("[lake]\nenabled = false\n", "");
    for _ in 0..2 {
        let mut house = House::start_in(folder.clone(), &config).await;
        assert_eq!(house.post("/v1/records", ndjson(0, 40)).await.0, 200);
        house.stop().await;
    }
    let lake = Lake::open(&folder.path().join("data/lake"), LakeOptions::default()).unwrap();
    let rows = lake.read(None, Time::EPOCH, Time::from_micros(i64::MAX)).unwrap();
    assert_eq!(rows.len(), 40);
    assert_eq!((rows[0].source.as_str(), rows[0].class_uid), ("aws_cloudtrail", 6003));
    assert_eq!(rows[0].columns["api.service.name"], "cloudtrail.amazonaws.com");
}

#[tokio::test]
async fn a_lake_spool_that_does_not_hold_is_kept_and_raises_an_alert() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let spools = folder.path().join("data/lake/spool");
    std::fs::create_dir_all(&spools).unwrap();
    std::fs::write(spools.join("20261122T000000-00000001.rows"), b"these are no rows").unwrap();
    let mut house = House::start_in(folder.clone(), &HTTP.replace("[lake]\nenabled = false\n", "")).await;
    house.until(|ledger| ledger.total(model::Step::Opened) > 0).await;
    house.stop().await;
    let alerts = house.alerts();
    assert_eq!(alerts.iter().map(|alert| alert.title.as_str()).collect::<Vec<_>>(), ["The lake was damaged"]);
    assert!(alerts[0].message.contains(".corrupt"), "{}", alerts[0].message);
}

#[tokio::test]
async fn a_journal_that_was_replaced_does_not_look_settled() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let mut house = House::start_in(folder.clone(), HTTP).await;
    for n in 0..20 {
        house.post("/v1/records", ndjson(n * 20, 20)).await;
    }
    house.stop().await;
    let journal = folder.path().join("data/journal");
    std::fs::remove_dir_all(&journal).unwrap();
    let mut house = House::start_in(folder.clone(), HTTP).await;
    house.post("/v1/records", record(9990, "DeleteTrail")).await;
    house.stop().await;
    assert_eq!(house.ledger().balance().records_in, 401);
    for file in std::fs::read_dir(&journal).unwrap().map(Result::unwrap) {
        if file.file_name().to_string_lossy().ends_with(".journal") {
            std::fs::remove_file(file.path()).unwrap();
        }
    }
    let mut house = House::start_in(folder, HTTP).await;
    house.post("/v1/records", record(9980, "DeleteTrail")).await;
    house.stop().await;
    assert_eq!(house.ledger().balance().records_in, 402, "only the segments were lost");
    house.assert_balance();
}

#[tokio::test]
async fn many_senders_at_once_lose_nothing() {
    let mut house = House::start(HTTP).await;
    let mut senders = tokio::task::JoinSet::new();
    for n in 0..8_u64 {
        let (client, url) = (house.http.clone(), house.url("/v1/records"));
        senders.spawn(async move {
            let mut accepted = 0;
            for m in 0..20 {
                let request = client.post(&url).body(ndjson(n * 100_000 + m * 50, 50));
                if request.send().await.unwrap().status() == 200 {
                    accepted += 50;
                }
            }
            accepted
        });
    }
    let accepted: u64 = senders.join_all().await.into_iter().sum();
    assert!(house.running.as_ref().unwrap().signals().store_error().is_none());
    house.stop().await;
    assert_eq!(house.ledger().balance().evaluated, accepted);
    assert_eq!(accepted, 8000);
    house.assert_balance();
}

#[tokio::test]
async fn a_sender_that_stalls_does_not_hold_up_the_stop() {
    use tokio::io::AsyncWriteExt;
    let mut house = House::start_with(Arc::new(tempfile::tempdir().unwrap()), HTTP, |settings| {
        settings.drain = Duration::from_secs(6);
    })
    .await;
    let mut stream = tokio::net::TcpStream::connect(house.address("http")).await.unwrap();
    stream.write_all(b"POST /v1/records HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{").await.unwrap();
    house.post("/v1/records", ndjson(0, 20)).await;
    house.until_received(20).await;
    let start = std::time::Instant::now();
    assert!(house.running.take().unwrap().stop().await, "there is time left to settle what was accepted");
    assert!(start.elapsed() < Duration::from_secs(8));
    assert_eq!(house.ledger().balance().evaluated, 20);
}
