//! `watchkeep config`: the effective configuration.

use std::io::Write;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::context::{Context, stdout, write_json};
use crate::globals::Format;
use crate::status::{Failure, Outcome, Status};

pub const EXAMPLES: &str = "\
Examples:
  watchkeep config show
  watchkeep config show > watchkeep.toml
  WATCHKEEP_CONSOLE_LISTEN=127.0.0.1:9000 watchkeep config show";

/// Arguments of `config`.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// What to do.
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print every effective value as TOML, with where it came from.
    #[command(after_help = EXAMPLES)]
    Show,
}

/// Prints the configuration.
pub fn run(context: &Context, args: &ConfigArgs) -> Outcome {
    let Action::Show = args.action;
    let config = context.config()?;
    match context.format_or_text() {
        Format::Table => {
            let mut out = stdout();
            match context.config_file() {
                Some(file) => writeln!(out, "# file: {}", file.display())?,
                None => writeln!(out, "# no file: the defaults")?,
            }
            out.write_all(config.to_toml().as_bytes())?;
            out.flush()?;
        }
        Format::Json | Format::Ndjson => {
            let values: toml::Table = config.to_toml().parse().map_err(Failure::environment)?;
            let origins: serde_json::Map<String, serde_json::Value> =
                config.origins.iter().map(|(path, origin)| (path.clone(), origin.to_string().into())).collect();
            write_json(&json!({ "config": values, "origins": origins }))?;
        }
        Format::Ocsf | Format::Yaml => {
            return Err(Failure::author("that format is for other verbs; use table or json here"));
        }
    }
    Ok(Status::Fine)
}
