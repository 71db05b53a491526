use std::fmt;

use serde::{Deserialize, Serialize};

/// How a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// No record for longer than it should take.
    Silent,
    /// Records come later than they should.
    Late,
    /// Far fewer records than its past lets expect, or than it declares.
    Thin,
    /// Records lack fields that they must have.
    Incomplete,
    /// The keys of its records changed.
    Drifting,
    /// As expected.
    Live,
    /// No record ever.
    Unheard,
}

impl Verdict {
    /// Every verdict, the gravest first.
    pub const ALL: [Verdict; 7] = [
        Verdict::Silent,
        Verdict::Late,
        Verdict::Thin,
        Verdict::Incomplete,
        Verdict::Drifting,
        Verdict::Live,
        Verdict::Unheard,
    ];

    /// The verdict's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Silent => "silent",
            Verdict::Late => "late",
            Verdict::Thin => "thin",
            Verdict::Incomplete => "incomplete",
            Verdict::Drifting => "drifting",
            Verdict::Live => "live",
            Verdict::Unheard => "unheard",
        }
    }

    /// Reads the verdict's word.
    pub fn parse(text: &str) -> Option<Verdict> {
        Verdict::ALL.into_iter().find(|verdict| verdict.as_str() == text)
    }

    /// Is something wrong with what was heard?
    pub fn is_trouble(self) -> bool {
        !matches!(self, Verdict::Live | Verdict::Unheard)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
