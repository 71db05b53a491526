//! The operators of correlations against the plain evaluator.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use crate::plain::Event;
use crate::scene::Scene;
use crate::shown::{Between, Kept, findings};

/// A unit of time and its microseconds. Time spans are ten of them: shorter than a day, and longer.
pub type Unit = (&'static str, i64);

pub const SECONDS: Unit = ("s", 1_000_000);
const RULES: [&str; 5] = ["a", "b", "c", "d", "e"];

fn id(rule: &str) -> String {
    format!("9f8c1d2e-0000-4000-8000-{:012x}", rule.as_bytes()[0])
}

/// The rules `a` to `e`, and correlations.
pub fn scene(correlations: &str) -> Scene {
    let rule = |name: &str| {
        let head = format!("title: {name}\nname: {name}\nid: {}\nlogsource: {{product: x}}\n", id(name));
        format!("{head}detection: {{s: {{r: {name}}}, condition: s}}\n")
    };
    let mut texts: Vec<String> = RULES.map(rule).to_vec();
    texts.push(correlations.to_owned());
    Scene::read(&[&texts.join("---\n")])
}

pub fn correlation(name: &str, kind: &str, rules: &[&str], condition: &str, unit: Unit) -> String {
    let (unit, _) = unit;
    let condition = if condition.is_empty() { String::new() } else { format!("  condition: {condition}\n") };
    let rules = rules.join(", ");
    format!(
        "title: {name}\nname: {name}\ncorrelation:\n  type: {kind}\n  rules: [{rules}]\n  group-by: [u]\n  timespan: 10{unit}\n{condition}"
    )
}

// ---- conditions ----

fn bound(values: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    (select(vec!["gt", "gte", "lt", "lte", "eq", "neq"]), values).prop_map(|(word, value)| format!("{word}: {value}"))
}

/// One to three bounds of different words. Some contradict each other; those are refused and not used.
fn bounds(values: impl Strategy<Value = String> + Clone) -> impl Strategy<Value = String> {
    let rising = (select(vec!["gt", "gte"]), values.clone()).prop_map(|(word, value)| vec![format!("{word}: {value}")]);
    let falling =
        (select(vec!["lt", "lte"]), values.clone()).prop_map(|(word, value)| vec![format!("{word}: {value}")]);
    let any = proptest::collection::vec(bound(values), 1..4);
    prop_oneof![3 => rising, 1 => falling, 3 => any].prop_map(|mut all| {
        all.sort();
        all.dedup_by_key(|bound| bound.split(':').next().expect("a word").to_owned());
        all.join(", ")
    })
}

fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        6 => select(RULES.to_vec()).prop_map(str::to_owned),
        1 => select(vec!["1 of them", "2 of them", "3 of them"]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            3 => proptest::collection::vec(inner.clone(), 2..4).prop_map(|all| format!("({})", all.join(" and "))),
            2 => proptest::collection::vec(inner.clone(), 2..4).prop_map(|all| format!("({})", all.join(" or "))),
            1 => inner.prop_map(|part| format!("not ({part})")),
        ]
    })
}

fn temporal(kind: &'static str) -> impl Strategy<Value = (&'static str, String)> {
    let counts = bounds((1..5_i64).prop_map(|count| count.to_string())).prop_map(|bounds| format!("{{{bounds}}}"));
    prop_oneof![1 => Just(String::new()), 2 => counts, 3 => expression()].prop_map(move |condition| (kind, condition))
}

fn counted() -> impl Strategy<Value = (&'static str, String)> {
    let counts = || bounds((1..7_i64).prop_map(|count| count.to_string()));
    let fields = select(vec!["f", "[f, n]"]);
    let values =
        (fields, counts()).prop_map(|(field, bounds)| ("value_count", format!("{{field: {field}, {bounds}}}")));
    prop_oneof![counts().prop_map(|bounds| ("event_count", format!("{{{bounds}}}"))), values]
}

fn measured() -> impl Strategy<Value = (&'static str, String)> {
    let numbers = || bounds((-4..16_i64).prop_map(|half| format!("{:?}", half as f64 / 2.0)));
    let kinds = select(vec!["value_sum", "value_max", "value_min", "value_avg", "value_median"]);
    let plain = (kinds, numbers()).prop_map(|(kind, bounds)| (kind, format!("{{field: n, {bounds}}}")));
    let ranks = (select(vec!["0", "10", "33.3", "50", "66.7", "90", "100"]), numbers());
    let ranks =
        ranks.prop_map(|(rank, bounds)| ("value_percentile", format!("{{field: n, percentile: {rank}, {bounds}}}")));
    let shares = bounds(select(vec!["10", "20", "25", "33.333333", "50", "100"]).prop_map(str::to_owned));
    let shares = shares.prop_map(|bounds| ("value_percentile", format!("{{field: f, {bounds}}}")));
    prop_oneof![4 => plain, 1 => ranks, 1 => shares]
}

/// A type and a condition of it; of each family as often.
fn any_condition() -> impl Strategy<Value = (&'static str, String)> {
    prop_oneof![counted(), measured(), temporal("temporal"), temporal("temporal_ordered")]
}

/// One correlation of some of the rules that is not refused.
fn any_correlation() -> impl Strategy<Value = (String, Unit)> {
    let parts = (any_condition(), subsequence(RULES.to_vec(), 1..=5), unit());
    parts.prop_filter_map("refused", |((kind, condition), rules, unit)| {
        let text = correlation("t", kind, &rules, &condition, unit);
        let scene = scene(&text);
        (scene.errors().is_empty() && scene.linked.len() == 1).then_some((text, unit))
    })
}

// ---- events ----

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        8 => (-3..8_i64).prop_map(|number| json!(number)),
        2 => (-3..8_i64).prop_map(|half| json!(half as f64 / 2.0)),
        1 => Just(json!("3")),
        1 => Just(json!("many")),
        1 => Just(Value::Null),
        2 => proptest::collection::vec(-2..5_i64, 0..4).prop_map(|numbers| json!(numbers)),
    ]
}

fn text() -> impl Strategy<Value = Value> {
    let word = || select(vec!["p", "q", "r", "s", "t", ""]);
    prop_oneof![
        8 => word().prop_map(|word| json!(word)),
        1 => Just(Value::Null),
        2 => proptest::collection::vec(word(), 0..3).prop_map(|words| json!(words)),
    ]
}

/// Up to forty events within fifty units, many of them at one instant, a tick before or after it.
fn events((_, unit): Unit) -> impl Strategy<Value = Vec<Event>> {
    let wide = (0..50_i64, select(vec![0, 0, 0, 0, -1, 1])).prop_map(|(at, off)| (at, off));
    let user = prop_oneof![6 => select(vec!["x", "y"]).prop_map(|user| json!(user)), 1 => Just(json!(["x", "y"]))];
    let place = wide.prop_map(move |(at, off): (i64, i64)| (at * unit + off).max(0));
    let rules = subsequence(RULES.to_vec(), 1..4).prop_map(|rules| rules.into_iter().map(id).collect());
    let text = (user, number(), text()).prop_map(|(user, number, text)| json!({"u": user, "n": number, "f": text}));
    let one = (place, rules, text).prop_map(|(time, rules, text)| (time, rules, text.to_string()));
    proptest::collection::vec(one, 1..40).prop_map(|all| {
        let named = all.into_iter().enumerate();
        named.map(|(place, (time, rules, text))| Event { id: format!("e{place:02}"), time, text, rules }).collect()
    })
}

fn unit() -> impl Strategy<Value = Unit> {
    select(vec![SECONDS, SECONDS, ("h", 3_600_000_000), ("d", 86_400_000_000)])
}

fn between() -> impl Strategy<Value = Between> {
    proptest::collection::vec((select(vec![0, 0, 1, 30, 128, 250, 255]), any::<bool>()), 1..12)
}

/// What the plain evaluator finds.
fn found(scene: &Scene, events: &[Event]) -> Vec<Kept> {
    scene.findings(events).into_iter().map(Kept::of).collect()
}

/// A correlation of findings of another, and of some of the rules beside them.
fn any_chain() -> impl Strategy<Value = (String, Unit)> {
    let below = (any_condition(), subsequence(RULES.to_vec(), 1..=3), unit());
    let above =
        (prop_oneof![1 => counted(), 3 => temporal("temporal"), 3 => temporal("temporal_ordered")], any::<bool>());
    let beside = (subsequence(RULES.to_vec(), 1..=3), any::<bool>());
    (below, above, beside).prop_filter_map(
        "refused",
        |((below, rules, unit), (above, is_first), (beside, is_raised))| {
            if above.1.contains("field") {
                return None;
            }
            let mut names = beside;
            names.insert(if is_first { 0 } else { names.len() }, "f");
            let above_condition = if is_first { above.1.replacen('a', "f", 1) } else { above.1.replace('b', "f") };
            let below = correlation("f", below.0, &rules, &below.1, unit);
            let generate = if is_raised { "  generate: true\n" } else { "" };
            let above = correlation("t", above.0, &names, &above_condition, unit);
            let text = format!("{below}---\n{above}{generate}");
            let scene = scene(&text);
            (scene.errors().is_empty() && scene.linked.len() == 2).then_some((text, unit))
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn operators_find_what_the_page_says(
        ((text, _), events) in any_correlation().prop_flat_map(|(text, unit)| (Just((text, unit)), events(unit))),
        between in between(),
    ) {
        let scene = scene(&text);
        prop_assert_eq!(findings(&scene, &events, &between), found(&scene, &events), "{}", text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn findings_beneath_occur_whenever_they_hold(
        ((text, _), events) in any_chain().prop_flat_map(|(text, unit)| (Just((text, unit)), events(unit))),
        between in between(),
    ) {
        let scene = scene(&text);
        prop_assert_eq!(findings(&scene, &events, &between), found(&scene, &events), "{}", text);
    }
}

#[test]
fn of_what_goes_on_for_long_the_first_are_kept_and_all_are_counted() {
    let event = |at: i64| Event {
        id: format!("e{at:04}"),
        time: (at + 1) * 1_000_000,
        text: json!({"u": "x", "n": 1, "f": at % 7}).to_string(),
        rules: vec![id(RULES[at.rem_euclid(5) as usize])],
    };
    // Two at each second at first, then one; with pauses in which bursts end.
    let mut events: Vec<Event> = (0..400).filter(|at| at % 150 < 130).map(event).collect();
    let doubled: Vec<Event> = (0..120).map(|at| Event { id: format!("f{at:04}"), ..event(at) }).collect();
    events.extend(doubled);
    let conditions = [
        ("event_count", "{gte: 9}"),
        ("event_count", "{gte: 12, lte: 200}"),
        ("value_count", "{field: f, gte: 6}"),
        ("value_sum", "{field: n, gt: 8.5}"),
        ("value_percentile", "{field: f, lt: 90}"),
        ("temporal", ""),
        ("temporal_ordered", ""),
        ("temporal_ordered", "{gte: 4}"),
    ];
    for (kind, condition) in conditions {
        let text = correlation("t", kind, &RULES, condition, SECONDS);
        let text = if condition.contains("lt") { text.replace("10s", "80s") } else { text };
        let scene = scene(&text);
        let all = findings(&scene, &events, &vec![(0, false), (200, true)]);
        assert_eq!(all, found(&scene, &events), "{text}");
        let is_long = |kept: &Kept| kept.opened > 100 || kept.prolonged > 32;
        assert!(all.iter().any(is_long), "{text} {all:?}");
    }
}
