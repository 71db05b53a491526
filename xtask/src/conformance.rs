//! `conformance`: the Sigma conformance suite, asked of this engine or of any adapter.

use std::process::Command;

use anyhow::Context;

use crate::place::{Place, cargo};
use crate::step::{Outcome, run_command};

/// The page that compares engines.
const PAGE: &str = "docs/reference/sigma-conformance.md";
/// The adapters that are kept here, as the page has them.
const KEPT: [&str; 3] = ["watchkeep", "rsigma", "pysigma-sqlite"];

/// What is asked for.
#[derive(clap::Args)]
pub struct Arguments {
    /// watchkeep, rsigma, pysigma-sqlite, or the command of an adapter; may be given several times
    #[arg(long = "engine", value_name = "COMMAND")]
    engines: Vec<String>,
    /// Only cases whose name contains this
    #[arg(long)]
    only: Option<String>,
    /// Print all questions as NDJSON, and ask nobody
    #[arg(long)]
    questions: bool,
    /// Write the table of sentences and cases to the suite's README
    #[arg(long)]
    write_coverage: bool,
    /// Ask every adapter that is kept here, and write docs/reference/sigma-conformance.md
    #[arg(long, conflicts_with_all = ["engines", "only"])]
    write: bool,
}

/// Asks, and tells.
pub fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<bool> {
    build(&["--package", "conformance", "--bins"])?;
    let mut command = Command::new(place.target.join("debug/conformance"));
    if let Some(only) = &arguments.only {
        command.args(["--only", only]);
    }
    for (flag, is_set) in [("--questions", arguments.questions), ("--write-coverage", arguments.write_coverage)] {
        if is_set {
            command.arg(flag);
        }
    }
    let engines: Vec<&str> = match &arguments.engines[..] {
        [] if arguments.write => KEPT.to_vec(),
        [] if arguments.questions || arguments.write_coverage => Vec::new(),
        [] => vec![KEPT[0]],
        given => given.iter().map(String::as_str).collect(),
    };
    for engine in engines {
        command.arg("--engine").arg(adapter(place, engine)?);
    }
    if arguments.write {
        command.args(["--write", PAGE]);
    }
    let is_right = command.status().context("the runner did not start")?.success();
    // Other engines may fail; that is what the page says.
    Ok(is_right || arguments.write)
}

/// `name=command` of an adapter, which is built if it is one of ours.
fn adapter(place: &Place, engine: &str) -> anyhow::Result<String> {
    let built = |path: &str| format!("{engine}='{}'", place.target.join("debug").join(path).display());
    Ok(match engine {
        "watchkeep" => {
            build(&["--package", "watchkeep-engine", "--example", "sigma_conformance"])?;
            built("examples/sigma_conformance")
        }
        "rsigma" => {
            build(&["--package", "peers", "--bins"])?;
            built("rsigma_conformance")
        }
        "pysigma-sqlite" => {
            anyhow::ensure!(place.python().is_file(), "the Python environment is missing; run `cargo xtask setup`");
            format!("{engine}='{}' conformance/interop/sigma_pysigma.py", place.python().display())
        }
        command => format!("adapter={command}"),
    })
}

fn build(arguments: &[&str]) -> anyhow::Result<()> {
    let mut command = cargo(&["build", "--quiet"]);
    command.args(arguments);
    match run_command(command)? {
        Outcome::Failed(why) | Outcome::Skipped(why) => anyhow::bail!("the build failed: {why}"),
        Outcome::Done(_) => Ok(()),
    }
}
