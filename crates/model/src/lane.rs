use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a record is on the line. Every event, finding and alert carries it end to end, and every page and output shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// Telemetry of the estate.
    #[default]
    Live,
    /// The sample telemetry that ships with Watchkeep.
    Sample,
    /// Yesterday's records run again through today's content.
    Replay,
    /// A content test.
    Test,
    /// A rehearsal.
    Exercise,
    /// A record that Watchkeep sends itself to see that the line carries.
    Canary,
}

impl Lane {
    /// Every lane.
    pub const ALL: [Lane; 6] = [Lane::Live, Lane::Sample, Lane::Replay, Lane::Test, Lane::Exercise, Lane::Canary];

    /// The lane's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Lane::Live => "live",
            Lane::Sample => "sample",
            Lane::Replay => "replay",
            Lane::Test => "test",
            Lane::Exercise => "exercise",
            Lane::Canary => "canary",
        }
    }

    /// Reads the lane's word.
    pub fn parse(text: &str) -> Option<Lane> {
        Lane::ALL.into_iter().find(|lane| lane.as_str() == text)
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
