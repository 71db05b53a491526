//! What operators say beside their findings, and what they keep.

use std::sync::Arc;

use model::EventId;

use super::super::{Claim, Episode, Members, Values};
use super::*;
use crate::sigma::{Document, Linked, link, parse};

fn linked(kind: &str, rules: usize, condition: &str) -> Linked {
    let names: Vec<String> = (0..rules).map(|rule| format!("r{rule}")).collect();
    let rule = |(place, name): (usize, &String)| {
        let id = format!("9f8c1d2e-0000-4000-8000-{place:012x}");
        format!(
            "title: {name}\nname: {name}\nid: {id}\nlogsource: {{product: x}}\ndetection: {{s: {{a: b}}, condition: s}}\n---\n"
        )
    };
    let rules: String = names.iter().enumerate().map(rule).collect();
    let condition = if condition.is_empty() { String::new() } else { format!("  condition: {condition}\n") };
    let text = format!(
        "{rules}title: t\ncorrelation:\n  type: {kind}\n  rules: [{}]\n  group-by: [u]\n  timespan: 10s\n{condition}",
        names.join(", ")
    );
    let (documents, told) = parse(&text);
    assert!(!told.iter().any(|told| told.is_error()), "{told:?}");
    let (mut rules, mut correlations) = (Vec::new(), Vec::new());
    for document in documents {
        match document {
            Document::Rule(rule) => rules.push(rule),
            Document::Correlation(correlation) => correlations.push(correlation),
            Document::Filter(_) => {}
        }
    }
    link(&rules, &correlations).0.remove(0)
}

fn operator(kind: &str, rules: usize, condition: &str) -> SigmaOperator {
    SigmaOperator::compile(&linked(kind, rules, condition)).expect("a type of Sigma")
}

fn fact(number: u64, members: u64, values: Values) -> Fact {
    let time = Time::from_millis(i64::try_from(number).expect("a small number"));
    let id = EventId::of(&[&number.to_le_bytes()]);
    Fact { time, id, members: Members(members), values, detail: None, beneath: None }
}

fn text(text: &str) -> Values {
    Values::Texts(Box::new([Arc::from(text)]))
}

/// Shows each fact at its own time, and lets all time pass.
fn told(operator: &SigmaOperator, facts: impl IntoIterator<Item = Fact>) -> (Vec<Told>, u64) {
    let (mut state, mut out) = (SigmaState::default(), Out::default());
    for fact in facts {
        operator.step(&mut state, fact.time, std::slice::from_ref(&fact), &mut out);
    }
    operator.pass(&mut state, Time::from_millis(i64::MAX), &mut out);
    assert!(operator.is_idle(&state));
    (out.told, out.shed)
}

fn closed(told: Vec<Told>) -> Vec<Episode> {
    let closed = told.into_iter().filter_map(|told| match told {
        Told::Closed(episode) => Some(episode),
        _ => None,
    });
    closed.collect()
}

#[test]
fn a_measure_says_what_was_measured_and_what_was_asked_for() {
    let measure = |kind: &str, condition: &str, facts: Vec<Fact>| {
        let episodes = closed(told(&operator(kind, 3, condition), facts).0);
        let Measure { of, value, threshold, values, .. } = episodes[0].measure.clone();
        format!("{of}: {value}, {threshold}, {values:?}")
    };
    let numbers = || (0..4).map(|at| fact(at, 1, Values::Number(i128::from(at) * 1_500_000))).collect::<Vec<_>>();
    let texts = || ["q", "p", "q", "s"].iter().zip(0..).map(|(word, at)| fact(at, 1, text(word))).collect::<Vec<_>>();
    let rules = || (0..3).map(|at| fact(at, 1 << at, Values::None)).collect::<Vec<_>>();
    assert_eq!(measure("event_count", "{gt: 1}", rules()), "events: 2, more than 1, []");
    assert_eq!(measure("event_count", "{gte: 2, lt: 9}", rules()), "events: 3, at least 2 and less than 9, []");
    assert_eq!(
        measure("value_count", "{field: f, gte: 3}", texts()),
        "different values of f: 3, at least 3, [\"p\", \"q\", \"s\"]"
    );
    assert_eq!(measure("value_sum", "{field: n, gte: 4}", numbers()), "sum of n: 4.5, at least 4, []");
    assert_eq!(measure("value_max", "{field: n, gte: 3}", numbers()), "greatest n: 3, at least 3, []");
    assert_eq!(measure("value_min", "{field: n, gt: -1}", numbers()), "least n: 0, more than -1, []");
    assert_eq!(measure("value_avg", "{field: n, neq: 1}", numbers()), "average of n: 2.25, other than 1, []");
    assert_eq!(measure("value_median", "{field: n, lte: 2}", numbers()), "median of n: 1.5, at most 2, []");
    assert_eq!(
        measure("value_percentile", "{field: n, percentile: 99.5, eq: 4.5}", numbers()),
        "percentile 99.5 of n: 4.5, exactly 4.5, []"
    );
    assert_eq!(
        measure("value_percentile", "{field: f, lt: 30}", texts()),
        "share of one f in percent: 25, less than 30, [\"p\", \"s\"]"
    );
    assert_eq!(measure("temporal", "", rules()), "rules that occur: 3, all 3, []");
    assert_eq!(measure("temporal_ordered", "", rules()), "rules that occur in order: 3, all 3 in order, []");
    assert_eq!(measure("temporal_ordered", "{gte: 2}", rules()), "rules that occur in order: 2, at least 2, []");
    let expression = "r0 and (r1 or not r2)";
    assert_eq!(measure("temporal", expression, rules()), format!("rules that occur: 3, {expression}, []"));
}

#[test]
fn a_person_who_asks_is_told_where_a_group_stands() {
    let reading = |kind: &str, condition: &str, facts: Vec<Fact>| {
        let (operator, mut state) = (operator(kind, 3, condition), SigmaState::default());
        assert_eq!(operator.reading(&state), None, "nothing is measured before anything happened");
        for fact in facts {
            operator.step(&mut state, fact.time, std::slice::from_ref(&fact), &mut Out::default());
        }
        let Measure { of, value, threshold, values, .. } = operator.reading(&state)?;
        Some(format!("{value} {of}, {threshold} {values:?}").replace("1970-01-01T00:00:", ""))
    };
    let is = |said: Option<String>, sentence: &str| assert_eq!(said.as_deref(), Some(sentence));
    let numbers = || (0..3).map(|at| fact(at, 1, Values::Number(i128::from(at) * 1_500_000))).collect::<Vec<_>>();
    let texts = || ["q", "p", "q"].iter().zip(0..).map(|(word, at)| fact(at, 1, text(word))).collect::<Vec<_>>();
    let rules = || (0..2).map(|at| fact(at, 1 << at, Values::None)).collect::<Vec<_>>();
    is(reading("event_count", "{gte: 9}", rules()), "2 events, at least 9 [\"since 00.000Z\"]");
    is(reading("event_count", "{gte: 9}", rules()[..1].to_vec()), "1 events, at least 9 [\"since 00.000Z\"]");
    is(
        reading("event_count", "{lt: 9}", rules()),
        "2 events, less than 9 [\"judged after 10.000Z\", \"since 00.000Z\"]",
    );
    is(reading("event_count", "{gte: 2}", rules()), "2 events, at least 2 [\"holds since 00.001Z, last at 00.001Z\"]");
    is(
        reading("value_count", "{field: f, gte: 9}", texts()),
        "2 different values of f, at least 9 [\"p\", \"q\", \"since 00.000Z\"]",
    );
    is(reading("value_sum", "{field: n, gte: 9}", numbers()), "4.5 sum of n, at least 9 [\"since 00.000Z\"]");
    let judged = "[\"judged after 10.000Z\", \"since 00.000Z\"]";
    is(reading("value_max", "{field: n, lt: 9}", numbers()), &format!("3 greatest n, less than 9 {judged}"));
    is(reading("value_min", "{field: n, gt: 9}", numbers()), &format!("0 least n, more than 9 {judged}"));
    assert_eq!(reading("value_max", "{field: n, gte: 9}", numbers()), None, "no number keeps the bound");
    is(reading("value_avg", "{field: n, gt: 9}", numbers()), &format!("1.5 average of n, more than 9 {judged}"));
    is(reading("value_median", "{field: n, gt: 9}", numbers()), &format!("1.5 median of n, more than 9 {judged}"));
    is(
        reading("value_percentile", "{field: n, percentile: 99, gt: 9}", numbers()),
        &format!("3 percentile 99 of n, more than 9 {judged}"),
    );
    is(
        reading("value_percentile", "{field: f, gt: 90}", texts()[..2].to_vec()),
        &format!("50 share of one f in percent, more than 90 {judged}"),
    );
    is(reading("temporal", "", rules()), "2 rules that occur, all 3 [\"since 00.000Z\"]");
    is(reading("temporal_ordered", "", rules()), "2 rules that occur in order, all 3 in order [\"since 00.000Z\"]");
}

#[test]
fn a_group_of_one_event_is_small() {
    assert_eq!(size_of::<SigmaState>(), 16);
    for (kind, condition) in [("event_count", "{gte: 2}"), ("temporal", ""), ("event_count", "{eq: 2}")] {
        let (operator, mut state) = (operator(kind, 3, condition), SigmaState::default());
        let fact = fact(1, 1, Values::None);
        operator.step(&mut state, fact.time, std::slice::from_ref(&fact), &mut Out::default());
        assert!(operator.heap_bytes(&state) <= 112, "{kind}: {}", operator.heap_bytes(&state));
        assert_eq!(operator.due(&state), Some(fact.time.plus_millis(10_000)));
    }
}

#[test]
fn what_a_window_has_no_room_for_is_counted() {
    let facts = || (0..10).map(|at| fact(at, 1, Values::Numbers(vec![i128::from(at); 11_000].into())));
    let (found, shed) = told(&operator("value_median", 1, "{field: n, gte: 0}"), facts());
    assert_eq!((closed(found).len(), shed), (1, 10_000));
    let words = |at: u64| (0..11_000).map(|word| Arc::from(format!("{at} {word}"))).collect();
    let facts = (0..10).map(|at| fact(at, 1, Values::Texts(words(at))));
    let (found, shed) = told(&operator("value_percentile", 1, "{field: f, lt: 1}"), facts);
    assert_eq!((closed(found)[0].opened_count, shed), (9, 11_000));
}

#[test]
fn a_count_of_values_knows_no_more_of_them_than_its_bounds_ask_for() {
    let operator = operator("value_count", 1, "{field: f, lte: 50}");
    let (mut state, mut out) = (SigmaState::default(), Out::default());
    for number in 0..5_000 {
        let fact = fact(number, 1, text(&number.to_string()));
        operator.step(&mut state, fact.time, std::slice::from_ref(&fact), &mut out);
    }
    assert!(operator.heap_bytes(&state) < 20_000, "{}", operator.heap_bytes(&state));
    operator.pass(&mut state, Time::from_millis(100_000), &mut out);
    assert_eq!((out.told.len(), out.shed), (0, 0));
}

#[test]
fn a_flood_of_one_rule_does_not_hide_the_other_and_is_counted() {
    let operator = operator("temporal", 2, "");
    let (mut state, mut out) = (SigmaState::default(), Out::default());
    for at in 0..40 {
        let facts: Vec<Fact> = (0..1_000).map(|number| fact(at * 1_000 + number, 1, Values::None)).collect();
        let time = Time::from_millis(i64::try_from(at).expect("small") * 200);
        let facts: Vec<Fact> = facts.into_iter().map(|fact| Fact { time, ..fact }).collect();
        operator.step(&mut state, time, &facts, &mut out);
    }
    assert!(operator.heap_bytes(&state) < 4 << 20 && out.shed > 0);
    let last = fact(8_000, 2, Values::None);
    operator.step(&mut state, last.time, std::slice::from_ref(&last), &mut out);
    let Told::Opened(episode) = &out.told[0] else { panic!("{:?}", out.told) };
    assert_eq!((episode.opened_count, episode.opened.len()), (40_001, 100));
}

#[test]
fn many_rules_at_one_instant_find_their_order() {
    let operator = operator("temporal_ordered", 64, "");
    let (mut state, mut out) = (SigmaState::default(), Out::default());
    let at = |facts: Vec<Fact>, second: i64| {
        let time = Time::from_millis(second * 1_000);
        (time, facts.into_iter().map(|fact| Fact { time, ..fact }).collect::<Vec<Fact>>())
    };
    let (time, facts) = at((0..63).map(|number| fact(number, u64::MAX, Values::None)).collect(), 1);
    operator.step(&mut state, time, &facts, &mut out);
    assert!(out.told.is_empty(), "63 events cannot serve 64 rules");
    let (time, facts) = at(vec![fact(100, 1, Values::None)], 2);
    operator.step(&mut state, time, &facts, &mut out);
    assert!(out.told.is_empty(), "the last rule has no event behind the others");
    let (time, facts) = at((200..600).map(|number| fact(number, 1 << 63, Values::None)).collect(), 3);
    operator.step(&mut state, time, &facts, &mut out);
    assert!(matches!(&out.told[..], [Told::Opened(_)]));
}

#[test]
fn an_event_beneath_several_findings_is_claimed_once() {
    let mut linked = linked("event_count", 1, "{gte: 2}");
    linked.members = vec![crate::sigma::Member::Correlation(0)];
    let operator = SigmaOperator::compile(&linked).expect("a type of Sigma");
    let claim = |number: u64| {
        let Fact { time, id, members, detail, .. } = fact(number, 1, Values::None);
        Claim { time, id, members, detail }
    };
    let beneath = |number: u64, of: &[u64]| Fact {
        beneath: Some(of.iter().map(|number| claim(*number)).collect()),
        ..fact(number, 1, Values::None)
    };
    let again = Fact { time: Time::from_millis(20), ..beneath(10, &[5]) };
    let (found, _) = told(&operator, [beneath(10, &[1, 2]), again, beneath(30, &[2, 3]), beneath(40, &[3, 4])]);
    let episode = closed(found).remove(0);
    let ids = |claims: &[Claim]| claims.iter().map(|claim| claim.time.millis()).collect::<Vec<_>>();
    assert_eq!((ids(&episode.opened), episode.opened_count), (vec![1, 2, 3, 5], 4));
    assert_eq!((ids(&episode.prolonged), episode.prolonged_count), (vec![4], 1));
    assert_eq!(episode.first, beneath(10, &[]).id);
}
