//! What people and receivers do to an alert.

use model::{Alert, AlertId, Move, Time};

use crate::{ActError, Store};

impl Store {
    /// Moves an alert: only legal moves. Writes history, audit, and `alert.acknowledged` or `alert.closed` for the routes that were told
    /// of its opening.
    pub fn act(
        &self,
        alert_id: AlertId,
        step: Move,
        who: &str,
        reason: Option<&str>,
        now: Time,
    ) -> Result<Alert, ActError> {
        let _ = (alert_id, step, who, reason, now);
        unimplemented!()
    }
}
