use std::path::PathBuf;

/// Why the lake could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// A file or folder could not be read or written. A later attempt may succeed.
    #[error("the lake cannot {action} `{}`", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A Parquet file could not be written or read.
    #[error("the lake file `{}` cannot be {action}", path.display())]
    Parquet {
        /// `written` or `read`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: parquet::errors::ParquetError,
    },
    /// A Parquet file does not hold what this version of Watchkeep writes.
    #[error("the lake file `{}` has no column `{column}` of the expected type", path.display())]
    Column {
        /// The file.
        path: PathBuf,
        /// The column.
        column: &'static str,
    },
    /// An earlier write could not be synced: what is on the disk is not known until the lake is opened again.
    #[error("the lake spool `{}` refuses rows after a failed sync, until it is opened again", .0.display())]
    Refusing(PathBuf),
    /// Bytes of a spool went bad. What was whole is in the lake; the file is kept. Said once for each spool;
    /// [`LakeStats::damaged_spools`](crate::LakeStats::damaged_spools) counts the files that are kept.
    #[error("the lake spool kept as `{}` holds no rows after byte {whole} of {length}", path.display())]
    Damaged {
        /// The file as it is kept.
        path: PathBuf,
        /// Bytes up to the first entry that does not hold.
        whole: u64,
        /// Bytes of the file.
        length: u64,
    },
}

/// Names the action and the path of a failed file operation.
pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> LakeError {
    let path = path.into();
    move |source| LakeError::Io { action, path, source }
}
