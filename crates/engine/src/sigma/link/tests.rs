use super::super::{Document, parse};
use super::*;

/// Rules `a` and `b`, and whatever stands behind them.
fn linked(more: &str) -> (Vec<Linked>, Vec<String>) {
    let text = format!("{}---\n{}---\n{more}", rule("a", 1), rule("b", 2));
    let (documents, told) = parse(&text);
    let errors: Vec<_> = told.iter().filter(|told| told.is_error()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let (mut rules, mut correlations) = (Vec::new(), Vec::new());
    for document in documents {
        match document {
            Document::Rule(rule) => rules.push(rule),
            Document::Correlation(mut correlation) => {
                correlation.file = "f.yml".to_owned();
                correlations.push(correlation);
            }
            Document::Filter(_) => panic!("no filter"),
        }
    }
    let (linked, told) = link(&rules, &correlations);
    assert!(told.iter().all(|told| told.file == "f.yml" && told.line > 0 && !told.remedy.is_empty()), "{told:?}");
    (linked, told.into_iter().map(|told| format!("{} {}:{}", told.code, told.line, told.column)).collect())
}

fn rule(name: &str, number: usize) -> String {
    format!(
        "title: {name}\nname: {name}\nid: 9f8c1d2e-0000-4000-8000-{number:012}\nlogsource: {{product: test}}\ndetection: {{s: {{x: {name}}}, condition: s}}\n"
    )
}

fn count(name: &str, rules: &str, more: &str) -> String {
    format!(
        "title: {name}\nname: {name}\ncorrelation:\n  type: event_count\n  rules: {rules}\n  group-by: [u]\n  timespan: 5m\n  condition: {{gte: 2}}\n{more}"
    )
}

fn id(number: usize) -> RuleId {
    RuleId::new(format!("9f8c1d2e-0000-4000-8000-{number:012}"))
}

#[test]
fn rules_are_found_by_name_and_by_id() {
    let (linked, told) = linked(&count("c", "[b, 9F8C1D2E-0000-4000-8000-000000000001]", ""));
    assert!(told.is_empty(), "{told:?}");
    assert_eq!(linked[0].members, [Member::Rule(id(2)), Member::Rule(id(1))]);
    assert!(linked[0].is_raised);
}

#[test]
fn members_stand_before_what_is_built_on_them() {
    let (linked, told) = linked(&format!("{}---\n{}", count("top", "[low, a]", ""), count("low", "[b]", "")));
    assert!(told.is_empty(), "{told:?}");
    let names: Vec<&str> = linked.iter().map(|linked| linked.correlation.title.as_str()).collect();
    assert_eq!(names, ["low", "top"]);
    assert_eq!(linked[1].members, [Member::Correlation(0), Member::Rule(id(1))]);
    assert_eq!((linked[0].is_raised, linked[1].is_raised), (false, true));
}

#[test]
fn a_correlation_beneath_is_raised_where_one_above_says_generate() {
    let (linked, _) =
        linked(&format!("{}---\n{}", count("top", "[low]", "  generate: true\n"), count("low", "[b]", "")));
    assert!(linked[0].is_raised);
}

#[test]
fn every_reference_that_leads_nowhere_is_told() {
    let (linked, told) = linked(&count("c", "[a, x, y]", ""));
    assert_eq!(told, ["unknown-rule 17:14", "unknown-rule 17:17"]);
    assert!(linked.is_empty());
}

#[test]
fn a_rule_named_twice_by_name_and_id_is_told() {
    let (_, told) = linked(&count("c", "[a, 9f8c1d2e-0000-4000-8000-000000000001]", ""));
    assert_eq!(told, ["duplicate-reference 17:14"]);
}

#[test]
fn a_name_of_two_rules_is_told() {
    let (_, told) = linked(&format!("{}---\n{}", rule("b", 3), count("c", "[a, b]", "")));
    assert_eq!(told, ["ambiguous-reference 23:14"]);
}

#[test]
fn cycles_are_told_and_do_not_hide_other_correlations() {
    let text = [count("x", "[y]", ""), count("y", "[z, a]", ""), count("z", "[x]", ""), count("good", "[a]", "")]
        .join("---\n");
    let (linked, told) = linked(&text);
    assert_eq!(told, ["reference-cycle 35:11", "broken-reference 26:11", "broken-reference 17:11"]);
    assert_eq!(linked.len(), 1);
    let (_, told) = super::tests::linked(&count("x", "[x]", ""));
    assert_eq!(told, ["reference-cycle 17:11"]);
}

#[test]
fn towers_have_a_height_in_whatever_order_they_are_written() {
    let mut texts: Vec<String> = (0..9).map(|at| count(&format!("c{at}"), &format!("[c{}]", at + 1), "")).collect();
    texts[8] = count("c8", "[a]", "");
    let (down, told) = linked(&texts.join("---\n"));
    assert_eq!((down.len(), told.len()), (8, 1), "{told:?}");
    texts.reverse();
    let (up, told) = linked(&texts.join("---\n"));
    assert_eq!((up.len(), told.len()), (8, 1), "{told:?}");
    let longer: Vec<String> = (0..1000).map(|at| count(&format!("c{at}"), &format!("[c{}]", at + 1), "")).collect();
    assert!(linked(&longer.join("---\n")).0.is_empty());
}

#[test]
fn aliases_lead_to_the_fields_of_each_member() {
    let (linked, told) = linked(&count("c", "[a, b]", "  aliases: {u: {b: user.name}}\n"));
    assert_eq!(told, ["incomplete-alias 21:0"]);
    assert_eq!((linked[0].field("u", 0), linked[0].field("u", 1), linked[0].field("v", 1)), ("u", "user.name", "v"));
}

#[test]
fn an_alias_may_speak_of_the_rules_of_the_correlation_alone() {
    let (linked, told) = linked(&count("c", "[a]", "  aliases: {u: {a: x, b: y, nope: z}}\n"));
    assert_eq!(told, ["alias-of-unknown-rule 21:23", "alias-of-unknown-rule 21:29"]);
    assert!(linked.is_empty());
}

#[test]
fn an_id_that_is_taken_is_told() {
    let twice = count("c", "[a]", "id: 9f8c1d2e-0000-4000-8000-000000000009\n");
    let (linked, told) =
        linked(&format!("{twice}---\n{twice}---\n{}", count("d", "[a]", "id: 9f8c1d2e-0000-4000-8000-000000000001\n")));
    assert_eq!(told, ["duplicate-id 23:0", "duplicate-id 33:0"]);
    assert_eq!(linked.len(), 1);
}

/// A rule `v` that is judged over time.
fn voiced(more: &str) -> String {
    let stateful = "stateful: {type: first_seen, group-by: [u], timespan: 30d, learn: 14d, condition: {field: x}";
    format!("{}watchkeep:\n  {stateful}{more}}}\n", rule("v", 3))
}

#[test]
fn a_correlation_that_speaks_for_a_rule_is_what_others_mean_by_its_name_and_id() {
    let (linked, told) = linked(&format!(
        "{}---\n{}---\n{}",
        count("by_name", "[v]", ""),
        voiced(""),
        count("by_id", "[9F8C1D2E-0000-4000-8000-000000000003]", "")
    ));
    assert!(told.is_empty(), "{told:?}");
    let names: Vec<&str> = linked.iter().map(|linked| linked.correlation.title.as_str()).collect();
    assert_eq!(names, ["v", "by_name", "by_id"]);
    assert_eq!(linked[0].members, [Member::Rule(id(3))]);
    assert_eq!(linked[0].correlation.voice_of, Some(id(3)));
    assert_eq!(
        (&linked[1].members, &linked[2].members),
        (&vec![Member::Correlation(0)], &vec![Member::Correlation(0)])
    );
    assert!(!linked[0].is_raised && linked[1].is_raised);
}

#[test]
fn what_speaks_for_a_rule_raises_its_findings_where_nothing_stands_above() {
    let (linked, told) = linked(&voiced(", generate: true"));
    assert!(told.is_empty(), "{told:?}");
    assert!(linked[0].is_raised && linked[0].correlation.generate);
}

#[test]
fn members_of_a_risk_are_worth_their_level_or_what_is_given() {
    let risk = "title: t\nwatchkeep:\n  stateful: {type: risk, rules: [a, b, c], points: {b: 7}, group-by: [u], timespan: 1d, condition: {gte: 9}}\n";
    let high = count("c", "[v]", "level: high\ntags: [attack.exfiltration, attack.t1567]\n");
    let (linked, told) = linked(&format!("{}---\n{high}---\n{risk}", voiced("")));
    assert!(told.is_empty(), "{told:?}");
    let weight =
        |points, tactics: &[&str]| Weight { points, tactics: tactics.iter().map(|it| (*it).to_owned()).collect() };
    assert_eq!(linked[2].weights, [weight(20, &[]), weight(7, &[]), weight(50, &["exfiltration"])]);
    assert!(linked[0].weights.is_empty() && linked[1].weights.is_empty());
}
