//! Other people's Sigma engines behind one small interface, to be compared with ours: whether both give the same answers
//! (`tests/`), and at what cost (`cargo xtask bench engine`).
//!
//! Nothing that is shipped depends on this crate.

mod rsigma;

pub use rsigma::{Event, LogSource, Options, Routing, Rsigma};
