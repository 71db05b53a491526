//! A source that carries several log sources: evaluation, explanations and counts follow the record.
#![allow(missing_docs, clippy::disallowed_methods)] // Tests read files and clocks; the crate does not.

mod common;

use common::{evaluate, given};
use engine::{Engine, ExplainError, Limits, Source, sigma};

const SOURCE: &str = "id: lab_doors\ntitle: Doors\nrecognise: [{has: [door]}]\ntime: [at]\n\
    ocsf: {class_uid: 6003, category_uid: 6}\nlogsource:\n    - {product: lab}\n    \
    - {product: lab, category: entry, when: {door: front}}\n    - {product: lab, category: exit, when: {door: back}}\n";

fn rule(n: usize, logsource: &str) -> String {
    format!(
        "---\ntitle: Door {n}\nid: 5b7c2e9e-3d0a-4f0c-9c0a-6f2f5d1f7a{n:02}\nlogsource: {{{logsource}}}\n\
         detection: {{s: {{state: open}}, condition: s}}\n"
    )
}

fn engine() -> Engine {
    let (source, wrong) = Source::parse(SOURCE);
    assert_eq!(wrong, []);
    let text = rule(1, "product: lab") + &rule(2, "category: entry") + &rule(3, "category: exit");
    let (documents, wrong) = sigma::parse(&text);
    assert!(wrong.iter().all(|one| !one.is_error()), "{wrong:?}");
    let rule = |document| if let sigma::Document::Rule(rule) = document { Some(rule) } else { None };
    let rules = documents.into_iter().filter_map(rule).collect();
    let sources = source.into_iter().collect();
    let (engine, wrong) = Engine::compile(sources, rules, vec![], &sigma::Inventory::new(), Limits::default());
    assert_eq!(wrong, []);
    engine
}

const FRONT: &str = r#"{"door":"front","state":"open","at":"2026-11-22T10:00:00Z"}"#;
const BOTH: &str = r#"{"door":["back","front"],"state":"open","at":"2026-11-22T10:00:00Z"}"#;

#[test]
fn findings_are_those_of_the_log_sources_that_the_record_carries() {
    let engine = engine();
    let titles = |record: &str| -> Vec<String> {
        let memory = evaluate(&engine, record.as_bytes(), None);
        memory.findings.into_iter().map(|finding| finding.rule_title).collect()
    };
    assert_eq!(titles(FRONT), ["Door 1", "Door 2"]);
    assert_eq!(titles(&FRONT.replace("front", "window")), ["Door 1"]);
    assert_eq!(titles(BOTH), ["Door 1", "Door 2", "Door 3"], "each once, in order");
    assert_eq!(engine.rule_counts(), [3]);
}

#[test]
fn an_explanation_says_which_log_sources_a_record_carries_that_the_rule_does_not_look_at() {
    let engine = engine();
    assert!(engine.explain("door 2", FRONT.as_bytes(), &given(None)).expect("explained")[0].held);
    let error = engine.explain("door 3", FRONT.as_bytes(), &given(None)).expect_err("it is not looked at");
    assert!(matches!(error, ExplainError::OtherLogSource { .. }));
    assert_eq!(
        error.to_string(),
        "rule `Door 3` looks at other records of source `lab_doors`; this one carries {product: lab}, \
         {product: lab, category: entry}"
    );
}
