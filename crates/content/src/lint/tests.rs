use std::path::Path;

use super::*;
use crate::load;
use crate::tests::{RULE, write};

const SOURCE: &str = include_str!("../../tests/fixtures/source.yml");

/// The codes that linting a folder of these files gives, each with its file's name.
fn codes(files: &[(&str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "sources/aws_cloudtrail/source.yml", SOURCE);
    for (file, text) in files {
        write(folder.path(), file, text);
    }
    let roots = [Root::Dir(folder.path().into())];
    let (catalogue, diagnostics) = load(&roots);
    assert!(diagnostics.iter().all(|wrong| !wrong.is_error()), "{diagnostics:#?}");
    let name =
        |file: &str| Path::new(file).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    lint(&catalogue, &roots).iter().map(|wrong| format!("{} {}", name(&wrong.file), wrong.code)).collect()
}

const TESTED: &str = "\
rule: root
cases:
  - {name: a, kind: hit, record: {eventName: ConsoleLogin}}
  - {name: b, kind: benign, record: {eventName: ConsoleLogin}}
  - {name: c, kind: near_miss, record: {eventName: ConsoleLogin}}
";

#[test]
fn a_tested_rule_of_a_known_source_is_fine() {
    assert_eq!(codes(&[("packs/p/root.yml", RULE), ("packs/p/root.test.yml", TESTED)]), [""; 0]);
}

#[test]
fn own_rules_are_tested_each_way() {
    assert_eq!(codes(&[("packs/p/root.yml", RULE)]), ["root.yml untested"]);
    let half = TESTED.lines().take(3).collect::<Vec<_>>().join("\n");
    assert_eq!(codes(&[("packs/p/root.yml", RULE), ("packs/p/root.test.yml", &half)]), ["root.yml half-tested"]);
}

#[test]
fn a_rule_that_no_source_carries_is_dormant() {
    let okta = RULE.replace("aws", "okta");
    let found = codes(&[("packs/p/root.yml", &okta), ("packs/p/root.test.yml", TESTED)]);
    assert_eq!(found, ["root.yml dormant"]);
}

#[test]
fn what_a_rule_requires_and_folds_by_exists() {
    let rule = format!(
        "{RULE}watchkeep:
    owner: detection
    requires: [{{source: aws_cloudtrial, fields: [eventName]}}, {{source: aws_cloudtrail, fields: [evntName]}}]
    fold: {{by: [princpal], window: 1h}}
"
    );
    let found = codes(&[("packs/p/root.yml", &rule), ("packs/p/root.test.yml", TESTED)]);
    assert_eq!(found, ["root.yml unknown-field", "root.yml unknown-fold", "root.yml unknown-source"]);
}

#[test]
fn titles_techniques_tests_and_lists() {
    let second = RULE.replace("0a01", "0a02").replace("t1078.004", "t1078.4");
    let cases = "rule: rot\ncases:\n  - {name: a, kind: hit, source: nowhere, record: {}}\n  - {name: a, kind: benign, record: {}}\n";
    let found = codes(&[
        ("packs/p/root.yml", RULE),
        ("packs/p/root.test.yml", TESTED),
        ("packs/q/second.yml", &second),
        ("packs/q/others.test.yml", cases),
        ("inventory/a.yml", "list: [x]\n"),
    ]);
    assert_eq!(
        found,
        [
            "a.yml no-owner",
            "others.test.yml unknown-rule",
            "others.test.yml unknown-source",
            "others.test.yml duplicate-name",
            "second.yml bad-technique",
            "second.yml duplicate-title",
            "second.yml untested",
        ]
    );
}

#[test]
fn a_share_is_of_a_list_that_exists() {
    let of = |list: &str| {
        let stateful = "type: coverage, group-by: [userIdentity.arn], timespan: 1d, condition: {field: requestParameters.key, gte: 90%}";
        format!("{RULE}watchkeep:\n    stateful: {{{stateful}, of: '%{list}%'}}\n")
    };
    let lists = "shards: {owner: us, values: [a, b]}\nnone: {owner: us, values: []}\n";
    let found = |list: &str| {
        codes(&[("packs/p/root.yml", &of(list)), ("packs/p/root.test.yml", TESTED), ("inventory/a.yml", lists)])
    };
    assert_eq!(found("shards"), [""; 0]);
    assert_eq!(found("shard"), ["root.yml unknown-list"]);
    assert_eq!(found("none"), ["root.yml empty-list"]);
}
