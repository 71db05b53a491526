//! `watchkeep inventory`: what the lab has, whose it is, and how old that is.

mod proposals;

use std::io::Write;

use clap::{Args, Subcommand};
use comfy_table::Cell;
use content::Catalogue;
use content::inventory::{Aged, ages, lint_ages};
use engine::context::Context as Knowledge;
use model::{Diagnostic, Entity, EntityKind, Time};
use serde_json::{Value, json};

use crate::clock;
use crate::context::{Context, stdout, write_json};
use crate::globals::Format;
use crate::status::{Failure, Outcome, Status};
use crate::table::{number, print_list};

pub const EXAMPLES: &str = "\
Examples:
  watchkeep inventory
  watchkeep inventory show custody_buckets
  watchkeep inventory show lab-weights --at 2026-11-20T09:00:00Z
  watchkeep inventory stale --format json
  watchkeep inventory proposals --format yaml > site/inventory/new.yml
  watchkeep inventory discover cloudtrail/";

/// Arguments of `inventory`.
#[derive(Debug, Args)]
pub struct InventoryArgs {
    /// What to do; `list` when nothing is said.
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Every list, thing and change, with owner and age.
    #[command(after_help = "Examples:\n  watchkeep inventory list --format json")]
    List,
    /// A list, a thing, or what is known of a name as telemetry shows it.
    #[command(
        after_help = "Examples:\n  watchkeep inventory show custody_buckets\n  watchkeep inventory show arn:aws:iam::111122223333:role/serve-irsa"
    )]
    Show {
        /// The name of a list, the id of a thing or change, or a name as telemetry shows it.
        name: String,
        /// As of this time (RFC 3339); now when nothing is said.
        #[arg(long)]
        at: Option<Time>,
    },
    /// What nobody owns or has reviewed, what was reviewed too long ago, and what has ended. Exit status 1 when there is any.
    #[command(after_help = "Examples:\n  watchkeep inventory stale\n  watchkeep inventory stale --format json")]
    Stale,
    /// What telemetry showed, of kinds that the inventory keeps, and it does not know: counted by `run`, never taken in by itself.
    #[command(
        after_help = "Examples:\n  watchkeep inventory proposals\n  watchkeep inventory proposals --format yaml > site/inventory/new.yml"
    )]
    Proposals(proposals::ProposalsArgs),
    /// What some files show, of kinds that the inventory keeps, and it does not know.
    #[command(after_help = "Examples:\n  watchkeep inventory discover cloudtrail/ --format yaml")]
    Discover(proposals::DiscoverArgs),
}

/// Runs the verb.
pub fn run(context: &Context, args: &InventoryArgs) -> Outcome {
    let config = context.config()?;
    let (catalogue, diagnostics) = context.catalogue(&config);
    let wrong: Vec<Diagnostic> = diagnostics.into_iter().filter(|one| one.is_error()).collect();
    context.tell(&wrong)?;
    match &args.action {
        None | Some(Action::List) => list(context, &catalogue),
        Some(Action::Show { name, at }) => show(context, &catalogue, name, at.unwrap_or_else(clock::now)),
        Some(Action::Stale) => stale(context, &catalogue),
        Some(Action::Proposals(args)) => {
            let knowledge = Knowledge::new(catalogue.things.clone(), &catalogue.inventory);
            proposals::run(context, &config, &knowledge, args)
        }
        Some(Action::Discover(args)) => proposals::discover(context, &config, &catalogue, args),
    }
}

fn day(time: Option<Time>) -> Value {
    time.map_or(Value::Null, |time| time.to_string().chars().take(10).collect::<String>().into())
}

/// How old the review is, in words.
fn age(aged: &Aged<'_>, now: Time) -> String {
    match aged.kept.age_ms(now) {
        None if aged.what == "change" => String::new(),
        None => "never reviewed".to_owned(),
        Some(_) if aged.kept.is_stale(now) => format!("stale, {} d", aged.kept.age_ms(now).unwrap_or(0) / 86_400_000),
        Some(age) => format!("{} d", age / 86_400_000),
    }
}

fn list(context: &Context, catalogue: &Catalogue) -> Outcome {
    let now = clock::now();
    let row = |aged: &Aged<'_>| {
        let values = match aged.what {
            "list" => catalogue.inventory.get(aged.name).map_or(0, <[String]>::len),
            what => {
                let of = |asset: &&engine::context::Asset| asset.kind.as_str() == what && asset.id == aged.name;
                catalogue.things.assets.iter().find(of).map_or(0, |asset| asset.names.len())
            }
        };
        json!({
            "what": aged.what,
            "name": aged.name,
            "values": values,
            "owner": aged.kept.owner,
            "reviewed": day(aged.kept.reviewed),
            "age": age(aged, now),
            "until": aged.until,
            "file": aged.kept.file,
            "line": aged.kept.line,
        })
    };
    let rows: Vec<Value> = ages(catalogue).iter().map(row).collect();
    let cells = |row: &Value| {
        let text = |key: &str| Cell::new(row[key].as_str().unwrap_or_default());
        vec![
            text("what"),
            text("name"),
            number(row["values"].as_u64().unwrap_or_default()),
            text("owner"),
            text("age"),
            text("until"),
        ]
    };
    print_list(
        context,
        &rows,
        &["what", "name", "values", "owner", "review", "until"],
        cells,
        "the inventory is empty",
    )?;
    Ok(Status::Fine)
}

fn stale(context: &Context, catalogue: &Catalogue) -> Outcome {
    let mut found = lint_ages(catalogue, clock::now());
    found.extend(content::ownerless(catalogue));
    found.sort();
    let cells = |wrong: &Diagnostic| {
        let place = format!("{}:{}", wrong.file, wrong.line);
        vec![Cell::new(&wrong.code), Cell::new(&wrong.message), Cell::new(place), Cell::new(&wrong.remedy)]
    };
    print_list(context, &found, &["what", "message", "place", "remedy"], cells, "nothing is stale")?;
    Ok(if found.is_empty() { Status::Fine } else { Status::Findings })
}

/// What is known of an entity of any kind with this key.
fn known(catalogue: &Catalogue, name: &str, at: Time) -> Vec<model::Enrichment> {
    let knowledge = Knowledge::new(catalogue.things.clone(), &catalogue.inventory);
    let kinds = EntityKind::ALL.into_iter().map(|kind| Entity { kind, key: name.to_owned() });
    let mut known: Vec<model::Enrichment> = kinds.filter_map(|entity| knowledge.of(&entity, at)).collect();
    known.retain(|one| one.known);
    // A list may be of any kind of entity: where a thing is known, it alone is told.
    let is_thing = |one: &model::Enrichment| one.facts.first().is_some_and(|fact| fact.name != "list");
    if known.iter().any(is_thing) {
        known.retain(is_thing);
    }
    // A thing that may be several kinds of entity is told once.
    known.dedup_by(|later, earlier| later.facts == earlier.facts);
    known
}

fn show(context: &Context, catalogue: &Catalogue, name: &str, at: Time) -> Outcome {
    let entries: Vec<Aged<'_>> = ages(catalogue).into_iter().filter(|aged| aged.name == name).collect();
    let list = catalogue.inventory.get(name);
    let mut names = vec![name.to_owned()];
    let assets = catalogue.things.assets.iter().filter(|asset| asset.id == name);
    names.extend(assets.flat_map(|asset| asset.names.clone()));
    names.sort();
    names.dedup();
    let mut facts: Vec<model::Enrichment> = names.iter().flat_map(|name| known(catalogue, name, at)).collect();
    facts.dedup_by(|later, earlier| later.facts == earlier.facts);
    if entries.is_empty() && facts.is_empty() {
        return Err(Failure::author(format!(
            "the inventory knows no `{name}`; `watchkeep inventory` has what it knows"
        )));
    }
    let values = list.map(|values| {
        let value = |value: &String| json!({"value": value, "until": catalogue.inventory.end_of(name, value)});
        values.iter().map(value).collect::<Vec<Value>>()
    });
    let entry = |aged: &Aged<'_>| {
        json!({
            "what": aged.what, "name": aged.name, "owner": aged.kept.owner, "reviewed": day(aged.kept.reviewed),
            "age": age(aged, at), "until": aged.until, "file": aged.kept.file, "line": aged.kept.line,
        })
    };
    let shown = json!({"entries": entries.iter().map(entry).collect::<Vec<Value>>(), "values": values, "known": facts});
    match context.format_or(Format::Json) {
        Format::Table => show_text(context, &shown, &facts)?,
        _ => write_json(&shown)?,
    }
    Ok(Status::Fine)
}

fn show_text(context: &Context, shown: &Value, facts: &[model::Enrichment]) -> Result<(), Failure> {
    let paint = context.paint;
    let mut out = stdout();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for entry in shown["entries"].as_array().into_iter().flatten() {
        writeln!(out, "{} {}", paint.bold(text(&entry["name"])), paint.dim(text(&entry["what"])))?;
        for key in ["owner", "reviewed", "age", "until"] {
            if !text(&entry[key]).is_empty() {
                writeln!(out, "  {key:<12} {}", text(&entry[key]))?;
            }
        }
        writeln!(out, "  {:<12} {}:{}", "written in", text(&entry["file"]), entry["line"])?;
    }
    for value in shown["values"].as_array().into_iter().flatten() {
        let until = text(&value["until"]);
        let until = if until.is_empty() { until } else { format!("  until {until}") };
        writeln!(out, "  - {}{until}", text(&value["value"]))?;
    }
    for one in facts {
        writeln!(out, "{} {}", paint.dim(one.entity.kind), one.entity.key)?;
        writeln!(out, "  {}", one.summary())?;
    }
    Ok(out.flush()?)
}
