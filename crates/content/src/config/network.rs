//! Inputs that take from or listen on a network, as the file names them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::read::{address, loopback, one_of, positive, size, switch, url};
use super::reader::{Reader, Section, Shape, not_empty};
use super::{Secret, parse_duration};

/// Objects of S3 that a queue of SQS tells of (`kind = "s3_sqs"`). Credentials come from the default chain of AWS: environment, profile, web
/// identity, ECS, EC2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3SqsConfig {
    /// The queue's address.
    pub queue: String,
    /// The queue's region; `None` takes it from the queue's address, or from the environment.
    pub region: Option<String>,
    /// Another address than AWS's, for S3 and SQS.
    pub endpoint: Option<String>,
    /// The buckets that are read; empty reads each that a message names.
    pub buckets: Vec<String>,
    /// Messages that are handled at once.
    pub objects: usize,
    /// For how long a message that is being handled is hidden from others; renewed while it is.
    pub visibility: Duration,
    /// After so many attempts a message whose object cannot be read is kept as a reject.
    pub max_receives: u32,
}

/// A listener for OTLP (`kind = "otlp"`): logs and traces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpConfig {
    /// How requests come.
    pub protocol: OtlpProtocol,
    /// Address and port.
    pub listen: SocketAddr,
    /// The token that exporters present; required when the address can be reached from other machines.
    pub token: Option<Secret>,
}

/// How OTLP comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtlpProtocol {
    /// Requests of HTTP/1.1 to `/v1/logs` and `/v1/traces`, protobuf or JSON.
    Http,
    /// gRPC.
    Grpc,
}

impl OtlpProtocol {
    /// The protocol's word in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            OtlpProtocol::Http => "http",
            OtlpProtocol::Grpc => "grpc",
        }
    }
}

pub(super) fn read_otlp<'d>(reader: &mut Reader<'d>, s: &mut Section<'d>) -> Option<OtlpConfig> {
    let word = reader.required(s, "protocol", one_of(&["http", "grpc"]));
    let protocol = word.map(|word| if word == "grpc" { OtlpProtocol::Grpc } else { OtlpProtocol::Http });
    let port = if protocol == Some(OtlpProtocol::Grpc) { 4317 } else { 4318 };
    let (listen, token) = read_listener(reader, s, port);
    Some(OtlpConfig { protocol: protocol?, listen, token })
}

/// Where an HTTP server listens, and the token that senders present; without one, only on this machine.
pub(super) fn read_listener<'d>(
    reader: &mut Reader<'d>,
    s: &mut Section<'d>,
    port: u16,
) -> (SocketAddr, Option<Secret>) {
    let listen = reader.value(s, "listen", Shape::Text, loopback(port), address);
    let token = reader.secret(s, "token");
    if token.is_none() && !listen.ip().is_loopback() {
        let message = format!("`{}` listens on `{listen}` without a token", s.path());
        let remedy = "add `token = { file = \"…\" }`, or listen on 127.0.0.1";
        reader.error(s.offset(), "reachable", message, remedy);
    }
    (listen, token)
}

/// A listener for deliveries of Amazon SNS (`kind = "sns"`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnsConfig {
    /// Address and port.
    pub listen: SocketAddr,
    /// The ARNs of the topics that may deliver, and whose subscription is confirmed.
    pub topics: Vec<String>,
    /// The password in the address of the subscription; required when the address can be reached from other machines, and for raw deliveries.
    pub token: Option<Secret>,
}

pub(super) fn read_sns<'d>(reader: &mut Reader<'d>, s: &mut Section<'d>) -> Option<SnsConfig> {
    let (listen, token) = read_listener(reader, s, 8788);
    let topics = reader.list(s, "topics").unwrap_or_default();
    let remedy = "write `topics = [\"arn:aws:sns:eu-west-1:111122223333:name\"]`";
    if topics.is_empty() {
        reader.error(s.offset(), "missing-key", format!("`{}` names no `topics`", s.path()), remedy);
    }
    for (topic, offset) in &topics {
        if !is_topic(topic) {
            reader.error(*offset, "bad-value", format!("`{topic}` is no topic of SNS"), remedy);
        }
    }
    Some(SnsConfig { listen, topics: topics.into_iter().map(|(topic, _)| topic).collect(), token })
}

/// Is it the ARN of a topic, in a partition whose addresses are known?
fn is_topic(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let ["arn", "aws" | "aws-us-gov" | "aws-cn", "sns", region, account, name] = parts[..] else { return false };
    !region.is_empty() && account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty()
}

/// A listener for syslog (`kind = "syslog"`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyslogConfig {
    /// How messages come.
    pub protocol: SyslogProtocol,
    /// Address and port.
    pub listen: SocketAddr,
    /// The networks from which senders are heard; empty hears all, which only this machine or TLS with certificates of senders may.
    pub networks: Vec<IpNet>,
    /// Connections at once.
    pub connections: usize,
    /// The longest message, bytes.
    pub message_bytes: usize,
}

/// How syslog comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyslogProtocol {
    /// One message a datagram (RFC 5426).
    Udp,
    /// A stream (RFC 6587).
    Tcp,
    /// A stream inside of TLS (RFC 5425). Files are PEM.
    Tls {
        /// The listener's certificate, and those between it and its authority.
        certificate: PathBuf,
        /// Its private key.
        key: Secret,
        /// The authority that signs senders' certificates.
        client_ca: Option<PathBuf>,
    },
}

impl SyslogProtocol {
    /// The protocol's word in the file.
    pub fn as_str(&self) -> &'static str {
        match self {
            SyslogProtocol::Udp => "udp",
            SyslogProtocol::Tcp => "tcp",
            SyslogProtocol::Tls { .. } => "tls",
        }
    }
}

pub(super) fn read_syslog<'d>(reader: &mut Reader<'d>, s: &mut Section<'d>) -> Option<SyslogConfig> {
    let word = reader.required(s, "protocol", one_of(&["udp", "tcp", "tls"]));
    let is_tls = word.as_deref() == Some("tls");
    let listen = reader.value(s, "listen", Shape::Text, loopback(if is_tls { 6514 } else { 5514 }), address);
    let networks = read_networks(reader, s);
    let connections = reader.value(s, "connections", Shape::Number, 256, positive);
    let message_bytes = size(reader, s, "message_bytes", 256 << 10);
    let protocol = match word.as_deref() {
        Some("tls") => read_tls(reader, s),
        other => other.map(|word| if word == "udp" { SyslogProtocol::Udp } else { SyslogProtocol::Tcp }),
    };
    let knows_senders = matches!(&protocol, Some(SyslogProtocol::Tls { client_ca: Some(_), .. }));
    if !listen.ip().is_loopback() && networks.is_empty() && !knows_senders {
        let message = format!("`{}` listens on `{listen}`, and nothing tells its senders from strangers", s.path());
        let remedy =
            "add `networks = [\"192.0.2.0/24\"]`, take `protocol = \"tls\"` with a `client_ca`, or listen on 127.0.0.1";
        reader.error(s.offset(), "reachable", message, remedy);
    }
    let message_bytes = usize::try_from(message_bytes).unwrap_or(usize::MAX);
    Some(SyslogConfig { protocol: protocol?, listen, networks, connections, message_bytes })
}

fn read_tls<'d>(reader: &mut Reader<'d>, s: &mut Section<'d>) -> Option<SyslogProtocol> {
    let (certificate, key) = (reader.required_path(s, "certificate"), reader.required_secret(s, "key"));
    let client_ca = reader.path(s, "client_ca");
    Some(SyslogProtocol::Tls { certificate: certificate?, key: key?, client_ca })
}

fn read_networks<'d>(reader: &mut Reader<'d>, s: &mut Section<'d>) -> Vec<IpNet> {
    let mut networks = Vec::new();
    for (text, offset) in reader.list(s, "networks").unwrap_or_default() {
        let one = || text.parse().ok().map(|address: std::net::IpAddr| address.into());
        match text.parse::<IpNet>().ok().or_else(one) {
            // A network of every address would tell nobody from anybody.
            Some(network) if network.prefix_len() > 0 => networks.push(network),
            _ => {
                let remedy =
                    "write a network such as \"192.0.2.0/24\" or an address; one that holds every address is none";
                reader.error(offset, "bad-value", format!("`{text}` is no network of senders"), remedy);
            }
        }
    }
    networks
}

/// A stream of NATS JetStream (`kind = "nats"`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NatsConfig {
    /// Addresses of servers: `tls://host:4222`.
    pub servers: Vec<String>,
    /// The stream.
    pub stream: String,
    /// The durable consumer; made when it is not there.
    pub consumer: String,
    /// The subject that a consumer which is made filters by.
    pub subject: Option<String>,
    /// Who we are: the text of a credentials file.
    pub credentials: Option<Secret>,
    /// Who we are: a token.
    pub token: Option<Secret>,
    /// Refuse a connection without TLS?
    pub tls: bool,
    /// The authority of the servers' certificates.
    pub ca: Option<PathBuf>,
}

impl NatsConfig {
    /// The one secret that it names.
    pub fn secret(&self) -> Option<&Secret> {
        self.credentials.as_ref().or(self.token.as_ref())
    }
}

pub(super) fn read_nats<'d>(reader: &mut Reader<'d>, s: &mut Section<'d>) -> Option<NatsConfig> {
    let servers = read_servers(reader, s);
    let stream = reader.required(s, "stream", nats_name);
    let consumer = reader.value(s, "consumer", Shape::Text, "watchkeep".to_owned(), nats_name);
    let subject = reader.optional(s, "subject", Shape::Text, not_empty);
    let (credentials, token) = (reader.secret(s, "credentials"), reader.secret(s, "token"));
    if credentials.is_some() && token.is_some() {
        let message = format!("`{}` has both `credentials` and a `token`", s.path());
        reader.error(s.offset(), "bad-value", message, "keep the one that the servers ask for");
    }
    let tls = reader.value(s, "tls", Shape::Switch, true, switch);
    let ca = reader.path(s, "ca");
    Some(NatsConfig { servers: servers?, stream: stream?, consumer, subject, credentials, token, tls, ca })
}

fn read_servers<'d>(reader: &mut Reader<'d>, s: &mut Section<'d>) -> Option<Vec<String>> {
    let listed = reader.list(s, "servers");
    let remedy = "write `servers = [\"tls://nats.example:4222\"]`";
    let mut servers = Vec::new();
    let is_listed = listed.as_ref().is_some_and(|listed| !listed.is_empty());
    for (text, offset) in listed.unwrap_or_default() {
        let host = text.strip_prefix("tls://").or_else(|| text.strip_prefix("nats://")).unwrap_or_default();
        if host.contains('@') {
            reader.error(
                offset,
                "secret-in-clear",
                "a server's address holds a secret itself",
                "write `token` or `credentials`",
            );
        } else if host.is_empty() {
            reader.error(offset, "bad-value", format!("`{text}` is no server of NATS"), remedy);
        } else {
            servers.push(text);
        }
    }
    if !is_listed {
        reader.error(s.offset(), "missing-key", format!("`{}` has no `servers`", s.path()), remedy);
    }
    (!servers.is_empty()).then_some(servers)
}

/// Names of streams and consumers are parts of subjects.
fn nats_name(text: &str) -> Result<String, String> {
    let fits = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '.' | '*' | '>' | '/' | '\\');
    if !text.is_empty() && text.chars().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("a name without spaces, `.`, `*`, `>` and slashes".to_owned())
    }
}

pub(super) fn read_s3_sqs<'d>(reader: &mut Reader<'d>, s: &mut Section<'d>) -> Option<S3SqsConfig> {
    let queue = reader.required(s, "queue", queue_url);
    let region = reader.optional(s, "region", Shape::Text, region);
    let endpoint = reader.optional(s, "endpoint", Shape::Text, url);
    let buckets = reader.list(s, "buckets").unwrap_or_default().into_iter().map(|(bucket, _)| bucket).collect();
    let objects = reader.value(s, "objects", Shape::Number, 4, up_to_hundred);
    let visibility = reader.value(s, "visibility", Shape::Text, Duration::from_secs(300), visibility);
    let max_receives = reader.value(s, "max_receives", Shape::Number, 50, positive);
    let max_receives = u32::try_from(max_receives).unwrap_or(u32::MAX);
    Some(S3SqsConfig { queue: queue?, region, endpoint, buckets, objects, visibility, max_receives })
}

fn queue_url(text: &str) -> Result<String, String> {
    let expected = || "the queue's URL such as \"https://sqs.eu-west-1.amazonaws.com/111122223333/trail\"".to_owned();
    let plain = url(text).map_err(|_| expected())?;
    let path = plain.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
    if path.contains('/') { Ok(plain) } else { Err(expected()) }
}

/// What SQS allows, and long enough to fetch something.
fn visibility(text: &str) -> Result<Duration, String> {
    let parsed = parse_duration(text).filter(|duration| (30..=12 * 3600).contains(&duration.as_secs()));
    parsed.ok_or_else(|| "a duration from \"30s\" to \"12h\"".to_owned())
}

fn region(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.contains('-') && text.chars().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("a region such as \"eu-west-1\"".to_owned())
    }
}

fn up_to_hundred(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=100).contains(number));
    number.ok_or_else(|| "a whole number from 1 to 100".to_owned())
}
