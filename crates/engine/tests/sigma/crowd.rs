//! Many rules in one program, made to be taken for one another: they share fields and pieces of the same few texts, which stand at
//! the start, the end and the middle of values, in another case, in letters that fold to ASCII, and in characters that differ from
//! others by the bit that tells cases of ASCII apart. What finds the rules that an event may meet has to find them all.
//!
//! A run tries some thousand pairs of rule and event; `WATCHKEEP_PAIRS=1000000` tries so many.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use engine::sigma::{self, Document, Filter, LogSource, Rule};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use crate::data::{Bench, rules};
use crate::json_style::Style;
use crate::plain::{Condition, Event, Item, NAMES, Search, condition_holds, inventory, listed, write};

/// Every literal and every value is cut from these.
const TEXTS: [&str; 14] = [
    "powershell.exe -nop -EncodedCommand",
    r"C:\Windows\System32\cmd.exe",
    "arn:aws:iam::123456789012:role/Admin",
    "s3.amazonaws.com/GetObject",
    "@ABC[\\]^_`abc{|}~\u{0}\u{20}\u{7f}",
    "k\u{212A}K s\u{17F}S \u{17F}k\u{212A}s",
    "İstanbul ıI STRAẞE straße",
    "aaaaaaaaaaaaaaab",
    "abcdabcdabcdabc",
    "/tmp/../etc/passwd\n\t\"quoted\"",
    "ΣΊΣΥΦΟΣς ǅ ﬀ \u{1F600}\u{10400}",
    "10.0.0.1",
    "1234567890",
    "-1.5e3 true null",
];

const FIELDS: [&str; 6] = ["a", "b", "c", "c.d", "c.d.e", "f g"];

/// A rule with what it is written from.
#[derive(Clone, Debug)]
struct Spec {
    searches: Vec<Search>,
    condition: Condition,
    /// One of two log sources.
    is_other: bool,
    /// Does a filter narrow it?
    is_filtered: bool,
}

impl Spec {
    fn holds(&self, filter: &Search, event: &Event) -> bool {
        let is_taken_out =
            self.is_filtered && condition_holds(&Condition::Search(0), std::slice::from_ref(filter), event);
        !is_taken_out && condition_holds(&self.condition, &self.searches, event)
    }
}

fn id(at: usize) -> String {
    format!("9f8c1d2e-0000-4000-8000-{at:012}")
}

fn text(spec: &Spec, at: usize) -> String {
    let mut rule: Value = serde_json::from_str(&write(&spec.searches, &spec.condition)).expect("a rule is JSON");
    rule["id"] = json!(id(at));
    rule["logsource"]["product"] = json!(if spec.is_other { "other" } else { "test" });
    rule.to_string()
}

/// A filter that takes events of `search` from the rules that are to be filtered.
fn filters(specs: &[Spec], search: &Search) -> Vec<Filter> {
    let named: Vec<String> =
        specs.iter().enumerate().filter(|(_, spec)| spec.is_filtered).map(|(at, _)| id(at)).collect();
    if named.is_empty() {
        return Vec::new();
    }
    let rule: Value = serde_json::from_str(&write(std::slice::from_ref(search), &Condition::Search(0))).expect("JSON");
    let of = |product: &str| {
        json!({"title": "F", "logsource": {"product": product},
            "filter": {"rules": named, NAMES[0]: rule["detection"][NAMES[0]], "condition": format!("not {}", NAMES[0])}})
        .to_string()
    };
    ["test", "other"].iter().flat_map(|product| sigma::parse(&of(product)).0).map(filter).collect()
}

fn filter(document: Document) -> Filter {
    match document {
        Document::Filter(filter) => filter,
        other => panic!("a filter was read as {other:?}"),
    }
}

// ---- what is tried ----

/// A piece of one of the texts, from one character to forty, as it is or disturbed in one way.
fn piece() -> impl Strategy<Value = String> {
    (select(TEXTS.to_vec()), 0..40usize, 1..40usize, 0..12u8, 0..40usize).prop_map(
        |(text, start, length, how, place)| {
            let chars: Vec<char> = text.chars().collect();
            let start = start % chars.len();
            let mut cut: Vec<char> = chars[start..].iter().copied().take(length).collect();
            let place = place % cut.len();
            match how {
                0 => cut = cut.iter().map(|c| swap_case(*c)).collect(),
                1 => cut[place] = swap_case(cut[place]),
                // `@` for a backtick, `[` for `{`, NUL for a space: no two cases of one letter.
                2 if cut[place].is_ascii() => cut[place] = char::from(cut[place] as u8 ^ 0x20),
                3 => drop(cut.remove(place)),
                4 => cut.insert(place, 'x'),
                5 => cut.iter_mut().for_each(|c| *c = outside_ascii(*c)),
                6 => cut = cut.iter().flat_map(|c| c.to_uppercase()).collect(),
                _ => {}
            }
            cut.into_iter().collect()
        },
    )
}

fn swap_case(c: char) -> char {
    if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
}

/// Another character of the same folding class.
fn outside_ascii(c: char) -> char {
    match c {
        'k' | 'K' => '\u{212A}',
        's' | 'S' => '\u{17F}',
        'å' => '\u{212B}',
        other => other,
    }
}

/// A literal as a rule writes it: what it cuts may hold a backslash, and now and then a wildcard is put in.
fn literal() -> impl Strategy<Value = String> {
    (piece(), 0..8u8, 0..40usize).prop_map(|(piece, how, place)| {
        let mut chars: Vec<char> = piece.chars().collect();
        let place = place % (chars.len() + 1);
        match how {
            0 => chars.insert(place, '*'),
            1 => chars.insert(place, '?'),
            2 => {
                chars.insert(place, '*');
                chars.insert(place, '\\');
            }
            _ => {}
        }
        chars.into_iter().collect()
    })
}

fn word() -> impl Strategy<Value = Value> {
    prop_oneof![
        12 => literal().prop_map(Value::String),
        1 => Just(json!("")),
        1 => select(vec![json!(10), json!(1234), json!(-1.5), json!(true), json!(null)]),
    ]
}

fn item() -> impl Strategy<Value = Item> {
    let words = || proptest::collection::vec(literal().prop_map(Value::String), 1..5);
    let field = || select(FIELDS.to_vec());
    let affix = select(vec![
        vec![],
        vec![],
        vec!["contains"],
        vec!["contains"],
        vec!["startswith"],
        vec!["endswith"],
        vec!["windash", "contains"],
        vec!["expand", "contains"],
    ]);
    let extra = || select(vec![vec![], vec![], vec![], vec!["all"], vec!["cased"], vec!["neq"]]);
    let matched = (field(), affix, extra(), words()).prop_map(|(field, affix, extra, values)| Item {
        field,
        chain: [affix, extra].concat(),
        values,
    });
    let exact = (field(), proptest::collection::vec(word(), 1..4).prop_map(listed)).prop_map(|(field, values)| Item {
        field,
        chain: vec![],
        values,
    });
    let keywords = (extra(), words()).prop_map(|(chain, values)| Item { field: "", chain, values });
    prop_oneof![6 => matched, 3 => exact, 2 => keywords, 2 => expression(), 2 => special()]
}

/// A regular expression with a literal that it needs, or seems to need.
fn expression() -> impl Strategy<Value = Item> {
    let shapes = vec![
        "^P$",
        "P",
        "^P",
        "P$",
        "P.*Q",
        "P|Q",
        "(P|Q)x?",
        "(P)?",
        "(P|)Q",
        "(?:P){0,2}",
        "[a-c]+P",
        "(?:P)*Q",
        "(?i:P)Q",
        "x?(?:P)+",
    ];
    let fields = select(vec!["a", "b", "c", "c.d", ""]);
    let chain = select(vec![vec!["re"], vec!["re"], vec!["re", "i"], vec!["re", "neq"]]);
    (fields, chain, select(shapes), piece(), piece()).prop_map(|(field, chain, shape, p, q)| {
        let (p, q) = (regex::escape(&p), regex::escape(&q));
        let text: String = shape
            .chars()
            .map(|c| match c {
                'P' => p.clone(),
                'Q' => q.clone(),
                c => c.to_string(),
            })
            .collect();
        Item { field, chain, values: vec![Value::String(text)] }
    })
}

fn special() -> impl Strategy<Value = Item> {
    let forms = vec![
        (vec!["cidr"], json!("10.0.0.0/16")),
        (vec!["lt"], json!(100)),
        (vec!["gte"], json!(1234)),
        (vec!["exists"], json!(true)),
        (vec!["exists"], json!(false)),
        (vec!["fieldref"], json!("b")),
        (vec!["fieldref", "contains"], json!("a")),
        (vec!["fieldref", "startswith", "cased"], json!("c.d")),
        (vec!["expand"], json!("%none%")),
        (vec!["expand"], json!("%list%")),
    ];
    (select(FIELDS.to_vec()), select(forms)).prop_map(|(field, (chain, value))| Item {
        field,
        chain,
        values: vec![value],
    })
}

fn search() -> impl Strategy<Value = Search> {
    let map = proptest::collection::vec(item(), 1..4).prop_map(|mut items| {
        let mut seen = BTreeSet::new();
        items.retain(|item| seen.insert((item.field, item.chain.clone())));
        items
    });
    proptest::collection::vec(map, 1..3).prop_map(Search)
}

fn condition() -> impl Strategy<Value = Condition> {
    let leaf = || {
        prop_oneof![
            4 => (0..NAMES.len()).prop_map(Condition::Search),
            2 => (select(vec![None, Some(1), Some(2)]), select(vec!["them", "s*", "*1"])).prop_map(|(least, p)| Condition::Of(least, p)),
        ]
    };
    let not = |strategy: BoxedStrategy<Condition>| strategy.prop_map(|part| Condition::Not(Box::new(part)));
    prop_oneof![
        4 => leaf(),
        3 => (leaf(), not(leaf().boxed())).prop_map(|(a, b)| Condition::And(vec![a, b])),
        2 => (leaf(), leaf()).prop_map(|(a, b)| Condition::And(vec![a, b])),
        2 => (leaf(), leaf()).prop_map(|(a, b)| Condition::Or(vec![a, b])),
        1 => not(leaf().boxed()),
        1 => (leaf(), not(leaf().boxed())).prop_map(|(a, b)| Condition::Or(vec![a, b])),
    ]
}

fn spec() -> impl Strategy<Value = Spec> {
    let searches = proptest::collection::vec(search(), NAMES.len());
    (searches, condition(), any::<bool>(), prop::bool::weighted(0.2))
        .prop_map(|(searches, condition, is_other, is_filtered)| Spec { searches, condition, is_other, is_filtered })
}

/// Pieces side by side, so that literals stand at the start, at the end and inside.
fn value() -> impl Strategy<Value = Value> {
    let joined = proptest::collection::vec(piece(), 1..4).prop_map(|pieces| Value::String(pieces.concat()));
    let scalar = prop_oneof![
        8 => joined,
        4 => piece().prop_map(Value::String),
        2 => select(vec![json!(""), json!(null), json!(true), json!(10), json!(1234567890u64), json!(-1.5), json!(1234), json!([]), json!({})]),
        1 => select(vec![json!("10.0.7.1"), json!("1234"), json!("ab")]),
    ];
    let scalar = scalar.boxed();
    prop_oneof![
        6 => scalar.clone(),
        1 => proptest::collection::vec(scalar.clone(), 0..4).prop_map(Value::Array),
        1 => (select(vec!["d", "e", "z"]), scalar.clone()).prop_map(|(key, value)| json!({key: value})),
        1 => (scalar.clone(), scalar).prop_map(|(one, two)| json!([{"d": one}, {"d": {"e": two}}])),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let key = select(vec![
        "a",
        "b",
        "c",
        "c.d",
        "d",
        "f g",
        "other",
        ": k",
        " :",
        "powershell.exe",
        "12345",
        "\"q\u{212A}\"",
    ]);
    let map = proptest::collection::btree_map(key, value(), 0..6).prop_map(|map| {
        Value::Object(map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>())
    });
    (map, Style::any()).prop_map(|(value, style)| Event { value, style })
}

// ---- what must hold ----

static PAIRS: AtomicUsize = AtomicUsize::new(0);

/// Rules times events of one case, on average; a run has so many cases that `WATCHKEEP_PAIRS` are tried.
const PAIRS_OF_A_CASE: u32 = 1200;

fn cases() -> u32 {
    std::env::var("WATCHKEEP_PAIRS")
        .ok()
        .and_then(|pairs| pairs.parse::<u32>().ok())
        .unwrap_or(18_000)
        .div_ceil(PAIRS_OF_A_CASE)
}

fn logsource(product: &str) -> LogSource {
    LogSource { product: Some(product.to_owned()), ..LogSource::default() }
}

/// The rules that hold, by their place, with the program narrowed to `logsources`.
fn hits(bench: &mut Bench, logsources: &[LogSource], event: &str) -> BTreeSet<usize> {
    let set = bench.program.applicable(logsources);
    let record = engine::extract::extract(&bench.fields, event, &mut bench.scratch, &engine::Limits::default())
        .unwrap_or_else(|reject| panic!("{reject}: {event}"));
    let mut found = BTreeSet::new();
    bench.program.evaluate(&set, &record, &mut bench.memo, &mut |rule| {
        assert!(found.insert(rule.index()), "a rule was found twice in {event}");
    });
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn in_a_crowd_of_rules_each_holds_where_it_holds_alone(
        specs in proptest::collection::vec(spec(), 1..240),
        filtered in search(),
        events in proptest::collection::vec(event(), 1..20),
    ) {
        let all: Vec<Rule> = specs.iter().enumerate().flat_map(|(at, spec)| rules(&text(spec, at))).collect();
        let (mut bench, _) = Bench::new(&all, &filters(&specs, &filtered), &inventory());
        prop_assert_eq!(bench.program.rules().len(), specs.len());
        for event in &events {
            let spelled = event.text();
            let wanted: BTreeSet<usize> = (0..specs.len()).filter(|at| specs[*at].holds(&filtered, event)).collect();
            let found = hits(&mut bench, &[logsource("test"), logsource("other")], &spelled);
            if let Some(at) = found.symmetric_difference(&wanted).next() {
                let rule = bench.program.indexes().nth(*at).expect("a rule");
                let explained = bench.with(&spelled, |program, record| program.explain(rule, record));
                prop_assert!(false, "wanted {}: {}\n{spelled}\n{}", wanted.contains(at), text(&specs[*at], *at), explained.render());
            }
            let narrow = hits(&mut bench, &[logsource("other")], &spelled);
            prop_assert_eq!(narrow, wanted.into_iter().filter(|at| specs[*at].is_other).collect::<BTreeSet<_>>(), "{}", spelled);
        }
        let pairs = specs.len() * events.len();
        println!("{} pairs of rule and event", pairs + PAIRS.fetch_add(pairs, Ordering::Relaxed));
    }
}

/// Keywords are not looked for in keys; what looks like the colon behind a key may be part of one.
#[test]
fn a_keyword_in_a_number_is_found_before_a_key_that_starts_with_a_colon() {
    let mut bench = Bench::of(&text(&keyword("1234"), 0));
    for event in
        [r#"{"a":12345,":":1}"#, r#"{"a":12345," :":1}"#, r#"{"a":[12345],":":1}"#, r#"{"a":{"b":12345 } , ":":1}"#]
    {
        assert_eq!(bench.hits(event).len(), 1, "{event}");
    }
    assert_eq!(bench.hits(r#"{"12345":1,"a,12345":2}"#), []);
}

fn keyword(word: &str) -> Spec {
    let search = Search(vec![vec![Item { field: "", chain: vec![], values: vec![json!(word)] }]]);
    Spec { searches: vec![search], condition: Condition::Search(0), is_other: false, is_filtered: false }
}

/// The generators meet what they are after: rules that hold, and more that do not.
#[test]
fn crowds_hold_now_and_then() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut held, mut pairs) = (0, 0);
    let filtered = Search(vec![vec![Item { field: "nope", chain: vec![], values: vec![json!("x")] }]]);
    for _ in 0..10 {
        let specs = proptest::collection::vec(spec(), 30).new_tree(&mut runner).expect("a case").current();
        let events = proptest::collection::vec(event(), 30).new_tree(&mut runner).expect("a case").current();
        pairs += specs.len() * events.len();
        held +=
            events.iter().map(|event| specs.iter().filter(|spec| spec.holds(&filtered, event)).count()).sum::<usize>();
    }
    assert!(held * 50 > pairs && held * 3 < pairs * 2, "{held} of {pairs} pairs hold");
}
