//! Ten kinds of bad input: each gives a clear error, and nothing is lost.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use model::Reject;
use pipeline::http::{HttpInput, HttpParts};
use pipeline::scan::{ScanInput, ScanOptions, ScanReport, scan};
use store::journal::{Disk, DiskFile, Journal, Position, RealDisk};
use store::{OutboxState, RejectQuery};

use crate::support::{HTTP, House, engine, gzip, ndjson, record};

/// Scans `bytes` as one file, on one thread and on two; both must say the same.
fn scanned(name: &str, bytes: &[u8]) -> ScanReport {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let run = |threads| {
        let options = ScanOptions { threads, ..ScanOptions::at(model::Time::EPOCH) };
        let mut sink = |_: &Path, _: u64, _: model::Finding| std::ops::ControlFlow::Continue(());
        scan(&[ScanInput::Path(path.clone())], &engine(), &options, &mut sink, &|_| {}).unwrap()
    };
    let (one, two) = (run(1), run(2));
    assert_eq!(one, two);
    one
}

/// Sends `body`, stops, and gives the house with its books closed.
async fn sent(body: Vec<u8>) -> House {
    let mut house = House::start(HTTP).await;
    let (status, answer) = house.post("/v1/records", body).await;
    assert_eq!(status, 200, "{answer}");
    house.stop().await;
    house.assert_balance();
    house
}

fn reasons(house: &House) -> Vec<Reject> {
    let query = RejectQuery { limit: 100, ..RejectQuery::default() };
    let mut reasons: Vec<Reject> = house.store.rejects(&query).unwrap().into_iter().map(|row| row.reason).collect();
    reasons.sort();
    reasons
}

/// Good records before and after a bad one.
fn around(bad: &[u8]) -> Vec<u8> {
    [ndjson(0, 5).as_bytes(), bad, b"\n", ndjson(5, 5).as_bytes()].concat()
}

#[tokio::test]
async fn bad_input_01_a_truncated_gzip() {
    let packed = gzip(ndjson(0, 5000).as_bytes());
    let report = scanned("cut.json.gz", &packed[..packed.len() * 2 / 3]);
    let file = &report.files[0];
    assert_eq!(file.error.as_deref(), Some("the gzip stream is broken: it ends early"));
    assert!(file.evaluated > 2000, "what came before the break counts: {}", file.evaluated);
    assert_eq!(file.rejects[&Reject::BadCompression].count, 1);

    let folder = Arc::new(tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("cut.json.gz"), &packed[..packed.len() * 2 / 3]).unwrap();
    let extra = "routes = []\n[[inputs]]\nname = \"f\"\nkind = \"file\"\npath = \"DIR/cut.json.gz\"\n";
    let mut house = House::start_in(folder, extra).await;
    house.until(|ledger| ledger.total(model::Step::Rejected) > 0).await;
    house.stop().await;
    assert_eq!(house.ledger().balance().evaluated, file.evaluated);
    assert!(reasons(&house).contains(&Reject::BadCompression));
    house.assert_balance();
}

#[tokio::test]
async fn bad_input_02_nan_and_huge_numbers() {
    let huge = record(100, "DescribeTrails")
        .replace("\"awsRegion\"", &format!("\"n\":1e999,\"m\":{},\"awsRegion\"", "9".repeat(500)));
    let nan = record(101, "DescribeTrails").replace("\"awsRegion\"", "\"n\":NaN,\"awsRegion\"");
    let house = sent(around(format!("{huge}\n{nan}").as_bytes())).await;
    assert_eq!(reasons(&house), [Reject::NotJson], "huge numbers are JSON, NaN is not");
    assert_eq!(house.ledger().balance().evaluated, 11);
}

#[tokio::test]
async fn bad_input_03_a_line_of_a_hundred_megabytes() {
    let mut bytes = ndjson(0, 5).into_bytes();
    bytes.extend_from_slice(b"{\"a\":\"");
    bytes.resize(bytes.len() + (100 << 20), b'x');
    bytes.extend_from_slice(b"\"}\n");
    bytes.extend_from_slice(ndjson(5, 5).as_bytes());
    let file = &scanned("long.json", &bytes).files[0];
    assert_eq!((file.evaluated, file.rejects[&Reject::TooLarge].count, file.records), (10, 1, 11));
    assert_eq!(file.rejects[&Reject::TooLarge].first[0].offset, ndjson(0, 5).len() as u64);

    let mut house = House::start(HTTP).await;
    let (status, answer) = house.post("/v1/records", bytes).await;
    assert_eq!((status, answer["error"]["code"].as_str()), (413, Some("too_large")));
    house.stop().await;
    assert!(house.ledger().is_empty(), "nothing of a refused body is kept, and its sender knows");
}

#[tokio::test]
async fn bad_input_04_ten_thousand_levels_of_nesting() {
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let house = sent(around(deep.as_bytes())).await;
    assert_eq!(reasons(&house), [Reject::TooDeep]);
    assert_eq!(house.ledger().balance().evaluated, 10);
}

#[tokio::test]
async fn bad_input_05_bytes_that_are_not_utf8() {
    let house = sent(around(b"{\"eventName\":\"\xff\xfe\"}")).await;
    assert_eq!(reasons(&house), [Reject::NotUtf8]);
    assert_eq!(house.ledger().balance().evaluated, 10);
}

#[tokio::test]
async fn bad_input_06_keys_that_stand_twice() {
    let twice = record(100, "DescribeTrails").replace("\"awsRegion\"", "\"eventName\":\"DeleteTrail\",\"awsRegion\"");
    let house = sent(around(twice.as_bytes())).await;
    assert_eq!(reasons(&house), [Reject::DuplicateKey]);
    assert_eq!(house.ledger().balance().evaluated, 10);
}

#[tokio::test]
async fn bad_input_07_an_empty_file() {
    for (name, bytes) in [("e.json", Vec::new()), ("e.json.gz", gzip(b"")), ("e.txt", b"\n \n".to_vec())] {
        let report = scanned(name, &bytes);
        assert_eq!((report.files[0].records, report.is_whole()), (0, true), "{name}");
    }
    let mut house = House::start(HTTP).await;
    let (status, answer) = house.post("/v1/records", "").await;
    assert_eq!((status, answer["error"]["message"].as_str()), (400, Some("the body holds no record")));
    house.stop().await;
}

#[tokio::test]
async fn bad_input_08_the_wrong_source() {
    let audit = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","verb":"get","auditID":"x","stageTimestamp":"2026-11-22T02:51:00Z"}"#;
    let mut house = House::start(&format!("{HTTP}source = \"aws_cloudtrail\"\n")).await;
    assert_eq!(house.post("/v1/records", around(audit.as_bytes())).await.0, 200);
    house.stop().await;
    assert_eq!(reasons(&house), [Reject::WrongSource]);
    assert_eq!(house.ledger().balance().evaluated, 10);
    house.assert_balance();
    let house = sent(around(audit.as_bytes())).await;
    assert_eq!(reasons(&house), [Reject::UnknownSource]);
}

#[tokio::test]
async fn bad_input_09_a_full_disk() {
    // The journal's share of the disk is full while the line cannot settle: another process holds the store's lock.
    let limits = "[limits]\njournal_bytes = \"48KiB\"\njournal_segment_bytes = \"8KiB\"";
    let mut house = House::start(&format!("{HTTP}\n{limits}")).await;
    let lock = rusqlite::Connection::open(house.folder.path().join("data/state.db")).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (mut accepted, mut first) = (0, 0);
    let refusal = loop {
        let (status, answer) = house.post("/v1/records", ndjson(first, 10)).await;
        if status != 200 {
            break (status, answer);
        }
        (accepted, first) = (accepted + 10, first + 10);
    };
    assert_eq!((refusal.0, refusal.1["error"]["code"].as_str()), (503, Some("journal_full")));
    lock.execute_batch("ROLLBACK").unwrap();
    drop(lock);
    house.until_received(accepted).await;
    let (status, _) = house.post("/v1/records", ndjson(first, 10)).await;
    assert_eq!(status, 200, "once there is room, the same records are taken");
    house.stop().await;
    assert_eq!(house.ledger().balance().evaluated, accepted + 10);
    house.assert_balance();
}

/// A disk on which nothing can be written once it is full, and whose folders cannot be listed until then.
struct FullDisk(RealDisk, Arc<AtomicBool>);

struct FullFile(Box<dyn DiskFile>, Arc<AtomicBool>);

impl DiskFile for FullFile {
    fn length(&mut self) -> io::Result<u64> {
        self.0.length()
    }
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(offset, buffer)
    }
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        if self.1.load(Ordering::SeqCst) {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.0.write_at(offset, bytes)
    }
    fn set_len(&mut self, bytes: u64) -> io::Result<()> {
        self.0.set_len(bytes)
    }
    fn sync(&mut self) -> io::Result<()> {
        self.0.sync()
    }
}

impl Disk for FullDisk {
    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        self.0.make_dir(dir)
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        while self.1.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.0.list(dir)
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(FullFile(self.0.create(path)?, self.1.clone())))
    }
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(FullFile(self.0.open(path)?, self.1.clone())))
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.remove(path)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.0.sync_dir(dir)
    }
    fn lock(&self, dir: &Path) -> io::Result<Option<Box<dyn Send + Sync>>> {
        self.0.lock(dir)
    }
}

/// A server whose journal is on a disk that can be filled; the journal, and the server's address.
async fn served(folder: &Path, is_full: &Arc<AtomicBool>) -> (Journal, String) {
    let disk = Arc::new(FullDisk(RealDisk, is_full.clone()));
    let journal = Journal::open_on(disk, &folder.join("journal"), Default::default()).unwrap();
    let serves = pipeline::http::Serves::Records;
    let input =
        HttpInput { name: "http".into(), source: None, lane: model::Lane::Live, token: None, serves, topics: vec![] };
    let parts = HttpParts {
        inputs: vec![input],
        journal: journal.clone(),
        engine: engine(),
        store: store::Store::open(folder).unwrap(),
        acknowledgers: vec![],
        clock: Arc::new(pipeline::SystemClock),
        signals: Arc::default(),
        queued: Arc::new(|| {}),
        fetch: Arc::new(pipeline::http::Fetcher::new().unwrap()),
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = pipeline::http::router(parts, Default::default());
    tokio::spawn(pipeline::http::serve(listener, router, Default::default(), std::future::pending()));
    (journal, url)
}

#[tokio::test]
async fn bad_input_09_a_disk_without_room_for_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let is_full = Arc::new(AtomicBool::new(false));
    let (journal, url) = served(folder.path(), &is_full).await;
    let client = reqwest::Client::new();
    let post = |path: &str| crate::support::answer(client.post(format!("{url}{path}")).body(ndjson(0, 5)));
    assert_eq!(post("/v1/records").await.0, 200);
    is_full.store(true, Ordering::SeqCst);
    let (status, body) = post("/v1/records").await;
    assert_eq!((status, body["error"]["code"].as_str()), (503, Some("disk_full")), "{body}");
    let (status, body) = post("/services/collector/raw").await;
    assert_eq!((status, body["code"].as_u64(), body["text"].as_str()), (503, Some(9), Some("Server is busy")));
    is_full.store(false, Ordering::SeqCst);
    assert_eq!(post("/v1/records").await.0, 200, "once there is room, records are taken again");
    let entries = journal.read_from(Position::START).collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(entries.len(), 2, "what was accepted, and nothing that was refused");
}

#[tokio::test]
async fn bad_input_09_a_journal_that_is_being_checked_does_not_hold_up_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let is_full = Arc::new(AtomicBool::new(false));
    let (journal, url) = served(folder.path(), &is_full).await;
    let client = reqwest::Client::new();
    is_full.store(true, Ordering::SeqCst);
    let checking = std::thread::spawn(move || journal.reopen().map(drop));
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(4));
        is_full.store(false, Ordering::SeqCst);
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let start = std::time::Instant::now();
    let health = tokio::spawn(client.get(format!("{url}/services/collector/health")).send());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(client.get(format!("{url}/healthz")).send().await.unwrap().status(), 200);
    assert!(start.elapsed() < Duration::from_secs(2), "other requests are answered meanwhile");
    assert_eq!(health.await.unwrap().unwrap().status(), 200);
    checking.join().unwrap().unwrap();
}

#[tokio::test]
async fn bad_input_10_an_output_that_is_down_for_an_hour() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let folder = Arc::new(tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("secret"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let extra = format!(
        "[[inputs]]\nname = \"http\"\nkind = \"http\"\nlisten = \"127.0.0.1:0\"\n[[routes]]\nname = \"soc\"\nkind = \"webhook\"\nurl = \"http://{address}/\"\nsecret = {{ file = \"DIR/secret\" }}\n[routes.retry]\nfirst = \"5s\"\nlongest = \"2m\"\n"
    );
    let mut house = House::start_in(folder, &extra).await;
    house.post("/v1/records", ndjson(0, 100)).await;
    house.until_received(100).await;
    for minute in 0..60 {
        house.clock.advance_ms(60_000);
        tokio::time::sleep(Duration::from_millis(15)).await;
        assert!(house.store.dead_letters().unwrap().is_empty(), "nothing is given up in minute {minute}");
    }
    let waiting = house.outbox();
    assert!(waiting.len() >= 10 && waiting.iter().all(|row| row.state == OutboxState::Waiting));
    assert!(waiting.iter().any(|row| row.error.as_deref().is_some_and(|e| e.starts_with("cannot reach the receiver"))));
    let keys: Arc<std::sync::Mutex<Vec<String>>> = Arc::default();
    let taking = keys.clone();
    let handler = move |headers: axum::http::HeaderMap| async move {
        taking.lock().unwrap().push(headers["webhook-id"].to_str().unwrap().to_owned());
    };
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let router = axum::Router::new().route("/", axum::routing::post(handler));
    tokio::spawn(async move { axum::serve(listener, router).await });
    for _ in 0..1000 {
        house.clock.advance_ms(10_000);
        tokio::time::sleep(Duration::from_millis(10)).await;
        if house.outbox().iter().all(|row| row.state == OutboxState::Delivered) {
            break;
        }
    }
    assert!(house.outbox().iter().all(|row| row.state == OutboxState::Delivered));
    let mut expected: Vec<String> = waiting.into_iter().map(|row| row.key).collect();
    let mut taken = keys.lock().unwrap().clone();
    expected.sort();
    taken.sort();
    expected.iter().for_each(|key| assert_eq!(taken.iter().filter(|k| *k == key).count(), 1, "each once"));
    house.stop().await;
    house.assert_balance();
}
