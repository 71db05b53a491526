//! The health of sources: what is measured of each, and what the figures say.
//!
//! In: events on the line ([`Tally`]); later what was heard of a source, what it declares, and the time ([`judge()`]). Out: [`Sums`] that add
//! up in any order; a [`Verdict`] with a sentence that says what was measured and what was expected. Pure functions: the same figures
//! at the same time give the same verdict. Bound: a source's required fields, and five weeks of hours.

mod drift;
mod judge;
mod lags;
mod rules;
mod sums;
mod verdict;
mod volume;
mod words;

pub use drift::{Drift, NAME_MAX, PATHS_MAX, Paths, SAMPLED, Seen, drift};
pub use judge::{Contract, Heard, Judged, Trouble, VolumeNow, Watch, judge};
pub use lags::{BUCKETS, Lags};
pub use rules::{Degraded, Standing, degraded};
pub use sums::{AHEAD_MAX_MS, Fill, Sums, Tally};
pub use verdict::Verdict;
pub use volume::{Expectation, Hours, WEEKS, expectation, longest_gap_ms};
pub use words::{minute, percent, span};
