//! Nothing that a file or a record holds makes the engine panic, hang or grow.

use engine::sigma::{self, Document, Inventory};
use proptest::prelude::*;

use crate::data::{Bench, rules};

/// A rule with `from` in the place of one of its parts.
fn rule(detection: &str) -> String {
    format!(
        "title: T\nid: 9f8c1d2e-0000-4000-8000-000000000001\nlogsource: {{product: test}}\nlevel: low\ndetection:\n{detection}"
    )
}

fn run(text: &str, event: &str) {
    let (documents, diagnostics) = sigma::parse(text);
    assert!(diagnostics.iter().all(|diagnostic| !diagnostic.message.is_empty() && !diagnostic.code.is_empty()));
    let found: Vec<_> =
        documents.into_iter().filter_map(|d| if let Document::Rule(rule) = d { Some(rule) } else { None }).collect();
    let inventory: Inventory = [("list".to_owned(), vec!["a*".to_owned(), "b".to_owned()])].into_iter().collect();
    let (mut bench, _) = Bench::new(&found, &[], &inventory);
    let hits = bench.hits(event);
    for index in bench.program.indexes().collect::<Vec<_>>() {
        bench.with(event, |program, record| {
            let explanation = program.explain(index, record);
            assert_eq!(explanation.held, hits.contains(&index), "{}", explanation.render());
            assert_eq!(
                program.matched_terms(index, record, &engine::sigma::as_it_is).is_empty(),
                !explanation.held || !is_positive(&explanation)
            );
        });
    }
}

/// Does the explanation show a term that held, outside of any `not`?
fn is_positive(explanation: &sigma::Explanation) -> bool {
    fn walk(node: &sigma::Node) -> bool {
        if node.label == "not" || !node.held {
            return false;
        }
        node.term.is_some() || node.children.iter().any(walk)
    }
    walk(&explanation.tree)
}

const EVENT: &str =
    r#"{"a":"abc","b":[1,"x",null,{"c":"é"}],"c":{"d":true},"t":"2024-01-02T03:04:05Z","ip":"10.0.0.1"}"#;

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in "\\PC{0,200}") {
        run(&text, EVENT);
    }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        run(&String::from_utf8_lossy(&bytes), EVENT);
    }

    #[test]
    fn any_value_under_any_modifier(
        value in "[a-c*?\\\\%/\\-–0-9.:()\\[\\]{}|+^$é ]{0,12}",
        chain in proptest::collection::vec(proptest::sample::select(sigma::Modifier::spellings().collect::<Vec<_>>()), 0..4),
        field in proptest::sample::select(vec!["a", "b", "b.c", "c", "t", "ip", "nope", ""]),
    ) {
        let quoted = value.replace('\'', "''");
        let modifiers: String = chain.iter().map(|modifier| format!("|{modifier}")).collect();
        run(&rule(&format!("    sel:\n        '{field}{modifiers}': '{quoted}'\n    condition: sel\n")), EVENT);
        run(&rule(&format!("    sel:\n        '{field}{modifiers}': ['{quoted}', 1, null, true, '%list%']\n    condition: sel\n")), EVENT);
    }

    #[test]
    fn any_condition(words in proptest::collection::vec(
        proptest::sample::select(vec!["and", "or", "not", "(", ")", "sel", "filter", "1 of", "all of", "2 of", "them", "f*", "|", "x"]), 0..12,
    )) {
        run(&rule(&format!("    sel: {{a: abc}}\n    filter: {{b: 1}}\n    condition: {}\n", words.join(" "))), EVENT);
    }

    #[test]
    fn a_rule_with_a_piece_cut_out(at in 0usize..600, length in 0usize..40) {
        let text = rule("    sel:\n        - a|contains|all: [a, 'b*']\n          b|re|i: 'x{1,2}'\n        - ip|cidr: 10.0.0.0/8\n    \
            filter:\n        t|hour|gte: 3\n    condition: 1 of s* and not filter\nwatchkeep:\n    fold: {by: [a], window: 1h}\n");
        let mut cut: Vec<u8> = text.into_bytes();
        let start = at.min(cut.len());
        let end = (start + length).min(cut.len());
        cut.drain(start..end);
        run(&String::from_utf8_lossy(&cut), EVENT);
    }
}

#[test]
fn long_values_and_deep_conditions_end() {
    let value = "a".repeat(5_000);
    let text = rule(&format!("    sel:\n        a|contains: '{value}b'\n    condition: sel\n"));
    let event = format!(r#"{{"a":"{}"}}"#, "a".repeat(1 << 20));
    let started = std::time::Instant::now();
    assert!(Bench::of(&text).hits(&event).is_empty());
    assert!(started.elapsed().as_secs() < 20, "the search is not linear");

    let nested = format!("{}sel{}", "not (".repeat(31), ")".repeat(31));
    assert_eq!(rules(&rule(&format!("    sel: {{a: 1}}\n    condition: {nested}\n"))).len(), 1);
    let deep = format!("{}sel{}", "(".repeat(2_000), ")".repeat(2_000));
    assert_eq!(sigma::parse(&rule(&format!("    sel: {{a: 1}}\n    condition: {deep}\n"))).1.len(), 1);
}

#[test]
fn too_many_values_are_refused() {
    let values = vec!["x"; 100_001].join(", ");
    let (documents, diagnostics) = sigma::parse(&rule(&format!("    sel: {{a: [{values}]}}\n    condition: sel\n")));
    assert!(documents.is_empty());
    assert_eq!(diagnostics[0].code, "too-many-values");

    let text = rule("    sel:\n        a|expand: '%n%%n%%n%'\n    condition: sel\n");
    let inventory: Inventory = [("n".to_owned(), (0..1000).map(|n| n.to_string()).collect())].into_iter().collect();
    let (bench, diagnostics) = Bench::new(&rules(&text), &[], &inventory);
    assert!(bench.program.rules().is_empty());
    assert_eq!(diagnostics[0].code, "too-many-values");
}
