//! `cargo deny`: licences, sources and bans always; advisories only where a database has been placed in the cache.

use std::path::PathBuf;
use std::process::Command;

use crate::place::{Place, on_path};
use crate::step::{Outcome, Step, run_command};

/// The checks of dependencies.
pub fn steps(place: &Place) -> Vec<Step<'_>> {
    vec![Step::new("deny", || deny(place))]
}

/// The program: from the cache, else from the path.
pub fn program(place: &Place) -> Option<PathBuf> {
    let cached = place.tools().join("bin/cargo-deny");
    if cached.is_file() {
        return Some(cached);
    }
    on_path("cargo-deny").then(|| PathBuf::from("cargo-deny"))
}

fn deny(place: &Place) -> anyhow::Result<Outcome> {
    let Some(program) = program(place) else {
        return Ok(Outcome::Skipped("cargo-deny is not installed; `cargo xtask setup` installs it".into()));
    };
    let database = place.cache.join("advisory-dbs");
    let mut command = Command::new(program);
    command.args(["--offline", "check", "--hide-inclusion-graph", "licenses", "bans", "sources"]);
    if database.is_dir() {
        command.arg("advisories");
    } else {
        println!("no advisory database in {}; advisories are not checked", database.display());
    }
    run_command(command)
}
