//! What the console is given: the store, what is known about rules and sources, the clock, and how it is reached.
//!
//! In: plain structs that the caller fills from its catalogue. Out: shared, cheap clones for the handlers.
//! Bound: the catalogue is held in memory once; everything else is asked of the store, page by page.

use std::sync::Arc;

use model::{Level, RuleId, SourceId, Time};
use store::{Contracts, Store};

use crate::Auth;

/// Everything that the pages need.
#[derive(Clone)]
pub struct ConsoleState {
    /// Alerts, ledger, outbox, silences.
    pub store: Store,
    /// Rules and sources, as the people who read the pages know them.
    pub catalogue: Arc<Catalogue>,
    /// Token, sessions and the limit on attempts.
    pub auth: Arc<Auth>,
    /// Tells the time; given, never taken.
    pub clock: fn() -> Time,
    /// How the console is reached.
    pub config: Arc<ConsoleConfig>,
}

/// How the console is reached and what it says on every page.
#[derive(Clone, Debug, Default)]
pub struct ConsoleConfig {
    /// Host names, besides the loopback ones, under which the console answers (without port).
    pub hosts: Vec<String>,
    /// Answer under any host name: for a console behind a proxy that has checked the name already.
    pub any_host: bool,
    /// Mark the session cookie `Secure`: set it when people reach the console by https.
    pub secure_cookies: bool,
    /// Shipped sample telemetry is playing: say so on every page.
    pub sample_notice: bool,
}

/// What the loaded content says about rules and sources.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// Rules in any order; the pages sort.
    pub rules: Vec<RuleView>,
    /// Sources in any order.
    pub sources: Vec<SourceView>,
    /// What is asked of the sources: by what they declare, and by the site.
    pub asked: Contracts,
}

impl Catalogue {
    /// The rule with this id.
    pub fn rule(&self, id: &str) -> Option<&RuleView> {
        self.rules.iter().find(|rule| rule.id.as_str() == id)
    }

    /// The source with this id.
    pub fn source(&self, id: &str) -> Option<&SourceView> {
        self.sources.iter().find(|source| source.id.as_str() == id)
    }
}

/// A rule as a reader of its alerts needs it.
#[derive(Clone, Debug)]
pub struct RuleView {
    /// The rule's id.
    pub id: RuleId,
    /// Its title.
    pub title: String,
    /// How grave.
    pub level: Level,
    /// `alert`, `signal` or `hunt`.
    pub kind: String,
    /// What it looks for, in the author's words.
    pub description: String,
    /// The file it came from, as its author would name it.
    pub file: String,
    /// The file's text.
    pub yaml: String,
    /// Where it came from and under which licence, such as `Watchkeep (Apache-2.0)` or `SigmaHQ (DRL-1.1)`.
    pub provenance: String,
    /// Who answers for it; empty when nobody is named.
    pub owner: String,
    /// The sources whose records it meets.
    pub sources: Vec<SourceId>,
    /// ATT&CK and ATLAS technique ids.
    pub techniques: Vec<String>,
    /// Known benign causes, from the rule.
    pub falsepositives: Vec<String>,
    /// What to ask next, from the rule, in order.
    pub triage: Vec<TriageView>,
    /// Outcomes of its cases, when they were run at load.
    pub cases: Vec<CaseView>,
}

/// A question to ask of an alert, and what each answer means.
#[derive(Clone, Debug)]
pub struct TriageView {
    /// The question.
    pub ask: String,
    /// A query that answers it; empty when the rule gives none.
    pub query: String,
    /// What a yes means; empty when the rule does not say.
    pub if_yes: String,
    /// What a no means; empty when the rule does not say.
    pub if_no: String,
}

/// The outcome of one content test of a rule.
#[derive(Clone, Debug)]
pub struct CaseView {
    /// The case's name.
    pub name: String,
    /// `hit`, `benign`, `near_miss`, `evasion`, `late` or `malformed`.
    pub kind: String,
    /// `None` while it was not run.
    pub passed: Option<bool>,
}

/// A source as the person who runs its feed needs it.
#[derive(Clone, Debug)]
pub struct SourceView {
    /// The source's id.
    pub id: SourceId,
    /// Its title.
    pub title: String,
    /// What its records tell.
    pub description: String,
    /// Silent for longer than this, in milliseconds, is worth a look.
    pub silent_after_ms: Option<i64>,
    /// Expected delay between an event and its receipt, in milliseconds.
    pub lag_ms: Option<i64>,
    /// How to switch the feed on.
    pub enable: String,
    /// What it cannot show.
    pub blind_spots: Vec<String>,
}
