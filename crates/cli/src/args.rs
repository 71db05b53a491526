//! The command line, as people write it.

use clap::{Parser, Subcommand};

use crate::globals::Global;
use crate::verbs::{
    alert, check, completions, config, convert, explain, import, inventory, run, said, scan, soc, sources, test,
};

const EXIT: &str = "\
Exit status:
  0  fine
  1  findings, or checks that failed
  2  the author's or the data's error
  3  the configuration's or the environment's error

Settings: flag > environment (WATCHKEEP_…) > file > default; `watchkeep config show` prints them all.

Examples:
  watchkeep run
  watchkeep scan cloudtrail.json.gz
  watchkeep explain s3_weights_read_outside_custody record.json";

/// Watchkeep: security detection and monitoring for AI laboratories.
#[derive(Debug, Parser)]
#[command(name = "watchkeep", version, about, after_help = EXIT, propagate_version = true, max_term_width = 120)]
pub struct Cli {
    /// What holds for every verb.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run the whole platform on this machine: inputs, detection, store, routing, console.
    #[command(after_help = run::EXAMPLES)]
    Run(run::RunArgs),
    /// One pass over files, folders or `-`: findings to standard output, a summary to standard error.
    #[command(after_help = scan::EXAMPLES)]
    Scan(scan::ScanArgs),
    /// Look for mistakes in rules, sources, inventories and tests.
    #[command(after_help = check::EXAMPLES)]
    Check(check::CheckArgs),
    /// Run the tests of rules, from raw records.
    #[command(after_help = test::EXAMPLES)]
    Test(test::TestArgs),
    /// Show every term of a rule against a record: whether it held, and why.
    #[command(after_help = explain::EXAMPLES)]
    Explain(explain::ExplainArgs),
    /// Rules as queries: SQL over the lake, or what sigma-cli makes of them for other systems.
    #[command(after_help = convert::EXAMPLES)]
    Convert(convert::ConvertArgs),
    /// What the lab has, whose it is, and how old that is.
    #[command(after_help = inventory::EXAMPLES)]
    Inventory(inventory::InventoryArgs),
    /// What Watchkeep can read, and whether it arrives.
    #[command(after_help = sources::EXAMPLES)]
    Sources(sources::SourcesArgs),
    /// What was said to models, where this site keeps it: by the digest in a mark, for a reason that is noted.
    #[command(after_help = said::EXAMPLES)]
    Content(said::ContentArgs),
    /// Triage alerts.
    #[command(after_help = alert::EXAMPLES)]
    Alert(alert::AlertArgs),
    /// The hand-off to the SOC: what was sent, what waits, what was given up.
    #[command(after_help = soc::EXAMPLES)]
    Soc(soc::SocArgs),
    /// Take other people's Sigma rules in, with their provenance.
    #[command(after_help = import::EXAMPLES)]
    Import(import::ImportArgs),
    /// The effective configuration.
    #[command(after_help = config::EXAMPLES)]
    Config(config::ConfigArgs),
    /// Completions for a shell.
    #[command(after_help = completions::EXAMPLES)]
    Completions(completions::CompletionsArgs),
}
