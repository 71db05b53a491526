//! `watchkeep test`: the tests of rules, from raw records.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use content::{CaseOutcome, Catalogue};
use serde_json::json;

use super::check::{engine_limits, load, refuse_missing};
use crate::context::{Context, stdout, write_json, write_ndjson};
use crate::globals::Format;
use crate::progress;
use crate::status::{Blame, Failure, Outcome, Status};
use crate::table::counted;

pub const EXAMPLES: &str = "\
Examples:
  watchkeep test
  watchkeep test -k s3_weights
  watchkeep test site/ --junit report.xml";

/// Arguments of `test`.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// Files or folders whose tests run; everything that the configuration loads when none is given.
    path: Vec<PathBuf>,
    /// Only tests whose file, rule or name contains this.
    #[arg(short = 'k', long = "name", value_name = "NAME")]
    name: Option<String>,
    /// Only tests of files that git sees as changed.
    #[arg(long)]
    changed: bool,
    /// Also write JUnit XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// Runs tests.
pub fn run(context: &Context, args: &TestArgs) -> Outcome {
    refuse_missing(&args.path)?;
    let config = context.config()?;
    let roots = context.roots(&config, true, &args.path);
    let (mut catalogue, diagnostics) = load(&roots);
    select(&mut catalogue, args)?;
    context.tell(&diagnostics.into_iter().filter(|wrong| wrong.is_error()).collect::<Vec<_>>())?;
    let (engine, _) = catalogue.compile(engine_limits(&config));
    let total: usize = catalogue.cases.iter().map(|cases| cases.cases.len()).sum();
    let bar = progress::things("testing", total as u64);
    let outcomes = content::run_cases_with(&catalogue, &engine, args.name.as_deref(), &mut |_| bar.inc(1));
    bar.finish_and_clear();
    if let Some(file) = &args.junit {
        std::fs::write(file, content::junit(&outcomes)).environment()?;
    }
    print(context, &outcomes)?;
    let failed = outcomes.iter().filter(|outcome| !outcome.passed()).count();
    if outcomes.is_empty() {
        return Err(Failure::author("no test was run: none is there, or none has this name"));
    }
    Ok(if failed > 0 { Status::Findings } else { Status::Fine })
}

/// Leaves only the tests of the paths given, and of changed files.
fn select(catalogue: &mut Catalogue, args: &TestArgs) -> Result<(), Failure> {
    if !args.path.is_empty() {
        let wanted = |file: &str| args.path.iter().any(|path| belongs(file, path));
        catalogue.cases.retain(|cases| wanted(&cases.file));
    }
    if args.changed {
        let changed = changed_files()?;
        let stems: Vec<&str> = changed.iter().filter_map(|path| stem(path)).collect();
        catalogue.cases.retain(|cases| stem(&cases.file).is_some_and(|stem| stems.contains(&stem)));
    }
    Ok(())
}

/// Is the file below the path, or beside it as its rule or test?
fn belongs(file: &str, path: &std::path::Path) -> bool {
    let file = std::path::Path::new(file);
    let same_stem = || stem(&file.to_string_lossy()) == stem(&path.to_string_lossy()) && file.parent() == path.parent();
    file.starts_with(path) || (path.is_file() && same_stem())
}

fn stem(file: &str) -> Option<&str> {
    let name = file.rsplit('/').next()?;
    let name = name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml"))?;
    Some(name.strip_suffix(".test").unwrap_or(name))
}

/// The files that git sees as changed or new.
fn changed_files() -> Result<Vec<String>, Failure> {
    let run = std::process::Command::new("git").args(["status", "--porcelain", "--untracked-files=all"]).output();
    let output = run.map_err(|error| Failure::environment(format!("git cannot be run: {error}")))?;
    if !output.status.success() {
        return Err(Failure::environment("--changed needs a git working tree"));
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text.lines().filter_map(|line| line.get(3..)).map(|path| path.trim_matches('"').to_owned()).collect())
}

fn print(context: &Context, outcomes: &[CaseOutcome]) -> Result<(), Failure> {
    match context.format_or_text() {
        Format::Table => print_text(context, outcomes),
        Format::Ocsf | Format::Yaml => {
            Err(Failure::author("that format is for other verbs; use table, json or ndjson here"))
        }
        format => {
            let rows: Vec<_> = outcomes.iter().map(wire).collect();
            if format == Format::Json { write_json(&rows) } else { write_ndjson(&rows) }
        }
    }
}

fn wire(outcome: &CaseOutcome) -> serde_json::Value {
    json!({
        "file": outcome.file,
        "line": outcome.line,
        "rule": outcome.rule,
        "name": outcome.name,
        "kind": outcome.kind.as_str(),
        "passed": outcome.passed(),
        "failure": outcome.failure,
    })
}

/// What failed, then how many passed; every case under `-v`.
fn print_text(context: &Context, outcomes: &[CaseOutcome]) -> Result<(), Failure> {
    let paint = context.paint;
    let mut out = stdout();
    for outcome in outcomes {
        let title = format!("{}: {} ({})", outcome.rule, outcome.name, outcome.kind.as_str());
        match &outcome.failure {
            None if context.global.verbose > 0 => writeln!(out, "{} {title}", paint.good("✓ pass"))?,
            None => {}
            Some(failure) => {
                writeln!(out, "{} {title}", paint.bad("✗ FAIL"))?;
                writeln!(out, "    {failure}\n    {}", paint.dim(format!("{}:{}", outcome.file, outcome.line)))?;
            }
        }
    }
    let failed = outcomes.iter().filter(|outcome| !outcome.passed()).count();
    let passed = outcomes.len() - failed;
    let rules = outcomes.iter().map(|outcome| &outcome.rule).collect::<std::collections::BTreeSet<_>>().len();
    let verdict = format!("{failed} failed");
    let verdict = if failed == 0 { paint.good(verdict) } else { paint.bad(verdict) };
    let (tests, rules) = (counted(outcomes.len() as u64, "test"), counted(rules as u64, "rule"));
    writeln!(out, "{tests} of {rules}: {passed} passed, {verdict}")?;
    Ok(out.flush()?)
}
