//! The automation of Watchkeep: `cargo xtask check` is what continuous integration runs.
//!
//! Each subcommand is a list of [`step::Step`]s. A step prints its name, its time and its result; the last line of
//! every run is `N passed, N failed`, counting single tests where a step runs tests.

#![allow(clippy::print_stdout)]

mod check;
mod conformance;
mod deny;
mod fuzz;
mod measure;
mod place;
mod prove;
mod rival;
mod setup;
mod step;
mod tally;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "xtask", about = "Checks, measures and sets up Watchkeep")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Everything that must hold before a change is merged
    Check {
        /// First install what the checks need (chromium, npm and Python packages, cargo-deny)
        #[arg(long)]
        setup: bool,
        /// Only the steps whose name contains this
        #[arg(long)]
        only: Option<String>,
    },
    /// Format, build and run the tests alone
    Test {
        /// First install what the tests need
        #[arg(long)]
        setup: bool,
    },
    /// Measure speed and memory against a bare JSON parse, in release mode
    Bench {
        /// One of: scan, start, memory, http, console, engine; all when absent
        name: Option<String>,
        /// Parts of a measurement that has some, such as `engine cloudtrail`; each when absent
        parts: Vec<String>,
        /// A short run for development: fewer events and rounds
        #[arg(long)]
        quick: bool,
        /// Write the table to docs/benchmarks.md
        #[arg(long)]
        write: bool,
    },
    /// Score the rules on the labelled sets
    Eval {
        /// The folder that holds `labelled/`; default: `WATCHKEEP_DATA`, then `../shared/data`
        #[arg(long)]
        data: Option<std::path::PathBuf>,
        /// Write the tables to docs/evaluation.md
        #[arg(long)]
        write: bool,
    },
    /// The shape of the repository: floors, purity, lengths, words, content folders, links
    Tidy,
    /// Fuzz one target, or each for a while
    Fuzz {
        /// The target; every target when absent
        target: Option<String>,
        /// Seconds for each target
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// Licences, sources and duplicates of dependencies
    Deny,
    /// Kill the running platform at random points and count what it keeps
    Crash {
        /// How many times
        #[arg(long, default_value_t = 200)]
        points: u32,
    },
    /// Meet independent clients and servers
    Interop,
    /// Ask a Sigma engine, ours or another, every question of conformance/sigma
    Conformance(conformance::Arguments),
    /// Install what the checks need
    Setup,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match dispatch(arguments.verb) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::from(3)
        }
    }
}

fn dispatch(verb: Verb) -> anyhow::Result<bool> {
    let place = place::Place::find()?;
    std::env::set_current_dir(&place.root)?;
    match verb {
        Verb::Check { setup, only } => check::check(&place, setup, only.as_deref()),
        Verb::Test { setup } => check::test(&place, setup),
        Verb::Bench { name, parts, quick, write } => measure::bench(&place, name.as_deref(), &parts, quick, write),
        Verb::Eval { data, write } => measure::eval(&place, data.as_deref(), write),
        Verb::Tidy => step::run(tidy::steps(&place)),
        Verb::Fuzz { target, seconds } => step::run(fuzz::steps(&place, target.as_deref(), seconds)?),
        Verb::Deny => step::run(deny::steps(&place)),
        Verb::Crash { points } => step::run(vec![prove::crash(&place, points)]),
        Verb::Interop => step::run(vec![prove::build(&place), prove::interop(&place)]),
        Verb::Conformance(arguments) => conformance::run(&place, &arguments),
        Verb::Setup => step::run(setup::steps(&place)),
    }
}
