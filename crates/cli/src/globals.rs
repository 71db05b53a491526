//! Flags that every verb knows.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Flags of every verb.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Configuration file; `watchkeep.toml` in this folder when there is one.
    #[arg(long, global = true, value_name = "FILE", env = "WATCHKEEP_CONFIG")]
    pub config: Option<PathBuf>,
    /// Folder of the store, journal and lake.
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// How to print; a table only on a terminal unless asked for.
    #[arg(long, global = true, value_name = "FORMAT", env = "WATCHKEEP_FORMAT")]
    pub format: Option<Format>,
    /// No colours (also the environment's NO_COLOR).
    #[arg(long, global = true)]
    pub no_color: bool,
    /// More of the program's own messages; twice for all of them.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// One JSON document.
    Json,
    /// One JSON object a line.
    Ndjson,
    /// One OCSF Detection Finding a line (scan only).
    Ocsf,
    /// An inventory file (proposals of the inventory only).
    Yaml,
}
