//! What runs operators: facts in any order in, statements out.

mod any;
mod asked;
mod chain;
mod clock;
mod correlator;
mod counts;
mod group;
mod judge;
mod live;
mod pending;
mod plan;
mod read;
mod recent;
mod snapshot;
mod still;
mod table;
mod take;
mod timers;
mod way;
mod who;

pub use correlator::{Correlator, Options, Statement};
pub use counts::{AllCounts, Counts};
pub use live::{Live, Wanted};
pub use plan::Correlations;
pub use snapshot::{RestoreError, Restored, Snapshot};
