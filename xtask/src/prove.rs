//! Steps that drive the built binary: content checks, the browser, independent clients, the crash test.

use std::process::Command;

use crate::place::{Place, cargo, on_path};
use crate::step::{Outcome, Step, run_command};

/// One development build of every binary and test, which the later steps share.
pub fn build(_place: &Place) -> Step<'_> {
    Step::command("build", cargo(&["build", "--workspace", "--all-targets", "--quiet"]))
}

/// The built-in content: `watchkeep check`, then `watchkeep test`.
pub fn content(place: &Place) -> Vec<Step<'_>> {
    ["check", "test"]
        .into_iter()
        .map(|verb| {
            let mut command = Command::new(place.binary());
            command.arg(verb);
            Step::command(format!("content {verb}"), command)
        })
        .collect()
}

/// The console in a real browser.
pub fn browser(place: &Place) -> Step<'_> {
    Step::new("e2e", || {
        if !place.root.join("e2e/node_modules").is_dir() || !on_path("chromium") {
            return Ok(Outcome::Skipped("chromium or e2e/node_modules is missing; run `cargo xtask setup`".into()));
        }
        let mut command = Command::new("npm");
        command.args(["test", "--silent"]).current_dir(place.root.join("e2e")).env("WATCHKEEP_BIN", place.binary());
        run_command(command)
    })
}

/// Clients and servers that other people wrote.
pub fn interop(place: &Place) -> Step<'_> {
    Step::new("interop", || {
        if !place.python().is_file() {
            return Ok(Outcome::Skipped("the Python environment is missing; run `cargo xtask setup`".into()));
        }
        let mut command = Command::new(place.python());
        command.args(["-m", "unittest", "discover", "-v", "-s", "conformance/interop", "-p", "*_test.py"]);
        command.env("WATCHKEEP_BIN", place.binary()).env("PYTHONDONTWRITEBYTECODE", "1");
        command.env("SIGMA_CLI_FOLDER", place.sigma_cli());
        run_command(command)
    })
}

/// Kills the running platform at `points` random points and counts what it keeps.
pub fn crash(_place: &Place, points: u32) -> Step<'_> {
    let mut command = cargo(&["test", "--package", "watchkeep", "--test", "crash", "--", "--nocapture"]);
    command.env("WATCHKEEP_CRASH_POINTS", points.to_string());
    Step::command("crash", command)
}
