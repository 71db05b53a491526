//! Measures Watchkeep: its speed and memory (`bench`), and what its rules find in labelled telemetry (`eval`).
//!
//! Started by `cargo xtask bench` and `cargo xtask eval`, in release mode.

#![allow(clippy::print_stdout)]

mod bench;
mod data;
mod eval;
mod page;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand, ValueEnum};

/// The allocator of the platform itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(name = "measure", about = "Measures speed, memory and detection")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Speed and memory, beside a bare JSON parse of the same bytes
    Bench {
        /// One of: scan, start, memory, http, console, engine; all when absent
        name: Option<String>,
        /// Parts of a measurement that has some, such as `cloudtrail`; each when absent
        parts: Vec<String>,
        /// A short run for development: fewer events and rounds
        #[arg(long)]
        quick: bool,
        /// Write the table to docs/benchmarks.md
        #[arg(long)]
        write: bool,
    },
    /// What the rules find in the labelled sets
    Eval {
        /// The folder that holds `labelled/`
        #[arg(long)]
        data: Option<PathBuf>,
        /// Write the tables to docs/evaluation.md
        #[arg(long)]
        write: bool,
    },
    /// One piece of a measurement, in a process of its own
    #[command(hide = true)]
    Child { work: Work, folder: PathBuf, events: Option<PathBuf> },
}

/// What a child does.
#[derive(Clone, Copy, ValueEnum)]
enum Work {
    /// Loads the rules of a folder.
    Load,
    /// Evaluates the events of a file.
    Core,
}

fn child(work: Work, folder: &Path, events: Option<&Path>) -> anyhow::Result<()> {
    match work {
        Work::Load => bench::engine::load::load(folder),
        Work::Core => bench::engine::instructions::core(folder, events.context("`core` needs a file of events")?),
    }
}

fn main() -> ExitCode {
    let done = match Arguments::parse().verb {
        Verb::Bench { name, parts, quick, write } => {
            bench::bench(name.as_deref(), &bench::Scope { parts, quick, write })
        }
        Verb::Child { work, folder, events } => child(work, &folder, events.as_deref()).map(|()| true),
        Verb::Eval { data, write } => eval::eval(data, write),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("measure: {error:#}");
            ExitCode::from(3)
        }
    }
}
