//! The truth: alerts, findings, the outbox, the ledger, cursors and the audit log in one SQLite file, and the journal of
//! accepted raw records beside it.
//!
//! Floor 2. What comes in is already decided by the floors below (records evaluated, findings raised); this crate makes it
//! durable, exactly once, and answers questions about it. It reads no clock: `now` is handed in.
//!
//! | part | in → out | bound | when full |
//! |---|---|---|---|
//! | [`journal`] | batch → durable position | `total_bytes_max` | refuses with a typed error; the sender retries |
//! | [`Store::settle`] | what a batch came to → one transaction | the batch | the error says whether to retry; nothing is half done |
//! | facts | what correlations were told → rows behind the last two snapshots | the pipeline's snapshots | rows wait on disk |
//! | health | sums of each feed and hour, what sources declare → standings, alerts about ourselves | five weeks of hours | older ones are forgotten |
//! | outbox | alert moves → rows in per-alert order | alerts × routes × moves | waits on disk; dead letters wait for a person |
//! | proposals | things that batches showed and the inventory does not know → rows until a person decides | 10,000 things | counts what it leaves out |
//! | rejects | raw bytes and reason → kept copy | [`StoreOptions`] | then digests, then counts only; the count says so |

mod act;
mod alerts;
mod audit;
mod canary;
mod check;
mod correlations;
mod detail;
mod error;
mod facts;
mod feeds;
mod health;
pub mod journal;
mod kept;
mod ledger;
mod lost;
mod migrations;
mod open;
mod outbox;
mod paths;
mod payload;
mod proposals;
mod rejects;
mod report;
mod routes;
mod rows;
mod rules;
mod search;
mod settle;
mod settlement;
mod silences;
mod standings;
mod stats;
mod triage;

pub use alerts::{AlertPage, AlertQuery, AlertSort};
pub use audit::{AuditEntry, AuditReport};
pub use canary::{CANARY_SOURCE, CanaryReport};
pub use correlations::CorrelationCount;
pub use detail::{AlertDetail, Delivery, EvidenceRow, FindingRow, HistoryRow};
pub use engine::context::AssetKind;
pub use engine::health as figures;
pub use error::{ActError, Retry, SilenceError, StoreError};
pub use facts::{FactsRow, FactsSpan, SnapshotRow};
pub use feeds::{Feed, Measured, heard};
pub use health::SourceHealth;
pub use kept::{Expired, FoundValue, KeepRule, KeptContent, KeptDay, KeptValue};
pub use migrations::{SCHEMA_VERSION, schema_markdown};
pub use open::{Store, StoreOptions};
pub use outbox::{OutboxOutcome, OutboxQuery, OutboxRow, OutboxState};
pub use proposals::{ProposalError, ProposalRow, Proposals};
pub use rejects::{RejectQuery, RejectRow, RejectTotal};
pub use report::{HealthReport, SourceReport};
pub use routes::RouteRule;
pub use rules::RuleCount;
pub use settlement::{Cursor, Evidence, Raised, Rejected, Settled, Settlement, Sighting};
pub use silences::SilenceRow;
pub use standings::{Change, Contracts};
pub use stats::{HourCount, RouteStats, Stats};

#[cfg(test)]
mod tests;
