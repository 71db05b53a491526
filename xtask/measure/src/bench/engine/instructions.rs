//! Instructions of the core loop, counted by callgrind: a number that repeats exactly, on any load.
//!
//! For each corpus a child under valgrind loads the rules and evaluates a fixed number of events; only the two loops below are counted,
//! after a first pass that fills the worker's memory. Valgrind knows no AVX-512, so code that would use it takes another way there.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context;
use engine::{Engine, Limits, Worker};

use crate::bench::Row;
use crate::bench::engine::contest::corpus_of;
use crate::bench::engine::corpus;
use crate::bench::engine::ours::{self, Count};
use crate::bench::engine::{Measured, Setting, rules_of};

/// Events of a corpus that are counted.
const EVENTS: usize = 1_000;
/// Names of the loops that are counted: no other function has them in its name.
const LOOPS: [&str; 2] = ["counted_loop_of_parse", "counted_loop_of_engine"];

/// Instructions an event, for each corpus.
pub fn rows(setting: &Setting) -> anyhow::Result<Measured> {
    if Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_err() {
        eprintln!("    skipped: valgrind is not installed (Debian package `valgrind`)");
        return Ok(Measured::default());
    }
    let engine = setting.rules.compile(Limits::default()).0;
    let place = tempfile::tempdir()?;
    let mut rows = Vec::new();
    for (source, recipe) in [
        ("aws_cloudtrail", corpus::cloudtrail(&setting.data)?),
        ("windows_event", corpus::windows(&setting.data)?),
        ("kubernetes_audit", corpus::kubernetes(&setting.data)?),
    ] {
        let corpus = corpus_of(setting, &engine, source, recipe)?.sample(EVENTS);
        let file = place.path().join("events.ndjson");
        std::fs::write(&file, corpus.bytes())?;
        let [parse, own] = count(setting.folder.path(), &file, place.path())?.map(|all| all / corpus.events() as u64);
        let what = format!("{}: instructions an event (callgrind): bare parse; Watchkeep", corpus.name);
        rows.push(Row::of(what, format!("{parse}; {own}"), "", None));
    }
    Ok(Measured { rows, bars: None })
}

/// Runs the child under callgrind: the instructions of each loop.
fn count(folder: &Path, events: &Path, place: &Path) -> anyhow::Result<[u64; 2]> {
    let out = place.join("callgrind");
    let status = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet", "--toggle-collect=*counted_loop*"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe()?)
        .args(["child", "core"])
        .args([folder, events])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    anyhow::ensure!(status.success(), "callgrind ended with {status}");
    let profile = std::fs::read_to_string(out)?;
    let [parse, own] = LOOPS.map(|name| instructions(&profile, name));
    Ok([parse.context("callgrind saw no parse")?, own.context("callgrind saw no engine")?])
}

/// What a function cost with all that it called: the numbers under its name. A profile names a function once, and then by number.
fn instructions(profile: &str, name: &str) -> Option<u64> {
    let named = profile.lines().find(|line| line.contains(name))?;
    let number = &named[named.find('(')?..=named.find(')')?];
    let (mut sum, mut is_own) = (0, false);
    for line in profile.lines() {
        if let Some(function) = line.strip_prefix("fn=") {
            is_own = function.starts_with(number);
        } else if is_own && line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
            sum += line.split(' ').nth(1)?.parse::<u64>().ok()?;
        }
    }
    (sum > 0).then_some(sum)
}

/// In the child: the events of a file through the engine and through a bare parse.
pub fn core(folder: &Path, file: &Path) -> anyhow::Result<()> {
    let engine = rules_of(folder).compile(Limits::default()).0;
    let bytes = std::fs::read(file)?;
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    let (mut worker, mut count) = (engine.worker(), Count::default());
    for line in &lines {
        engine.evaluate(&mut worker, line, &ours::given(), &mut count);
    }
    counted_loop_of_engine(&engine, &mut worker, &lines, &mut count);
    count.check("core")?;
    counted_loop_of_parse(&lines);
    Ok(())
}

#[inline(never)]
fn counted_loop_of_engine(engine: &Engine, worker: &mut Worker, lines: &[&[u8]], count: &mut Count) {
    let given = ours::given();
    for line in lines {
        engine.evaluate(worker, line, &given, count);
    }
}

#[inline(never)]
fn counted_loop_of_parse(lines: &[&[u8]]) {
    for line in lines {
        std::hint::black_box(sonic_rs::from_slice::<sonic_rs::Value>(line).ok());
    }
}

#[cfg(test)]
mod tests {
    use super::instructions;

    #[test]
    fn a_loop_costs_what_stands_under_its_name() {
        let profile = "fn=(1) other\n0 5\ncfn=(2) a::counted_loop_of_parse\ncalls=1 0\n0 90\n\n\
                       fn=(2)\n0 10\ncfn=(3) callee\ncalls=600 0\n0 80\n\nfn=(3)\n0 80\n";
        assert_eq!(instructions(profile, "counted_loop_of_parse"), Some(90));
        assert_eq!(instructions(profile, "counted_loop_of_engine"), None);
    }
}
