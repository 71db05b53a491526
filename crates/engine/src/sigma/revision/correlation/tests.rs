use super::super::super::{Document, link, parse};

const RULES: &str = "\
title: A
name: a
id: 9f8c1d2e-0000-4000-8000-000000000001
logsource: {product: test}
detection: {s: {x: 1}, condition: s}
---
title: B
name: b
id: 9f8c1d2e-0000-4000-8000-000000000002
logsource: {product: test}
tags: [attack.impact]
detection: {s: {x: 2}, condition: s}
---
title: C
name: c
id: 9f8c1d2e-0000-4000-8000-000000000003
logsource: {product: test}
detection: {s: {x: 3}, condition: s}
";

/// The revision of the last correlation of a text, over some rules.
fn revision_over(rules: &str, text: &str) -> String {
    let (documents, told) = parse(&format!("{rules}---\n{text}"));
    assert!(told.iter().all(|told| !told.is_error()), "{told:?}");
    let (mut rules, mut correlations) = (Vec::new(), Vec::new());
    for document in documents {
        match document {
            Document::Rule(rule) => rules.push(rule),
            Document::Correlation(correlation) => correlations.push(correlation),
            Document::Filter(_) => {}
        }
    }
    let (linked, told) = link(&rules, &correlations);
    assert!(told.iter().all(|told| !told.is_error()), "{told:?}");
    let revision = &linked.last().expect("a correlation").revision;
    assert!(revision.len() == 16 && revision.bytes().all(|byte| byte.is_ascii_hexdigit()), "{revision}");
    revision.clone()
}

fn revision(text: &str) -> String {
    revision_over(RULES, text)
}

fn sigma(kind: &str, rules: &str, condition: &str) -> String {
    format!(
        "title: T\ncorrelation:\n  type: {kind}\n  rules: {rules}\n  group-by: [u, v]\n  timespan: 1h\n  condition: {condition}\n"
    )
}

fn stateful(text: &str) -> String {
    format!("title: T\nwatchkeep:\n  stateful: {{{text}, group-by: [u, v], timespan: 1h}}\n")
}

/// Each text but the first means something else than the first, and than each other.
fn all_differ(texts: &[String]) {
    let revisions: Vec<String> = texts.iter().map(|text| revision(text)).collect();
    for (at, this) in revisions.iter().enumerate() {
        let same = revisions[..at].iter().position(|other| other == this);
        assert_eq!(same, None, "{}\n{}", texts[at], texts[same.unwrap_or(at)]);
    }
}

/// Each text means the same as the first.
fn all_agree(texts: &[String]) {
    for text in texts {
        assert_eq!(revision(text), revision(&texts[0]), "{text}\n{}", texts[0]);
    }
}

#[test]
fn words_about_a_correlation_leave_its_revision() {
    let text = sigma("event_count", "[a, b]", "{gte: 5}");
    all_agree(&[
        text.clone(),
        text.replace("title: T", "title: Other\ndescription: long\nstatus: test\ntags: [attack.t1530]\nid: 9f8c1d2e-0000-4000-8000-0000000000aa\nname: n"),
        text.replace("[a, b]", "[b, 9F8C1D2E-0000-4000-8000-000000000001]"),
        text.replace("[u, v]", "[v, u]"),
        text.replace("1h", "60m"),
        text.replace("{gte: 5}", "{gt: 4}"),
        format!("{text}watchkeep: {{owner: us, playbook: PB-1, message: m, claims: {{threshold: 5}}}}\n"),
        format!("{text}level: medium\ngenerate: true\n"),
    ]);
}

#[test]
fn what_a_correlation_means_changes_its_revision() {
    let text = sigma("event_count", "[a, b]", "{gte: 5}");
    let count = sigma("value_count", "[a, b]", "{field: f, gte: 5}");
    let alias = "  aliases: {u: {a: x, b: y}}\n";
    all_differ(&[
        text.clone(),
        text.replace("[a, b]", "[a]"),
        text.replace("[a, b]", "[a, c]"),
        text.replace("[u, v]", "[u]"),
        text.replace("[u, v]", "[u, watchkeep.who]"),
        text.replace("1h", "2h"),
        text.replace("{gte: 5}", "{gte: 6}"),
        text.replace("{gte: 5}", "{gte: 5, lt: 9}"),
        format!("{text}{alias}"),
        format!("{text}{}", alias.replace("x, b: y", "y, b: x")),
        format!("{text}level: high\n"),
        format!("{text}watchkeep: {{expect: {{late_data: 30m}}}}\n"),
        format!("{text}watchkeep: {{kind: signal}}\n"),
        format!("{text}watchkeep: {{fold: {{by: [u], window: 1d}}}}\n"),
        count.clone(),
        count.replace("field: f", "field: g"),
        count.replace("value_count", "value_sum"),
        sigma("value_percentile", "[a, b]", "{field: f, gte: 5, percentile: 90}"),
        sigma("value_percentile", "[a, b]", "{field: f, gte: 5, percentile: 95}"),
    ]);
    assert_eq!(
        revision(&count.replace("field: f", "field: [f, g]")),
        revision(&count.replace("field: f", "field: [g, f]")),
        "a tuple has no order"
    );
}

#[test]
fn order_counts_where_it_means_something() {
    let (ab, ba) = (sigma("temporal_ordered", "[a, b]", "{gte: 2}"), sigma("temporal_ordered", "[b, a]", "{gte: 2}"));
    assert_ne!(revision(&ab), revision(&ba));
    assert_eq!(revision(&ab), revision(&ab.replace("  condition: {gte: 2}\n", "")), "all of them is two of two");
    assert_eq!(revision(&sigma("temporal", "[a, b]", "{gte: 2}")), revision(&sigma("temporal", "[b, a]", "{gte: 2}")));
    let over = |condition: &str| revision(&sigma("temporal", "[a, b, c]", condition));
    assert_eq!(over("a and (b or c)"), over("(c or b) and a"));
    assert_ne!(over("a and (b or c)"), over("b and (a or c)"));
    assert_ne!(over("a and b and c"), over("a and b and not c"));
}

#[test]
fn what_members_mean_changes_what_is_built_on_them() {
    let text = sigma("event_count", "[a]", "{gte: 5}");
    assert_eq!(revision(&text), revision_over(&RULES.replace("title: A", "title: Z"), &text));
    assert_ne!(revision(&text), revision_over(&RULES.replace("{x: 1}", "{x: 9}"), &text));
    let chain = |bound: &str| {
        let low = sigma("event_count", "[a]", bound).replace("title: T", "title: L\nname: low");
        revision(&format!("{low}---\n{}", sigma("event_count", "[low]", "{gte: 2}")))
    };
    assert_ne!(chain("{gte: 5}"), chain("{gte: 6}"));
}

fn change(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}: {text}");
    text.replace(from, to)
}

#[test]
fn each_option_of_a_measure_changes_its_revision() {
    let first = stateful("type: first_seen, rules: [a], condition: {field: f}, learn: 1d");
    let rare = stateful("type: rarity, rules: [a], condition: {field: f, lt: 1%}, least_events: 100");
    let volume = stateful("type: volume, rules: [a], at_least: 5, baseline: {k: 4, learn: 50, history: 20}");
    let peers = stateful("type: peer_group, rules: [a], entity: e, baseline: {k: 4}, at_least: 5");
    let cover = stateful("type: coverage, rules: [a], of: 30, condition: {field: f, gte: 90%}");
    all_differ(&[
        first.clone(),
        change(&first, "field: f", "field: g"),
        change(&first, "1d", "2d"),
        change(&first, "1d", "{for: 1d, events: 5}"),
        change(&first, "learn", "most_values: 9, learn"),
        change(&first, "1h", "2h"),
        rare.clone(),
        change(&rare, "1%", "2%"),
        change(&rare, "100", "200"),
        volume.clone(),
        change(&volume, "k: 4", "k: 5"),
        change(&volume, "k: 4", "factor: 4"),
        change(&volume, "k: 4", "quantile: 0.9, factor: 4"),
        change(&volume, "k: 4", "k: 4, season: hour_of_week"),
        change(&volume, "learn: 50", "learn: 51"),
        change(&volume, "history: 20", "history: 19"),
        change(&volume, "at_least: 5", "at_least: 6"),
        change(&volume, "at_least: 5", "at_least: 5, beyond: below"),
        change(&volume, "at_least: 5", "at_least: 5, measure: sum, condition: {field: f}"),
        change(&volume, "at_least: 5", "at_least: 5, measure: distinct, condition: {field: f}"),
        peers.clone(),
        change(&peers, "entity: e", "entity: g"),
        change(&peers, "k: 4", "factor: 4"),
        change(&peers, "at_least: 5", "at_least: 5, least_peers: 9"),
        cover.clone(),
        change(&cover, "of: 30", "of: 31"),
        change(&cover, "of: 30", "of: '%shards%'"),
        change(&cover, "of: 30", "of: {field: n}"),
        change(&cover, "90%", "91%"),
        change(&cover, "of: 30", "of: 30, at_least: 5"),
    ]);
}

#[test]
fn each_option_between_rules_changes_its_revision() {
    let ratio = stateful("type: ratio, rules: [a, b, c], of: a, to: [b, c], condition: {gt: 0.5}, at_least: 10");
    let absence = stateful("type: absence, rules: [a, b], missing: b");
    let silent = stateful("type: absence, rules: [a, b], forget: 8d, least_events: 3");
    let join = stateful("type: join, rules: [a, b]");
    let steps = stateful("type: sequence, steps: [a, {rule: b, within: 10m}], unless: c");
    let risk = stateful("type: risk, rules: [a, b], condition: {gte: 50}");
    all_differ(&[
        ratio.clone(),
        change(&ratio, "to: [b, c]", "to: all"),
        change(&ratio, "of: a, to: [b, c]", "of: b, to: [a, c]"),
        change(&ratio, "gt: 0.5", "gt: 0.6"),
        change(&ratio, "at_least: 10", "at_least: 11"),
        absence.clone(),
        change(&absence, "missing: b", "missing: a"),
        change(&absence, "missing: b", "missing: b, side: before"),
        silent.clone(),
        change(&silent, "8d", "9d"),
        change(&silent, "3", "4"),
        join.clone(),
        change(&join, "[a, b]", "[a, b], missing: a"),
        change(&join, "[a, b]", "[a, b], missing: b"),
        steps.clone(),
        change(&steps, "[a, {rule: b, within: 10m}]", "[b, {rule: a, within: 10m}]"),
        change(&steps, "10m", "11m"),
        change(&steps, "within: 10m", "at_least: 2"),
        change(&steps, ", unless: c", ""),
        change(&steps, "rule: b,", "rule: [b, c],").replace(", unless: c", ""),
        risk.clone(),
        change(&risk, "gte: 50", "gte: 51"),
        change(&risk, "[a, b]", "[a, b], points: {a: 3}"),
        change(&risk, "[a, b]", "[a, b], least_tactics: 1"),
        change(&risk, "[a, b]", "[a, b], least_rules: 2"),
    ]);
    all_agree(&[ratio.clone(), change(&ratio, "[b, c], condition", "[c, b], condition")]);
    all_agree(&[
        risk.clone(),
        change(&risk, "[a, b]", "[b, a], points: level"),
        change(&risk, "[a, b]", "[a, b], points: {a: 20}"),
    ]);
    let retagged = RULES.replace("attack.impact", "attack.collection");
    assert_ne!(revision(&risk), revision_over(&retagged, &risk), "tactics are counted");
    assert_eq!(revision(&absence), revision_over(&retagged, &absence));
}

#[test]
fn a_rule_that_is_judged_over_time_has_two_revisions() {
    let rule = "title: R\nid: 9f8c1d2e-0000-4000-8000-000000000009\nlogsource: {product: test}\ndetection: {s: {x: 5}, condition: s}\n";
    let text = format!(
        "{rule}watchkeep:\n  stateful: {{type: first_seen, group-by: [u], timespan: 30d, learn: 1d, condition: {{field: f}}}}\n"
    );
    assert_ne!(revision(&text), revision(&text.replace("x: 5", "x: 6")));
    assert_ne!(revision(&text), revision(&text.replace("30d", "31d")));
    assert_eq!(revision(&text), revision(&text.replace("title: R", "title: S")));
}
