//! What telemetry showed and the inventory does not know: as the store has it, or as some files show it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use comfy_table::Cell;
use content::config::Config;
use content::inventory::{Proposed, proposed_yaml};
use engine::context::{AssetKind, Context as Knowledge, Discovered};
use model::Lane;
use pipeline::scan::{ScanOptions, scan};
use serde_json::{Value, json};
use store::Proposals;

use crate::clock;
use crate::context::{Context, write_lines};
use crate::globals::Format;
use crate::progress;
use crate::status::{Blame, Failure, Outcome, Status};
use crate::table::{group, number, print_list};
use crate::verbs::alert::Who;
use crate::verbs::check::engine_limits;
use crate::verbs::scan as scanning;

/// Arguments of `inventory proposals`.
#[derive(Debug, Args)]
pub struct ProposalsArgs {
    #[command(subcommand)]
    action: Option<Action>,
    /// What was dismissed too.
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Say that a thing does not belong into the inventory; that goes to the audit log, with the reason.
    #[command(
        after_help = "Examples:\n  watchkeep inventory proposals dismiss bucket vendor-logs --reason \"the vendor's\""
    )]
    Dismiss {
        /// The kind of thing.
        #[arg(value_parser = kind)]
        kind: AssetKind,
        /// Its name, as telemetry shows it.
        #[arg(value_name = "NAME")]
        thing: String,
        /// Why it does not belong there.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        who: Who,
    },
}

/// Arguments of `inventory discover`.
#[derive(Debug, Args)]
pub struct DiscoverArgs {
    /// Files, folders, or `-` for standard input; as `watchkeep scan` takes them.
    #[arg(required = true)]
    path: Vec<PathBuf>,
    /// The source of every record; `auto` recognises each.
    #[arg(long, value_name = "ID", default_value = "auto")]
    source: String,
}

fn kind(word: &str) -> Result<AssetKind, String> {
    AssetKind::parse(word).ok_or_else(|| {
        let words: Vec<&str> = AssetKind::all().map(AssetKind::as_str).collect();
        format!("write one of {}", words.join(", "))
    })
}

/// `inventory proposals`.
pub fn run(context: &Context, config: &Config, knowledge: &Knowledge, args: &ProposalsArgs) -> Outcome {
    let store = context.store(config)?;
    if let Some(Action::Dismiss { kind, thing, reason, who }) = &args.action {
        return match store.dismiss_proposal(*kind, thing, (&who.name()?, reason), clock::now()) {
            Ok(()) => Ok(Status::Fine),
            Err(store::ProposalError::Store(error)) => Err(error).environment(),
            Err(refused) => Err(Failure::author(refused)),
        };
    }
    let Proposals { rows, left_out } = store.proposals(args.all).environment()?;
    // What the inventory has come to know since the platform started.
    let is_known =
        |kind: &str, name: &str| AssetKind::parse(kind).is_some_and(|kind| knowledge.knows_thing(kind, name));
    let rows: Vec<Value> = rows.iter().filter(|row| !is_known(row.kind, &row.name)).map(|row| json!(row)).collect();
    print(context, &rows, left_out)
}

/// `inventory discover`: what some files show.
pub fn discover(context: &Context, config: &Config, catalogue: &content::Catalogue, args: &DiscoverArgs) -> Outcome {
    let inputs = scanning::inputs(&args.path)?;
    // No rule is asked: only sources and the inventory count.
    let (engine, _) = catalogue.with_rules(|_| false).compile(engine_limits(config));
    let options = ScanOptions {
        source: crate::verbs::explain::known_source(&engine, Some(&args.source))?,
        threads: scanning::threads(config.threads),
        lane: Lane::Live,
        ..ScanOptions::at(clock::now())
    };
    let bar = progress::bytes(scanning::total_bytes(&inputs));
    let mut sink = |_: &std::path::Path, _: u64, _: model::Finding| std::ops::ControlFlow::Continue(());
    let scanned = scan(&inputs, &engine, &options, &mut sink, &|progress| bar.set_position(progress.bytes));
    bar.finish_and_clear();
    let report = scanned.map_err(Failure::author)?;
    let mut text = String::new();
    scanning::rejects(&report, context.paint_errors, &mut text);
    scanning::unread(&report, context.paint_errors, &mut text);
    eprint!("{text}");
    let Discovered { things, left_out } = &report.discovered;
    let rows: Vec<Value> = things
        .iter()
        .map(|((kind, name), seen)| {
            json!({
                "kind": kind.as_str(), "name": name, "first": seen.first, "last": seen.last, "count": seen.count,
                "sources": seen.sources, "example": seen.example,
            })
        })
        .collect();
    print(context, &rows, *left_out)?;
    Ok(if report.is_whole() { Status::Fine } else { Status::Author })
}

fn print(context: &Context, rows: &[Value], left_out: u64) -> Outcome {
    if left_out > 0 {
        let paint = context.paint_errors;
        eprintln!(
            "{} {} sightings of further things: there was no room for them. Put what is known into the inventory first",
            paint.warn("left out"),
            group(left_out)
        );
    }
    if context.global.format == Some(Format::Yaml) {
        let proposed: Vec<Proposed> =
            rows.iter().filter(|row| row["dismissed"].is_null()).filter_map(proposed).collect();
        write_lines(proposed_yaml(&proposed).lines().map(str::to_owned))?;
        return Ok(Status::Fine);
    }
    let nothing = "nothing is proposed: what was seen of the kinds that the inventory keeps, it knows";
    print_list(context, rows, &["kind", "name", "events", "first", "latest", "sources", ""], cells, nothing)?;
    Ok(Status::Fine)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn sources(row: &Value) -> String {
    row["sources"].as_array().into_iter().flatten().map(text).collect::<Vec<_>>().join(", ")
}

/// A time to the minute.
fn minute(value: &Value) -> String {
    text(value).chars().take(16).map(|c| if c == 'T' { ' ' } else { c }).collect()
}

fn cells(row: &Value) -> Vec<Cell> {
    let fate = if row["dismissed"].is_null() {
        String::new()
    } else {
        format!("dismissed by {}: {}", text(&row["dismissed_by"]), text(&row["reason"]))
    };
    vec![
        Cell::new(text(&row["kind"])),
        Cell::new(text(&row["name"])),
        number(row["count"].as_u64().unwrap_or_default()),
        Cell::new(minute(&row["first"])),
        Cell::new(minute(&row["last"])),
        Cell::new(sources(row)),
        Cell::new(fate),
    ]
}

fn proposed(row: &Value) -> Option<Proposed> {
    let (from, to) = (minute(&row["first"]), minute(&row["last"]));
    let seen =
        format!("{} events, {from} to {to}, {}; for example {}", row["count"], sources(row), text(&row["example"]));
    Some(Proposed { kind: AssetKind::parse(text(&row["kind"]))?, name: text(&row["name"]).to_owned(), seen })
}
