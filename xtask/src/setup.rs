//! What the checks need on a fresh Debian machine. Everything lands outside the checkout but `e2e/node_modules`,
//! and each step does nothing when its work is already there.

use std::path::Path;
use std::process::Command;

use anyhow::Context;

use crate::deny;
use crate::place::{Place, cargo, on_path};
use crate::step::{Outcome, Step, run_command};

/// Debian packages: the program that shows that it is there, and the packages that bring it.
const DEBIAN: [(&str, &[&str]); 8] = [
    ("chromium", &["chromium"]),
    ("node", &["nodejs"]),
    ("npm", &["npm"]),
    ("g++", &["g++"]),
    ("python3", &["python3", "python3-venv"]),
    ("git", &["git"]),
    ("nats-server", &["nats-server"]),
    ("rsyslogd", &["rsyslog", "rsyslog-openssl"]),
];

/// Installs what is missing.
pub fn steps(place: &Place) -> Vec<Step<'_>> {
    vec![
        Step::new("setup: debian", debian),
        Step::new("setup: npm", || npm(&place.root.join("e2e"))),
        Step::new("setup: python", || python(place, &place.python(), "requirements.txt")),
        Step::new("setup: sigma-cli", || {
            python(place, &place.sigma_cli().join("python"), "requirements-sigma-cli.txt")
        }),
        Step::new("setup: cargo-deny", || cargo_deny(place)),
    ]
}

fn debian() -> anyhow::Result<Outcome> {
    let mut missing: Vec<&str> = DEBIAN
        .iter()
        .filter(|(program, _)| !on_path(program))
        .flat_map(|(_, packages)| packages.iter().copied())
        .collect();
    if on_path("python3") && !has_venv()? {
        missing.push("python3-venv");
    }
    if missing.is_empty() {
        println!("nothing is missing");
        return Ok(Outcome::passed());
    }
    println!("installing {}", missing.join(", "));
    // Old package lists give 404; a failed refresh matters only if the installation then fails.
    run_command(apt(&["update", "-q"])?)?;
    let mut arguments = vec!["install", "-y", "-q", "--no-install-recommends"];
    arguments.extend(&missing);
    run_command(apt(&arguments)?)
}

fn has_venv() -> anyhow::Result<bool> {
    let probe =
        Command::new("python3").args(["-c", "import ensurepip, venv"]).output().context("python3 did not start")?;
    Ok(probe.status.success())
}

fn apt(arguments: &[&str]) -> anyhow::Result<Command> {
    let is_root = Command::new("id").arg("-u").output().context("`id` did not start")?.stdout == b"0\n";
    let mut command = if is_root { Command::new("apt-get") } else { Command::new("sudo") };
    if !is_root {
        command.arg("apt-get");
    }
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    Ok(command)
}

fn npm(folder: &Path) -> anyhow::Result<Outcome> {
    let lock = folder.join("package-lock.json");
    anyhow::ensure!(lock.is_file(), "`e2e/package-lock.json` is missing");
    let installed = folder.join("node_modules/.package-lock.json");
    if newer(&installed, &lock) {
        println!("e2e/node_modules is up to date");
        return Ok(Outcome::passed());
    }
    let mut command = Command::new("npm");
    // The system's chromium is used; nothing is downloaded after the packages.
    command.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder);
    run_command(command)
}

/// Makes the environment of `python` from a list of `conformance/interop`.
fn python(place: &Place, python: &Path, list: &str) -> anyhow::Result<Outcome> {
    let environment = python.ancestors().nth(2).context("a Python lies in the `bin` of its environment")?;
    let wanted = place.root.join("conformance/interop").join(list);
    let stamp = environment.join("requirements.txt");
    if python.is_file() && same(&wanted, &stamp) {
        println!("the Python environment of {list} is up to date");
        return Ok(Outcome::passed());
    }
    std::fs::create_dir_all(&place.cache)?;
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(environment);
    if let failed @ (Outcome::Failed(_) | Outcome::Skipped(_)) = run_command(make)? {
        return Ok(failed);
    }
    let mut install = Command::new(python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&wanted);
    let outcome = run_command(install)?;
    if matches!(outcome, Outcome::Done(_)) {
        std::fs::copy(&wanted, &stamp)?;
    }
    Ok(outcome)
}

fn cargo_deny(place: &Place) -> anyhow::Result<Outcome> {
    if deny::program(place).is_some() {
        println!("cargo-deny is there");
        return Ok(Outcome::passed());
    }
    let mut command = cargo(&["install", "cargo-deny", "--locked", "--root"]);
    command.arg(place.tools());
    // Its own optimised profile takes twice the time to build and saves nothing on a tree of this size.
    command.env("CARGO_PROFILE_RELEASE_LTO", "off").env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
    command.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16").env("CARGO_PROFILE_RELEASE_DEBUG", "false");
    command.env("CARGO_TARGET_DIR", place.cache.join("tools-target"));
    run_command(command)
}

fn newer(made: &Path, from: &Path) -> bool {
    let time = |path: &Path| path.metadata().and_then(|about| about.modified()).ok();
    time(made).zip(time(from)).is_some_and(|(made, from)| made >= from)
}

fn same(left: &Path, right: &Path) -> bool {
    std::fs::read(left).ok().zip(std::fs::read(right).ok()).is_some_and(|(left, right)| left == right)
}
