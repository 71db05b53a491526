use serde::{Deserialize, Serialize};

use crate::{Finding, Time};

/// Which findings a silence takes: every condition that is present must hold, and at least one must be present.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SilenceMatch {
    /// The rule's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_id: Option<String>,
    /// The source's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// An entity's key, exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
}

/// A person's decision that some findings need nobody for a while. It has an owner, a reason and an end.
///
/// Shape: silenced findings are kept and counted; they only open no alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// A short unique id.
    pub silence_id: String,
    /// Which findings.
    #[serde(rename = "match")]
    pub matches: SilenceMatch,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// From when.
    pub created: Time,
    /// Until when; there is no silence without an end.
    pub expires: Time,
}

impl Silence {
    /// Does the silence take `finding` at `now` (the time at which the finding is triaged)?
    pub fn takes(&self, finding: &Finding, now: Time) -> bool {
        let m = &self.matches;
        let any = m.rule_id.is_some() || m.source.is_some() || m.entity.is_some();
        any && self.created <= now
            && now < self.expires
            && m.rule_id.as_deref().is_none_or(|id| id == finding.rule_id.as_str())
            && m.source.as_deref().is_none_or(|id| id == finding.source.as_str())
            && m.entity.as_deref().is_none_or(|key| finding.entities.iter().any(|entity| entity.key == key))
    }
}
