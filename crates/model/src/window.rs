use serde::{Deserialize, Serialize};

use crate::{EventId, SourceId, Time};

/// How certain it is what a finding about many events says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Told at once; events that may still come in time can change it.
    Early,
    /// No event that comes in time can change it.
    Final,
    /// What was told early is not so, by events that came late.
    Withdrawn,
}

impl Standing {
    /// The standing's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Standing::Early => "early",
            Standing::Final => "final",
            Standing::Withdrawn => "withdrawn",
        }
    }

    /// Reads the standing's word.
    pub fn parse(text: &str) -> Option<Standing> {
        [Standing::Early, Standing::Final, Standing::Withdrawn].into_iter().find(|standing| standing.as_str() == text)
    }
}

/// One event of a finding about many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowEvent {
    /// The event.
    pub event_id: EventId,
    /// When it happened.
    pub time: Time,
    /// Its source.
    pub source: SourceId,
    /// The rules that it matches, by title: its part in the finding.
    pub parts: Vec<String>,
    /// The event in a few words.
    pub brief: String,
}

/// What a finding about many events claims: its events, what was measured over them, and what was to be expected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// The fields that it is about, with their values.
    pub group: Vec<(String, String)>,
    /// The time of its first event.
    pub start: Time,
    /// When it first held.
    pub held: Time,
    /// When it last held.
    pub last_held: Time,
    /// Its events in order of time; the earliest where there are more than are kept.
    pub events: Vec<WindowEvent>,
    /// How many events it has.
    pub event_count: u64,
    /// What was measured, such as `events`.
    pub measured: String,
    /// The value.
    pub value: f64,
    /// What was to be expected, where the rule has an expectation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<f64>,
    /// From where on it is a finding, in words.
    pub threshold: String,
    /// Values that explain it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// The baseline, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<f64>,
    /// How certain it is.
    pub standing: Standing,
    /// How much later than in order the event came that made it known, milliseconds; `None` where all came in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_ms: Option<i64>,
}
