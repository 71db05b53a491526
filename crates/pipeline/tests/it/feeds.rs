use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use pipeline::inputs::cursor::FileCursor;
use pipeline::inputs::file::{self, End, Pass};
use store::RejectQuery;
use store::journal::Journal;

use crate::support::{House, gzip, ndjson, record, records};

fn feed(kind: &str) -> String {
    format!("routes = []\n[[inputs]]\nname = \"feed\"\nkind = \"{kind}\"\npath = \"DIR/in\"\n")
}

fn watch() -> String {
    format!("{}every = \"20ms\"\n", feed("watch"))
}

fn folder() -> Arc<tempfile::TempDir> {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    std::fs::create_dir(folder.path().join("in")).unwrap();
    folder
}

fn append(path: &Path, text: &str) {
    OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

/// Makes a file look as if nobody had written to it for a minute.
fn rest(path: &Path) {
    let then = SystemTime::now() - Duration::from_secs(60);
    OpenOptions::new().write(true).open(path).unwrap().set_modified(then).unwrap();
}

#[tokio::test]
async fn a_folder_is_read_once_in_every_packing_and_not_again_after_a_restart() {
    let folder = folder();
    let into = folder.path().join("in");
    std::fs::create_dir(into.join("deep")).unwrap();
    std::fs::write(into.join("a.json"), ndjson(0, 50)).unwrap();
    std::fs::write(into.join("b.json.gz"), [gzip(ndjson(50, 25).as_bytes()), gzip(ndjson(75, 25).as_bytes())].concat())
        .unwrap();
    std::fs::write(into.join("c.zst"), zstd::encode_all(ndjson(100, 50).as_bytes(), 1).unwrap()).unwrap();
    std::fs::write(into.join("deep/d.json"), format!("{{\"Records\":[{}]}}", records(150, 50).join(","))).unwrap();
    for _ in 0..2 {
        let mut house = House::start_in(folder.clone(), &feed("folder")).await;
        house.until_received(200).await;
        house.stop().await;
        let balance = house.ledger().balance();
        assert_eq!((balance.records_in, balance.evaluated, balance.raised), (200, 200, 20));
        house.assert_balance();
    }
}

#[tokio::test]
async fn a_watched_file_goes_on_where_it_stopped_and_its_unfinished_line_waits() {
    let folder = folder();
    let path = folder.path().join("in/a.json");
    append(&path, &ndjson(0, 10));
    let mut house = House::start_in(folder.clone(), &watch()).await;
    house.until_received(10).await;
    let line = record(10, "DeleteTrail");
    append(&path, &line[..100]);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(house.ledger().balance().records_in, 10, "half a line is no record");
    append(&path, &format!("{}\n{}", &line[100..], ndjson(11, 9)));
    house.until_received(20).await;
    house.stop().await;
    append(&path, &ndjson(20, 10));
    let mut house = House::start_in(folder, &watch()).await;
    house.until_received(30).await;
    house.stop().await;
    let balance = house.ledger().balance();
    assert_eq!((balance.records_in, balance.evaluated, balance.raised), (30, 30, 3));
    house.assert_balance();
}

#[tokio::test]
async fn a_last_line_without_an_end_counts_once_its_file_rests() {
    let folder = folder();
    let path = folder.path().join("in/a.json");
    append(&path, &format!("{}{}", ndjson(0, 5), record(5, "DescribeTrails")));
    let mut house = House::start_in(folder, &watch()).await;
    house.until_received(5).await;
    rest(&path);
    house.until_received(6).await;
    append(&path, &format!("\n{}", &record(6, "DescribeTrails")[..80]));
    rest(&path);
    tokio::time::sleep(Duration::from_millis(200)).await;
    house.stop().await;
    assert_eq!(house.ledger().balance().records_in, 6, "half a record waits however long the file rests");
    house.assert_balance();
}

#[tokio::test]
async fn a_container_that_grows_is_read_on_without_repeats() {
    let folder = folder();
    let path = folder.path().join("in/a.json");
    let all = records(0, 30).join(",");
    let half = all.len() / 2;
    append(&path, &format!("{{\"Records\":[{}", &all[..half]));
    let mut house = House::start_in(folder, &watch()).await;
    house.until_received(10).await;
    append(&path, &format!("{}]}}", &all[half..]));
    rest(&path);
    house.until_received(30).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    house.stop().await;
    assert_eq!(house.ledger().balance().records_in, 30);
    house.assert_balance();
}

#[tokio::test]
async fn a_file_whose_header_names_its_columns_is_read_on_with_it() {
    let folder = folder();
    let path = folder.path().join("in/flow.log");
    let flow =
        |n: usize| format!("eni-{n:x} 10.0.0.{n} 203.0.113.9 {} {} 443 OK\n", 1_778_178_600 + n, 1_778_178_660 + n);
    append(&path, "interface-id srcaddr dstaddr start end dstport log-status\n");
    let mut house = House::start_in(folder.clone(), &watch()).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    append(&path, &(1..4).map(flow).collect::<String>());
    house.until_received(3).await;
    append(&path, &flow(4));
    house.until_received(4).await;
    house.stop().await;
    append(&path, &(5..7).map(flow).collect::<String>());
    let mut house = House::start_in(folder, &watch()).await;
    house.until_received(6).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    house.stop().await;
    let balance = house.ledger().balance();
    assert_eq!((balance.records_in, balance.evaluated), (6, 6), "the header is no record, and none is read twice");
    house.assert_balance();
}

#[tokio::test]
async fn a_replaced_file_is_read_from_its_start_and_a_rotated_one_is_not_read_again() {
    let folder = folder();
    let path = folder.path().join("in/a.log");
    append(&path, &ndjson(0, 10));
    let mut house = House::start_in(folder.clone(), &watch()).await;
    house.until_received(10).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    std::fs::rename(&path, folder.path().join("in/a.log.1")).unwrap();
    append(&path, &ndjson(100, 10));
    house.until_received(20).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    std::fs::write(&path, ndjson(200, 3)).unwrap();
    house.until_received(23).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    house.stop().await;
    assert_eq!(house.ledger().balance().records_in, 23);
    house.assert_balance();
}

#[tokio::test]
async fn only_files_that_fit_are_read_and_one_that_fitted_is_read_on_under_its_new_name() {
    let folder = folder();
    let name = |name: &str| folder.path().join("in").join(name);
    let config = format!("{}only = [\"a.log\", \"b*.json\"]\n", watch());
    append(&name("a.log"), &ndjson(0, 10));
    append(&name("other.txt"), &ndjson(500, 7));
    append(&name("a.log.7"), &ndjson(600, 7));
    let mut house = House::start_in(folder.clone(), &config).await;
    house.until_received(10).await;
    // Its writer has it open still.
    std::fs::rename(name("a.log"), name("a.log.1")).unwrap();
    append(&name("a.log.1"), &ndjson(10, 5));
    append(&name("a.log"), &ndjson(100, 10));
    append(&name("b1.json"), &ndjson(200, 10));
    house.until_received(35).await;
    house.stop().await;
    std::fs::rename(name("a.log"), name("a.log.2")).unwrap();
    append(&name("a.log.2"), &ndjson(110, 4));
    let mut house = House::start_in(folder.clone(), &config).await;
    house.until_received(39).await;
    house.stop().await;
    assert_eq!(house.ledger().balance().records_in, 39);
    house.assert_balance();
}

#[tokio::test]
async fn a_file_that_was_rotated_while_nobody_looked_goes_on_where_it_was() {
    let folder = folder();
    let path = folder.path().join("in/a.log");
    append(&path, &ndjson(0, 10));
    let mut house = House::start_in(folder.clone(), &watch()).await;
    house.until_received(10).await;
    house.stop().await;
    append(&path, &ndjson(10, 5));
    std::fs::rename(&path, folder.path().join("in/a.log.1")).unwrap();
    append(&path, &ndjson(100, 7));
    for more in 0..3 {
        let mut house = House::start_in(folder.clone(), &watch()).await;
        append(&path, &ndjson(200 + more, 1));
        house.until_received(23 + more).await;
        house.stop().await;
        assert_eq!(house.ledger().balance().records_in, 23 + more, "nothing is read twice");
        house.assert_balance();
        // And the next time it has another name again.
        let name = |number: u64| folder.path().join(format!("in/a.log.{number}"));
        std::fs::rename(name(more + 1), name(more + 2)).unwrap();
    }
}

#[tokio::test]
async fn a_file_that_is_cut_before_it_was_read_is_said_aloud_and_read_from_its_start() {
    let folder = folder();
    let path = folder.path().join("in/a.log");
    append(&path, &format!("{}{}", ndjson(0, 10), &record(10, "DescribeTrails")[..100]));
    let mut house = House::start_in(folder.clone(), &watch()).await;
    house.until_received(10).await;
    std::fs::write(&path, ndjson(100, 3)).unwrap();
    house.until_received(13).await;
    house.stop().await;
    assert_eq!(house.ledger().balance().records_in, 13);
    let alerts = house.alerts();
    let told = alerts.iter().find(|alert| alert.title == "A file was cut before it was read").expect("it is told");
    assert!(told.message.contains("a.log` was cut from"), "{}", told.message);
    assert!(told.message.contains("while 100 bytes were not read"), "{}", told.message);
    house.assert_balance();
}

#[tokio::test]
async fn a_packed_file_is_read_once_it_rests() {
    let folder = folder();
    let path = folder.path().join("in/a.json.gz");
    let packed = gzip(ndjson(0, 100).as_bytes());
    std::fs::write(&path, &packed[..packed.len() / 2]).unwrap();
    let mut house = House::start_in(folder, &watch()).await;
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert!(house.ledger().is_empty(), "somebody may still be writing");
    std::fs::write(&path, &packed).unwrap();
    rest(&path);
    house.until_received(100).await;
    house.stop().await;
    let balance = house.ledger().balance();
    assert_eq!((balance.records_in, balance.evaluated), (100, 100));
}

#[tokio::test]
async fn samples_play_once_on_their_own_lane_and_go_on_after_a_restart() {
    let folder = folder();
    let config = "routes = []\n[[inputs]]\nname = \"samples\"\nkind = \"samples\"\nevery = \"3ms\"\n";
    let bytes = ndjson(0, 100).into_bytes();
    let mut played = 0;
    for _ in 0..2 {
        let bytes = bytes.clone();
        let set = |settings: &mut pipeline::Settings| settings.samples = vec![("s.ndjson".into(), bytes.into())];
        let mut house = House::start_with(folder.clone(), config, set).await;
        house.until_received(if played == 0 { 20 } else { 100 }).await;
        house.stop().await;
        played = house.ledger().balance().records_in;
    }
    let mut house = House::start_with(folder.clone(), config, |settings| {
        settings.samples = vec![("s.ndjson".into(), bytes.clone().into())];
    })
    .await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    house.stop().await;
    assert_eq!(house.ledger().balance().records_in, 100, "each record once, over two restarts");
    assert!(house.alerts().iter().all(|alert| alert.lane == model::Lane::Sample));
    assert_eq!(house.alerts().len(), 10);
}

/// A line of its own with an input before it, on the store of a house that was stopped.
struct Bench {
    journal: Journal,
    engine: Arc<engine::Engine>,
    line: pipeline::line::Line,
    feed: pipeline::inputs::Feed,
}

fn bench(house: &House, folder: &tempfile::TempDir, limits: engine::Limits) -> Bench {
    let journal = Journal::open(&folder.path().join("data/journal"), Default::default()).unwrap();
    let engine = Arc::new(crate::support::compile(limits));
    let line = pipeline::line::Line::start(
        pipeline::line::LineParts {
            detect: engine.clone(),
            correlate: None,
            store: house.store.clone(),
            lake: None,
            kept: None,
            journal: Some(journal.clone()),
            journal_key: "journal:x".into(),
            routes: Arc::new([]),
            clock: house.clock.clone(),
            signals: Arc::default(),
            queued: Arc::new(|| {}),
        },
        Default::default(),
    );
    let feed = pipeline::inputs::Feed {
        name: "stdin".into(),
        source: None,
        lane: model::Lane::Live,
        line: line.sender(),
        store: house.store.clone(),
        clock: house.clock.clone(),
        limits,
        heads: engine::Heads::default(),
        batch: Default::default(),
        stop: Default::default(),
    };
    Bench { journal, engine, line, feed }
}

#[tokio::test]
async fn standard_input_is_journalled_and_settled() {
    let folder = folder();
    let mut house = House::start_in(folder.clone(), crate::support::HTTP).await;
    house.stop().await;
    let Bench { journal, engine, line, feed } = bench(&house, &folder, engine::Limits::default());
    let text = format!("{}{{\"broken\": \n{}", ndjson(0, 50), ndjson(50, 50));
    pipeline::inputs::stdin::read(&feed, &engine, &journal, gzip(text.as_bytes()).as_slice());
    feed.stop.stop();
    pipeline::inputs::journal::follow(&feed, &journal, "journal:x");
    assert!(line.close(Duration::from_secs(10)));
    let balance = house.ledger().balance();
    assert_eq!(balance.evaluated, 100, "{balance:?}");
    assert_eq!(balance.records_in, balance.evaluated + balance.rejected);
    assert!(balance.rejected >= 1);
    house.assert_balance();
}

fn reasons(house: &House) -> Vec<model::Reject> {
    let query = RejectQuery { limit: 100, ..RejectQuery::default() };
    house.store.rejects(&query).unwrap().into_iter().map(|row| row.reason).collect()
}

#[tokio::test]
async fn what_standard_input_could_not_read_whole_keeps_its_reason_and_counts_once() {
    let folder = folder();
    let mut house = House::start_in(folder.clone(), crate::support::HTTP).await;
    house.stop().await;
    let limits = engine::Limits { record_bytes: 4096, reject_bytes: 1024, ..Default::default() };
    let Bench { journal, engine, line, feed } = bench(&house, &folder, limits);
    let long = format!("{{\"a\":\"{}\"}}\n", "\\n{} ".repeat(2000));
    let text = format!("{}{long}{}{{\"Records\":[", ndjson(0, 5), ndjson(5, 5));
    pipeline::inputs::stdin::read(&feed, &engine, &journal, text.as_bytes());
    let packed = gzip(ndjson(10, 5000).as_bytes());
    pipeline::inputs::stdin::read(&feed, &engine, &journal, &packed[..packed.len() / 2]);
    feed.stop.stop();
    pipeline::inputs::journal::follow(&feed, &journal, "journal:x");
    assert!(line.close(Duration::from_secs(30)));
    let reasons = reasons(&house);
    for reason in [model::Reject::TooLarge, model::Reject::BadCompression] {
        assert_eq!(reasons.iter().filter(|found| **found == reason).count(), 1, "{reasons:?}");
    }
    assert!(
        reasons.contains(&model::Reject::Truncated) && !reasons.contains(&model::Reject::UnknownSource),
        "{reasons:?}"
    );
    house.assert_balance();
}

#[tokio::test]
async fn damage_that_shows_while_the_journal_is_followed_is_told() {
    let folder = folder();
    let mut house = House::start_in(folder.clone(), crate::support::HTTP).await;
    house.stop().await;
    let Bench { journal, engine, line, feed } = bench(&house, &folder, engine::Limits::default());
    for n in 0..3 {
        pipeline::inputs::stdin::read(&feed, &engine, &journal, ndjson(n * 10, 10).as_bytes());
    }
    let segment = folder.path().join("data/journal/000000000001.journal");
    let mut bytes = std::fs::read(&segment).unwrap();
    let half = bytes.len() / 2;
    bytes[half] ^= 0xff;
    std::fs::write(&segment, bytes).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| pipeline::inputs::journal::follow(&feed, &journal, "journal:x"));
        for _ in 0..200 {
            if house.ledger().balance().records_in >= 20 {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        feed.stop.stop();
    });
    assert!(line.close(Duration::from_secs(10)));
    assert_eq!(house.ledger().balance().evaluated, 20, "what holds is evaluated");
    let titles: Vec<String> = house.alerts().into_iter().map(|alert| alert.title).collect();
    assert!(titles.contains(&"The journal was damaged".to_owned()), "{titles:?}");
}

#[tokio::test]
async fn a_record_that_is_too_long_is_one_reject_while_it_grows_and_after_a_restart() {
    let folder = folder();
    let path = folder.path().join("in/a.json");
    let long = format!("{{\"a\":\"{}", "x{} ".repeat(9 << 18));
    append(&path, &format!("{}{long}", ndjson(0, 5)));
    let mut house = House::start_in(folder.clone(), &watch()).await;
    house.until_received(6).await;
    append(&path, &"y".repeat(1 << 20));
    tokio::time::sleep(Duration::from_millis(300)).await;
    house.stop().await;
    append(&path, &format!("\"}}\n{}", ndjson(5, 5)));
    let mut house = House::start_in(folder.clone(), &watch()).await;
    house.until_received(11).await;
    append(&path, &ndjson(10, 5));
    house.until_received(16).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    house.stop().await;
    let balance = house.ledger().balance();
    assert_eq!((balance.records_in, balance.evaluated), (16, 15));
    assert_eq!(reasons(&house), [model::Reject::TooLarge]);
    house.assert_balance();
}

#[tokio::test]
async fn a_file_that_does_not_change_is_read_no_more() {
    let folder = folder();
    let mut house = House::start_in(folder.clone(), crate::support::HTTP).await;
    house.stop().await;
    let Bench { line, feed, .. } = bench(&house, &folder, engine::Limits::default());
    let open = End::Open { quiet_ms: 10_000 };
    let read = |path: &Path, known: Option<FileCursor>| {
        let Ok(Pass::Done(cursor)) = file::read(&feed, path, "key", known, open) else { panic!("it is read") };
        cursor
    };
    let [whole, cut] = ["whole.json", "cut.json"].map(|name| folder.path().join("in").join(name));
    append(&whole, &ndjson(0, 5));
    append(&cut, &format!("{{\"Records\":[{}", record(9, "DescribeTrails")));
    rest(&whole);
    rest(&cut);
    let is_settled = |cursor: &FileCursor| cursor.is_settled_as(cursor.size, cursor.modified_ms);
    let first = read(&whole, None);
    assert!(first.is_complete && is_settled(&first));
    let stored = FileCursor::parse(&first.to_text()).unwrap();
    assert!(!is_settled(&stored), "it may have changed while we were away");
    assert!(is_settled(&read(&whole, Some(stored))), "it was looked at, and need not be opened again");
    let examined = read(&cut, None);
    assert!(!examined.is_complete && is_settled(&examined), "nobody writes, so nothing will be finished");
    assert!(line.close(Duration::from_secs(10)));
}
