use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::reply::{read, refusal, unreachable};
use super::{Message, Output, Sending, Sent, Verdict, client, judge};

/// How to reach a Splunk HTTP Event Collector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplunkHecOptions {
    /// The collector's base address, such as `https://splunk.example:8088`.
    pub url: String,
    /// The HEC token.
    pub token: String,
    /// The index; the token's default when absent.
    pub index: Option<String>,
    /// The source type.
    pub sourcetype: String,
    /// Wait for indexer acknowledgement?
    pub acknowledge: bool,
    /// How long one request may take.
    pub timeout: Duration,
    /// How long an acknowledgement is waited for; then the message is sent again, with the same key.
    pub ack_timeout: Duration,
    /// Pause between two questions for an acknowledgement.
    pub ack_every: Duration,
}

/// Sends each message as one event to a Splunk HTTP Event Collector.
///
/// Splunk does not tell repeats apart: the key travels as the indexed field `watchkeep_key`, so that a search can.
pub struct SplunkHec {
    options: SplunkHecOptions,
    channel: String,
    client: reqwest::Client,
}

impl SplunkHec {
    /// Prepares to send; the channel is new for each start.
    pub fn new(options: SplunkHecOptions) -> Result<SplunkHec, reqwest::Error> {
        let client = client(options.timeout)?;
        Ok(SplunkHec { client, channel: channel(), options })
    }

    fn request(&self, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.options.url.trim_end_matches('/'));
        self.client
            .post(url)
            .header("authorization", format!("Splunk {}", self.options.token))
            .header("x-splunk-request-channel", &self.channel)
            .header("content-type", "application/json")
    }

    async fn post(&self, message: &Message) -> Sent {
        let request = self.request("/services/collector/event").body(self.event(message));
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return unreachable(error),
        };
        let (status, after, body) = read(response, message.now).await;
        let answer: Value = serde_json::from_str(&body).unwrap_or_default();
        if judge(status) != Verdict::Accepted {
            return refused(status, after, &body, &answer);
        }
        match answer.get("ackId").and_then(Value::as_u64).filter(|_| self.options.acknowledge) {
            Some(ack_id) => self.confirm(ack_id).await,
            None => Sent::Accepted { receipt: answer.get("text").and_then(Value::as_str).map(str::to_owned) },
        }
    }

    /// Asks until the indexer has the event, or the time for it is over.
    async fn confirm(&self, ack_id: u64) -> Sent {
        let start = Instant::now();
        let mut last_error = "the indexer has not acknowledged".to_owned();
        loop {
            match self.is_acknowledged(ack_id).await {
                Ok(true) => return Sent::Confirmed { receipt: Some(format!("ackId {ack_id}")) },
                Ok(false) => {}
                Err(error) => last_error = error,
            }
            if start.elapsed() + self.options.ack_every > self.options.ack_timeout {
                let error = format!("no acknowledgement of ackId {ack_id} in time: {last_error}; it is sent again");
                return Sent::Retry { after: None, error };
            }
            tokio::time::sleep(self.options.ack_every).await;
        }
    }

    async fn is_acknowledged(&self, ack_id: u64) -> Result<bool, String> {
        let body = json!({"acks": [ack_id]}).to_string();
        let request = self.request("/services/collector/ack").query(&[("channel", &self.channel)]).body(body);
        let response = request.send().await.map_err(|error| error.without_url().to_string())?;
        let (status, _, body) = read(response, model::Time::EPOCH).await;
        if status != 200 {
            return Err(format!("the collector answered {status} when asked for acknowledgements"));
        }
        let answer: Value = serde_json::from_str(&body).map_err(|error| error.to_string())?;
        Ok(answer["acks"][ack_id.to_string()].as_bool().unwrap_or(false))
    }

    fn event(&self, message: &Message) -> String {
        let payload: Value =
            serde_json::from_str(&message.payload).unwrap_or_else(|_| Value::from(message.payload.as_str()));
        let millis = message.created.millis();
        let mut event = json!({
            // A number, as the protocol documents it; a double holds milliseconds exactly enough for 200,000 years.
            "time": millis as f64 / 1000.0,
            "source": "watchkeep",
            "sourcetype": self.options.sourcetype,
            "event": payload,
            "fields": {"watchkeep_key": message.key, "watchkeep_kind": message.kind},
        });
        if let Some(index) = &self.options.index {
            event["index"] = Value::from(index.as_str());
        }
        event.to_string()
    }
}

impl Output for SplunkHec {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        Box::pin(self.post(message))
    }
}

/// A refusal. Token trouble (codes 1 to 4) is an operator's to mend, so it is worth another try, unlike other 4xx.
fn refused(status: u16, after: Option<Duration>, body: &str, answer: &Value) -> Sent {
    let is_token = matches!(status, 401 | 403) && matches!(answer["code"].as_u64(), Some(1..=4));
    match refusal(status, after, body) {
        Sent::Dead { error } if is_token => Sent::Retry { after, error },
        other => other,
    }
}

/// A new channel: a random (version 4) UUID.
fn channel() -> String {
    let mut bytes = [0_u8; 16];
    // Without randomness the channel is all zeros: still a channel, only not our own.
    let _ = getrandom::fill(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex::encode(bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
