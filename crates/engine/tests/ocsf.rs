//! Events of every source, as OCSF, are valid against the published schema.
#![allow(missing_docs, clippy::disallowed_methods)] // Tests read files and clocks; the crate does not.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use common::{engine, read_file, samples, source_folders};
use engine::ocsf::{Exported, Validator};
use engine::{Event, Reject, Sink};
use model::{Finding, SourceId};
use serde_json::json;

/// What is wrong with the exported events, by source; and what was not there.
#[derive(Default)]
struct Checked {
    events: BTreeMap<String, usize>,
    wrong: BTreeMap<String, BTreeSet<String>>,
    missing: BTreeMap<String, BTreeSet<String>>,
    unplaced: BTreeMap<String, BTreeSet<String>>,
}

impl Checked {
    /// By source: what is required and not there, and columns that the class has no place for.
    fn gaps(&self) -> String {
        let list = |of: &BTreeMap<String, BTreeSet<String>>, id: &str| {
            let all: Vec<String> = of.get(id).into_iter().flatten().map(|name| format!("`{name}`")).collect();
            all.join(", ")
        };
        let mut text =
            "| source | required, and `Unknown` in some records | no place in the class |\n|---|---|---|\n".to_owned();
        for id in self.events.keys() {
            let (missing, unplaced) = (list(&self.missing, id), list(&self.unplaced, id));
            if !missing.is_empty() || !unplaced.is_empty() {
                let _ = writeln!(text, "| `{id}` | {missing} | {unplaced} |");
            }
        }
        text
    }
}

impl Sink for Checked {
    fn rejected(&mut self, _raw: &[u8], _source: Option<&SourceId>, _reason: Reject) {}

    fn evaluated(&mut self, event: &Event<'_>) {
        let source = event.source().id.to_string();
        let Exported { event: made, missing, unplaced } = common::export(event);
        *self.events.entry(source.clone()).or_default() += 1;
        let violations = Validator::check(&made);
        if !violations.is_empty() {
            let said = violations.iter().map(ToString::to_string);
            self.wrong.entry(source.clone()).or_default().extend(said);
        }
        self.missing.entry(source.clone()).or_default().extend(missing);
        self.unplaced.entry(source).or_default().extend(unplaced);
    }

    fn finding(&mut self, _finding: Finding, _event: &Event<'_>) {}
}

#[test]
fn every_sample_of_every_source_is_valid_ocsf() {
    let engine = engine(&[]);
    let mut checked = Checked::default();
    let folders = source_folders();
    for sample in folders.iter().flat_map(|folder| samples(folder)) {
        read_file(&engine, &sample, &mut checked);
    }
    assert_eq!(checked.events.len(), folders.len(), "every source has a sample");
    assert!(checked.wrong.is_empty(), "{:#?}", checked.wrong);
    common::page("reference/exports.md", "gaps", &checked.gaps());
}

#[test]
fn what_is_wrong_with_an_event_is_told() {
    let event = json!({
        "class_uid": 6003, "category_uid": 6, "activity_id": 2, "type_uid": 600_301, "severity_id": 7, "time": "now",
        "class_name": "API Activity", "status_id": 2, "status": "Success", "colour": "red",
        "actor": {"user": {"type": "User"}}, "src_endpoint": {"ip": "1.2.3"}, "api": {},
        "device": {"hostname": "h", "type_id": 0}, "resources": {"uid": "r"},
        "metadata": {"version": "1.8.0", "profiles": ["incident"], "product": {"name": "p"}},
    });
    let wrong = Validator::check(&event);
    let expected = [
        "actor.user: at least one of [\"account\", \"name\", \"uid\"] is required",
        "api.operation: it is required",
        "colour: there is no such attribute",
        "device: it needs one of the profiles [\"host\"]",
        "metadata.profiles: `API Activity` does not offer the profile `incident`",
        "resources: a list is right",
        "severity_id: 7 is not one of [\"0\", \"1\", \"2\", \"3\", \"4\", \"5\", \"6\", \"99\"]",
        "src_endpoint.ip: \"1.2.3\" is no ip",
        "status: `Success` is not what status_id 2 means",
        "time: \"now\" is no timestamp",
        "type_uid: 600301 where 600302 is right",
    ];
    assert_eq!(wrong.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
    assert_eq!(Validator::check(&json!({"class_uid": 1}))[0].to_string(), "class_uid: there is no class 1");
}

const RULE: &str = r"
title: Anybody Called
id: 6b7c1f0e-6a53-4a0e-9f0b-5a1c0f7d2b10
status: test
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName|exists: true}, condition: s}
level: high
tags: [attack.t1078]
";

#[test]
fn a_finding_is_valid_too() {
    let engine = engine(&[RULE]);
    let sample = common::repository().join("content/sources/aws_cloudtrail/samples/management.ndjson");
    let mut memory = common::Memory::default();
    read_file(&engine, &sample, &mut memory);
    assert!(!memory.findings.is_empty());
    for finding in &memory.findings {
        let wrong = Validator::check(&engine::ocsf::detection_finding(finding));
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

/// An event of a CloudTrail record with these fields beside those that each has.
fn trail(more: &serde_json::Value) -> serde_json::Value {
    let mut record = json!({
        "eventVersion": "1.08", "eventName": "GetObject", "eventSource": "s3.amazonaws.com", "eventTime": "2026-05-06T10:30:00Z",
        "eventID": "e-1", "sourceIPAddress": "10.0.0.1", "awsRegion": "us-east-1", "recipientAccountId": "111122223333",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ana", "userName": "ana"},
    });
    record.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    common::exported(&engine(&[]), record.to_string().as_bytes()).ocsf
}

#[test]
fn a_service_in_place_of_an_address_is_a_host() {
    let event = trail(&json!({"sourceIPAddress": "kms.amazonaws.com"}));
    assert_eq!(event["src_endpoint"], json!({"hostname": "kms.amazonaws.com"}));
    let event = trail(&json!({"sourceIPAddress": "AWS Internal"}));
    assert_eq!(event["src_endpoint"], json!({"name": "AWS Internal"}));
}

#[test]
fn values_take_the_types_of_the_schema_and_captions_their_numbers() {
    let more = json!({
        "errorCode": "AccessDenied", "tlsDetails": {"tlsVersion": "TLSv1.3"}, "additionalEventData": {"bytesTransferredOut": 2356.0},
        "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/r/s", "accessKeyId": "ASIAEXAMPLEKEY000001",
            "sessionContext": {"attributes": {"mfaAuthenticated": "true", "creationDate": "2026-05-06T10:00:00Z"}}},
    });
    let event = trail(&more);
    assert_eq!((&event["status"], &event["status_id"]), (&json!("Failure"), &json!(2)));
    assert_eq!((&event["activity_name"], &event["type_name"]), (&json!("Read"), &json!("API Activity: Read")));
    assert_eq!(event["actor"]["session"]["is_mfa"], json!(true));
    assert_eq!(event["actor"]["session"]["created_time_dt"], json!("2026-05-06T10:00:00.000Z"));
    assert_eq!(event["unmapped"]["tls"]["version"], json!("TLSv1.3"), "API Activity has no place for it");
    let observables = event["observables"].as_array().expect("a list");
    let address = json!({"type_id": 2, "type": "IP Address", "value": "10.0.0.1", "name": "src_endpoint.ip"});
    assert!(observables.contains(&address), "{observables:#?}");
}

#[test]
fn another_activity_is_called_what_the_record_calls_it() {
    let event = trail(&json!({"eventName": "Frobnicate"}));
    assert_eq!((&event["activity_id"], &event["activity_name"]), (&json!(99), &json!("Frobnicate")));
    assert_eq!(event["type_name"], json!("API Activity: Other"));
}

#[test]
fn an_insight_has_no_caller_and_says_so() {
    let line =
        std::fs::read_to_string(common::repository().join("content/sources/aws_cloudtrail/samples/edge_shapes.ndjson"));
    let line = line.expect("a sample").lines().next().expect("a line").to_owned();
    let event = common::exported(&engine(&[]), line.as_bytes()).ocsf;
    assert_eq!(event["src_endpoint"], json!({"name": "Unknown"}), "OCSF requires the attribute");
}
