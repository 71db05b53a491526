//! Loading a folder of rule files.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use rustix::time::{ClockId, clock_gettime};

use crate::lane::engine;

/// Loads, and tells: rules, seconds, processor seconds, resident megabytes, and the most that they were.
pub fn tell(folder: &Path) -> anyhow::Result<()> {
    let began = Instant::now();
    let mut files = Vec::new();
    list(folder, &mut files)?;
    let mut rules = Vec::new();
    for file in files {
        if let Ok(found) = rsigma_parser::parse_sigma_yaml(&std::fs::read_to_string(file)?) {
            rules.extend(found.rules);
        }
    }
    let mut engine = engine();
    engine.add_rules(&rules);
    drop(rules);
    let seconds = began.elapsed().as_secs_f64();
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let processor = time.tv_sec as f64 + time.tv_nsec as f64 / 1e9;
    let status = std::fs::read_to_string("/proc/self/status")?;
    println!(
        "{} {seconds} {processor} {} {}",
        engine.rule_count(),
        megabytes(&status, "VmRSS:")?,
        megabytes(&status, "VmHWM:")?
    );
    Ok(())
}

fn megabytes(status: &str, key: &str) -> anyhow::Result<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key)).context("/proc/self/status lacks a line")?;
    let kilobytes: f64 = line.split_whitespace().next().context("/proc/self/status lacks a number")?.parse()?;
    Ok(kilobytes * 1024.0 / 1e6)
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else if path.extension().is_some_and(|ending| ending == "yml") {
            files.push(path);
        }
    }
    Ok(())
}
