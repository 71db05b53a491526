//! Wiring: every part of the pipeline from its settings.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use content::config::{Config, InputConfig, InputKind, LimitsConfig, RouteConfig, RouteKind};
use engine::correlate::Options;
use engine::{Engine, Source};
use lake::{Lake, LakeOptions};
use store::journal::{Journal, JournalOptions};
use store::{CANARY_SOURCE, Contracts, KeepRule, KeptContent, RouteRule, Store};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{RunError, Running, canary, listen, network, upkeep};
use crate::Clock;
use crate::backoff::Backoff;
use crate::http::{self, HttpInput, HttpOptions, HttpParts, Protocol, Serves, Token};
use crate::inputs::folder::Folder;
use crate::inputs::{BatchLimits, Feed, Stop, journal, samples, stdin};
use crate::line::{CorrelateOptions, CorrelateParts, EngineCorrelations, Line, LineOptions, LineParts, LineSender};
use crate::outputs::{NdjsonFile, Output, SplunkHec, SplunkHecOptions, Webhook};
use crate::panics::contain;
use crate::router::{Route, Router};
use crate::settings::Settings;
use crate::signals::Signals;

/// What every part is made from.
pub(super) struct Wiring {
    pub settings: Settings,
    pub engine: Arc<Engine>,
    store: Store,
    clock: Arc<dyn Clock>,
    pub journal: Journal,
    journal_key: Arc<str>,
    pub signals: Arc<Signals>,
    queued: Arc<dyn Fn() + Send + Sync>,
    fetch: Arc<dyn http::Fetch>,
    /// One for who writes and who deletes: what is deleted must not be written to.
    kept: KeptContent,
    stop: Stop,
    pub stop_network: Stop,
}

pub(super) async fn start(
    settings: Settings,
    engine: Arc<Engine>,
    store: Store,
    clock: Arc<dyn Clock>,
) -> Result<Running, RunError> {
    let listeners = listen::listen(&settings).await?;
    let syslogs = network::open(&settings).await?;
    let routes = settings.config.routes.iter().map(|route| route_of(&settings, route));
    let routes = routes.collect::<Result<Vec<Route>, RunError>>()?;
    let rules: Arc<[RouteRule]> = settings.config.routes.iter().map(rule_of).collect();
    store.set_routes(&rules);
    let context = engine.context();
    if let Err(error) = store.forget_known_proposals(|kind, name| context.knows_thing(kind, name)) {
        tracing::warn!(error = crate::line::chain(&error), "what the inventory has come to know is still proposed");
    }
    let (journal, journal_key, lake) = open(&settings)?;
    let signals = Arc::new(Signals::default());
    let router = Router::new(store.clone(), routes, clock.clone(), signals.clone());
    let waking = router.clone();
    let queued: Arc<dyn Fn() + Send + Sync> = Arc::new(move || waking.wake());
    let (stop, stop_network) = Default::default();
    let fetch = Arc::new(http::Fetcher::new().map_err(|source| RunError::Fetcher { source })?);
    let kept = kept_content(&settings.config);
    let wiring = Wiring {
        settings,
        engine,
        store,
        clock,
        journal,
        journal_key,
        signals,
        queued,
        fetch,
        kept,
        stop,
        stop_network,
    };
    let line = wiring.line(lake.clone(), rules);
    let upkeep = wiring.upkeep(&line.sender(), lake);
    let (feeds, stdin) = wiring.feeds(&line.sender());
    let (stop_servers, stop_router) = (CancellationToken::new(), CancellationToken::new());
    let mut addresses = listen::addresses(&wiring.settings, &listeners);
    addresses.extend(syslogs.iter().map(|(name, syslog)| (name.clone(), syslog.address())));
    let mut servers = wiring.servers(listeners, &stop_servers);
    servers.extend(network::start(&wiring, &line.sender(), syslogs, &stop_servers));
    let (ending, drain) = (stop_router.clone(), wiring.settings.drain);
    let routing = tokio::spawn(async move { router.run(ending.cancelled_owned(), Duration::from_secs(5)).await });
    Ok(Running {
        addresses,
        signals: wiring.signals,
        drain,
        line,
        stop_servers,
        stop_router,
        stop_inputs: wiring.stop,
        stop_network: wiring.stop_network,
        servers,
        router: routing,
        upkeep,
        feeds,
        _stdin: stdin,
    })
}

fn open(settings: &Settings) -> Result<(Journal, Arc<str>, Option<Lake>), RunError> {
    let config = &settings.config;
    let options = JournalOptions {
        segment_bytes: config.limits.journal_segment_bytes,
        total_bytes_max: config.limits.journal_bytes,
    };
    let folder = config.data_dir.join("journal");
    let journal = Journal::open(&folder, options)?;
    let key = journal::key_of(&folder, &journal).map_err(|source| RunError::JournalName { path: folder, source })?;
    let roll_ms = i64::try_from(config.lake.roll.as_millis()).unwrap_or(i64::MAX);
    let options = LakeOptions { roll_ms, ..LakeOptions::default() };
    let lake = config.lake.enabled.then(|| Lake::open(&config.data_dir.join("lake"), options)).transpose()?;
    Ok((journal, key.into(), lake))
}

/// What is asked of the sources of a site: by what they declare, and by its configuration.
pub fn contracts(sources: &[Source], config: &Config) -> Contracts {
    let once = config.inputs.iter().filter(|input| input.kind.is_once()).map(|input| input.name.clone());
    Contracts {
        declared: sources.iter().map(|source| (source.id.clone(), source.into())).collect(),
        expected: config.health.expect.iter().cloned().collect(),
        once: once.collect(),
    }
}

fn rule_of(route: &RouteConfig) -> RouteRule {
    RouteRule {
        name: route.name.clone(),
        min_level: route.min_level,
        lanes: route.lanes.clone(),
        rules: route.rules.clone(),
    }
}

fn route_of(settings: &Settings, route: &RouteConfig) -> Result<Route, RunError> {
    let secret = || settings.secrets.get(&format!("routes.{}", route.name)).cloned().unwrap_or_default();
    let output: Arc<dyn Output> = match &route.kind {
        RouteKind::NdjsonFile { path } => Arc::new(NdjsonFile::new(&settings.config.in_data_dir(Path::new(path)))),
        RouteKind::Webhook { url, timeout, .. } => {
            let failed = |source| RunError::Webhook { route: route.name.clone(), source };
            Arc::new(Webhook::new(url, &secret(), *timeout).map_err(failed)?)
        }
        RouteKind::SplunkHec { url, index, sourcetype, acknowledge, timeout, .. } => {
            let failed = |source| RunError::Client { route: route.name.clone(), source };
            let options = SplunkHecOptions {
                url: url.clone(),
                token: secret(),
                index: index.clone(),
                sourcetype: sourcetype.clone(),
                acknowledge: *acknowledge,
                timeout: *timeout,
                ack_timeout: Duration::from_secs(120),
                ack_every: Duration::from_secs(2),
            };
            Arc::new(SplunkHec::new(options).map_err(failed)?)
        }
    };
    let backoff = Backoff { first: route.retry.first, longest: route.retry.longest };
    Ok(Route { name: route.name.clone(), output, backoff, dead_after: route.retry.give_up_after })
}

fn batch_of(limits: &LimitsConfig) -> BatchLimits {
    BatchLimits { records: limits.batch_records, bytes: limits.batch_bytes }
}

/// A thread that reads an input. When it panics the input ends, and everybody is told.
fn reading(feed: Feed, read: impl FnOnce(&Feed) + Send + 'static) -> JoinHandle<()> {
    spawn(move || {
        if let Err(place) = contain(|| read(&feed)) {
            feed.trouble("An input failed", &format!("input `{}` panicked at {place} and reads no more", feed.name));
        }
    })
}

/// What the site keeps of what was said.
pub fn kept_content(config: &Config) -> KeptContent {
    let rules = config.keep.iter().map(|keep| KeepRule {
        source: keep.source.clone(),
        retention_ms: i64::try_from(keep.retention.as_millis()).unwrap_or(i64::MAX),
        bytes_max: keep.bytes,
    });
    KeptContent::open(&config.data_dir.join("content"), rules)
}

impl Wiring {
    fn line(&self, lake: Option<Lake>, routes: Arc<[RouteRule]>) -> Line {
        let parts = LineParts {
            detect: self.engine.clone(),
            correlate: self.correlate(),
            store: self.store.clone(),
            lake,
            kept: Some(self.kept.clone()).filter(|kept| kept.sources().next().is_some()),
            journal: Some(self.journal.clone()),
            journal_key: self.journal_key.clone(),
            routes,
            clock: self.clock.clone(),
            signals: self.signals.clone(),
            queued: self.queued.clone(),
        };
        let config = &self.settings.config;
        let options = LineOptions {
            threads: config.threads,
            queue_batches: config.limits.queue_batches,
            correlate: CorrelateOptions {
                snapshot_rows: config.correlations.snapshot_rows as u64,
                snapshot_every: config.correlations.snapshot_every,
                ..CorrelateOptions::default()
            },
            ..LineOptions::default()
        };
        Line::start(parts, options)
    }

    /// The engine's correlations, if it has any.
    fn correlate(&self) -> Option<CorrelateParts> {
        let config = &self.settings.config;
        let own = &config.correlations;
        let mut seed = [0; 8];
        // Without a seed the keys of the table could be chosen by whoever writes records; results are the same.
        if let Err(error) = getrandom::fill(&mut seed) {
            tracing::warn!(%error, "the system gives no random numbers");
        }
        let options = Options {
            lateness_ms: i64::try_from(own.late_data.as_millis()).unwrap_or(i64::MAX),
            groups_max: own.groups as u64,
            bytes_max: own.bytes,
            seed: u64::from_le_bytes(seed),
            ..Options::default()
        };
        let with = EngineCorrelations::of(&self.engine, options)?;
        Some(CorrelateParts { with: Arc::new(with), folder: config.data_dir.join("correlations") })
    }

    fn upkeep(&self, line: &LineSender, lake: Option<Lake>) -> Vec<JoinHandle<()>> {
        let (store, clock, stop, queued) =
            (self.store.clone(), self.clock.clone(), self.stop.clone(), self.queued.clone());
        let mut threads = vec![spawn(move || upkeep::watch_balance(&store, &clock, &stop, &*queued))];
        let (store, clock, stop, queued) =
            (self.store.clone(), self.clock.clone(), self.stop.clone(), self.queued.clone());
        let asked = contracts(self.engine.sources(), &self.settings.config);
        threads.push(spawn(move || upkeep::watch_sources(&store, &asked, &clock, &stop, &*queued)));
        let (feed, journal, key) = (self.feed(line, "journal", None), self.journal.clone(), self.journal_key.clone());
        threads.push(spawn(move || upkeep::mend_journal(&feed, &journal, &key)));
        threads.extend(self.canary(line));
        let (feed, kept) = (self.feed(line, "content", None), self.kept.clone());
        threads.push(spawn(move || upkeep::expire_content(&feed, &kept)));
        if let Some(lake) = lake {
            let feed = self.feed(line, "lake", None);
            threads.push(spawn(move || upkeep::move_lake(&feed, &lake)));
        }
        threads
    }

    /// Sends canaries, if they are wanted and there is a source that knows them.
    fn canary(&self, line: &LineSender) -> Option<JoinHandle<()>> {
        let every = self.settings.config.health.canary;
        let is_known = self.engine.sources().iter().any(|source| source.id.as_str() == CANARY_SOURCE);
        if every.is_zero() || !is_known {
            return None;
        }
        let (feed, journal, queued) = (self.feed(line, canary::INPUT, None), self.journal.clone(), self.queued.clone());
        Some(spawn(move || canary::fly(&feed, &journal, every, &*queued)))
    }

    fn feeds(&self, line: &LineSender) -> (Vec<JoinHandle<()>>, Option<JoinHandle<()>>) {
        let (feed, journal, key) = (self.feed(line, "journal", None), self.journal.clone(), self.journal_key.clone());
        let mut feeds = vec![reading(feed, move |feed| journal::follow(feed, &journal, &key))];
        let mut pipe = None;
        for input in &self.settings.config.inputs {
            let feed = self.feed(line, &input.name, Some(input));
            match &input.kind {
                InputKind::Http { .. } | InputKind::Otlp(_) | InputKind::Sns(_) => {}
                InputKind::S3Sqs(_) | InputKind::Syslog(_) | InputKind::Nats(_) | InputKind::Kafka(_) => {}
                InputKind::Poll(_) => {}
                InputKind::Stdin => {
                    let (engine, journal) = (self.engine.clone(), self.journal.clone());
                    pipe = Some(reading(feed, move |feed| stdin::read(feed, &engine, &journal, std::io::stdin())));
                }
                InputKind::File { path } | InputKind::Folder { path } => {
                    let folder = Folder::new(feed.clone(), path);
                    feeds.push(reading(feed, move |_| folder.read_once()));
                }
                InputKind::Watch { path, only, every } => {
                    let (folder, every) = (Folder::new(feed.clone(), path).only(only.clone()), *every);
                    feeds.push(reading(feed, move |_| folder.watch(every)));
                }
                InputKind::Samples { repeat, every } => {
                    let (records, every, repeat) = (self.settings.samples.clone(), *every, *repeat);
                    feeds.push(reading(feed, move |feed| samples::play(feed, &records, every, repeat)));
                }
            }
        }
        (feeds, pipe)
    }

    pub fn feed(&self, line: &LineSender, name: &str, input: Option<&InputConfig>) -> Feed {
        Feed {
            name: name.into(),
            source: input.and_then(|input| input.source.clone()),
            lane: input.map(|input| input.lane).unwrap_or_default(),
            line: line.clone(),
            store: self.store.clone(),
            clock: self.clock.clone(),
            limits: self.engine.limits(),
            heads: self.engine.heads(),
            batch: batch_of(&self.settings.config.limits),
            stop: self.stop.clone(),
        }
    }

    fn servers(
        &self,
        listeners: BTreeMap<SocketAddr, TcpListener>,
        stop: &CancellationToken,
    ) -> Vec<tokio::task::JoinHandle<()>> {
        let inputs = listen::by_address(&self.settings);
        let mut servers = Vec::new();
        for (address, listener) in listeners {
            let inputs: Vec<_> = inputs[&address].iter().filter_map(|input| self.http_input(input)).collect();
            let is_grpc = inputs.iter().any(|input| input.serves == Serves::OtlpGrpc);
            let protocol = if is_grpc { Protocol::Http2 } else { Protocol::Http1 };
            let options = HttpOptions { protocol, ..self.http_options() };
            let router = http::router(self.http_parts(inputs), options);
            let stop = stop.clone().cancelled_owned();
            servers.push(tokio::spawn(http::serve(listener, router, options, stop)));
        }
        servers
    }

    fn http_input(&self, input: &InputConfig) -> Option<HttpInput> {
        let (_, _, serves) = listen::served(&input.kind)?;
        let token = self.settings.secrets.get(&format!("inputs.{}", input.name));
        Some(HttpInput {
            name: input.name.as_str().into(),
            source: input.source.clone(),
            lane: input.lane,
            token: token.map(Token::new),
            serves,
            topics: if let InputKind::Sns(config) = &input.kind { config.topics.clone() } else { Vec::new() },
        })
    }

    fn http_parts(&self, inputs: Vec<HttpInput>) -> HttpParts {
        let known = &self.settings.acknowledgers;
        HttpParts {
            inputs,
            journal: self.journal.clone(),
            engine: self.engine.clone(),
            store: self.store.clone(),
            acknowledgers: known.iter().map(|(name, token)| (name.clone(), Token::new(token))).collect(),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
            queued: self.queued.clone(),
            fetch: self.fetch.clone(),
        }
    }

    fn http_options(&self) -> HttpOptions {
        let limits = &self.settings.config.limits;
        HttpOptions {
            body_bytes_max: limits.http_body_bytes,
            journal_bytes_max: limits.journal_bytes,
            ..HttpOptions::default()
        }
    }
}
