//! Messages of a NATS JetStream stream, by a durable pull consumer.
//!
//! In: messages, asked for in batches. Out: the records that each holds: JSON in any layout, lines, gzip, zstd. Bound: one batch of
//! `MESSAGES` messages and `BYTES` bytes. When the journal is full: nothing more is asked for, and the server is told that those at hand are
//! still being worked on. A message is acknowledged once its records are durable; what is not comes again.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_nats::ConnectOptions;
use async_nats::jetstream::consumer::{AckPolicy, PullConsumer, pull};
use async_nats::jetstream::{self, AckKind, Message};
use bytes::Bytes;
use engine::Format;
use futures_util::StreamExt;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::backoff::{Backoff, chance};
use crate::intake::{Intake, IntakeError, blocking};
use crate::trouble::{Trouble, told};

/// Messages that are asked for at once.
const MESSAGES: usize = 500;
/// Bytes that are asked for at once; a longer message than that comes alone.
const BYTES: usize = 4 << 20;
/// How long a request for messages stays open while there are none.
const WAIT: Duration = Duration::from_secs(10);
/// After so long without a word the server gives a message out again, where this input makes the consumer.
const ACK_WAIT: Duration = Duration::from_secs(60);
const REFUSED_PAUSE: Duration = Duration::from_secs(60);

const UNREADABLE: &str = "A stream of NATS cannot be read";
const REFUSED: &str = "Messages of NATS cannot be taken in";

/// How this input shows who it is.
#[derive(Clone)]
pub enum NatsCredentials {
    /// The text of a credentials file (JWT and seed).
    File(String),
    /// A token.
    Token(String),
}

impl std::fmt::Debug for NatsCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NatsCredentials(…)")
    }
}

/// What to read.
#[derive(Clone, Debug)]
pub struct NatsOptions {
    /// Addresses of servers: `tls://host:4222`, `nats://host:4222`.
    pub servers: Vec<String>,
    /// The stream.
    pub stream: String,
    /// The durable consumer; made, with explicit acknowledgement, when it is not there.
    pub consumer: String,
    /// The subject that a consumer which is made here filters by; `None` takes all of the stream.
    pub subject: Option<String>,
    /// Who this input is.
    pub credentials: Option<NatsCredentials>,
    /// Refuse a connection without TLS?
    pub tls: bool,
    /// The authority of the servers' certificates, PEM; `None` takes the system's.
    pub ca: Option<PathBuf>,
}

/// Reads the stream until `stop`. What is at hand then is made durable and acknowledged, or comes again.
pub async fn run(options: NatsOptions, intake: Arc<dyn Intake>, stop: CancellationToken) {
    let trouble = Trouble::of(intake.clone());
    let mut failures = 0;
    while !stop.is_cancelled() {
        let mut reading =
            Reading { options: &options, intake: &intake, trouble: &trouble, stop: &stop, has_read: false };
        let outcome = reading.session().await;
        let Err(why) = outcome else { return };
        failures = if reading.has_read { 1 } else { failures + 1 };
        let pause = Backoff::default().pause_with(failures, None, chance());
        let (stream, servers) = (&options.stream, options.servers.join(", "));
        let message =
            format!("stream `{stream}` at {servers}: {why}; it is tried again, every two minutes at the latest");
        trouble.say(UNREADABLE, "", message).await;
        tokio::select! { () = stop.cancelled() => {} () = tokio::time::sleep(pause) => {} }
    }
}

struct Reading<'a> {
    options: &'a NatsOptions,
    intake: &'a Arc<dyn Intake>,
    trouble: &'a Trouble,
    stop: &'a CancellationToken,
    /// Did the server answer in this session?
    has_read: bool,
}

impl Reading<'_> {
    /// Reads until told to end. Errors: why the session broke, as text.
    async fn session(&mut self) -> Result<(), String> {
        let opened = tokio::select! {
            () = self.stop.cancelled() => return Ok(()),
            opened = self.open() => opened,
        };
        let (client, consumer) = opened?;
        let beat = consumer.cached_info().config.ack_wait / 3;
        let beat = if beat.is_zero() { ACK_WAIT / 3 } else { beat };
        loop {
            let messages = tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                messages = next(&consumer) => messages?,
            };
            self.has_read = true;
            self.trouble.over(UNREADABLE, "");
            if messages.is_empty() {
                continue;
            }
            let is_taken = self.take(&messages, beat).await;
            self.answer(&messages, is_taken).await?;
            client.flush().await.map_err(|error| told(&error))?;
        }
    }

    async fn open(&self) -> Result<(async_nats::Client, PullConsumer), String> {
        let options = self.options;
        let mut connect = ConnectOptions::new().name("watchkeep").require_tls(options.tls);
        connect = match &options.credentials {
            None => connect,
            Some(NatsCredentials::Token(token)) => connect.token(token.clone()),
            Some(NatsCredentials::File(text)) => {
                // What the file holds stays out of the message.
                connect.credentials(text).map_err(|_| "the credentials are none of NATS".to_owned())?
            }
        };
        if let Some(ca) = &options.ca {
            connect = connect.add_root_certificates(ca.clone());
        }
        let client = connect.connect(options.servers.as_slice()).await.map_err(|error| told(&error))?;
        let stream = jetstream::new(client.clone()).get_stream_no_info(&options.stream).await;
        let config = pull::Config {
            durable_name: Some(options.consumer.clone()),
            description: Some("Watchkeep".to_owned()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            filter_subject: options.subject.clone().unwrap_or_default(),
            ..pull::Config::default()
        };
        let stream = stream.map_err(|error| told(&error))?;
        let consumer = stream.get_or_create_consumer(&options.consumer, config).await.map_err(|error| told(&error))?;
        if consumer.cached_info().config.ack_policy != AckPolicy::Explicit {
            return Err(format!("consumer `{}` does not ask for explicit acknowledgement", options.consumer));
        }
        Ok((client, consumer))
    }

    /// Makes the messages durable. While that takes long, the server hears that somebody is at it.
    async fn take(&self, messages: &[Message], pause: Duration) -> Result<u64, IntakeError> {
        let payloads: Vec<Bytes> = messages.iter().map(|message| message.payload.clone()).collect();
        let work = blocking(self.intake, move |intake| intake.payloads(&payloads, Format::Auto));
        tokio::pin!(work);
        let mut beat = interval(pause);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        beat.tick().await;
        loop {
            tokio::select! {
                taken = &mut work => return taken,
                _ = beat.tick() => {
                    for message in messages {
                        // When it does not get through the message comes twice, which costs nothing but time.
                        let _ = message.ack_with(AckKind::Progress).await;
                    }
                }
            }
        }
    }

    async fn answer(&self, messages: &[Message], taken: Result<u64, IntakeError>) -> Result<(), String> {
        let kind = match &taken {
            Ok(_) => AckKind::Ack,
            Err(IntakeError::Stopped) => AckKind::Nak(None),
            Err(error) => {
                let message = format!("stream `{}`: {error}; they are tried again in a minute", self.options.stream);
                self.trouble.say(REFUSED, "", message).await;
                AckKind::Nak(Some(REFUSED_PAUSE))
            }
        };
        if taken.is_ok() {
            self.trouble.over(REFUSED, "");
        }
        for message in messages {
            message.ack_with(kind).await.map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

/// The messages that are there; when there are none, the next one, or none after a while.
async fn next(consumer: &PullConsumer) -> Result<Vec<Message>, String> {
    let there =
        consumer.fetch().max_messages(MESSAGES).max_bytes(BYTES).messages().await.map_err(|error| told(&error))?;
    let messages = gather(there).await?;
    if !messages.is_empty() {
        return Ok(messages);
    }
    let one = consumer.batch().max_messages(1).expires(WAIT).messages().await.map_err(|error| told(&error))?;
    gather(one).await
}

async fn gather(mut batch: pull::Batch) -> Result<Vec<Message>, String> {
    let mut messages = Vec::new();
    while let Some(message) = batch.next().await {
        match message {
            Ok(message) => messages.push(message),
            // Those that came before it are taken in; the trouble comes back with the next request if it lasts.
            Err(error) if messages.is_empty() => return Err(error.to_string()),
            Err(_) => break,
        }
    }
    Ok(messages)
}
