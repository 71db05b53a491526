//! Instructions of the core loop, counted by callgrind: a number that repeats exactly, on any load.
//!
//! A child under valgrind loads the rules and evaluates a fixed number of events; only the two functions below are counted, after a
//! first call that fills the worker's memory. Valgrind knows no AVX-512, so code that would use it takes another way there.

use std::io::Write as _;
use std::path::{Path, PathBuf};
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
/// Part of the names of the functions that are counted, and of no other.
const COUNTED: &str = "*counted_loop*";

/// Instructions an event, for each corpus.
pub fn rows(setting: &Setting) -> anyhow::Result<Measured> {
    if Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_err() {
        eprintln!("    skipped: valgrind is not installed (Debian package `valgrind`)");
        return Ok(Measured::default());
    }
    let engine = setting.rules.compile(Limits::default()).0;
    let place = tempfile::tempdir()?;
    let (mut files, mut names) = (Vec::new(), Vec::new());
    for (source, recipe) in [
        ("aws_cloudtrail", corpus::cloudtrail(&setting.data)?),
        ("windows_event", corpus::windows(&setting.data)?),
        ("kubernetes_audit", corpus::kubernetes(&setting.data)?),
    ] {
        let corpus = corpus_of(setting, &engine, source, recipe)?.sample(EVENTS);
        let file = place.path().join(format!("{source}.ndjson"));
        std::fs::File::create(&file)?.write_all(corpus.bytes())?;
        names.push((corpus.name, corpus.events()));
        files.push(file);
    }
    drop(engine);
    let counts = count(setting.folder.path(), &files, place.path())?;
    anyhow::ensure!(counts.len() == 4 * names.len(), "callgrind gave {} counts", counts.len());
    let rows = names.iter().zip(counts.chunks(4)).map(|((name, events), counts)| {
        let each = |count: u64| count / *events as u64;
        // Each loop ran twice: the first time filled its memory.
        let value = format!("{}; {}", each(counts[3]), each(counts[1]));
        Row::of(format!("{name}: instructions an event (callgrind) in a bare parse; Watchkeep"), value, "", None)
    });
    Ok(Measured { rows: rows.collect(), bars: None })
}

/// Runs the child under callgrind: the instructions of each call, in order.
fn count(folder: &Path, files: &[PathBuf], place: &Path) -> anyhow::Result<Vec<u64>> {
    let out = place.join("callgrind");
    let status = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .args([format!("--toggle-collect={COUNTED}"), format!("--dump-after={COUNTED}")])
        .arg(std::env::current_exe()?)
        .args(["child", "core"])
        .arg(folder)
        .args(files)
        .stdout(Stdio::null())
        .status()?;
    anyhow::ensure!(status.success(), "callgrind ended with {status}");
    (1..).map(|number| place.join(format!("callgrind.{number}"))).take_while(|file| file.exists()).map(read).collect()
}

/// What one dump came to.
fn read(file: PathBuf) -> anyhow::Result<u64> {
    let text = std::fs::read_to_string(file)?;
    let total = text.lines().find_map(|line| line.strip_prefix("summary:").or_else(|| line.strip_prefix("totals:")));
    Ok(total.context("a dump of callgrind has no sum")?.trim().parse()?)
}

/// In the child: the events of each file through the engine, and through a bare parse, each twice.
pub fn core(folder: &Path, files: &[PathBuf]) -> anyhow::Result<()> {
    let engine = rules_of(folder).compile(Limits::default()).0;
    for file in files {
        let bytes = std::fs::read(file)?;
        let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
        let (mut worker, mut count) = (engine.worker(), Count::default());
        for _ in 0..2 {
            counted_loop_of_engine(&engine, &mut worker, &lines, &mut count);
        }
        count.check("core")?;
        for _ in 0..2 {
            counted_loop_of_parse(&lines);
        }
    }
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
