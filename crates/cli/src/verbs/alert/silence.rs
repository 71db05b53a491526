//! Silences: added, listed, ended.

use clap::Args;
use comfy_table::Cell;
use content::config::parse_duration;
use model::{Silence, SilenceMatch, Time};
use store::{SilenceError, SilenceRow, Store};

use super::Who;
use crate::clock;
use crate::context::{Context, write_lines};
use crate::status::{Blame, Failure, Outcome, Status};
use crate::table::{number, print_list};

/// Arguments of `alert silence`: every condition that is given must hold.
#[derive(Debug, Args)]
pub struct SilenceArgs {
    /// Findings of this rule, by id.
    #[arg(long)]
    rule: Option<String>,
    /// Findings of this source.
    #[arg(long)]
    source: Option<String>,
    /// Findings about this entity, by its key.
    #[arg(long)]
    entity: Option<String>,
    /// For how long: 30m, 8h, 7d.
    #[arg(long = "for", value_name = "TIME", value_parser = duration_ms)]
    duration_ms: i64,
    /// Why.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    who: Who,
}

fn duration_ms(text: &str) -> Result<i64, String> {
    let duration = parse_duration(text).ok_or("write a duration such as 30m, 8h or 7d")?;
    i64::try_from(duration.as_millis()).map_err(|_| "that is too long".to_owned())
}

/// Adds a silence.
pub fn add(context: &Context, store: &Store, args: SilenceArgs) -> Outcome {
    let now = clock::now();
    let silence = Silence {
        silence_id: String::new(),
        matches: SilenceMatch { rule_id: args.rule, source: args.source, entity: args.entity },
        owner: args.who.name()?,
        reason: args.reason,
        created: now,
        expires: now.plus_millis(args.duration_ms),
    };
    let silence = store.add_silence(silence, now).map_err(blame)?;
    print_list(context, &[silence], &["silence", "takes", "owner", "until", "reason"], row, "")?;
    Ok(Status::Fine)
}

fn row(silence: &Silence) -> Vec<Cell> {
    vec![
        Cell::new(&silence.silence_id),
        Cell::new(conditions(&silence.matches)),
        Cell::new(&silence.owner),
        Cell::new(to_the_second(silence.expires)),
        Cell::new(&silence.reason),
    ]
}

fn conditions(matches: &SilenceMatch) -> String {
    let parts = [("rule", &matches.rule_id), ("source", &matches.source), ("entity", &matches.entity)];
    let given = parts.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", value.as_ref()?)));
    given.collect::<Vec<_>>().join(" and ")
}

fn to_the_second(time: Time) -> String {
    time.to_string().chars().take(19).collect()
}

/// Lists silences.
pub fn list(context: &Context, store: &Store, all: bool) -> Outcome {
    let silences = store.silences(clock::now(), all).environment()?;
    let headers = ["silence", "takes", "owner", "until", "reason", "taken", "ended by"];
    let row = |entry: &SilenceRow| {
        let mut cells = row(&entry.silence);
        cells.push(number(entry.taken));
        cells.push(Cell::new(entry.ended_by.as_deref().unwrap_or_default()));
        cells
    };
    print_list(context, &silences, &headers, row, "no silence is running")?;
    Ok(Status::Fine)
}

/// Ends a silence.
pub fn end(store: &Store, id: &str, who: &str) -> Outcome {
    store.end_silence(id, who, clock::now()).map_err(blame)?;
    write_lines([format!("silence {id} ended")])?;
    Ok(Status::Fine)
}

fn blame(error: SilenceError) -> Failure {
    match error {
        SilenceError::Store(error) => Failure::environment(error),
        refusal => Failure::author(refusal),
    }
}
