//! What becomes of one message: its objects are fetched, and only then is it deleted.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use model::Reject;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::S3SqsOptions;
use super::clients::S3Clients;
use super::notice::{Notice, Object};
use super::object::{Fetched, fetch};
use crate::intake::{Intake, IntakeError, blocking};
use crate::trouble::{Trouble, told};

/// Writes that were taken in and are remembered, so that a message that comes twice is not fetched twice.
const REMEMBERED: usize = 4096;
/// A message whose object another one is being fetched for waits so long.
const BUSY_PAUSE: Duration = Duration::from_secs(30);
const PAUSE_FIRST: Duration = Duration::from_secs(30);
const PAUSE_LONGEST: Duration = Duration::from_secs(900);

const GONE: &str = "An object is gone";
const DENIED: &str = "An object may not be read";
const FAILED: &str = "An object cannot be fetched";
const UNKNOWN: &str = "A message names no object";
const GIVEN_UP: &str = "A message was given up";
const NOT_DELETED: &str = "A message cannot be deleted";

/// What is done with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    /// It is deleted: all that it names is durable, or kept with a reason.
    Delete,
    /// It comes again after so long.
    Again(Duration),
}

/// What every message is handled with.
pub(super) struct Handler {
    pub options: S3SqsOptions,
    pub queue: aws_sdk_sqs::Client,
    pub objects: S3Clients,
    pub intake: Arc<dyn Intake>,
    pub trouble: Trouble,
    pub stop: CancellationToken,
    pub writes: Writes,
}

impl Handler {
    /// Handles a message to its end. As long as that takes, the queue shows it to nobody else.
    pub async fn handle(&self, message: Message) {
        let receipt = message.receipt_handle().unwrap_or_default();
        let mut beat = interval(self.options.visibility / 3);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first tick is at once, and the message has just been received.
        beat.tick().await;
        let work = self.work(&message);
        tokio::pin!(work);
        let done = loop {
            tokio::select! {
                done = &mut work => break done,
                _ = beat.tick() => self.hide(receipt, self.options.visibility).await,
            }
        };
        match done {
            Done::Delete => self.delete(receipt).await,
            Done::Again(pause) => self.hide(receipt, pause).await,
        }
    }

    async fn work(&self, message: &Message) -> Done {
        let body = message.body().unwrap_or_default();
        let receives =
            message.attributes().and_then(|all| all.get(&MessageSystemAttributeName::ApproximateReceiveCount));
        let receives = receives.and_then(|count| count.parse().ok()).unwrap_or(1);
        let outcome = match Notice::read(body) {
            Notice::Test => {
                tracing::info!(queue = self.options.queue, "S3 may write to the queue: its test came");
                return Done::Delete;
            }
            Notice::Unknown(why) => {
                let queue = &self.options.queue;
                let message = format!("a message of {queue} is kept as a reject and deleted: {why}");
                self.trouble.say(UNKNOWN, "", message).await;
                self.keep(body).await
            }
            Notice::Objects(objects) => self.take_all(&objects, body, receives).await,
        };
        outcome.unwrap_or_else(|error| match error {
            IntakeError::Stopped => Done::Again(Duration::ZERO),
            _ => Done::Again(pause_after(receives)),
        })
    }

    /// Takes in every object of a message. One that cannot be had now does not keep the others waiting.
    async fn take_all(&self, objects: &[Object], body: &str, receives: u32) -> Result<Done, IntakeError> {
        let mut done = Done::Delete;
        let mut missing = None;
        for object in objects {
            match self.take(object).await? {
                Taken::Whole => {}
                Taken::Busy => done = Done::Again(BUSY_PAUSE),
                Taken::Later(why) => missing = Some(format!("{object}: {why}")),
            }
        }
        let Some(why) = missing else { return Ok(done) };
        if receives < self.options.receives_max {
            return Ok(Done::Again(pause_after(receives)));
        }
        let message = format!("after {receives} attempts the message is kept as a reject and deleted; {why}");
        self.trouble.say(GIVEN_UP, "", message).await;
        self.keep(body).await
    }

    async fn take(&self, object: &Object) -> Result<Taken, IntakeError> {
        if !self.options.buckets.is_empty() && !self.options.buckets.contains(&object.bucket) {
            let message = format!("{object} is in none of the input's `buckets`; what names it is kept as a reject");
            self.trouble.say(UNKNOWN, &object.bucket, message).await;
            return self.keep(&object.to_string()).await.map(|_| Taken::Whole);
        }
        let Some(_turn) = self.writes.begin(object) else { return Ok(Taken::Busy) };
        if self.writes.is_known(object) {
            return Ok(Taken::Whole);
        }
        let bucket = object.bucket.as_str();
        match fetch(&self.objects, &self.intake, object, &self.stop).await {
            Fetched::Whole(records) => {
                tracing::debug!(%object, records, "taken in");
                self.writes.remember(object);
                for title in [DENIED, FAILED] {
                    self.trouble.over(title, bucket);
                }
                Ok(Taken::Whole)
            }
            Fetched::Gone(why) => {
                self.trouble.say(GONE, bucket, format!("{object}: {why}; its name is kept as a reject")).await;
                self.keep(&object.to_string()).await.map(|_| Taken::Whole)
            }
            Fetched::Denied(why) => {
                let message = format!(
                    "{object}: {why}; it is tried again. Reading takes `s3:GetObject`, and `kms:Decrypt` where the bucket is \
                     encrypted with a key of its own; without `s3:ListBucket` an object that is gone looks the same"
                );
                self.trouble.say(DENIED, bucket, message).await;
                Ok(Taken::Later(why))
            }
            Fetched::Failed(why) => {
                self.trouble.say(FAILED, bucket, format!("{object}: {why}; it is tried again")).await;
                Ok(Taken::Later(why))
            }
            Fetched::Stopped => Err(IntakeError::Stopped),
        }
    }

    /// Keeps what could not be fetched, beside the reason.
    async fn keep(&self, text: &str) -> Result<Done, IntakeError> {
        let text = text.to_owned();
        blocking(&self.intake, move |intake| intake.keep(text.as_bytes(), Reject::Unfetched)).await?;
        Ok(Done::Delete)
    }

    /// Hides the message from everybody for `pause`. When that fails it comes again sooner, which costs a fetch and no record.
    async fn hide(&self, receipt: &str, pause: Duration) {
        let seconds = i32::try_from(pause.as_secs()).unwrap_or(i32::MAX);
        let request = self.queue.change_message_visibility().queue_url(&self.options.queue).receipt_handle(receipt);
        if let Err(error) = request.visibility_timeout(seconds).send().await {
            tracing::warn!(error = told(&error), "a message's visibility cannot be changed");
        }
    }

    async fn delete(&self, receipt: &str) {
        let queue = &self.options.queue;
        match self.queue.delete_message().queue_url(queue).receipt_handle(receipt).send().await {
            Ok(_) => self.trouble.over(NOT_DELETED, queue),
            Err(error) => {
                let why = told(&error);
                let message =
                    format!("{queue}: {why}; its records are safe, it comes again and is not evaluated twice");
                self.trouble.say(NOT_DELETED, queue, message).await;
            }
        }
    }
}

enum Taken {
    Whole,
    Busy,
    Later(String),
}

/// 30 s, a minute, two, …, a quarter of an hour.
fn pause_after(receives: u32) -> Duration {
    PAUSE_FIRST.saturating_mul(1 << receives.saturating_sub(1).min(10)).min(PAUSE_LONGEST)
}

/// Which writes are being taken in now, and which were lately.
#[derive(Default)]
pub(super) struct Writes(Mutex<WritesState>);

#[derive(Default)]
struct WritesState {
    busy: BTreeSet<Object>,
    known: BTreeSet<Object>,
    order: VecDeque<Object>,
}

impl Writes {
    /// The turn to take in a write; `None` while another message has it.
    fn begin(&self, object: &Object) -> Option<Turn<'_>> {
        self.state().busy.insert(object.clone()).then(|| Turn { writes: self, object: object.clone() })
    }

    fn is_known(&self, object: &Object) -> bool {
        self.state().known.contains(object)
    }

    fn remember(&self, object: &Object) {
        let mut state = self.state();
        if !object.is_one_write() || !state.known.insert(object.clone()) {
            return;
        }
        state.order.push_back(object.clone());
        if state.order.len() > REMEMBERED
            && let Some(oldest) = state.order.pop_front()
        {
            state.known.remove(&oldest);
        }
    }

    fn state(&self) -> MutexGuard<'_, WritesState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Turn<'w> {
    writes: &'w Writes,
    object: Object,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.writes.state().busy.remove(&self.object);
    }
}
