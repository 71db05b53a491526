//! The suite is whole: every sentence of the specification has a case, every case a sentence, and the README says which.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use conformance::{Answer, Expected, Peer, Suite, Verdict, coverage, judge, replace_between};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/sigma")
}

fn suite() -> Suite {
    Suite::read(&folder()).unwrap_or_else(|error| panic!("{error:#}"))
}

#[test]
fn every_sentence_has_a_case_or_a_reason() {
    let suite = suite();
    let over_time = suite.sequences.iter().flat_map(|case| &case.covers);
    let shown: BTreeSet<&str> =
        suite.cases.iter().flat_map(|case| &case.covers).chain(over_time).map(String::as_str).collect();
    for section in &suite.sections {
        assert_eq!(shown.contains(section.id.as_str()), section.out.is_none(), "{}", section.id);
    }
}

#[test]
fn every_case_names_sentences_that_are_there() {
    let suite = suite();
    let sections: BTreeMap<&str, &str> = suite.sections.iter().map(|s| (s.id.as_str(), s.section.as_str())).collect();
    assert_eq!(sections.len(), suite.sections.len(), "an id stands twice");
    let cases = suite.cases.iter().map(|case| (&case.name, &case.section, &case.covers));
    let over_time = suite.sequences.iter().map(|case| (&case.name, &case.section, &case.covers));
    for (name, section, covers) in cases.chain(over_time) {
        assert_eq!(sections.get(covers[0].as_str()), Some(&section.as_str()), "{name}");
        let unknown: Vec<&String> = covers.iter().filter(|id| !sections.contains_key(id.as_str())).collect();
        assert!(unknown.is_empty(), "{name}: {unknown:?}");
    }
}

#[test]
fn a_case_that_runs_has_a_match_and_a_near_miss() {
    // What an empty list and contradicting values fit, and where a rule does not apply, shows in near misses alone.
    const ALONE: [&str; 5] = [
        "generic/all_of_different_values",
        "logsource/other_category",
        "logsource/prefix_of_a_product",
        "logsource/unknown_of_the_event",
        "placeholders/empty_list",
    ];
    for case in suite().cases {
        let expected: Vec<Expected> = case.expectations().into_iter().map(|(_, expected)| expected).collect();
        let is_refusal = expected == [Expected::Refused];
        let hits = expected.iter().any(|expected| matches!(expected, Expected::Match | Expected::Rules(_)));
        // Rules that are named exclude the others of their case.
        let misses = expected.iter().any(|expected| matches!(expected, Expected::NoMatch | Expected::Rules(_)));
        assert!(is_refusal || misses && (hits || ALONE.contains(&case.name.as_str())), "{}", case.name);
    }
}

#[test]
fn the_readme_says_which_cases_show_what() {
    let text = std::fs::read_to_string(folder().join("README.md")).expect("README");
    let right = replace_between(&text, "coverage", &coverage(&suite())).expect("markers");
    assert!(text == right, "run `cargo xtask conformance --write-coverage`");
}

#[test]
fn a_question_is_one_line_and_comes_back_the_same() {
    for question in suite().cases.iter().flat_map(|case| case.questions()) {
        let line = question.line();
        assert!(!line.contains('\n'), "{line}");
        let again = conformance::Question::parse(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(again.line(), line);
    }
}

/// An adapter in two lines of shell.
fn shell(answer: &str) -> Peer {
    Peer::new(format!("sh -c 'while read -r line; do {answer}; done'"))
}

#[test]
fn an_engine_that_always_matches_fails_what_must_not_match() {
    let suite = suite();
    let case = suite.cases.iter().find(|case| case.name == "values/whole").expect("the case");
    let id = "9f8c1d2e-0000-4000-8000-000000000001";
    let answers =
        shell(&format!("echo \"{{\\\"matches\\\":[\\\"{id}\\\"]}}\"")).ask(&case.questions()).expect("a shell");
    assert_eq!(answers[0], Answer::Matches(vec![id.to_owned()]));
    let verdict = judge(case, &answers);
    assert!(matches!(&verdict, Verdict::Fails(why) if why.starts_with("matches ")), "{verdict:?}");
}

#[test]
fn an_engine_that_refuses_everything_passes_what_must_be_refused_and_nothing_else() {
    let suite = suite();
    let questions: Vec<_> = suite.cases.iter().flat_map(|case| case.questions()).collect();
    let answers = shell("echo \"{\\\"refused\\\":\\\"no\\\"}\"").ask(&questions).expect("a shell");
    let mut left = &answers[..];
    for case in &suite.cases {
        let (mine, others) = left.split_at(case.questions().len());
        left = others;
        let is_refusal = case.expectations()[0].1 == Expected::Refused;
        let word = judge(case, mine).word();
        let wanted = if is_refusal {
            "pass"
        } else if case.has_room() {
            "differs"
        } else {
            "refuses"
        };
        assert_eq!(word, wanted, "{}", case.name);
    }
}

#[test]
fn an_engine_that_dies_is_asked_the_next_question_anew() {
    let suite = suite();
    let case = suite.cases.iter().find(|case| case.name == "values/whole").expect("the case");
    let questions = &case.questions()[..2];
    let answers = Peer::new("true").ask(questions).expect("a shell");
    assert_eq!(answers, [Answer::Died("dies".to_owned()), Answer::Died("dies".to_owned())]);
    let nonsense = shell("echo hello").ask(&questions[..1]).expect("a shell");
    assert!(matches!(&nonsense[0], Answer::Died(how) if how.starts_with("answers what is no answer")));
}
