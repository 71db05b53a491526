//! From the rule as it is written to what it finds.

use engine::Diagnostic;
use engine::correlate::StatefulOperator;
use engine::correlate::stateful::Expectation;
use engine::sigma::{self, Document, Inventory};

use crate::drive::{DAY, MINUTE, fact, found, texts};

/// The operator of a `stateful` over rules called a, b and c.
fn compiled(stateful: &str) -> StatefulOperator {
    let mut text = String::new();
    for (place, name) in ["a", "b", "c"].into_iter().enumerate() {
        text += &format!(
            "title: Rule {name}\nid: 00000000-0000-4000-8000-00000000000{place}\nname: {name}\nlogsource: {{product: aws}}\n\
             detection:\n  sel: {{x: {name}}}\n  condition: sel\nlevel: high\n---\n"
        );
    }
    text += &format!(
        "title: Over time\nid: 00000000-0000-4000-8000-00000000000a\nlevel: high\nwatchkeep:\n  stateful:\n    group-by: [user]\n{stateful}"
    );
    let (documents, mut told) = sigma::parse(&text);
    let (mut rules, mut correlations) = (Vec::new(), Vec::new());
    for document in documents {
        match document {
            Document::Rule(rule) => rules.push(rule),
            Document::Correlation(correlation) => correlations.push(correlation),
            Document::Filter(_) => {}
        }
    }
    let (linked, more) = sigma::link(&rules, &correlations);
    told.extend(more);
    assert!(!told.iter().any(Diagnostic::is_error), "{told:?}");
    let mut inventory = Inventory::new();
    inventory.insert("buckets", ["w2", "w1", "w1"].map(str::to_owned).to_vec());
    StatefulOperator::compile(&linked[0], &inventory).expect("it is a type of ours")
}

#[test]
fn a_first_seen_is_read_with_its_learning() {
    let text = "    type: first_seen\n    rules: [a]\n    condition: {field: arn}\n    timespan: 30d\n    learn: {for: 14d, events: 5}\n";
    let StatefulOperator::FirstSeen(rule) = compiled(text) else { panic!("first_seen") };
    assert_eq!((rule.forget_ms, rule.learn_ms, rule.learn_events), (30 * DAY, 14 * DAY, 5));
}

#[test]
fn a_volume_is_read_with_its_baseline() {
    let text = "    type: volume\n    rules: [a]\n    timespan: 1h\n    measure: sum\n    condition: {field: tokens}\n    \
                baseline: {quantile: 0.99, factor: 4, season: hour_of_week}\n    at_least: 200\n";
    let StatefulOperator::Volume(rule) = compiled(text) else { panic!("volume") };
    assert_eq!((rule.calendar.season_hours, rule.calendar.span_ms, rule.at_least), (168, 60 * MINUTE, 200_000_000));
    assert_eq!(rule.expectation, Expectation::Quantile { quantile: 990_000, factor: 4_000_000 });
}

#[test]
fn a_sequence_of_rules_is_found() {
    let text =
        "    type: sequence\n    timespan: 1h\n    steps: [a, {rule: b, at_least: 2, within: 10m}]\n    unless: [c]\n";
    let rule = compiled(text);
    let StatefulOperator::Sequence(sequence) = &rule else { panic!("sequence") };
    let places: Vec<usize> = sequence
        .steps
        .iter()
        .map(|step| step.members)
        .chain([sequence.unless])
        .flat_map(|set| set.iter().collect::<Vec<_>>())
        .collect();
    let event = |minute: i64, place: usize| fact(minute * MINUTE, &format!("{minute}"), &[places[place]], texts(&[]));
    assert_eq!(found(&rule, &[event(0, 0), event(5, 1), event(7, 1)], &[]).len(), 1);
    assert_eq!(found(&rule, &[event(0, 0), event(5, 1), event(6, 2), event(7, 1)], &[]).len(), 0);
}

#[test]
fn what_is_missing_beside_an_event_is_named_in_the_finding() {
    let text = "    type: absence\n    rules: [a, b]\n    missing: b\n    timespan: 5m\n";
    let found = found(&compiled(text), &[fact(0, "one", &[0], texts(&[]))], &[]);
    assert_eq!((found.len(), found[0].measure.threshold.as_str()), (1, "no `b` within 5m after"));
    let text = "    type: join\n    rules: [a, b]\n    missing: b\n    timespan: 5s\n";
    let StatefulOperator::Unmatched(rule) = compiled(text) else { panic!("unmatched") };
    assert_eq!((rule.before_ms, rule.after_ms, rule.what.as_str()), (5000, 5000, "b"));
}

#[test]
fn a_list_is_read_from_the_inventory_each_value_once() {
    let text = "    type: coverage\n    rules: [a]\n    condition: {field: bucket, gte: 100%}\n    of: '%buckets%'\n    timespan: 1d\n";
    let rule = compiled(text);
    let read = |ms: i64, bucket: &str| fact(ms, bucket, &[0], texts(&[bucket]));
    assert_eq!(found(&rule, &[read(0, "w1"), read(1, "other")], &[]).len(), 0);
    assert_eq!(found(&rule, &[read(0, "w1"), read(1, "w2")], &[]).len(), 1);
}

#[test]
fn points_and_the_other_types_are_read() {
    let text = "    type: risk\n    rules: [a, b]\n    points: {a: 40}\n    condition: {gte: 90}\n    timespan: 1d\n";
    let StatefulOperator::Risk(rule) = compiled(text) else { panic!("risk") };
    assert_eq!(rule.weights.iter().map(|weight| weight.points).collect::<Vec<_>>(), [40, 50]);
    let text =
        "    type: ratio\n    of: a\n    to: [a, b]\n    condition: {gt: 0.5}\n    at_least: 10\n    timespan: 1d\n";
    let StatefulOperator::Ratio(rule) = compiled(text) else { panic!("ratio") };
    assert_eq!((rule.of.0, rule.to.0, rule.bounds[0].value), (1, 3, 500_000));
    let text = "    type: join\n    rules: [a, b]\n    timespan: 1m\n";
    assert!(matches!(compiled(text), StatefulOperator::Joined(_)));
    let text = "    type: absence\n    rules: [a]\n    timespan: 10m\n    forget: 2d\n    least_events: 3\n";
    let StatefulOperator::Silence(rule) = compiled(text) else { panic!("silence") };
    assert_eq!((rule.span_ms, rule.forget_ms, rule.least_events), (10 * MINUTE, 2 * DAY, 3));
    let text = "    type: rarity\n    rules: [a]\n    condition: {field: exe, lt: 1%}\n    timespan: 14d\n    least_events: 1000\n";
    let StatefulOperator::Rarity(rule) = compiled(text) else { panic!("rarity") };
    assert_eq!((rule.share, rule.least_events), (10_000, 1000));
    let text = "    type: peer_group\n    rules: [a]\n    entity: [user]\n    measure: count\n    baseline: {k: 4}\n    timespan: 1d\n";
    let StatefulOperator::Peers(rule) = compiled(text) else { panic!("peers") };
    assert_eq!(rule.expectation, Expectation::Mad(4_000_000));
}
