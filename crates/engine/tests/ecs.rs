//! Events of every source, as ECS: valid against the published list of fields, and compared with what others make of the same records.
#![allow(missing_docs, clippy::disallowed_methods)] // Tests read files and clocks; the crate does not.

#[path = "ecs/agreement.rs"]
mod agreement;
mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{data, ecs, engine, read_file, samples, source_folders};
use engine::{Event, Reject, Sink, ecs as schema};
use model::{Finding, SourceId};
use serde_json::{Value, json};

use agreement::Agreement;

#[derive(Default)]
struct Checked {
    wrong: BTreeMap<String, BTreeSet<String>>,
    events: usize,
}

impl Sink for Checked {
    fn rejected(&mut self, _raw: &[u8], _source: Option<&SourceId>, _reason: Reject) {}

    fn evaluated(&mut self, event: &Event<'_>) {
        self.events += 1;
        let wrong = schema::check(&ecs(event));
        if !wrong.is_empty() {
            self.wrong.entry(event.source().id.to_string()).or_default().extend(wrong);
        }
    }

    fn finding(&mut self, _finding: Finding, _event: &Event<'_>) {}
}

#[test]
fn every_sample_of_every_source_is_valid_ecs() {
    let engine = engine(&[]);
    let mut checked = Checked::default();
    for sample in source_folders().iter().flat_map(|folder| samples(folder)) {
        read_file(&engine, &sample, &mut checked);
    }
    assert!(checked.events > 700, "{}", checked.events);
    assert!(checked.wrong.is_empty(), "{:#?}", checked.wrong);
}

#[test]
fn what_is_wrong_with_an_event_is_told() {
    let event = json!({
        "@timestamp": "2026-01-01T00:00:00Z", "ecs": {"version": "9.4.0"}, "source": {"ip": "not one", "colour": "red"},
        "event": {"kind": "event", "category": ["web"], "type": ["creation"]}, "related": {"user": "a"}, "watchkeep": {"any": {"thing": 1}},
    });
    let wrong = schema::check(&event);
    for said in [
        "source.ip: ",
        "source.colour: ECS has no such field",
        "related.user: a list",
        "event.type: `creation` goes with none",
    ] {
        assert!(wrong.iter().any(|one| one.starts_with(said)), "{said}: {wrong:#?}");
    }
    assert_eq!(wrong.len(), 4, "{wrong:#?}");
}

#[test]
fn events_agree_with_what_others_make_of_the_same_records() {
    let engine = engine(&[]);
    let mut all = vec![agreement::logstash(&engine)];
    if let Some(data) = data() {
        all.extend([agreement::opentelemetry(&engine, &data), agreement::opensearch(&engine, &data)]);
    }
    for one in &all {
        assert!(
            one.share() >= one.floor,
            "{}: {} where {} was reached\n{}",
            one.name,
            one.share(),
            one.floor,
            one.table()
        );
    }
    if all.len() == 3 {
        let text: Vec<String> = all.iter().map(Agreement::table).collect();
        common::page("reference/exports.md", "agreement", &text.join("\n\n"));
    }
}

fn one(record: &Value) -> Value {
    agreement::ours(&engine(&[]), &record.to_string())
}

/// Holds fields of an event against what is right; `null` where there must be none.
fn says(event: &Value, right: &Value) {
    for (name, value) in right.as_object().expect("fields") {
        let own = event.pointer(&format!("/{}", name.replace('.', "/"))).unwrap_or(&Value::Null);
        assert_eq!(own, value, "{name}");
    }
}

#[test]
fn a_session_in_cloudtrail_has_the_name_of_its_role_and_taking_one_is_authentication() {
    let event = one(&json!({
        "eventVersion": "1.08", "eventName": "AssumeRole", "eventSource": "sts.amazonaws.com", "eventTime": "2026-05-06T10:30:00Z",
        "eventID": "e-1", "sourceIPAddress": "10.0.0.1", "awsRegion": "us-east-2", "recipientAccountId": "111122223333",
        "userAgent": "aws-cli/2.15", "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": "sts.amazonaws.com"},
        "userIdentity": {"type": "AssumedRole", "principalId": "AROAEXAMPLE:s", "arn": "arn:aws:sts::111122223333:assumed-role/trainer/s",
            "sessionContext": {"sessionIssuer": {"type": "Role", "userName": "trainer"}}},
    }));
    says(
        &event,
        &json!({
            "@timestamp": "2026-05-06T10:30:00.000Z", "event.action": "AssumeRole", "event.category": ["authentication"], "event.type": ["info"],
            "event.kind": "event", "event.outcome": "success", "event.provider": "sts.amazonaws.com", "event.id": "e-1",
            "event.dataset": "aws.cloudtrail", "user.id": "AROAEXAMPLE:s", "user.name": "trainer", "source.ip": "10.0.0.1",
            "source.address": "10.0.0.1", "cloud.account.id": "111122223333", "cloud.region": "us-east-2", "cloud.provider": "aws",
            "user_agent.original": "aws-cli/2.15", "tls.version": "1.3", "tls.version_protocol": "tls", "related.ip": ["10.0.0.1"],
            "tls.client.server_name": "sts.amazonaws.com", "error": null,
        }),
    );
}

#[test]
fn what_iam_does_to_users_is_of_the_category_iam() {
    let event = one(&json!({
        "eventVersion": "1.08", "eventName": "CreateUser", "eventSource": "iam.amazonaws.com", "eventTime": "2026-05-06T10:30:00Z",
        "sourceIPAddress": "cloudformation.amazonaws.com", "errorCode": "AccessDenied", "errorMessage": "no",
        "requestParameters": {"userName": "mallory"}, "userIdentity": {"type": "IAMUser", "principalId": "AIDA", "userName": "ana"},
    }));
    says(
        &event,
        &json!({
            "event.category": ["iam"], "event.type": ["user", "creation"], "event.outcome": "failure", "error.code": "AccessDenied",
            "error.message": "no", "user.name": "ana", "user.target.name": "mallory", "source.ip": null,
            "source.address": "cloudformation.amazonaws.com", "source.domain": "cloudformation.amazonaws.com",
        }),
    );
}

#[test]
fn a_guardduty_finding_says_its_rule_and_what_it_is_about() {
    let event = one(&json!({
        "schemaVersion": "2.0", "accountId": "111122223333", "region": "us-east-1", "id": "f-1", "type": "Trojan:EC2/BlackholeTraffic!DNS",
        "severity": 5, "createdAt": "2026-11-17T09:33:19.224Z", "updatedAt": "2026-11-22T12:22:20.934Z", "title": "T", "description": "D",
        "resource": {"resourceType": "Instance", "instanceDetails": {"instanceId": "i-99999999", "instanceType": "m3.xlarge"}},
        "service": {"serviceName": "guardduty", "detectorId": "d", "archived": false, "count": 2, "eventFirstSeen": "2026-11-17T09:33:19.000Z",
            "eventLastSeen": "2026-11-22T12:22:20.000Z",
            "action": {"actionType": "DNS_REQUEST", "dnsRequestAction": {"domain": "bad.example", "protocol": "UDP"}}},
    }));
    says(
        &event,
        &json!({
            "event.action": "DNS_REQUEST", "event.kind": "alert", "event.type": ["info"], "event.severity": 5, "event.id": "f-1",
            "event.created": "2026-11-17T09:33:19.224Z", "event.start": "2026-11-17T09:33:19.000Z", "event.end": "2026-11-22T12:22:20.000Z",
            "message": "D", "rule.name": "Trojan:EC2/BlackholeTraffic!DNS", "rule.category": "Trojan", "rule.ruleset": "Trojan:EC2",
            "dns.question.name": "bad.example", "network.transport": "udp", "host.id": "i-99999999", "host.type": "m3.xlarge",
            "cloud.instance.id": "i-99999999", "cloud.machine.type": "m3.xlarge", "cloud.account.id": "111122223333",
            "cloud.region": "us-east-1", "cloud.provider": "aws", "cloud.service.name": "guardduty",
        }),
    );
}

#[test]
fn a_flow_is_allowed_or_denied() {
    let event = agreement::ours(
        &engine(&[]),
        "2 123456789010 eni-1235b8ca123456789 172.31.9.69 172.31.9.12 49761 3389 6 20 4249 1418530010 1418530070 REJECT OK",
    );
    says(
        &event,
        &json!({
            "event.action": "reject", "event.category": ["network"], "event.type": ["connection", "denied"], "event.outcome": "failure",
            "event.start": "2014-12-14T04:06:50.000Z", "event.end": "2014-12-14T04:07:50.000Z", "source.ip": "172.31.9.69", "source.port": 49761,
            "source.bytes": 4249, "source.packets": 20, "destination.ip": "172.31.9.12", "destination.port": 3389, "network.bytes": 4249,
            "network.packets": 20, "network.transport": "tcp", "network.type": "ipv4", "network.iana_number": "6",
            "related.ip": ["172.31.9.12", "172.31.9.69"], "cloud.account.id": "123456789010",
        }),
    );
}
