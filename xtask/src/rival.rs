//! The package `xtask/rival`, which is not a member of the workspace: RSigma as it is at its best, for `cargo xtask bench engine`.
//!
//! Cargo joins the features of what it builds together, and one that Watchkeep asks of `serde_json` costs RSigma nearly half of its
//! speed. So it has a lock, a profile and a build folder of its own, and what holds for the workspace is asked of it here.

use std::path::PathBuf;
use std::process::Command;

use crate::place::{Place, cargo};
use crate::step::{Outcome, Step, run_command};

/// Where cargo finds it, from the checkout.
pub const MANIFEST: &str = "xtask/rival/Cargo.toml";

/// Format, lints and tests.
pub fn steps(place: &Place) -> Vec<Step<'_>> {
    vec![
        Step::command("rival: fmt", cargo(&["fmt", "--manifest-path", MANIFEST, "--check"])),
        Step::command("rival: clippy", with(place, &["clippy", "--all-targets", "--quiet"], &["--", "-D", "warnings"])),
        Step::command("rival: tests", with(place, &["test", "--quiet"], &[])),
    ]
}

/// Builds it for speed, which takes minutes the first time.
///
/// Errors: it does not build.
pub fn build(place: &Place) -> anyhow::Result<PathBuf> {
    match run_command(with(place, &["build", "--release", "--quiet"], &[]))? {
        Outcome::Failed(why) | Outcome::Skipped(why) => anyhow::bail!("the build of xtask/rival failed: {why}"),
        Outcome::Done(_) => Ok(target_dir(place).join("release/rival")),
    }
}

fn with(place: &Place, verb: &[&str], rest: &[&str]) -> Command {
    let mut command = cargo(verb);
    command.args(["--locked", "--manifest-path", MANIFEST]).args(rest).env("CARGO_TARGET_DIR", target_dir(place));
    command
}

fn target_dir(place: &Place) -> PathBuf {
    place.target.join("rival")
}
