//! `bench engine`: matching alone, beside a bare parse of the same bytes.
//!
//! Events are in memory, one a line. A lane's time is processor time of its one thread; lanes run turn by turn, and a ratio is
//! the median of each round's. A short run for development: `cargo xtask bench engine --quick`, or one part of it,
//! `cargo xtask bench engine cloudtrail --quick`.

mod agree;
mod carried;
mod chart;
pub mod clock;
mod contest;
mod corpus;
mod families;
pub mod instructions;
pub mod load;
mod ours;
#[cfg(feature = "platform")]
mod packed;
mod peer;
mod race;
mod scale;
mod threads;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use content::Catalogue;
use engine::Limits;
use tempfile::TempDir;

use crate::bench::{Row, Scope};
use crate::data::{Data, SIGMA_CURRENT, catalogue};
use crate::page;

/// The picture's file, beside the page.
const PICTURE: &str = "benchmarks-engine.svg";

/// What all parts share.
pub struct Setting {
    /// SigmaHQ's current rule files.
    pub folder: TempDir,
    /// The labelled sets.
    pub data: Data,
    /// SigmaHQ's current rules, and our sources.
    pub rules: Catalogue,
    quick: bool,
}

impl Setting {
    fn new(scope: &Scope) -> anyhow::Result<Setting> {
        let data = Data::find(None)?;
        let folder = data.sigma(&SIGMA_CURRENT)?;
        // Rules whose placeholders nobody has filled are set aside when ours are compiled: the peer is not to have them either.
        let all = rules_of(folder.path());
        let compiled: BTreeSet<String> =
            all.compile(Limits::default()).0.rules().iter().map(|rule| rule.rule.id.to_string()).collect();
        let rules = all.with_rules(|entry| compiled.contains(entry.rule.id.as_str()));
        Ok(Setting { data, folder, rules, quick: scope.quick })
    }

    /// How often each lane runs.
    pub fn rounds(&self) -> usize {
        if self.quick { 3 } else { 7 }
    }

    /// Events of a corpus.
    pub fn events(&self) -> usize {
        if self.quick { 6_000 } else { 30_000 }
    }
}

/// The rules of a folder, with our sources and none of our rules.
pub fn rules_of(folder: &Path) -> Catalogue {
    catalogue(Some(folder)).with_rules(|entry| entry.provenance.root == 1)
}

/// Microseconds an event, for the picture.
pub struct Bars {
    /// The kind of events.
    pub corpus: &'static str,
    /// A bare parse.
    pub parse: f64,
    /// Watchkeep.
    pub own: f64,
    /// RSigma.
    pub peer: f64,
}

/// What a part gives.
#[derive(Default)]
pub struct Measured {
    /// For the table.
    pub rows: Vec<Row>,
    /// For the picture.
    pub bars: Option<Bars>,
}

type Part = fn(&Setting) -> anyhow::Result<Measured>;

const PARTS: &[(&str, Part)] = &[
    ("cloudtrail", contest::cloudtrail),
    ("windows", contest::windows),
    ("kubernetes", contest::kubernetes),
    #[cfg(feature = "platform")]
    ("packed", packed::rows),
    ("scale", scale::rows),
    ("threads", threads::rows),
    ("load", load::rows),
    ("instructions", instructions::rows),
];

/// How the table came about, and the picture where one was drawn: what stands between the machine and the table.
pub fn about(scope: &Scope, began: Instant) -> String {
    let (parts, quick) = (scope.parts.join(" "), if scope.quick { " --quick" } else { "" });
    let parts = if parts.is_empty() { parts } else { format!(" {parts}") };
    let minutes = began.elapsed().as_secs_f64() / 60.0;
    let picture = if scope.write { format!("\n\n![Events a second on one core]({PICTURE})") } else { String::new() };
    format!(
        " `cargo xtask bench engine{parts}{quick}`, {minutes:.0} minutes; load average over the last of them {}.{picture}",
        load_average()
    )
}

/// Runnable processes over the last minute, this one among them.
fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("unknown").to_owned()
}

/// The parts that `scope` names, or each.
pub fn rows(scope: &Scope) -> anyhow::Result<Vec<Row>> {
    let known = PARTS.iter().map(|(own, _)| *own).collect::<Vec<_>>().join(", ");
    for part in &scope.parts {
        anyhow::ensure!(PARTS.iter().any(|(own, _)| own == part), "`engine` has no part `{part}`; known: {known}");
    }
    let is_whole = scope.parts.is_empty() && !scope.quick;
    anyhow::ensure!(is_whole || !scope.write, "only a whole run of `engine` can be written: no parts, and not --quick");
    let setting = Setting::new(scope)?;
    let (mut rows, mut bars) = (Vec::new(), Vec::new());
    for (own, part) in PARTS {
        if scope.parts.is_empty() || scope.parts.iter().any(|part| part == own) {
            eprintln!("  {own}");
            let measured = part(&setting)?;
            rows.extend(measured.rows);
            bars.extend(measured.bars);
        }
    }
    if scope.write {
        page::put(PICTURE, &chart::svg(&bars))?;
    }
    Ok(rows)
}
