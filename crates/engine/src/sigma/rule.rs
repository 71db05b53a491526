use std::collections::BTreeMap;

use model::{Level, RuleId, RuleKind};
use serde::Serialize;

use super::detection::Detection;

/// Where a rule looks: each part that is given must equal the source's (Sigma 2.1, `logsource`).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct LogSource {
    /// The vendor's product, such as `aws`.
    pub product: Option<String>,
    /// A family of logs of many products, such as `process_creation`.
    pub category: Option<String>,
    /// One log of a product, such as `cloudtrail`.
    pub service: Option<String>,
    /// What must be switched on for the log to exist; not part of the rule's meaning.
    pub definition: Option<String>,
}

impl LogSource {
    /// Does a rule with this log source apply to a source that carries `source`?
    ///
    /// Shape: each of product, category and service that the rule gives must equal the source's, in any case.
    /// A log source with none of them applies everywhere.
    pub fn applies_to(&self, source: &LogSource) -> bool {
        let agrees = |mine: &Option<String>, theirs: &Option<String>| match (mine, theirs) {
            (None, _) => true,
            (Some(mine), Some(theirs)) => mine.eq_ignore_ascii_case(theirs),
            (Some(_), None) => false,
        };
        agrees(&self.product, &source.product)
            && agrees(&self.category, &source.category)
            && agrees(&self.service, &source.service)
    }
}

/// How settled a rule is (Sigma 2.1, `status`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Good for production.
    Stable,
    /// Could need some tuning.
    Test,
    /// Could be noisy, yet worth a look.
    Experimental,
    /// Replaced or no longer useful.
    Deprecated,
    /// Cannot be used as it is.
    Unsupported,
}

impl Status {
    /// Every status.
    pub const ALL: [Status; 5] =
        [Status::Stable, Status::Test, Status::Experimental, Status::Deprecated, Status::Unsupported];

    /// The status's Sigma word.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Stable => "stable",
            Status::Test => "test",
            Status::Experimental => "experimental",
            Status::Deprecated => "deprecated",
            Status::Unsupported => "unsupported",
        }
    }

    /// Reads the status's word, in any case.
    pub fn parse(text: &str) -> Option<Status> {
        Status::ALL.into_iter().find(|status| status.as_str().eq_ignore_ascii_case(text))
    }
}

/// A link to another rule (Sigma 2.1, `related`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Related {
    /// The other rule's id.
    pub id: String,
    /// `derived`, `obsolete`, `merged`, `renamed` or `similar`.
    pub kind: String,
}

/// One Sigma rule, checked: whatever a [`Rule`] says can be compiled, placeholders apart.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rule {
    /// The file that the rule was read from; empty until its loader says so.
    pub file: String,
    /// The line at which its document starts.
    pub line: usize,
    /// The rule's UUID; made from title and log source where the author gives none.
    pub id: RuleId,
    /// One line that says what it finds.
    pub title: String,
    /// A short name that other documents may use.
    pub name: Option<String>,
    /// How settled it is.
    pub status: Option<Status>,
    /// What it finds, at length.
    pub description: Option<String>,
    /// Who wrote it.
    pub author: Option<String>,
    /// When it was written, as the author put it.
    pub date: Option<String>,
    /// When its meaning last changed, as the author put it.
    pub modified: Option<String>,
    /// The licence of the rule text (SPDX).
    pub license: Option<String>,
    /// Where to read more.
    pub references: Vec<String>,
    /// ATT&CK, ATLAS and other tags, as `namespace.name`.
    pub tags: Vec<String>,
    /// Other rules that it has to do with.
    pub related: Vec<Related>,
    /// Which sources it looks at.
    pub logsource: LogSource,
    /// How grave what it finds is.
    pub level: Level,
    /// What else could look like it.
    pub falsepositives: Vec<String>,
    /// Fields worth showing beside a finding.
    pub fields: Vec<String>,
    /// The logic.
    pub detection: Detection,
    /// What Watchkeep adds to Sigma.
    pub watchkeep: Watchkeep,
    /// Top-level keys that Sigma does not name and that hold plain text.
    pub custom: BTreeMap<String, String>,
    /// 16 hexadecimal digits of a digest over the rule's meaning: detection, log source, level, kind and fold.
    pub revision: String,
}

impl Rule {
    /// ATT&CK and ATLAS technique ids from the tags, in order, without repeats.
    ///
    /// `attack.t1530` gives `T1530`, `attack.t1078.004` gives `T1078.004`, `atlas.aml.t0025` gives `AML.T0025`.
    pub fn techniques(&self) -> Vec<String> {
        techniques(&self.tags)
    }
}

/// As [`Rule::techniques`], of the tags of any document.
pub(crate) fn techniques(tags: &[String]) -> Vec<String> {
    let mut techniques: Vec<String> = Vec::new();
    for tag in tags {
        let tag = tag.to_ascii_uppercase();
        let id = tag.strip_prefix("ATTACK.").or_else(|| tag.strip_prefix("ATLAS."));
        let Some(id) = id else { continue };
        let number = id.strip_prefix("AML.").unwrap_or(id).strip_prefix('T');
        let is_technique = number.is_some_and(|n| n.starts_with(|c: char| c.is_ascii_digit()));
        if is_technique && !techniques.iter().any(|known| known == id) {
            techniques.push(id.to_owned());
        }
    }
    techniques
}

/// The one key that Watchkeep adds to a Sigma rule. Keys that it does not know are errors.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Watchkeep {
    /// Who answers for the rule.
    pub owner: Option<String>,
    /// What its findings are for.
    pub kind: RuleKind,
    /// Ids of the threat model that it shows.
    pub threats: Vec<String>,
    /// Feeds that it cannot work without.
    pub requires: Vec<Require>,
    /// Entities beyond the source's own: kind to field path.
    pub entities: BTreeMap<String, String>,
    /// How its findings become alerts.
    pub fold: Option<Fold>,
    /// What its author expects of it.
    pub expect: Option<Expect>,
    /// Why it exists, and what it cannot see.
    pub strategy: Option<Strategy>,
    /// What to ask when it fires.
    pub triage: Vec<TriageStep>,
    /// The playbook to follow.
    pub playbook: Option<String>,
    /// Template of the reason sentence: `{userIdentity.arn} read {requestParameters.key}`.
    pub message: Option<String>,
    /// What its author says of its logic, to be held against it.
    pub claims: Option<Claims>,
}

/// What an author claims of the logic of a rule; a claim that is not made is not checked.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Claims {
    /// The rules that must come one behind the other; rules of one step are parted by ` or `.
    pub order: Option<Claimed<Vec<String>>>,
    /// How long it looks, milliseconds.
    pub window_ms: Option<Claimed<i64>>,
    /// Fields, or kinds of entity, that keep events apart.
    pub entity: Option<Claimed<Vec<String>>>,
    /// From what number on it is a finding.
    pub threshold: Option<Claimed<f64>>,
    /// The events that it looks at: values of a field, or the rules that it joins.
    pub events: Option<Claimed<Vec<String>>>,
}

/// One claim and where it stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Claimed<T> {
    /// What is claimed.
    pub value: T,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// A feed that a rule cannot work without.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Require {
    /// The source's id.
    pub source: String,
    /// Which part of the source, such as `s3_data`.
    pub feed: Option<String>,
    /// Fields that must be filled.
    pub fields: Vec<String>,
    /// How old the newest record may be, milliseconds.
    pub freshness_ms: Option<i64>,
}

/// How findings of a rule become alerts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Fold {
    /// Entity kinds or field paths.
    pub by: Vec<String>,
    /// Length of the window in event time, milliseconds.
    pub window_ms: i64,
}

/// What the author of a rule expects of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Expect {
    /// At most so many alerts a week.
    pub per_week_max: Option<f64>,
    /// At least this share of its alerts are true.
    pub precision_min: Option<f64>,
    /// How late its records may come, milliseconds.
    pub late_data_ms: Option<i64>,
}

/// Why a rule exists, and what it cannot see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Strategy {
    /// Why it exists and works.
    pub why: Option<String>,
    /// What it cannot see.
    pub blind_spots: Vec<BlindSpot>,
}

/// A way past a rule that its author knows of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BlindSpot {
    /// A short id, such as `BS-1`.
    pub id: String,
    /// What gets past.
    pub text: String,
}

/// A question to ask when a rule fires.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TriageStep {
    /// The question.
    pub ask: String,
    /// A query that answers it.
    pub query: Option<String>,
    /// What a yes means.
    pub if_yes: Option<String>,
    /// What a no means.
    pub if_no: Option<String>,
}
