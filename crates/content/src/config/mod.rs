//! `watchkeep.toml`: what comes in, where alerts go, where state lives, and the limits.
//!
//! Comes in: one TOML text, overrides from the environment and from flags. Goes out: a whole [`Config`], or every mistake
//! at once, each with line, column and remedy. Precedence: flag > environment (`WATCHKEEP_…`) > file > default.
//! Everything has a default, so an empty file, or none, is a working configuration.

mod files;
mod logs;
mod network;
mod poll;
mod read;
mod reader;
mod secret;
mod show;
mod unit;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use model::{Lane, Level, SourceId};

pub use files::Glob;
pub use logs::{KafkaConfig, KafkaSasl, KafkaStart};
pub use network::{NatsConfig, OtlpConfig, OtlpProtocol, S3SqsConfig, SnsConfig, SyslogConfig, SyslogProtocol};
pub use poll::PollConfig;
pub use read::{ENVIRONMENT_PREFIX, Overrides};
pub use secret::{Secret, SecretError, SecretText};
pub use unit::{parse_duration, parse_size, print_duration, print_size};

/// The whole configuration, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where state lives: store, journal, lake, generated tokens.
    pub data_dir: PathBuf,
    /// Worker threads; as many as the machine has when the file says 0.
    pub threads: usize,
    /// Which rules and sources are loaded.
    pub content: ContentConfig,
    /// The web console.
    pub console: ConsoleConfig,
    /// The inbound endpoint on which receivers acknowledge alerts.
    pub acknowledgements: AcknowledgementsConfig,
    /// The history of events.
    pub lake: LakeConfig,
    /// Detection over time.
    pub correlations: CorrelationsConfig,
    /// The health of sources.
    pub health: HealthConfig,
    /// The sources whose sensitive values are kept; none unless the site says so.
    pub keep: Vec<KeepConfig>,
    /// What comes in.
    pub inputs: Vec<InputConfig>,
    /// Where alerts go.
    pub routes: Vec<RouteConfig>,
    /// Bounds of memory and disk.
    pub limits: LimitsConfig,
    /// Where each effective value came from, by dotted path.
    pub origins: BTreeMap<String, Origin>,
}

/// Which rules and sources are loaded (`[content]`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentConfig {
    /// Load the content that is built into the binary.
    pub embedded: bool,
    /// Further folders: a lab's overlay, an imported pack, any folder of Sigma rules.
    pub roots: Vec<PathBuf>,
}

/// The web console (`[console]`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleConfig {
    /// Serve it?
    pub enabled: bool,
    /// Address and port.
    pub listen: SocketAddr,
    /// May it listen on more than this machine? Put it behind TLS first.
    pub remote: bool,
}

/// The inbound acknowledgement endpoint (`[acknowledgements]`): `POST /v1/acknowledgements`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcknowledgementsConfig {
    /// Serve it? It is served on every HTTP input's address.
    pub enabled: bool,
    /// The bearer token. `None`: made at first start and kept as `acknowledgements.token` in the data folder.
    pub token: Option<Secret>,
}

/// Detection over time (`[correlations]`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorrelationsConfig {
    /// How late events may come where a rule does not say so.
    pub late_data: Duration,
    /// Groups that one correlation keeps at most.
    pub groups: usize,
    /// Bytes that the groups of one correlation hold at most, roughly.
    pub bytes: u64,
    /// Settlements after which the state is saved.
    pub snapshot_rows: usize,
    /// Time after which the state is saved if anything is new.
    pub snapshot_every: Duration,
}

/// The health of sources (`[health]`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthConfig {
    /// Sources that this site must have: one of them that is never heard is an alert.
    pub expect: Vec<SourceId>,
    /// How often a record of our own travels the line; zero sends none.
    pub canary: Duration,
}

/// The history of events (`[lake]`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LakeConfig {
    /// Keep events as Parquet in the data folder?
    pub enabled: bool,
    /// A file is closed after so long, whatever its size.
    pub roll: Duration,
}

/// One input (`[[inputs]]`): a transport, not a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputConfig {
    /// Its name in the ledger, metrics and messages.
    pub name: String,
    /// The source of all its records; `None` recognises each record.
    pub source: Option<SourceId>,
    /// Why its records are on the line.
    pub lane: Lane,
    /// The transport.
    pub kind: InputKind,
}

/// The transport of an input (`kind = "…"`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// One file, read once; plain, `.gz` or `.zst`.
    File {
        /// The file.
        path: PathBuf,
    },
    /// Every file below a folder, read once.
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// A folder in which new files and lines appear.
    Watch {
        /// The folder.
        path: PathBuf,
        /// The files of it that are read; empty reads all.
        only: Vec<Glob>,
        /// How often it is looked at.
        every: Duration,
    },
    /// Standard input until its end.
    Stdin,
    /// HTTP push: NDJSON on `/v1/records`, and the Splunk HEC paths under `/services/collector`.
    Http {
        /// Address and port. Inputs with the same address share one server and are told apart by their tokens.
        listen: SocketAddr,
        /// The token that senders present; required when the address can be reached from other machines.
        token: Option<Secret>,
    },
    /// OTLP: logs and traces of OpenTelemetry.
    Otlp(OtlpConfig),
    /// Deliveries of Amazon SNS over HTTP(S).
    Sns(SnsConfig),
    /// Objects of S3 that a queue of SQS tells of.
    S3Sqs(S3SqsConfig),
    /// A listener for syslog.
    Syslog(SyslogConfig),
    /// A stream of NATS JetStream.
    Nats(NatsConfig),
    /// Topics of Kafka.
    Kafka(KafkaConfig),
    /// An HTTP API that is asked for what is newer.
    Poll(PollConfig),
    /// The sample telemetry that ships with Watchkeep; always on lane `sample`.
    Samples {
        /// Play it again after its end?
        repeat: bool,
        /// Pause between two records.
        every: Duration,
    },
}

/// A source whose sensitive values (prompts, answers) are kept, apart from its records (`[[keep]]`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeepConfig {
    /// The source.
    pub source: SourceId,
    /// How long after receipt.
    pub retention: Duration,
    /// Bytes at most; the oldest day goes first.
    pub bytes: u64,
}

/// One route (`[[routes]]`): which alerts go where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteConfig {
    /// Its name in the outbox and in messages.
    pub name: String,
    /// The least grave level that it takes.
    pub min_level: Level,
    /// The lanes that it takes.
    pub lanes: Vec<Lane>,
    /// The rules that it takes, by id; empty takes all.
    pub rules: Vec<String>,
    /// The receiver.
    pub kind: RouteKind,
    /// What happens when the receiver refuses or is away.
    pub retry: RetryConfig,
}

/// The receiver of a route (`kind = "…"`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteKind {
    /// One JSON object a line, appended to a file. A relative path is below the data folder.
    NdjsonFile {
        /// The file.
        path: PathBuf,
    },
    /// HTTP POST signed by Standard Webhooks.
    Webhook {
        /// Where.
        url: String,
        /// `whsec_…` signs with HMAC-SHA256, `whsk_…` with ed25519.
        secret: Secret,
        /// How long one attempt may take.
        timeout: Duration,
    },
    /// Splunk HTTP Event Collector.
    SplunkHec {
        /// The collector's base address, such as `https://splunk.example:8088`.
        url: String,
        /// The HEC token.
        token: Secret,
        /// The index; the token's default when absent.
        index: Option<String>,
        /// The source type.
        sourcetype: String,
        /// Ask for indexer acknowledgement, and count an alert as received only then.
        acknowledge: bool,
        /// How long one attempt may take.
        timeout: Duration,
    },
}

/// Retries of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryConfig {
    /// Pause after the first failure; the next are 3, 6 and 12 times as long, then the longest, all with jitter.
    pub first: Duration,
    /// The longest pause, and the steady one.
    pub longest: Duration,
    /// After so long a row is a dead letter, which a person can replay.
    pub give_up_after: Duration,
}

/// Bounds of memory and disk (`[limits]`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitsConfig {
    /// The longest record, bytes.
    pub record_bytes: usize,
    /// The deepest nesting of objects and arrays.
    pub depth: usize,
    /// The longest HTTP body after decompression, bytes.
    pub http_body_bytes: usize,
    /// Records of one batch at most.
    pub batch_records: usize,
    /// Bytes of one batch at most.
    pub batch_bytes: usize,
    /// Batches that wait between two steps at most.
    pub queue_batches: usize,
    /// Bytes of one journal segment.
    pub journal_segment_bytes: u64,
    /// Bytes of the whole journal at most; a full journal refuses, and the sender retries.
    pub journal_bytes: u64,
}

/// Where an effective value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// The configuration file, at a line.
    File {
        /// The line, from 1.
        line: usize,
    },
    /// An environment variable.
    Environment(String),
    /// A flag of the command line.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File { line } => write!(f, "file, line {line}"),
            Origin::Environment(name) => write!(f, "environment {name}"),
            Origin::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

impl InputKind {
    /// Does it end by itself? Then its silence afterwards says nothing.
    pub fn is_once(&self) -> bool {
        matches!(self, InputKind::File { .. } | InputKind::Folder { .. } | InputKind::Samples { .. })
    }

    /// The kind's word in the file.
    pub fn as_str(&self) -> &'static str {
        match self {
            InputKind::File { .. } => "file",
            InputKind::Folder { .. } => "folder",
            InputKind::Watch { .. } => "watch",
            InputKind::Stdin => "stdin",
            InputKind::Http { .. } => "http",
            InputKind::Otlp(_) => "otlp",
            InputKind::Sns(_) => "sns",
            InputKind::S3Sqs(_) => "s3_sqs",
            InputKind::Syslog(_) => "syslog",
            InputKind::Nats(_) => "nats",
            InputKind::Kafka(_) => "kafka",
            InputKind::Poll(_) => "poll",
            InputKind::Samples { .. } => "samples",
        }
    }
}

impl RouteKind {
    /// The kind's word in the file.
    pub fn as_str(&self) -> &'static str {
        match self {
            RouteKind::NdjsonFile { .. } => "ndjson_file",
            RouteKind::Webhook { .. } => "webhook",
            RouteKind::SplunkHec { .. } => "splunk_hec",
        }
    }
}

impl Config {
    /// What runs when nobody wrote a configuration: the sample telemetry and an HTTP input on this machine, alerts to a
    /// file in the data folder, the console on this machine.
    pub fn embedded_default() -> Config {
        let (config, diagnostics) = Config::parse("", &Overrides::default());
        debug_assert!(diagnostics.is_empty(), "{diagnostics:?}");
        config.expect("an empty file is a whole configuration")
    }

    /// The path of a route's file: relative paths are below the data folder.
    pub fn in_data_dir(&self, path: &std::path::Path) -> PathBuf {
        self.data_dir.join(path)
    }
}
