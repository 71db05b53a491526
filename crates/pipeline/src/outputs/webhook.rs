use std::time::Duration;

use custody::signature::{KeyError, SigningKey};

use super::reply::{read, refusal, unreachable};
use super::{Message, Output, Sending, Sent, client, judge};
use crate::outputs::Verdict;

/// Posts each message, signed by Standard Webhooks: `webhook-id` (the key), `webhook-timestamp`, `webhook-signature`.
pub struct Webhook {
    url: String,
    key: SigningKey,
    client: reqwest::Client,
}

/// Why a webhook cannot be made from its configuration.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The secret is no signing key.
    #[error("the webhook's secret cannot be used")]
    Key(#[from] KeyError),
    /// The HTTP client cannot be made.
    #[error("the webhook's http client cannot be made")]
    Client(#[from] reqwest::Error),
}

impl Webhook {
    /// Posts to `url`, signing with `secret` (`whsec_…` or `whsk_…`); each attempt may take `timeout`.
    pub fn new(url: &str, secret: &str, timeout: Duration) -> Result<Webhook, WebhookError> {
        Ok(Webhook { url: url.to_owned(), key: SigningKey::parse(secret)?, client: client(timeout)? })
    }

    async fn post(&self, message: &Message) -> Sent {
        let seconds = message.now.millis() / 1000;
        let signature = self.key.sign(&message.key, seconds, message.payload.as_bytes());
        let request = self
            .client
            .post(&self.url)
            .header("content-type", "application/json")
            .header("webhook-id", &message.key)
            .header("webhook-timestamp", seconds.to_string())
            .header("webhook-signature", signature)
            .body(message.payload.clone());
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return unreachable(error),
        };
        let (status, after, body) = read(response, message.now).await;
        match judge(status) {
            Verdict::Accepted => Sent::Accepted { receipt: Some(format!("http {status}")) },
            _ => refusal(status, after, &body),
        }
    }
}

impl Output for Webhook {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        Box::pin(self.post(message))
    }
}
