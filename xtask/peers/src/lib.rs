//! Other people's Sigma engines behind one small interface, to be compared with ours: whether both give the same answers
//! (`tests/`), and at what cost (`cargo xtask bench engine`).
//!
//! Nothing that is shipped depends on this crate.

mod over_time;
mod rsigma;

pub use over_time::{Fired, OverTime};
pub use rsigma::{Event, LogSource, Options, Routing, Rsigma};
