//! Alerts about ourselves.

use model::{AlertId, Imbalance, Level, Time};

use crate::{RouteRule, Store, StoreError};

impl Store {
    /// The routes that alerts about ourselves take; `settle` sets them too.
    pub fn set_routes(&self, routes: &[RouteRule]) {
        let _ = routes;
        unimplemented!()
    }

    /// Raises an alert about ourselves (source `watchkeep`). Calls with the same `key` fold into one alert while it is not closed.
    pub fn raise_self(
        &self,
        title: &str,
        message: &str,
        level: Level,
        key: &str,
        now: Time,
    ) -> Result<AlertId, StoreError> {
        let _ = (title, message, level, key, now);
        unimplemented!()
    }

    /// Checks every conservation law; what does not hold raises one alert about ourselves.
    pub fn check_balance(&self, now: Time) -> Result<Vec<Imbalance>, StoreError> {
        let _ = now;
        unimplemented!()
    }
}
