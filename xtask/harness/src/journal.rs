//! A journal segment of any bytes: what opens is read back, what does not is reported, and both end.

use store::journal::{Batch, Journal, JournalOptions, Position};

/// The bytes after the journal's last good entry, as a crash or a failing disk leaves them.
pub fn journal(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder for the journal");
    let options = JournalOptions { segment_bytes: 4096, total_bytes_max: 1 << 20 };
    let batch = Batch {
        input: "fuzz".into(),
        source: None,
        format: 0,
        lane: model::Lane::Live,
        received: model::Time::from_millis(1_795_305_600_000),
        records: 1,
        bytes: b"{}".to_vec(),
    };
    {
        let journal = Journal::open(folder.path(), options).expect("an empty folder is a journal");
        journal.append(&batch).expect("the journal is not full");
    }
    let mut segments: Vec<_> = std::fs::read_dir(folder.path())
        .expect("the folder is there")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    segments.sort();
    let last = segments.iter().rfind(|path| path.is_file()).expect("an append makes a segment");
    let mut content = std::fs::read(last).expect("the segment is there");
    content.extend_from_slice(bytes);
    std::fs::write(last, content).expect("the segment can be written");
    let journal = Journal::open(folder.path(), options).expect("damage is reported, not an error");
    let held = journal.read_from(Position::START).filter_map(Result::ok).count() as u64;
    assert!(held >= 1, "damage after an entry took the entry with it");
    journal.append(&batch).expect("a recovered journal takes batches");
    let after = journal.read_from(Position::START).filter_map(Result::ok).count() as u64;
    assert_eq!(after, held + 1, "a batch after recovery is not read back");
}
