//! A process that is killed while it appends. The test runs itself as the child.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::super::{Journal, JournalOptions, Position};
use super::batch;

const DIR: &str = "WATCHKEEP_TEST_JOURNAL";
const OPTIONS: JournalOptions = JournalOptions { segment_bytes: 20_000, total_bytes_max: 1 << 30 };

#[test]
#[ignore = "the child of `a_killed_process_loses_nothing_that_it_acknowledged`"]
fn child() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let journal = Journal::open(dir.as_ref(), OPTIONS).unwrap();
    let first = journal.recovery().entries;
    for n in first.. {
        journal.append(&batch(n, 500)).unwrap();
        eprintln!("stored {n}");
    }
}

#[test]
fn a_killed_process_loses_nothing_that_it_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    for round in 1..=4 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "journal::tests::process::child", "--ignored", "--nocapture"])
            .env(DIR, dir.path())
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        std::thread::spawn({
            let pid = child.id();
            move || {
                std::thread::sleep(Duration::from_millis(150 * round));
                drop(Command::new("kill").args(["-9", &pid.to_string()]).status());
            }
        });
        let stored = lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("stored ")?.parse::<u64>().ok());
        let last = stored.last();
        child.wait().unwrap();
        let journal = Journal::open(dir.path(), OPTIONS).unwrap();
        let found: Vec<u64> = journal.read_from(Position::START).map(|entry| entry.unwrap().1.records).collect();
        assert_eq!(found, (0..found.len() as u64).collect::<Vec<_>>());
        assert!(last.is_none_or(|last| last < found.len() as u64), "{last:?} of {}", found.len());
    }
}
