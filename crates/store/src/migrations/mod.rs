//! Numbered migrations: each is one SQL file, applied once, in its own transaction. The file's `user_version` is the last one applied.

use std::fmt::Write as _;
use std::path::Path;

use rusqlite::Connection;

use crate::StoreError;

/// A migration: its number is its place from 1.
pub(crate) struct Migration {
    /// The file's name.
    pub name: &'static str,
    /// The file's statements.
    pub sql: &'static str,
}

pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration { name: "0001_truth.sql", sql: include_str!("0001_truth.sql") },
    Migration { name: "0002_correlations.sql", sql: include_str!("0002_correlations.sql") },
    Migration { name: "0003_source_health.sql", sql: include_str!("0003_source_health.sql") },
    Migration { name: "0004_schema_drift.sql", sql: include_str!("0004_schema_drift.sql") },
    Migration { name: "0005_proposals.sql", sql: include_str!("0005_proposals.sql") },
];

/// The newest schema that this version knows.
pub const SCHEMA_VERSION: u32 = MIGRATIONS.len() as u32;

/// "Wkst": says in the file's header whose it is.
const APPLICATION_ID: i32 = 0x576b_7374;

/// Brings a file to the newest schema, or refuses it untouched.
pub(crate) fn migrate(db: &mut Connection, path: &Path, migrations: &[Migration]) -> Result<(), StoreError> {
    let known = migrations.len() as u32;
    if version(db, path)? == known {
        return Ok(());
    }
    // The version is read again under the write lock: another process may be migrating the same file.
    let tx = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let found = version(&tx, path)?;
    if found > known {
        return Err(StoreError::NewerSchema { path: path.to_owned(), found, known });
    }
    for (number, migration) in (1..).zip(migrations).filter(|(number, _)| *number > found) {
        tracing::info!(number, name = migration.name, "the store's schema moves on");
        tx.execute_batch(migration.sql)?;
        tx.pragma_update(None, "user_version", number)?;
    }
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.commit()?;
    Ok(())
}

/// The file's schema: 0 for an empty file.
fn version(db: &Connection, path: &Path) -> Result<u32, StoreError> {
    let owner: i32 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let found: u32 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
    let ours = owner == APPLICATION_ID;
    if !ours && (tables > 0 || owner != 0) {
        return Err(StoreError::NotOurs { path: path.to_owned() });
    }
    Ok(if ours { found } else { 0 })
}

/// The schema as a Markdown page, made from the migrations and the comments in them.
pub fn schema_markdown() -> String {
    let mut page = String::from(
        "# The store's schema\n\nMade from `crates/store/src/migrations/`; a test holds this page to them. \
         The file is `state.db` in the data directory: SQLite, write-ahead log, `synchronous = FULL`.\n",
    );
    let _ = writeln!(page, "Schema version {SCHEMA_VERSION} (`PRAGMA user_version`); a newer file is refused.");
    page.push_str(
        "Times are microseconds since the Unix epoch, UTC. Ids are the bytes behind their hexadecimal digits.\n",
    );
    for migration in MIGRATIONS {
        let mut lines = migration.sql.lines();
        while let Some(line) = lines.next() {
            if let Some(name) = line.strip_prefix("CREATE TABLE ").and_then(|rest| rest.split_whitespace().next()) {
                let _ = write!(page, "\n## {name}\n\n| column | type | what |\n|---|---|---|\n");
                lines.by_ref().take_while(|line| !line.starts_with(')')).for_each(|line| column_row(line, &mut page));
            } else if let Some(rest) = line.strip_prefix("CREATE VIRTUAL TABLE ") {
                let _ = write!(page, "\n## {}\n\n`{}`\n", rest.split_whitespace().next().unwrap_or(""), line);
            }
        }
    }
    page
}

/// One line of a table's definition as a row of the page; constraints are passed over.
fn column_row(line: &str, page: &mut String) {
    let Some((definition, what)) = line.trim().split_once("-- ") else { return };
    let mut words = definition.trim().trim_end_matches(',').splitn(2, char::is_whitespace);
    let (name, kind) = (words.next().unwrap_or(""), words.next().unwrap_or("").trim());
    let _ = writeln!(page, "| `{name}` | {kind} | {what} |");
}
