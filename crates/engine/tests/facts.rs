//! What evaluation hands to correlations: which events, and what of them.
#![allow(missing_docs, clippy::disallowed_methods)] // Tests read files and clocks; the crate does not.

mod common;
#[path = "common/packed.rs"]
mod packed;

use common::{data, engine, evaluate, given};
use engine::correlate::{Feeds, Matched};
use engine::identity::{Link, Means};
use engine::{Engine, Event, Reject, Sink};
use model::{Finding, Lane, SourceId, Time};

const CALL: &str = r#"{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/trainer/pod-a","accountId":"111122223333","accessKeyId":"ASIAEXAMPLE"},"eventTime":"2026-05-06T10:30:00Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","sourceIPAddress":"192.0.2.7","requestParameters":{"bucketName":"lab-weights","key":"m/v1/model.safetensors","parts":7.50,"quiet":true,"note":"","none":null,"inner":{"a":1},"gone":[]},"resources":[{"ARN":"arn:aws:s3:::lab-weights/a"},{"ARN":"arn:aws:s3:::lab-weights"}],"eventID":"e-1","eventType":"AwsApiCall"}"#;
const ASSUMED: &str = r#"{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ana","accountId":"111122223333","accessKeyId":"AKIAEXAMPLE","userName":"ana"},"eventTime":"2026-05-06T10:20:00Z","eventSource":"sts.amazonaws.com","eventName":"AssumeRole","sourceIPAddress":"192.0.2.7","requestParameters":{"roleArn":"arn:aws:iam::111122223333:role/trainer","roleSessionName":"pod-a"},"responseElements":{"credentials":{"accessKeyId":"ASIAEXAMPLE","expiration":"May 6, 2026, 11:20:00 AM"},"assumedRoleUser":{"assumedRoleId":"AROAX:pod-a","arn":"arn:aws:sts::111122223333:assumed-role/trainer/pod-a"}},"eventID":"e-0","eventType":"AwsApiCall"}"#;

fn rule(name: &str, selection: &str, more: &str) -> String {
    let digit = name.as_bytes()[0] - b'a';
    format!(
        "title: Rule {name}\nname: {name}\nid: {digit}b7c2e9e-3d0a-4f0c-9c0a-6f2f5d1f7a11\nstatus: test\nlevel: low\n\
         logsource: {{product: aws, service: cloudtrail}}\ndetection: {{s: {{{selection}}}, condition: s}}\n{more}"
    )
}

fn correlation(body: &str) -> String {
    format!("title: Often\nstatus: test\nlevel: high\ncorrelation: {{timespan: 5m, {body}}}\n")
}

fn engine_of(texts: &[String]) -> Engine {
    engine(&texts.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The values that a fact has, by the field's name.
fn read<'m>(feeds: &'m Feeds, matched: &'m Matched) -> Vec<(&'m str, Vec<&'m str>)> {
    let name = |place: u32| feeds.fields[place as usize].as_str();
    matched.fields.iter().map(|(place, values)| (name(*place), values.iter().map(|value| &**value).collect())).collect()
}

#[test]
fn a_fact_says_which_event_and_what_is_read_of_it() {
    let own = "watchkeep: {entities: {host: requestParameters.bucketName}}\n";
    let group = "group-by: [who, resources.ARN], aliases: {who: {a: userIdentity.arn}}";
    let engine = engine_of(&[
        rule("a", "eventName: GetObject", own),
        correlation(&format!(
            "type: value_sum, rules: [a], {group}, condition: {{field: requestParameters.parts, gte: 3}}"
        )),
    ]);
    let memory = evaluate(&engine, CALL.as_bytes(), None);
    let [matched] = &memory.matched[..] else { panic!("one fact: {:?}", memory.matched) };
    assert_eq!(matched.id.to_string(), memory.events[0].id);
    assert_eq!(matched.time, Time::parse("2026-05-06T10:30:00Z").expect("a time"));
    assert_eq!((matched.detail.received, matched.lane), (given(None).received, Lane::Test));
    assert_eq!(matched.detail.source, SourceId::from("aws_cloudtrail"));
    assert_eq!(
        read(engine.feeds(), matched),
        [
            ("requestParameters.parts", vec!["7.50"]),
            ("resources.ARN", vec!["arn:aws:s3:::lab-weights/a", "arn:aws:s3:::lab-weights"]),
            ("userIdentity.arn", vec!["arn:aws:sts::111122223333:assumed-role/trainer/pod-a"]),
        ]
    );
    assert_eq!(&*matched.detail.brief, "trainer/pod-a called GetObject on s3.amazonaws.com from 192.0.2.7");
    let mut entities: Vec<String> =
        matched.detail.entities.iter().map(|entity| format!("{}={}", entity.kind, entity.key)).collect();
    assert!(entities.contains(&"host=lab-weights".to_owned()), "the rule's own: {entities:?}");
    entities.retain(|entity| entity != "host=lab-weights");
    assert_eq!(entities, memory.events[0].entities);
    assert_eq!((&matched.actor, memory.links.len()), (&None, 0), "nobody asks who is behind it");
}

#[test]
fn what_is_no_value_is_not_read() {
    let fields = ["quiet", "note", "none", "inner", "gone", "missing"].map(|name| format!("requestParameters.{name}"));
    let condition = format!("condition: {{field: [{}], gte: 3}}", fields.join(", "));
    let engine = engine_of(&[
        rule("a", "eventName: GetObject", ""),
        correlation(&format!("type: value_count, rules: [a], group-by: [eventID], {condition}")),
    ]);
    let memory = evaluate(&engine, CALL.as_bytes(), None);
    assert_eq!(engine.feeds().fields.len(), 7);
    assert_eq!(
        read(engine.feeds(), &memory.matched[0]),
        [("eventID", vec!["e-1"]), ("requestParameters.note", vec![""]), ("requestParameters.quiet", vec!["true"]),]
    );
}

#[test]
fn one_event_of_several_rules_is_one_fact_with_the_fields_of_each() {
    let texts = [
        rule("b", "eventSource: s3.amazonaws.com", ""),
        rule("a", "eventName: GetObject", ""),
        rule("c", "eventName: PutObject", ""),
        correlation("type: event_count, rules: [a, c], group-by: [sourceIPAddress], condition: {gte: 3}"),
        correlation("type: event_count, rules: [b], group-by: [eventName], condition: {gte: 3}")
            .replace("Often", "More"),
    ];
    let engine = engine_of(&texts);
    let memory = evaluate(&engine, CALL.as_bytes(), None);
    let [matched] = &memory.matched[..] else { panic!("one fact: {:?}", memory.matched) };
    let rules: Vec<&str> = matched.rules.iter().map(|place| engine.feeds().rules[*place as usize].as_str()).collect();
    assert_eq!(rules, ["0b7c2e9e-3d0a-4f0c-9c0a-6f2f5d1f7a11", "1b7c2e9e-3d0a-4f0c-9c0a-6f2f5d1f7a11"]);
    assert_eq!(
        read(engine.feeds(), matched),
        [("eventName", vec!["GetObject"]), ("sourceIPAddress", vec!["192.0.2.7"])]
    );
    assert_eq!(engine.correlations().len(), 2);
    let head = CALL.replace("GetObject", "HeadObject");
    let memory = evaluate(&engine, head.as_bytes(), None);
    assert_eq!(
        read(engine.feeds(), &memory.matched[0]),
        [("eventName", vec!["HeadObject"])],
        "only what its rule needs"
    );
    let other = head.replace("s3.amazonaws.com", "kms.amazonaws.com");
    assert!(evaluate(&engine, other.as_bytes(), None).matched.is_empty());
}

#[test]
fn a_rule_below_a_correlation_is_silent_unless_it_says_generate() {
    let rules = || [rule("a", "eventName: GetObject", ""), rule("b", "eventSource: s3.amazonaws.com", "")];
    let spoken = |more: &str| {
        let count = format!("type: event_count, rules: [a], group-by: [eventName], condition: {{gte: 3}}{more}");
        let memory = evaluate(&engine_of(&[&rules()[..], &[correlation(&count)]].concat()), CALL.as_bytes(), None);
        assert_eq!(memory.matched.len(), 1);
        memory.findings.into_iter().map(|finding| finding.rule_title).collect::<Vec<_>>()
    };
    assert_eq!(spoken(""), ["Rule b"]);
    assert_eq!(spoken(", generate: true"), ["Rule a", "Rule b"]);
    assert_eq!(evaluate(&engine_of(&rules()), CALL.as_bytes(), None).matched, []);
}

#[test]
fn an_event_that_a_filter_takes_out_is_no_fact() {
    let filter = "title: Not the lab\nlogsource: {product: aws}\nfilter: {rules: [a], s: {sourceIPAddress: 192.0.2.7}, condition: not s}\n";
    let engine = engine_of(&[
        rule("a", "eventName: GetObject", ""),
        correlation("type: event_count, rules: [a], group-by: [eventName], condition: {gte: 3}"),
        filter.to_owned(),
    ]);
    assert!(evaluate(&engine, CALL.as_bytes(), None).matched.is_empty());
    assert_eq!(evaluate(&engine, CALL.replace("192.0.2.7", "192.0.2.8").as_bytes(), None).matched.len(), 1);
}

#[test]
fn who_is_behind_it_is_told_where_a_correlation_asks() {
    let engine = engine_of(&[
        rule("a", "eventName: GetObject", ""),
        correlation("type: event_count, rules: [a], group-by: [watchkeep.who], condition: {gte: 3}"),
    ]);
    let memory = evaluate(&engine, CALL.as_bytes(), None);
    let actor = memory.matched[0].actor.as_ref().expect("somebody acts");
    assert_eq!(actor.key, "arn:aws:sts::111122223333:assumed-role/trainer/pod-a");
    // The event that shows who is behind it is no fact itself.
    let memory = evaluate(&engine, ASSUMED.as_bytes(), None);
    assert!(memory.matched.is_empty());
    let handed: Vec<&Link> = memory.links.iter().filter(|link| link.means == Means::AssumedBy).collect();
    assert!(handed.iter().any(|link| link.from == *actor && link.to.key.ends_with("user/ana")), "{:#?}", memory.links);
}

#[test]
fn a_brief_stays_on_one_short_line() {
    let engine = engine_of(&[
        rule("a", "eventName: GetObject", ""),
        correlation("type: event_count, rules: [a], group-by: [eventName], condition: {gte: 3}"),
    ]);
    let evil = CALL.replace("pod-a", &format!("x\\t\\u202e{}", "y".repeat(400)));
    let evil = evil.replace("192.0.2.7", &"1".repeat(400));
    let brief = evaluate(&engine, evil.as_bytes(), None).matched.remove(0).detail.brief.clone();
    assert!(brief.starts_with("trainer/x\\u{9}\\u{202e}yy") && brief.ends_with('…'), "{brief}");
    assert!(brief.chars().count() <= 160, "{brief}");
}

/// Facts, and the findings of the same events; asks the event for nothing else.
#[derive(Default)]
struct Both {
    findings: Vec<Finding>,
    matched: Vec<Matched>,
}

impl Sink for Both {
    fn rejected(&mut self, raw: &[u8], _source: Option<&SourceId>, reason: Reject) {
        panic!("{reason}: {}", String::from_utf8_lossy(raw));
    }
    fn evaluated(&mut self, _event: &Event<'_>) {}
    fn finding(&mut self, finding: Finding, _event: &Event<'_>) {
        self.findings.push(finding);
    }
    fn matched(&mut self, matched: Matched) {
        self.matched.push(matched);
    }
}

#[test]
fn of_real_records_each_finding_of_a_silent_rule_is_a_fact() {
    let Some(data) = data() else { return };
    let lone = rule("a", "eventName|startswith: [Get, List, Describe, Assume, Create]", "");
    let above = correlation("type: event_count, rules: [a], group-by: [eventName], condition: {gte: 3}");
    let (alone, fed) = (engine_of(std::slice::from_ref(&lone)), engine_of(&[lone.clone(), above]));
    let mut all = 0;
    for name in ["labelled/stratus.jsonl", "labelled/invictus.jsonl.gz"] {
        for line in packed::text_of(&data.join(name)).lines() {
            let row: serde_json::Value = serde_json::from_str(line).expect("a row is JSON");
            let events = row["events"].as_array().cloned().unwrap_or_else(|| vec![row["event"].clone()]);
            let record = serde_json::Value::from(events).to_string();
            let (mut spoken, mut silent) = (Both::default(), Both::default());
            alone.evaluate(&mut alone.worker(), record.as_bytes(), &given(None), &mut spoken);
            fed.evaluate(&mut fed.worker(), record.as_bytes(), &given(None), &mut silent);
            assert!(silent.findings.is_empty() && spoken.matched.is_empty());
            assert_eq!(spoken.findings.len(), silent.matched.len());
            for (finding, matched) in spoken.findings.iter().zip(&silent.matched) {
                assert_eq!(finding.event_ids, [matched.id]);
                assert_eq!(*finding.entities, *matched.detail.entities);
                let brief = matched.detail.brief.trim_end_matches('…');
                assert!(finding.message.starts_with(brief), "{} is not the start of {}", brief, finding.message);
                all += 1;
            }
        }
    }
    assert!(all > 500, "{all}");
}

/// The links that evaluation hands over, beside those that each record shows by itself.
#[derive(Default)]
struct BothLinks {
    handed: Vec<Link>,
    alone: Vec<Link>,
}

impl Sink for BothLinks {
    fn rejected(&mut self, _raw: &[u8], _source: Option<&SourceId>, _reason: Reject) {}
    fn evaluated(&mut self, event: &Event<'_>) {
        self.alone.extend(event.links());
    }
    fn finding(&mut self, _finding: Finding, _event: &Event<'_>) {}
    fn linked(&mut self, links: Vec<Link>) {
        self.handed.extend(links);
    }
}

#[test]
fn what_a_worker_remembers_of_links_is_what_each_record_shows_by_itself() {
    let Some(data) = data() else { return };
    let engine = engine_of(&[
        rule("a", "eventName: GetObject", ""),
        correlation("type: event_count, rules: [a], group-by: [watchkeep.who], condition: {gte: 3}"),
    ]);
    let (mut worker, mut both) = (engine.worker(), BothLinks::default());
    for name in ["labelled/stratus.jsonl", "labelled/invictus.jsonl.gz", "labelled/litellm_proxy.jsonl"] {
        for line in packed::text_of(&data.join(name)).lines() {
            let row: serde_json::Value = serde_json::from_str(line).expect("a row is JSON");
            let events = row["events"].as_array().cloned().unwrap_or_else(|| vec![row["event"].clone()]);
            let records = serde_json::Value::from(events).to_string();
            engine.evaluate(&mut worker, records.as_bytes(), &given(None), &mut both);
        }
    }
    assert!(both.alone.len() > 1000, "{}", both.alone.len());
    assert_eq!(both.handed, both.alone);
}
