//! A run is a list of steps; each prints its name, time and result, and the run ends with a table and one line of totals.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::place::is_ci;
use crate::tally::{Tally, strip_colour};

/// How a step ended.
pub enum Outcome {
    /// It ran; single tests are counted where it runs tests, else the step counts as one.
    Done(Tally),
    /// It failed, and why.
    Failed(String),
    /// It could not run here, and why; a failure in continuous integration.
    Skipped(String),
}

impl Outcome {
    /// One check that passed.
    pub fn passed() -> Outcome {
        Outcome::Done(Tally { passed: 1, failed: 0 })
    }
}

/// One named piece of work.
pub struct Step<'a> {
    name: String,
    work: Box<dyn FnOnce() -> anyhow::Result<Outcome> + 'a>,
}

impl<'a> Step<'a> {
    /// A step that does `work`.
    pub fn new(name: impl Into<String>, work: impl FnOnce() -> anyhow::Result<Outcome> + 'a) -> Step<'a> {
        Step { name: name.into(), work: Box::new(work) }
    }

    /// A step that runs one command and passes if the command does.
    pub fn command(name: impl Into<String>, command: Command) -> Step<'a> {
        Step::new(name, move || run_command(command))
    }

    /// The step's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

struct Row {
    name: String,
    time: Duration,
    outcome: Outcome,
}

/// Runs every step, also after one has failed, and prints the summary. True if all passed.
pub fn run(steps: Vec<Step<'_>>) -> anyhow::Result<bool> {
    let mut rows = Vec::new();
    let count = steps.len();
    for (index, step) in steps.into_iter().enumerate() {
        println!("\n── {} ({}/{count}) ──", step.name, index + 1);
        let began = Instant::now();
        let outcome = (step.work)().unwrap_or_else(|error| Outcome::Failed(format!("{error:#}")));
        let row = Row { name: step.name, time: began.elapsed(), outcome };
        println!("{}", line(&row));
        rows.push(row);
    }
    Ok(summary(&rows))
}

fn summary(rows: &[Row]) -> bool {
    println!("\n── summary ──");
    let mut total = Tally::default();
    for row in rows {
        println!("{}", line(row));
        total.add(counted(&row.outcome));
    }
    println!("\n{} passed, {} failed", total.passed, total.failed);
    total.failed == 0
}

/// What a step adds to the totals.
fn counted(outcome: &Outcome) -> Tally {
    match outcome {
        Outcome::Done(tally) => *tally,
        Outcome::Failed(_) => Tally { passed: 0, failed: 1 },
        Outcome::Skipped(_) if is_ci() => Tally { passed: 0, failed: 1 },
        Outcome::Skipped(_) => Tally::default(),
    }
}

fn line(row: &Row) -> String {
    let (mark, note) = match &row.outcome {
        Outcome::Done(Tally { passed, failed: 0 }) if *passed > 1 => ("pass", format!("{passed} passed")),
        Outcome::Done(Tally { failed: 0, .. }) => ("pass", String::new()),
        Outcome::Done(tally) => ("FAIL", format!("{} passed, {} failed", tally.passed, tally.failed)),
        Outcome::Failed(why) => ("FAIL", why.clone()),
        Outcome::Skipped(why) if is_ci() => ("FAIL", format!("cannot run here: {why}")),
        Outcome::Skipped(why) => ("skip", why.clone()),
    };
    format!("{mark}  {:<24} {:>7.1} s  {note}", row.name, row.time.as_secs_f64()).trim_end().to_owned()
}

/// Runs a command, passing its output on line by line while counting the tests that it reports.
pub fn run_command(mut command: Command) -> anyhow::Result<Outcome> {
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("`{program}` could not be started"))?;
    let (sender, lines) = mpsc::channel();
    let out = follow(child.stdout.take().context("no standard output")?, sender.clone());
    let err = follow(child.stderr.take().context("no standard error")?, sender);
    let mut tally = Tally::default();
    for line in lines {
        println!("{line}");
        tally.read(&strip_colour(&line));
    }
    out.join().ok();
    err.join().ok();
    let status = child.wait()?;
    Ok(match (status.success(), tally) {
        (true, Tally { passed: 0, failed: 0 }) => Outcome::passed(),
        (true, tally) => Outcome::Done(tally),
        (false, tally) if tally.failed > 0 => Outcome::Done(tally),
        (false, _) => Outcome::Failed(format!("`{program}` ended with {status}")),
    })
}

fn follow(stream: impl std::io::Read + Send + 'static, sender: mpsc::Sender<String>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut bytes = Vec::new();
        while reader.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned();
            bytes.clear();
            if sender.send(text).is_err() {
                return;
            }
        }
    })
}
