//! The conservation ledger.

use model::{Imbalance, Ledger, Time};

use crate::{Store, StoreError};

impl Store {
    /// The counts of the hours of receipt that begin in `since..until`.
    pub fn ledger(&self, since: Time, until: Time) -> Result<Ledger, StoreError> {
        let _ = (since, until);
        unimplemented!()
    }

    /// The laws that do not hold, over the last 35 days of records and findings and the whole outbox.
    pub fn imbalances(&self, now: Time) -> Result<Vec<Imbalance>, StoreError> {
        let _ = now;
        unimplemented!()
    }
}
