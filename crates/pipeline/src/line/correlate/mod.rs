//! Detection over time on the line: one state, shown what settlements hold in the settled order, durable with what it says.
//!
//! In: what a settlement's batches say to correlations. Out: findings, settled in the same transaction as the batches, their cursor, and one row
//! of the log of facts. Bound: the state's own limits; [`CorrelateOptions`] for what is logged between two snapshots. When the state fails: the
//! correlation at fault is set aside, the state is built anew, and an alert about ourselves says so.
//!
//! The state after a crash is the last snapshot and, behind it, the rows of the log. What they say when they are shown again is thrown away: it was
//! settled with them. So nothing is lost and nothing is told twice, wherever a kill falls
//! ([0044](../../../../../docs/decisions/0044-correlations-log-and-snapshot.md)).

mod engine;
mod keeper;
mod log;
mod restore;
mod watch;
mod writer;

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ::engine::correlate::Batch;
use model::{Finding, Time};

use super::SetAside;

pub use engine::EngineCorrelations;
pub(super) use keeper::Keeper;

/// The input under which findings about many events are counted: their events may have come through several.
pub const INPUT: &str = "correlations";

/// Detection over time, compiled. Shared.
pub trait Correlate: Send + Sync {
    /// What places in a batch stand for.
    fn names(&self) -> &Names;
    /// A state that has seen nothing.
    fn begin(&self) -> Box<dyn Correlating>;
    /// The state that a snapshot was taken of. Errors: why the bytes are none that this program reads.
    fn restore(&self, from: &mut dyn Read) -> Result<Restored, String>;
}

/// Detection over time while it runs. One thread owns it.
pub trait Correlating: Send {
    /// Takes a batch in; gives what it comes to.
    fn batch(&mut self, batch: &Batch) -> Vec<Finding>;
    /// Goes on without records: it is `now`.
    fn tick(&mut self, now: Time) -> Vec<Finding>;
    /// A cheap copy of this moment.
    fn snapshot(&self) -> Box<dyn Frozen>;
    /// What each correlation counts about itself, in order.
    fn counts(&self) -> Vec<RuleCounts>;
    /// After a panic: the correlation at which it happened, if that is known.
    fn suspect(&self) -> Option<SetAside>;
    /// Shows a correlation nothing more.
    fn set_aside(&mut self, rule_id: &str);
}

/// A copy of a state, to be written on another thread.
pub trait Frozen: Send {
    /// Writes it. Errors: those of the writer.
    fn write(&self, to: &mut dyn Write) -> io::Result<()>;
}

/// A state from a snapshot.
pub struct Restored {
    /// The state.
    pub state: Box<dyn Correlating>,
    /// Correlations whose part could not be kept, because they changed or are gone: by id.
    pub dropped: Vec<String>,
}

/// What places in a batch stand for: the same text for the same meaning, whatever content is loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The feeding rules: id and revision.
    pub rules: Vec<String>,
    /// The fields that are read.
    pub fields: Vec<String>,
}

/// What one correlation counts about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleCounts {
    /// The correlation's id.
    pub rule_id: String,
    /// Its title.
    pub title: String,
    /// Facts taken in.
    pub taken: u64,
    /// Of these, facts that came in order later than others.
    pub late: u64,
    /// Facts that came later than is allowed and took no part.
    pub too_late: u64,
    /// Values and events that groups let go of.
    pub shed: u64,
    /// Groups that were let go of because there were too many.
    pub evicted: u64,
    /// Facts that were let go of with them.
    pub lost: u64,
    /// Groups kept now.
    pub groups: u64,
    /// Bytes that they hold.
    pub bytes: u64,
    /// Is it shown nothing more?
    pub is_aside: bool,
}

impl RuleCounts {
    /// Each count under its name.
    fn by_name(&self) -> BTreeMap<String, u64> {
        let counts = [
            ("taken", self.taken),
            ("late", self.late),
            ("too_late", self.too_late),
            ("shed", self.shed),
            ("evicted", self.evicted),
            ("lost", self.lost),
            ("groups", self.groups),
            ("bytes", self.bytes),
            ("set_aside", self.is_aside.into()),
        ];
        counts.into_iter().map(|(name, n)| (name.to_owned(), n)).collect()
    }
}

/// What a line needs for detection over time.
#[derive(Clone)]
pub struct CorrelateParts {
    /// The correlations.
    pub with: Arc<dyn Correlate>,
    /// Where snapshots are kept.
    pub folder: PathBuf,
}

/// When snapshots are taken, and what is done meanwhile.
#[derive(Clone, Debug)]
pub struct CorrelateOptions {
    /// Rows of the log after which a snapshot is taken.
    pub snapshot_rows: u64,
    /// Bytes of the log after which a snapshot is taken.
    pub snapshot_bytes: u64,
    /// Time after which a snapshot is taken if there is anything new.
    pub snapshot_every: Duration,
    /// How long the line may have nothing to settle until the state is told the time.
    pub tick_every: Duration,
    /// How often counts are told to the store, and looked at.
    pub tell_every: Duration,
}

impl Default for CorrelateOptions {
    fn default() -> CorrelateOptions {
        CorrelateOptions {
            snapshot_rows: 20_000,
            snapshot_bytes: 64 << 20,
            snapshot_every: Duration::from_secs(600),
            tick_every: Duration::from_secs(5),
            tell_every: Duration::from_secs(60),
        }
    }
}

#[cfg(test)]
mod tests;
