use super::super::super::{
    Bound, Comparison, Condition, Correlation, CorrelationCondition, CorrelationKind, Document, Status,
};
use super::super::parse;

fn codes(text: &str) -> Vec<String> {
    parse(text).1.into_iter().map(|told| format!("{} {}:{}", told.code, told.line, told.column)).collect()
}

fn correlation(text: &str) -> Correlation {
    assert_eq!(codes(text), [""; 0], "{text}");
    match parse(text).0.into_iter().next() {
        Some(Document::Correlation(correlation)) => correlation,
        other => panic!("{other:?}"),
    }
}

/// A correlation of the rules `a`, `b` and `c` of type `kind`, with a condition in flow style.
fn text(kind: &str, condition: &str) -> String {
    format!(
        "title: T\ncorrelation:\n  type: {kind}\n  rules: [a, b, c]\n  group-by: [u]\n  timespan: 5m\n  condition: {condition}\n"
    )
}

fn condition(kind: &str, condition: &str) -> CorrelationCondition {
    correlation(&text(kind, condition)).condition
}

#[test]
fn a_correlation_is_read_whole() {
    let text = "\
title: Many failed logins
id: 0E95725D-7320-415d-80f7-004da920fc11
name: many_failed
status: test
tags: [attack.t1110]
falsepositives: [a lost password]
correlation:
    type: value_count
    rules: [failed_login, other]
    group-by: [ComputerName, ip]
    timespan: 1d
    aliases:
        ip: {failed_login: source.ip, other: destination.ip}
    condition: {field: [User, Domain], gte: 100, lt: 200}
level: high
generate: true
";
    let read = correlation(text);
    assert_eq!(
        (read.id.as_deref(), read.name.as_deref()),
        (Some("0e95725d-7320-415d-80f7-004da920fc11"), Some("many_failed"))
    );
    assert_eq!(
        (read.kind, read.timespan_ms, read.status),
        (CorrelationKind::ValueCount, 86_400_000, Some(Status::Test))
    );
    assert_eq!(
        (&read.tags[..], &read.falsepositives[..]),
        (&["attack.t1110".to_owned()][..], &["a lost password".to_owned()][..])
    );
    let rules: Vec<_> = read.rules.iter().map(|rule| (rule.name.as_str(), rule.line, rule.column)).collect();
    assert_eq!(rules, [("failed_login", 9, 13), ("other", 9, 27)]);
    assert_eq!(read.group_by, ["ComputerName", "ip"]);
    let alias = read.alias("ip").expect("the alias");
    assert_eq!((alias.fields[1].0.name.as_str(), alias.fields[1].1.as_str()), ("other", "destination.ip"));
    assert!(read.generate && !read.is_rising());
    assert_eq!(
        read.condition,
        CorrelationCondition::Compare {
            bounds: vec![
                Bound { comparison: Comparison::Gte, value: 100.0 },
                Bound { comparison: Comparison::Lt, value: 200.0 }
            ],
            fields: vec!["User".into(), "Domain".into()],
            percentile: None
        }
    );
}

#[test]
fn every_type_has_its_word() {
    for (word, kind) in CorrelationKind::WORDS {
        let condition = match kind {
            CorrelationKind::ValuePercentile => "{field: f, percentile: 95, gte: 2}",
            _ if kind.has_field() => "{field: f, gte: 2}",
            _ => "{gte: 2}",
        };
        assert_eq!(correlation(&text(word, condition)).kind, kind);
        assert_eq!(kind.as_str(), word);
    }
    assert_eq!(codes(&text("event_counts", "{gte: 2}")), ["bad-correlation-type 3:9"]);
    assert_eq!(codes(&text("temporal_extended", "a and b and c")), ["bad-correlation-type 3:9"]);
}

#[test]
fn what_is_missing_is_told_at_once() {
    assert_eq!(
        codes("title: A\ncorrelation: {type: event_counts, rules: []}\n"),
        ["missing-timespan 2:1", "bad-correlation-type 2:21", "missing-rules 2:35"]
    );
    assert_eq!(
        codes("correlation:\n  type: value_sum\n  group-by: [u]\n  timespan: 5\n  condition: {gte: x}\n  nope: 1\n"),
        [
            "missing-title 1:0",
            "missing-rules 1:1",
            "bad-duration 4:13",
            "missing-field 5:3",
            "bad-type 5:20",
            "unknown-key 6:3"
        ]
    );
    assert_eq!(
        codes("title: A\ncorrelation: {type: event_count, rules: a, timespan: 1m, group-by: u}\n"),
        ["missing-condition 2:1"]
    );
    assert_eq!(
        codes("title: A\ncorrelation: []\n"),
        ["missing-type 2:1", "missing-rules 2:1", "missing-timespan 2:1", "bad-type 2:14"]
    );
}

#[test]
fn a_time_span_is_a_number_and_a_unit() {
    let span = |span: &str| correlation(&text("event_count", "{gte: 2}").replace("5m", span)).timespan_ms / 1000;
    assert_eq!(["30s", "90m", "24h", "7d", "2w", "1y"].map(span), [30, 5400, 86_400, 604_800, 1_209_600, 31_556_952]);
    let wrong = |span: &str| codes(&text("event_count", "{gte: 2}").replace("5m", span));
    for bad in ["5", "m", "0s", "1.5h", "5 m", "5ms", "5min", "-5m", "5S", "''", "99999999999999999999d"] {
        assert_eq!(wrong(bad), ["bad-duration 6:13"], "{bad}");
    }
    assert_eq!(wrong("400d"), ["timespan-too-long 6:13"]);
    assert_eq!(wrong("1M"), ["timespan-in-months 6:13"]);
}

#[test]
fn groups_are_named_or_their_absence_is_told() {
    let without = text("event_count", "{gte: 2}").replace("  group-by: [u]\n", "");
    assert_eq!(codes(&without), ["missing-group-by 2:1"]);
    assert!(matches!(parse(&without).0[..], [Document::Correlation(_)]), "a warning leaves it usable");
    assert_eq!(correlation(&text("event_count", "{gte: 2}").replace("[u]", "[]")).group_by, [""; 0]);
    assert_eq!(correlation(&text("event_count", "{gte: 2}").replace("[u]", "u")).group_by, ["u"]);
    assert_eq!(codes(&text("event_count", "{gte: 2}").replace("[u]", "[u, v, u]")), ["duplicate-field 5:3"]);
}

#[test]
fn rules_stand_once() {
    assert_eq!(codes(&text("event_count", "{gte: 2}").replace("[a, b, c]", "[a, b, a]")), ["duplicate-reference 4:17"]);
    assert_eq!(codes(&text("event_count", "{gte: 2}").replace("[a, b, c]", "[a, [b]]")), ["bad-type 4:14"]);
    assert_eq!(
        codes(&text("temporal", "{gte: 1}").replace("[a, b, c]", "[a]")),
        ["single-rule 2:1", "always-true 7:3"]
    );
}

#[test]
fn values_need_a_field_and_counts_of_events_have_none() {
    for kind in ["value_count", "value_sum", "value_max", "value_min", "value_avg", "value_median"] {
        assert_eq!(codes(&text(kind, "{gte: 2}")), ["missing-field 7:3"], "{kind}");
        assert_eq!(codes(&text(kind, "{gte: 2, field: ''}")), ["missing-field 7:3"], "{kind}");
    }
    assert_eq!(codes(&text("event_count", "{gte: 2, field: f}")), ["unused-field 7:3"]);
    assert_eq!(codes(&text("temporal", "{gte: 2, field: f}")), ["unused-field 7:3"]);
    assert_eq!(codes(&text("value_sum", "{gte: 2, field: [f, g]}")), ["too-many-fields 7:3"]);
    assert_eq!(codes(&text("value_count", "{gte: 2, field: [f, f]}")), ["duplicate-field 7:23"]);
}

#[test]
fn percentiles_lie_between_0_and_100() {
    let CorrelationCondition::Compare { percentile, .. } =
        condition("value_percentile", "{field: f, percentile: 95, gt: 10}")
    else {
        panic!("a comparison")
    };
    assert_eq!(percentile, Some(95.0));
    assert_eq!(codes(&text("value_percentile", "{field: f, percentile: 101, gt: 1}")), ["bad-percentile 7:37"]);
    assert_eq!(codes(&text("value_percentile", "{field: f, percentile: p95, gt: 1}")), ["bad-type 7:37"]);
    assert_eq!(codes(&text("value_avg", "{field: f, percentile: 5, gt: 1}")), ["unused-percentile 7:25"]);
}

#[test]
fn a_share_is_in_percent() {
    assert_eq!(codes(&text("value_percentile", "{field: f, lte: 1}")), ["share-of-values 7:3"]);
    assert_eq!(codes(&text("value_percentile", "{field: f, gt: 1000}")), ["missing-percentile 7:3"]);
    assert_eq!(codes(&text("value_percentile", "{field: f, gt: -1}")), ["missing-percentile 7:3"]);
}

#[test]
fn a_missing_bound_is_told_beside_other_mistakes() {
    let text = text("event_count", "{field: f}").replace("5m", "5");
    assert_eq!(codes(&text), ["bad-duration 6:13", "unused-field 7:3", "missing-bound 7:3"]);
}

#[test]
fn bounds_that_nothing_keeps_or_everything_does_are_told() {
    for impossible in [
        "{gt: 5, lt: 6}",
        "{gte: 5, lte: 4}",
        "{lt: 1}",
        "{lte: 0}",
        "{eq: 0}",
        "{eq: 3, neq: 3}",
        "{gte: 3, lt: 4, neq: 3}",
        "{eq: 3, gt: 3}",
    ] {
        assert_eq!(codes(&text("event_count", impossible)), ["impossible-range 7:3"], "{impossible}");
    }
    for impossible in [
        "{gt: 5, lt: 5, field: f}",
        "{gt: 5, lte: 5, field: f}",
        "{eq: 5, gt: 5, field: f}",
        "{eq: 1, neq: 1, field: f}",
    ] {
        assert_eq!(codes(&text("value_sum", impossible)), ["impossible-range 7:3"], "{impossible}");
    }
    for possible in ["{gte: 3, lte: 3}", "{gt: 100, lte: 200}", "{neq: 5}", "{eq: 1}", "{gt: 1, lt: 9, neq: 4}"] {
        assert_eq!(codes(&text("event_count", possible)), [""; 0], "{possible}");
    }
    for possible in ["{gt: 5, lt: 6, field: f}", "{eq: 5, gte: 5, field: f}", "{gt: -1.5, field: f}"] {
        assert_eq!(codes(&text("value_sum", possible)), [""; 0], "{possible}");
    }
    assert_eq!(codes(&text("temporal", "{gte: 4}")), ["impossible-range 7:3"]);
    assert_eq!(codes(&text("event_count", "{gte: 2.5}")), ["bad-count 7:3"]);
    assert_eq!(codes(&text("event_count", "{gte: 1}")), ["counts-each-event 7:3"]);
    assert_eq!(codes(&text("event_count", "{gt: 0}")), ["counts-each-event 7:3"]);
    assert_eq!(codes(&text("event_count", "{}")), ["missing-bound 7:3"]);
    assert_eq!(codes(&text("event_count", "{gtt: 3}")), ["unknown-key 7:15"]);
    assert_eq!(codes(&text("event_count", "{gte: '.inf'}")), ["bad-type 7:20"]);
}

#[test]
fn expressions_name_rules() {
    assert_eq!(
        condition("temporal", "a and (b or not c)"),
        CorrelationCondition::Expression(Condition::And(vec![
            Condition::Search(0),
            Condition::Or(vec![Condition::Search(1), Condition::Not(Box::new(Condition::Search(2)))]),
        ]))
    );
    assert_eq!(codes(&text("temporal_ordered", "a AND b AND c")), [""; 0]);
    assert_eq!(codes(&text("temporal", "a and b")), ["unused-rule 7:3"]);
    assert_eq!(codes(&text("temporal", "a and b and d")), ["unknown-rule 7:26"]);
    assert_eq!(codes(&text("temporal", "a and b and")), ["condition-syntax 7:25"]);
    assert_eq!(codes(&text("event_count", "a and b and c")), ["expression-without-temporal 7:3"]);
    assert_eq!(codes(&text("temporal", "not (a or b or c)")), ["condition-without-event 7:3"]);
    assert_eq!(codes(&text("temporal", "1 of them")), [""; 0]);
    let told = parse(&text("temporal", "a and b and d")).1;
    assert_eq!(
        (told[0].message.as_str(), told[0].remedy.as_str()),
        ("the condition names `d`, which is no rule", "did you mean `a`?")
    );
}

#[test]
fn an_expression_may_not_name_too_many_rules_or_have_too_many_ways() {
    let of = |kind: &str, rules: usize, word: &str| {
        let names: Vec<String> = (0..rules).map(|rule| format!("r{rule}")).collect();
        text(kind, &names.join(word)).replace("  rules: [a, b, c]\n", "")
    };
    assert_eq!(codes(&of("temporal", 64, " or ")), [""; 0]);
    assert_eq!(codes(&of("temporal_ordered", 64, " or ")), [""; 0]);
    assert_eq!(codes(&of("temporal", 65, " or ")), ["too-many-rules 6:3"]);
    assert_eq!(codes(&of("temporal_ordered", 65, " or ")), ["too-many-rules 6:3"]);
    let pairs = |pairs: usize| {
        let pairs: Vec<String> = (0..pairs).map(|pair| format!("(a{pair} or b{pair})")).collect();
        text("temporal_ordered", &pairs.join(" and ")).replace("  rules: [a, b, c]\n", "")
    };
    assert_eq!(codes(&pairs(8)), [""; 0]);
    assert_eq!(codes(&pairs(9)), ["too-many-ways 6:3"]);
    assert_eq!(codes(&pairs(9).replace("temporal_ordered", "temporal")), [""; 0]);
}

#[test]
fn an_expression_alone_names_its_rules() {
    let text = text("temporal_ordered", "b and (a or not c)").replace("  rules: [a, b, c]\n", "");
    let rules: Vec<String> = correlation(&text).rules.into_iter().map(|rule| rule.name).collect();
    assert_eq!(rules, ["b", "a", "c"]);
}

#[test]
fn aliases_stand_for_fields() {
    let with = |aliases: &str| text("event_count", "{gte: 2}") + "  aliases: " + aliases + "\n";
    assert_eq!(codes(&with("{u: {a: x, b: y}}")), [""; 0]);
    assert_eq!(codes(&with("{v: {a: x, b: y}}")), ["unused-alias 8:13"]);
    assert_eq!(codes(&with("{u: {}}")), ["empty-alias 8:13"]);
    assert_eq!(codes(&with("{u: {a: ''}}")), ["empty-alias 8:13", "empty-alias 8:17"]);
    assert_eq!(codes(&with("{u: x}")), ["bad-type 8:16"]);
    assert_eq!(codes(&with("[u]")), ["bad-type 8:12"]);
}

#[test]
fn what_rises_answers_at_once() {
    let rises = |kind: &str, condition: &str| correlation(&text(kind, condition)).is_rising();
    assert!(rises("event_count", "{gte: 3}") && rises("value_count", "{gt: 3, gte: 2, field: f}"));
    assert!(rises("value_sum", "{gt: 3, field: f}") && rises("value_max", "{gt: 3, field: f}"));
    assert!(rises("value_min", "{lte: 3, field: f}") && !rises("value_min", "{gte: 3, field: f}"));
    assert!(
        !rises("event_count", "{gte: 3, lte: 9}")
            && !rises("event_count", "{eq: 3}")
            && !rises("event_count", "{neq: 3}")
    );
    for kind in ["value_avg", "value_median"] {
        assert!(!rises(kind, "{gt: 3, field: f}"), "{kind}");
    }
    assert!(!rises("value_percentile", "{gt: 3, field: f, percentile: 95}"));
    assert!(rises("temporal", "a and (b or c)") && !rises("temporal", "a and b and not c"));
    assert!(rises("temporal", "{gte: 2}") && !rises("temporal", "{eq: 2}"));
}
