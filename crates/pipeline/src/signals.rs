//! What the pipeline measures. Labels come from closed sets; nothing here holds a payload.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

use store::Settled;

/// An outcome in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Records counted by the input.
    pub received: u64,
    /// Records kept with a reason.
    pub rejected: u64,
    /// Findings.
    pub raised: u64,
    /// Records whose evaluation panicked.
    pub panicked: u64,
}

macro_rules! signals {
    ($($(#[doc = $doc:literal])* $name:ident => $metric:literal,)*) => {
        /// Counters of one pipeline, from zero at its start.
        #[derive(Debug, Default)]
        pub struct Signals {
            $($(#[doc = $doc])* pub $name: AtomicU64,)*
            store_error: Mutex<Option<String>>,
        }

        /// Every signal: its metric name and what it counts. The operator's reference is made from this list.
        pub const SIGNALS: &[(&str, &str)] = &[$(($metric, concat!($($doc),*).trim_ascii()),)*];

        impl Signals {
            /// Every counter's metric name and value, in the order of [`SIGNALS`].
            pub fn values(&self) -> Vec<(&'static str, u64)> {
                vec![$(($metric, self.$name.load(Ordering::Relaxed)),)*]
            }
        }
    };
}

signals! {
    /// Records counted by inputs.
    received => "line_received_records_total",
    /// Records kept with a reason.
    rejected => "line_rejected_records_total",
    /// Findings raised.
    raised => "line_raised_findings_total",
    /// Alerts opened.
    opened => "line_opened_alerts_total",
    /// Records whose evaluation panicked.
    panicked => "line_panicked_records_total",
    /// Settlements that the store or the lake refused.
    refused => "line_refused_settlements_total",
    /// HTTP batches that were journalled.
    journalled => "http_journalled_batches_total",
    /// HTTP requests answered with 503.
    busy => "http_busy_requests_total",
    /// HTTP requests answered with 4xx.
    turned_away => "http_refused_requests_total",
    /// Batches of network inputs that were journalled.
    network => "network_journalled_batches_total",
    /// Sends that a receiver accepted.
    delivered => "router_delivered_rows_total",
    /// Sends that failed and will be tried again.
    retried => "router_retried_rows_total",
    /// Rows given up.
    dead => "router_dead_rows_total",
}

impl Signals {
    pub(crate) fn add(counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn settled(&self, counted: Counted, settled: &Settled) {
        Signals::add(&self.received, counted.received);
        Signals::add(&self.rejected, counted.rejected);
        Signals::add(&self.raised, counted.raised);
        Signals::add(&self.panicked, counted.panicked);
        Signals::add(&self.opened, settled.opened.len() as u64);
    }

    pub(crate) fn store_refused(&self, error: &str) {
        Signals::add(&self.refused, 1);
        *self.store_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_owned());
    }

    pub(crate) fn store_recovered(&self) {
        *self.store_error.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Why the line waits, while it does.
    pub fn store_error(&self) -> Option<String> {
        self.store_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
