//! Events of others' schemas as Parquet, for those who read OCSF or ECS by columns: one file for each source.
//!
//! Comes in: events as JSON objects, in any number and order. Goes out: `<folder>/<source>.parquet`, compressed with zstd, in which objects
//! are structs, lists are lists, and what is different for each feed (`unmapped`, in ECS `watchkeep`) is a map from path to text.
//!
//! A file has the columns that its events have, so the events are read twice: they lie in a spool file next to the result until all have
//! come. Bound: memory holds the shape of the events and one batch of [`ROWS_PER_BATCH`]; the disk holds the events once more.
//! A file is whole or absent: it is written under a temporary name, synced and renamed.

mod array;
mod shape;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use parquet::arrow::ArrowWriter;
use serde_json::Value;

use crate::LakeError;
use crate::error::io;
use crate::parquet_file::properties;
use crate::partition::file_name;
use shape::Shape;

/// Events that are held in memory at once.
pub const ROWS_PER_BATCH: usize = 4096;

/// Writes events as Parquet.
#[derive(Debug)]
pub struct ParquetExport {
    folder: PathBuf,
    parts: BTreeMap<String, Part>,
}

/// The events of one source on their way.
#[derive(Debug)]
struct Part {
    path: PathBuf,
    spool: BufWriter<File>,
    shape: Shape,
}

impl ParquetExport {
    /// An export to `folder`, which is made if it is not there.
    ///
    /// Errors: the folder cannot be made.
    pub fn create(folder: &Path) -> Result<ParquetExport, LakeError> {
        fs::create_dir_all(folder).map_err(io("make", folder))?;
        Ok(ParquetExport { folder: folder.to_owned(), parts: BTreeMap::new() })
    }

    /// Takes an event of `source`: a JSON object on one line.
    ///
    /// Errors: the spool cannot be written; or the bytes are no JSON object, which is its caller's mistake.
    pub fn add(&mut self, source: &str, event: &[u8]) -> Result<(), LakeError> {
        let part = match self.parts.entry(source.to_owned()) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => entry.insert(Part::create(&self.folder, source)?),
        };
        let value: Value = serde_json::from_slice(event).map_err(|error| {
            let source = parquet::errors::ParquetError::External(Box::new(error));
            LakeError::Parquet { action: "written", path: part.path.clone(), source }
        })?;
        part.shape.note(&value);
        let line = part.spool.write_all(event).and_then(|()| part.spool.write_all(b"\n"));
        line.map_err(io("write", &part.path))
    }

    /// Writes the files, in order of source; gives their paths.
    ///
    /// Errors: a file cannot be written; those before it stay.
    pub fn finish(self) -> Result<Vec<PathBuf>, LakeError> {
        self.parts.into_values().map(Part::finish).collect()
    }
}

impl Part {
    fn create(folder: &Path, source: &str) -> Result<Part, LakeError> {
        // A spool has no name to clean up after a crash: it is gone as soon as nobody holds it.
        let spool = tempfile::tempfile_in(folder).map_err(io("make", folder))?;
        let path = folder.join(format!("{}.parquet", file_name(source)));
        Ok(Part { path, spool: BufWriter::new(spool), shape: Shape::default() })
    }

    fn finish(self) -> Result<PathBuf, LakeError> {
        let path = self.path.as_path();
        let mut spool = self.spool.into_inner().map_err(|error| io("write", path)(error.into_error()))?;
        spool.rewind().map_err(io("read", path))?;
        let temporary = path.with_extension("parquet.tmp");
        let file = File::create(&temporary).map_err(io("make", &temporary))?;
        let wrong = |source| LakeError::Parquet { action: "written", path: temporary.clone(), source };
        let schema = Arc::new(self.shape.schema());
        let mut writer = ArrowWriter::try_new(&file, schema.clone(), Some(properties())).map_err(wrong)?;
        let mut lines = BufReader::new(spool).lines();
        loop {
            let batch: Result<Vec<String>, _> = lines.by_ref().take(ROWS_PER_BATCH).collect();
            let batch = batch.map_err(io("read", path))?;
            if batch.is_empty() {
                break;
            }
            let rows: Vec<Value> =
                batch.iter().map(|line| serde_json::from_str(line).expect("it was read when it came")).collect();
            let columns = self.shape.columns(&rows);
            let batch = RecordBatch::try_new(schema.clone(), columns).expect("the columns are built to the schema");
            writer.write(&batch).map_err(wrong)?;
        }
        writer.close().map_err(wrong)?;
        file.sync_all().map_err(io("sync", &temporary))?;
        fs::rename(&temporary, path).map_err(io("rename", &temporary))?;
        Ok(path.to_owned())
    }
}

#[cfg(test)]
mod tests;
