//! `watchkeep content`: the sensitive values that this site keeps, and who was shown one.

use clap::{Args, Subcommand};
use comfy_table::Cell;
use pipeline::run::kept_content;
use store::{FoundValue, KeptDay};

use super::alert::Who;
use crate::clock;
use crate::context::{Context, write_json, write_lines, write_ndjson};
use crate::globals::Format;
use crate::status::{Blame, Failure, Outcome, Status};
use crate::table::{number, print_list};

pub const EXAMPLES: &str = "\
Examples:
  watchkeep content list
  watchkeep content show 5bdcc146bf60 --reason 'case 2026-114: what was asked of the model'";

/// Digits of a digest that leave no doubt which is meant.
const DIGITS_MIN: usize = 8;

/// Arguments of `content`.
#[derive(Debug, Args)]
pub struct ContentArgs {
    /// What to do.
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// What is kept, by source and day.
    #[command(after_help = "Examples:\n  watchkeep content list --format json")]
    List,
    /// A value. That you were shown it, and why, goes to the audit log.
    #[command(after_help = "Examples:\n  watchkeep content show 5bdcc146bf60 --reason 'case 2026-114' --as ana")]
    Show {
        /// The digest of its mark (`hmac_sha256` in a record), or its first digits.
        digest: String,
        /// Why you need to see it.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        who: Who,
    },
}

pub fn run(context: &Context, args: ContentArgs) -> Outcome {
    let config = context.config()?;
    let kept = kept_content(&config);
    match args.action {
        Action::List => {
            let days = kept.days().environment()?;
            let nothing = "nothing is kept; `[[keep]]` in the configuration says what is";
            print_list(context, &days, &["source", "day", "values", "bytes"], day_row, nothing)?;
            Ok(Status::Fine)
        }
        Action::Show { digest, reason, who } => {
            let is_digest = digest.len() >= DIGITS_MIN && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !is_digest {
                return Err(Failure::author(format!(
                    "`{digest}` is no digest: give at least {DIGITS_MIN} hexadecimal digits"
                )));
            }
            if reason.trim().is_empty() {
                return Err(Failure::author("say with `--reason` why you need to see it"));
            }
            let found = kept.find(&digest).environment()?;
            let [first, ..] = &found[..] else {
                return Err(Failure::author(format!(
                    "no value with the digest `{digest}` is kept: its source may not be, or its time is over"
                )));
            };
            if found.iter().any(|other| other.digest != first.digest) {
                return Err(Failure::author(format!(
                    "several values have digests that start with `{digest}`; give more digits"
                )));
            }
            // First it is noted, then it is shown.
            context
                .store(&config)?
                .note_shown(&first.digest, &who.name()?, reason.trim(), clock::now())
                .environment()?;
            print(context, &found)?;
            Ok(Status::Fine)
        }
    }
}

fn day_row(day: &KeptDay) -> Vec<Cell> {
    vec![Cell::new(&day.source), Cell::new(&day.day), number(day.values), number(day.bytes)]
}

/// A value with the days on which it was received.
fn print(context: &Context, found: &[FoundValue]) -> Result<(), Failure> {
    match context.format_or_text() {
        Format::Json => write_json(&found),
        Format::Ndjson => write_ndjson(found),
        Format::Ocsf | Format::Yaml => {
            Err(Failure::author("that format is for other verbs; use table, json or ndjson here"))
        }
        Format::Table => {
            let text = &found[0].text;
            let said = serde_json::from_str::<String>(text).unwrap_or_else(|_| text.clone());
            // A terminal must not be told by a prompt what to do.
            write_lines(
                said.lines().map(|line| {
                    line.chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect()
                }),
            )
        }
    }
}
