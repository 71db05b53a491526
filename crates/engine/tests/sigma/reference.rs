//! The compiled program equals a plain evaluator: one that looks each field up by path in a JSON tree, walks the rule as it is
//! written, and matches patterns character by character. It shares no code with the engine.

use engine::sigma::Inventory;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use crate::data::{Bench, rules};

/// One `field|modifiers: values` of a rule.
#[derive(Clone, Debug)]
struct Item {
    field: &'static str,
    chain: Vec<&'static str>,
    values: Vec<Value>,
}

/// A search: maps joined by OR, each of items joined by AND.
#[derive(Clone, Debug)]
struct Search(Vec<Vec<Item>>);

#[derive(Clone, Debug)]
enum Condition {
    Search(usize),
    Not(Box<Condition>),
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Of(Option<usize>, &'static str),
}

const NAMES: [&str; 4] = ["s1", "s2", "f1", "_x"];

fn inventory() -> Inventory {
    [("list".to_owned(), vec!["ab*".to_owned(), "É".to_owned()]), ("none".to_owned(), vec![])].into_iter().collect()
}

// ---- the plain evaluator ----

fn fold(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

/// Every value under `path`: arrays count as their elements, an empty one as itself.
fn lookup<'v>(value: &'v Value, path: Option<&str>, found: &mut Vec<&'v Value>) {
    match (value, path) {
        (Value::Array(elements), _) if !elements.is_empty() => {
            elements.iter().for_each(|element| lookup(element, path, found))
        }
        (value, None) => found.push(value),
        (Value::Object(entries), Some(path)) => {
            for (key, inner) in entries {
                if path == key {
                    lookup(inner, None, found);
                } else if let Some(rest) = path.strip_prefix(key.as_str()).and_then(|rest| rest.strip_prefix('.')) {
                    lookup(inner, Some(rest), found);
                }
            }
        }
        _ => {}
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn leaves(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| leaves(element, found)),
        Value::Object(entries) => entries.values().for_each(|inner| leaves(inner, found)),
        Value::String(text) => found.push(text.clone()),
        Value::Number(number) => found.push(number.to_string()),
        _ => {}
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Unit {
    Char(char),
    One,
    Many,
}

fn units(text: &str) -> Vec<Unit> {
    let mut units = Vec::new();
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    while at < chars.len() {
        let next = chars.get(at + 1);
        match (chars[at], next) {
            ('\\', Some(escaped @ ('*' | '?' | '\\'))) => {
                units.push(Unit::Char(*escaped));
                at += 1;
            }
            ('*', _) => units.push(Unit::Many),
            ('?', _) => units.push(Unit::One),
            (c, _) => units.push(Unit::Char(c)),
        }
        at += 1;
    }
    units
}

fn fits(units: &[Unit], text: &[char], cased: bool) -> bool {
    match units.split_first() {
        None => text.is_empty(),
        Some((Unit::Many, rest)) => (0..=text.len()).any(|skip| fits(rest, &text[skip..], cased)),
        Some((unit, rest)) => text.split_first().is_some_and(|(first, text)| {
            let is_same = match unit {
                Unit::Char(c) => {
                    if cased {
                        c == first
                    } else {
                        fold(*c) == fold(*first)
                    }
                }
                _ => true,
            };
            is_same && fits(rest, text, cased)
        }),
    }
}

fn windash(units: &[Unit]) -> Vec<Vec<Unit>> {
    const DASHES: [char; 5] = ['-', '/', '–', '—', '―'];
    let is_word = |unit: Option<&Unit>| matches!(unit, Some(Unit::Char(c)) if c.is_alphanumeric() || *c == '_');
    let mut all = vec![Vec::new()];
    for (at, unit) in units.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| units.get(before));
        let is_switch =
            matches!(unit, Unit::Char(c) if DASHES.contains(c)) && !is_word(before) && is_word(units.get(at + 1));
        let choices: Vec<Unit> = if is_switch { DASHES.map(Unit::Char).to_vec() } else { vec![*unit] };
        all = all
            .iter()
            .flat_map(|head: &Vec<Unit>| choices.iter().map(|c| [&head[..], &[*c]].concat()).collect::<Vec<_>>())
            .collect();
    }
    all
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite())
}

fn item_holds(item: &Item, event: &Value) -> bool {
    let has = |modifier: &str| item.chain.contains(&modifier);
    let each: Vec<bool> = item.values.iter().map(|value| value_holds(item, value, event)).collect();
    let held = if has("all") { each.iter().all(|held| *held) } else { each.iter().any(|held| *held) };
    held != has("neq")
}

fn value_holds(item: &Item, value: &Value, event: &Value) -> bool {
    let has = |modifier: &str| item.chain.contains(&modifier);
    let mut seen = Vec::new();
    lookup(event, Some(item.field), &mut seen);
    if has("exists") {
        return value.as_bool() == Some(!seen.is_empty());
    }
    if value.is_null() {
        return seen.iter().all(|seen| seen.is_null()) || seen.iter().any(|seen| seen.is_null());
    }
    let texts: Vec<String> = if item.field.is_empty() {
        let mut found = Vec::new();
        leaves(event, &mut found);
        found
    } else {
        seen.iter().filter_map(|seen| text_of(seen)).collect()
    };
    let wanted = text_of(value).expect("not null");
    let any = |test: &dyn Fn(&str) -> bool| texts.iter().any(|text| test(text));
    if has("re") {
        let regex =
            regex::Regex::new(&if has("i") { format!("(?i){wanted}") } else { wanted }).expect("a good expression");
        return any(&|text| regex.is_match(text));
    }
    if has("cidr") {
        let network: ipnet::IpNet = wanted.parse().expect("a network");
        return any(&|text| text.parse().is_ok_and(|address: std::net::IpAddr| network.contains(&address)));
    }
    if let Some(order) = ["lt", "lte", "gt", "gte"].into_iter().find(|order| has(order)) {
        let bound = number(&wanted).expect("a number");
        // A number counts seconds since 1970; the numbers tried here all lie in its first hour.
        let of_hour = |text: &str| match text.len() {
            20 => number(&text[11..13]),
            _ => number(text).filter(|seconds| (0.0..3600.0).contains(seconds)).map(|_| 0.0),
        };
        return any(&|text| {
            let number = if has("hour") { of_hour(text) } else { number(text) };
            number.is_some_and(|number| match order {
                "lt" => number < bound,
                "lte" => number <= bound,
                "gt" => number > bound,
                _ => number >= bound,
            })
        });
    }
    if has("fieldref") {
        let mut others = Vec::new();
        lookup(event, Some(&wanted), &mut others);
        return any(&|text| others.iter().filter_map(|other| text_of(other)).any(|other| relates(item, text, &other)));
    }
    let is_bare = item.chain.iter().all(|modifier| ["neq", "all", "cased"].contains(modifier));
    if let (Value::Number(expected), true, false) = (value, is_bare, item.field.is_empty()) {
        return seen.iter().any(|seen| match seen {
            Value::Number(seen) => seen.as_f64() == expected.as_f64(),
            other => text_of(other).is_some_and(|text| text == expected.to_string()),
        });
    }
    patterns(item, &wanted)
        .iter()
        .any(|units| any(&|text| fits(units, &text.chars().collect::<Vec<_>>(), has("cased"))))
}

fn relates(item: &Item, text: &str, other: &str) -> bool {
    let cased = item.chain.contains(&"cased");
    let shape = |text: &str| if cased { text.to_owned() } else { text.chars().map(fold).collect() };
    let (text, other) = (shape(text), shape(other));
    match item.chain.iter().find(|modifier| ["startswith", "endswith", "contains"].contains(modifier)) {
        Some(&"startswith") => text.starts_with(&other),
        Some(&"endswith") => text.ends_with(&other),
        Some(_) => text.contains(&other),
        None => text == other,
    }
}

fn patterns(item: &Item, wanted: &str) -> Vec<Vec<Unit>> {
    let has = |modifier: &str| item.chain.contains(&modifier);
    let texts: Vec<String> = if has("expand") {
        match wanted {
            "%list%" => vec!["ab*".to_owned(), "É".to_owned()],
            "%none%" => vec![],
            other => vec![other.to_owned()],
        }
    } else {
        vec![wanted.to_owned()]
    };
    let mut all: Vec<Vec<Unit>> = texts.iter().map(|text| units(text)).collect();
    if has("windash") {
        all = all.iter().flat_map(|units| windash(units)).collect();
    }
    let is_keyword = item.field.is_empty() && !has("startswith") && !has("endswith");
    for units in &mut all {
        if has("contains") || has("endswith") || is_keyword {
            units.insert(0, Unit::Many);
        }
        if has("contains") || has("startswith") || is_keyword {
            units.push(Unit::Many);
        }
    }
    all
}

fn condition_holds(condition: &Condition, searches: &[Search], event: &Value) -> bool {
    let search = |at: usize| searches[at].0.iter().any(|items| items.iter().all(|item| item_holds(item, event)));
    match condition {
        Condition::Search(at) => search(*at),
        Condition::Not(part) => !condition_holds(part, searches, event),
        Condition::And(parts) => parts.iter().all(|part| condition_holds(part, searches, event)),
        Condition::Or(parts) => parts.iter().any(|part| condition_holds(part, searches, event)),
        Condition::Of(least, pattern) => {
            let named: Vec<usize> = named(pattern);
            let held = named.iter().filter(|at| search(**at)).count();
            held >= least.unwrap_or(named.len())
        }
    }
}

fn named(pattern: &str) -> Vec<usize> {
    let fits = |name: &str| match pattern {
        "them" => !name.starts_with('_'),
        "s*" => name.starts_with('s'),
        "*1" => name.ends_with('1'),
        other => name == other,
    };
    (0..NAMES.len()).filter(|at| fits(NAMES[*at])).collect()
}

// ---- how a rule is written ----

fn write_condition(condition: &Condition) -> String {
    let join = |parts: &[Condition], word: &str| {
        format!("({})", parts.iter().map(write_condition).collect::<Vec<_>>().join(word))
    };
    match condition {
        Condition::Search(at) => NAMES[*at].to_owned(),
        Condition::Not(part) => format!("not {}", write_condition(part)),
        Condition::And(parts) => join(parts, " and "),
        Condition::Or(parts) => join(parts, " or "),
        Condition::Of(least, pattern) => {
            format!("{} of {pattern}", least.map_or("all".to_owned(), |least| least.to_string()))
        }
    }
}

/// JSON is YAML. Items of one map whose keys are equal would be one; they are told apart by a change of the map.
fn write(searches: &[Search], condition: &Condition) -> String {
    let mut detection = Map::new();
    for (name, search) in NAMES.iter().zip(searches) {
        let maps = search.0.iter().map(|items| {
            let entries = items.iter().map(|item| {
                let chain: String = item.chain.iter().map(|modifier| format!("|{modifier}")).collect();
                let value =
                    if item.values.len() == 1 { item.values[0].clone() } else { Value::Array(item.values.clone()) };
                (format!("{}{chain}", item.field), value)
            });
            Value::Object(entries.collect())
        });
        detection.insert((*name).to_owned(), Value::Array(maps.collect()));
    }
    detection.insert("condition".to_owned(), json!(write_condition(condition)));
    json!({
        "title": "T", "id": "9f8c1d2e-0000-4000-8000-000000000001",
        "logsource": {"product": "test"}, "level": "low", "detection": detection,
    })
    .to_string()
}

// ---- what is tried ----

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

fn event() -> impl Strategy<Value = Value> {
    let inner = prop_oneof![
        5 => scalar(),
        2 => proptest::collection::vec(scalar(), 0..3).prop_map(Value::Array),
        2 => proptest::collection::btree_map(select(vec!["d", "e"]), scalar(), 0..3)
            .prop_map(|map| map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<Map<_, _>>().into()),
        1 => proptest::collection::vec(scalar().prop_map(|value| json!({"d": value})), 1..3).prop_map(Value::Array),
    ];
    proptest::collection::btree_map(select(vec!["a", "b", "c", "c.d"]), inner, 0..4)
        .prop_map(|map| Value::Object(map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()))
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
    let plain = (field(), select(vec![vec![], vec!["neq"]]), proptest::collection::vec(scalar(), 1..3))
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

fn search() -> impl Strategy<Value = Search> {
    proptest::collection::vec(proptest::collection::vec(item(), 1..3), 1..3).prop_map(|mut maps| {
        for items in &mut maps {
            items.dedup_by(|a, b| a.field == b.field && a.chain == b.chain);
        }
        Search(maps)
    })
}

fn condition() -> impl Strategy<Value = Condition> {
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
            let held = !bench.hits(&event.to_string()).is_empty();
            prop_assert_eq!(held, wanted, "{}\n{}", text, event);
            let rule = bench.program.indexes().next().expect("one rule");
            let explained = bench.with(&event.to_string(), |program, record| program.explain(rule, record));
            prop_assert_eq!(explained.held, wanted, "{}\n{}\n{}", text, event, explained.render());
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
        let hits: Vec<usize> = together.hits(&event.to_string()).iter().map(|rule| rule.index()).collect();
        for (at, (searches, condition)) in rules_of.iter().enumerate() {
            prop_assert_eq!(hits.contains(&at), condition_holds(condition, searches, &event), "{}", texts[at]);
        }
    }
}
