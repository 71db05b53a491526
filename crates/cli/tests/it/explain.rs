use crate::ran::{fixture, fixture_text, folder, watchkeep, watchkeep_with};

fn records() -> Vec<String> {
    std::fs::read_to_string(fixture("trail.ndjson")).expect("there").lines().map(str::to_owned).collect()
}

fn explain(record: &str, more: &[&str]) -> crate::ran::Ran {
    let rules = fixture_text("rules");
    let mut args = vec!["explain", "root_signs_in", "-", "--rules", &rules];
    args.extend(more);
    watchkeep_with(folder().path(), &args, record.as_bytes())
}

#[test]
fn every_term_is_shown_with_what_was_seen() {
    let records = records();
    insta::assert_snapshot!("held", explain(&records[0], &[]).ended(0).out);
    insta::assert_snapshot!("silent", explain(&records[1], &[]).ended(0).out);
}

#[test]
fn an_explanation_is_json_too() {
    let shown = explain(&records()[..2].join("\n"), &["--format", "json"]).ended(0).json();
    assert_eq!(shown.as_array().map(Vec::len), Some(2));
    assert_eq!((&shown[0]["held"], &shown[1]["held"]), (&true.into(), &false.into()));
    assert_eq!(shown[0]["rule"], "0f7a4f0e-8a52-4a5f-9a0b-3f2c0c6f0a01");
}

#[test]
fn a_misspelt_rule_gets_a_suggestion() {
    let rules = fixture_text("rules");
    let ran = watchkeep_with(folder().path(), &["explain", "root_sings_in", "-", "--rules", &rules], b"{}").ended(2);
    assert!(ran.err.contains("did you mean `root_signs_in`?"), "{}", ran.err);
}

#[test]
fn a_record_that_is_rejected_says_why() {
    let ran = explain("{\"eventName\": ", &[]).ended(2);
    assert!(ran.err.contains("truncated") && ran.err.contains("remedy"), "{}", ran.err);
    assert!(explain("", &[]).ended(2).err.contains("no record"));
    let ran = watchkeep(folder().path(), &["explain", "root_user_changed_something", "gone.json"]).ended(2);
    assert!(ran.err.contains("gone.json"), "{}", ran.err);
}

/// Rules over time: many secrets read, and one read and then deleted.
pub const OVER_TIME: &str = "\
title: Secret Read
id: 0f7a4f0e-8a52-4a5f-9a0b-3f2c0c6f0d02
name: read
status: test
level: low
logsource: {product: aws, service: cloudtrail}
detection: {selection: {eventName: GetSecretValue}, condition: selection}
---
title: Secret Deleted
id: 0f7a4f0e-8a52-4a5f-9a0b-3f2c0c6f0d05
name: deleted
status: test
level: low
logsource: {product: aws, service: cloudtrail}
detection: {selection: {eventName: DeleteSecret}, condition: selection}
---
title: Many Secrets Read
id: 0f7a4f0e-8a52-4a5f-9a0b-3f2c0c6f0d03
name: many_read
status: test
level: medium
correlation:
    type: event_count
    rules: [read]
    group-by: [userIdentity.arn]
    timespan: 5m
    condition: {gte: 3}
---
title: Read Then Deleted
id: 0f7a4f0e-8a52-4a5f-9a0b-3f2c0c6f0d04
status: test
level: high
correlation:
    type: temporal_ordered
    rules: [read, deleted]
    group-by: [userIdentity.arn]
    timespan: 10m
";

/// A secret that somebody read in minute `n`.
pub fn record(n: usize, who: &str) -> String {
    format!(
        r#"{{"eventVersion":"1.09","eventID":"e-{n}","eventTime":"2026-11-22T01:0{n}:00Z","eventSource":"secretsmanager.amazonaws.com","eventName":"GetSecretValue","awsRegion":"eu-west-2","sourceIPAddress":"203.0.113.9","recipientAccountId":"111122223333","userIdentity":{{"type":"IAMUser","arn":"arn:{who}","userName":"{who}"}},"requestParameters":{{"secretId":"s{n}"}},"eventType":"AwsApiCall"}}"#
    )
}

/// Secrets read by ana three times and by ben once.
fn over_time(rule: &str, more: &[&str]) -> crate::ran::Ran {
    let folder = folder();
    std::fs::write(folder.path().join("rules.yml"), OVER_TIME).expect("written");
    let early = [record(0, "ana"), record(1, "ana"), record(2, "ben")].join("\n");
    std::fs::write(folder.path().join("a.json"), early).expect("written");
    std::fs::write(folder.path().join("b.json"), record(3, "ana")).expect("written");
    let args = ["explain", rule, "a.json", "b.json", "--rules", "rules.yml"];
    watchkeep(folder.path(), &[&args[..], more].concat())
}

#[test]
fn a_rule_over_time_says_where_a_group_stands_and_what_it_still_lacks() {
    insta::assert_snapshot!(
        "over_time_silent",
        over_time("many_read", &["--group", "userIdentity.arn=arn:ben"]).ended(0).out
    );
    insta::assert_snapshot!(
        "over_time_told",
        over_time("many_read", &["--group", "userIdentity.arn=arn:ana"]).ended(0).out
    );
    let lacking = over_time("Read Then Deleted", &["--group", "userIdentity.arn=arn:ben"]).ended(0).out;
    assert!(lacking.contains("not seen   Secret Deleted"), "{lacking}");
}

#[test]
fn groups_over_time_are_json_too() {
    let shown = over_time("many_read", &["--format", "json"]).ended(0).json();
    assert_eq!(shown.as_array().map(Vec::len), Some(2), "one for each group");
    let ana = &shown[0];
    assert_eq!((&ana["group"]["userIdentity.arn"], &ana["event_count"]), (&"arn:ana".into(), &3.into()));
    assert_eq!(
        (&ana["told"][0]["window"]["standing"], &ana["events"][2]["time"]),
        (&"final".into(), &"2026-11-22T01:03:00.000Z".into())
    );
    assert_eq!((&shown[1]["reading"]["value"], &shown[1]["reading"]["threshold"]), (&1.0.into(), &"at least 3".into()));
    assert_eq!(shown[1]["told"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_group_that_no_record_belongs_to_is_the_askers_mistake() {
    let ran = over_time("many_read", &["--group", "userIdentity.arn=arn:cyd"]).ended(2);
    assert!(
        ran.err.contains("no record belongs to a group of `Many Secrets Read` with userIdentity.arn=arn:cyd"),
        "{}",
        ran.err
    );
    assert!(over_time("many_read", &["--group", "ana"]).ended(2).err.contains("as in `--group user=ana`"));
    assert!(over_time("read", &["--group", "user=ana"]).ended(2).err.contains("is no rule over time"));
}
