//! Runs `conformance/sigma/`: one behaviour a file, with the section of the specification that asks for it.

use std::fmt::Write as _;
use std::path::Path;

use conformance::{Suite, Verdict, judge};

use crate::answer::answer;

/// Where the specification leaves room and we read it otherwise than the suite does, and why.
const OTHERWISE: [(&str, &str); 3] = [
    ("generic/error_all_of_one", "the reason given is that some engines cannot; this one can, and warns"),
    ("re/back_reference", "called unsupported; nobody can answer it in time linear in the value"),
    ("rule/error_title_too_long", "it matches no less; its author is warned"),
];

fn suite() -> Suite {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/sigma");
    Suite::read(&folder).unwrap_or_else(|error| panic!("{error:#}"))
}

#[test]
fn every_behaviour_of_the_specification() {
    let suite = suite();
    assert!(suite.cases.len() >= 400, "found {} cases", suite.cases.len());
    let mut wrong = Vec::new();
    for case in &suite.cases {
        let answers: Vec<_> = case.questions().iter().map(|question| answer(question).0).collect();
        let verdict = judge(case, &answers);
        let is_otherwise = OTHERWISE.iter().any(|(name, _)| *name == case.name);
        let is_right = if is_otherwise { matches!(verdict, Verdict::Differs(_)) } else { verdict == Verdict::Pass };
        if !is_right {
            wrong.push(format!("{}: {verdict} {}", case.name, verdict.why().unwrap_or_default()));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases\n{}", wrong.len(), suite.cases.len(), wrong.join("\n"));
}

#[test]
fn authors_are_told_what_is_wrong_where_and_what_to_do() {
    let mut page = String::new();
    for case in suite().cases {
        let question = case.questions().swap_remove(0);
        for told in answer(&question).1 {
            let _ = writeln!(page, "{} {}:{} {:?} {}", case.name, told.line, told.column, told.severity, told.code);
            assert!(!told.remedy.is_empty() && !told.message.ends_with('.'), "no remedy, or a full stop: {told}");
        }
    }
    insta::assert_snapshot!(page);
}
