//! Runs `conformance/sigma/correlation/`: rules by the engine, correlations by the plain evaluator.

use std::fmt::Write as _;
use std::path::Path;

use conformance::{Found, Sequence, Suite};
use engine::sigma::Member;
use model::Time;

use crate::plain::{Event, Finding};
use crate::scene::Scene;
use crate::shown::{self, Kept};

fn suite() -> Suite {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/sigma");
    Suite::read(&folder).unwrap_or_else(|error| panic!("{error:#}"))
}

fn events(case: &Sequence, scene: &Scene) -> Vec<Event> {
    let records: Vec<&str> = case.events.iter().map(|event| event.event.as_str()).collect();
    let matches = scene.matches(&records);
    let join = |(event, rules): (&conformance::Timed, Vec<String>)| Event {
        id: event.id.clone(),
        time: Time::parse(&event.time).expect("a time").micros(),
        text: event.event.clone(),
        rules,
    };
    case.events.iter().zip(matches).map(join).collect()
}

fn found(scene: &Scene, finding: Finding) -> Found {
    let correlation = &scene.linked[finding.of].correlation;
    Found {
        rule: correlation.name.clone().unwrap_or_else(|| correlation.title.clone()),
        group: finding.group.into_iter().collect(),
        events: finding.opened,
        prolonged: finding.prolonged,
    }
}

/// What is wrong with the answer to a case.
fn wrong(case: &Sequence) -> Option<String> {
    let texts: Vec<&str> = std::iter::once(&case.rules).chain(&case.filters).map(String::as_str).collect();
    let scene = Scene::read(&texts);
    let errors = scene.errors();
    if case.refused || !errors.is_empty() {
        return (case.refused == errors.is_empty()).then(|| format!("refused: {errors:?}"));
    }
    let events = events(case, &scene);
    let is_chain =
        scene.linked.iter().any(|linked| linked.members.iter().any(|it| matches!(it, Member::Correlation(_))));
    if !is_chain {
        let mut shown = shown::findings(&scene, &events, &vec![(100, true), (0, false)]);
        let mut plain: Vec<Kept> = scene.findings(&events).into_iter().map(Kept::of).collect();
        shown.sort();
        plain.sort();
        if shown != plain {
            return Some(format!("\n  operators {shown:?}\n  plainly   {plain:?}"));
        }
    }
    let mut answer: Vec<Found> = scene.findings(&events).into_iter().map(|finding| found(&scene, finding)).collect();
    let mut wanted = case.found.clone().unwrap_or_default();
    answer.sort();
    wanted.sort();
    if answer != wanted {
        return Some(format!("\n  found  {answer:?}\n  wanted {wanted:?}"));
    }
    let mut alone: Vec<(String, String)> = Vec::new();
    for rule in scene.rules.iter().filter(|rule| scene.speaks_alone(rule)) {
        let name = rule.name.clone().unwrap_or_else(|| rule.title.clone());
        let hits = events.iter().filter(|event| event.rules.iter().any(|id| id == rule.id.as_str()));
        alone.extend(hits.map(|event| (name.clone(), event.id.clone())));
    }
    alone.sort();
    let mut wanted = case.alone.clone().unwrap_or_else(|| alone.clone());
    wanted.sort();
    (alone != wanted).then(|| format!("\n  alone  {alone:?}\n  wanted {wanted:?}"))
}

#[test]
fn every_case_over_time_is_answered_as_it_says() {
    let suite = suite();
    assert!(suite.sequences.len() >= 60, "found {} cases", suite.sequences.len());
    let told = |case: &Sequence| wrong(case).map(|why| format!("{}: {why}", case.name));
    let wrong: Vec<String> = suite.sequences.iter().filter_map(told).collect();
    assert!(wrong.is_empty(), "{} of {} cases\n{}", wrong.len(), suite.sequences.len(), wrong.join("\n"));
}

#[test]
fn the_order_of_arrival_changes_no_case() {
    for case in suite().sequences.iter().filter(|case| !case.refused) {
        let mut turned = case.clone();
        turned.events.reverse();
        assert_eq!(wrong(&turned), None, "{} backwards", case.name);
        let (left, right) = case.events.split_at(case.events.len() / 2);
        turned.events = right.iter().chain(left).chain(right).cloned().collect();
        turned.alone = None;
        assert_eq!(wrong(&turned), None, "{} cut in two, with repeats", case.name);
    }
}

#[test]
fn authors_are_told_what_is_wrong_where_and_what_to_do() {
    let mut page = String::new();
    for case in suite().sequences {
        let told = Scene::read(&[&case.rules]).told;
        for told in told {
            let _ = writeln!(page, "{} {}:{} {:?} {}", case.name, told.line, told.column, told.severity, told.code);
            let _ = writeln!(page, "    {}; {}", told.message, told.remedy);
            assert!(told.line > 0 && !told.remedy.is_empty() && !told.message.ends_with('.'), "{told}");
        }
    }
    insta::assert_snapshot!(page);
}
