//! What a message of the queue says: which objects were written.
//!
//! In: the text of a message. Out: [`Notice`]. Read as S3 sends it to the queue, wrapped in an SNS notification, as EventBridge sends it
//! (also wrapped), and as CloudTrail tells of its own files. Sources: "Event message structure" and "EventBridge event message structure"
//! of the S3 user guide, "Parsing JSON formats" of the SNS guide, "Configuring notifications" of the CloudTrail guide.

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// An SNS notification holds what it wraps as text; nobody wraps twice.
const WRAPS_MAX: usize = 2;

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// S3 tries whether it may write to the queue.
    Test,
    /// Objects were written. Empty when the message tells of something else, such as a removal.
    Objects(Vec<Object>),
    /// It names nothing that could be read; why.
    Unknown(&'static str),
}

/// An object as a message names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Object {
    /// The bucket's name.
    pub bucket: String,
    /// The key, decoded.
    pub key: String,
    /// The version, in a bucket that keeps versions.
    pub version: Option<String>,
    /// Orders the writes of one key.
    pub sequencer: Option<String>,
    /// The bucket's region.
    pub region: Option<String>,
}

impl Object {
    /// Does the message say which write of the key it is? Only then can it be told from the next one.
    pub fn is_one_write(&self) -> bool {
        self.version.is_some() || self.sequencer.is_some()
    }
}

impl std::fmt::Display for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

impl Notice {
    /// Reads a message. Pure.
    pub fn read(text: &str) -> Notice {
        let mut text = std::borrow::Cow::Borrowed(text);
        for _ in 0..=WRAPS_MAX {
            let Ok(value) = serde_json::from_str::<Value>(&text) else {
                return Notice::Unknown("the message is not JSON");
            };
            match value.get("Message").and_then(Value::as_str) {
                Some(inner) if value.get("Type").is_some() || value.get("TopicArn").is_some() => {
                    text = inner.to_owned().into();
                }
                _ => return read_plain(&value),
            }
        }
        Notice::Unknown("the message is wrapped too often")
    }
}

fn read_plain(value: &Value) -> Notice {
    if value.get("Event").and_then(Value::as_str) == Some("s3:TestEvent") {
        return Notice::Test;
    }
    if let Some(records) = value.get("Records").and_then(Value::as_array) {
        return all(records.iter().map(of_s3));
    }
    if value.get("source").and_then(Value::as_str) == Some("aws.s3") {
        return all([of_event_bridge(value)]);
    }
    if let Some(keys) = value.get("s3ObjectKey").and_then(Value::as_array) {
        return all(keys.iter().map(|key| of_cloudtrail(value, key)));
    }
    Notice::Unknown("the message is none of S3's, EventBridge's or CloudTrail's notifications")
}

/// `Ok(None)`: it tells of something other than an object that was written.
type Read = Result<Option<Object>, &'static str>;

fn all(objects: impl IntoIterator<Item = Read>) -> Notice {
    match objects.into_iter().collect::<Result<Vec<_>, _>>() {
        Ok(objects) => Notice::Objects(objects.into_iter().flatten().collect()),
        Err(why) => Notice::Unknown(why),
    }
}

fn of_s3(record: &Value) -> Read {
    let event = text(record, "/eventName").unwrap_or_default();
    // Older notifications say `s3:ObjectCreated:Put`, newer ones `ObjectCreated:Put`.
    let event = event.strip_prefix("s3:").unwrap_or(event);
    if !event.starts_with("ObjectCreated:") && event != "ObjectRestore:Completed" {
        return if text(record, "/eventSource") == Some("aws:s3") { Ok(None) } else { Err("a record is not S3's") };
    }
    let encoded = text(record, "/s3/object/key").ok_or("a record has no `s3.object.key`")?;
    object(
        text(record, "/s3/bucket/name"),
        decoded(encoded).ok_or("a key is not UTF-8 once decoded")?,
        [text(record, "/s3/object/versionId"), text(record, "/s3/object/sequencer"), text(record, "/awsRegion")],
    )
}

fn of_event_bridge(event: &Value) -> Read {
    if !matches!(text(event, "/detail-type"), Some("Object Created" | "Object Restore Completed")) {
        return Ok(None);
    }
    // Unlike S3 itself, EventBridge does not encode keys.
    let key = text(event, "/detail/object/key").ok_or("the event has no `detail.object.key`")?;
    object(
        text(event, "/detail/bucket/name"),
        key.to_owned(),
        [text(event, "/detail/object/version-id"), text(event, "/detail/object/sequencer"), text(event, "/region")],
    )
}

fn of_cloudtrail(notice: &Value, key: &Value) -> Read {
    let key = key.as_str().ok_or("a key is not a text")?;
    object(text(notice, "/s3Bucket"), key.to_owned(), [None; 3])
}

fn object(bucket: Option<&str>, key: String, [version, sequencer, region]: [Option<&str>; 3]) -> Read {
    let bucket = bucket.filter(|bucket| !bucket.is_empty()).ok_or("a record has no bucket")?.to_owned();
    if key.is_empty() {
        return Err("a key is empty");
    }
    let own = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    Ok(Some(Object { bucket, key, version: own(version), sequencer: own(sequencer), region: own(region) }))
}

fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer)?.as_str()
}

/// S3 encodes keys as forms are: a space is `+`.
fn decoded(key: &str) -> Option<String> {
    let spaced = key.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests;
