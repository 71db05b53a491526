//! Cases written by hand leave out what their producer always writes, such as the time. Without it a record is rejected, and rightly so;
//! to score rules on such a case all the same, it is evaluated again with those fields added.

use serde_json::{Map, Value, json};

/// The record with the fields that its producer always writes; `None` when there is nothing to add.
pub fn complete(source: Option<&str>, record: &str) -> Option<String> {
    let Value::Object(mut fields) = serde_json::from_str(record).ok()? else { return None };
    let before = fields.len();
    for (name, value) in always(source?) {
        fields.entry(name).or_insert(value);
    }
    (fields.len() > before).then(|| Value::Object(fields).to_string())
}

fn always(source: &str) -> Map<String, Value> {
    let fields = match source {
        "aws_cloudtrail" => json!({
            "eventVersion": "1.08",
            "eventTime": "2026-01-01T00:00:00Z",
            "eventID": "00000000-0000-4000-8000-000000000000",
            "eventType": "AwsApiCall",
            "awsRegion": "us-east-1",
        }),
        "kubernetes_audit" => json!({
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "level": "Metadata",
            "auditID": "00000000-0000-4000-8000-000000000000",
            "stage": "ResponseComplete",
            "requestReceivedTimestamp": "2026-01-01T00:00:00.000000Z",
            "stageTimestamp": "2026-01-01T00:00:00.000000Z",
        }),
        "aws_s3_access_log" => json!({
            "bucket": "bucket",
            "operation": "REST.GET.OBJECT",
            "remoteip": "192.0.2.1",
            "requestid": "0000000000000000",
            "time": "2026-01-01 00:00:00.000",
        }),
        _ => json!({}),
    };
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::complete;

    #[test]
    fn what_is_there_stays_and_what_is_missing_comes() {
        let whole = complete(Some("kubernetes_audit"), r#"{"verb":"get","stage":"Panic"}"#).unwrap();
        assert!(whole.contains(r#""stage":"Panic""#) && whole.contains("requestReceivedTimestamp"));
        assert_eq!(complete(Some("aws_guardduty"), "{}"), None);
    }
}
