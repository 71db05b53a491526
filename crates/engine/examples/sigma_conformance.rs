//! This engine behind the adapter protocol of `conformance/sigma/README.md`: a question a line, an answer a line.

#![allow(clippy::print_stdout)]

#[path = "../tests/sigma/answer.rs"]
mod answer;

use std::io::BufRead as _;

fn main() {
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("questions are text");
        let question = conformance::Question::parse(&line).expect("a question of the suite");
        println!("{}", serde_json::to_string(&answer::answer(&question).0).expect("text is JSON"));
    }
}
