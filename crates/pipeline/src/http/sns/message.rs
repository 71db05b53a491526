//! A message of SNS as its body has it, and the addresses that it may name.

use reqwest::Url;
use serde::Deserialize;

/// What SNS posts, but for raw deliveries. Fields as AWS documents them.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Message {
    #[serde(rename = "Type")]
    pub kind: Kind,
    pub message_id: String,
    pub topic_arn: String,
    pub subject: Option<String>,
    pub message: String,
    pub timestamp: String,
    pub token: Option<String>,
    #[serde(rename = "SubscribeURL")]
    pub subscribe_url: Option<String>,
    pub signature_version: String,
    pub signature: String,
    #[serde(rename = "SigningCertURL")]
    pub signing_cert_url: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum Kind {
    Notification,
    SubscriptionConfirmation,
    UnsubscribeConfirmation,
}

impl Message {
    /// Reads a body. Errors: where it is wrong, and nothing of what it says.
    pub fn parse(body: &[u8]) -> Result<Message, String> {
        serde_json::from_slice(body).map_err(|error| format!("line {}, column {}", error.line(), error.column()))
    }

    /// The text that is signed: names and values on lines of their own, in the order of the names.
    pub fn signed(&self) -> String {
        let kind = format!("{:?}", self.kind);
        let (subject, token) = (self.subject.as_deref(), self.token.as_deref());
        let (notification, confirmation) = match self.kind {
            Kind::Notification => (subject, None),
            _ => (None, Some((self.subscribe_url.as_deref().unwrap_or_default(), token.unwrap_or_default()))),
        };
        let pairs = [
            ("Message", Some(self.message.as_str())),
            ("MessageId", Some(self.message_id.as_str())),
            ("Subject", notification),
            ("SubscribeURL", confirmation.map(|(url, _)| url)),
            ("Timestamp", Some(self.timestamp.as_str())),
            ("Token", confirmation.map(|(_, token)| token)),
            ("TopicArn", Some(self.topic_arn.as_str())),
            ("Type", Some(kind.as_str())),
        ];
        pairs.iter().filter_map(|(name, value)| Some(format!("{name}\n{}\n", (*value)?))).collect()
    }

    /// Where the certificate of the signature is: a file of SNS in the topic's region, and nowhere else.
    pub fn certificate(&self) -> Result<Url, String> {
        let url = self.of_sns("SigningCertURL", &self.signing_cert_url)?;
        let name = url.path().strip_prefix("/SimpleNotificationService-").and_then(|rest| rest.strip_suffix(".pem"));
        let is_one = name.is_some_and(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        if is_one && url.query().is_none() {
            Ok(url)
        } else {
            Err("`SigningCertURL` is no certificate of SNS".to_owned())
        }
    }

    /// Where the subscription is confirmed: made anew from the topic and the token, in the topic's region.
    pub fn confirmation(&self) -> Result<Url, String> {
        let mut url = self.of_sns("SubscribeURL", self.subscribe_url.as_deref().unwrap_or_default())?;
        let token = self.token.as_deref().unwrap_or_default();
        url.set_path("/");
        let pairs = [("Action", "ConfirmSubscription"), ("TopicArn", &self.topic_arn), ("Token", token)];
        url.query_pairs_mut().clear().extend_pairs(pairs);
        Ok(url)
    }

    /// An address of SNS in the region of the topic, over https, with nothing before or behind the host.
    fn of_sns(&self, name: &str, text: &str) -> Result<Url, String> {
        let wrong = || format!("`{name}` is not an address of SNS in the topic's region");
        let url = Url::parse(text).map_err(|_| wrong())?;
        let host = host_of(&self.topic_arn).ok_or_else(wrong)?;
        let is_plain = url.username().is_empty() && url.password().is_none() && url.port().is_none();
        let is_it = url.scheme() == "https" && url.host_str() == Some(host.as_str()) && is_plain;
        if is_it && url.fragment().is_none() { Ok(url) } else { Err(wrong()) }
    }
}

/// The host of SNS in the region of a topic: `arn:aws:sns:eu-west-1:111122223333:name`.
fn host_of(topic: &str) -> Option<String> {
    let parts: Vec<&str> = topic.split(':').collect();
    let ["arn", partition, "sns", region, _, _] = parts[..] else { return None };
    let is_region = !region.is_empty() && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let suffix = match partition {
        "aws" | "aws-us-gov" => "amazonaws.com",
        "aws-cn" => "amazonaws.com.cn",
        _ => return None,
    };
    is_region.then(|| format!("sns.{region}.{suffix}"))
}
