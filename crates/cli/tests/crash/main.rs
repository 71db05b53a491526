//! Kills the running platform at random points under load, and then counts: every accepted record was evaluated, no alert
//! was lost or doubled, and the ledger balances.
//!
//! `WATCHKEEP_CRASH_POINTS` says how often (default 10; `cargo xtask crash` uses 200), `WATCHKEEP_CRASH_SEED` which points.
//! The alerts of the killed run are compared with those of a run that nobody disturbed, given the same records once.

#![allow(clippy::print_stdout, reason = "what a crash test counted is its output")]

mod load;
mod over_time;
mod platform;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use load::{Load, Random};
use platform::{Platform, Truth};

/// From start, or from the first accepted connection, to the kill.
const LIFE_MS: std::ops::Range<u64> = 5..500;
/// One kill in so many comes while the platform is still starting or recovering; the others come under load.
const EARLY: u64 = 4;

#[test]
fn after_any_kill_every_accepted_record_is_there_once() {
    let points = number("WATCHKEEP_CRASH_POINTS", 10);
    let seed = number("WATCHKEEP_CRASH_SEED", 20_261_122);
    println!("{points} kills with seed {seed}");
    let (records, truth) = disturbed(points, seed);
    println!("{} records accepted", records.len());
    assert!(records.len() as u64 > points * 5, "the load was too thin to prove anything");
    truth.assert_balanced();
    let received = truth.received;
    assert!(received >= records.len() as u64, "{received} received of {} accepted", records.len());
    assert_eq!(truth.evaluated, received, "each received record is evaluated; none of these is bad");

    let calm = undisturbed(&records);
    calm.assert_balanced();
    assert_eq!(calm.evaluated, records.len() as u64);
    let expected: BTreeSet<&String> = calm.alerts.iter().collect();
    let found: BTreeSet<&String> = truth.alerts.iter().collect();
    assert_eq!(truth.alerts.len(), found.len(), "an alert is stored twice");
    assert_eq!(found.difference(&expected).count(), 0, "alerts that no record explains");
    assert_eq!(expected.difference(&found).count(), 0, "alerts that were lost");
    assert_eq!(truth.folded_findings, calm.folded_findings, "a finding was folded twice or not at all");
    assert!(truth.delivered.iter().eq(found.iter().copied()), "the route's file does not hold every alert");
    println!("{} alerts, each once; {} findings folded; the ledger balances", found.len(), truth.folded_findings);
}

/// Starts, loads and kills; at the end lets the line come to rest. Gives the accepted records and what is stored.
fn disturbed(points: u64, seed: u64) -> (Vec<String>, Truth) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut platform = Platform::new(folder.path());
    let load = Arc::new(Load::start(platform.address(), seed));
    kill_again_and_again(&mut platform, &load, points, seed);
    platform.start();
    // The run before may have settled everything, so that the rest comes at once; a signal wants a listener.
    platform.wait_until_it_listens();
    let records = load.stop();
    platform.rest(records.len() as u64);
    platform.stop();
    (records, Truth::read(folder.path()))
}

/// Starts and kills as often as is asked.
fn kill_again_and_again(platform: &mut Platform, load: &Load, points: u64, seed: u64) {
    let mut random = Random::new(seed);
    for point in 0..points {
        platform.start();
        if random.within(0..EARLY) > 0 {
            platform.wait_until_it_listens();
        }
        std::thread::sleep(Duration::from_millis(random.within(LIFE_MS)));
        platform.kill();
        if point % 25 == 24 {
            println!("{} kills, {} records accepted", point + 1, load.accepted());
        }
    }
}

/// The same records, once, without a kill.
fn undisturbed(records: &[String]) -> Truth {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut platform = Platform::new(folder.path());
    platform.start();
    platform.wait_until_it_listens();
    let began = Instant::now();
    load::post_all(platform.address(), records);
    println!("posted again in {:.1} s", began.elapsed().as_secs_f64());
    platform.rest(records.len() as u64);
    platform.stop();
    Truth::read(folder.path())
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
