//! Outputs: one message to one receiver, and what came of it.
//!
//! In: a [`Message`], already redacted and already stored in the outbox. Out: [`Sent`]. Bound: one message at a time for each call, with a timeout.
//! When the receiver is away: [`Sent::Retry`]; the row waits in the store. An output owns no queue and no retry: the
//! [`crate::router`] does.

mod ndjson_file;
mod reply;
mod splunk_hec;
mod webhook;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use model::Time;

pub use ndjson_file::NdjsonFile;
pub use receive::backoff::retry_after;
pub use reply::{Verdict, judge};
pub use splunk_hec::{SplunkHec, SplunkHecOptions};
pub use webhook::{Webhook, WebhookError};

/// A message to one receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The same over retries and replays: a receiver tells repeats by it.
    pub key: String,
    /// `alert.opened`, `alert.acknowledged`, `alert.closed`, `alert.recovered`.
    pub kind: String,
    /// JSON text.
    pub payload: String,
    /// When it was queued.
    pub created: Time,
    /// The time of this attempt.
    pub now: Time,
}

/// What came of sending a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The receiver's transport accepted it.
    Accepted {
        /// What it answered with.
        receipt: Option<String>,
    },
    /// The receiver's system confirmed that it holds it.
    Confirmed {
        /// What it answered with.
        receipt: Option<String>,
    },
    /// It may work later.
    Retry {
        /// The receiver's wish.
        after: Option<Duration>,
        /// Why it failed.
        error: String,
    },
    /// It will not work.
    Dead {
        /// Why.
        error: String,
    },
}

/// What an output's `send` gives.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Sent> + Send + 'a>>;

/// Sends messages to one receiver.
///
/// Shape: `send` may be called again with the same message (a retry, a replay, a restart); the key stays the same.
pub trait Output: Send + Sync {
    /// Sends one message, and waits for as much of a receipt as the receiver gives.
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a>;
}

/// An HTTP client for outputs: no redirects (a redirect is a failure, so that no alert follows a stranger), one timeout
/// for each attempt.
pub fn client(timeout: Duration) -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(timeout)
        .connect_timeout(timeout.min(Duration::from_secs(10)))
        .user_agent(concat!("watchkeep/", env!("CARGO_PKG_VERSION")))
        .build()
}

#[cfg(test)]
mod tests;
