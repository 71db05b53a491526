//! `watchkeep check`: mistakes of authors, all at once.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use content::{Catalogue, Root};
use model::{Diagnostic, Severity};

use crate::context::{Context, render, stdout, write_json, write_ndjson};
use crate::globals::Format;
use crate::progress;
use crate::status::{Failure, Outcome, Status};
use crate::table::counted;

pub const EXAMPLES: &str = "\
Examples:
  watchkeep check
  watchkeep check site/packs/weights/s3_read.yml
  watchkeep check --strict --format json rules/";

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Files or folders of content; everything that the configuration loads when none is given.
    path: Vec<PathBuf>,
    /// Warnings count as failures too.
    #[arg(long)]
    strict: bool,
    /// Errors only.
    #[arg(short, long)]
    quiet: bool,
}

/// Checks content.
pub fn run(context: &Context, args: &CheckArgs) -> Outcome {
    refuse_missing(&args.path)?;
    let config = context.config()?;
    let roots = context.roots(&config, true, &args.path);
    let (catalogue, mut diagnostics) = load(&roots);
    let (_, compile) = catalogue.compile(engine_limits(&config));
    diagnostics.extend(compile);
    diagnostics.extend(content::lint(&catalogue, &roots));
    diagnostics.extend(content::inventory::lint_ages(&catalogue, crate::clock::now()));
    let first = roots.len() - args.path.len();
    if !args.path.is_empty() {
        let own: BTreeSet<String> = roots[first..]
            .iter()
            .enumerate()
            .flat_map(|(i, root)| root.files(first + i).0)
            .map(|file| file.name)
            .collect();
        diagnostics.retain(|diagnostic| own.contains(&diagnostic.file) || is_below(&diagnostic.file, &args.path));
    }
    if args.quiet {
        diagnostics.retain(Diagnostic::is_error);
    }
    diagnostics.sort();
    diagnostics.dedup();
    print(context, &diagnostics)?;
    let count = |severity| diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    summarise(context, &catalogue, first, args.path.is_empty(), errors, warnings)?;
    let failed = errors > 0 || (args.strict && warnings > 0);
    Ok(if failed { Status::Findings } else { Status::Fine })
}

fn is_below(file: &str, paths: &[PathBuf]) -> bool {
    paths.iter().any(|path| std::path::Path::new(file).starts_with(path))
}

/// Loads with a bar.
pub fn load(roots: &[Root]) -> (Catalogue, Vec<Diagnostic>) {
    let bar = progress::things("reading content", 0);
    let loaded = content::load_with(roots, &|done, all| {
        if done % 64 == 0 {
            bar.set_length(all as u64);
            bar.set_position(done as u64);
        }
    });
    bar.finish_and_clear();
    loaded
}

/// The engine's limits, as configured.
pub fn engine_limits(config: &content::config::Config) -> engine::Limits {
    engine::Limits { record_bytes: config.limits.record_bytes, depth: config.limits.depth, ..engine::Limits::default() }
}

/// A path that does not exist is told before anything else.
pub fn refuse_missing(paths: &[PathBuf]) -> Result<(), Failure> {
    let missing: Vec<String> =
        paths.iter().filter(|path| !path.exists()).map(|path| format!("`{}`", path.display())).collect();
    if missing.is_empty() { Ok(()) } else { Err(Failure::author(format!("there is no {}", missing.join(", no ")))) }
}

fn print(context: &Context, diagnostics: &[Diagnostic]) -> Result<(), Failure> {
    match context.format_or_text() {
        Format::Json => write_json(&diagnostics),
        Format::Ndjson => write_ndjson(diagnostics),
        Format::Ocsf | Format::Yaml => {
            Err(Failure::author("that format is for other verbs; use table, json or ndjson here"))
        }
        Format::Table => {
            let mut out = stdout();
            for diagnostic in diagnostics {
                writeln!(out, "{}", render(diagnostic, context.paint))?;
            }
            Ok(out.flush()?)
        }
    }
}

fn summarise(
    context: &Context,
    catalogue: &Catalogue,
    first: usize,
    everything: bool,
    errors: usize,
    warnings: usize,
) -> Result<(), Failure> {
    let rules = catalogue.rules.iter().filter(|entry| everything || entry.provenance.root >= first).count();
    let tests: usize = catalogue.cases.iter().map(|cases| cases.cases.len()).sum();
    let paint = context.paint_errors;
    let (errors_told, warnings_told) = (counted(errors as u64, "error"), counted(warnings as u64, "warning"));
    let verdict = match (errors, warnings) {
        (0, 0) => paint.good("fine"),
        (0, _) => paint.warn(format!("fine, with {warnings_told}")),
        _ => paint.bad(format!("{errors_told}, {warnings_told}")),
    };
    let mut rules = counted(rules as u64, "rule");
    if !catalogue.correlations.is_empty() {
        rules = format!("{rules}, {}", counted(catalogue.correlations.len() as u64, "correlation"));
    }
    let sources = counted(catalogue.sources.len() as u64, "source");
    writeln!(std::io::stderr(), "{rules}, {sources}, {}: {verdict}", counted(tests as u64, "test"))?;
    Ok(())
}
