//! Detection over time: facts in, findings about many events out.
//!
//! In: [`Fact`]s, in any order within the allowed lateness. Out: [`Episode`]s, the same for any order of arrival, batch and restart
//! (`docs/reference/correlation-semantics.md`). Bound: keys and memory for each rule; what is let go of is counted.
//!
//! An [`Operator`] knows one type of rule. It is shown the facts of one group, instant by instant in order of time, and never sees a
//! late one: what keeps facts in order, takes late ones in and judges anew stands around it.

mod episode;
mod fact;
mod feeds;
mod matched;
mod operator;
mod runtime;
mod sigma;
pub mod stateful;
mod voice;

pub use episode::{Claim, Episode, Measure, Out, Told};
pub use fact::{Detail, Fact, Members, Texts, Values};
pub use matched::{Batch, Feeds, Matched, Progress};
pub use operator::Operator;
pub use runtime::{
    AllCounts, Correlations, Correlator, Counts, Live, Options, RestoreError, Restored, Snapshot, Statement, Wanted,
};
pub use sigma::{SigmaOperator, SigmaState};
pub use stateful::{StatefulOperator, StatefulState};
pub use voice::Voices;
