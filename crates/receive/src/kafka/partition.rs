//! One partition, read in order.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use engine::Format;
use tokio_util::sync::CancellationToken;

use super::{Start, UNREADABLE};
use crate::backoff::{Backoff, chance};
use crate::intake::{Intake, IntakeError, blocking};
use crate::trouble::Trouble;

const PARTITION: &str = "A partition of Kafka cannot be read";
const REFUSED: &str = "Messages of Kafka cannot be taken in";
const MISSED: &str = "Messages of Kafka are gone before they were read";

/// A message of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub offset: i64,
    /// `None`: a tombstone.
    pub value: Option<Bytes>,
}

/// Why a partition did not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The brokers have no such offset, now or any more.
    OutOfRange,
    /// The partition alone fails.
    Partition(String),
    /// The brokers do not answer.
    Brokers(String),
}

/// The brokers' side of a partition.
pub(super) trait Log: Send + Sync + 'static {
    /// The messages that stand at `offset` and after it; none when none comes for a while, or when what stands there is no message.
    fn fetch(&self, offset: i64) -> impl Future<Output = Result<Vec<Message>, Failure>> + Send;

    /// The first offset that is kept.
    fn earliest(&self) -> impl Future<Output = Result<i64, Failure>> + Send;

    /// The offset behind the last one that may be read.
    fn latest(&self) -> impl Future<Output = Result<i64, Failure>> + Send;
}

/// Under what the position of a partition is remembered.
pub(super) fn key(topic: &str, partition: i32) -> String {
    format!("kafka:{topic}:{partition}")
}

/// How long to wait before another attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pauses {
    /// After a failure of the partition.
    pub failed: Backoff,
    /// After messages were refused.
    pub refused: Duration,
}

impl Default for Pauses {
    fn default() -> Pauses {
        Pauses { failed: Backoff::default(), refused: Duration::from_secs(60) }
    }
}

/// Reads one partition.
pub(super) struct Reading {
    pub topic: String,
    pub partition: i32,
    /// Where it begins when it has no position.
    pub start: Start,
    pub intake: Arc<dyn Intake>,
    pub trouble: Trouble,
    pub stop: CancellationToken,
    /// Set when the partition answers.
    pub has_read: Arc<AtomicBool>,
    pub pauses: Pauses,
}

impl Reading {
    /// Reads from `position`, the offset of the next message, until told to end. Errors: why the brokers do not answer.
    pub async fn run(self, log: impl Log, position: Option<i64>) -> Result<(), String> {
        let (mut position, mut failures) = (position, 0);
        while !self.stop.is_cancelled() {
            let outcome = tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                outcome = self.next(&log, position) => outcome,
            };
            let (messages, next) = match outcome {
                Ok(step) => step,
                Err(Failure::Brokers(why)) => return Err(why),
                Err(failure) => {
                    let why = match failure {
                        Failure::Partition(why) => why,
                        _ => "an offset that was just told is out of range".to_owned(),
                    };
                    failures += 1;
                    self.pause(failures, &why).await;
                    continue;
                }
            };
            failures = 0;
            self.has_read.store(true, Ordering::Relaxed);
            self.trouble.over(UNREADABLE, "");
            self.trouble.over(PARTITION, &self.what());
            // Not under `select`: what is at hand becomes durable, and its position with it.
            if (position != Some(next) || !messages.is_empty()) && self.take(messages, next).await? {
                position = Some(next);
            }
        }
        Ok(())
    }

    /// The next messages, and the position behind them.
    async fn next(&self, log: &impl Log, position: Option<i64>) -> Result<(Vec<Bytes>, i64), Failure> {
        let Some(position) = position else {
            let start = match self.start {
                Start::Earliest => log.earliest().await?,
                Start::Latest => log.latest().await?,
            };
            return Ok((Vec::new(), start));
        };
        let fetched = match log.fetch(position).await {
            Err(Failure::OutOfRange) => return self.out_of_range(log, position).await,
            Ok(none) if none.is_empty() => return self.step_over(log, position).await,
            other => other?,
        };
        Ok(behind(fetched, position))
    }

    /// Where the log has data and yet no message, there stands a mark of a transaction, or what compaction left: one offset is stepped over.
    async fn step_over(&self, log: &impl Log, position: i64) -> Result<(Vec<Bytes>, i64), Failure> {
        if log.latest().await? <= position {
            return Ok((Vec::new(), position));
        }
        // A message may have come since the first answer; what was there before this one is in it.
        let fetched = log.fetch(position).await?;
        if fetched.is_empty() { Ok((Vec::new(), position + 1)) } else { Ok(behind(fetched, position)) }
    }

    /// Says what is missing, and goes on at the first offset that is there.
    async fn out_of_range(&self, log: &impl Log, position: i64) -> Result<(Vec<Bytes>, i64), Failure> {
        let (earliest, latest) = (log.earliest().await?, log.latest().await?);
        if (earliest..=latest).contains(&position) {
            // It was answered by a broker that is behind the others.
            return Err(Failure::Partition(format!("offset {position} is out of range, and yet kept")));
        }
        let what = self.what();
        let message = if earliest > position {
            format!(
                "{what}: {} messages from offset {position} on are gone from the brokers; reading goes on at {earliest}",
                earliest - position
            )
        } else {
            format!(
                "{what}: it ends at {latest}, before {position}: it was made anew, or lost messages; reading goes on at {earliest}"
            )
        };
        // Each time is one of its own.
        self.trouble.say(MISSED, &what, message).await;
        self.trouble.over(MISSED, &what);
        Ok((Vec::new(), earliest))
    }

    /// Makes the messages durable, then the position. Says whether that was done. Errors: nothing more is taken in.
    async fn take(&self, messages: Vec<Bytes>, next: i64) -> Result<bool, String> {
        let key = key(&self.topic, self.partition);
        let work = blocking(&self.intake, move |intake| {
            if !messages.is_empty() {
                intake.payloads(&messages, Format::Auto)?;
            }
            intake.remember(&key, &next.to_string())
        });
        match work.await {
            Ok(()) => {
                self.trouble.over(REFUSED, &self.what());
                Ok(true)
            }
            Err(IntakeError::Stopped) => {
                self.stop.cancelled().await;
                Ok(false)
            }
            Err(error) => {
                let message = format!("{}: {error}; they are tried again in a minute", self.what());
                self.trouble.say(REFUSED, &self.what(), message).await;
                tokio::select! { () = self.stop.cancelled() => {} () = tokio::time::sleep(self.pauses.refused) => {} }
                Ok(false)
            }
        }
    }

    async fn pause(&self, failures: u32, why: &str) {
        let message = format!("{}: {why}; it is tried again, every two minutes at the latest", self.what());
        self.trouble.say(PARTITION, &self.what(), message).await;
        let pause = self.pauses.failed.pause_with(failures, None, chance());
        tokio::select! { () = self.stop.cancelled() => {} () = tokio::time::sleep(pause) => {} }
    }

    fn what(&self) -> String {
        format!("partition {} of topic `{}`", self.partition, self.topic)
    }
}

/// What the messages hold, and the position behind them. A tombstone holds nothing.
fn behind(fetched: Vec<Message>, position: i64) -> (Vec<Bytes>, i64) {
    let next = fetched.iter().map(|message| message.offset + 1).max().unwrap_or(position);
    let values = fetched.into_iter().filter_map(|message| message.value).filter(|value| !value.is_empty()).collect();
    (values, next)
}
