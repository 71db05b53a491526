//! `watchkeep soc`: the hand-off. What was sent, what waits, what was given up, and how to send that again.

use clap::{Args, Subcommand};
use comfy_table::Cell;
use model::Time;
use serde_json::{Value, json};
use store::{OutboxQuery, OutboxRow, OutboxState, Store};

use super::alert::Who;
use crate::clock;
use crate::context::{Context, write_lines};
use crate::status::{Blame, Failure, Outcome, Status};
use crate::table::{counted, number, print_list};

pub const EXAMPLES: &str = "\
Examples:
  watchkeep soc status
  watchkeep soc outbox --state waiting
  watchkeep soc dead
  watchkeep soc replay --all";

/// Arguments of `soc`.
#[derive(Debug, Args)]
pub struct SocArgs {
    /// What to do.
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Each route: delivered, waiting, given up. Exit status 1 when something was given up.
    #[command(after_help = "Examples:\n  watchkeep soc status --format json")]
    Status,
    /// Rows of the outbox, oldest first.
    #[command(after_help = "Examples:\n  watchkeep soc outbox --route splunk --state waiting")]
    Outbox {
        /// Only of this route.
        #[arg(long)]
        route: Option<String>,
        /// Only in this state: waiting, delivered or dead.
        #[arg(long, value_parser = state)]
        state: Option<OutboxState>,
        /// How many.
        #[arg(long, default_value_t = 100)]
        limit: u64,
    },
    /// Rows that were given up and wait for a person. Exit status 1 when there are any.
    #[command(after_help = "Examples:\n  watchkeep soc dead --format ndjson")]
    Dead,
    /// Send given-up rows again, with their old keys.
    #[command(after_help = "Examples:\n  watchkeep soc replay 17 18\n  watchkeep soc replay --all --dry-run")]
    Replay {
        /// Numbers of rows, from `soc dead`.
        #[arg(required_unless_present = "all")]
        id: Vec<i64>,
        /// All of them.
        #[arg(long, conflicts_with = "id")]
        all: bool,
        /// Only say what would be sent.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        who: Who,
    },
}

fn state(text: &str) -> Result<OutboxState, String> {
    OutboxState::parse(text).ok_or_else(|| "write one of waiting, delivered, dead".to_owned())
}

/// Runs the verb.
pub fn run(context: &Context, args: SocArgs) -> Outcome {
    let config = context.config()?;
    let store = context.store(&config)?;
    match args.action {
        Action::Status => status(context, &store),
        Action::Outbox { route, state, limit } => {
            let query = OutboxQuery { route, state, alert_id: None, offset: 0, limit };
            print_rows(context, &store.outbox(&query).environment()?, "the outbox has no such row")?;
            Ok(Status::Fine)
        }
        Action::Dead => {
            let rows = store.dead_letters().environment()?;
            print_rows(context, &rows, "nothing was given up")?;
            Ok(if rows.is_empty() { Status::Fine } else { Status::Findings })
        }
        Action::Replay { id, all, dry_run, who } => {
            let rows = store.dead_letters().environment()?;
            let wanted = if all { rows.iter().map(|row| row.id).collect() } else { id };
            replay(context, &store, &rows, &wanted, dry_run, &who.name()?)
        }
    }
}

fn status(context: &Context, store: &Store) -> Outcome {
    let stats = store.stats(clock::now()).environment()?;
    let rows: Vec<Value> = stats
        .routes
        .iter()
        .map(|(route, counts)| {
            json!({
                "route": route,
                "queued": counts.queued,
                "delivered": counts.delivered,
                "waiting": counts.waiting,
                "dead": counts.dead,
                "oldest_waiting": counts.oldest_waiting,
            })
        })
        .collect();
    let count = |row: &Value, key: &str| number(row[key].as_u64().unwrap_or_default());
    let row = |row: &Value| {
        vec![
            Cell::new(row["route"].as_str().unwrap_or_default()),
            count(row, "queued"),
            count(row, "delivered"),
            count(row, "waiting"),
            count(row, "dead"),
            Cell::new(row["oldest_waiting"].as_str().unwrap_or_default()),
        ]
    };
    let headers = ["route", "queued", "delivered", "waiting", "given up", "oldest waiting"];
    print_list(context, &rows, &headers, row, "no route has sent anything yet")?;
    let dead: u64 = stats.routes.values().map(|counts| counts.dead).sum();
    Ok(if dead > 0 { Status::Findings } else { Status::Fine })
}

fn print_rows(context: &Context, rows: &[OutboxRow], empty: &str) -> Result<(), Failure> {
    let wire: Vec<Value> = rows.iter().map(wire).collect();
    let headers = ["row", "route", "alert", "kind", "state", "attempts", "next", "error"];
    let text = |value: &Value| Cell::new(value.as_str().unwrap_or_default());
    let row = |row: &Value| {
        vec![
            Cell::new(row["id"].as_i64().unwrap_or_default()),
            text(&row["route"]),
            Cell::new(row["alert_id"].as_str().and_then(|id| id.get(..8)).unwrap_or_default()),
            text(&row["kind"]),
            text(&row["state"]),
            number(row["attempts"].as_u64().unwrap_or_default()),
            text(&row["next"]),
            text(&row["error"]),
        ]
    };
    print_list(context, &wire, &headers, row, empty)
}

fn wire(row: &OutboxRow) -> Value {
    let waiting = row.state == OutboxState::Waiting;
    json!({
        "id": row.id,
        "route": row.route,
        "alert_id": row.alert_id,
        "seq": row.seq,
        "key": row.key,
        "kind": row.kind,
        "state": row.state.as_str(),
        "attempts": row.attempts,
        "created": row.created,
        "next": waiting.then_some(row.next),
        "settled": row.settled,
        "error": row.error,
        "receipt": row.receipt,
        "confirmed": row.confirmed,
    })
}

fn replay(context: &Context, store: &Store, dead: &[OutboxRow], wanted: &[i64], dry_run: bool, who: &str) -> Outcome {
    let unknown: Vec<String> =
        wanted.iter().filter(|id| !dead.iter().any(|row| row.id == **id)).map(ToString::to_string).collect();
    if !unknown.is_empty() {
        return Err(Failure::author(format!("no given-up row has the number {}", unknown.join(", "))));
    }
    let now: Time = clock::now();
    for id in wanted.iter().filter(|_| !dry_run) {
        store.replay_dead(*id, who, now).environment()?;
    }
    let verb = if dry_run { "would be sent again" } else { "to be sent again" };
    let line = format!("{} {verb}", context.paint.bold(counted(wanted.len() as u64, "row")));
    write_lines([line])?;
    Ok(Status::Fine)
}
