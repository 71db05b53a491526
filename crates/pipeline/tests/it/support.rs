use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use content::config::{Config, Overrides};
use engine::sigma::{Document, Inventory};
use engine::{Engine, Limits, Source};
use model::{Ledger, Time};
use pipeline::{Clock, ManualClock, Running, Settings, SystemClock};
use store::{AlertQuery, OutboxQuery, OutboxRow, Store};

/// A rule that fires on every deletion of a trail.
const RULE: &str = "
title: Trail Deleted
id: 5b7c2e9e-3d0a-4f0c-9c0a-6f2f5d1f7a11
status: test
logsource: {product: aws, service: cloudtrail}
detection:
    selection: {eventSource: cloudtrail.amazonaws.com, eventName: DeleteTrail}
    condition: selection
level: high
watchkeep:
    owner: detection
    fold: {by: [requestParameters.name], window: 1h}
";

/// CloudTrail with one rule, and Windows events.
pub fn engine() -> Arc<Engine> {
    static ENGINE: OnceLock<Arc<Engine>> = OnceLock::new();
    ENGINE.get_or_init(|| Arc::new(compile(Limits::default()))).clone()
}

pub fn source(id: &str) -> Source {
    let text = content::embedded_file(&format!("sources/{id}/source.yml")).expect("the source is embedded");
    let (source, wrong) = Source::parse(std::str::from_utf8(text).unwrap());
    assert!(wrong.iter().all(|d| !d.is_error()), "{wrong:?}");
    source.unwrap()
}

pub fn compile(limits: Limits) -> Engine {
    let sources = vec![source("aws_cloudtrail"), source("windows_event"), source("aws_vpc_flow_log")];
    let (documents, wrong) = engine::sigma::parse(RULE);
    assert!(wrong.iter().all(|d| !d.is_error()), "{wrong:?}");
    let rules = documents.into_iter().filter_map(|document| match document {
        Document::Rule(rule) => Some(engine::sigma::Rule::clone(&rule)),
        _ => None,
    });
    Engine::compile(sources, rules.collect(), vec![], &Inventory::default(), limits).0
}

/// A CloudTrail record; `DeleteTrail` fires the rule.
pub fn record(id: u64, name: &str) -> String {
    format!(
        r#"{{"eventVersion":"1.08","userIdentity":{{"type":"IAMUser","arn":"arn:aws:iam::123456789012:user/ana"}},"eventTime":"2026-11-22T02:51:{:02}Z","eventSource":"cloudtrail.amazonaws.com","eventName":"{name}","awsRegion":"eu-west-2","sourceIPAddress":"192.0.2.7","requestParameters":{{"name":"trail-{id}"}},"eventID":"00000000-0000-4000-8000-{id:012}","eventType":"AwsApiCall"}}"#,
        id % 60
    )
}

/// `count` records from `first` on, every tenth of which deletes a trail.
pub fn records(first: u64, count: u64) -> Vec<String> {
    (first..first + count).map(|id| record(id, if id % 10 == 0 { "DeleteTrail" } else { "DescribeTrails" })).collect()
}

pub fn ndjson(first: u64, count: u64) -> String {
    records(first, count).iter().map(|record| format!("{record}\n")).collect()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A pipeline in a folder of its own.
pub struct House {
    pub running: Option<Running>,
    pub store: Store,
    pub clock: Arc<ManualClock>,
    pub folder: Arc<tempfile::TempDir>,
    pub http: reqwest::Client,
}

/// The configuration of a test: `extra` is TOML; `DIR` in it is the test's folder.
pub fn config(folder: &Path, extra: &str) -> Config {
    let dir = folder.display().to_string();
    let text = format!("data_dir = \"{dir}/data\"\nthreads = 2\n{}", extra.replace("DIR", &dir));
    let overrides = Overrides::default();
    let (config, wrong) = Config::parse(&text, &overrides);
    config.unwrap_or_else(|| panic!("{wrong:?}\n{text}"))
}

impl House {
    pub async fn start(extra: &str) -> House {
        House::start_in(Arc::new(tempfile::tempdir().unwrap()), extra).await
    }

    pub async fn start_in(folder: Arc<tempfile::TempDir>, extra: &str) -> House {
        House::start_with(folder, extra, |_| {}).await
    }

    /// Starts with another engine.
    pub async fn start_on(engine: Engine, extra: &str) -> House {
        House::start_all(Arc::new(tempfile::tempdir().unwrap()), extra, Arc::new(engine), |_| {}).await
    }

    pub async fn start_with(folder: Arc<tempfile::TempDir>, extra: &str, change: impl FnOnce(&mut Settings)) -> House {
        House::start_all(folder, extra, engine(), change).await
    }

    async fn start_all(
        folder: Arc<tempfile::TempDir>,
        extra: &str,
        engine: Arc<Engine>,
        change: impl FnOnce(&mut Settings),
    ) -> House {
        let config = config(folder.path(), extra);
        std::fs::create_dir_all(&config.data_dir).unwrap();
        let store = Store::open(&config.data_dir).unwrap();
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        let mut settings = Settings::read(config).unwrap();
        change(&mut settings);
        let running = pipeline::start(settings, engine, store.clone(), clock.clone()).await.unwrap();
        House { running: Some(running), store, clock, folder, http: reqwest::Client::new() }
    }

    pub fn address(&self, input: &str) -> SocketAddr {
        self.running.as_ref().unwrap().addresses()[input]
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address("http"))
    }

    pub async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> (u16, serde_json::Value) {
        answer(self.http.post(self.url(path)).body(body)).await
    }

    /// Ends the pipeline; everything must be settled.
    pub async fn stop(&mut self) {
        assert!(self.running.take().unwrap().stop().await, "everything that was accepted is settled");
    }

    /// Waits until `is` holds of the ledger.
    pub async fn until(&self, is: impl Fn(&Ledger) -> bool) {
        for _ in 0..2000 {
            if is(&self.ledger()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("it never came to that: {:?}", self.ledger().balance());
    }

    /// Waits until so many records were received and settled.
    pub async fn until_received(&self, records: u64) {
        self.until(|ledger| ledger.balance().records_in >= records).await;
    }

    pub fn ledger(&self) -> Ledger {
        self.store.ledger(Time::EPOCH, Time::from_micros(i64::MAX)).unwrap()
    }

    pub fn alerts(&self) -> Vec<model::Alert> {
        self.store.alerts(&AlertQuery { limit: 1000, ..AlertQuery::default() }).unwrap().alerts
    }

    pub fn outbox(&self) -> Vec<OutboxRow> {
        self.store.outbox(&OutboxQuery { limit: 1000, ..OutboxQuery::default() }).unwrap()
    }

    /// Every law holds.
    pub fn assert_balance(&self) {
        assert_eq!(self.store.imbalances(self.clock.now()).unwrap(), []);
    }
}

/// Sends a request; the status and the body as JSON.
pub async fn answer(request: reqwest::RequestBuilder) -> (u16, serde_json::Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text)))
}

/// An HTTP input on a free port, and nothing else.
pub const HTTP: &str = "
routes = []
[lake]
enabled = false
[[inputs]]
name = \"http\"
kind = \"http\"
listen = \"127.0.0.1:0\"
";
