//! `bench`: the numbers that Watchkeep promises, each with its goal.

#[cfg(feature = "platform")]
mod console;
mod corpus;
mod correlate;
pub mod engine;
mod http;
mod memory;
mod process;
#[cfg(feature = "platform")]
mod scan;
mod start;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Instant;

use crate::page;

/// One number and what was promised.
pub struct Row {
    /// What was measured.
    pub what: String,
    /// The number with its unit.
    pub value: String,
    /// The promise.
    pub goal: String,
    /// Is it kept? `None` for numbers beside which nothing was promised.
    pub is_kept: Option<bool>,
}

impl Row {
    fn of(what: impl Into<String>, value: impl Into<String>, goal: impl Into<String>, is_kept: Option<bool>) -> Row {
        Row { what: what.into(), value: value.into(), goal: goal.into(), is_kept }
    }
}

/// What is measured of a measurement that has parts, and how thoroughly.
#[derive(Debug, Default)]
pub struct Scope {
    /// The parts; each where it is empty.
    pub parts: Vec<String>,
    /// A short run for development: fewer events and rounds.
    pub quick: bool,
    /// Write what is measured to the pages.
    pub write: bool,
}

/// A measurement.
type Bench = fn(&Scope) -> anyhow::Result<Vec<Row>>;

const ALL: &[(&str, Bench)] = &[
    #[cfg(feature = "platform")]
    ("scan", |_| scan::rows()),
    ("start", |_| start::rows()),
    ("memory", |_| memory::rows()),
    ("http", |_| http::rows()),
    #[cfg(feature = "platform")]
    ("console", |_| console::rows()),
    ("engine", engine::rows),
    ("correlate", correlate::rows),
];

/// Runs the measurement called `name`, or each; true when every promise is kept.
pub fn bench(name: Option<&str>, scope: &Scope) -> anyhow::Result<bool> {
    let chosen: Vec<_> = ALL.iter().filter(|(own, _)| name.is_none_or(|name| name == *own)).collect();
    let known = ALL.iter().map(|(own, _)| *own).collect::<Vec<_>>().join(", ");
    anyhow::ensure!(!chosen.is_empty(), "no measurement is called `{}`; known: {known}", name.unwrap_or_default());
    let mut tables: BTreeMap<&str, Vec<Row>> = BTreeMap::new();
    let began = Instant::now();
    for (own, measure) in chosen {
        eprintln!("measuring {own} …");
        let measured = measure(scope)?;
        for row in &measured {
            eprintln!("  {}: {}", row.what, row.value);
        }
        // The engine has a table of its own: it is measured apart, and its rows are many.
        let part = if matches!(*own, "engine" | "correlate") { *own } else { "table" };
        tables.entry(part).or_default().extend(measured);
    }
    for (part, rows) in &tables {
        let more = if *part == "engine" { engine::about(scope, began) } else { String::new() };
        let text = format!("{}{more}\n\n{}", machine(), table(rows));
        println!("\n{text}");
        if scope.write {
            page::write("benchmarks.md", part, &text)?;
        }
    }
    Ok(tables.values().flatten().all(|row| row.is_kept != Some(false)))
}

fn table(rows: &[Row]) -> String {
    let mut text = String::from("| measured | value | goal | kept |\n|---|--:|---|---|\n");
    for row in rows {
        let kept = row.is_kept.map_or("", |kept| if kept { "yes" } else { "**no**" });
        writeln!(text, "| {} | {} | {} | {kept} |", row.what, row.value, row.goal).expect("a string takes text");
    }
    text
}

/// The machine, in words that say nothing of its owner.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("an unnamed processor", |rest| rest.trim_start_matches(['\t', ' ', ':']));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("Measured on {model}, {cores} cores, Linux.")
}

/// The middle one of `numbers`.
pub fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}
