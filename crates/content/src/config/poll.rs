//! Inputs that ask an HTTP API for what is newer, as the file names them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::read::duration;
use super::reader::{Reader, Section, Shape, not_empty};
use super::{Secret, parse_duration};

/// The API of a feed (`kind = "poll"`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PollConfig {
    /// The feed, by id: how the API is walked.
    pub feed: String,
    /// What the feed asks of a site, by name.
    pub parameters: BTreeMap<String, String>,
    /// Scheme and host, in place of the feed's own.
    pub endpoint: Option<String>,
    /// The secret that the feed's header carries.
    pub secret: Secret,
    /// How far back the API is read the first time.
    pub start: Duration,
    /// How often it is asked; as the feed says when it is `None`.
    pub every: Option<Duration>,
}

/// The longest value of a parameter.
const PARAMETER_BYTES_MAX: usize = 256;

pub(super) fn read_poll<'d>(reader: &mut Reader<'d>, s: &mut Section<'d>) -> Option<PollConfig> {
    let feed = reader.required(s, "feed", not_empty);
    let parameters = reader.pairs(s, "parameters").unwrap_or_default();
    let mut kept = BTreeMap::new();
    for (name, value, offset) in parameters {
        if is_parameter(&value) {
            kept.insert(name, value);
        } else {
            let message = format!("the parameter `{name}` is `{value}`");
            let remedy = "write a name or a host: letters, digits, `.`, `_`, `-` and `:`, not two dots in a row";
            reader.error(offset, "bad-value", message, remedy);
        }
    }
    let endpoint = reader.optional(s, "endpoint", Shape::Text, endpoint);
    let secret = reader.required_secret(s, "secret");
    let start = duration(reader, s, "start", 86_400_000);
    let every = reader.optional(s, "every", Shape::Text, every);
    Some(PollConfig { feed: feed?, parameters: kept, endpoint, secret: secret?, start, every })
}

/// What cannot change the host or the path that it stands in, whatever a template is.
fn is_parameter(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':');
    (1..=PARAMETER_BYTES_MAX).contains(&text.len())
        && text.chars().all(fits)
        && !text.contains("..")
        && !matches!(text, ".")
}

/// `https`, or `http` on this machine alone: a secret goes over it.
fn endpoint(text: &str) -> Result<String, String> {
    let expected = || "`https://` and a host, such as \"https://api.example.com\"; `http://` for this machine alone";
    let text = text.trim_end_matches('/');
    let host = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => rest,
        (_, Some(rest)) if is_loopback(rest) => rest,
        _ => return Err(expected().to_owned()),
    };
    let is_plain = !host.is_empty() && !host.starts_with('/') && !host.contains(['@', '?', '#', ' ', '{']);
    if is_plain { Ok(text.to_owned()) } else { Err(expected().to_owned()) }
}

fn is_loopback(rest: &str) -> bool {
    let authority = rest.split('/').next().unwrap_or_default();
    let host =
        authority.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(authority, |(host, _)| host);
    matches!(host, "127.0.0.1" | "localhost" | "[::1]")
}

fn every(text: &str) -> Result<Duration, String> {
    let parsed = parse_duration(text).filter(|every| *every >= Duration::from_secs(1));
    parsed.ok_or_else(|| "a duration from \"1s\" such as \"30s\" or \"1h\"".to_owned())
}
