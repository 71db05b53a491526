//! Messages of topics of Apache Kafka, and of whatever speaks its protocol.
//!
//! In: the messages of every partition of the topics, in batches. Out: the records that each holds: JSON in any layout, lines, gzip, zstd.
//! Bound: one answer of `FETCH_BYTES` for each partition, and [`PARTITIONS_MAX`] partitions. When the journal is full: nothing more is asked
//! for. There is no consumer group: this input reads every partition itself, and remembers the position of each once what stands before it
//! is durable. After a kill it reads again from there; what comes twice is known by the identity of its records.

mod connect;
mod partition;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rskafka::client::Client;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::backoff::{Backoff, chance};
use crate::intake::{Intake, blocking};
use crate::trouble::Trouble;
use connect::{Broker, within};
use partition::{Pauses, Reading, key};

/// Partitions that one input reads at most; each holds a connection and an answer.
pub const PARTITIONS_MAX: usize = 1024;
/// How often the brokers are asked for partitions that are new.
const REFRESH: Duration = Duration::from_secs(30);
/// How often they are asked while a topic is missing.
const REFRESH_MISSING: Duration = Duration::from_secs(5);

const UNREADABLE: &str = "Brokers of Kafka cannot be read";
const MISSING: &str = "A topic of Kafka is not there";
const TOO_MANY: &str = "Topics of Kafka have too many partitions";

/// How this input shows who it is, by SASL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaslMechanism {
    /// `PLAIN`: the password itself.
    Plain,
    /// `SCRAM-SHA-256`.
    ScramSha256,
    /// `SCRAM-SHA-512`.
    ScramSha512,
}

/// A user of the brokers.
#[derive(Clone)]
pub struct Sasl {
    /// How.
    pub mechanism: SaslMechanism,
    /// Who.
    pub username: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for Sasl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sasl({:?}, {}, password …)", self.mechanism, self.username)
    }
}

/// Where a partition is read from that was never read before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// The first message that the brokers still have.
    Earliest,
    /// The first one that comes from now on.
    Latest,
}

/// What to read.
#[derive(Clone, Debug)]
pub struct KafkaOptions {
    /// Addresses of brokers, `host:port`; any of them is enough.
    pub brokers: Vec<String>,
    /// The topics.
    pub topics: Vec<String>,
    /// Where a topic is begun that was never read.
    pub start: Start,
    /// Speak TLS?
    pub tls: bool,
    /// The authority of the brokers' certificates, PEM; `None` takes the system's.
    pub ca: Option<PathBuf>,
    /// Who this input is.
    pub sasl: Option<Sasl>,
}

/// Reads the topics until `stop`. What is at hand then is made durable, or comes again.
pub async fn run(options: KafkaOptions, intake: Arc<dyn Intake>, stop: CancellationToken) {
    let trouble = Trouble::of(intake.clone());
    let mut failures = 0;
    while !stop.is_cancelled() {
        let session = Session {
            options: &options,
            intake: &intake,
            trouble: &trouble,
            stop: stop.child_token(),
            has_read: Arc::default(),
        };
        let outcome = session.run().await;
        let Err(why) = outcome else { return };
        failures = if session.has_read.load(Ordering::Relaxed) { 1 } else { failures + 1 };
        let pause = Backoff::default().pause_with(failures, None, chance());
        let brokers = options.brokers.join(", ");
        let message = format!("{brokers}: {why}; it is tried again, every two minutes at the latest");
        trouble.say(UNREADABLE, "", message).await;
        tokio::select! { () = stop.cancelled() => {} () = tokio::time::sleep(pause) => {} }
    }
}

/// As long as the brokers answer.
struct Session<'a> {
    options: &'a KafkaOptions,
    intake: &'a Arc<dyn Intake>,
    trouble: &'a Trouble,
    /// Ends every partition of this session.
    stop: CancellationToken,
    /// Did a partition answer?
    has_read: Arc<AtomicBool>,
}

/// Partitions by topic.
type Partitions = BTreeMap<String, BTreeSet<i32>>;

impl Session<'_> {
    /// Reads until told to end. Errors: why the session broke, as text; every partition has ended then.
    async fn run(&self) -> Result<(), String> {
        let mut reading = JoinSet::new();
        let outcome = tokio::select! {
            () = self.stop.cancelled() => Ok(()),
            outcome = self.watch(&mut reading) => outcome,
        };
        self.stop.cancel();
        // What they have at hand becomes durable before another session begins.
        while reading.join_next().await.is_some() {}
        outcome
    }

    /// Looks for partitions, and reads each that it finds.
    async fn watch(&self, reading: &mut JoinSet<Result<(), String>>) -> Result<(), String> {
        let client = Arc::new(connect::client(self.options).await?);
        let mut known = Partitions::new();
        loop {
            for (topic, partitions) in self.found(&client).await? {
                self.begin(&client, reading, &mut known, &topic, partitions).await?;
            }
            if known.is_empty() {
                // No partition will say it.
                self.trouble.over(UNREADABLE, "");
            }
            let is_missing = self.options.topics.iter().any(|topic| !known.contains_key(topic));
            let refresh = tokio::time::sleep(if is_missing { REFRESH_MISSING } else { REFRESH });
            tokio::pin!(refresh);
            loop {
                tokio::select! {
                    () = &mut refresh => break,
                    Some(ended) = reading.join_next() => {
                        ended.unwrap_or_else(|_| Err("reading a partition failed inside Watchkeep".to_owned()))?;
                    }
                }
            }
        }
    }

    /// The partitions that the topics have now.
    async fn found(&self, client: &Client) -> Result<Partitions, String> {
        let mut found: Partitions =
            within(client.list_topics()).await?.into_iter().map(|topic| (topic.name, topic.partitions)).collect();
        found.retain(|topic, partitions| self.options.topics.contains(topic) && !partitions.is_empty());
        for topic in &self.options.topics {
            if found.contains_key(topic) {
                self.trouble.over(MISSING, topic);
            } else {
                let message = format!("topic `{topic}` is not there, or may not be seen; it is looked for again");
                self.trouble.say(MISSING, topic, message).await;
            }
        }
        Ok(found)
    }

    /// Starts to read what of `partitions` is not read yet.
    async fn begin(
        &self,
        client: &Arc<Client>,
        reading: &mut JoinSet<Result<(), String>>,
        known: &mut Partitions,
        topic: &str,
        partitions: BTreeSet<i32>,
    ) -> Result<(), String> {
        let is_begun = known.contains_key(topic);
        let new: Vec<i32> =
            partitions.into_iter().filter(|n| !known.get(topic).is_some_and(|known| known.contains(n))).collect();
        let positions = self.recall(topic, &new).await?;
        // A partition that joins a topic which is read already is read whole: what it holds came since.
        let is_begun = is_begun || positions.iter().any(|(_, position)| position.is_some());
        let start = if is_begun { Start::Earliest } else { self.options.start };
        for (partition, position) in positions {
            if known.values().map(BTreeSet::len).sum::<usize>() >= PARTITIONS_MAX {
                let message = format!("no more than {PARTITIONS_MAX} partitions are read; take several inputs");
                self.trouble.say(TOO_MANY, "", message).await;
                return Ok(());
            }
            known.entry(topic.to_owned()).or_default().insert(partition);
            let one = Reading {
                topic: topic.to_owned(),
                partition,
                start,
                intake: self.intake.clone(),
                trouble: self.trouble.clone(),
                stop: self.stop.clone(),
                has_read: self.has_read.clone(),
                pauses: Pauses::default(),
            };
            let broker = Broker::new(client.clone(), topic, partition);
            reading.spawn(async move { one.run(broker, position).await });
        }
        Ok(())
    }

    /// Where each partition was read to.
    async fn recall(&self, topic: &str, partitions: &[i32]) -> Result<Vec<(i32, Option<i64>)>, String> {
        let (topic, partitions) = (topic.to_owned(), partitions.to_vec());
        let recall = blocking(self.intake, move |intake| {
            partitions
                .iter()
                .map(|&n| Ok((n, intake.recall(&key(&topic, n))?.and_then(|position| position.parse().ok()))))
                .collect()
        });
        recall.await.map_err(|error| error.to_string())
    }
}
