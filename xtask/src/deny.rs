//! `cargo deny`: licences, sources and bans always; advisories only where a database has been placed in the cache.

use std::path::PathBuf;
use std::process::Command;

use crate::place::{Place, on_path};
use crate::rival;
use crate::step::{Outcome, Step, run_command};

/// The checks of dependencies.
pub fn steps(place: &Place) -> Vec<Step<'_>> {
    vec![
        Step::new("deny", || deny(place, "Cargo.toml")),
        // Nothing of it is shipped, but it is downloaded and run where we work.
        Step::new("rival: deny", || deny(place, rival::MANIFEST)),
    ]
}

/// The program: from the cache, else from the path.
pub fn program(place: &Place) -> Option<PathBuf> {
    let cached = place.tools().join("bin/cargo-deny");
    if cached.is_file() {
        return Some(cached);
    }
    on_path("cargo-deny").then(|| PathBuf::from("cargo-deny"))
}

fn deny(place: &Place, manifest: &str) -> anyhow::Result<Outcome> {
    let Some(program) = program(place) else {
        return Ok(Outcome::Skipped("cargo-deny is not installed; `cargo xtask setup` installs it".into()));
    };
    let database = place.cache.join("advisory-dbs");
    if !database.is_dir() {
        println!("no advisory database in {}; advisories are not checked", database.display());
    }
    let mut command = Command::new(program);
    command.args(["--offline", "--manifest-path", manifest, "--config", "deny.toml"]);
    command.args(["check", "--hide-inclusion-graph"]);
    command.args(["licenses", "bans", "sources"]).args(database.is_dir().then_some("advisories"));
    run_command(command)
}
