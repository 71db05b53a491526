//! Rejects: bytes that did not become an event, kept with their reason.

use model::{Reject, SourceId, Time};
use serde::Serialize;

use crate::{Store, StoreError};

/// A kept reject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RejectRow {
    /// The row.
    pub id: i64,
    /// The input.
    pub input: String,
    /// The source, if it was known.
    pub source: Option<SourceId>,
    /// Why.
    pub reason: Reject,
    /// When it came.
    pub received: Time,
    /// Length of the whole record.
    pub bytes: u64,
    /// SHA-256 of the whole record, hexadecimal.
    pub sha256: String,
    /// The record, cut to `reject_bytes_max`; `None` once the copies of its input and reason are full.
    pub raw: Option<Vec<u8>>,
}

/// All rejects of one input and reason: what is kept, and what is only counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RejectTotal {
    /// The input.
    pub input: String,
    /// Why.
    pub reason: Reject,
    /// How many there were.
    pub total: u64,
    /// How many have a raw copy.
    pub with_raw: u64,
    /// How many have a digest only.
    pub with_digest: u64,
    /// Digest of the digests of those that are only counted, in order; `None` when there are none.
    pub rolled_sha256: Option<String>,
    /// When the latest came.
    pub last_received: Time,
}

/// Which rejects. `None` means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RejectQuery {
    /// The input.
    pub input: Option<String>,
    /// The source.
    pub source: Option<String>,
    /// Why.
    pub reason: Option<Reject>,
    /// How many to pass over.
    pub offset: u64,
    /// How many to give; 0 means 50.
    pub limit: u64,
}

impl Store {
    /// Kept rejects, latest first.
    pub fn rejects(&self, query: &RejectQuery) -> Result<Vec<RejectRow>, StoreError> {
        let _ = query;
        unimplemented!()
    }

    /// How many rejects there are of each input and reason, and how they are kept.
    pub fn reject_totals(&self) -> Result<Vec<RejectTotal>, StoreError> {
        unimplemented!()
    }
}
