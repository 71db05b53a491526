//! The gate: how many requests, and how many bytes of bodies, are taken in at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes are counted in units of this size.
const UNIT_BYTES: usize = 1024;

pub(crate) struct Gate {
    requests: Arc<Semaphore>,
    units: Arc<Semaphore>,
    units_max: usize,
}

/// Leave to take in one request; given back when dropped.
pub(crate) struct Leave {
    _request: OwnedSemaphorePermit,
    units: OwnedSemaphorePermit,
    units_max: usize,
}

impl Gate {
    pub fn new(requests_max: usize, bytes_max: usize) -> Gate {
        let units_max = (bytes_max / UNIT_BYTES).clamp(1, Semaphore::MAX_PERMITS);
        Gate {
            requests: Arc::new(Semaphore::new(requests_max.max(1))),
            units: Arc::new(Semaphore::new(units_max)),
            units_max,
        }
    }

    /// Leave for a request whose body may have `bytes`; `None` when there is no room now. A single body larger than all
    /// the room takes all of it.
    pub fn enter(&self, bytes: usize) -> Option<Leave> {
        let request = self.requests.clone().try_acquire_owned().ok()?;
        let units = bytes.div_ceil(UNIT_BYTES).clamp(1, self.units_max);
        let units = self.units.clone().try_acquire_many_owned(u32::try_from(units).unwrap_or(u32::MAX)).ok()?;
        Some(Leave { _request: request, units, units_max: self.units_max })
    }
}

impl Leave {
    /// Leave for `bytes` in all; false, and nothing changes, when there is no room for more now.
    pub fn cover(&mut self, bytes: usize) -> bool {
        let units = bytes.div_ceil(UNIT_BYTES).clamp(1, self.units_max);
        let more = u32::try_from(units.saturating_sub(self.units.num_permits())).unwrap_or(u32::MAX);
        if more == 0 {
            return true;
        }
        let granted = self.units.semaphore().clone().try_acquire_many_owned(more);
        granted.map(|granted| self.units.merge(granted)).is_ok()
    }
}
