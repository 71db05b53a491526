//! The nouns of Watchkeep: ids, time, events, findings, alerts, entities, and the legal moves between their states.
//!
//! Floor 0. Nothing here reads a clock, a file, a socket or the environment; everything above may import it.

mod alert;
mod context;
mod diagnostic;
mod digest;
mod entity;
mod finding;
mod id;
mod lane;
mod ledger;
mod level;
mod reject;
mod silence;
mod time;
mod window;

pub use alert::{Alert, AlertState, Clocks, IllegalMove, Move, Verdict};
pub use context::{Enrichment, Fact, Provider};
pub use diagnostic::{Diagnostic, Severity};
pub use digest::Digest;
pub use entity::{Entity, EntityKind};
pub use finding::{Disposition, Finding, FoldKey, MatchedTerm, RuleKind};
pub use id::{AlertId, EventId, FindingId, RuleId, SourceId};
pub use lane::Lane;
pub use ledger::{Balance, Entry, Imbalance, Ledger, Step};
pub use level::Level;
pub use reject::Reject;
pub use silence::{Silence, SilenceMatch};
pub use time::{Time, TimeError};
pub use window::{Standing, Window, WindowEvent};

#[cfg(test)]
mod tests;
