use std::path::Path;

use super::*;
use crate::tests::{RULE, write};
use crate::{Root, load, run_cases};

const SOURCE: &str = include_str!("../../tests/fixtures/source.yml");

fn read(text: &str) -> (Option<RuleCases>, Vec<String>) {
    let (cases, wrong) = parse("packs/p/root.test.yml", text);
    (cases, wrong.iter().map(|wrong| format!("{}:{} {}", wrong.line, wrong.code, wrong.message)).collect())
}

/// The outcomes of a test file beside the rule: `name: passed` or `name: why it failed`.
fn outcomes(test: &str) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "sources/aws_cloudtrail/source.yml", SOURCE);
    write(folder.path(), "packs/p/root.yml", RULE);
    write(folder.path(), "packs/p/listed.yml", &listed());
    write(folder.path(), "packs/p/root.test.yml", test);
    let (catalogue, diagnostics) = load(&[Root::Dir(Path::new(folder.path()).into())]);
    assert!(diagnostics.is_empty(), "{diagnostics:#?}");
    let (engine, _) = catalogue.compile(engine::Limits::default());
    let outcome = |one: &CaseOutcome| format!("{}: {}", one.name, one.failure.as_deref().unwrap_or("passed"));
    run_cases(&catalogue, &engine, None).iter().map(outcome).collect()
}

fn listed() -> String {
    RULE.replace("0a01", "0a02").replace("Root Signs", "Admin Signs").replace("type: Root", "arn|expand: '%admins%'")
}

const RECORD: &str = "eventSource: signin.amazonaws.com, eventTime: '2026-01-31T10:00:00Z', eventID: e1";

#[test]
fn records_of_all_shapes_are_read() {
    let text = "\
rule: root
cases:
  - name: yaml
    kind: hit
    source: aws_cloudtrail
    received: 2026-01-31T12:00:00Z
    record: {eventName: ConsoleLogin, n: 12345678901234567890, f: 1.50, t: \"true\", b: true, none: null, when: 2026-01-31}
    expect: {findings: 2}
  - {name: lines, kind: benign, raw: 'a b c'}
  - {name: several, kind: malformed, records: [{a: 1}, 'not json'], expect: {reject: not_json}}
";
    let (cases, wrong) = read(text);
    assert_eq!(wrong, [""; 0]);
    let cases = cases.expect("whole").cases;
    let json = r#"{"eventName":"ConsoleLogin","n":12345678901234567890,"f":1.5,"t":"true","b":true,"none":null,"when":"2026-01-31"}"#;
    assert_eq!(cases[0].records, [json]);
    assert_eq!(cases[0].expect, Expectation::Findings { least: 2, most: 2 });
    assert_eq!(cases[0].received, Time::parse("2026-01-31T12:00:00Z").ok());
    assert_eq!((cases[1].records[0].as_str(), cases[1].expect), ("a b c", Expectation::Findings { least: 0, most: 0 }));
    assert_eq!(cases[2].records, [r#"{"a":1}"#, "not json"]);
    assert_eq!(cases[2].expect, Expectation::Rejected(Some(Reject::NotJson)));
}

#[test]
fn every_mistake_of_a_test_file_is_told() {
    let text = "\
rul: root
cases:
  - {name: a, kind: hitt, record: {}}
  - {kind: hit, record: {}}
  - {name: c, kind: hit}
  - {name: d, kind: hit, record: {}, expect: {reject: nonsense}}
  - {name: e, kind: hit, record: {}, expect: {findings: some}}
  - {name: f, kind: hit, record: {}, recieved: now}
";
    let (cases, wrong) = read(text);
    let cases = cases.expect("what is sound stays");
    assert_eq!(cases.rule, "root", "the file's own stem");
    assert_eq!(cases.cases.iter().map(|case| case.name.as_str()).collect::<Vec<_>>(), ["f"]);
    assert_eq!(
        wrong,
        [
            "1:unknown-key unknown key `rul`",
            "3:bad-value `hitt` is no kind of case",
            "4:missing-key `name` is missing",
            "5:bad-case the case has no record",
            "6:bad-value `nonsense` is no reason",
            "7:bad-value `findings` is no whole number",
            "8:unknown-key unknown key `recieved`",
        ]
    );
}

#[test]
fn cases_pass_and_fail_from_raw_records() {
    let test = format!(
        "\
rule: root
cases:
  - {{name: fires, kind: hit, record: {{eventName: ConsoleLogin, userIdentity: {{type: Root}}, {RECORD}}}}}
  - {{name: silent, kind: benign, record: {{eventName: ConsoleLogin, userIdentity: {{type: IAMUser}}, {RECORD}}}}}
  - {{name: wrong hit, kind: hit, record: {{eventName: GetObject, userIdentity: {{type: Root}}, {RECORD}}}}}
  - {{name: wrong silence, kind: near_miss, record: {{eventName: ConsoleLogin, userIdentity: {{type: Root}}, {RECORD}}}}}
  - {{name: unknown, kind: benign, record: {{other: 1}}}}
  - {{name: cut, kind: malformed, raw: '{{\"eventName\": \"Console', expect: {{reject: truncated}}}}
  - {{name: not cut, kind: malformed, record: {{eventName: ConsoleLogin, {RECORD}}}}}
"
    );
    assert_eq!(
        outcomes(&test),
        [
            "fires: passed",
            "silent: passed",
            "wrong hit: expected at least 1 finding, got 0 findings",
            "wrong silence: expected no finding, got 1 finding",
            "unknown: a record was rejected as `unknown_source`: no source recognises the record",
            "cut: passed",
            "not cut: expected every record to be rejected; 1 evaluated",
        ]
    );
}

#[test]
fn a_case_may_bring_its_own_lists() {
    let test = format!(
        "\
rule: listed
cases:
  - {{name: known, kind: hit, inventory: {{admins: [ana]}}, record: {{eventName: ConsoleLogin, userIdentity: {{arn: ana}}, {RECORD}}}}}
  - {{name: unknown list, kind: hit, record: {{eventName: ConsoleLogin, userIdentity: {{arn: ana}}, {RECORD}}}}}
"
    );
    assert_eq!(
        outcomes(&test),
        ["known: passed", "unknown list: the rule was set aside when it was compiled; `watchkeep check` says why"]
    );
}

#[test]
fn junit_is_well_formed_whatever_the_text() {
    let outcome = |name: &str, failure: Option<&str>| CaseOutcome {
        file: "packs/a&b.test.yml".into(),
        line: 3,
        rule: "a&b".into(),
        name: name.into(),
        kind: CaseKind::Hit,
        failure: failure.map(str::to_owned),
    };
    let xml = junit(&[outcome("fine", None), outcome("<bad> \u{1} \"quoted\"", Some("expected 1\ngot 0"))]);
    assert_eq!(
        xml,
        r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="watchkeep" tests="2" failures="1">
  <testsuite name="packs/a&amp;b.test.yml" tests="2" failures="1">
    <testcase classname="a&amp;b" name="hit: fine" file="packs/a&amp;b.test.yml" line="3"/>
    <testcase classname="a&amp;b" name="hit: &lt;bad&gt; ? &quot;quoted&quot;" file="packs/a&amp;b.test.yml" line="3">
      <failure message="expected 1&#10;got 0"/>
    </testcase>
  </testsuite>
</testsuites>
"#
    );
}
