//! `conformance`: asks engines every question of the suite, prints a line for each case that does not pass, and the totals.

#![allow(clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use conformance::{Peer, Suite, Verdict, comparison, coverage, judge, replace_between};

#[derive(Parser)]
#[command(name = "conformance", about = "Asks engines every question of the Sigma conformance suite")]
struct Arguments {
    /// The suite's folder
    #[arg(long, default_value = "conformance/sigma")]
    suite: PathBuf,
    /// An adapter: its name and the command that starts it; may be given several times
    #[arg(long = "engine", value_name = "NAME=COMMAND")]
    engines: Vec<String>,
    /// Only cases whose name contains this
    #[arg(long)]
    only: Option<String>,
    /// Print the questions as NDJSON, and ask nobody
    #[arg(long)]
    questions: bool,
    /// Write the table of coverage to the suite's README
    #[arg(long)]
    write_coverage: bool,
    /// Write the comparison of the engines to this page
    #[arg(long, value_name = "PAGE")]
    write: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("conformance: {error:#}");
            ExitCode::from(3)
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let mut suite = Suite::read(&arguments.suite)?;
    if arguments.write_coverage {
        write(&arguments.suite.join("README.md"), "coverage", &coverage(&suite))?;
    }
    if let Some(only) = &arguments.only {
        suite.cases.retain(|case| case.name.contains(only.as_str()));
    }
    if arguments.questions {
        suite.cases.iter().flat_map(|case| case.questions()).for_each(|question| println!("{}", question.line()));
        return Ok(true);
    }
    let mut results = Vec::new();
    for engine in &arguments.engines {
        let (name, command) = engine.split_once('=').unwrap_or(("engine", engine));
        results.push((name.to_owned(), ask(&suite, name, command)?));
    }
    if let Some(page) = &arguments.write {
        write(page, "comparison", &comparison(&suite, &results))?;
    }
    Ok(summary(&results))
}

/// Asks one engine everything, and tells each case that does not pass.
fn ask(suite: &Suite, name: &str, command: &str) -> anyhow::Result<Vec<Verdict>> {
    println!("\n── {name} ──");
    let questions: Vec<_> = suite.cases.iter().flat_map(|case| case.questions()).collect();
    let answers = Peer::new(command).ask(&questions)?;
    let mut left = &answers[..];
    let mut verdicts = Vec::new();
    for case in &suite.cases {
        let (mine, others) = left.split_at(case.questions().len());
        left = others;
        let verdict = judge(case, mine);
        if let Some(why) = verdict.why() {
            let mark = if matches!(verdict, Verdict::Differs(_)) { "room" } else { "FAIL" };
            println!("{mark}  {:<44} {why}", case.name);
        }
        verdicts.push(verdict);
    }
    Ok(verdicts)
}

/// The totals; true if no engine fails or refuses a case that the specification decides.
fn summary(results: &[(String, Vec<Verdict>)]) -> bool {
    println!("\n── summary ──");
    let mut sum = (0, 0);
    for (name, verdicts) in results {
        let count = |word: &str| verdicts.iter().filter(|verdict| verdict.word() == word).count();
        let (pass, differs, refuses, fails) = (count("pass"), count("differs"), count("refuses"), count("fails"));
        let mark = if refuses + fails == 0 { "pass" } else { "FAIL" };
        println!(
            "{mark}  {name:<24} {pass} as specified, {differs} otherwise where there is room, {refuses} refused, {fails} wrong"
        );
        sum = (sum.0 + pass + differs, sum.1 + refuses + fails);
    }
    println!("\n{} passed, {} failed", sum.0, sum.1);
    sum.1 == 0
}

fn write(page: &Path, name: &str, table: &str) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(page).with_context(|| format!("{}", page.display()))?;
    let text = replace_between(&text, name, table).with_context(|| format!("{} has no `{name}`", page.display()))?;
    std::fs::write(page, text).with_context(|| format!("{}", page.display()))
}
