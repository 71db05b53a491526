use model::Diagnostic;

use super::super::lint;
use crate::load;
use crate::root::Root;
use crate::tests::{RULE, write};

const SOURCE: &str = include_str!("../../../tests/fixtures/source.yml");

const OTHERS: &str = "\
title: Reads
name: reads
id: 0f7a4f0e-8a52-4a5f-9a0b-3f2c0c6f0a11
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName: GetObject}, condition: s}
---
title: Writes
name: writes
id: 0f7a4f0e-8a52-4a5f-9a0b-3f2c0c6f0a12
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName: PutObject}, condition: s}
---
title: Shares
name: shares
id: 0f7a4f0e-8a52-4a5f-9a0b-3f2c0c6f0a13
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName: PutBucketPolicy}, condition: s}
";

/// What is told of the claims of a file beside the rules above, without the file's name.
fn told(text: &str) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "sources/aws_cloudtrail/source.yml", SOURCE);
    write(folder.path(), "packs/p/others.yml", OTHERS);
    write(folder.path(), "packs/p/own.yml", text);
    write(folder.path(), "inventory/lists.yml", "logins: {owner: me, values: [ConsoleLogin, SwitchRole]}\n");
    let roots = [Root::Dir(folder.path().into())];
    let (catalogue, diagnostics) = load(&roots);
    assert!(diagnostics.iter().all(|wrong| !wrong.is_error()), "{diagnostics:#?}");
    let all = lint(&catalogue, &roots).into_iter().filter(|wrong| wrong.code == "false-claim");
    all.map(|wrong: Diagnostic| {
        assert!(wrong.is_error() && wrong.column > 0 && !wrong.remedy.is_empty(), "{wrong:?}");
        assert!(wrong.file.ends_with("own.yml"), "{wrong:?}");
        format!("{}: {}", wrong.line, wrong.message)
    })
    .collect()
}

/// What is told of one claim of a correlation, and of a stateful type.
fn correlation(body: &str, claim: &str) -> Vec<String> {
    told(&format!("title: T\ncorrelation: {{{body}}}\nwatchkeep:\n  claims: {{{claim}}}\n"))
}

fn stateful(body: &str, claim: &str) -> Vec<String> {
    told(&format!("title: T\nwatchkeep:\n  claims: {{{claim}}}\n  stateful: {{{body}}}\n"))
}

/// A claim that is so, and one that is not, with what is said of it.
fn claims(of: fn(&str, &str) -> Vec<String>, body: &str, right: &str, wrong: &str, truth: &str) {
    assert_eq!(of(body, right), [""; 0], "{body}: {right}");
    let told = of(body, wrong);
    assert!(told.len() == 1 && told[0].ends_with(&format!("its logic says: {truth}")), "{body}: {told:?}");
}

const GROUP: &str = "group-by: [userIdentity.arn], timespan: 10m";

#[test]
fn windows_are_those_of_every_type() {
    let counted = format!("type: event_count, rules: [reads], {GROUP}, condition: {{gte: 5}}");
    claims(correlation, &counted, "window: 600s", "window: 15m", "10m");
    for (body, more) in STATEFUL {
        claims(stateful, &format!("type: {body}, {GROUP}, {more}"), "window: 10m", "window: 1h", "10m");
    }
    let message = correlation(&counted, "window: 15m");
    assert_eq!(message, ["4: `T` claims window 15m; its logic says: 10m"]);
}

/// Each type with what it needs.
const STATEFUL: [(&str, &str); 10] = [
    ("first_seen", "rules: [reads], learn: 1d, condition: {field: f}"),
    ("rarity", "rules: [reads], least_events: 9, condition: {field: f, lt: 1%}"),
    ("volume", "rules: [reads], at_least: 50, baseline: {k: 4}"),
    ("ratio", "of: reads, to: writes, at_least: 50, condition: {gt: 0.5}"),
    ("peer_group", "rules: [reads], entity: [sourceIPAddress], at_least: 50, baseline: {factor: 3}"),
    ("absence", "rules: [reads, writes], missing: writes"),
    ("coverage", "rules: [reads], of: 30, condition: {field: f, gte: 90%}"),
    ("join", "rules: [reads, writes]"),
    ("sequence", "steps: [{rule: reads, at_least: 7}, {rule: [writes, shares]}]"),
    ("risk", "rules: [reads, writes], condition: {gte: 100}"),
];

fn body(kind: &str) -> String {
    let (_, more) = STATEFUL.iter().find(|(word, _)| *word == kind).expect("a type");
    format!("type: {kind}, {GROUP}, {more}")
}

#[test]
fn thresholds_are_numbers_that_are_compared_with() {
    for (condition, right, wrong, truth) in [
        ("{gte: 5}", "threshold: 5", "threshold: 6", "5"),
        ("{gt: 4}", "threshold: 5", "threshold: 6", "5 or 4"),
        ("{gte: 5, lte: 9}", "threshold: 9", "threshold: 6", "5 or 9"),
    ] {
        let counted = format!("type: event_count, rules: [reads], {GROUP}, condition: {condition}");
        claims(correlation, &counted, right, wrong, truth);
    }
    let all = format!("type: temporal, rules: [reads, writes], {GROUP}");
    claims(correlation, &all, "threshold: 2", "threshold: 3", "2");
    for (kind, right, truth) in [
        ("rarity", "1%", "0.01"),
        ("volume", "50", "4 or 50"),
        ("volume", "4", "4 or 50"),
        ("ratio", "50%", "0.5"),
        ("peer_group", "3", "3 or 50"),
        ("coverage", "0.9", "0.9"),
        ("sequence", "7", "7"),
        ("risk", "100", "100"),
    ] {
        claims(stateful, &body(kind), &format!("threshold: {right}"), "threshold: 8", truth);
    }
    for kind in ["first_seen", "absence", "join"] {
        let told = stateful(&body(kind), "threshold: 2");
        assert!(told.len() == 1 && told[0].ends_with(&format!("a `{kind}` compares with no number")), "{told:?}");
    }
}

#[test]
fn order_is_that_of_steps() {
    let ordered = format!("type: temporal_ordered, rules: [writes, reads], {GROUP}");
    claims(correlation, &ordered, "order: [writes, reads]", "order: [reads, writes]", "`writes`, `reads`");
    claims(
        correlation,
        &ordered,
        "order: [Writes, 0F7A4F0E-8A52-4A5F-9A0B-3F2C0C6F0A11]",
        "order: [writes]",
        "`writes`, `reads`",
    );
    claims(
        stateful,
        &body("sequence"),
        "order: [reads, shares or writes]",
        "order: [reads, writes]",
        "`reads`, `writes or shares`",
    );
    claims(stateful, &body("absence"), "order: [reads, writes]", "order: [writes, reads]", "`reads`, `writes`");
    let before = format!("{}, side: before", body("absence"));
    claims(stateful, &before, "order: [writes, reads]", "order: [reads, gone]", "`writes`, `reads`");
    for kind in ["first_seen", "rarity", "volume", "ratio", "peer_group", "coverage", "join", "risk"] {
        let told = stateful(&body(kind), "order: [reads]");
        assert!(told.len() == 1 && told[0].ends_with(&format!("a `{kind}` has no order")), "{told:?}");
    }
    let either = format!("{}, side: either", body("absence"));
    assert_eq!(stateful(&either, "order: [reads, writes]").len(), 1);
    let unordered = format!("type: temporal, rules: [writes, reads], {GROUP}");
    assert_eq!(correlation(&unordered, "order: [writes, reads]").len(), 1);
}

#[test]
fn entities_are_fields_or_kinds_that_keep_events_apart() {
    let counted = format!("type: event_count, rules: [reads], {GROUP}, condition: {{gte: 5}}");
    claims(correlation, &counted, "entity: [userIdentity.arn]", "entity: [sourceIPAddress]", "`userIdentity.arn`");
    claims(correlation, &counted, "entity: principal", "entity: [principal, host]", "`userIdentity.arn`");
    let aliased = "type: event_count, rules: [reads, writes], timespan: 1h, condition: {gte: 5}, group-by: [who], \
                   aliases: {who: {reads: userIdentity.arn, writes: other}}";
    claims(correlation, aliased, "entity: principal", "entity: []", "`who`");
    let nobody = "type: event_count, rules: [reads], timespan: 1h, condition: {gte: 5}, group-by: []";
    claims(correlation, nobody, "entity: []", "entity: principal", "nothing");
    for (kind, _) in STATEFUL.iter().filter(|(kind, _)| *kind != "peer_group") {
        claims(stateful, &body(kind), "entity: principal", "entity: [principal, eventName]", "`userIdentity.arn`");
    }
    claims(stateful, &body("peer_group"), "entity: sourceIPAddress", "entity: principal", "`sourceIPAddress`");
    let who = body("join").replace("userIdentity.arn", "watchkeep.who");
    claims(stateful, &who, "entity: person", "entity: principal", "`watchkeep.who`");
}

#[test]
fn events_of_a_correlation_are_its_rules() {
    let counted = format!("type: event_count, rules: [reads, writes], {GROUP}, condition: {{gte: 5}}");
    claims(correlation, &counted, "events: [writes, Reads]", "events: reads", "`reads`, `writes`");
    claims(
        stateful,
        &body("sequence"),
        "events: [reads, writes, shares]",
        "events: [reads, gone]",
        "`reads`, `writes`, `shares`",
    );
}

fn rule(detection: &str, watchkeep: &str) -> Vec<String> {
    let head = RULE.split("detection:").next().expect("a head");
    told(&format!("{head}detection: {detection}\nwatchkeep:\n  claims: {watchkeep}\n"))
}

#[test]
fn events_of_a_rule_are_the_values_that_it_asks_for() {
    let one = "{s: {eventName: [GetObject, CopyObject], eventSource: s3.amazonaws.com}, condition: s}";
    claims(
        rule,
        one,
        "{events: [copyobject, GetObject]}",
        "{events: [GetObject]}",
        "`eventName` is one of `copyobject`, `getobject`",
    );
    claims(rule, one, "{events: s3.amazonaws.com}", "{events: PutObject}", "no field is compared with any of them");
    let two = "{a: {eventName: GetObject, x: 1}, b: {eventName: [CopyObject, HeadObject]}, f: {eventName: HeadObject}, condition: (a or b) and not f}";
    claims(
        rule,
        two,
        "{events: [GetObject, CopyObject]}",
        "{events: [GetObject, CopyObject, HeadObject]}",
        "`eventName` is one of `copyobject`, `getobject`",
    );
    let list = "{s: {eventName|expand: '%logins%'}, condition: s}";
    claims(
        rule,
        list,
        "{events: [ConsoleLogin, SwitchRole]}",
        "{events: ConsoleLogin}",
        "`eventName` is one of `consolelogin`, `switchrole`",
    );
    let part = "{s: {eventName|startswith: Get}, condition: s}";
    assert_eq!(rule(part, "{events: Get}").len(), 1);
}

#[test]
fn a_rule_alone_has_neither_order_nor_window() {
    let one = "{s: {eventName: GetObject}, condition: s}";
    let told = rule(one, "{order: [a], window: 1h, threshold: 2, entity: principal}");
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(told.iter().any(|told| told.ends_with("a rule without `stateful` looks at one event")), "{told:?}");
    let folded = "{entity: [principal]}\n  fold: {by: [principal], window: 1h}";
    assert_eq!(rule(one, folded), [""; 0]);
    assert_eq!(rule(one, &folded.replace("entity: [principal]", "entity: host")).len(), 1);
}

#[test]
fn a_rule_with_stateful_is_held_against_both() {
    let one = "{s: {eventName: GetObject}, condition: s}";
    let judged = format!("\n  stateful: {{type: first_seen, {GROUP}, learn: 1d, condition: {{field: f}}}}");
    let claims = |claims: &str| rule(one, &format!("{claims}{judged}"));
    assert_eq!(claims("{window: 10m, entity: principal, events: GetObject}"), [""; 0]);
    assert_eq!(claims("{window: 11m, entity: host, events: PutObject}").len(), 3);
}
