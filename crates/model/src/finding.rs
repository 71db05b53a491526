use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Enrichment, Entity, EventId, FindingId, Lane, Level, RuleId, SourceId, Time, Window};

/// What a rule's findings are for (`watchkeep.kind`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum RuleKind {
    /// A person must see it.
    #[default]
    Alert,
    /// Feeds correlations and risk; never a person's queue.
    Signal,
    /// A question asked of history.
    Hunt,
}

impl RuleKind {
    /// The kind's word.
    pub fn as_str(self) -> &'static str {
        match self {
            RuleKind::Alert => "alert",
            RuleKind::Signal => "signal",
            RuleKind::Hunt => "hunt",
        }
    }
}

/// One term of a rule that held, with the value that made it hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MatchedTerm {
    /// The named search of the rule, such as `selection`.
    pub search: String,
    /// The field, as the rule names it; empty for a keyword.
    pub field: String,
    /// The test, as text: `equals "GetObject"`, `contains "export"`.
    pub test: String,
    /// The value in the record, cut to 256 characters.
    pub value: String,
}

/// By what, and over how long, findings of one rule become one alert (`watchkeep.fold`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FoldKey {
    /// Field or entity names with this finding's values, in the rule's order.
    pub by: Vec<(String, String)>,
    /// Length of the window in event time, milliseconds.
    pub window_ms: i64,
}

/// A rule firing: reproducible from the same records and content; its id is a digest of what it claims.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Digest of rule id, revision and event ids.
    pub finding_id: FindingId,
    /// The rule.
    pub rule_id: RuleId,
    /// The rule's title.
    pub rule_title: String,
    /// Digest of the rule's meaning, 16 hexadecimal digits; changes if and only if that does.
    pub rule_revision: String,
    /// How grave.
    pub level: Level,
    /// Alert, signal or hunt.
    pub kind: RuleKind,
    /// The source of the event.
    pub source: SourceId,
    /// When it happened.
    pub event_time: Time,
    /// When the record reached us.
    pub received: Time,
    /// The events that it claims, in event-time order.
    pub event_ids: Vec<EventId>,
    /// The things it is about, without repeats, in order.
    pub entities: Vec<Entity>,
    /// ATT&CK and ATLAS technique ids, upper case: `T1530`, `AML.T0025`.
    pub techniques: Vec<String>,
    /// The reason, one sentence.
    pub message: String,
    /// Why the record was on the line.
    pub lane: Lane,
    /// How it folds into alerts.
    pub fold: FoldKey,
    /// The terms that held.
    pub matched: Vec<MatchedTerm>,
    /// OCSF columns of the event, such as `api.operation`.
    pub columns: BTreeMap<String, String>,
    /// What it claims about many events, for a finding of a rule over time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Box<Window>>,
    /// What is known about its entities, as of `event_time`; no part of what it claims.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<Enrichment>,
}

impl Finding {
    /// The finding's id from what it claims.
    pub fn id_of(rule: &RuleId, revision: &str, events: &[EventId]) -> FindingId {
        let mut parts: Vec<&[u8]> = vec![rule.as_str().as_bytes(), revision.as_bytes()];
        parts.extend(events.iter().map(|event| event.as_bytes().as_slice()));
        FindingId::of(&parts)
    }

    /// Entities grouped by kind, as findings are written on the wire.
    pub fn entities_by_kind(&self) -> BTreeMap<&'static str, Vec<&str>> {
        let mut by_kind: BTreeMap<&'static str, Vec<&str>> = BTreeMap::new();
        for entity in &self.entities {
            by_kind.entry(entity.kind.as_str()).or_default().push(&entity.key);
        }
        by_kind
    }
}

/// What triage did with a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Disposition {
    /// It opened an alert.
    Opened,
    /// It joined an open alert.
    Folded,
    /// A silence took it.
    Silenced,
    /// Its rule is a signal or hunt: kept, not alerted.
    Kept,
    /// The same finding was stored before.
    Repeated,
}

impl Disposition {
    /// The disposition's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Disposition::Opened => "opened",
            Disposition::Folded => "folded",
            Disposition::Silenced => "silenced",
            Disposition::Kept => "kept",
            Disposition::Repeated => "repeated",
        }
    }
}
