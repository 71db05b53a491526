//! Objects of S3 that a queue of SQS tells of.
//!
//! In: messages of a queue. Out: the records of the objects that they name. Bound: [`S3SqsOptions::objects`] objects at once, each a few
//! pieces ahead of the journal. When the journal is full: no further message is received, and those at hand stay hidden in the queue.
//! A message is deleted when everything that it names is durable, and kept as a reject when it can never be. What comes twice is known
//! by the identity of its records, and the store drops it.

mod clients;
mod message;
mod notice;
mod object;

use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use notice::{Notice, Object};

use crate::backoff::{Backoff, chance};
use crate::intake::Intake;
use crate::trouble::{Trouble, told};
use clients::S3Clients;
use message::Handler;

/// The most that SQS hands over at once.
const MESSAGES_MAX: usize = 10;
/// How long SQS holds a request open while the queue is empty, seconds; its longest.
const WAIT_S: i32 = 20;
const UNREADABLE: &str = "A queue cannot be read";

/// What to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3SqsOptions {
    /// The queue's address.
    pub queue: String,
    /// The queue's region; `None` takes the address's, then that of the environment.
    pub region: Option<String>,
    /// Another address than AWS's for both S3 and SQS.
    pub endpoint: Option<String>,
    /// The buckets that are read; empty reads every one that a message names.
    pub buckets: Vec<String>,
    /// Messages that are handled at once.
    pub objects: usize,
    /// For how long a message that is being handled is hidden; renewed while it is.
    pub visibility: Duration,
    /// After so many attempts a message whose object cannot be read is kept as a reject.
    pub receives_max: u32,
}

/// Reads the queue until `stop`. Messages that are being handled then go back to the queue.
pub async fn run(options: S3SqsOptions, intake: Arc<dyn Intake>, stop: CancellationToken) {
    let region = options.region.clone().or_else(|| clients::region_of_queue(&options.queue));
    let config = clients::config(region, options.endpoint.as_deref()).await;
    run_with(config, options, intake, stop).await;
}

async fn run_with(config: SdkConfig, options: S3SqsOptions, intake: Arc<dyn Intake>, stop: CancellationToken) {
    let handler = Arc::new(Handler {
        queue: aws_sdk_sqs::Client::new(&config),
        objects: S3Clients::new(config, options.endpoint.is_some()),
        trouble: Trouble::of(intake.clone()),
        writes: Default::default(),
        options,
        intake,
        stop: stop.clone(),
    });
    let places = Arc::new(Semaphore::new(handler.options.objects.max(1)));
    let mut tasks = JoinSet::new();
    let mut failures = 0;
    while let Some(received) = next(&handler, &places, &stop).await {
        match received {
            Ok(messages) => {
                failures = 0;
                handler.trouble.over(UNREADABLE, "");
                for message in messages {
                    let handler = handler.clone();
                    // There is one for each: no more messages were asked for.
                    let place = places.clone().acquire_owned().await;
                    tasks.spawn(async move {
                        handler.handle(message).await;
                        drop(place);
                    });
                }
            }
            Err(why) => {
                failures += 1;
                let pause = Backoff::default().pause_with(failures, None, chance());
                let message =
                    format!("{}: {why}; it is tried again, every two minutes at the latest", handler.options.queue);
                handler.trouble.say(UNREADABLE, "", message).await;
                tokio::select! { () = stop.cancelled() => break, () = tokio::time::sleep(pause) => {} }
            }
        }
        while tasks.try_join_next().is_some() {}
    }
    // A task that panicked leaves its message to come again.
    while tasks.join_next().await.is_some() {}
}

/// The next messages, once there is a place for one; `None` when told to end.
async fn next(handler: &Handler, places: &Semaphore, stop: &CancellationToken) -> Option<Result<Vec<Message>, String>> {
    let free = tokio::select! {
        () = stop.cancelled() => return None,
        place = places.acquire() => place.map_or(1, |_place| places.available_permits() + 1),
    };
    // Only this loop gives places away, so there are at least as many free ones when the messages come.
    let request = handler
        .queue
        .receive_message()
        .queue_url(&handler.options.queue)
        .max_number_of_messages(i32::try_from(free.min(MESSAGES_MAX)).unwrap_or(1))
        .visibility_timeout(i32::try_from(handler.options.visibility.as_secs()).unwrap_or(i32::MAX))
        .wait_time_seconds(WAIT_S)
        .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount);
    tokio::select! {
        () = stop.cancelled() => None,
        received = request.send() => Some(match received {
            Ok(output) => Ok(output.messages.unwrap_or_default()),
            Err(error) => Err(told(&error)),
        }),
    }
}

#[cfg(test)]
mod fake_aws;
#[cfg(test)]
mod tests;
