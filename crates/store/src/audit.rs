//! The audit log: who did what, sealed by a hash chain.

use model::Time;
use serde::Serialize;

use crate::{Store, StoreError};

/// One act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditEntry {
    /// Place in the chain, from 1.
    pub seq: u64,
    /// When.
    pub at: Time,
    /// Who.
    pub who: String,
    /// What: `alert.acknowledged`, `silence.added`, ….
    pub action: String,
    /// On what.
    pub subject: String,
    /// The rest, as JSON text.
    pub detail: String,
    /// The entry's digest, hexadecimal.
    pub digest: String,
}

/// What verifying the chain found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditReport {
    /// Entries in the log.
    pub entries: u64,
    /// Digest of the last entry, hexadecimal: note it elsewhere to notice a cut tail.
    pub head: String,
    /// The first entry that does not hold, and why.
    pub broken: Option<(u64, String)>,
}

impl Store {
    /// Audit entries, latest first.
    pub fn audit(&self, offset: u64, limit: u64) -> Result<Vec<AuditEntry>, StoreError> {
        let _ = (offset, limit);
        unimplemented!()
    }

    /// Recomputes the whole chain.
    pub fn verify_audit(&self) -> Result<AuditReport, StoreError> {
        unimplemented!()
    }
}
