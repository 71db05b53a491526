//! The whole pipeline on one machine: opens the journal and the lake, starts the line, the inputs, the servers and the router,
//! and takes them down in order.
//!
//! Going down: servers take no more and finish what they have; inputs stop; what was accepted is handed to the line and
//! settled; the router sends what is due; all within [`Settings::drain`]. What does not make it stays in the journal, before
//! its cursor, or in the outbox, for the next start.

mod canary;
mod listen;
mod network;
mod upkeep;
mod wire;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use content::config::Config;
use engine::Engine;
use lake::LakeError;
use store::Store;
use store::journal::JournalError;
use tokio_util::sync::CancellationToken;

use crate::inputs::Stop;
use crate::line::Line;
use crate::outputs::WebhookError;
use crate::settings::{Settings, SettingsError};
use crate::signals::Signals;
use crate::{Clock, SystemClock};

pub use wire::{contracts, kept_content};

/// Why the pipeline cannot start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The configuration's secrets.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The journal cannot be opened.
    #[error("the journal cannot be opened")]
    Journal(#[from] JournalError),
    /// The journal's name cannot be read or kept.
    #[error("cannot keep the journal's name in `{}`", path.display())]
    JournalName {
        /// The journal's folder.
        path: std::path::PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The lake cannot be opened.
    #[error("the lake cannot be opened")]
    Lake(#[from] LakeError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// An address that others can reach, and an input without a token.
    #[error("input `{input}` would listen on {address}, which other machines can reach, without a token")]
    Open {
        /// The input.
        input: String,
        /// The address.
        address: SocketAddr,
    },
    /// A listener for syslog cannot be opened.
    #[error("input `{input}`")]
    Syslog {
        /// The input.
        input: String,
        /// Why.
        #[source]
        source: receive::syslog::SyslogError,
    },
    /// Two inputs of one address cannot be told apart.
    #[error("inputs `{first}` and `{second}` listen on {address} and cannot be told apart: give each its own token")]
    Ambiguous {
        /// One input.
        first: String,
        /// The other.
        second: String,
        /// The address.
        address: SocketAddr,
    },
    /// gRPC, which comes in HTTP/2, beside an input that comes in HTTP/1.
    #[error("inputs `{first}` and `{second}` listen on {address}: OTLP over gRPC needs an address of its own")]
    Mixed {
        /// One input.
        first: String,
        /// The other.
        second: String,
        /// The address.
        address: SocketAddr,
    },
    /// The HTTP client that asks SNS cannot be made.
    #[error("the http client for SNS cannot be made")]
    Fetcher {
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// A webhook route.
    #[error("route `{route}`")]
    Webhook {
        /// The route.
        route: String,
        /// Why.
        #[source]
        source: WebhookError,
    },
    /// An HTTP client cannot be made.
    #[error("route `{route}`: its http client cannot be made")]
    Client {
        /// The route.
        route: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
}

/// A pipeline that runs.
pub struct Running {
    addresses: BTreeMap<String, SocketAddr>,
    signals: Arc<Signals>,
    drain: Duration,
    line: Line,
    stop_servers: CancellationToken,
    stop_router: CancellationToken,
    stop_inputs: Stop,
    /// Ends waiting for a full journal on behalf of senders that will come again.
    stop_network: Stop,
    servers: Vec<tokio::task::JoinHandle<()>>,
    router: tokio::task::JoinHandle<()>,
    upkeep: Vec<JoinHandle<()>>,
    feeds: Vec<JoinHandle<()>>,
    /// Standard input cannot be interrupted; its thread ends with the process.
    _stdin: Option<JoinHandle<()>>,
}

/// Runs the pipeline of `config` until `shutdown` resolves.
///
/// Errors: [`RunError`] when it cannot start. Once it runs, trouble is logged and raised as alerts about ourselves.
pub async fn run(
    config: Config,
    engine: Arc<Engine>,
    store: Store,
    shutdown: impl Future<Output = ()>,
) -> Result<(), RunError> {
    let running = start(Settings::read(config)?, engine, store, Arc::new(SystemClock)).await?;
    shutdown.await;
    if !running.stop().await {
        tracing::warn!("shutdown took too long; what was not settled is kept for the next start");
    }
    Ok(())
}

/// Starts the pipeline; it runs until [`Running::stop`].
pub async fn start(
    settings: Settings,
    engine: Arc<Engine>,
    store: Store,
    clock: Arc<dyn Clock>,
) -> Result<Running, RunError> {
    wire::start(settings, engine, store, clock).await
}

impl Running {
    /// The address on which each input listens that does, by the input's name.
    pub fn addresses(&self) -> &BTreeMap<String, SocketAddr> {
        &self.addresses
    }

    /// The counters.
    pub fn signals(&self) -> &Arc<Signals> {
        &self.signals
    }

    /// Waits until everything that was handed in is settled, or `timeout` has passed. Files still being read do not count.
    pub async fn wait_idle(&self, timeout: Duration) -> bool {
        let sender = self.line.sender();
        tokio::task::spawn_blocking(move || sender.wait_idle(timeout)).await.unwrap_or(false)
    }

    /// Ends the pipeline in order; says whether everything that was accepted is settled.
    pub async fn stop(self) -> bool {
        let end = Instant::now() + self.drain;
        let left = || end.saturating_duration_since(Instant::now());
        self.stop_servers.cancel();
        self.stop_network.stop();
        // A sender that keeps its request open does not take the time in which what was accepted is settled.
        let servers_end = Instant::now() + self.drain / 3;
        for mut server in self.servers {
            let left = servers_end.saturating_duration_since(Instant::now());
            if tokio::time::timeout(left, &mut server).await.is_err() {
                server.abort();
            }
        }
        self.stop_inputs.stop();
        let feeds = tokio::task::spawn_blocking(move || self.feeds.into_iter().for_each(|feed| drop(feed.join())));
        let is_fed = tokio::time::timeout(left(), feeds).await.is_ok();
        let line = self.line;
        let remaining = left();
        let closing = tokio::task::spawn_blocking(move || line.close(remaining));
        let is_settled = closing.await.unwrap_or(false);
        self.stop_router.cancel();
        let _ = self.router.await;
        let upkeep = tokio::task::spawn_blocking(move || self.upkeep.into_iter().for_each(|one| drop(one.join())));
        let _ = upkeep.await;
        is_fed && is_settled
    }
}
