//! Tests of correlations, from raw records.

use crate::tests::{RULE, write};
use crate::{CaseOutcome, Root, load, run_cases};

const SOURCE: &str = include_str!("../../tests/fixtures/source.yml");
const OFTEN: &str = "\
title: Root Signs In Often
id: 0f7a4f0e-8a52-4a5f-9a0b-3f2c0c6f0b01
name: often
status: test
level: high
correlation:
    type: event_count
    rules: [0f7a4f0e-8a52-4a5f-9a0b-3f2c0c6f0a01]
    group-by: [sourceIPAddress]
    timespan: 10m
    condition: {gte: 3}
";

/// A sign-in of root at a minute of the day, as YAML.
fn sign_in(minute: u32, address: &str) -> String {
    let (hour, minute_of) = (minute / 60, minute % 60);
    format!(
        "{{eventName: ConsoleLogin, eventSource: signin.amazonaws.com, eventTime: '2026-01-31T{hour:02}:{minute_of:02}:00Z', \
         eventID: e-{minute}-{address}, userIdentity: {{type: Root}}, sourceIPAddress: {address}}}"
    )
}

fn case(name: &str, kind: &str, minutes: &[u32], more: &str) -> String {
    let records: Vec<String> = minutes.iter().map(|minute| sign_in(*minute, "192.0.2.1")).collect();
    format!("  - {{name: {name}, kind: {kind}, records: [{}]{more}}}\n", records.join(", "))
}

/// The outcomes of a test file beside a rule and a correlation: `name: passed` or `name: why it failed`.
fn outcomes(files: &[(&str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "sources/aws_cloudtrail/source.yml", SOURCE);
    for (file, text) in files {
        write(folder.path(), &format!("packs/p/{file}"), text);
    }
    let (catalogue, diagnostics) = load(&[Root::Dir(folder.path().into())]);
    assert!(!diagnostics.iter().any(model::Diagnostic::is_error), "{diagnostics:#?}");
    let (engine, _) = catalogue.compile(engine::Limits::default());
    let outcome = |one: &CaseOutcome| format!("{}: {}", one.name, one.failure.as_deref().unwrap_or("passed"));
    run_cases(&catalogue, &engine, None).iter().map(outcome).collect()
}

#[test]
fn a_correlation_is_tested_by_what_it_finds_at_last() {
    let test = [
        "rule: often\ncases:\n".to_owned(),
        case("in order", "hit", &[0, 5, 10], ""),
        case("in any order", "hit", &[10, 0, 5], ""),
        case("two bursts", "hit", &[0, 1, 2, 60, 61, 62], ", expect: {findings: 2}"),
        case("one record twice", "near_miss", &[0, 5, 5], ""),
        case("too far apart", "near_miss", &[0, 5, 11], ""),
        case("wrong hit", "hit", &[0, 5], ""),
        case("wrong silence", "benign", &[0, 1, 2], ""),
    ];
    assert_eq!(
        outcomes(&[("root.yml", RULE), ("often.yml", OFTEN), ("often.test.yml", &test.concat())]),
        [
            "in order: passed",
            "in any order: passed",
            "two bursts: passed",
            "one record twice: passed",
            "too far apart: passed",
            "wrong hit: expected at least 1 finding, got 0 findings",
            "wrong silence: expected no finding, got 1 finding",
        ]
    );
}

#[test]
fn a_late_case_says_that_it_was_late() {
    let test = [
        "rule: Root Signs In Often\ncases:\n".to_owned(),
        case("late", "late", &[0, 10, 5], ""),
        case("in order", "late", &[0, 5, 10], ""),
        case("beyond what is allowed", "late", &[0, 1, 600, 2], ""),
    ];
    assert_eq!(
        outcomes(&[("root.yml", RULE), ("often.yml", OFTEN), ("often.test.yml", &test.concat())]),
        [
            "late: passed",
            "in order: no record came late: the order is that of time",
            "beyond what is allowed: of all records together 1 finding, of the records as they come 0 findings: one is too late",
        ]
    );
}

#[test]
fn a_rule_that_speaks_through_a_correlation_alone_is_tested_by_itself() {
    let test = ["rule: root\ncases:\n".to_owned(), case("fires", "hit", &[0], ", expect: {findings: 1}")].concat();
    assert_eq!(outcomes(&[("root.yml", RULE), ("often.yml", OFTEN), ("root.test.yml", &test)]), ["fires: passed"]);
}

#[test]
fn of_a_file_with_rules_and_a_correlation_the_correlation_is_tested() {
    let both = format!("{RULE}---\n{OFTEN}");
    let of = |rule: &str| {
        let test = [format!("rule: {rule}\ncases:\n"), case("once", "near_miss", &[0], "")].concat();
        outcomes(&[("both.yml", &both), ("both.test.yml", &test)])
    };
    assert_eq!(of("both"), ["once: passed"]);
    assert_eq!(of("0f7a4f0e-8a52-4a5f-9a0b-3f2c0c6f0b01"), ["once: passed"]);
    assert_eq!(of("Root Signs In"), ["once: expected no finding, got 1 finding"]);
}

#[test]
fn a_case_of_a_correlation_may_bring_lists_of_its_rules() {
    let listed = RULE.replace("userIdentity.type: Root", "sourceIPAddress|expand: '%known%'");
    let known = ", inventory: {known: [192.0.2.1]}";
    let test = ["rule: often\ncases:\n".to_owned(), case("listed", "hit", &[0, 1, 2], known)].concat();
    let files = [("root.yml", listed.as_str()), ("often.yml", OFTEN), ("often.test.yml", &test)];
    assert_eq!(outcomes(&files), ["listed: passed"]);
}

#[test]
fn a_record_of_a_source_that_no_member_looks_at_is_told() {
    let other = RULE.replace("product: aws, service: cloudtrail", "product: kubernetes");
    let test = ["rule: often\ncases:\n".to_owned(), case("elsewhere", "near_miss", &[0], "")].concat();
    assert_eq!(
        outcomes(&[("root.yml", &other), ("often.yml", OFTEN), ("often.test.yml", &test)]),
        ["elsewhere: a record is of source `aws_cloudtrail`, which rule `Root Signs In Often` does not look at"]
    );
}
