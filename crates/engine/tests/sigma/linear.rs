//! Evaluation costs in proportion to the event and to the rules, whatever they hold: no value, no pile of values and no set of rules
//! makes it cost their square.
//!
//! Each test takes an input and the same input made eight times as large. Work in proportion takes eight times as long, the square
//! sixty-four times; the bound lies between. Time is that of the processor spent on this thread, the least of several runs, so that
//! a busy machine changes nothing.

use std::fmt::Write as _;

use engine::Limits;
use engine::sigma;

use crate::data::{Bench, rules};

const TIMES: usize = 8;
/// How much longer the larger input may take.
const RATIO_MAX: f64 = 30.0;
/// What is shorter than this is counted as this: it says nothing about growth.
const SECONDS_MIN: f64 = 0.000_05;

/// Seconds of processor time that this thread has taken.
fn processor_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// The least time that evaluating `event` takes, once warm.
fn seconds(bench: &mut Bench, event: &str) -> f64 {
    let limits = Limits { record_bytes: 64 << 20, ..Limits::default() };
    let logsources: Vec<_> = bench.program.rules().iter().map(|rule| rule.rule.logsource.clone()).collect();
    let set = bench.program.applicable(&logsources);
    let mut least = f64::MAX;
    for _ in 0..4 {
        let started = processor_seconds();
        let record = engine::extract::extract(&bench.fields, event, &mut bench.scratch, &limits).expect("a record");
        bench.program.evaluate(&set, &record, &mut bench.memo, &mut |_| {});
        least = least.min(processor_seconds() - started);
    }
    least.max(SECONDS_MIN)
}

/// Rules of one search each, as YAML under `sel:`.
fn program(searches: &[String]) -> Bench {
    let all: Vec<_> = searches
        .iter()
        .enumerate()
        .flat_map(|(at, search)| {
            rules(&format!(
                "title: T\nid: 9f8c1d2e-0000-4000-8000-{at:012}\nlogsource: {{product: test}}\nlevel: low\n\
                 detection:\n    sel:\n        {search}\n    condition: sel\n"
            ))
        })
        .collect();
    let (bench, diagnostics) = Bench::new(&all, &[], &sigma::Inventory::new());
    assert_eq!(diagnostics, []);
    bench
}

#[track_caller]
fn check(what: &str, small: f64, large: f64) {
    assert!(large < small * RATIO_MAX, "{what}: {small:.4} s, and {large:.4} s where all is {TIMES} times as large");
}

/// The event grows, the rules stay.
#[track_caller]
fn grows_with_the_event(search: &str, size: usize, event: impl Fn(usize) -> String) {
    let mut bench = program(&[search.to_owned()]);
    let small = seconds(&mut bench, &event(size));
    let large = seconds(&mut bench, &event(size * TIMES));
    check(search, small, large);
}

fn long(piece: &str, times: usize) -> String {
    format!(r#"{{"a":"{}"}}"#, piece.repeat(times))
}

#[test]
fn stars_are_not_tried_in_every_combination() {
    for glob in
        ["*a*a*a*a*a*a*a*b", "*a*a*a*a*a*a*a*b*", "a*a*a*a*a*ab", "*a?a?a?a?b*", "*?a*?a*?a*?b", "*aaaaaaaa?aaaaaaaab*"]
    {
        grows_with_the_event(&format!("a: '{glob}'"), 4_000, |size| long("a", size));
    }
}

#[test]
fn a_literal_that_nearly_fits_everywhere_is_searched_once() {
    for literal in ["a".repeat(2_000) + "b", "b".to_owned() + &"a".repeat(2_000), "ab".repeat(1_000) + "a"] {
        for modifier in ["contains", "contains|cased", "startswith", "endswith"] {
            grows_with_the_event(&format!("a|{modifier}: '{literal}'"), 10_000, |size| long("a", size));
            grows_with_the_event(&format!("a|{modifier}: '{literal}'"), 10_000, |size| long("AB", size));
        }
        grows_with_the_event(&format!("'|contains': '{literal}'"), 10_000, |size| long("a", size));
    }
}

#[test]
fn expressions_do_not_backtrack_without_end() {
    for expression in ["(a+)+$", "(a|aa)+b", "(?:a*)*b", "^(a|a|b?)*c$", "(?i)(A|a){1,20}b"] {
        grows_with_the_event(&format!("a|re: '{expression}'"), 2_000, |size| long("a", size));
    }
}

#[test]
fn look_around_is_answered_in_proportion_to_the_value() {
    for expression in [
        "(?=(a+)+$)(a+)+b|a(?!a)$x",
        "a(?=a*b)|aa(?!a*)",
        "(?<!b)(a|aa)+(?=a*c)|a$(?=x)",
        "^(?=.*a.*a.*a.*b)|(?<=a*b)a|^(?!.*a)a",
        "(?=a(?=a(?=a*b)))a",
    ] {
        grows_with_the_event(&format!("a|re: '{expression}'"), 4_000, |size| long("a", size));
    }
}

/// The rule that a padded value would switch off if look-around were tried for so many steps and no more.
#[test]
fn padding_does_not_switch_a_rule_off() {
    let mut bench = program(&["a|re: '(?=(a+)+b)(a|aa)+b(?!x)'".to_owned()]);
    let logsource = bench.program.rules()[0].rule.logsource.clone();
    let set = bench.program.applicable(&[logsource]);
    let limits = Limits { record_bytes: 64 << 20, ..Limits::default() };
    for (piece, is_met) in [("b", true), ("bx", false), ("", false)] {
        let event = format!(r#"{{"a":"{}{piece}"}}"#, "a".repeat(300_000));
        let record = engine::extract::extract(&bench.fields, &event, &mut bench.scratch, &limits).expect("a record");
        let mut hits = 0;
        bench.program.evaluate(&set, &record, &mut bench.memo, &mut |_| hits += 1);
        assert_eq!(hits == 1, is_met, "300,000 characters and {piece:?}");
    }
}

#[test]
fn values_of_a_field_are_looked_at_once_each() {
    let many = |size: usize| format!(r#"{{"a":[{}]}}"#, vec![r#""abcdefgh""#; size].join(","));
    for search in [
        "a|contains: bcdefgx",
        "a|all|contains: [abc, bcd, xyz]",
        "a: null",
        "a|exists: false",
        "a|neq: abcdefgh",
        "a|gt: 5",
    ] {
        grows_with_the_event(search, 2_000, many);
    }
    grows_with_the_event("a.b.c: x", 1_000, |size| {
        format!(r#"{{"a":[{}]}}"#, vec![r#"{"b":[{"c":"y"},{"c":null}]}"#; size].join(","))
    });
    grows_with_the_event("a: x", 2_000, |size| {
        let mut event = String::from("{");
        (0..size).for_each(|n| write!(event, r#""k{n}":{{"a":"x"}},"#).expect("a string takes all"));
        event + r#""a":"y"}"#
    });
}

#[test]
fn keywords_look_at_each_leaf_once() {
    let wide = |size: usize| {
        let leaves: Vec<String> = (0..size).map(|n| format!(r#""key{n}":["value {n}",{n},{{"x":"needl"}}]"#)).collect();
        format!("{{{}}}", leaves.join(","))
    };
    let deep =
        |size: usize| format!("{}{}{}", r#"{"a":["#.repeat(40), vec![r#""needl""#; size].join(","), "]}".repeat(40));
    let escaped = |size: usize| {
        let body = r#"\u006eeedl\\\""#.repeat(size);
        format!(r#"{{"a":"\u006eeedl","c":"{body}","b":1}}"#)
    };
    for search in ["'|contains': needle", "'|cased|contains': needle", "'|re': 'ne+dle'", "'|all': [needl, needle]"] {
        grows_with_the_event(search, 1_000, wide);
        grows_with_the_event(search, 1_000, deep);
        grows_with_the_event(search, 1_000, escaped);
    }
    // The next quote is far away, and the keyword stands everywhere before it.
    grows_with_the_event("'|contains': nnnn", 40_000, |size| long("n", size));
    grows_with_the_event("'|contains': '1111'", 10_000, |size| {
        format!(r#"{{"a":[{}]}}"#, vec!["11112"; size].join(","))
    });
}

#[test]
fn rules_that_share_a_gram_cost_in_proportion_to_the_event() {
    let crowd: Vec<String> = (0..300).map(|n| format!("a|contains: 'aaaaaaaa{n}'")).collect();
    let mut bench = program(&crowd);
    let (small, large) = (seconds(&mut bench, &long("a", 4_000)), seconds(&mut bench, &long("a", 4_000 * TIMES)));
    check("300 rules that begin alike", small, large);
    let keywords: Vec<String> = (0..300).map(|n| format!("'|contains': 'abab{n}'")).collect();
    let mut bench = program(&keywords);
    let (small, large) = (seconds(&mut bench, &long("ab", 2_000)), seconds(&mut bench, &long("ab", 2_000 * TIMES)));
    check("300 keywords that begin alike", small, large);
}

#[test]
fn an_event_costs_in_proportion_to_the_rules_that_share_its_gram() {
    let event = long("aaaab", 2_000);
    let of = |count: usize| {
        let all: Vec<String> = (0..count).map(|n| format!("a|contains: 'aaaa{n}'")).collect();
        seconds(&mut program(&all), &event)
    };
    check("rules that share a gram", of(100), of(100 * TIMES));
}

#[test]
fn dashes_do_not_become_more_patterns_than_a_rule_may_have() {
    let all: Vec<String> = (0..400).map(|n| format!("'-a -b -c -d {n}'")).collect();
    let text = format!(
        "title: T\nid: 9f8c1d2e-0000-4000-8000-000000000001\nlogsource: {{product: test}}\nlevel: low\n\
         detection:\n    sel:\n        a|windash: [{}]\n    condition: sel\n",
        all.join(", ")
    );
    let (documents, diagnostics) = sigma::parse(&text);
    assert!(documents.is_empty(), "250,000 patterns");
    assert_eq!(diagnostics[0].code, "too-many-values");
}

#[test]
fn two_lists_are_compared_in_proportion_to_their_lengths() {
    let lists = |size: usize| {
        let of = |mark: char| (0..size).map(|n| format!(r#""{mark}{n}""#)).collect::<Vec<_>>().join(",");
        format!(r#"{{"a":[{}],"b":[{}]}}"#, of('x'), of('y'))
    };
    for modifier in ["fieldref", "fieldref|startswith", "fieldref|endswith", "fieldref|contains", "fieldref|cased"] {
        grows_with_the_event(&format!("a|{modifier}: b"), 1_000, lists);
    }
}
