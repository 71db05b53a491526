use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How grave a rule holds what it finds (Sigma 2.1, `level`), least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth keeping, not worth a person's time.
    Informational,
    /// Notable; rarely an incident.
    Low,
    /// Relevant; look at it when convenient.
    #[default]
    Medium,
    /// Look at it soon.
    High,
    /// Look at it now.
    Critical,
}

impl Level {
    /// Every level, least first.
    pub const ALL: [Level; 5] = [Level::Informational, Level::Low, Level::Medium, Level::High, Level::Critical];

    /// The level's Sigma word.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Informational => "informational",
            Level::Low => "low",
            Level::Medium => "medium",
            Level::High => "high",
            Level::Critical => "critical",
        }
    }

    /// OCSF 1.x `severity_id`: 1 informational to 5 critical.
    pub fn ocsf_severity_id(self) -> u8 {
        self as u8 + 1
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Level {
    type Err = ();
    fn from_str(text: &str) -> Result<Level, ()> {
        Level::ALL.into_iter().find(|level| level.as_str().eq_ignore_ascii_case(text)).ok_or(())
    }
}
