//! Inputs that read logs of partitions and remember how far, as the file names them.

use std::path::PathBuf;

use super::Secret;
use super::read::{one_of, switch};
use super::reader::{Reader, Section, Shape, not_empty};

/// Topics of Kafka (`kind = "kafka"`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaConfig {
    /// Addresses of brokers: `host:port`.
    pub brokers: Vec<String>,
    /// The topics.
    pub topics: Vec<String>,
    /// Where a topic is begun that was never read.
    pub start: KafkaStart,
    /// Speak TLS?
    pub tls: bool,
    /// The authority of the brokers' certificates.
    pub ca: Option<PathBuf>,
    /// Who we are.
    pub sasl: Option<KafkaSasl>,
}

/// Where a topic is begun that was never read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KafkaStart {
    /// At the first message that is kept.
    Earliest,
    /// At the first message to come.
    Latest,
}

impl KafkaStart {
    /// The word in the file.
    pub fn as_str(&self) -> &'static str {
        match self {
            KafkaStart::Earliest => "earliest",
            KafkaStart::Latest => "latest",
        }
    }
}

/// A user of the brokers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaSasl {
    /// `plain`, `scram-sha-256` or `scram-sha-512`.
    pub mechanism: &'static str,
    /// Who.
    pub username: String,
    /// The password.
    pub password: Secret,
}

const MECHANISMS: [&str; 3] = ["plain", "scram-sha-256", "scram-sha-512"];

pub(super) fn read_kafka<'d>(reader: &mut Reader<'d>, s: &mut Section<'d>) -> Option<KafkaConfig> {
    let remedy = "write `brokers = [\"kafka-1.example:9093\"]`";
    let brokers = read_all(reader, s, "brokers", is_broker, "no `host:port` of a broker", remedy);
    let remedy = "write `topics = [\"audit\"]`; letters, digits, `.`, `_` and `-`";
    let topics = read_all(reader, s, "topics", is_topic, "no name of a topic", remedy);
    let start = reader.value(s, "start", Shape::Text, "earliest".to_owned(), one_of(&["earliest", "latest"]));
    let start = if start == "latest" { KafkaStart::Latest } else { KafkaStart::Earliest };
    let tls = reader.value(s, "tls", Shape::Switch, true, switch);
    let ca = reader.path(s, "ca");
    let sasl = read_sasl(reader, s, tls);
    Some(KafkaConfig { brokers: brokers?, topics: topics?, start, tls, ca, sasl })
}

fn read_sasl<'d>(reader: &mut Reader<'d>, s: &mut Section<'d>, tls: bool) -> Option<KafkaSasl> {
    let word = reader.optional(s, "sasl", Shape::Text, one_of(&MECHANISMS));
    let username = reader.optional(s, "username", Shape::Text, not_empty);
    let password = reader.secret(s, "password");
    if word.as_deref() == Some("plain") && !tls {
        let message = format!("`{}` sends its password in clear", s.path());
        reader.error(s.offset(), "secret-in-clear", message, "leave `tls` on, or take `sasl = \"scram-sha-512\"`");
    }
    if word.is_some() != username.is_some() || word.is_some() != password.is_some() {
        let message = format!("`{}` has one of `sasl`, `username` and `password`, and not all", s.path());
        reader.error(s.offset(), "missing-key", message, "write all three, or none");
    }
    let mechanism = MECHANISMS.into_iter().find(|mechanism| word.as_deref() == Some(mechanism))?;
    Some(KafkaSasl { mechanism, username: username?, password: password? })
}

/// A list of at least one, each of which `fits`.
fn read_all<'d>(
    reader: &mut Reader<'d>,
    s: &mut Section<'d>,
    key: &'static str,
    fits: fn(&str) -> bool,
    wrong: &str,
    remedy: &str,
) -> Option<Vec<String>> {
    let listed = reader.list(s, key).unwrap_or_default();
    if listed.is_empty() {
        reader.error(s.offset(), "missing-key", format!("`{}` has no `{key}`", s.path()), remedy);
    }
    let mut all = Vec::new();
    for (text, offset) in listed {
        if fits(&text) {
            all.push(text);
        } else if text.contains('@') {
            reader.error(offset, "bad-value", format!("one of `{key}` is {wrong}"), remedy);
        } else {
            reader.error(offset, "bad-value", format!("`{text}` is {wrong}"), remedy);
        }
    }
    (!all.is_empty()).then_some(all)
}

fn is_broker(text: &str) -> bool {
    let plain = |host: &str| !host.is_empty() && !host.contains(['/', '@', ' ', ',']);
    text.rsplit_once(':').is_some_and(|(host, port)| plain(host) && port.parse::<u16>().is_ok_and(|port| port > 0))
}

/// What Kafka allows.
fn is_topic(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=249).contains(&text.len()) && text.chars().all(fits) && !matches!(text, "." | "..")
}
