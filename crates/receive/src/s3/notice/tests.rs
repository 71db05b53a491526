use proptest::prelude::*;
use serde_json::json;

use super::*;

fn record(event: &str, key: &str) -> Value {
    json!({
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-west-2",
        "eventTime": "1970-01-01T00:00:00.000Z", "eventName": event,
        "s3": {
            "s3SchemaVersion": "1.0", "configurationId": "trail",
            "bucket": {"name": "amzn-s3-demo-bucket", "arn": "arn:aws:s3:::amzn-s3-demo-bucket"},
            "object": {"key": key, "size": 1024, "eTag": "d41d8cd98f00b204e9800998ecf8427e", "sequencer": "0055AED6DCD90281E5"}
        }
    })
}

fn keys(message: &str) -> Vec<String> {
    match Notice::read(message) {
        Notice::Objects(objects) => objects.into_iter().map(|object| object.key).collect(),
        other => panic!("{other:?}"),
    }
}

fn wrapped(inner: &Value) -> String {
    json!({"Type": "Notification", "MessageId": "m", "TopicArn": "arn:aws:sns:us-west-2:111122223333:t", "Message": inner.to_string()})
        .to_string()
}

#[test]
fn every_record_of_a_message_names_its_object_and_keys_are_decoded_as_forms_are() {
    let message = json!({"Records": [
        record("ObjectCreated:Put", "AWSLogs/111122223333/a+b.json.gz"),
        record("s3:ObjectCreated:CompleteMultipartUpload", "h%C3%A9llo%2Bworld+%26.json"),
    ]});
    assert_eq!(keys(&message.to_string()), ["AWSLogs/111122223333/a b.json.gz", "héllo+world &.json"]);
    let Notice::Objects(objects) = Notice::read(&message.to_string()) else { panic!("objects") };
    assert_eq!(objects[0].bucket, "amzn-s3-demo-bucket");
    assert_eq!(objects[0].region.as_deref(), Some("us-west-2"));
    assert_eq!(objects[0].sequencer.as_deref(), Some("0055AED6DCD90281E5"));
    assert!(objects[0].is_one_write());
}

#[test]
fn a_notification_of_sns_is_opened() {
    let inner = json!({"Records": [record("ObjectCreated:Put", "a")]});
    assert_eq!(keys(&wrapped(&inner)), ["a"]);
    let test = json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "amzn-s3-demo-bucket"});
    assert_eq!(Notice::read(&wrapped(&test)), Notice::Test);
    assert_eq!(Notice::read(&test.to_string()), Notice::Test);
}

#[test]
fn event_bridge_does_not_encode_keys() {
    let event = |kind: &str| {
        json!({"version": "0", "detail-type": kind, "source": "aws.s3", "region": "ca-central-1", "detail": {
            "version": "0", "bucket": {"name": "b"},
            "object": {"key": "a+b%20c", "size": 5, "version-id": "v1", "sequencer": "00617F08299329D189"}
        }})
    };
    let Notice::Objects(objects) = Notice::read(&event("Object Created").to_string()) else { panic!("objects") };
    assert_eq!((objects[0].key.as_str(), objects[0].version.as_deref()), ("a+b%20c", Some("v1")));
    assert_eq!(keys(&event("Object Deleted").to_string()), [""; 0]);
    assert_eq!(keys(&wrapped(&event("Object Created"))), ["a+b%20c"]);
}

#[test]
fn cloudtrail_tells_of_its_own_files() {
    let notice = json!({"s3Bucket": "trail", "s3ObjectKey": ["AWSLogs/a.json.gz", "AWSLogs/b.json.gz"]});
    assert_eq!(keys(&wrapped(&notice)), ["AWSLogs/a.json.gz", "AWSLogs/b.json.gz"]);
}

#[test]
fn a_removal_names_nothing_to_read() {
    assert_eq!(keys(&json!({"Records": [record("ObjectRemoved:Delete", "a")]}).to_string()), [""; 0]);
    assert_eq!(keys(r#"{"Records": []}"#), [""; 0]);
}

#[test]
fn what_is_no_notification_is_told_apart() {
    let unknown = [
        "",
        "hello",
        "[]",
        "{}",
        r#"{"Records": [{}]}"#,
        r#"{"Records": [{"eventSource": "aws:sqs", "eventName": "x"}]}"#,
        r#"{"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": {"key": "%ff"}, "bucket": {"name": "b"}}}]}"#,
        r#"{"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": {"key": ""}, "bucket": {"name": "b"}}}]}"#,
        r#"{"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": {"key": "k"}}}]}"#,
    ];
    for message in unknown {
        assert!(matches!(Notice::read(message), Notice::Unknown(_)), "{message}");
    }
    let inner = wrapped(&json!({"Records": []}));
    let thrice = wrapped(&serde_json::from_str(&wrapped(&serde_json::from_str(&inner).unwrap())).unwrap());
    assert!(matches!(Notice::read(&thrice), Notice::Unknown(_)));
}

proptest! {
    #[test]
    fn every_key_comes_back_as_it_was_written(key in "\\PC{1,40}") {
        let encoded: String = key.bytes().map(|byte| match byte {
            b' ' => "+".to_owned(),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        }).collect();
        prop_assert_eq!(keys(&json!({"Records": [record("ObjectCreated:Put", &encoded)]}).to_string()), [key]);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,200}") {
        let _ = Notice::read(&text);
    }
}
