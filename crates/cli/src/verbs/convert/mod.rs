//! `watchkeep convert`: rules as queries, over the lake or for other people's systems.

mod choose;
mod sigma_cli;

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use content::config::Config;
use content::{Catalogue, CatalogueRule};
use engine::sigma::sql::{self, Dialect};
use model::Diagnostic;
use serde::Serialize;

use super::check::{load, refuse_missing};
use crate::context::{Context, stdout, write_json, write_ndjson};
use crate::globals::Format;
use crate::status::{Failure, Outcome, Status};
use crate::table::counted;

pub const EXAMPLES: &str = "\
Examples:
  watchkeep convert s3_weights_read_outside_custody
  watchkeep convert \"AWS Root Credentials\" rules/ --to duckdb --setup > hunt.sql && duckdb < hunt.sql
  watchkeep convert site/packs/weights --format json
  watchkeep convert my_rule.yml --to splunk --pipeline splunk_cim

Targets: duckdb and datafusion over the lake's columns, with the meaning of the rules as they run; any other one is asked of
sigma-cli, which must be installed (`pip install sigma-cli`, `sigma plugin install splunk`).";

/// Arguments of `convert`.
#[derive(Debug, Args)]
pub struct ConvertArgs {
    /// Rules: ids, titles, names, names of files without `.yml`, or files and folders.
    #[arg(required = true)]
    rule: Vec<String>,
    /// What to convert to: duckdb, datafusion, or a target of sigma-cli.
    #[arg(long, value_name = "TARGET", default_value = "duckdb")]
    to: String,
    /// A processing pipeline for sigma-cli; may stand several times.
    #[arg(long, value_name = "PIPELINE")]
    pipeline: Vec<String>,
    /// First what the queries need: the functions, and `events` as a view of this data folder's lake (duckdb).
    #[arg(long)]
    setup: bool,
    /// Further files or folders of rules.
    #[arg(long, value_name = "DIR")]
    rules: Vec<PathBuf>,
}

/// A rule as a query.
#[derive(Debug, Serialize)]
struct Converted {
    rule: String,
    title: String,
    level: String,
    file: String,
    target: String,
    /// The sources that the query looks at; none where sigma-cli made it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sources: Vec<String>,
    query: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Diagnostic>,
}

/// Converts rules.
pub fn run(context: &Context, args: &ConvertArgs) -> Outcome {
    refuse_missing(&args.rules)?;
    let dialect = [Dialect::DuckDb, Dialect::DataFusion].into_iter().find(|dialect| dialect.as_str() == args.to);
    refuse_flags(args, dialect)?;
    let config = context.config()?;
    let paths = choose::paths(&args.rule);
    let more: Vec<PathBuf> = paths.iter().chain(&args.rules).cloned().collect();
    let roots = context.roots(&config, true, &more);
    let first = roots.len() - more.len();
    let (catalogue, told) = load(&roots);
    let chosen = choose::choose(&catalogue, &told, &args.rule, first);
    context.tell(&chosen.told)?;
    for missing in &chosen.missing {
        writeln!(std::io::stderr(), "{}: {missing}", context.paint_errors.bad("error"))?;
    }
    let mut refused = chosen.told.len() + chosen.missing.len();
    let mut converted = Vec::new();
    let tool =
        if dialect.is_none() && !chosen.rules.is_empty() { Some(sigma_cli::Tool::find(&args.to)?) } else { None };
    for entry in &chosen.rules {
        let outcome = match (dialect, &tool) {
            _ if is_over_time(&catalogue, entry) => Err(vec![over_time(entry)]),
            (Some(dialect), _) => query(&catalogue, entry, dialect),
            (None, Some(tool)) => tool.convert(entry, &args.pipeline)?.map(|query| plain(entry, &args.to, query)),
            (None, None) => unreachable!("a target that is no dialect of ours is asked of the tool"),
        };
        match outcome {
            Ok(one) => {
                context.tell(&one.warnings)?;
                converted.push(one);
            }
            Err(errors) => {
                context.tell(&errors)?;
                refused += 1;
            }
        }
    }
    print(context, &config, dialect, args.setup, &converted)?;
    if refused > 0 {
        let of = counted(converted.len() as u64 + refused as u64, "rule");
        writeln!(std::io::stderr(), "{} of {of} converted", converted.len())?;
    }
    Ok(if refused > 0 { Status::Author } else { Status::Fine })
}

fn refuse_flags(args: &ConvertArgs, dialect: Option<Dialect>) -> Result<(), Failure> {
    if dialect.is_some() && !args.pipeline.is_empty() {
        return Err(Failure::author(format!("--pipeline is for targets of sigma-cli, and `{}` is ours", args.to)));
    }
    if args.setup && dialect != Some(Dialect::DuckDb) {
        return Err(Failure::author("--setup is for duckdb: elsewhere the host registers the functions"));
    }
    Ok(())
}

fn plain(entry: &CatalogueRule, target: &str, query: String) -> Converted {
    Converted {
        rule: entry.rule.id.to_string(),
        title: entry.rule.title.clone(),
        level: entry.rule.level.to_string(),
        file: entry.file.clone(),
        target: target.to_owned(),
        sources: Vec::new(),
        query,
        warnings: Vec::new(),
    }
}

/// Is the rule judged over time, so that one event is no finding?
fn is_over_time(catalogue: &Catalogue, entry: &CatalogueRule) -> bool {
    catalogue.correlations.iter().any(|other| other.voice_of.as_ref() == Some(&entry.rule.id))
}

fn over_time(entry: &CatalogueRule) -> Diagnostic {
    let message = format!(
        "`{}` is not converted: it is judged over time (`watchkeep.stateful`), and a query would find each of its events",
        entry.rule.title
    );
    let remedy = "convert a rule without `stateful`, and let this one refer to it";
    Diagnostic::error(entry.rule.line, 0, "stateful", message, remedy).in_file(entry.file.clone())
}

fn query(catalogue: &Catalogue, entry: &CatalogueRule, dialect: Dialect) -> Result<Converted, Vec<Diagnostic>> {
    let query = sql::convert(&entry.rule, &catalogue.filters, &catalogue.inventory, &catalogue.sources, dialect)?;
    Ok(Converted {
        sources: query.sources.iter().map(ToString::to_string).collect(),
        warnings: query.warnings,
        ..plain(entry, dialect.as_str(), query.sql)
    })
}

fn print(
    context: &Context,
    config: &Config,
    dialect: Option<Dialect>,
    setup: bool,
    converted: &[Converted],
) -> Result<(), Failure> {
    match context.format_or_text() {
        Format::Json => write_json(&converted),
        Format::Ndjson => write_ndjson(converted),
        Format::Ocsf | Format::Yaml => {
            Err(Failure::author("that format is for other verbs; use table, json or ndjson here"))
        }
        Format::Table => {
            let mut out = stdout();
            if let Some(setup) = dialect.filter(|_| setup).and_then(sql::setup) {
                let lake = std::path::absolute(&config.data_dir)?.join("lake/events/*/*/*.parquet");
                let files = lake.to_string_lossy().replace('\'', "''");
                write!(out, "{setup}\n-- The lake. The column says the source; so does the folder.\n")?;
                writeln!(
                    out,
                    "CREATE OR REPLACE TEMP VIEW events AS\n    SELECT * FROM read_parquet('{files}', hive_partitioning = false);\n"
                )?;
            }
            for (at, one) in converted.iter().enumerate() {
                writeln!(out, "{}{}", if at > 0 { "\n" } else { "" }, text(one, dialect))?;
            }
            Ok(out.flush()?)
        }
    }
}

/// A statement behind its rule's name; what others made goes out as it is.
fn text(one: &Converted, dialect: Option<Dialect>) -> String {
    if dialect.is_none() {
        return one.query.clone();
    }
    let line = |text: &str| text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    format!("-- {}\n-- {}, {}\n{};", line(&one.title), line(&one.rule), one.level, one.query)
}
