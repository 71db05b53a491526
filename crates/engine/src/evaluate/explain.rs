//! Explaining: what a rule makes of a frame, term by term, or why it does not look.

use model::{Finding, Reject, SourceId};

use super::{Engine, Given, Sink};
use crate::event::Event;
use crate::sigma;

impl Engine {
    /// Explains what the rule called `rule` (id, title, name or file stem) makes of each record of the frame.
    pub fn explain(&self, rule: &str, frame: &[u8], given: &Given) -> Result<Vec<sigma::Explanation>, ExplainError> {
        let at = self.rule_index(rule).ok_or_else(|| ExplainError::UnknownRule(rule.to_owned()))?;
        let mut explain =
            Explain { engine: self, at, explanations: Vec::new(), other: None, carried: None, rejected: None };
        self.evaluate(&mut self.worker(), frame, given, &mut explain);
        let title = || self.program.rules()[at].rule.title.clone();
        match explain {
            Explain { explanations, .. } if !explanations.is_empty() => Ok(explanations),
            Explain { carried: Some(carried), other: Some(source), .. } => {
                Err(ExplainError::OtherLogSource { rule: title(), source, carried })
            }
            Explain { other: Some(source), .. } => Err(ExplainError::OtherSource { rule: title(), source }),
            Explain { rejected, .. } => Err(ExplainError::Rejected(rejected.unwrap_or(Reject::UnknownSource))),
        }
    }
}

struct Explain<'e> {
    engine: &'e Engine,
    at: usize,
    explanations: Vec<sigma::Explanation>,
    other: Option<SourceId>,
    /// The log sources that a record carries, where the rule looks at its source, and not at it.
    carried: Option<String>,
    rejected: Option<Reject>,
}

impl Sink for Explain<'_> {
    fn rejected(&mut self, _raw: &[u8], _source: Option<&SourceId>, reason: Reject) {
        self.rejected.get_or_insert(reason);
    }

    fn evaluated(&mut self, event: &Event<'_>) {
        let engine = self.engine;
        let Some(feed) = engine.feeds.iter().find(|feed| feed.source.id == event.source().id) else { return };
        let record = event.record();
        let rule = feed.routing.rules_for(&record, &engine.program).into_iter().find(|rule| rule.index() == self.at);
        if let Some(rule) = rule {
            return self.explanations.push(engine.program.explain_at(rule, &record, event.time()));
        }
        self.other = Some(event.source().id.clone());
        let rule = &engine.rules()[self.at].rule;
        if event.source().logsources.iter().any(|theirs| rule.logsource.applies_to(theirs)) {
            let routes = event.source().routes.iter().filter(|route| route.holds(&record, &engine.fields));
            let carried: Vec<String> = routes.map(|route| route.to_string()).collect();
            self.carried = Some(if carried.is_empty() { "none".to_owned() } else { carried.join(", ") });
        }
    }

    fn finding(&mut self, _finding: Finding, _event: &Event<'_>) {}
}

/// Why a record cannot be explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExplainError {
    /// No rule has this id, title, name or file.
    UnknownRule(String),
    /// The frame holds no record that can be read.
    Rejected(Reject),
    /// The rule does not look at this source.
    OtherSource {
        /// The rule's title.
        rule: String,
        /// The record's source.
        source: SourceId,
    },
    /// The rule looks at other records of this source.
    OtherLogSource {
        /// The rule's title.
        rule: String,
        /// The record's source.
        source: SourceId,
        /// The log sources that the record carries, for people.
        carried: String,
    },
}

impl std::fmt::Display for ExplainError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ExplainError::UnknownRule(name) => write!(f, "no rule has the id, title, name or file `{name}`"),
            ExplainError::Rejected(reason) => write!(f, "the record cannot be read: {}", reason.explain()),
            ExplainError::OtherSource { rule, source } => write!(f, "rule `{rule}` does not look at source `{source}`"),
            ExplainError::OtherLogSource { rule, source, carried } => {
                write!(f, "rule `{rule}` looks at other records of source `{source}`; this one carries {carried}")
            }
        }
    }
}

impl std::error::Error for ExplainError {}
