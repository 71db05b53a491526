//! What was said, where a site opted in to keep it: the sensitive values of some sources, by their digests, for a time.
//!
//! In: values, as the marks in their place name them. Out: the value of a digest. Records, alerts and the lake hold marks alone; this is the one
//! place with the values, apart from all else. One file for each source and day of receipt (UTC), which only its owner may read; a file whose
//! time is over is deleted whole. Bound: for each source the days that it is kept, and [`KeepRule::bytes_max`]; the oldest day goes first.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use model::{Digest, SourceId, Time};
use rusqlite::{Connection, OpenFlags, params};
use serde::Serialize;

use crate::{Store, StoreError, audit};

/// How a day's file ends.
const EXTENSION: &str = "sqlite";

/// How long the values of one source are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeepRule {
    /// The source.
    pub source: SourceId,
    /// Milliseconds after receipt. A day's file goes when all of the day is older.
    pub retention_ms: i64,
    /// Bytes of all its files.
    pub bytes_max: u64,
}

/// A value that is to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptValue {
    /// The source of its record.
    pub source: SourceId,
    /// The digest by which the mark in its place names it.
    pub digest: Digest,
    /// The value as its record wrote it.
    pub text: String,
}

/// A value that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FoundValue {
    /// The source of its record.
    pub source: SourceId,
    /// The day of receipt.
    pub day: String,
    /// Its digest, hexadecimal.
    pub digest: String,
    /// The value as its record wrote it.
    pub text: String,
}

/// What is kept of one source and day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeptDay {
    /// The source.
    pub source: SourceId,
    /// The day of receipt.
    pub day: String,
    /// Values, each once.
    pub values: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// A day that was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expired {
    /// The source.
    pub source: SourceId,
    /// The day.
    pub day: String,
    /// Did it go before its time, because there was no room?
    pub is_early: bool,
}

/// The values that a site keeps. Clones share one.
#[derive(Clone)]
pub struct KeptContent {
    root: PathBuf,
    rules: Arc<[KeepRule]>,
    /// The files that were written last, by their paths.
    open: Arc<Mutex<BTreeMap<PathBuf, Connection>>>,
}

impl KeptContent {
    /// Opens what is kept below `root`; nothing is made while there is nothing to keep.
    pub fn open(root: &Path, rules: impl IntoIterator<Item = KeepRule>) -> KeptContent {
        KeptContent { root: root.to_owned(), rules: rules.into_iter().collect(), open: Arc::default() }
    }

    /// The sources whose values are kept.
    pub fn sources(&self) -> impl Iterator<Item = &SourceId> {
        self.rules.iter().map(|rule| &rule.source)
    }

    /// Keeps values, each once a day; they are durable when this returns. The same call may be repeated.
    ///
    /// Errors: [`StoreError`] when the disk refuses; some of the values may then be kept.
    pub fn keep(&self, values: &[KeptValue], now: Time) -> Result<(), StoreError> {
        let mut by_source: BTreeMap<&SourceId, Vec<&KeptValue>> = BTreeMap::new();
        values.iter().for_each(|value| by_source.entry(&value.source).or_default().push(value));
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for (source, values) in by_source {
            let path = self.folder(source).join(format!("{}.{EXTENSION}", day_of(now)));
            // Of each source the day that is written, and the day before while it ends.
            open.retain(|known, _| known.parent() != path.parent() || *known == path);
            let db = match open.entry(path) {
                std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::btree_map::Entry::Vacant(new) => {
                    let db = create(new.key())?;
                    new.insert(db)
                }
            };
            let tx = db.transaction()?;
            {
                let mut insert = tx.prepare_cached("INSERT OR IGNORE INTO content VALUES (?1, ?2)")?;
                for value in values {
                    insert.execute(params![value.digest.hex(), value.text])?;
                }
            }
            tx.commit()?;
        }
        Ok(())
    }

    /// The values whose digests start so (hexadecimal), newest day first.
    pub fn find(&self, digest: &str) -> Result<Vec<FoundValue>, StoreError> {
        let (from, mut found) = (digest.to_ascii_lowercase(), Vec::new());
        for (source, day, path) in self.files()? {
            let db = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            let mut select = db.prepare("SELECT digest, text FROM content WHERE digest >= ?1 AND digest < ?2")?;
            let rows = select.query_map(params![from, format!("{from}g")], |row| Ok((row.get(0)?, row.get(1)?)))?;
            for row in rows {
                let (digest, text) = row?;
                found.push(FoundValue { source: source.clone(), day: day.clone(), digest, text });
            }
        }
        found.sort_by(|a, b| b.day.cmp(&a.day));
        Ok(found)
    }

    /// What is kept, by source and day.
    pub fn days(&self) -> Result<Vec<KeptDay>, StoreError> {
        let mut days = Vec::new();
        for (source, day, path) in self.files()? {
            let db = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            let values = db.query_row("SELECT count(*) FROM content", [], |row| row.get::<_, i64>(0))?;
            let bytes = fs::metadata(&path).map_or(0, |meta| meta.len());
            days.push(KeptDay { source, day, values: values.unsigned_abs(), bytes });
        }
        Ok(days)
    }

    /// Deletes what is older than its source allows, what there is no room for, and all of sources that are no longer kept.
    ///
    /// Errors: [`StoreError`] when the disk refuses; what could be deleted is deleted.
    pub fn expire(&self, now: Time) -> Result<Vec<Expired>, StoreError> {
        let mut by_source: BTreeMap<SourceId, Vec<(String, PathBuf, u64)>> = BTreeMap::new();
        for (source, day, path) in self.files()? {
            let bytes = fs::metadata(&path).map_or(0, |meta| meta.len());
            by_source.entry(source).or_default().push((day, path, bytes));
        }
        let mut expired = Vec::new();
        for (source, mut days) in by_source {
            let rule = self.rules.iter().find(|rule| rule.source == source);
            let last = rule.map(|rule| day_of(now.plus_millis(-rule.retention_ms)));
            days.sort();
            let mut bytes: u64 = days.iter().map(|(.., bytes)| bytes).sum();
            for (day, path, size) in days {
                let is_over = last.as_ref().is_none_or(|last| day < *last);
                let is_early = !is_over && rule.is_some_and(|rule| bytes > rule.bytes_max);
                if !is_over && !is_early {
                    break;
                }
                self.delete(&path)?;
                bytes -= size;
                expired.push(Expired { source: source.clone(), day, is_early });
            }
        }
        Ok(expired)
    }

    /// Held all the while, so that nothing is written to a file that is on its way out.
    fn delete(&self, path: &Path) -> Result<(), StoreError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(path);
        fs::remove_file(path).map_err(|error| failed(path, error))
    }

    fn folder(&self, source: &SourceId) -> PathBuf {
        // Ids come from folders of content: letters, digits and `_`. Anything else must not lead out of here.
        let name: String =
            source.as_str().chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
        self.root.join(name)
    }

    /// Every file: its source, its day, its path.
    fn files(&self) -> Result<Vec<(SourceId, String, PathBuf)>, StoreError> {
        let mut files = Vec::new();
        for folder in listing(&self.root)? {
            let source = SourceId::new(folder.file_name().unwrap_or_default().to_string_lossy());
            for path in listing(&folder)? {
                if path.extension().is_some_and(|extension| extension == EXTENSION) {
                    let day = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                    files.push((source.clone(), day, path));
                }
            }
        }
        Ok(files)
    }
}

impl Store {
    /// Notes in the audit log that somebody was shown a value, and why.
    pub fn note_shown(&self, digest: &str, who: &str, why: &str, now: Time) -> Result<(), StoreError> {
        let detail = serde_json::json!({ "why": why }).to_string();
        self.write(|db| Ok(audit::seal(db, now, who, "content.shown", digest, &detail)?))
    }
}

/// The day of a time, UTC.
fn day_of(now: Time) -> String {
    now.to_string().chars().take(10).collect()
}

/// A day's file, which only its owner may read.
fn create(path: &Path) -> Result<Connection, StoreError> {
    let failed = |error| failed(path, error);
    let folder = path.parent().unwrap_or(path);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path).map_err(failed)?;
    let db = Connection::open(path)?;
    db.execute_batch(
        "CREATE TABLE IF NOT EXISTS content (digest TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID;",
    )?;
    Ok(db)
}

fn failed(path: &Path, error: std::io::Error) -> StoreError {
    StoreError::Open { path: path.to_owned(), source: Box::new(error) }
}

fn listing(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let failed = |error| failed(folder, error);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut paths =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(failed)?;
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const DAY_MS: i64 = 86_400_000;
    const PROMPTS: &str = "aws_bedrock_invocation";

    fn rule(retention_days: i64, bytes_max: u64) -> KeepRule {
        KeepRule { source: SourceId::from(PROMPTS), retention_ms: retention_days * DAY_MS, bytes_max }
    }

    fn value(text: &str) -> KeptValue {
        KeptValue { source: SourceId::from(PROMPTS), digest: Digest::of(text.as_bytes()), text: text.to_owned() }
    }

    fn on(day: &str) -> Time {
        Time::parse(&format!("{day}T12:00:00Z")).expect("a time")
    }

    #[test]
    fn a_value_is_found_by_its_digest_once_a_day_and_nothing_else_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = KeptContent::open(folder.path(), [rule(30, 1 << 30)]);
        kept.keep(&[value("\"a prompt\""), value("\"a prompt\""), value("\"another\"")], on("2026-11-20"))
            .expect("kept");
        kept.keep(&[value("\"a prompt\"")], on("2026-11-21")).expect("kept");
        let digest = Digest::of(b"\"a prompt\"").hex();
        let again = KeptContent::open(folder.path(), []);
        let found = again.find(&digest[..12]).expect("read");
        assert_eq!(
            found.iter().map(|found| (&*found.day, &*found.text)).collect::<Vec<_>>(),
            [("2026-11-21", "\"a prompt\""), ("2026-11-20", "\"a prompt\"")]
        );
        assert!(again.find(&Digest::of(b"else").hex()).expect("read").is_empty());
        assert_eq!(again.days().expect("read").iter().map(|day| day.values).collect::<Vec<_>>(), [2, 1]);
    }

    #[test]
    fn a_day_goes_when_all_of_it_is_too_old_and_a_source_that_is_no_longer_kept_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = KeptContent::open(folder.path(), [rule(2, 1 << 30)]);
        for day in ["2026-11-18", "2026-11-19", "2026-11-20"] {
            kept.keep(&[value(day)], on(day)).expect("kept");
        }
        let gone = |kept: &KeptContent, day: &str| -> Vec<String> {
            kept.expire(on(day)).expect("expired").into_iter().map(|expired| expired.day).collect()
        };
        assert_eq!(gone(&kept, "2026-11-20"), Vec::<String>::new(), "half of the 18th is not two days old");
        assert_eq!(gone(&kept, "2026-11-21"), ["2026-11-18"]);
        assert!(kept.find(&Digest::of(b"2026-11-18").hex()).expect("read").is_empty());
        assert_eq!(gone(&KeptContent::open(folder.path(), []), "2026-11-21"), ["2026-11-19", "2026-11-20"]);
    }

    #[test]
    fn the_oldest_day_goes_early_when_there_is_no_room_and_that_is_said() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = KeptContent::open(folder.path(), [rule(30, 340_000)]);
        for day in ["2026-11-18", "2026-11-19", "2026-11-20"] {
            kept.keep(&[value(&day.repeat(15_000))], on(day)).expect("kept");
        }
        let expired = kept.expire(on("2026-11-20")).expect("expired");
        assert_eq!(expired.iter().map(|one| (&*one.day, one.is_early)).collect::<Vec<_>>(), [("2026-11-18", true)]);
        kept.keep(&[value("later the same day")], on("2026-11-20")).expect("a file that is open goes on");
    }

    #[test]
    fn a_day_that_has_no_room_while_it_is_written_begins_anew_and_loses_nothing_after() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = KeptContent::open(folder.path(), [rule(30, 10_000)]);
        kept.keep(&[value(&"x".repeat(50_000))], on("2026-11-20")).expect("kept");
        let expiring = kept.clone();
        assert_eq!(expiring.expire(on("2026-11-20")).expect("expired").len(), 1);
        kept.keep(&[value("after")], on("2026-11-20")).expect("kept");
        assert_eq!(kept.find(&Digest::of(b"after").hex()).expect("read").len(), 1);
    }

    #[test]
    fn only_its_owner_reads_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = KeptContent::open(&folder.path().join("content"), [rule(30, 1 << 30)]);
        kept.keep(&[value("x")], on("2026-11-20")).expect("kept");
        let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        let day = folder.path().join("content").join(PROMPTS).join("2026-11-20.sqlite");
        assert_eq!((mode(&day), mode(day.parent().expect("a folder"))), (0o600, 0o700));
    }
}
