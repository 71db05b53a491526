//! Inputs that take from or listen on a network, as the file names them.

use std::time::Duration;

use super::parse_duration;
use super::read::{positive, url};
use super::reader::{Reader, Section, Shape};

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
