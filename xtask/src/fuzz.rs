//! Fuzzing on the stable toolchain: the compiler's coverage pass is switched on by flags, libFuzzer is linked as a crate.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::place::{Place, cargo, is_ci};
use crate::step::{Outcome, Step, run_command};

/// With an explicit target, cargo keeps build scripts and procedural macros free of these flags.
const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// What `cargo fuzz` passes, less the address sanitiser, which needs an unstable compiler; `unsafe` is forbidden here.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// A build, then each target for `seconds`.
pub fn steps<'a>(place: &'a Place, target: Option<&str>, seconds: u64) -> anyhow::Result<Vec<Step<'a>>> {
    let known = targets(place)?;
    let chosen: Vec<String> = match target {
        None => known,
        Some(name) => {
            anyhow::ensure!(
                known.iter().any(|known| known == name),
                "no fuzz target `{name}`; known: {}",
                known.join(", ")
            );
            vec![name.to_owned()]
        }
    };
    let mut steps = vec![Step::new("fuzz build", || build(place))];
    steps.extend(chosen.into_iter().map(|name| Step::new(format!("fuzz {name}"), move || fuzz(place, &name, seconds))));
    Ok(steps)
}

/// The files of `fuzz/targets`, in order.
fn targets(place: &Place) -> anyhow::Result<Vec<String>> {
    let folder = place.root.join("fuzz/targets");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .with_context(|| format!("cannot read {}", folder.display()))?
        .filter_map(|entry| entry.ok()?.path().file_stem().map(|stem| stem.to_string_lossy().into_owned()))
        .collect();
    names.sort();
    Ok(names)
}

fn target_dir(place: &Place) -> PathBuf {
    place.target.join("fuzz")
}

fn build(place: &Place) -> anyhow::Result<Outcome> {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        return Ok(Outcome::Skipped(format!("fuzzing is set up for {TRIPLE} alone")));
    }
    let mut command =
        cargo(&["build", "--release", "--quiet", "--target", TRIPLE, "--manifest-path", "fuzz/Cargo.toml"]);
    command.env("RUSTFLAGS", COVERAGE).env("CARGO_TARGET_DIR", target_dir(place));
    run_command(command)
}

fn fuzz(place: &Place, name: &str, seconds: u64) -> anyhow::Result<Outcome> {
    let binary = target_dir(place).join(TRIPLE).join("release").join(name);
    if !binary.is_file() {
        return Ok(Outcome::Failed(format!("`{name}` is not built")));
    }
    let work = target_dir(place).join("corpus").join(name);
    let found = place.root.join("fuzz/regressions").join(name);
    std::fs::create_dir_all(&work)?;
    std::fs::create_dir_all(&found)?;
    seed(place, name, &work)?;
    let mut command = Command::new(binary);
    command.arg(format!("-max_total_time={seconds}"));
    command.arg(format!("-artifact_prefix={}/", found.display()));
    // A record may be large, but a slow or swelling one is a finding: one input must end within 10 s and 1 GiB.
    command.args(["-timeout=10", "-rss_limit_mb=1024", "-max_len=65536", "-print_final_stats=1", "-verbosity=0"]);
    if is_ci() {
        command.arg("-seed=1");
    }
    command.arg(&work).arg(&found);
    let outcome = run_command(command)?;
    if matches!(outcome, Outcome::Failed(_)) {
        println!("the input lies in {}; name it after what it breaks and keep it", found.display());
    }
    Ok(outcome)
}

/// The first corpus: the seeds kept for this target, and the content that its rules and records come from.
fn seed(place: &Place, name: &str, work: &Path) -> anyhow::Result<()> {
    for folder in seed_folders(place, name) {
        for entry in walkdir::WalkDir::new(&folder).into_iter().filter_map(Result::ok) {
            let path = entry.path();
            let is_small = entry.metadata().is_ok_and(|about| about.is_file() && about.len() <= 65_536);
            if is_small {
                let flat = path.strip_prefix(&place.root).unwrap_or(path).to_string_lossy().replace('/', "+");
                std::fs::copy(path, work.join(flat))?;
            }
        }
    }
    Ok(())
}

/// A target named after a source starts from that source's samples.
fn seed_folders(place: &Place, name: &str) -> Vec<PathBuf> {
    let content = match name {
        "rule" => PathBuf::from("content/packs"),
        "source" | "frame" | "http_body" | "hec_body" | "text_formats" => PathBuf::from("content/sources"),
        source => Path::new("content/sources").join(source),
    };
    vec![place.root.join("fuzz/seeds").join(name), place.root.join(content)]
}
