//! The Sigma conformance suite of `conformance/sigma/`: read, asked of any engine, judged, and told in tables.
//!
//! In: the suite's folder and an engine behind the adapter protocol of `conformance/sigma/README.md`. Out: one verdict for each
//! case. This crate knows no engine; ours answers as any other does.

mod case;
mod judge;
mod page;
mod peer;
mod question;
mod sequence;

pub use case::{Case, Expected, Section, Suite};
pub use judge::{Verdict, judge};
pub use page::{comparison, coverage, replace_between};
pub use peer::{Peer, PeerError};
pub use question::{Answer, LogSource, Question};
pub use sequence::{Found, Sequence, Timed};
