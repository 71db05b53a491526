//! The lake: the history of events, as Parquet files that any engine reads.
//!
//! Comes in: rows of evaluated events ([`Row`]). Goes out: `events/source=<id>/day=<yyyy-mm-dd>/<time>-<number>.parquet`,
//! compressed with zstd, and [`Lake::read`] over a source and a range of event time.
//!
//! Guarantee: when [`Lake::append`] returns, its rows survive a crash. They lie first in a spool file (appended, synced,
//! each entry with a checksum), and move to Parquet when the spool is full or old enough. A Parquet file is written
//! under a temporary name, synced, and renamed; its name is that of its spool, so a conversion that a crash cut short is
//! done again and replaces itself. Rows that are appended twice (a batch evaluated again after a crash) are told
//! apart by their event id and read once.
//!
//! Bounds: a spool holds [`LakeOptions::spool_bytes`]; conversion holds one spool in memory; when
//! [`LakeOptions::sealed_spools_max`] full spools wait for conversion, `append` converts them before it takes rows into a new
//! one, so the line slows down instead of the disk filling with spools; while that many cannot be converted, it refuses.
//!
//! A spool whose last entry is torn (a kill in the middle of a write) gives what is whole: the torn entry was never
//! acknowledged, so its batch is evaluated again. One with bytes gone bad also gives what is whole; the file stays as
//! `spool/*.corrupt`, is said once as [`LakeError::Damaged`] and counted in [`LakeStats`].

mod error;
pub mod export;
mod folder;
mod parquet_file;
mod partition;
mod row;
mod spool;
mod store;

pub use error::LakeError;
pub use row::Row;
pub use store::{Lake, LakeOptions, LakeStats};

#[cfg(test)]
mod tests;
