//! What can go wrong with the store, and whether trying again helps.

use std::path::PathBuf;

use model::{AlertId, IllegalMove};

/// What a caller should do after an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Retry {
    /// The same call may succeed in a moment: another writer held the file.
    Soon,
    /// The same call may succeed once an operator has made room or mended the disk. Nothing was written.
    AfterRepair,
    /// The same call will fail again.
    Never,
}

/// Why the store could not do what was asked. A failed call has changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The data directory or the database file cannot be opened.
    #[error("cannot open the store `{}`", path.display())]
    Open {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file was written by a newer Watchkeep.
    #[error(
        "the store `{}` has schema {found}, newer than the {known} that this version knows; run the version that wrote it, or restore a copy from before the upgrade",
        path.display()
    )]
    NewerSchema {
        /// The path.
        path: PathBuf,
        /// The file's schema.
        found: u32,
        /// The newest schema of this binary.
        known: u32,
    },
    /// The file is a SQLite database of something else.
    #[error("`{}` is a database, but not a Watchkeep store", path.display())]
    NotOurs {
        /// The path.
        path: PathBuf,
    },
    /// Another process held the write lock for longer than the busy timeout.
    #[error("the store is locked by another process")]
    Busy(#[source] rusqlite::Error),
    /// The disk, or the size allowed to the database, is full.
    #[error("the store's disk is full")]
    Full(#[source] rusqlite::Error),
    /// The disk failed.
    #[error("the store's disk failed")]
    Io(#[source] rusqlite::Error),
    /// The file is damaged.
    #[error("the store is damaged; restore a copy, or recover it with `sqlite3 .recover`")]
    Corrupt(#[source] rusqlite::Error),
    /// Anything else that SQLite says.
    #[error("the store refused a statement")]
    Sql(#[source] rusqlite::Error),
    /// A stored value is not what its column promises.
    #[error("{what} `{value}` in the store cannot be read")]
    Decode {
        /// Which column.
        what: &'static str,
        /// The value, cut to 128 characters.
        value: String,
    },
    /// An outbox row that does not exist, or is not in the state that the call needs.
    #[error("outbox row {id} is not {expected}")]
    Outbox {
        /// The row.
        id: i64,
        /// What it should have been.
        expected: &'static str,
    },
}

impl StoreError {
    /// Whether trying again helps.
    pub fn retry(&self) -> Retry {
        match self {
            StoreError::Busy(_) => Retry::Soon,
            StoreError::Full(_) | StoreError::Io(_) => Retry::AfterRepair,
            _ => Retry::Never,
        }
    }

    pub(crate) fn decode(what: &'static str, value: &str) -> StoreError {
        StoreError::Decode { what, value: value.chars().take(128).collect() }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        use rusqlite::ErrorCode as Code;
        match error.sqlite_error_code() {
            Some(Code::DatabaseBusy | Code::DatabaseLocked) => StoreError::Busy(error),
            Some(Code::DiskFull) => StoreError::Full(error),
            Some(Code::SystemIoFailure | Code::CannotOpen | Code::ReadOnly) => StoreError::Io(error),
            Some(Code::DatabaseCorrupt | Code::NotADatabase) => StoreError::Corrupt(error),
            _ => StoreError::Sql(error),
        }
    }
}

/// Why a person's act on an alert was refused.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// No alert has the id.
    #[error("no alert has the id `{0}`")]
    NoAlert(AlertId),
    /// The alert's state does not allow the move.
    #[error(transparent)]
    Illegal(#[from] IllegalMove),
    /// The act names nobody.
    #[error("an act on an alert needs the name of who does it")]
    Nobody,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for ActError {
    fn from(error: rusqlite::Error) -> ActError {
        ActError::Store(error.into())
    }
}

/// Why a silence was refused.
#[derive(Debug, thiserror::Error)]
pub enum SilenceError {
    /// It has no condition and would take everything.
    #[error("a silence needs at least one of rule_id, source or entity; one without takes everything")]
    NoCondition,
    /// Nobody answers for it.
    #[error("a silence needs an owner")]
    NoOwner,
    /// It gives no reason.
    #[error("a silence needs a reason")]
    NoReason,
    /// It ended before it began.
    #[error("the silence's end {expires} is not after now, {now}")]
    Expired {
        /// The end asked for.
        expires: model::Time,
        /// The time of asking.
        now: model::Time,
    },
    /// It has no end worth the name.
    #[error("the silence's end {expires} is more than {days_max} days away; a silence must end, and can be renewed")]
    Endless {
        /// The end asked for.
        expires: model::Time,
        /// The longest allowed.
        days_max: u32,
    },
    /// Its id is taken.
    #[error("a silence with the id `{0}` exists already")]
    Taken(String),
    /// No running silence has the id.
    #[error("no running silence has the id `{0}`")]
    NotRunning(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for SilenceError {
    fn from(error: rusqlite::Error) -> SilenceError {
        SilenceError::Store(error.into())
    }
}
