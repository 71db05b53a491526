//! Rules over time, verb by verb: what is scanned in any order, cut and twice, comes to the same findings.

use std::path::Path;

use serde_json::Value;

use crate::import::data;
use crate::ran::{Ran, folder, watchkeep};

const SECRETS: &str = "\
title: Secrets Listed
id: 0f7a4f0e-8a52-4a5f-9a0b-3f2c0c6f0c01
name: listed
status: test
level: low
logsource: {product: aws, service: cloudtrail}
detection: {selection: {eventName: ListSecrets}, condition: selection}
---
title: Secret Read
id: 0f7a4f0e-8a52-4a5f-9a0b-3f2c0c6f0c02
name: read
status: test
level: low
logsource: {product: aws, service: cloudtrail}
detection: {selection: {eventName: GetSecretValue}, condition: selection}
---
title: Many Secrets Read
id: 0f7a4f0e-8a52-4a5f-9a0b-3f2c0c6f0c03
name: many_read
status: test
level: medium
correlation:
    type: value_count
    rules: [read]
    group-by: [userIdentity.arn]
    timespan: 5m
    condition: {field: requestParameters.secretId, gte: 10}
---
title: Secrets Listed and Read in Bulk
id: 0f7a4f0e-8a52-4a5f-9a0b-3f2c0c6f0c04
status: test
level: high
tags: [attack.t1555.006]
correlation:
    type: temporal_ordered
    rules: [listed, many_read]
    group-by: [userIdentity.arn]
    timespan: 10m
";

/// The events of one Stratus technique, as lines.
fn stratus(technique: &str) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(data::folder()?.join("labelled/stratus.jsonl")).expect("there");
    let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a row is JSON"));
    let row = rows.into_iter().find(|row| row["id"] == technique).expect("the technique");
    Some(row["events"].as_array().expect("events").iter().map(Value::to_string).collect())
}

fn scan(folder: &Path, threads: &str, more: &[&str]) -> Ran {
    let args = ["scan", "logs", "--rules", "rules", "--no-default-rules", "--threads", threads];
    watchkeep(folder, &[&args[..], more].concat())
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(path, text).expect("written");
}

#[test]
fn a_real_sequence_is_found_once_in_any_order_and_on_any_number_of_threads() {
    let Some(events) = stratus("aws.credential-access.secretsmanager-retrieve-secrets") else { return };
    let in_order = folder();
    write(in_order.path(), "rules/secrets.yml", SECRETS);
    write(in_order.path(), "logs/all.json", &events.join("\n"));
    let ran = scan(in_order.path(), "1", &[]).ended(1);
    let findings = ran.lines();
    let [finding] = &findings[..] else { panic!("one finding: {}", ran.out) };
    assert_eq!(
        (&finding["rule_title"], &finding["level"]),
        (&"Secrets Listed and Read in Bulk".into(), &"high".into())
    );
    assert_eq!(finding["techniques"][0], "T1555.006");
    let window = &finding["window"];
    assert_eq!((&window["standing"], &window["event_count"]), (&"final".into(), &21.into()), "{finding}");
    let parts = window["events"].as_array().expect("events").iter().map(|event| event["parts"][0].clone());
    let parts: Vec<Value> = parts.collect();
    assert!(parts.contains(&"Secrets Listed".into()) && parts.contains(&"Many Secrets Read".into()), "{window}");
    assert!(ran.err.contains("2 correlations: 21 events taken in, 0 of them repeated, 1 finding"), "{}", ran.err);
    assert!(!ran.err.contains("left out"), "{}", ran.err);

    // Backwards, cut into files whose order is not that of time, every third event twice.
    let shuffled = folder();
    write(shuffled.path(), "rules/secrets.yml", SECRETS);
    for (nth, chunk) in events.chunks(4).enumerate() {
        let lines: Vec<&str> = chunk.iter().rev().map(String::as_str).collect();
        write(shuffled.path(), &format!("logs/{}.json", (nth * 5) % 7), &lines.join("\n"));
    }
    let again: Vec<&str> = events.iter().step_by(3).map(String::as_str).collect();
    write(shuffled.path(), "logs/again.json", &again.join("\n"));
    for threads in ["1", "4"] {
        let ran = scan(shuffled.path(), threads, &[]).ended(1);
        let mut other = ran.lines();
        other.iter_mut().for_each(|other| other["received"] = finding["received"].clone());
        assert_eq!(other, std::slice::from_ref(finding), "{threads} threads");
        assert!(ran.err.contains("28 events taken in, 7 of them repeated"), "{}", ran.err);
    }
}

const RECORD: &str = r#"{"eventVersion":"1.08","eventTime":"2026-01-31T10:00:MMZ","eventSource":"secretsmanager.amazonaws.com","eventName":"GetSecretValue","eventID":"5a3c0f7e-0000-4000-8000-0000000000MM","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ana"},"requestParameters":{"secretId":"sMM"}}"#;

/// Reads of as many secrets by one user, a second apart.
fn reads(count: usize) -> String {
    (0..count).map(|n| RECORD.replace("MM", &format!("{n:02}")) + "\n").collect()
}

#[test]
fn without_the_default_rules_a_copy_of_one_of_them_is_no_second_one() {
    let site = folder();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content/packs/cloud");
    for name in ["secrets_read_in_bulk.yml", "secrets_read_with_user_key.yml"] {
        let text = std::fs::read_to_string(shipped.join(name)).expect("shipped");
        write(site.path(), &format!("rules/{name}"), &text);
    }
    write(site.path(), "logs/reads.json", &reads(1));
    let ran = scan(site.path(), "1", &[]).ended(0);
    assert!(!ran.err.contains("error[") && ran.err.contains("1 correlation:"), "{}", ran.err);
}

#[test]
fn findings_over_time_are_written_in_every_format() {
    let site = folder();
    write(site.path(), "rules/secrets.yml", SECRETS.rsplit_once("---").expect("documents").0);
    write(site.path(), "logs/reads.json", &reads(12));
    let table = scan(site.path(), "1", &["--format", "table"]).ended(1).out;
    assert!(table.contains("12 events in 11s for userIdentity.arn = arn:aws:iam::111122223333:user/ana"), "{table}");
    let ocsf = scan(site.path(), "1", &["--format", "ocsf"]).ended(1).lines();
    assert_eq!((&ocsf[0]["class_uid"], &ocsf[0]["count"]), (&2004.into(), &12.into()));
    assert_eq!(ocsf[0]["evidences"][0]["data"]["events"].as_array().map(Vec::len), Some(12));
    // Below the bound nothing is found, and the rule beneath is silent.
    write(site.path(), "logs/reads.json", &reads(9));
    assert!(scan(site.path(), "2", &[]).ended(0).lines().is_empty());
}

#[test]
fn a_correlation_is_checked_and_tested_like_a_rule() {
    let site = folder();
    write(site.path(), "rules/secrets.yml", SECRETS);
    let ran = watchkeep(site.path(), &["check", "rules"]).ended(0);
    assert!(!ran.out.contains("correlation") && ran.err.contains(" correlations, "), "{}{}", ran.out, ran.err);
    let records: Vec<String> = reads(10).lines().map(str::to_owned).collect();
    let late: Vec<&str> = records.iter().skip(1).chain(records.first()).map(String::as_str).collect();
    let case = |name: &str, kind: &str, records: &[&str]| {
        let records: Vec<String> = records.iter().map(|record| format!("      - '{record}'\n")).collect();
        format!("  - name: {name}\n    kind: {kind}\n    records:\n{}", records.concat())
    };
    let all: Vec<&str> = records.iter().map(String::as_str).collect();
    let test = [
        "rule: many_read\ncases:\n".to_owned(),
        case("ten", "hit", &all),
        case("nine", "near_miss", &all[..9]),
        case("the first comes last", "late", &late),
    ];
    write(site.path(), "rules/many.test.yml", &test.concat());
    let ran = watchkeep(site.path(), &["test", "rules"]).ended(0);
    assert!(ran.out.contains("3 tests of 1 rule: 3 passed, 0 failed"), "{}", ran.out);
}
