//! Connections to brokers: TLS by rustls, SASL, and no wait without an end.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rskafka::BackoffConfig;
use rskafka::client::error::{Error, ProtocolError};
use rskafka::client::partition::{OffsetAt, PartitionClient, UnknownTopicHandling};
use rskafka::client::{Client, ClientBuilder, Credentials, SaslConfig};
use tokio::sync::OnceCell;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use super::partition::{Failure, Log, Message};
use super::{KafkaOptions, Sasl, SaslMechanism};
use crate::trouble::told;

/// What one answer holds; a longer batch of messages comes alone.
const FETCH_BYTES: i32 = 1 << 20;
/// How long a request for messages stays open while there are none, milliseconds.
const WAIT_MS: i32 = 5_000;
/// The longest answer that is read. Brokers keep batches of 1 MiB unless told otherwise.
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// The client tries again by itself for so long.
const RETRY: Duration = Duration::from_secs(5);
/// A broker that is silent for so long is away: the client has no bound of its own.
const SILENCE: Duration = Duration::from_secs(40);

/// A client that knows the cluster. Errors: what is wrong, as text; no secret is in it.
pub(super) async fn client(options: &KafkaOptions) -> Result<Client, String> {
    let backoff = BackoffConfig {
        init_backoff: Duration::from_millis(100),
        max_backoff: Duration::from_secs(2),
        base: 3.0,
        deadline: Some(RETRY),
    };
    let mut builder = ClientBuilder::new(options.brokers.clone())
        .client_id("watchkeep")
        .max_message_size(ANSWER_BYTES_MAX)
        .backoff_config(backoff);
    if options.tls {
        builder = builder.tls_config(Arc::new(tls(options.ca.as_deref())?));
    }
    if let Some(sasl) = &options.sasl {
        builder = builder.sasl_config(sasl_config(sasl));
    }
    within(builder.build()).await
}

fn sasl_config(sasl: &Sasl) -> SaslConfig {
    let credentials = Credentials::new(sasl.username.clone(), sasl.password.clone());
    match sasl.mechanism {
        SaslMechanism::Plain => SaslConfig::Plain(credentials),
        SaslMechanism::ScramSha256 => SaslConfig::ScramSha256(credentials),
        SaslMechanism::ScramSha512 => SaslConfig::ScramSha512(credentials),
    }
}

fn tls(ca: Option<&Path>) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    match ca {
        None => drop(roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
        Some(path) => {
            let wrong = |error: &dyn std::fmt::Display| format!("`{}` cannot be read as PEM: {error}", path.display());
            for certificate in CertificateDer::pem_file_iter(path).map_err(|error| wrong(&error))? {
                let certificate = certificate.map_err(|error| wrong(&error))?;
                roots.add(certificate).map_err(|error| wrong(&error))?;
            }
        }
    }
    if roots.is_empty() {
        return Err("there is no authority for the brokers' certificates: name one as `ca`".to_owned());
    }
    let provider = Arc::new(crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(builder.map_err(|error| error.to_string())?.with_root_certificates(roots).with_no_client_auth())
}

/// What `work` gives, if that is not silent for too long.
pub(super) async fn within<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, String> {
    let answer = tokio::time::timeout(SILENCE, work).await;
    answer.map_err(|_| silent())?.map_err(|error| told(&error))
}

fn silent() -> String {
    format!("no answer within {} s", SILENCE.as_secs())
}

/// One partition at its leader.
pub(super) struct Broker {
    client: Arc<Client>,
    topic: String,
    partition: i32,
    at_leader: OnceCell<PartitionClient>,
}

impl Broker {
    pub fn new(client: Arc<Client>, topic: &str, partition: i32) -> Broker {
        Broker { client, topic: topic.to_owned(), partition, at_leader: OnceCell::new() }
    }

    async fn leader(&self) -> Result<&PartitionClient, Error> {
        let open = || self.client.partition_client(self.topic.clone(), self.partition, UnknownTopicHandling::Error);
        self.at_leader.get_or_try_init(open).await
    }

    async fn offset(&self, at: OffsetAt) -> Result<i64, Failure> {
        let asking = async { self.leader().await?.get_offset(at).await };
        answered(tokio::time::timeout(SILENCE, asking).await)
    }
}

impl Log for Broker {
    async fn fetch(&self, offset: i64) -> Result<Vec<Message>, Failure> {
        let asking = async { self.leader().await?.fetch_records(offset, 1..FETCH_BYTES, WAIT_MS).await };
        let (records, _) = answered(tokio::time::timeout(SILENCE, asking).await)?;
        let message = |one: rskafka::record::RecordAndOffset| Message {
            offset: one.offset,
            value: one.record.value.map(Bytes::from),
        };
        Ok(records.into_iter().map(message).collect())
    }

    async fn earliest(&self) -> Result<i64, Failure> {
        self.offset(OffsetAt::Earliest).await
    }

    async fn latest(&self) -> Result<i64, Failure> {
        self.offset(OffsetAt::Latest).await
    }
}

fn answered<T>(answer: Result<Result<T, Error>, tokio::time::error::Elapsed>) -> Result<T, Failure> {
    let answer = answer.map_err(|_| Failure::Brokers(silent()))?;
    answer.map_err(|error| match &error {
        Error::ServerError { protocol_error: ProtocolError::OffsetOutOfRange, .. } => Failure::OutOfRange,
        Error::ServerError { protocol_error, .. } => Failure::Partition(protocol_error.to_string()),
        Error::InvalidResponse(_) => Failure::Partition(told(&error)),
        Error::Request(request) if !is_connection(request) => Failure::Partition(told(&error)),
        _ => Failure::Brokers(told(&error)),
    })
}

fn is_connection(error: &rskafka::client::error::RequestError) -> bool {
    use rskafka::client::error::RequestError;
    matches!(error, RequestError::IO(_) | RequestError::Poisoned(_))
}
