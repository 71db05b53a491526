//! `watchkeep sources`: what Watchkeep can read, and whether it arrives.

use std::io::Write;

use clap::{Args, Subcommand};
use comfy_table::Cell;
use content::Catalogue;
use engine::Source;
use engine::health::{percent, span};
use serde_json::{Value, json};

use crate::context::{Context, stdout, write_json};
use crate::globals::Format;
use crate::status::{Failure, Outcome, Status};
use crate::table::{number, print_list};

mod export;
mod health;

pub use health::contracts;

pub const EXAMPLES: &str = "\
Examples:
  watchkeep sources
  watchkeep sources describe aws_cloudtrail
  watchkeep sources export cloudtrail/ --to ocsf > events.ndjson
  watchkeep sources health";

/// Arguments of `sources`.
#[derive(Debug, Args)]
pub struct SourcesArgs {
    /// What to do; `list` when nothing is said.
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Every source, with how many rules look at it.
    #[command(after_help = "Examples:\n  watchkeep sources list --format json")]
    List,
    /// One source: what it tells, how to switch it on, what it cannot see.
    #[command(after_help = "Examples:\n  watchkeep sources describe aws_cloudtrail")]
    Describe {
        /// The source's id.
        id: String,
    },
    /// Records as events of a published schema, for systems that read that.
    #[command(after_help = export::EXAMPLES)]
    Export(export::ExportArgs),
    /// How each source is: last event, lag, volume against its past, required fields, rejects. Exit status 1 when one is not well.
    #[command(
        after_help = "Examples:\n  watchkeep sources health --data-dir watchkeep-data\n  watchkeep sources health --all --format json"
    )]
    Health {
        /// Sources too that were never heard.
        #[arg(long)]
        all: bool,
    },
}

/// Runs the verb.
pub fn run(context: &Context, args: &SourcesArgs) -> Outcome {
    if let Some(Action::Export(args)) = &args.action {
        return export::run(context, args);
    }
    let config = context.config()?;
    let (catalogue, _) = context.catalogue(&config);
    match &args.action {
        None | Some(Action::List | Action::Export(_)) => list(context, &catalogue),
        Some(Action::Describe { id }) => describe(context, &catalogue, id),
        Some(Action::Health { all }) => health::show(context, &config, &catalogue, *all),
    }
}

/// How many rules look at a source.
fn rules_of(catalogue: &Catalogue, source: &Source) -> usize {
    let looks = |logsource: &engine::sigma::LogSource| source.logsources.iter().any(|own| logsource.applies_to(own));
    catalogue.rules.iter().filter(|entry| looks(&entry.rule.logsource)).count()
}

fn list(context: &Context, catalogue: &Catalogue) -> Outcome {
    let rows: Vec<Value> = catalogue
        .sources
        .iter()
        .map(|source| {
            json!({
                "id": source.id,
                "title": source.title,
                "class": source.ocsf.class_name,
                "rules": rules_of(catalogue, source),
                "silent_after_ms": source.cadence.silent_after_ms,
            })
        })
        .collect();
    let row = |row: &Value| {
        vec![
            text(&row["id"]),
            text(&row["title"]),
            text(&row["class"]),
            number(row["rules"].as_u64().unwrap_or_default()),
            Cell::new(row["silent_after_ms"].as_i64().map_or_else(String::new, span)),
        ]
    };
    print_list(context, &rows, &["id", "title", "ocsf class", "rules", "silent after"], row, "no sources are loaded")?;
    Ok(Status::Fine)
}

fn text(value: &Value) -> Cell {
    Cell::new(value.as_str().unwrap_or_default())
}

fn describe(context: &Context, catalogue: &Catalogue, id: &str) -> Outcome {
    let Some(source) = catalogue.source(id) else {
        let known: Vec<&str> = catalogue.sources.iter().map(|source| source.id.as_str()).collect();
        return Err(Failure::author(format!("there is no source `{id}`; there are: {}", known.join(", "))));
    };
    match context.format_or(Format::Json) {
        Format::Table => describe_text(context, catalogue, source)?,
        _ => write_json(&describe_json(catalogue, source))?,
    }
    Ok(Status::Fine)
}

fn describe_json(catalogue: &Catalogue, source: &Source) -> Value {
    json!({
        "id": source.id,
        "title": source.title,
        "description": source.description,
        "logsources": source.logsources,
        "ocsf": {"class_uid": source.ocsf.class_uid, "class_name": source.ocsf.class_name},
        "columns": source.columns,
        "entities": source.entities,
        "sensitive": source.sensitive,
        "silent_after_ms": source.cadence.silent_after_ms,
        "lag_ms": source.cadence.lag_ms,
        "volume": source.volume.map(|volume| json!({"at_least": volume.at_least, "hours": volume.hours})),
        "required": source.required.fields,
        "required_share": f64::from(source.required.at_least) / 1000.0,
        "enable": source.enable,
        "blind_spots": source.blind_spots,
        "rules": rules_of(catalogue, source),
    })
}

fn describe_text(context: &Context, catalogue: &Catalogue, source: &Source) -> Result<(), Failure> {
    let paint = context.paint;
    let mut out = stdout();
    writeln!(out, "{} {}", paint.bold(&source.title), paint.dim(&source.id))?;
    writeln!(out, "{}\n", source.description.trim())?;
    let class = format!("{} ({})", source.ocsf.class_name, source.ocsf.class_uid);
    writeln!(out, "{:<14} {class}", "OCSF class")?;
    writeln!(out, "{:<14} {}", "rules", rules_of(catalogue, source))?;
    for (name, millis) in [("silent after", source.cadence.silent_after_ms), ("usual lag", source.cadence.lag_ms)] {
        if let Some(millis) = millis {
            writeln!(out, "{name:<14} {}", span(millis))?;
        }
    }
    if let Some(volume) = source.volume {
        writeln!(out, "{:<14} {} in {} h", "at least", volume.at_least, volume.hours)?;
    }
    if !source.required.fields.is_empty() {
        let fields: Vec<String> = source.required.fields.iter().map(|paths| paths.join(" or ")).collect();
        let share = percent(source.required.at_least);
        writeln!(out, "{:<14} {} (in {share} of its records)", "required", fields.join(", "))?;
    }
    if !source.sensitive.is_empty() {
        writeln!(out, "{:<14} {}", "sensitive", source.sensitive.join(", "))?;
    }
    writeln!(out, "\n{}", paint.bold("columns"))?;
    for (column, paths) in &source.columns {
        writeln!(out, "  {column:<32} {}", paths.join(" | "))?;
    }
    writeln!(out, "\n{}", paint.bold("entities"))?;
    for (kind, paths) in &source.entities {
        writeln!(out, "  {:<32} {}", kind.as_str(), paths.join(" | "))?;
    }
    if !source.enable.is_empty() {
        writeln!(out, "\n{}\n{}", paint.bold("how to switch it on"), indent(&source.enable))?;
    }
    if !source.blind_spots.is_empty() {
        writeln!(out, "\n{}", paint.bold("blind spots"))?;
        for spot in &source.blind_spots {
            writeln!(out, "  - {}", spot.trim())?;
        }
    }
    Ok(out.flush()?)
}

fn indent(text: &str) -> String {
    text.trim().lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}
