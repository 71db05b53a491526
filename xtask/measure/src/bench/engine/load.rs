//! Loading: every rule file of a folder, read and compiled as `watchkeep run` does it, in a process of its own.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::Context;
use content::Root;
use engine::Limits;

use crate::bench::engine::clock::process_time;
use crate::bench::engine::peer::Peer;
use crate::bench::engine::{Measured, Setting};
use crate::bench::{Row, median};

const SECONDS: f64 = 0.3;
const MEGABYTES: f64 = 120.0;

/// What the child tells: five numbers in one line.
struct Loaded {
    rules: f64,
    seconds: f64,
    processor_seconds: f64,
    resident_mb: f64,
    peak_mb: f64,
}

/// Watchkeep beside RSigma.
pub fn rows(setting: &Setting) -> anyhow::Result<Measured> {
    let (mut own, mut peer) = (Vec::new(), Vec::new());
    for _ in 0..setting.rounds() {
        own.push(child(Command::new(std::env::current_exe()?).args(["child", "load"]).arg(setting.folder.path()))?);
        peer.push(child(Peer::program()?.arg("load").arg(setting.folder.path()))?);
    }
    let of = |loads: &[Loaded], part: fn(&Loaded) -> f64| median(loads.iter().map(part).collect());
    let (seconds, resident) = (of(&own, |own| own.seconds), of(&own, |own| own.resident_mb));
    let what = format!("loading {} rules from a folder, as `watchkeep run` does", of(&own, |own| own.rules));
    let told = format!(
        "{:.2} s; {:.2} s; {:.0} MB, {:.0} MB at the peak",
        of(&peer, |peer| peer.seconds),
        of(&peer, |peer| peer.processor_seconds),
        of(&peer, |peer| peer.resident_mb),
        of(&peer, |peer| peer.peak_mb)
    );
    let rows = vec![
        Row::of(&what, format!("{seconds:.2} s"), format!("≤ {SECONDS} s"), Some(seconds <= SECONDS)),
        Row::of(
            format!("{what}: processor time of all threads"),
            format!("{:.2} s", of(&own, |own| own.processor_seconds)),
            "",
            None,
        ),
        Row::of(
            format!("{what}: resident after it, at the peak"),
            format!("{resident:.0} MB, {:.0} MB", of(&own, |own| own.peak_mb)),
            format!("≤ {MEGABYTES} MB"),
            Some(resident <= MEGABYTES),
        ),
        Row::of("RSigma, the same files: time; processor time; resident", told, "", None),
    ];
    Ok(Measured { rows, bars: None })
}

fn child(command: &mut Command) -> anyhow::Result<Loaded> {
    let out = command.output()?;
    anyhow::ensure!(out.status.success(), "a load ended with {}: {}", out.status, String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8(out.stdout)?;
    let numbers: Vec<f64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let [rules, seconds, processor_seconds, resident_mb, peak_mb] = numbers[..] else {
        anyhow::bail!("a load told {text:?}")
    };
    Ok(Loaded { rules, seconds, processor_seconds, resident_mb, peak_mb })
}

/// In the child: loads a folder, and tells.
pub fn load(folder: &Path) -> anyhow::Result<()> {
    let began = Instant::now();
    let (catalogue, _) = content::load(&[Root::Embedded, Root::Dir(folder.to_owned())]);
    let (engine, _) = catalogue.compile(Limits::default());
    let seconds = began.elapsed().as_secs_f64();
    // The platform keeps both.
    tell(engine.rules().len(), seconds)?;
    drop((catalogue, engine));
    Ok(())
}

fn tell(rules: usize, seconds: f64) -> anyhow::Result<()> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let megabytes = |key: &str| -> anyhow::Result<f64> {
        let line = status.lines().find_map(|line| line.strip_prefix(key)).context("/proc/self/status lacks a line")?;
        let kilobytes: f64 = line.split_whitespace().next().context("/proc/self/status lacks a number")?.parse()?;
        Ok(kilobytes * 1024.0 / 1e6)
    };
    let processor = process_time().as_secs_f64();
    println!("{rules} {seconds} {processor} {} {}", megabytes("VmRSS:")?, megabytes("VmHWM:")?);
    Ok(())
}
