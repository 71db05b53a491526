//! What the journal promises, on a disk that keeps few promises.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use model::{Lane, SourceId, Time};
use proptest::prelude::*;

use super::entry::{batch_of, body_of};
use super::{Batch, Journal, JournalError, JournalOptions, Position};

mod process;
mod sim;
use sim::SimDisk;

const DIR: &str = "/j";
const OPTIONS: JournalOptions = JournalOptions { segment_bytes: 600, total_bytes_max: 1 << 20 };

fn disk() -> SimDisk {
    let disk = SimDisk::default();
    disk.set(|medium| medium.write_max = 37);
    disk
}

fn open(disk: &SimDisk) -> Journal {
    Journal::open_on(Arc::new(disk.clone()), Path::new(DIR), OPTIONS).unwrap()
}

pub(super) fn batch(n: u64, bytes: usize) -> Batch {
    Batch {
        input: "http".into(),
        source: n.is_multiple_of(2).then(|| SourceId::from("aws_cloudtrail")),
        format: 3,
        lane: Lane::ALL[n as usize % 5],
        received: Time::from_millis(n as i64),
        records: n,
        bytes: vec![n as u8; bytes],
    }
}

fn read(journal: &Journal, from: Position) -> Vec<u64> {
    journal.read_from(from).map(|entry| entry.unwrap().1.records).collect()
}

fn append(journal: &Journal, numbers: std::ops::Range<u64>) -> Vec<Position> {
    numbers.map(|n| journal.append(&batch(n, 100)).unwrap()).collect()
}

#[test]
fn what_is_appended_is_read_in_order_across_segments_and_openings() {
    let disk = disk();
    let journal = open(&disk);
    let positions = append(&journal, 0..20);
    assert!(positions.is_sorted());
    assert!(positions[19].segment > 3, "it rotates");
    assert_eq!(read(&journal, Position::START), (0..20).collect::<Vec<_>>());
    assert_eq!(read(&journal, positions[7]), (8..20).collect::<Vec<_>>());
    let (after, first) = journal.read_from(Position::START).next().unwrap().unwrap();
    assert_eq!((after, first), (positions[0], batch(0, 100)));
    drop(journal);
    let journal = open(&disk);
    append(&journal, 20..22);
    assert_eq!(read(&journal, positions[7]), (8..22).collect::<Vec<_>>());
    assert_eq!(journal.recovery().entries, 20);
    assert_eq!(Position::parse(&positions[7].to_string()), Some(positions[7]));
}

#[test]
fn a_reader_that_met_the_end_goes_on_when_there_is_more() {
    let journal = open(&disk());
    let mut reader = journal.read_from(Position::START);
    assert!(reader.next().is_none());
    assert!(!journal.wait_beyond(reader.position(), Duration::ZERO));
    append(&journal, 0..1);
    assert!(journal.wait_beyond(reader.position(), Duration::ZERO));
    assert_eq!(reader.next().unwrap().unwrap().1.records, 0);
    assert!(reader.next().is_none());
    assert_eq!(journal.end(), reader.position());
}

#[test]
fn released_segments_go_and_numbers_never_start_again() {
    let disk = disk();
    let journal = open(&disk);
    let positions = append(&journal, 0..20);
    let before = journal.bytes();
    assert!(journal.release(positions[9]).unwrap() >= 2);
    assert!(journal.bytes() < before);
    assert_eq!(read(&journal, positions[9]), (10..20).collect::<Vec<_>>());
    journal.release(journal.end()).unwrap();
    assert_eq!(disk.names(DIR).len(), 1, "the newest stays, so that its number is not given again");
    drop(journal);
    let journal = open(&disk);
    let next = append(&journal, 20..21)[0];
    assert!(next.segment > positions[19].segment);
    assert_eq!(read(&journal, positions[19]), [20]);
}

#[test]
fn a_position_of_a_journal_that_is_gone_reads_from_the_beginning() {
    let journal = open(&disk());
    append(&journal, 0..2);
    assert_eq!(read(&journal, Position { segment: 900, offset: 1 }), [0, 1]);
}

#[test]
fn a_full_journal_refuses_until_something_is_released() {
    let options = JournalOptions { segment_bytes: 600, total_bytes_max: 2_000 };
    let journal = Journal::open_on(Arc::new(disk()), Path::new(DIR), options).unwrap();
    let mut last = Position::START;
    let error = loop {
        match journal.append(&batch(1, 100)) {
            Ok(position) => last = position,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, JournalError::Full { bytes, bytes_max: 2_000 } if bytes > 1_700), "{error}");
    assert!(error.retry());
    journal.release(last).unwrap();
    assert!(journal.append(&batch(2, 100)).is_ok());
    let huge = journal.append(&batch(3, 1_500));
    assert!(matches!(huge, Err(JournalError::TooLarge { .. })), "what can never fit is not asked to be retried");
}

#[test]
fn a_full_disk_takes_the_write_back_and_goes_on_when_there_is_room() {
    let disk = disk();
    let journal = open(&disk);
    append(&journal, 0..1);
    disk.set(|medium| medium.room = Some((70, ErrorKind::StorageFull)));
    for _ in 0..3 {
        let error = journal.append(&batch(9, 100)).unwrap_err();
        assert!(matches!(error, JournalError::NoSpace { .. }) && error.retry(), "{error}");
    }
    disk.set(|medium| medium.room = None);
    append(&journal, 1..9);
    assert_eq!(read(&journal, Position::START), (0..9).collect::<Vec<_>>());
    let cut = open(&disk.after_power_cut(|n| n - 1));
    assert_eq!(read(&cut, Position::START), (0..9).collect::<Vec<_>>());
    assert_eq!(cut.recovery().damage, []);
}

#[test]
fn after_a_failed_sync_nothing_is_accepted_until_reopened() {
    let disk = disk();
    let journal = open(&disk);
    append(&journal, 0..2);
    disk.set(|medium| medium.failing_syncs = 1);
    let error = journal.append(&batch(7, 100)).unwrap_err();
    assert!(matches!(error, JournalError::Failed { .. }) && !error.retry(), "{error}");
    assert!(
        matches!(journal.append(&batch(8, 100)), Err(JournalError::Failed { .. })),
        "although the disk works again"
    );
    assert_eq!(read(&journal, Position::START), [0, 1], "what was stored can still be read");
    assert_eq!(journal.reopen().unwrap().entries, 2, "what was refused is not stored");
    append(&journal, 2..3);
    assert_eq!(read(&journal, Position::START), [0, 1, 2]);
    drop(journal);
    assert_eq!(read(&open(&disk), Position::START), [0, 1, 2]);
}

#[test]
fn damage_in_the_middle_is_set_aside_and_reported() {
    let disk = disk();
    let journal = open(&disk);
    let positions = append(&journal, 0..3);
    drop(journal);
    let name = "000000000001.journal";
    disk.flip(name, positions[0].offset as usize + 60);
    for _ in 0..2 {
        let journal = open(&disk);
        let recovery = journal.recovery();
        let damage = &recovery.damage[0];
        assert_eq!((damage.from, damage.to, damage.torn), (positions[0].offset, positions[1].offset, false));
        let kept = damage.kept.as_ref().unwrap().file_name().unwrap().to_str().unwrap();
        assert_eq!(disk.length(kept) as u64, positions[1].offset - positions[0].offset);
        assert_eq!(recovery.entries, 2);
        assert_eq!(read(&journal, Position::START), [0, 2]);
    }
}

#[test]
fn a_damaged_head_hides_only_its_own_entry() {
    let disk = disk();
    let journal = open(&disk);
    let positions = append(&journal, 0..3);
    drop(journal);
    for byte in 0..24 {
        let spoilt = disk.after_power_cut(|n| n - 1);
        spoilt.flip("000000000001.journal", positions[0].offset as usize + byte);
        assert_eq!(read(&open(&spoilt), Position::START), [0, 2]);
    }
}

#[test]
fn an_entry_inside_a_body_is_never_taken_for_one() {
    let disk = disk();
    let journal = open(&disk);
    let first = append(&journal, 0..1)[0];
    let body = body_of(&batch(66, 10));
    let mut forged = super::entry::EntryHead::write(&body, 0, 0, first.offset + 50).to_vec();
    forged.extend(body);
    let sent = Batch { bytes: forged.repeat(4), ..batch(1, 0) };
    journal.append(&sent).unwrap();
    append(&journal, 2..3);
    drop(journal);
    disk.flip("000000000001.journal", first.offset as usize + 14);
    assert_eq!(read(&open(&disk), Position::START), [0, 2]);
}

#[test]
fn damage_after_opening_is_an_error_and_reopening_sets_it_aside() {
    let disk = disk();
    let journal = open(&disk);
    let positions = append(&journal, 0..3);
    disk.flip("000000000001.journal", positions[0].offset as usize + 60);
    let mut reader = journal.read_from(positions[0]);
    let expected = positions[0].offset;
    for _ in 0..2 {
        let error = reader.next().unwrap().unwrap_err();
        assert!(matches!(error, JournalError::Damaged { segment: 1, offset } if offset == expected), "{error}");
    }
    journal.reopen().unwrap();
    assert_eq!(reader.next().unwrap().unwrap().1.records, 2);
}

#[test]
fn a_damaged_segment_header_sets_the_segment_aside() {
    let disk = disk();
    let journal = open(&disk);
    append(&journal, 0..9);
    drop(journal);
    disk.flip("000000000001.journal", 13);
    let journal = open(&disk);
    assert!(!journal.recovery().damage[0].torn);
    let left = read(&journal, Position::START);
    assert!(!left.is_empty() && left.iter().all(|n| *n > 0) && *left.last().unwrap() == 8, "{left:?}");
}

#[test]
fn a_newer_format_is_refused() {
    let disk = disk();
    open(&disk).append(&batch(1, 1)).unwrap();
    let mut head = super::entry::segment_head(1, 7, 0);
    head[8] = 3;
    let crc = crc32fast::hash(&head[..28]);
    head[28..32].copy_from_slice(&crc.to_le_bytes());
    let path = Path::new(DIR).join("000000000001.journal");
    super::Disk::open(&disk, &path).unwrap().write_at(0, &head).unwrap();
    let error = Journal::open_on(Arc::new(disk), Path::new(DIR), OPTIONS).map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "journal segment 1 has format 3, newer than the 2 that this version knows");
}

#[test]
fn an_older_format_is_refused_and_left_alone() {
    let disk = disk();
    open(&disk).append(&batch(1, 1)).unwrap();
    let mut head = super::entry::segment_head(1, 7, 0);
    head[8] = 1;
    let crc = crc32fast::hash(&head[..28]);
    head[28..32].copy_from_slice(&crc.to_le_bytes());
    let path = Path::new(DIR).join("000000000001.journal");
    super::Disk::open(&disk, &path).unwrap().write_at(0, &head).unwrap();
    let error = Journal::open_on(Arc::new(disk.clone()), Path::new(DIR), OPTIONS).map(|_| ()).unwrap_err();
    assert!(matches!(error, JournalError::Older { segment: 1, found: 1, known: 2 }), "{error}");
    assert_eq!(disk.names(DIR).len(), 1);
}

fn lost(journal: &Journal) -> Vec<u64> {
    journal.recovery().lost.iter().map(|range| range.to - range.from).collect()
}

#[test]
fn records_in_damaged_entries_are_counted_as_lost_at_every_opening() {
    let disk = disk();
    let journal = open(&disk);
    let positions = append(&journal, 0..20);
    drop(journal);
    assert_eq!(lost(&open(&disk)), [0; 0]);
    disk.flip("000000000001.journal", positions[0].offset as usize + 60);
    let first = open(&disk).recovery().lost;
    assert_eq!(first[0].to - first[0].from, 1);
    assert_eq!(first[0].before, positions[1], "they stood before the next entry that holds");
    assert_eq!(open(&disk).recovery().lost, first);
    disk.flip("000000000002.journal", 13);
    assert_eq!(lost(&open(&disk)), [1, 3 + 4 + 5], "a whole segment too");
}

#[test]
fn a_last_entry_gone_bad_and_a_segment_gone_missing_are_lost_records() {
    let disk = disk();
    let journal = open(&disk);
    append(&journal, 0..8);
    drop(journal);
    let last = "000000000003.journal";
    disk.flip(last, disk.length(last) - 1);
    let journal = open(&disk);
    let first = journal.recovery().lost;
    assert_eq!(lost(&journal), [7]);
    append(&journal, 8..9);
    drop(journal);
    let journal = open(&disk);
    let again = journal.recovery().lost;
    assert_eq!(
        (again[0].from, again[0].to),
        (first[0].from, first[0].to),
        "the same range, also when its bytes are cut off"
    );
    drop(journal);
    super::Disk::remove(&disk, &Path::new(DIR).join("000000000002.journal")).unwrap();
    assert_eq!(lost(&open(&disk)), [3 + 4 + 5, 7]);
}

#[test]
fn a_torn_tail_and_released_segments_are_no_loss() {
    let disk = disk();
    let journal = open(&disk);
    let positions = append(&journal, 0..20);
    journal.release(positions[9]).unwrap();
    drop(journal);
    let name = format!("{:012}.journal", positions[19].segment);
    let path = Path::new(DIR).join(&name);
    super::Disk::open(&disk, &path).unwrap().set_len(disk.length(&name) as u64 - 3).unwrap();
    let journal = open(&disk);
    assert!(journal.recovery().damage[0].torn);
    assert_eq!(lost(&journal), [0; 0]);
    append(&journal, 20..21);
    drop(journal);
    assert_eq!(lost(&open(&disk)), [0; 0]);
}

#[test]
fn a_second_opening_is_refused() {
    let disk = disk();
    let journal = open(&disk);
    let second = Journal::open_on(Arc::new(disk.clone()), Path::new(DIR), OPTIONS);
    assert!(matches!(second, Err(JournalError::Locked { .. })));
    drop(journal);
    open(&disk);
}

#[test]
fn callers_at_the_same_time_share_syncs_and_each_is_stored_once() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path(), JournalOptions { segment_bytes: 64 << 10, ..Default::default() }).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8u64 {
            let journal = &journal;
            scope.spawn(move || {
                (0..50).for_each(|i| {
                    journal.append(&batch(thread * 50 + i, 100)).unwrap();
                })
            });
        }
    });
    let mut all = read(&journal, Position::START);
    for thread in 0..8u64 {
        let own: Vec<u64> = all.iter().copied().filter(|n| n / 50 == thread).collect();
        assert!(own.is_sorted(), "each caller's order is kept");
    }
    all.sort_unstable();
    assert_eq!(all, (0..400).collect::<Vec<_>>());
}

#[test]
fn a_group_costs_one_sync() {
    let disk = disk();
    let journal = open(&disk);
    append(&journal, 0..1);
    let before = disk.syncs();
    let held = disk.0.lock().unwrap();
    std::thread::scope(|scope| {
        for n in 0..4 {
            let journal = &journal;
            scope.spawn(move || journal.append(&batch(n, 10)).unwrap());
        }
        std::thread::sleep(Duration::from_millis(100));
        drop(held);
    });
    assert!(disk.syncs() - before <= 2, "one for the leader's own entry, one for those that gathered behind it");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn after_any_cut_every_acknowledged_entry_is_there_once_and_in_order(
        sizes in proptest::collection::vec(0usize..300, 1..40),
        room in 0usize..8_000,
        write_max in 1usize..200,
        release_at in 0usize..40,
        seed in any::<u64>(),
    ) {
        let disk = SimDisk::default();
        disk.set(|medium| medium.write_max = write_max);
        let journal = open(&disk);
        disk.set(|medium| medium.room = Some((room, ErrorKind::Other)));
        let (mut acknowledged, mut read_up_to, mut read_entries) = (0u64, Position::START, 0u64);
        for (i, size) in sizes.iter().enumerate() {
            match journal.append(&batch(i as u64, *size)) {
                Ok(position) if i == release_at => {
                    (read_up_to, read_entries) = (position, i as u64 + 1);
                    acknowledged += 1;
                    journal.release(position).unwrap();
                }
                Ok(_) => acknowledged += 1,
                Err(_) => break,
            }
        }
        let mut random = seed | 1;
        let after = disk.after_power_cut(|n| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random as usize % n
        });
        let journal = open(&after);
        let found = read(&journal, read_up_to);
        prop_assert!(found.len() as u64 + read_entries >= acknowledged, "{found:?} of {acknowledged}");
        prop_assert_eq!(&found, &(read_entries..read_entries + found.len() as u64).collect::<Vec<_>>());
        let next = journal.append(&batch(99, 10)).unwrap();
        prop_assert!(next > read_up_to);
        prop_assert_eq!(read(&journal, read_up_to).last().copied(), Some(99));
    }

    #[test]
    fn a_body_reads_back_what_was_written(input in ".{0,40}", source in proptest::option::of("[a-z_]{0,20}"), format: u8,
        lane in 0usize..5, received in 0i64..4_000_000_000_000_000, records: u64, bytes: Vec<u8>)
    {
        let batch = Batch {
            input, source: source.map(SourceId::new), format, lane: Lane::ALL[lane], received: Time::from_micros(received), records, bytes,
        };
        prop_assert_eq!(batch_of(&body_of(&batch)), Some(batch));
    }

    #[test]
    fn no_bytes_make_reading_panic(body: Vec<u8>) {
        let _ = batch_of(&body);
    }
}
