use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{AlertId, Entity, Finding, FoldKey, Lane, Level, RuleId, SourceId, Time};

/// Where an alert is on its way to a verdict. Only [`AlertState::apply`] moves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertState {
    /// Stored; no receiver has it yet.
    Open,
    /// A receiver's transport accepted it.
    Delivered,
    /// A receiver's system confirmed that it holds it.
    Received,
    /// A person said that they have it.
    Acknowledged,
    /// A person gave a verdict.
    Closed,
}

/// What a person found the alert to be (OCSF `verdict_id` in [`Verdict::ocsf_verdict_id`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// An attack.
    TpMalicious,
    /// Against policy, without malice.
    TpPolicy,
    /// True, expected and sanctioned.
    BenignSanctioned,
    /// The rule's logic is wrong.
    FpLogic,
    /// The record is wrong.
    FpData,
    /// Another alert covers it.
    Duplicate,
    /// Nobody can tell from what there is.
    Insufficient,
    /// A rehearsal.
    Exercise,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Verdict; 8] = [
        Verdict::TpMalicious,
        Verdict::TpPolicy,
        Verdict::BenignSanctioned,
        Verdict::FpLogic,
        Verdict::FpData,
        Verdict::Duplicate,
        Verdict::Insufficient,
        Verdict::Exercise,
    ];

    /// The verdict's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::TpMalicious => "tp_malicious",
            Verdict::TpPolicy => "tp_policy",
            Verdict::BenignSanctioned => "benign_sanctioned",
            Verdict::FpLogic => "fp_logic",
            Verdict::FpData => "fp_data",
            Verdict::Duplicate => "duplicate",
            Verdict::Insufficient => "insufficient",
            Verdict::Exercise => "exercise",
        }
    }

    /// A label for a person.
    pub fn label(self) -> &'static str {
        match self {
            Verdict::TpMalicious => "True positive: malicious",
            Verdict::TpPolicy => "True positive: against policy",
            Verdict::BenignSanctioned => "Benign: sanctioned activity",
            Verdict::FpLogic => "False positive: rule logic",
            Verdict::FpData => "False positive: bad data",
            Verdict::Duplicate => "Duplicate",
            Verdict::Insufficient => "Insufficient evidence",
            Verdict::Exercise => "Exercise",
        }
    }

    /// Reads the verdict's word.
    pub fn parse(text: &str) -> Option<Verdict> {
        Verdict::ALL.into_iter().find(|verdict| verdict.as_str() == text)
    }

    /// OCSF 1.x `verdict_id` of an incident finding.
    pub fn ocsf_verdict_id(self) -> u8 {
        match self {
            Verdict::FpLogic | Verdict::FpData => 1,
            Verdict::TpMalicious => 2,
            Verdict::BenignSanctioned => 5,
            Verdict::Exercise => 6,
            Verdict::Insufficient => 7,
            Verdict::TpPolicy => 8,
            Verdict::Duplicate => 10,
        }
    }
}

/// Something that moves an alert forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "move", content = "verdict")]
pub enum Move {
    /// A receiver's transport accepted it.
    Deliver,
    /// A receiver's system confirmed it.
    Receive,
    /// A person acknowledged it.
    Acknowledge,
    /// A person gave a verdict.
    Close(Verdict),
}

/// A move that the alert's state does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an alert that is {from} cannot be {attempted}")]
pub struct IllegalMove {
    /// Where the alert is.
    pub from: AlertState,
    /// What was asked, as a past participle.
    pub attempted: &'static str,
}

impl AlertState {
    /// Every state, in order.
    pub const ALL: [AlertState; 5] =
        [AlertState::Open, AlertState::Delivered, AlertState::Received, AlertState::Acknowledged, AlertState::Closed];

    /// The state after `step`.
    ///
    /// Shape: states only go forward. A receipt that arrives after a later one (a delivery confirmed after a person
    /// acknowledged) leaves the state as it is: `Ok` with the same state, so that clocks can still be filled in.
    /// Errors: [`IllegalMove`] for anything done to a closed alert, for acknowledging twice, and for closing what nobody acknowledged.
    pub fn apply(self, step: Move) -> Result<AlertState, IllegalMove> {
        let refuse = |attempted| Err(IllegalMove { from: self, attempted });
        match (self, step) {
            (AlertState::Closed, Move::Deliver | Move::Receive) => Ok(AlertState::Closed),
            (AlertState::Closed, Move::Acknowledge) => refuse("acknowledged"),
            (AlertState::Closed, Move::Close(_)) => refuse("closed again"),
            (state, Move::Deliver) => Ok(state.max(AlertState::Delivered)),
            (state, Move::Receive) => Ok(state.max(AlertState::Received)),
            (AlertState::Acknowledged, Move::Acknowledge) => refuse("acknowledged again"),
            (_, Move::Acknowledge) => Ok(AlertState::Acknowledged),
            (AlertState::Acknowledged, Move::Close(_)) => Ok(AlertState::Closed),
            (_, Move::Close(_)) => refuse("closed before someone acknowledges it"),
        }
    }

    /// The state's word.
    pub fn as_str(self) -> &'static str {
        match self {
            AlertState::Open => "open",
            AlertState::Delivered => "delivered",
            AlertState::Received => "received",
            AlertState::Acknowledged => "acknowledged",
            AlertState::Closed => "closed",
        }
    }

    /// Reads the state's word.
    pub fn parse(text: &str) -> Option<AlertState> {
        AlertState::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

impl fmt::Display for AlertState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The six times of an alert. What has not happened is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clocks {
    /// When the first event of the alert happened.
    pub event: Time,
    /// When its record reached us.
    pub received: Time,
    /// When the alert was raised.
    pub detected: Time,
    /// When a receiver's transport first accepted it.
    pub delivered: Option<Time>,
    /// When a person acknowledged it.
    pub acknowledged: Option<Time>,
    /// When a person gave a verdict.
    pub verdict: Option<Time>,
}

/// A thing that a person must see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Digest of the fold key and the finding that opened it.
    pub alert_id: AlertId,
    /// The rule that raised it.
    pub rule_id: RuleId,
    /// The rule's title.
    pub title: String,
    /// The reason: the opening finding's sentence.
    pub message: String,
    /// How grave.
    pub level: Level,
    /// The source of its events.
    pub source: SourceId,
    /// Why its records were on the line.
    pub lane: Lane,
    /// Where it is.
    pub state: AlertState,
    /// By what it folds.
    pub fold: FoldKey,
    /// How many findings it holds.
    pub findings: u64,
    /// Event time of its latest finding.
    pub last_event: Time,
    /// The things it is about.
    pub entities: Vec<Entity>,
    /// ATT&CK and ATLAS technique ids.
    pub techniques: Vec<String>,
    /// The six times.
    pub clocks: Clocks,
    /// Who acknowledged it.
    pub acknowledged_by: Option<String>,
    /// The verdict.
    pub verdict: Option<Verdict>,
    /// Who gave it.
    pub verdict_by: Option<String>,
    /// Why, in their words.
    pub verdict_reason: Option<String>,
}

impl Alert {
    /// The alert that `finding` opens at `detected`.
    pub fn open(finding: &Finding, detected: Time) -> Alert {
        Alert {
            alert_id: Alert::id_of(finding),
            rule_id: finding.rule_id.clone(),
            title: finding.rule_title.clone(),
            message: finding.message.clone(),
            level: finding.level,
            source: finding.source.clone(),
            lane: finding.lane,
            state: AlertState::Open,
            fold: finding.fold.clone(),
            findings: 1,
            last_event: finding.event_time,
            entities: finding.entities.clone(),
            techniques: finding.techniques.clone(),
            clocks: Clocks {
                event: finding.event_time,
                received: finding.received,
                detected,
                delivered: None,
                acknowledged: None,
                verdict: None,
            },
            acknowledged_by: None,
            verdict: None,
            verdict_by: None,
            verdict_reason: None,
        }
    }

    /// The id of the alert that `finding` would open.
    pub fn id_of(finding: &Finding) -> AlertId {
        let by = serde_json::to_vec(&finding.fold.by).expect("pairs of strings always serialise");
        AlertId::of(&[
            finding.rule_id.as_str().as_bytes(),
            &by,
            finding.lane.as_str().as_bytes(),
            finding.finding_id.as_bytes(),
        ])
    }

    /// Would `finding` join this alert: same rule, lane and fold values, event time within the window on either side of the first, not closed?
    pub fn folds(&self, finding: &Finding) -> bool {
        self.state != AlertState::Closed
            && self.rule_id == finding.rule_id
            && self.lane == finding.lane
            && self.fold.by == finding.fold.by
            && finding.event_time.millis_since(self.clocks.event).abs() <= finding.fold.window_ms
    }
}
