//! `watchkeep import`: other people's Sigma rules, as they wrote them, with their provenance.

mod archive;

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use content::{ImportError, ImportOptions, ImportReport};
use serde_json::json;

use crate::clock;
use crate::context::{Context, render, stdout, write_json};
use crate::globals::Format;
use crate::progress;
use crate::status::{Failure, Outcome, Status};
use crate::table::counted;
use crate::verbs::check::refuse_missing;

pub const EXAMPLES: &str = "\
Examples:
  watchkeep import sigma/ --to site/packs/sigmahq --origin https://github.com/SigmaHQ/sigma --revision r2026-10-01
  watchkeep import sigma_rules.tar.zst --to site/packs/sigmahq --product aws,github,kubernetes,okta --dry-run";

/// Arguments of `import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// A folder of Sigma rules, or an archive of one: `.tar`, `.tar.gz`, `.tar.zst`.
    from: PathBuf,
    /// The pack's folder; a second import brings it up to date.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Only rules of these products.
    #[arg(long, value_delimiter = ',', value_name = "PRODUCT")]
    product: Vec<String>,
    /// Where the rules came from; the folder when nothing is said.
    #[arg(long, value_name = "ADDRESS")]
    origin: Option<String>,
    /// The origin's version or commit.
    #[arg(long, value_name = "VERSION", default_value = "unknown")]
    revision: String,
    /// The licence of the rules; read from the licence file when nothing is said.
    #[arg(long, value_name = "SPDX")]
    license: Option<String>,
    /// The date that the provenance shall say; today when nothing is said.
    #[arg(long, value_name = "DATE")]
    date: Option<String>,
    /// Report only; write nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Imports.
pub fn run(context: &Context, args: ImportArgs) -> Outcome {
    refuse_missing(std::slice::from_ref(&args.from))?;
    let config = context.config()?;
    let (catalogue, _) = context.catalogue(&config);
    let options = ImportOptions {
        products: args.product,
        origin: args.origin.unwrap_or_else(|| args.from.display().to_string()),
        version: args.revision,
        license: args.license,
        date: args.date.unwrap_or_else(clock::today),
        dry_run: args.dry_run,
        inventory: catalogue.inventory,
    };
    let bar = progress::things("reading rules", 0);
    let unpacked = if archive::is_archive(&args.from) { Some(archive::unpack(&args.from)?) } else { None };
    let from = unpacked.as_ref().map_or_else(|| args.from.clone(), archive::Unpacked::folder);
    let imported = content::import(&from, &args.to, &options, &mut |done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    let report = imported.map_err(blame)?;
    print(context, &report, &args.to, args.dry_run)?;
    Ok(Status::Fine)
}

fn blame(error: ImportError) -> Failure {
    let told = |error: ImportError| anyhow::Error::from(error);
    match error {
        ImportError::Io { .. } => Failure::Told { status: Status::Environment, error: told(error) },
        _ => Failure::Told { status: Status::Author, error: told(error) },
    }
}

fn print(context: &Context, report: &ImportReport, to: &std::path::Path, dry_run: bool) -> Result<(), Failure> {
    match context.format_or_text() {
        Format::Table => print_text(context, report, to, dry_run),
        Format::Ocsf | Format::Yaml => Err(Failure::author("that format is for other verbs; use table or json here")),
        Format::Json | Format::Ndjson => write_json(&wire(report, dry_run)),
    }
}

fn wire(report: &ImportReport, dry_run: bool) -> serde_json::Value {
    let loaded =
        report.loaded.iter().map(|file| json!({"path": file.path, "title": file.title, "warnings": file.warnings}));
    let aside = report.set_aside.iter().map(|file| json!({"path": file.path, "reasons": file.reasons}));
    json!({
        "dry_run": dry_run,
        "license": report.license,
        "loaded": loaded.collect::<Vec<_>>(),
        "set_aside": aside.collect::<Vec<_>>(),
        "other_products": report.other_products,
        "removed": report.removed,
        "kept_edited": report.kept_edited,
    })
}

fn print_text(context: &Context, report: &ImportReport, to: &std::path::Path, dry_run: bool) -> Result<(), Failure> {
    let paint = context.paint;
    let mut out = stdout();
    for file in &report.set_aside {
        writeln!(out, "{} {}", paint.warn("set aside"), file.path)?;
        for reason in file.reasons.iter().filter(|reason| reason.is_error() || context.global.verbose > 0) {
            writeln!(out, "  {}", render(reason, paint).replace('\n', "\n  "))?;
        }
    }
    for (path, warning) in needs_list(report) {
        writeln!(out, "{} {path}: {}", paint.warn("needs a list"), warning.remedy)?;
    }
    for path in &report.kept_edited {
        writeln!(out, "{} {path}: changed after it was imported, left as it is", paint.warn("kept"))?;
    }
    for path in &report.removed {
        writeln!(out, "{} {path}: the origin no longer has it", paint.warn("removed"))?;
    }
    if context.global.verbose > 0 {
        for file in &report.loaded {
            writeln!(out, "{} {}  {}", paint.good("loaded"), file.path, paint.dim(&file.title))?;
        }
    }
    let verb = if dry_run { "would be imported" } else { "imported" };
    writeln!(
        out,
        "{} {verb} to {} under {}; {} set aside, {} of other products",
        paint.bold(counted(report.loaded.len() as u64, "file")),
        to.display(),
        report.license,
        report.set_aside.len(),
        report.other_products
    )?;
    Ok(out.flush()?)
}

/// Imported files whose rules sleep until the inventory has a list.
fn needs_list(report: &ImportReport) -> impl Iterator<Item = (&str, &model::Diagnostic)> {
    let warnings =
        report.loaded.iter().flat_map(|file| file.warnings.iter().map(|warning| (file.path.as_str(), warning)));
    warnings.filter(|(_, warning)| warning.code == "unknown-placeholder")
}
