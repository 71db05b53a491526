//! `bench` and `eval`: handed to the package `measure`, which is built in release mode because its numbers are.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::place::{Place, cargo};
use crate::rival;
use crate::step::{Outcome, run_command};

/// What is measured and what measures.
const BOTH: &[&str] = &["--package", "watchkeep", "--package", "measure"];
/// The engine is measured inside of the latter.
const ALONE: &[&str] = &["--package", "measure"];
/// Without the platform around it the build is much quicker; only gzip files need that.
const QUICK: &[&str] = &["--package", "measure", "--no-default-features"];

/// Measures; the table goes to standard output.
pub fn bench(place: &Place, name: Option<&str>, parts: &[String], quick: bool, write: bool) -> anyhow::Result<bool> {
    let mut arguments: Vec<&OsStr> = vec![OsStr::new("bench")];
    arguments.extend(name.map(OsStr::new));
    arguments.extend(parts.iter().map(OsStr::new));
    if quick {
        arguments.push(OsStr::new("--quick"));
    }
    let packages = match name {
        Some("engine") if quick && !parts.iter().any(|part| part == "packed") => QUICK,
        Some("engine") => ALONE,
        _ => BOTH,
    };
    let rival = name.is_none_or(|name| name == "engine").then(|| rival::build(place)).transpose()?;
    run(place, packages, arguments, rival.map(|path| ("WATCHKEEP_RIVAL", path)), write)
}

/// Scores the rules on the labelled sets.
pub fn eval(place: &Place, data: Option<&Path>, write: bool) -> anyhow::Result<bool> {
    let mut arguments: Vec<&OsStr> = vec![OsStr::new("eval")];
    if let Some(data) = data {
        arguments.extend([OsStr::new("--data"), data.as_os_str()]);
    }
    run(place, BOTH, arguments, None, write)
}

fn run(
    place: &Place,
    packages: &[&str],
    arguments: Vec<&OsStr>,
    rival: Option<(&str, PathBuf)>,
    write: bool,
) -> anyhow::Result<bool> {
    let mut build = cargo(&["build", "--release", "--quiet", "--bins"]);
    build.args(packages);
    if let Outcome::Failed(why) | Outcome::Skipped(why) = run_command(build)? {
        anyhow::bail!("the release build failed: {why}");
    }
    let release = place.target.join("release");
    let mut command = Command::new(release.join("measure"));
    command.args(arguments).env("WATCHKEEP_BIN", release.join("watchkeep")).envs(rival);
    if write {
        command.arg("--write");
    }
    Ok(command.status()?.success())
}
