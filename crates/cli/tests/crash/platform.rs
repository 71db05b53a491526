//! The real binary on a folder of its own, and what it leaves there.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use model::{Step, Time};
use store::{AlertQuery, Store};

const RULES: &str = "\
title: Crash Probe With An Alert Of Its Own
id: 8d0a54c6-2f6e-4f0d-8f55-0c2b7f1f3a01
status: test
logsource: {product: aws, service: cloudtrail}
detection:
    selection: {eventName: CrashProbeOwn}
    condition: selection
level: high
watchkeep:
    owner: detection
    kind: alert
    fold: {by: [requestParameters.probe], window: 1s}
---
title: Crash Probe That Folds
id: 8d0a54c6-2f6e-4f0d-8f55-0c2b7f1f3a02
status: test
logsource: {product: aws, service: cloudtrail}
detection:
    selection: {eventName: CrashProbeFolded}
    condition: selection
level: low
watchkeep:
    owner: detection
    kind: alert
    fold: {by: [recipientAccountId], window: 24h}
";

/// The rule whose alerts stand for one record each.
const OWN: &str = "8d0a54c6-2f6e-4f0d-8f55-0c2b7f1f3a01";
/// The rule whose findings join one alert.
const FOLDED: &str = "8d0a54c6-2f6e-4f0d-8f55-0c2b7f1f3a02";

/// A platform that can be started and killed again and again on the same folder.
pub struct Platform {
    folder: PathBuf,
    address: SocketAddr,
    child: Option<Child>,
}

impl Platform {
    /// Writes rules and configuration below `folder`.
    pub fn new(folder: &Path) -> Platform {
        Platform::with(folder, RULES, "")
    }

    /// As [`Platform::new`], with other rules, and with more configuration.
    pub fn with(folder: &Path, rules_text: &str, more: &str) -> Platform {
        let address = free_address();
        let rules = folder.join("rules");
        std::fs::create_dir_all(&rules).expect("a folder for rules");
        std::fs::write(rules.join("crash_probe.yml"), rules_text).expect("a rule file");
        let config = format!(
            "data_dir = \"{data}\"\n[content]\nroots = [\"{rules}\"]\n[console]\nenabled = false\n\
             [limits]\njournal_segment_bytes = \"256KiB\"\njournal_bytes = \"64MiB\"\n\
             [[inputs]]\nname = \"http\"\nkind = \"http\"\nlisten = \"{address}\"\n\
             [[routes]]\nname = \"file\"\nkind = \"ndjson_file\"\npath = \"alerts.ndjson\"\n{more}",
            data = folder.join("data").display(),
            rules = rules.display(),
        );
        std::fs::write(folder.join("watchkeep.toml"), config).expect("a configuration");
        Platform { folder: folder.to_owned(), address, child: None }
    }

    /// Where the HTTP input listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts the binary; does not wait for it.
    pub fn start(&mut self) {
        let log = std::fs::File::options().create(true).append(true).open(self.folder.join("log")).expect("a log");
        let child = Command::new(env!("CARGO_BIN_EXE_watchkeep"))
            .args(["run", "--config"])
            .arg(self.folder.join("watchkeep.toml"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("the binary starts");
        self.child = Some(child);
    }

    /// Waits for the first accepted connection.
    pub fn wait_until_it_listens(&self) {
        let end = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect_timeout(&self.address, Duration::from_secs(1)).is_err() {
            assert!(Instant::now() < end, "nobody listens after a minute:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(3));
        }
    }

    /// `kill -9`, wherever it is. It must not have ended by itself.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("it was started");
        if let Some(status) = child.try_wait().expect("the child can be asked") {
            panic!("the platform ended by itself with {status}:\n{}", self.log());
        }
        child.kill().expect("SIGKILL is delivered");
        child.wait().expect("the child is reaped");
    }

    /// Asks it to end and waits.
    pub fn stop(&mut self) {
        let mut child = self.child.take().expect("it was started");
        let ended = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill starts");
        assert!(ended.success());
        let status = child.wait().expect("the child is reaped");
        assert!(status.success(), "it ended with {status}:\n{}", self.log());
    }

    /// Waits until everything accepted is evaluated and delivered, asking the store as another reader.
    pub fn rest(&mut self, accepted: u64) {
        let end = Instant::now() + Duration::from_secs(240);
        loop {
            let store = Store::open(&self.folder.join("data")).expect("a second reader opens the store");
            let ledger = store.ledger(Time::from_millis(0), forever()).expect("the ledger is read");
            let (received, evaluated) = (ledger.total(Step::Received), ledger.total(Step::Evaluated));
            let (queued, delivered) = (ledger.total(Step::Queued), ledger.total(Step::Delivered));
            if received >= accepted && evaluated >= received && delivered >= queued {
                return;
            }
            let state = format!("{received} received, {evaluated} evaluated, {queued} queued, {delivered} delivered");
            assert!(Instant::now() < end, "{accepted} accepted; after four minutes {state}:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    fn log(&self) -> String {
        let text = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        text[text.floor_char_boundary(text.len().saturating_sub(4000))..].to_owned()
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// After every record of these tests.
pub fn forever() -> Time {
    Time::from_millis(4_000_000_000_000)
}

/// What the folder holds once the platform has ended.
pub struct Truth {
    /// Alert ids of the rule whose alerts stand for one record each, as often as they are stored.
    pub alerts: Vec<String>,
    /// Those ids that the route's file holds.
    pub delivered: BTreeSet<String>,
    /// Findings in the alerts that fold.
    pub folded_findings: u64,
    /// Records received.
    pub received: u64,
    /// Records evaluated.
    pub evaluated: u64,
    imbalances: Vec<String>,
}

impl Truth {
    /// Reads store and route file below `folder`.
    pub fn read(folder: &Path) -> Truth {
        let store = Store::open(&folder.join("data")).expect("the store opens");
        let ledger = store.ledger(Time::from_millis(0), forever()).expect("the ledger is read");
        let alerts = alerts(&store, OWN);
        let ids: Vec<String> = alerts.iter().map(|alert| alert.alert_id.to_string()).collect();
        let folded_findings = self::alerts(&store, FOLDED).iter().map(|alert| alert.findings).sum();
        let file = std::fs::read_to_string(folder.join("data/alerts.ndjson")).expect("the route's file");
        let delivered = ids.iter().filter(|id| file.contains(id.as_str())).cloned().collect();
        Truth {
            alerts: ids,
            delivered,
            folded_findings,
            received: ledger.total(Step::Received),
            evaluated: ledger.total(Step::Evaluated),
            imbalances: ledger.imbalances().iter().map(|imbalance| format!("{imbalance:?}")).collect(),
        }
    }

    /// The ledger balances and no imbalance was raised.
    pub fn assert_balanced(&self) {
        assert!(self.imbalances.is_empty(), "{:#?}", self.imbalances);
    }
}

/// Every alert of a rule.
pub fn alerts(store: &Store, rule: &str) -> Vec<model::Alert> {
    let mut found = Vec::new();
    loop {
        let query =
            AlertQuery { rule: Some(rule.into()), offset: found.len() as u64, limit: 500, ..AlertQuery::default() };
        let page = store.alerts(&query).expect("alerts are read");
        if page.alerts.is_empty() {
            return found;
        }
        found.extend(page.alerts);
    }
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it has an address")
}
