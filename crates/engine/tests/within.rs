//! Records that hold several of a source's: each element is a record, told what stands around it.
#![allow(missing_docs, clippy::disallowed_methods)] // Tests read files and clocks; the crate does not.

mod common;

use std::fmt::Write as _;

use engine::{Engine, Limits, Reject, Source, sigma};
use proptest::prelude::*;
use serde_json::{Value, json};

use common::{Memory, evaluate, given};

const WHOLE: &str = "\
id: a_run
title: Runs
logsource: {product: a, service: run}
recognise: [{has: [run.id, status]}]
time: run.at
identity: [run.id]
ocsf: {class_uid: 6003, class_name: API Activity, category_uid: 6, category_name: Application Activity, activity: 1, severity: 1}
";

const STEP: &str = "\
id: b_step
title: Steps
logsource: {product: a, service: step}
recognise: [{has: [run_id, step]}]
within:
    - of: {has: [run.id, tasks.steps]}
      at: [tasks, steps]
      with: {run_id: run.id, task: tasks.name, host: tasks.steps.host}
      without: [noise]
      references: {prefix: 'text://', from: tasks.texts}
    - of: {has: [run.id, list]}
      at: [list]
      with: {run_id: run.id}
      instead: true
nan: text
time: at
identity: [run_id, step]
ocsf: {class_uid: 6003, class_name: API Activity, category_uid: 6, category_name: Application Activity, activity: 1, severity: 1}
";

fn engine_within(limits: Limits) -> Engine {
    let read = |text: &str| {
        let (source, wrong) = Source::parse(text);
        assert!(wrong.is_empty(), "{wrong:#?}");
        source.expect("it has no mistake")
    };
    let sources = vec![read(STEP), read(WHOLE)];
    let rules: Vec<sigma::Rule> = Vec::new();
    Engine::compile(sources, rules, Vec::new(), &sigma::Inventory::new(), limits).0
}

fn opened(record: &str) -> Memory {
    counted(&engine_within(Limits::default()), record)
}

/// Evaluated, and counted on the receiving side: the sums are one.
fn counted(engine: &Engine, record: &str) -> Memory {
    let memory = evaluate(engine, record.as_bytes(), None);
    let count = engine.count(&mut engine.worker(), record.as_bytes(), &given(None)) as usize;
    assert_eq!(count, memory.events.len() + memory.rejects.len(), "{record}");
    memory
}

fn steps(memory: &Memory) -> Vec<Value> {
    let steps = memory.events.iter().filter(|event| event.source == "b_step");
    steps.map(|event| serde_json::from_str(&event.raw).expect("a record is JSON")).collect()
}

fn run(tasks: &Value) -> String {
    json!({"run": {"id": "r1", "at": "2026-05-07T20:00:00Z"}, "status": "done", "tasks": tasks}).to_string()
}

#[test]
fn each_element_is_a_record_that_knows_what_is_around_it_and_the_whole_stays() {
    let memory = opened(&run(&json!([
        {"name": "build", "steps": [{"step": 1, "at": "2026-05-07T20:00:01Z", "noise": [1, {"a": "}"}]}, {"step": "two", "at": "2026-05-07T20:00:02Z"}]},
        {"name": "empty", "steps": []},
        {"name": "tést \"q\"", "steps": [{"step": 3, "at": "2026-05-07T20:00:03Z", "task": "forged", "run_id": "forged"}]},
    ])));
    assert_eq!(memory.rejects, []);
    assert_eq!(
        steps(&memory),
        [
            json!({"run_id": "r1", "task": "build", "step": 1, "at": "2026-05-07T20:00:01Z"}),
            json!({"run_id": "r1", "task": "build", "step": "two", "at": "2026-05-07T20:00:02Z"}),
            json!({"run_id": "r1", "task": "tést \"q\"", "step": 3, "at": "2026-05-07T20:00:03Z"}),
        ],
        "what stands around an element is not the element's to say"
    );
    assert_eq!(memory.events.iter().filter(|event| event.source == "a_run").count(), 1);
}

/// A model's output must not say to which run it belongs, however it is spelt, and also where nothing around it says so.
#[test]
fn what_stands_around_an_element_is_never_the_elements_to_say() {
    let forged = r#"{"run": {"id": {"no": "text"}}, "list": [{"step": 1, "run_id": "forged"}, {"step": 2, "run\u005fid": "forged"}]}"#;
    let memory = opened(forged);
    let reasons: Vec<Reject> = memory.rejects.iter().map(|(_, reason)| *reason).collect();
    assert_eq!((memory.events.len(), reasons), (0, vec![Reject::WrongSource; 2]), "neither has a run");
    let spelt = opened(r#"{"run": {"id": 7}, "list": [{"step": 2, "run\u005fid": "forged"}]}"#);
    assert_eq!(steps(&spelt), [json!({"run_id": 7, "step": 2})]);
}

#[test]
fn texts_of_one_element_are_not_for_the_next() {
    let task = json!([
        {"name": "a", "texts": {"x": "said in a"}, "steps": [{"step": "text://x"}]},
        {"name": "b", "steps": [{"step": "text://x"}]},
    ]);
    let steps = steps(&opened(&run(&task)));
    assert_eq!((&steps[0]["step"], &steps[1]["step"]), (&json!("said in a"), &json!("text://x")));
}

#[test]
fn elements_can_stand_in_place_of_the_whole() {
    let memory = opened(r#"{"run": {"id": 7}, "list": [{"step": 1}, {"step": 2}]}"#);
    assert_eq!(steps(&memory), [json!({"run_id": 7, "step": 1}), json!({"run_id": 7, "step": 2})]);
    assert_eq!((memory.events.len(), memory.rejects), (2, Vec::new()));
}

#[test]
fn an_element_that_is_no_record_is_rejected_and_takes_no_neighbour_with_it() {
    let memory = opened(&run(&json!([
        7,
        {"name": "a", "steps": ["text", {"other": 1}, {"step": 2}]},
    ])));
    let reasons: Vec<Reject> = memory.rejects.iter().map(|(_, reason)| *reason).collect();
    assert_eq!(reasons, [Reject::UnknownSource, Reject::UnknownSource, Reject::WrongSource]);
    assert_eq!(steps(&memory).len(), 1);
}

#[test]
fn texts_take_the_place_of_what_stands_for_them_within_bounds() {
    let texts = json!({"a1": "long \"text\" é", "b2": {"no": "text"}});
    let task = json!([{"name": "a", "texts": texts, "steps": [
        {"step": "text://a1", "deep": [{"x": "text://a1"}], "missing": "text://zz", "inner": "see text://a1"},
    ]}]);
    let step = &steps(&opened(&run(&task)))[0];
    assert_eq!(step["step"], "long \"text\" é");
    assert_eq!(step["deep"][0]["x"], "long \"text\" é");
    assert_eq!((&step["missing"], &step["inner"]), (&json!("text://zz"), &json!("see text://a1")));

    // A text of 40 kB for which 200 others stand must not become 8 MB.
    let refs: Vec<String> = (0..200).map(|_| "text://big".to_owned()).collect();
    let many: Vec<Value> = (0..50).map(|at| json!({"step": at, "refs": refs})).collect();
    let task = json!([{"name": "a", "texts": {"big": "x".repeat(40_000)}, "steps": many}]);
    let limits = Limits { record_bytes: 1 << 20, ..Limits::default() };
    let memory = counted(&engine_within(limits), &run(&task));
    assert_eq!((memory.rejects.len(), memory.events.len()), (0, 51));
    let bytes: usize = memory.events.iter().map(|event| event.raw.len()).sum();
    assert!(bytes < 6 << 20, "{bytes}");
}

#[test]
fn numbers_that_json_has_no_word_for_are_texts_of_that_name() {
    let memory = opened(r#"{"run": {"id": 7, "score": NaN}, "list": [{"step": -Infinity}, {"step": [Infinity, 1]}]}"#);
    assert_eq!(
        steps(&memory),
        [json!({"run_id": 7, "step": "-Infinity"}), json!({"run_id": 7, "step": ["Infinity", 1]})]
    );
    let memory = opened(r#"{"run_id": 1, "step": NaN}"#);
    assert_eq!(memory.events[0].source, "b_step");
    let memory = opened(r#"{"run": {"id": "r", "score": NaN, "at": "2026-05-07T20:00:00Z"}, "status": "done"}"#);
    assert_eq!(memory.rejects[0].1, Reject::NotJson, "its source does not say that it reads such");
    let memory = opened(r#"{"run": {"id": NaN, "score": nan}}"#);
    assert_eq!(memory.rejects[0].1, Reject::NotJson, "what is broken otherwise stays so");
}

#[test]
fn mistakes_of_an_author_are_told_at_once() {
    let broken = STEP
        .replace("at: [tasks, steps]", "at: [tasks.steps]")
        .replace("from: tasks.texts", "form: x")
        .replace("at: [list]", "more: 1");
    let (source, wrong) = Source::parse(&broken);
    let told: Vec<(usize, &str)> = wrong.iter().map(|wrong| (wrong.line, wrong.code.as_str())).collect();
    assert!(source.is_none());
    for wanted in
        [(6, "wrong-type"), (10, "unknown-key"), (10, "missing-key"), (12, "unknown-key"), (11, "missing-key")]
    {
        assert!(told.contains(&wanted), "{wanted:?} is not among {told:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However many elements, and whatever is in them: as many records, and both sides count the same.
    #[test]
    fn nothing_is_lost_between_the_whole_and_its_elements(lists in prop::collection::vec(prop::collection::vec("[a-z\\\\\"é{}\\[\\]:,]{0,8}", 0..6), 0..5)) {
        let tasks: Vec<Value> = lists.iter().enumerate().map(|(at, list)| {
            let steps: Vec<Value> = list.iter().map(|text| json!({"step": text, "k": {text: text}})).collect();
            json!({"name": format!("t{at}"), "steps": steps})
        }).collect();
        let memory = opened(&run(&Value::from(tasks)));
        let texts: Vec<String> = steps(&memory).iter().map(|step| step["step"].as_str().unwrap().to_owned()).collect();
        let has_steps = lists.iter().any(|list| !list.is_empty());
        prop_assert_eq!(&texts, &lists.concat());
        prop_assert!(memory.rejects.is_empty());
        prop_assert_eq!(memory.events.len(), texts.len() + 1, "has steps: {}", has_steps);
    }
}

#[test]
fn a_body_of_tiny_elements_stays_bounded() {
    let mut body = String::from(r#"{"run":{"id":1},"list":["#);
    (0..150_000).for_each(|at| write!(body, "{}{{}}", if at == 0 { "" } else { "," }).expect("a text"));
    body.push_str("]}");
    let memory = opened(&body);
    let large = memory.rejects.iter().filter(|(_, reason)| *reason == Reject::TooLarge).count();
    assert_eq!((memory.rejects.len(), large), (150_000, 50_000));
}
