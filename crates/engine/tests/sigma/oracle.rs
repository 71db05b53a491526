//! The rule repository's AWS rules on real records, beside what another converter and SQLite make of them.
//!
//! The other side is a second opinion, not truth; `docs/reference/sigma-divergences.md` lists where and why we differ.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::data::{Bench, folder, json_lines, repository, rules};

const ASSUME_ROLE_MISUSE: &str = "905d389b-b853-46d0-9d3d-dea0d3a3cd49";
const BUCKET_VERSIONING: &str = "a136ac98-b2bc-4189-a14d-f0d0388e57a7";

/// Rule id, event, and whether we hold the rule: every disagreement, each explained in the divergences page.
const DIVERGENCES: [(&str, &str, bool); 6] = [
    // Field names in another case: columns of SQLite have no case.
    (ASSUME_ROLE_MISUSE, "panther:907cd922e6dc3e19", false),
    (ASSUME_ROLE_MISUSE, "panther:ca76642591f28ffb", false),
    // `contains` on an object: the other side has no column for it.
    (BUCKET_VERSIONING, "panther:2eab6fd204448ebe", true),
    (BUCKET_VERSIONING, "panther:3541048e3a92ecc9", true),
    (BUCKET_VERSIONING, "panther:4fe897e8213d4b38", true),
    (BUCKET_VERSIONING, "panther:64ecebdd7cb7f2b8", true),
];

/// Every CloudTrail record of the labelled sets, by the name that the other side gives it.
fn events() -> BTreeMap<String, String> {
    let mut events = BTreeMap::new();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for row in json_lines("labelled/panther_tests.jsonl") {
        if row["log_type"] == "AWS.CloudTrail" && row["event"].is_object() {
            events.insert(format!("panther:{}", text(&row["id"])), row["event"].to_string());
        }
    }
    for row in json_lines("labelled/invictus.jsonl.gz") {
        events.insert(format!("invictus:{}", text(&row["id"])), row["event"].to_string());
    }
    for (prefix, file) in [("stratus", "stratus"), ("td", "traildiscover")] {
        for row in json_lines(&format!("labelled/{file}.jsonl")) {
            for (at, event) in row["events"].as_array().into_iter().flatten().enumerate() {
                events.insert(format!("{prefix}:{}#{at}", text(&row["id"])), event.to_string());
            }
        }
    }
    for row in json_lines("labelled/otrf_ec2_proxy_s3_exfil.jsonl") {
        events.insert(format!("otrf:{}", text(&row["id"])), row["event"].to_string());
    }
    events
}

#[test]
fn aws_rules_agree_with_another_converter() {
    if folder().is_none() {
        return;
    }
    let repository: BTreeMap<String, String> = repository().into_iter().collect();
    let events = events();
    let mut found = BTreeSet::new();
    let mut pairs = 0;
    for row in json_lines("labelled/sigma_aws_oracle.jsonl") {
        let path = row["rule_path"].as_str().expect("a path");
        let rule = rules(&repository[path]);
        let mut bench = Bench::of(&repository[path]);
        let rows = row["matches"].as_array().expect("matches");
        let wanted: BTreeSet<&str> = rows.iter().map(|m| m["event"].as_str().expect("a name")).collect();
        let unknown: Vec<&&str> = wanted.iter().filter(|name| !events.contains_key(**name)).collect();
        assert!(unknown.is_empty(), "{path}: {unknown:?}");
        for (name, event) in &events {
            let holds = !bench.hits(event).is_empty();
            pairs += usize::from(holds);
            if holds != wanted.contains(name.as_str()) {
                found.insert((rule[0].id.to_string(), name.clone(), holds));
            }
        }
    }
    let expected: BTreeSet<(String, String, bool)> =
        DIVERGENCES.iter().map(|(rule, event, holds)| ((*rule).to_owned(), (*event).to_owned(), *holds)).collect();
    assert_eq!(found, expected, "{} pairs of rule and event hold", pairs);
    assert!(pairs > 300, "{pairs} pairs hold");
}
