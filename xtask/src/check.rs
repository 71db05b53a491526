//! `check` and `test`: which steps, in which order. One development build serves every step that runs something.

use std::process::Command;

use crate::place::{Place, cargo, on_path};
use crate::step::{Step, run};
use crate::{deny, fuzz, prove, rival, setup, tidy};

/// Seconds for each fuzz target in a check.
const FUZZ_SECONDS: u64 = 8;
/// Kills of the crash test in a check.
const CRASH_POINTS: u32 = 200;

/// Everything that must hold before a change is merged.
pub fn check(place: &Place, with_setup: bool, only: Option<&str>) -> anyhow::Result<bool> {
    let mut steps = if with_setup { setup::steps(place) } else { Vec::new() };
    let mut checks = vec![
        Step::command("fmt", cargo(&["fmt", "--all", "--check"])),
        Step::command("clippy", cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"])),
    ];
    checks.extend(rival::steps(place));
    checks.extend(tidy::steps(place));
    checks.extend([prove::build(place), tests(), Step::command("doc tests", doc_tests())]);
    checks.extend(prove::content(place));
    checks.push(Step::command("docs", docs()));
    checks.extend(deny::steps(place));
    checks.extend([prove::browser(place), prove::interop(place), prove::crash(place, CRASH_POINTS)]);
    checks.extend(fuzz::steps(place, None, FUZZ_SECONDS)?);
    steps.extend(checks.into_iter().filter(|step| only.is_none_or(|part| step.name().contains(part))));
    run(steps)
}

/// The tests alone.
pub fn test(place: &Place, with_setup: bool) -> anyhow::Result<bool> {
    let mut steps = if with_setup { setup::steps(place) } else { Vec::new() };
    steps.extend([prove::build(place), tests(), Step::command("doc tests", doc_tests())]);
    steps.extend(prove::content(place));
    steps.extend([prove::browser(place), prove::interop(place)]);
    run(steps)
}

/// The workspace's tests; the crash test has a step of its own.
fn tests<'a>() -> Step<'a> {
    let command = if on_path("cargo-nextest") {
        cargo(&["nextest", "run", "--workspace", "--no-fail-fast", "-E", "not binary(crash)", "--status-level", "slow"])
    } else {
        let mut plain = cargo(&["test", "--workspace", "--all-targets", "--no-fail-fast", "--quiet"]);
        plain.env("WATCHKEEP_CRASH_POINTS", "3");
        plain
    };
    Step::command("tests", command)
}

fn doc_tests() -> Command {
    cargo(&["test", "--workspace", "--doc", "--quiet"])
}

fn docs() -> Command {
    let mut command = cargo(&["doc", "--workspace", "--no-deps", "--quiet", "--document-private-items"]);
    command.env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private-intra-doc-links");
    command
}
