//! `watchkeep scan`: one pass over files. Findings go to standard output as they are found, a summary to standard error.

mod printer;
mod profile;
mod summary;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use engine::Engine;
use model::{Lane, Level};
use pipeline::scan::{Progress, ScanInput, ScanOptions, ScanReport, scan};

use super::alert::level;
use super::check::{engine_limits, load, refuse_missing};
use super::explain::known_source;
use crate::clock;
use crate::context::Context;
use crate::globals::Format;
use crate::progress;
use crate::status::{Failure, Outcome, Status};

use printer::Printer;
pub use summary::{rejects, unread};

pub const EXAMPLES: &str = "\
Findings are printed as a table on a terminal and as NDJSON elsewhere; with --profile, so are the costs of the rules.

Exit status: 0 nothing found · 1 findings · 2 a file could not be read to its end, and nothing was found ·
3 configuration or environment error. --fail-on moves the bar for 1.

Examples:
  watchkeep scan cloudtrail/ --format ndjson > findings.ndjson
  zcat logs.json.gz | watchkeep scan - --source aws_cloudtrail
  watchkeep scan trail.json --rules sigma/rules/cloud/aws --no-default-rules --fail-on high
  watchkeep scan trail.json --profile --format table";

/// Arguments of `scan`.
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// Files, folders, or `-` for standard input; plain, gzip, zstd or ZIP; JSON in any layout, or lines.
    #[arg(required = true)]
    path: Vec<PathBuf>,
    /// The source of every record; `auto` recognises each.
    #[arg(long, value_name = "ID", default_value = "auto")]
    source: String,
    /// Further files or folders of rules.
    #[arg(long, value_name = "DIR")]
    rules: Vec<PathBuf>,
    /// Only the rules of --rules; sources and inventory stay.
    #[arg(long, requires = "rules")]
    no_default_rules: bool,
    /// Threads that evaluate; as many as the machine has when nothing is said.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Print what each rule cost, costliest first, instead of the findings.
    #[arg(long)]
    profile: bool,
    /// Exit with 1 only for findings of this level or above; `never` for none.
    #[arg(long, value_name = "LEVEL", default_value = "informational", value_parser = bar)]
    fail_on: Bar,
}

/// From which level on a finding counts as a failure.
#[derive(Clone, Copy, Debug)]
struct Bar(Option<Level>);

fn bar(text: &str) -> Result<Bar, String> {
    match text {
        "never" => Ok(Bar(None)),
        text => level(text).map(|level| Bar(Some(level))).map_err(|words| format!("{words}, never")),
    }
}

/// What the steps before the scan took.
#[derive(Clone, Copy, Debug, Default)]
struct Timing {
    load: Duration,
    compile: Duration,
    scan: Duration,
}

/// Scans.
pub fn run(context: &Context, args: ScanArgs) -> Outcome {
    let inputs = inputs(&args.path)?;
    refuse_missing(&args.rules)?;
    let config = context.config()?;
    let mut timing = Timing::default();
    let engine = build_engine(context, &config, &args, &mut timing)?;
    let threads = threads(args.threads.unwrap_or(config.threads));
    let options = ScanOptions {
        source: known_source(&engine, Some(&args.source))?,
        threads,
        lane: Lane::Live,
        clock: args.profile.then_some(clock::nanos),
        ..ScanOptions::at(clock::now())
    };
    let format = context.format_or(Format::Ndjson);
    if format == Format::Yaml {
        return Err(Failure::author(
            "--format yaml is for `inventory proposals`; use table, json, ndjson or ocsf here",
        ));
    }
    if args.profile && format == Format::Ocsf {
        return Err(Failure::author("--format ocsf is for findings; use table, json or ndjson with --profile"));
    }
    let progress_bar = progress::bytes(total_bytes(&inputs));
    let mut printer = match args.profile {
        true => Printer::silent(context.paint, progress_bar.clone()),
        false => Printer::new(format, context.paint, progress_bar.clone()),
    };
    let started = Instant::now();
    let tell = |progress: Progress| progress_bar.set_position(progress.bytes);
    let scanned = scan(&inputs, &engine, &options, &mut printer, &tell);
    timing.scan = started.elapsed();
    progress_bar.finish_and_clear();
    let report = scanned.map_err(Failure::author)?;
    let tally = printer.finish()?;
    summary::tell(context, &report, &tally, timing.scan, threads, engine.rules().len())?;
    if let Some(profile) = &report.profile {
        profile::tell(context, &engine, profile, timing, threads)?;
    }
    Ok(verdict(&report, tally.gravest, args.fail_on))
}

fn verdict(report: &ScanReport, gravest: Option<Level>, bar: Bar) -> Status {
    match bar.0 {
        Some(least) if gravest.is_some_and(|level| level >= least) => Status::Findings,
        _ if report.is_whole() || report.stopped => Status::Fine,
        _ => Status::Author,
    }
}

/// As many threads as asked for; for 0 as many as the machine has.
pub fn threads(wanted: usize) -> usize {
    if wanted == 0 { std::thread::available_parallelism().map_or(1, usize::from) } else { wanted }
}

/// What to scan, which must be there.
pub fn inputs(paths: &[PathBuf]) -> Result<Vec<ScanInput>, Failure> {
    let named: Vec<PathBuf> = paths.iter().filter(|path| path.as_os_str() != "-").cloned().collect();
    refuse_missing(&named)?;
    let input = |path: &PathBuf| match path.as_os_str() == "-" {
        true => ScanInput::Stdin,
        false => ScanInput::Path(path.clone()),
    };
    Ok(paths.iter().map(input).collect())
}

/// Bytes of all files; unknown with standard input.
pub fn total_bytes(inputs: &[ScanInput]) -> Option<u64> {
    let size = |path: &PathBuf| -> u64 {
        let files = walkdir::WalkDir::new(path).into_iter().filter_map(Result::ok);
        files.filter_map(|entry| entry.metadata().ok()).filter(|metadata| metadata.is_file()).map(|m| m.len()).sum()
    };
    inputs.iter().map(|input| if let ScanInput::Path(path) = input { Some(size(path)) } else { None }).sum()
}

fn build_engine(
    context: &Context,
    config: &content::config::Config,
    args: &ScanArgs,
    timing: &mut Timing,
) -> Result<Engine, Failure> {
    let mut roots = context.roots(config, true, &args.rules);
    if args.no_default_rules {
        let first = roots.len() - args.rules.len();
        roots[..first].iter_mut().for_each(|root| *root = content::Root::WithoutRules(Box::new(root.clone())));
    }
    let started = Instant::now();
    let (catalogue, mut diagnostics) = load(&roots);
    timing.load = started.elapsed();
    let started = Instant::now();
    let (engine, wrong) = catalogue.compile(engine_limits(config));
    timing.compile = started.elapsed();
    diagnostics.extend(wrong);
    tell_set_aside(context, &diagnostics)?;
    Ok(engine)
}

/// Rules that were set aside: the first few, all of them under `-v`.
pub fn tell_set_aside(context: &Context, diagnostics: &[model::Diagnostic]) -> Result<(), Failure> {
    const SHOWN_MAX: usize = 5;
    let errors: Vec<_> = diagnostics.iter().filter(|wrong| wrong.is_error()).cloned().collect();
    let shown = if context.global.verbose > 0 { errors.len() } else { errors.len().min(SHOWN_MAX) };
    context.tell(&errors[..shown])?;
    if shown < errors.len() {
        eprintln!("… and {} more mistakes in rules; `watchkeep check` tells them all", errors.len() - shown);
    }
    Ok(())
}
