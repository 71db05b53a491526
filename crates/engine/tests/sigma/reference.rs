//! The compiled program equals the plain evaluator: one small rule at a time, every modifier, and a few rules together.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use crate::data::{Bench, rules};
use crate::json_style::Style;
use crate::plain::{Condition, Event, Item, NAMES, Search, condition_holds, inventory, listed, write};

fn word() -> impl Strategy<Value = String> {
    let words = vec![
        "",
        "a",
        "A",
        "ab",
        "aB",
        "abc",
        "bab",
        "é",
        "É",
        "ß",
        "ẞ",
        "\u{212A}",
        "k",
        "a*b",
        "a b",
        "a\\b",
        "\\",
        "-ab",
        "/ab",
        "–ab",
        "x -ab",
        "10.0.0.1",
        "10.1.2.3",
        "2001:db8::7",
        "1",
        "1.0",
        "-2",
        "true",
        "null",
        "2024-01-02T03:04:05Z",
        "2024-01-02T23:04:05Z",
    ];
    prop_oneof![4 => select(words).prop_map(str::to_owned), 1 => "[abAB*?\\\\é -]{0,6}"]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => word().prop_map(Value::String),
        2 => select(vec![json!(1), json!(-2), json!(1.5), json!(10), json!(0)]),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => Just(Value::Null),
    ]
}

pub fn event() -> impl Strategy<Value = Event> {
    let inner = prop_oneof![
        5 => scalar(),
        2 => proptest::collection::vec(scalar(), 0..3).prop_map(Value::Array),
        2 => proptest::collection::btree_map(select(vec!["d", "e"]), scalar(), 0..3)
            .prop_map(|map| map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<Map<_, _>>().into()),
        1 => proptest::collection::vec(scalar().prop_map(|value| json!({"d": value})), 1..3).prop_map(Value::Array),
    ];
    proptest::collection::btree_map(select(vec!["a", "b", "c", "c.d"]), inner, 0..4).prop_map(|map| Event {
        value: Value::Object(map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        style: Style::PLAIN,
    })
}

fn item() -> impl Strategy<Value = Item> {
    let field = || select(vec!["a", "b", "c", "c.d", "c.e", "nope"]);
    let affixes = vec![
        vec![],
        vec!["contains"],
        vec!["startswith"],
        vec!["endswith"],
        vec!["windash", "contains"],
        vec!["windash"],
    ];
    let extras = vec![vec![], vec![], vec!["all"], vec!["cased"], vec!["neq"], vec!["all", "neq"]];
    let text = (field(), select(affixes.clone()), select(extras.clone()), proptest::collection::vec(word(), 1..4))
        .prop_map(|(field, affix, extra, words)| Item {
            field,
            chain: [affix, extra].concat(),
            values: words.into_iter().map(Value::String).collect(),
        });
    let plain =
        (field(), select(vec![vec![], vec!["neq"]]), proptest::collection::vec(scalar(), 1..3).prop_map(listed))
            .prop_map(|(field, chain, values)| Item { field, chain, values });
    let keywords = (select(extras.clone()), proptest::collection::vec(word(), 1..3)).prop_map(|(chain, words)| Item {
        field: "",
        chain,
        values: words.into_iter().map(Value::String).collect(),
    });
    let special = (
        field(),
        select(vec![
            (vec!["re"], json!("^a+b?$")),
            (vec!["re", "i"], json!("AB|é")),
            (vec!["re", "neq"], json!("b$")),
            (vec!["cidr"], json!("10.0.0.0/16")),
            (vec!["cidr"], json!("2001:db8::/32")),
            (vec!["cidr", "neq"], json!("10.0.0.0/8")),
            (vec!["lt"], json!(1)),
            (vec!["lte"], json!(1)),
            (vec!["gt"], json!(1)),
            (vec!["gte"], json!(1.5)),
            (vec!["exists"], json!(true)),
            (vec!["exists"], json!(false)),
            (vec!["hour", "gte"], json!(20)),
            (vec!["hour", "lt"], json!(20)),
            (vec!["fieldref"], json!("b")),
            (vec!["fieldref", "neq"], json!("a")),
            (vec!["fieldref", "startswith"], json!("c.d")),
            (vec!["fieldref", "contains", "cased"], json!("a")),
            (vec!["fieldref", "endswith"], json!("a")),
            (vec!["expand"], json!("%list%")),
            (vec!["expand"], json!("%none%")),
            (vec!["expand", "contains"], json!("%list%")),
        ]),
    )
        .prop_map(|(field, (chain, value))| Item { field, chain, values: vec![value] });
    prop_oneof![4 => text, 2 => plain, 1 => keywords, 4 => special]
}

pub fn search() -> impl Strategy<Value = Search> {
    proptest::collection::vec(proptest::collection::vec(item(), 1..3), 1..3).prop_map(|mut maps| {
        for items in &mut maps {
            items.dedup_by(|a, b| a.field == b.field && a.chain == b.chain);
        }
        Search(maps)
    })
}

pub fn condition() -> impl Strategy<Value = Condition> {
    let leaf = prop_oneof![
        4 => (0..NAMES.len()).prop_map(Condition::Search),
        1 => (select(vec![None, Some(1), Some(2)]), select(vec!["them", "s*", "*1"])).prop_map(|(least, p)| Condition::Of(least, p)),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|part| Condition::Not(Box::new(part))),
            proptest::collection::vec(inner.clone(), 1..3).prop_map(Condition::And),
            proptest::collection::vec(inner, 1..3).prop_map(Condition::Or),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_program_equals_the_plain_evaluator(
        searches in proptest::collection::vec(search(), NAMES.len()),
        condition in condition(),
        events in proptest::collection::vec(event(), 1..6),
    ) {
        let text = write(&searches, &condition);
        let (mut bench, diagnostics) = Bench::new(&rules(&text), &[], &inventory());
        prop_assert!(diagnostics.is_empty(), "{diagnostics:?}");
        for event in &events {
            let wanted = condition_holds(&condition, &searches, event);
            let held = !bench.hits(&event.text()).is_empty();
            prop_assert_eq!(held, wanted, "{}\n{}", text, event.text());
            let rule = bench.program.indexes().next().expect("one rule");
            let explained = bench.with(&event.text(), |program, record| program.explain(rule, record));
            prop_assert_eq!(explained.held, wanted, "{}\n{}\n{}", text, event.text(), explained.render());
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// What one rule needs is not disturbed by what others share with it.
    #[test]
    fn rules_together_equal_rules_alone(
        rules_of in proptest::collection::vec((proptest::collection::vec(search(), NAMES.len()), condition()), 2..5),
        event in event(),
    ) {
        let texts: Vec<String> = rules_of.iter().enumerate().map(|(at, (searches, condition))| {
            write(searches, condition).replace("000000000001", &format!("{at:012}"))
        }).collect();
        let all: Vec<_> = texts.iter().flat_map(|text| rules(text)).collect();
        let (mut together, _) = Bench::new(&all, &[], &inventory());
        let hits: Vec<usize> = together.hits(&event.text()).iter().map(|rule| rule.index()).collect();
        for (at, (searches, condition)) in rules_of.iter().enumerate() {
            prop_assert_eq!(hits.contains(&at), condition_holds(condition, searches, &event), "{}", texts[at]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Long lists are compared in another way than short ones.
    #[test]
    fn a_long_list_relates_to_another_as_each_pair_does(
        ones in proptest::collection::vec("[abAB\u{212A}k]{2,5}", 30..50),
        others in proptest::collection::vec("[abABk]{4,7}|[ab]{2}c", 40..60),
        affix in select(vec![vec![], vec!["startswith"], vec!["endswith"], vec!["contains"]]),
        extra in select(vec![vec![], vec!["cased"], vec!["neq"]]),
        is_turned in any::<bool>(),
    ) {
        let item = Item { field: "a", chain: [vec!["fieldref"], affix, extra].concat(), values: vec![json!("b")] };
        let searches = vec![Search(vec![vec![item]])];
        let (a, b) = if is_turned { (&others, &ones) } else { (&ones, &others) };
        let event = Event { value: json!({"a": [a, [null, 1, {}]], "b": b}), style: Style::PLAIN };
        let text = write(&searches, &Condition::Search(0));
        let held = !Bench::of(&text).hits(&event.text()).is_empty();
        prop_assert_eq!(held, condition_holds(&Condition::Search(0), &searches, &event), "{}\n{}", text, event.text());
    }
}
