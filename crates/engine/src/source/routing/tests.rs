use proptest::prelude::*;

use super::*;
use crate::extract::extract;
use crate::limits::Limits;
use crate::record::Scratch;
use crate::sigma::{Document, Inventory, Rule, compile, parse};
use crate::source::Source;

const HEAD: &str =
    "id: lab_doors\ntitle: Doors\nrecognise: [{has: [door]}]\ntime: [at]\nocsf: {class_uid: 6003, category_uid: 6}\n";

fn source(logsource: &str) -> (Option<Source>, Vec<String>) {
    let (source, wrong) = Source::parse(&format!("{HEAD}logsource:\n{logsource}"));
    (source, wrong.iter().map(|one| format!("{}:{} {}", one.line, one.column, one.code)).collect())
}

fn rules(logsources: &[&str]) -> Vec<Rule> {
    let rule = |(n, logsource): (usize, &&str)| {
        format!(
            "title: R{n}\nid: 5b7c2e9e-3d0a-4f0c-9c0a-6f2f5d1f7a{n:02}\nlogsource: {logsource}\n\
             detection: {{s: {{door: open}}, condition: s}}\n"
        )
    };
    let text: Vec<String> = logsources.iter().enumerate().map(rule).collect();
    let (documents, wrong) = parse(&text.join("---\n"));
    assert!(wrong.iter().all(|one| !one.is_error()), "{wrong:?}");
    let rule = |document| if let Document::Rule(rule) = document { Some(rule) } else { None };
    documents.into_iter().filter_map(rule).collect()
}

/// A source's routing over some rules, and the fields of both.
struct Bench {
    routes: Vec<Route>,
    rules: Vec<Rule>,
    program: Program,
    routing: Routing,
    fields: Fields,
}

impl Bench {
    fn new(routes: Vec<Route>, rules: Vec<Rule>) -> Bench {
        let mut fields = FieldsBuilder::new();
        let (program, wrong) = compile(&rules, &[], &Inventory::new(), &mut fields);
        assert_eq!(wrong, []);
        let routing = Routing::compile(&routes, &program, &mut fields);
        Bench { routes, rules, program, routing, fields: fields.build() }
    }

    fn of(logsource: &str, logsources: &[&str]) -> Bench {
        let (source, wrong) = source(logsource);
        Bench::new(source.unwrap_or_else(|| panic!("{wrong:?}")).routes, rules(logsources))
    }

    /// The rules that the record is held against, by number.
    fn picked(&self, event: &str) -> Vec<usize> {
        self.with(event, |record| {
            self.routing.rules_for(record, &self.program).into_iter().map(RuleIndex::index).collect()
        })
    }

    /// The same, asked of each rule and each entry apart.
    fn expected(&self, event: &str) -> Vec<usize> {
        self.with(event, |record| {
            let carried: Vec<&Route> = self.routes.iter().filter(|route| route.holds(record, &self.fields)).collect();
            let applies = |rule: &Rule| carried.iter().any(|route| rule.logsource.applies_to(&route.logsource));
            (0..self.rules.len()).filter(|at| applies(&self.rules[*at])).collect()
        })
    }

    fn with<T>(&self, event: &str, f: impl FnOnce(&Record<'_>) -> T) -> T {
        let mut scratch = Scratch::new(&self.fields);
        f(&extract(&self.fields, event, &mut scratch, &Limits::default()).expect("an event"))
    }
}

const DOORS: &str = "
    - {product: lab}
    - {product: lab, category: entry, service: front, when: {door: front, code: [1, 2]}}
    - {product: lab, service: front, when: {door: [Front, Main Entrance]}}
    - {product: lab, service: back, when: {door: back}}
";
const RULES: [&str; 5] = [
    "{product: lab}",
    "{product: lab, category: entry}",
    "{product: lab, service: front}",
    "{product: lab, service: back}",
    "{product: other}",
];

#[test]
fn a_record_is_held_against_the_rules_of_the_log_sources_that_it_carries() {
    let bench = Bench::of(DOORS, &RULES);
    assert_eq!(bench.picked(r#"{"door": "front", "code": 1}"#), [0, 1, 2]);
    assert_eq!(bench.picked(r#"{"door": "FRONT", "code": "2"}"#), [0, 1, 2], "any case, numbers as text");
    assert_eq!(bench.picked(r#"{"door": "main entrance", "code": 1}"#), [0, 2]);
    assert_eq!(bench.picked(r#"{"door": "front", "code": 3}"#), [0, 2]);
    assert_eq!(bench.picked(r#"{"door": "back", "code": 1}"#), [0, 3]);
    for event in [r#"{"code": 1}"#, r#"{"door": null}"#, r#"{"door": {"x": 1}}"#, r#"{"door": "window"}"#, "{}"] {
        assert_eq!(bench.picked(event), [0], "{event}");
    }
}

#[test]
fn a_path_with_several_values_carries_what_each_of_them_would() {
    let bench = Bench::of(DOORS, &RULES);
    assert_eq!(bench.picked(r#"{"door": ["back", "front"], "code": [9, 2, 2]}"#), [0, 1, 2, 3]);
    assert_eq!(bench.picked(r#"{"door": ["window", "back"], "code": 1}"#), [0, 3]);
    assert_eq!(bench.picked(r#"{"door": ["front", "front"], "code": 7}"#), [0, 2]);
}

#[test]
fn rules_count_once_however_many_log_sources_carry_them() {
    let bench = Bench::of(DOORS, &RULES);
    assert_eq!(bench.routing.rules(), 4, "none looks at other products");
    assert_eq!(bench.routing.sets.len(), 4, "places with the same rules share their set");
}

#[test]
fn a_source_without_conditions_has_one_set_and_asks_nothing() {
    let bench = Bench::of("    - {product: lab, service: front}\n    - {product: lab, category: entry}\n", &RULES);
    assert!(bench.routing.keys.is_empty());
    assert!(bench.routing.sets[0].rules.get().is_some(), "it is ready before the first record");
    assert_eq!((bench.routing.sets.len(), bench.picked("{}")), (1, vec![0, 1, 2]));
}

#[test]
fn rules_are_made_ready_when_a_record_first_asks_for_them() {
    let bench = Bench::of(DOORS, &RULES);
    let ready = || bench.routing.sets.iter().filter(|set| set.rules.get().is_some()).count();
    assert_eq!(ready(), 0);
    assert_eq!(bench.picked(r#"{"door": "back", "code": 1}"#), [0, 3]);
    assert_eq!(ready(), 1);
}

#[test]
fn mistakes_in_conditions_are_told_with_their_place() {
    assert_eq!(source("    - {product: lab, wen: {door: front}}\n").1, ["7:22 unknown-key"]);
    assert_eq!(source("    - {product: lab, when: [door]}\n").1, ["7:28 wrong-type"]);
    assert_eq!(source("    - {product: lab, when: {door: []}}\n").1, ["7:29 empty-condition"]);
    assert_eq!(source("    - {product: lab, when: {door: {a: 1}}}\n").1, ["7:35 wrong-type"]);
}

#[test]
fn too_many_log_sources_and_combinations_are_refused_with_a_remedy() {
    let many = |count: usize| {
        (0..count).map(|n| format!("    - {{product: lab, service: s{n}, when: {{door: d{n}}}}}\n")).collect::<String>()
    };
    assert_eq!(source(&many(128)).1, [""; 0]);
    assert_eq!(source(&many(129)).1, ["7:5 too-many-logsources"]);
    let wide = |paths: usize| {
        let entry = |n: usize| format!("    - {{product: lab, service: s{n}, when: {{p{}: v{n}}}}}\n", n % paths);
        (0..120).map(entry).collect::<String>()
    };
    assert_eq!(source(&wide(2)).1, [""; 0], "61 x 61");
    assert_eq!(source(&wide(4)).1, ["7:5 too-many-combinations"], "31 x 31 x 31 x 31");
}

fn logsource() -> impl Strategy<Value = LogSource> {
    let part = || prop::option::of(prop::sample::select(vec!["x", "y", "Z"]).prop_map(str::to_owned));
    (part(), part(), part()).prop_map(|(product, category, service)| LogSource {
        product,
        category,
        service,
        definition: None,
    })
}

fn route() -> impl Strategy<Value = Route> {
    let values = prop::collection::vec(prop::sample::select(vec!["1", "2", "Aa", "bB"]).prop_map(str::to_owned), 1..3);
    let path = prop::sample::select(vec!["a", "b", "c.d"]).prop_map(str::to_owned);
    (logsource(), prop::collection::btree_map(path, values, 0..3)).prop_map(|(logsource, when)| Route {
        logsource,
        when,
        ..Route::default()
    })
}

fn event() -> impl Strategy<Value = String> {
    let scalar = prop::sample::select(vec!["1", "2", "\"1\"", "\"AA\"", "\"bb\"", "\"?\"", "null", "true"]);
    let value = prop_oneof![
        3 => scalar.clone().prop_map(str::to_owned),
        1 => prop::collection::vec(scalar, 0..4).prop_map(|values| format!("[{}]", values.join(","))),
    ];
    (value.clone(), value.clone(), value).prop_map(|(a, b, d)| format!(r#"{{"a":{a},"b":{b},"c":{{"d":{d}}}}}"#))
}

proptest! {
    #[test]
    fn a_routed_record_meets_exactly_the_rules_whose_log_source_it_carries(
        routes in prop::collection::vec(route(), 0..9),
        logsources in prop::collection::vec(logsource(), 1..9),
        events in prop::collection::vec(event(), 1..9),
    ) {
        let mut rules = rules(&vec!["{product: x}"; logsources.len()]);
        rules.iter_mut().zip(logsources).for_each(|(rule, logsource)| rule.logsource = logsource);
        let bench = Bench::new(routes, rules);
        for event in events {
            prop_assert_eq!(bench.picked(&event), bench.expected(&event), "{}", event);
        }
    }
}
