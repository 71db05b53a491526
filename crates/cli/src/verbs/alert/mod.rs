//! `watchkeep alert`: triage from a terminal, on the store itself; safe beside a running platform.

mod show;
mod silence;

use clap::{Args, Subcommand};
use comfy_table::Cell;
use model::{Alert, AlertId, AlertState, Lane, Level, Move, Verdict};
use store::{ActError, AlertQuery, AlertSort, Store};

use crate::clock;
use crate::context::{Context, write_json, write_ndjson};
use crate::globals::Format;
use crate::status::{Blame, Failure, Outcome, Status};
use crate::style::level_color;
use crate::table::print_list;

pub const EXAMPLES: &str = "\
Examples:
  watchkeep alert list --level high,critical
  watchkeep alert show 3f2a
  watchkeep alert acknowledge 3f2a
  watchkeep alert close 3f2a --verdict benign_sanctioned --reason 'planned migration'
  watchkeep alert silence --rule 5b7c2e9e-3d0a-4f0c-9c0a-6f2f5d1f7a11 --for 8h --reason 'drill'";

/// Arguments of `alert`.
#[derive(Debug, Args)]
pub struct AlertArgs {
    /// What to do.
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// The queue: gravest first.
    #[command(after_help = "Examples:\n  watchkeep alert list --state open,received --level high,critical")]
    List(ListArgs),
    /// One alert with its findings, evidence, history and deliveries.
    #[command(after_help = "Examples:\n  watchkeep alert show 3f2a --format json")]
    Show {
        /// The alert's id, or its first digits.
        id: String,
    },
    /// Say that you have it.
    #[command(visible_alias = "ack", after_help = "Examples:\n  watchkeep alert acknowledge 3f2a 77b0 --as ana")]
    Acknowledge {
        /// Ids, or their first digits.
        #[arg(required = true)]
        id: Vec<String>,
        /// Why, or what you will do.
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        who: Who,
    },
    /// Give a verdict.
    #[command(
        after_help = "Examples:\n  watchkeep alert close 3f2a --verdict fp_logic --reason 'matches the backup role'"
    )]
    Close {
        /// Ids, or their first digits.
        #[arg(required = true)]
        id: Vec<String>,
        /// What it was.
        #[arg(long, value_parser = verdict)]
        verdict: Verdict,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        who: Who,
    },
    /// Let some findings open no alert for a while; they are kept and counted.
    #[command(
        after_help = "Examples:\n  watchkeep alert silence --entity arn:aws:iam::111122223333:user/ci --for 2h --reason 'load test'"
    )]
    Silence(silence::SilenceArgs),
    /// Running silences.
    #[command(after_help = "Examples:\n  watchkeep alert silences --all")]
    Silences {
        /// Ended ones too.
        #[arg(long)]
        all: bool,
    },
    /// End a silence now.
    #[command(after_help = "Examples:\n  watchkeep alert unsilence 0f3c8a91d2e4")]
    Unsilence {
        /// The silence's id.
        id: String,
        #[command(flatten)]
        who: Who,
    },
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Only in these states; all but closed when nothing is said.
    #[arg(long, value_delimiter = ',', value_parser = state)]
    state: Vec<AlertState>,
    /// Only of these levels.
    #[arg(long, value_delimiter = ',', value_parser = level)]
    level: Vec<Level>,
    /// Only of this source.
    #[arg(long)]
    source: Option<String>,
    /// Only of this rule, by id.
    #[arg(long)]
    rule: Option<String>,
    /// Only of this lane.
    #[arg(long, value_parser = lane)]
    lane: Option<Lane>,
    /// Only with these words in title, reason, entities or ids.
    #[arg(long)]
    text: Option<String>,
    /// In what order.
    #[arg(long, value_enum, default_value = "level")]
    sort: Sort,
    /// How many to pass over.
    #[arg(long, default_value_t = 0)]
    offset: u64,
    /// How many to give.
    #[arg(long, default_value_t = 50)]
    limit: u64,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Sort {
    /// Gravest first.
    Level,
    /// Latest event first.
    LastEvent,
    /// Latest raised first.
    Detected,
    /// Who waits longest.
    Oldest,
}

/// Who acts.
#[derive(Debug, Args)]
pub struct Who {
    /// Who does it; your user name when nothing is said.
    #[arg(long = "as", value_name = "NAME")]
    name: Option<String>,
}

impl Who {
    /// The name given, else the user's.
    pub fn name(&self) -> Result<String, Failure> {
        let of_user = || ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| std::env::var(name).ok());
        let name =
            self.name.clone().or_else(of_user).map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        name.ok_or_else(|| Failure::environment("the environment names no user; say who you are with --as NAME"))
    }
}

/// Runs the verb.
pub fn run(context: &Context, args: AlertArgs) -> Outcome {
    let config = context.config()?;
    let store = context.store(&config)?;
    match args.action {
        Action::List(args) => list(context, &store, args),
        Action::Show { id } => show::show(context, &store, find(&store, &id)?),
        Action::Acknowledge { id, reason, who } => {
            act(context, &store, &id, Move::Acknowledge, &who.name()?, reason.as_deref())
        }
        Action::Close { id, verdict, reason, who } => {
            act(context, &store, &id, Move::Close(verdict), &who.name()?, reason.as_deref())
        }
        Action::Silence(args) => silence::add(context, &store, args),
        Action::Silences { all } => silence::list(context, &store, all),
        Action::Unsilence { id, who } => silence::end(&store, &id, &who.name()?),
    }
}

fn list(context: &Context, store: &Store, args: ListArgs) -> Outcome {
    let unsettled = || AlertState::ALL.into_iter().filter(|state| *state != AlertState::Closed).collect();
    let query = AlertQuery {
        states: if args.state.is_empty() { unsettled() } else { args.state },
        levels: args.level,
        source: args.source,
        rule: args.rule,
        text: args.text,
        lane: args.lane,
        sort: match args.sort {
            Sort::Level => AlertSort::Level,
            Sort::LastEvent => AlertSort::LastEvent,
            Sort::Detected => AlertSort::Detected,
            Sort::Oldest => AlertSort::Oldest,
        },
        offset: args.offset,
        limit: args.limit,
    };
    let page = store.alerts(&query).environment()?;
    let headers = ["alert", "level", "state", "lane", "last event", "n", "title", "reason"];
    print_list(context, &page.alerts, &headers, row, "no alert is like that")?;
    let shown = page.alerts.len() as u64;
    if shown < page.total && context.format_or(Format::Ndjson) == Format::Table {
        eprintln!("{} of {} alerts; --offset and --limit give the others", shown, page.total);
    }
    Ok(Status::Fine)
}

fn row(alert: &Alert) -> Vec<Cell> {
    vec![
        Cell::new(short(&alert.alert_id)),
        Cell::new(alert.level).fg(level_color(alert.level)),
        Cell::new(alert.state),
        Cell::new(alert.lane),
        Cell::new(alert.last_event.to_string().get(..19).unwrap_or_default()),
        Cell::new(alert.findings),
        Cell::new(&alert.title),
        Cell::new(&alert.message),
    ]
}

/// The first digits of an id: enough to name it.
fn short(id: &AlertId) -> String {
    id.to_string().chars().take(8).collect()
}

/// The one alert whose id begins so.
fn find(store: &Store, prefix: &str) -> Result<AlertId, Failure> {
    if prefix.is_empty() || !prefix.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Failure::author(format!("`{prefix}` is no alert id: ids are hexadecimal digits")));
    }
    let ids = store.alert_ids(&prefix.to_ascii_lowercase(), 5).environment()?;
    match ids.as_slice() {
        [id] => Ok(*id),
        [] => Err(Failure::author(format!("no alert has an id that begins with `{prefix}`"))),
        several => {
            let ids: Vec<String> = several.iter().map(ToString::to_string).collect();
            Err(Failure::author(format!("several alerts begin with `{prefix}`: {}", ids.join(", "))))
        }
    }
}

/// Moves every alert that can be moved, and tells of each that cannot.
fn act(context: &Context, store: &Store, prefixes: &[String], step: Move, who: &str, reason: Option<&str>) -> Outcome {
    let mut moved = Vec::new();
    let mut worst = None;
    for prefix in prefixes {
        let result = find(store, prefix).and_then(|id| store.act(id, step, who, reason, clock::now()).map_err(blame));
        match result {
            Ok(alert) => moved.push(alert),
            Err(Failure::Told { status, error }) => {
                eprintln!("{}: {prefix}: {error:#}", context.paint_errors.bad("error"));
                worst = Some(
                    worst.map_or(status, |worst: Status| if status.code() > worst.code() { status } else { worst }),
                );
            }
            Err(other) => return Err(other),
        }
    }
    print_moved(context, &moved)?;
    Ok(worst.unwrap_or(Status::Fine))
}

/// A refusal is the person's error; a store that fails is the environment's.
fn blame(error: ActError) -> Failure {
    match error {
        ActError::Store(error) => Failure::environment(error),
        refusal => Failure::author(refusal),
    }
}

fn print_moved(context: &Context, alerts: &[Alert]) -> Result<(), Failure> {
    match context.format_or(Format::Ndjson) {
        Format::Json => write_json(&alerts),
        Format::Table => {
            let lines = alerts.iter().map(|alert| {
                format!(
                    "{} {}  {}  {}",
                    short(&alert.alert_id),
                    context.paint.level(alert.level, 13),
                    alert.state,
                    alert.title
                )
            });
            crate::context::write_lines(lines)
        }
        _ => write_ndjson(alerts),
    }
}

fn verdict(text: &str) -> Result<Verdict, String> {
    one_of(Verdict::parse(text), Verdict::ALL.map(Verdict::as_str))
}

fn state(text: &str) -> Result<AlertState, String> {
    one_of(AlertState::parse(text), AlertState::ALL.map(AlertState::as_str))
}

fn lane(text: &str) -> Result<Lane, String> {
    one_of(Lane::parse(text), Lane::ALL.map(Lane::as_str))
}

/// Reads a level.
pub fn level(text: &str) -> Result<Level, String> {
    one_of(text.parse().ok(), Level::ALL.map(Level::as_str))
}

fn one_of<T, const N: usize>(value: Option<T>, words: [&str; N]) -> Result<T, String> {
    value.ok_or_else(|| format!("write one of {}", words.join(", ")))
}
