use model::{RuleKind, Severity};

use super::super::{Document, FilterTarget, Rule, Status};
use super::parse;

fn rule(text: &str) -> Rule {
    let (documents, diagnostics) = parse(text);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    match documents.into_iter().next() {
        Some(Document::Rule(rule)) => rule,
        other => panic!("{other:?}"),
    }
}

fn codes(text: &str) -> Vec<String> {
    parse(text).1.into_iter().map(|d| format!("{} {}:{}", d.code, d.line, d.column)).collect()
}

const WHOLE: &str = "\
title: Model Weights Read From Outside The Custody Boundary
id: 5B7C2E9E-3d0a-4f0c-9c0a-6f2f5d1f7a11
name: weights_read
status: test
description: |
    Two lines
    of text.
license: Apache-2.0
author: A, B
references:
    - https://example.org
date: 2026-11-22
modified: 2026-11-23
tags: [attack.exfiltration, attack.t1530, attack.t1078.004, atlas.aml.t0025, attack.t1530]
related:
    - {id: 11111111-1111-4111-8111-111111111111, type: derived}
logsource: {product: AWS, service: cloudtrail, definition: S3 data events}
detection:
    selection: {eventSource: s3.amazonaws.com, eventName: [GetObject, SelectObjectContent]}
    weights: {requestParameters.bucketName|expand: '%custody_buckets%'}
    condition: selection and weights
fields: [userIdentity.arn]
falsepositives: [Break-glass]
level: critical
watchkeep:
    owner: detection
    kind: signal
    threats: [TM-WEIGHTS-003]
    requires: [{source: aws_cloudtrail, feed: s3_data, fields: [a, b], freshness: 15m}]
    entities: {principal: userIdentity, model: requestParameters.key}
    fold: {by: [principal, requestParameters.bucketName], window: 1h}
    expect: {per_week_max: 2, precision_min: 0.6, late_data: 2h}
    strategy: {why: Because., blind_spots: [{id: BS-1, text: Copies.}]}
    triage: [{ask: Who?, query: q, if_yes: close, if_no: page}]
    playbook: weights-leak
    message: '{userIdentity.arn} read {requestParameters.key}'
";

#[test]
fn every_attribute_is_read() {
    let rule = rule(WHOLE);
    assert_eq!(rule.id.as_str(), "5b7c2e9e-3d0a-4f0c-9c0a-6f2f5d1f7a11");
    assert_eq!(rule.techniques(), ["T1530", "T1078.004", "AML.T0025"]);
    assert_eq!(rule.status, Some(Status::Test));
    assert_eq!(rule.description.as_deref(), Some("Two lines\nof text."));
    assert_eq!(rule.date.as_deref(), Some("2026-11-22"));
    assert_eq!(rule.logsource.product.as_deref(), Some("aws"));
    assert_eq!(rule.detection.fields(), ["eventSource", "eventName", "requestParameters.bucketName"]);
    assert_eq!(rule.revision.len(), 16);
    let w = &rule.watchkeep;
    assert_eq!(w.kind, RuleKind::Signal);
    assert_eq!(w.requires[0].freshness_ms, Some(900_000));
    assert_eq!(w.fold.as_ref().map(|fold| (fold.by.len(), fold.window_ms)), Some((2, 3_600_000)));
    assert_eq!(w.expect.as_ref().and_then(|expect| expect.late_data_ms), Some(7_200_000));
    assert_eq!(w.entities["model"], "requestParameters.key");
    assert_eq!(w.strategy.as_ref().map(|strategy| strategy.blind_spots.len()), Some(1));
    assert_eq!(w.triage[0].if_no.as_deref(), Some("page"));
}

#[test]
fn every_mistake_is_told_at_once_with_its_place() {
    let text = "\
title: ''
id: not-a-uuid
status: tested
level: hihg
date: 22.11.2026
tags: [T1530]
colour: red
detecton: x
logsource: {definition: nothing}
detection:
    sel:
        a|contain: x
        b|re: '('
    condition: sel
watchkeep:
    kind: alarm
    owners: [me]
    fold: {by: [a], window: long}
    entities: {princpal: a}
    expect: {precision_min: 2}
    message: '{a'
";
    assert_eq!(
        codes(text),
        [
            "missing-title 1:1",
            "bad-uuid 2:5",
            "bad-status 3:9",
            "bad-level 4:8",
            "bad-date 5:7",
            "bad-tag 6:7",
            "unknown-key 7:1",
            "unknown-key 8:1",
            "empty-logsource 9:1",
            "unknown-modifier 12:11",
            "bad-regex 13:16",
            "bad-kind 16:11",
            "unknown-key 17:5",
            "bad-duration 18:29",
            "unknown-entity 19:16",
            "out-of-range 20:29",
            "bad-template 21:14",
        ]
    );
    let (_, diagnostics) = parse(text);
    let remedy = |code: &str| diagnostics.iter().find(|d| d.code == code).map(|d| d.remedy.clone()).unwrap_or_default();
    assert_eq!(remedy("unknown-modifier"), "did you mean `contains`?");
    assert_eq!(remedy("bad-level"), "did you mean `high`?");
    assert_eq!(remedy("unknown-entity"), "did you mean `principal`?");
}

#[test]
fn a_document_needs_its_parts() {
    assert_eq!(codes("description: x\n"), ["missing-title 1:0", "missing-logsource 1:0", "missing-detection 1:0"]);
    assert_eq!(codes("- a\n- b\n"), ["not-a-rule 1:1"]);
    assert_eq!(codes("# nothing\n"), ["empty-file 1:0"]);
    assert_eq!(codes("action: global\ntitle: x\n"), ["action-document 1:1"]);
}

#[test]
fn a_wrong_document_does_not_hide_the_others() {
    let rule = "title: A\nid: 5b7c2e9e-3d0a-4f0c-9c0a-6f2f5d1f7a11\nlogsource: {product: x}\ndetection: {s: {a: 1}, condition: s}\n";
    let (documents, diagnostics) = parse(&format!("{rule}---\ntitle: [broken\n---\ntitle: B\n---\n{rule}"));
    assert_eq!(documents.len(), 2);
    assert_eq!(diagnostics.iter().filter(|d| d.severity == Severity::Error).count(), 3);
    let Some(Document::Rule(last)) = documents.last() else { panic!("a rule") };
    assert_eq!(last.line, 10);
}

#[test]
fn a_rule_without_an_id_gets_a_stable_one() {
    let text = "title: A\nlogsource: {product: x}\ndetection: {s: {a: 1}, condition: s}\n";
    let (documents, diagnostics) = parse(text);
    assert_eq!(diagnostics[0].code, "missing-id");
    let Some(Document::Rule(rule)) = documents.into_iter().next() else { panic!("a rule") };
    assert!(diagnostics[0].remedy.contains(rule.id.as_str()));
    assert!(codes(&format!("id: {}\n{text}", rule.id)).is_empty());
}

#[test]
fn the_revision_follows_the_meaning_alone() {
    let base = rule(WHOLE).revision;
    let same = [
        ("Two lines", "Other lines"),
        ("title: Model", "title: Some Model"),
        (
            "{eventSource: s3.amazonaws.com, eventName: [GetObject, SelectObjectContent]}",
            "\n        eventName: [SelectObjectContent, 'GetObject']\n        eventSource:   s3.amazonaws.com",
        ),
        ("condition: selection and weights", "condition: all of them"),
        ("condition: selection and weights", "condition: ( weights and selection )"),
        ("product: AWS", "product: aws"),
        ("playbook: weights-leak", "playbook: other"),
        ("definition: S3 data events", "definition: others"),
    ];
    for (from, to) in same {
        assert!(WHOLE.contains(from));
        assert_eq!(rule(&WHOLE.replace(from, to)).revision, base, "{from} -> {to}");
    }
    let renamed = WHOLE.replace("    selection:", "    chosen:").replace("condition: selection", "condition: chosen");
    assert_eq!(rule(&renamed).revision, base);
    let other = [
        ("condition: selection and weights", "condition: selection or weights"),
        ("eventName: [", "eventName|cased: ["),
        ("GetObject,", "GetObjects,"),
        ("level: critical", "level: high"),
        ("kind: signal", "kind: alert"),
        ("window: 1h", "window: 2h"),
        ("service: cloudtrail", "service: guardduty"),
        ("s3.amazonaws.com", "'null'"),
    ];
    for (from, to) in other {
        assert_ne!(rule(&WHOLE.replace(from, to)).revision, base, "{from} -> {to}");
    }
    let typed = |value: &str| rule(&WHOLE.replace("s3.amazonaws.com", value)).revision;
    assert_ne!(typed("null"), typed("'null'"));
    assert_ne!(typed("1"), typed("'1'"));
}

#[test]
fn a_filter_names_its_rules() {
    let text = "\
title: Filter Administrator account
id: 5b7c2e9e-3d0a-4f0c-9c0a-6f2f5d1f7a11
logsource: {category: process_creation, product: windows}
filter:
    rules:
        - 6f3e2987-db24-4c78-a860-b4f4095a7095
        - some_name
    selection: {User|startswith: adm_}
    condition: not selection
";
    let (documents, diagnostics) = parse(text);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let Some(Document::Filter(filter)) = documents.into_iter().next() else { panic!("a filter") };
    assert_eq!(
        filter.target,
        FilterTarget::Rules(vec!["6f3e2987-db24-4c78-a860-b4f4095a7095".into(), "some_name".into()])
    );
    assert_eq!(filter.detection.searches.len(), 1);
    assert_eq!(codes(&text.replace("not selection", "selection")), ["filter-without-not 4:1"]);
    assert_eq!(
        codes("title: A\nfilter: {selection: {a: 1}, condition: not nope}\n"),
        ["missing-logsource 1:0", "missing-rules 2:1", "unknown-search 2:44",]
    );
}

#[test]
fn places_in_folded_and_literal_conditions_name_the_line() {
    let text = |condition: &str| {
        format!(
            "title: A\nid: 5b7c2e9e-3d0a-4f0c-9c0a-6f2f5d1f7a11\nlogsource: {{product: x}}\ndetection:\n  s: {{a: 1}}\n  condition: {condition}\n"
        )
    };
    assert_eq!(codes(&text("|\n    s\n    and nope")), ["unknown-search 8:0"]);
    assert_eq!(codes(&text(">\n    s\n    and nope")), ["unknown-search 7:0"]);
    assert_eq!(codes(&text("\"s and nope\"")), ["unknown-search 6:21"]);
    assert_eq!(codes(&text("[s, nope]")), ["unknown-search 6:18"]);
}

#[test]
fn a_mistake_in_a_search_does_not_hide_one_in_the_condition() {
    let text = "title: A\nid: 5b7c2e9e-3d0a-4f0c-9c0a-6f2f5d1f7a11\nlogsource: {product: x}\ndetection:\n  s:\n    a|nope: 1\n  condition: s and t\n";
    assert_eq!(codes(text), ["unknown-modifier 6:7", "unknown-search 7:20"]);
}
