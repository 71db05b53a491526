//! The conformance cases over time whose events come in order, at different times and once.

use std::collections::BTreeMap;
use std::path::Path;

use conformance::{Sequence, Suite};
use model::Time;

use crate::classes::Differing;
use crate::page;
use crate::sides::{self, Event, Firings};

/// Case, what RSigma says, what we say, and the class of the difference.
const LIST: &str = include_str!("cases.tsv");

fn events(case: &Sequence) -> Vec<Event> {
    let event = |timed: &conformance::Timed| {
        let micros = Time::parse(&timed.time).expect("a time").micros();
        (micros.div_euclid(1_000_000), serde_json::from_str(&timed.event).expect("JSON"))
    };
    case.events.iter().map(event).collect()
}

fn is_in_order(case: &Sequence, events: &[Event]) -> bool {
    let mut ids: Vec<&str> = case.events.iter().map(|event| event.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.len() == events.len() && events.windows(2).all(|pair| pair[0].0 < pair[1].0)
}

/// Where and when each first fired, seconds after the first event.
fn shown(said: &Result<Firings, String>, events: &[Event]) -> String {
    let Ok(firings) = said else { return "refused".to_owned() };
    let began = events.first().map_or(0, |event| event.0);
    let each = firings.iter().map(|((title, group), times)| format!("{title}[{group}]@{}", times[0] - began));
    let all: Vec<String> = each.collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(" ") }
}

fn suite() -> Suite {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/sigma");
    Suite::read(&folder).unwrap_or_else(|error| panic!("{error:#}"))
}

/// Every case that is compared, with what both sides say.
fn compared() -> Vec<(String, String, String)> {
    let suite = suite();
    let mut all = Vec::new();
    for case in &suite.sequences {
        let events = events(case);
        if !is_in_order(case, &events) {
            continue;
        }
        let texts: Vec<&str> = std::iter::once(&case.rules).chain(&case.filters).map(String::as_str).collect();
        let (they, we) = (sides::theirs(&texts, &events), sides::ours(&texts, &events));
        let name = case.name.rsplit('/').next().unwrap_or_default().to_owned();
        all.push((name, shown(&they, &events), shown(&we, &events)));
    }
    all
}

#[test]
fn both_answer_the_conformance_cases_in_order_alike_but_for_the_list() {
    let compared = compared();
    let differing = compared.iter().filter(|(_, they, we)| they != we);
    let found: Vec<String> = differing.map(|(name, they, we)| format!("{name}\t{they}\t{we}")).collect();
    let unclassed = |line: &str| line.rsplit_once('\t').map_or(line, |(rest, _)| rest).to_owned();
    let listed: Vec<String> = LIST.lines().filter(|line| !line.starts_with('#')).map(unclassed).collect();
    if let Ok(path) = std::env::var("WATCHKEEP_DIFFERENTIAL_WRITE") {
        std::fs::write(path, found.join("\n") + "\n").expect("the file can be written");
    }
    let new: Vec<&String> = found.iter().filter(|line| !listed.contains(line)).collect();
    let gone: Vec<&String> = listed.iter().filter(|line| !found.contains(line)).collect();
    println!("{} cases in order, {} differ", compared.len(), found.len());
    assert!(compared.len() >= 100, "{} cases", compared.len());
    assert!(new.is_empty() && gone.is_empty(), "not listed: {new:#?}\nlisted, and not so: {gone:#?}");
}

#[test]
fn every_difference_goes_away_with_what_its_class_names() {
    let suite = suite();
    let mut wrong = Vec::new();
    for line in LIST.lines().filter(|line| !line.starts_with('#')) {
        let [name, they, we, class] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let case = suite.sequences.iter().find(|case| case.name.ends_with(&format!("/{name}"))).expect("a case");
        let said = |rules: &str, events: &[Event]| {
            let texts: Vec<&str> = std::iter::once(rules).chain(case.filters.as_deref()).collect();
            let (they, we) = (sides::theirs(&texts, events), sides::ours(&texts, events));
            (shown(&they, events), shown(&we, events))
        };
        let differing = Differing { rules: &case.rules, events: &events(case), they, we };
        if !differing.is_of(class, &said) {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_class_of_the_list_is_explained_on_the_page_with_its_count() {
    let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
    for line in LIST.lines().filter(|line| !line.starts_with('#')) {
        *classes.entry(line.rsplit('\t').next().unwrap_or_default()).or_default() += 1;
    }
    page::same(page::CASES, &classes);
}
