//! Wiring of the inputs that `receive` holds: from their configuration to tasks that run until told to end.

use std::collections::BTreeMap;
use std::sync::Arc;

use content::config::{
    InputConfig, InputKind, KafkaConfig, KafkaStart, NatsConfig, PollConfig, S3SqsConfig, SyslogConfig, SyslogProtocol,
};
use model::SourceId;
use receive::Intake;
use receive::kafka::{KafkaOptions, Sasl, SaslMechanism, Start};
use receive::nats::{NatsCredentials, NatsOptions};
use receive::poll::PollOptions;
use receive::s3::S3SqsOptions;
use receive::syslog::{Syslog, SyslogOptions, TlsOptions, Transport};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::RunError;
use super::wire::Wiring;
use crate::inputs::Feed;
use crate::inputs::network::JournalIntake;
use crate::line::LineSender;
use crate::settings::Settings;

/// Listeners for syslog, by their inputs' names.
pub(super) type Syslogs = BTreeMap<String, Syslog>;

/// Opens every address that syslog comes to.
pub(super) async fn open(settings: &Settings) -> Result<Syslogs, RunError> {
    let mut syslogs = BTreeMap::new();
    for input in &settings.config.inputs {
        if let InputKind::Syslog(config) = &input.kind {
            let opened = Syslog::open(syslog(settings, &input.name, config)).await;
            let opened = opened.map_err(|source| RunError::Syslog { input: input.name.clone(), source })?;
            syslogs.insert(input.name.clone(), opened);
        }
    }
    Ok(syslogs)
}

/// Starts every network input but the HTTP servers.
pub(super) fn start(
    wiring: &Wiring,
    line: &LineSender,
    mut syslogs: Syslogs,
    stop: &CancellationToken,
) -> Vec<JoinHandle<()>> {
    let mut tasks = Vec::new();
    for input in &wiring.settings.config.inputs {
        let (intake, stop) = (|| intake(wiring, line, input), stop.clone());
        if let InputKind::S3Sqs(config) = &input.kind {
            tasks.push(tokio::spawn(receive::s3::run(s3_sqs(config), intake(), stop)));
        } else if let InputKind::Nats(config) = &input.kind {
            let options = nats(&wiring.settings, &input.name, config);
            tasks.push(tokio::spawn(receive::nats::run(options, intake(), stop)));
        } else if let InputKind::Kafka(config) = &input.kind {
            let options = kafka(&wiring.settings, &input.name, config);
            tasks.push(tokio::spawn(receive::kafka::run(options, intake(), stop)));
        } else if let InputKind::Poll(config) = &input.kind {
            match poll(&wiring.settings, &input.name, config) {
                Some(options) => tasks.push(tokio::spawn(receive::poll::run(options, intake(), stop))),
                None => tracing::error!(input = input.name, feed = config.feed, "no such feed is loaded"),
            }
        } else if let Some(syslog) = syslogs.remove(&input.name) {
            tasks.push(tokio::spawn(syslog.run(intake(), stop)));
        }
    }
    tasks
}

/// What the input's feed says of records counts where the configuration says nothing.
fn source_of(wiring: &Wiring, input: &InputConfig) -> Option<SourceId> {
    let InputKind::Poll(config) = &input.kind else { return input.source.clone() };
    input.source.clone().or_else(|| Some(wiring.settings.feeds.get(&config.feed)?.source.clone()))
}

/// The journal behind an input. It waits for room only until the input itself is told to end.
fn intake(wiring: &Wiring, line: &LineSender, input: &InputConfig) -> Arc<dyn Intake> {
    let feed = wiring.feed(line, &input.name, Some(input));
    let feed = Feed { stop: wiring.stop_network.clone(), source: source_of(wiring, input), ..feed };
    Arc::new(JournalIntake::new(feed, wiring.engine.clone(), wiring.journal.clone(), wiring.signals.clone()))
}

fn syslog(settings: &Settings, name: &str, config: &SyslogConfig) -> SyslogOptions {
    let transport = match &config.protocol {
        SyslogProtocol::Udp => Transport::Udp,
        SyslogProtocol::Tcp => Transport::Tcp,
        SyslogProtocol::Tls { certificate, client_ca, .. } => Transport::Tls(TlsOptions {
            certificate: certificate.clone(),
            key: settings.secrets.get(&format!("inputs.{name}")).cloned().unwrap_or_default(),
            client_ca: client_ca.clone(),
        }),
    };
    SyslogOptions {
        transport,
        listen: config.listen,
        networks: config.networks.clone(),
        connections: config.connections,
        message_bytes: config.message_bytes.min(settings.config.limits.record_bytes),
    }
}

fn nats(settings: &Settings, name: &str, config: &NatsConfig) -> NatsOptions {
    let as_file = config.credentials.is_some();
    let secret = settings.secrets.get(&format!("inputs.{name}")).cloned();
    let credentials = secret.map(if as_file { NatsCredentials::File } else { NatsCredentials::Token });
    NatsOptions {
        servers: config.servers.clone(),
        stream: config.stream.clone(),
        consumer: config.consumer.clone(),
        subject: config.subject.clone(),
        credentials,
        tls: config.tls,
        ca: config.ca.clone(),
    }
}

fn kafka(settings: &Settings, name: &str, config: &KafkaConfig) -> KafkaOptions {
    let sasl = config.sasl.as_ref().map(|sasl| Sasl {
        mechanism: match sasl.mechanism {
            "plain" => SaslMechanism::Plain,
            "scram-sha-256" => SaslMechanism::ScramSha256,
            _ => SaslMechanism::ScramSha512,
        },
        username: sasl.username.clone(),
        password: settings.secrets.get(&format!("inputs.{name}")).cloned().unwrap_or_default(),
    });
    KafkaOptions {
        brokers: config.brokers.clone(),
        topics: config.topics.clone(),
        start: match config.start {
            KafkaStart::Earliest => Start::Earliest,
            KafkaStart::Latest => Start::Latest,
        },
        tls: config.tls,
        ca: config.ca.clone(),
        sasl,
    }
}

fn poll(settings: &Settings, name: &str, config: &PollConfig) -> Option<PollOptions> {
    Some(PollOptions {
        feed: settings.feeds.get(&config.feed)?.clone(),
        parameters: config.parameters.clone(),
        endpoint: config.endpoint.clone(),
        secret: settings.secrets.get(&format!("inputs.{name}")).cloned().unwrap_or_default(),
        start: config.start,
        every: config.every,
        body_bytes_max: settings.config.limits.http_body_bytes,
    })
}

fn s3_sqs(config: &S3SqsConfig) -> S3SqsOptions {
    S3SqsOptions {
        queue: config.queue.clone(),
        region: config.region.clone(),
        endpoint: config.endpoint.clone(),
        buckets: config.buckets.clone(),
        objects: config.objects,
        visibility: config.visibility,
        receives_max: config.max_receives,
    }
}
