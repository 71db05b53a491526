//! HTTP push: records in, a durable receipt out.
//!
//! In: requests with NDJSON, JSON arrays, `{"Records": […]}` or Splunk HEC envelopes, plain or packed. Out: one journal entry for each, and
//! only then a 200. Bound: [`HttpOptions`]: bytes of one body, requests at once, bytes of all bodies at once,
//! connections at once. When full: 413 for
//! a body that is too long, 503 with `Retry-After` for everything that passes (too many requests, journal full, disk full);
//! nothing of a refused request is kept, and its sender knows. What the records are worth is decided on the line: a
//! record that cannot be read is accepted, kept, and counted as a reject.
//!
//! | method and path | does |
//! |---|---|
//! | `POST /v1/records` | takes records |
//! | `POST /services/collector[/event[/1.0]]`, `/raw[/1.0]`, `/ack` | Splunk HTTP Event Collector |
//! | `GET /services/collector/health[/1.0]` | can it take records? |
//! | `POST /v1/acknowledgements`, `GET /v1/alerts/{id}` | receivers tell what became of an alert |
//! | `POST /v1/logs`, `/v1/traces` | OTLP over HTTP, for inputs of that kind |
//! | `POST /opentelemetry.proto.collector.….Service/Export` | OTLP over gRPC, for inputs of that kind |
//! | `POST /v1/sns` | deliveries of Amazon SNS, for inputs of that kind |
//! | `GET /healthz` | is the process alive? |

mod acknowledgements;
mod answer;
mod body;
mod channels;
mod gate;
mod grpc;
pub mod hec;
mod intake;
mod otlp;
mod records;
mod serve;
mod sns;
mod token;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use engine::Engine;
use model::{Lane, SourceId};
use store::Store;
use store::journal::Journal;

use crate::Clock;
use crate::signals::Signals;

pub use acknowledgements::Acknowledgement;
pub use intake::count_records;
pub use serve::{Protocol, serve};
pub use sns::{Fetch, Fetcher};
pub use token::{Token, presented};

use channels::Channels;
use gate::Gate;
use intake::Counters;

/// One input that is told apart by its token.
#[derive(Clone, Debug)]
pub struct HttpInput {
    /// The input's name.
    pub name: Arc<str>,
    /// The source of all its records; `None` recognises each.
    pub source: Option<SourceId>,
    /// Why its records are on the line.
    pub lane: Lane,
    /// The token that senders present; `None` takes requests without one.
    pub token: Option<Token>,
    /// Which paths are its own.
    pub serves: Serves,
    /// The topics of SNS that it takes, by their ARNs; none for other inputs.
    pub topics: Vec<String>,
}

/// The paths of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serves {
    /// Records as they are, and Splunk HEC.
    Records,
    /// Deliveries of SNS.
    Sns,
    /// OTLP over HTTP.
    Otlp,
    /// OTLP over gRPC, which comes in HTTP/2 and so has an address of its own.
    OtlpGrpc,
}

/// Bounds of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpOptions {
    /// Bytes of one body, packed and unpacked.
    pub body_bytes_max: usize,
    /// Requests that are being taken in at once.
    pub requests_max: usize,
    /// Bytes of all bodies that are being taken in at once.
    pub bytes_max: usize,
    /// How long a sender may take to send a body.
    pub body_timeout: Duration,
    /// How long a connection may take to send the head of a request, and so how long it may be idle.
    pub header_timeout: Duration,
    /// Connections at once; more wait to be accepted.
    pub connections_max: usize,
    /// The journal is full at so many bytes; the health page says so.
    pub journal_bytes_max: u64,
    /// How requests come.
    pub protocol: Protocol,
}

impl Default for HttpOptions {
    fn default() -> HttpOptions {
        HttpOptions {
            body_bytes_max: 64 << 20,
            requests_max: 256,
            bytes_max: 128 << 20,
            body_timeout: Duration::from_secs(60),
            header_timeout: Duration::from_secs(30),
            connections_max: 1024,
            journal_bytes_max: 4 << 30,
            protocol: Protocol::Http1,
        }
    }
}

/// What a server needs.
#[derive(Clone)]
pub struct HttpParts {
    /// The inputs of this address.
    pub inputs: Vec<HttpInput>,
    /// Where accepted batches go.
    pub journal: Journal,
    /// Counts records.
    pub engine: Arc<Engine>,
    /// The truth, for acknowledgements.
    pub store: Store,
    /// Who may acknowledge: a name and its token for each. Empty serves no acknowledgements.
    pub acknowledgers: Vec<(String, Token)>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Counters.
    pub signals: Arc<Signals>,
    /// Told when an acknowledgement queued something.
    pub queued: Arc<dyn Fn() + Send + Sync>,
    /// Asks SNS for certificates and confirmations.
    pub fetch: Arc<dyn Fetch>,
}

/// Everything that handlers share.
pub(crate) struct State {
    pub parts: HttpParts,
    pub options: HttpOptions,
    pub gate: Gate,
    pub counters: Counters,
    pub channels: Channels,
    pub certificates: sns::Certificates,
}

type Shared = axum::extract::State<Arc<State>>;

/// The server's paths.
pub fn router(parts: HttpParts, options: HttpOptions) -> Router {
    let gate = Gate::new(options.requests_max, options.bytes_max);
    let serves_acknowledgements = !parts.acknowledgers.is_empty();
    let serves: Vec<Serves> = parts.inputs.iter().map(|input| input.serves).collect();
    let (counters, channels, certificates) = Default::default();
    let state = Arc::new(State { parts, options, gate, counters, channels, certificates });
    let mut router = Router::new().route("/healthz", get(|| async { "ok\n" }));
    if serves.contains(&Serves::OtlpGrpc) {
        // Every answer of gRPC has a status of its own: acknowledgements are served elsewhere.
        return router.merge(grpc::router()).with_state(state);
    }
    if serves.contains(&Serves::Records) {
        router = router.merge(for_records());
    }
    if serves.contains(&Serves::Sns) {
        router = router.route("/v1/sns", post(sns::take));
    }
    if serves.contains(&Serves::Otlp) {
        router = router.route("/v1/logs", post(otlp::logs)).route("/v1/traces", post(otlp::traces));
    }
    if serves_acknowledgements {
        router = router
            .route("/v1/acknowledgements", post(acknowledgements::act))
            .route("/v1/alerts/{id}", get(acknowledgements::alert));
    }
    router.with_state(state)
}

fn for_records() -> Router<Arc<State>> {
    let mut router = Router::new().route("/v1/records", post(records::take));
    for path in ["", "/event", "/event/1.0"] {
        router = router.route(&format!("/services/collector{path}"), post(hec::event));
    }
    for path in ["/raw", "/raw/1.0"] {
        router = router.route(&format!("/services/collector{path}"), post(hec::raw));
    }
    router = router.route("/services/collector/ack", post(hec::ack));
    for path in ["/health", "/health/1.0"] {
        router = router.route(&format!("/services/collector{path}"), get(hec::health));
    }
    router
}

#[cfg(test)]
mod tests;
